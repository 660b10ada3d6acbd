// Which bodies a connection asks for, in which order, and what is left of them when it ends.
#include "replica/open_bodies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace diaryx::sync {
namespace {

constexpr DurationMs kAnswerTimeout{10'000};
constexpr DurationMs kRefusedRetry{30'000};
constexpr TimestampMs kBegin{1'000'000};

using Keys = OpenBodies::Keys;

/// Bodies of a device and of the server, which have one text.
class OpenBodiesTest : public ::testing::Test {
 protected:
  OpenBodiesTest() {
    crdt::Transaction txn = theirs_.transact();
    EXPECT_TRUE(theirs_.text("body").insert(txn, Utf16Offset{0}, "text"));
    std::move(txn).commit();
    EXPECT_TRUE(ours_.apply_update_v1(theirs_.encode_update_v1()));
  }

  void ask_next(const std::string& key, TimestampMs now = kBegin) {
    EXPECT_EQ(bodies_.open_next(), key);
    EXPECT_FALSE(bodies_.ask(key, ours_, now).empty());
  }
  void open(const std::string& key, TimestampMs now = kBegin) {
    bodies_.enqueue(key);
    ask_next(key, now);
  }
  void answer(const std::string& key) {
    EXPECT_TRUE(bodies_.on_step1(key, ours_, theirs_.state_vector().encode()));
    EXPECT_TRUE(bodies_.on_step2(key, ours_, theirs_.encode_update_v1()).empty());
  }
  /// The update of an edit here.
  Bytes type() {
    crdt::Transaction txn = ours_.transact();
    EXPECT_TRUE(ours_.text("body").insert(txn, Utf16Offset{0}, "a"));
    return std::move(txn).commit().update_v1();
  }

  crdt::Doc theirs_{{.client = ClientId{1}}};
  crdt::Doc ours_{{.client = ClientId{2}}};
  OpenBodies bodies_{2, kAnswerTimeout};
};

TEST_F(OpenBodiesTest, AreAskedForInTheirOrderASmallNumberAtATime) {
  for (const char* key : {"c", "a", "b", "a"}) bodies_.enqueue(key);
  EXPECT_EQ(bodies_.waiting(), 3u);
  ask_next("c");
  ask_next("a");
  EXPECT_EQ(bodies_.open_next(), std::nullopt);
  EXPECT_TRUE(bodies_.is_queued("b"));
  answer("a");
  EXPECT_EQ(bodies_.waiting(), 2u);
  ask_next("b");
  EXPECT_EQ(bodies_.open_next(), std::nullopt);
  EXPECT_FALSE(bodies_.has_queued());
}

TEST_F(OpenBodiesTest, ThatAPersonLooksAtOvertakeTheOthers) {
  for (const char* key : {"a", "b", "c"}) bodies_.enqueue(key);
  bodies_.enqueue_first("c");
  bodies_.enqueue_first("d");
  EXPECT_EQ(bodies_.waiting(), 4u);
  ask_next("d");
  ask_next("c");
  bodies_.enqueue_first("d");  // open: nothing more is asked
  answer("d");
  answer("c");
  ask_next("a");
  ask_next("b");
}

TEST_F(OpenBodiesTest, AreAnsweredWhenTheServerSaidWhatItHasAndSavedWhenItHasStoredAll) {
  open("a");
  EXPECT_TRUE(bodies_.is_open("a"));
  EXPECT_FALSE(bodies_.is_answered("a"));
  EXPECT_FALSE(bodies_.is_saved("a"));
  EXPECT_TRUE(bodies_.on_local_update("a", type()).empty());  // before it is known what the server has
  EXPECT_TRUE(bodies_.on_step1("a", ours_, theirs_.state_vector().encode())->empty());
  EXPECT_FALSE(bodies_.on_step2("a", ours_, theirs_.encode_update_v1()).empty());
  EXPECT_TRUE(bodies_.is_answered("a"));
  EXPECT_FALSE(bodies_.is_saved("a"));
  EXPECT_FALSE(bodies_.on_local_update("a", type()).empty());
  bodies_.on_saved("a", 1);
  EXPECT_EQ(bodies_.unsaved(), Keys{"a"});
  bodies_.on_saved("a", 2);
  EXPECT_TRUE(bodies_.is_saved("a"));
  EXPECT_TRUE(bodies_.unsaved().empty());
}

TEST_F(OpenBodiesTest, OfAServerWithoutReceiptsAreSavedOnceItAnsweredABarrier) {
  open("a");
  answer("a");
  EXPECT_FALSE(bodies_.wants_barrier("a"));
  bodies_.on_local_update("a", type());
  ASSERT_TRUE(bodies_.wants_barrier("a"));
  EXPECT_FALSE(bodies_.barrier("a", ours_).empty());
  EXPECT_FALSE(bodies_.wants_barrier("a"));
  bodies_.on_step2("a", ours_, theirs_.encode_update_v1());
  EXPECT_TRUE(bodies_.is_saved("a"));
}

// Some servers answer every question with what they have and a question of their own.
TEST_F(OpenBodiesTest, WithDeletionsSayThemOnceToAServerThatAsksBack) {
  open("a");
  answer("a");
  crdt::Transaction txn = ours_.transact();
  EXPECT_TRUE(ours_.text("body").erase(txn, Utf16Offset{0}, Length{1}));
  const Bytes erased = std::move(txn).commit().update_v1();
  EXPECT_FALSE(bodies_.on_local_update("a", erased).empty());
  EXPECT_TRUE(theirs_.apply_update_v1(erased));
  EXPECT_FALSE(bodies_.barrier("a", ours_).empty());
  EXPECT_TRUE(bodies_.on_step1("a", ours_, theirs_.state_vector().encode())->empty());
  EXPECT_TRUE(bodies_.on_step2("a", ours_, theirs_.encode_update_v1()).empty());
  EXPECT_TRUE(bodies_.is_saved("a"));
  EXPECT_FALSE(bodies_.wants_barrier("a"));
}

TEST_F(OpenBodiesTest, InStepAreAnsweredWithoutAQuestion) {
  bodies_.open_in_step("a");
  EXPECT_TRUE(bodies_.is_answered("a"));
  EXPECT_TRUE(bodies_.is_saved("a"));
  EXPECT_EQ(bodies_.next_moment(), std::nullopt);
  EXPECT_FALSE(bodies_.on_local_update("a", type()).empty());
  EXPECT_FALSE(bodies_.is_saved("a"));
}

TEST_F(OpenBodiesTest, ThatWereNotInStepAreAskedForAfterAll) {
  bodies_.open_in_step("a");
  bodies_.doubt("a");
  EXPECT_EQ(bodies_.unanswered(), Keys{"a"});
  EXPECT_EQ(bodies_.unsaved(), Keys{"a"});
  EXPECT_FALSE(bodies_.ask("a", ours_, kBegin).empty());
  EXPECT_EQ(bodies_.next_moment(), kBegin + kAnswerTimeout);
  answer("a");
  EXPECT_TRUE(bodies_.is_saved("a"));
}

TEST_F(OpenBodiesTest, ThatTheServerIsSilentAboutAreAskedForAgain) {
  open("b", kBegin + DurationMs{1});
  open("a", kBegin);
  EXPECT_EQ(bodies_.next_moment(), kBegin + kAnswerTimeout);
  EXPECT_TRUE(bodies_.due(kBegin + DurationMs{kAnswerTimeout.value() - 1}).empty());
  EXPECT_EQ(bodies_.due(kBegin + kAnswerTimeout), std::vector<std::string>{"a"});
  EXPECT_EQ(bodies_.on_silence("a"), 1u);
  bodies_.ask("a", ours_, kBegin + kAnswerTimeout);
  EXPECT_EQ(bodies_.next_moment(), kBegin + kAnswerTimeout + DurationMs{1});
  EXPECT_EQ(bodies_.due(kBegin + kAnswerTimeout + kAnswerTimeout), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(bodies_.on_silence("a"), 2u);
  answer("a");
  EXPECT_EQ(bodies_.due(kBegin + kAnswerTimeout + kAnswerTimeout), std::vector<std::string>{"b"});
}

TEST_F(OpenBodiesTest, ThatWereRefusedBeforeTheAnswerWaitLongerOnce) {
  open("a");
  bodies_.on_refused("a");
  EXPECT_EQ(bodies_.next_moment(), kBegin + kRefusedRetry);
  EXPECT_TRUE(bodies_.due(kBegin + DurationMs{kRefusedRetry.value() - 1}).empty());
  bodies_.on_silence("a");
  bodies_.ask("a", ours_, kBegin + kRefusedRetry);
  EXPECT_EQ(bodies_.next_moment(), kBegin + kRefusedRetry + kAnswerTimeout);
  answer("a");
  EXPECT_TRUE(bodies_.is_saved("a"));
  EXPECT_TRUE(bodies_.was_refused("a"));  // which a receipt does not change
}

TEST_F(OpenBodiesTest, ThatWereAnsweredStaySoWhenAChangeIsRefused) {
  open("a");
  answer("a");
  bodies_.on_refused("a");
  EXPECT_TRUE(bodies_.is_answered("a"));
  EXPECT_EQ(bodies_.next_moment(), std::nullopt);
  EXPECT_TRUE(bodies_.was_refused("a"));
  EXPECT_FALSE(bodies_.was_refused("b"));
}

TEST_F(OpenBodiesTest, ThatTheServerDroppedStartOver) {
  open("a");
  answer("a");
  bodies_.on_local_update("a", type());
  bodies_.on_dropped("a", kBegin + DurationMs{5});
  EXPECT_FALSE(bodies_.is_answered("a"));
  EXPECT_EQ(bodies_.next_moment(), kBegin + DurationMs{5} + kRefusedRetry);
  bodies_.on_saved("a", 7);  // of what it was sent before
  EXPECT_FALSE(bodies_.is_saved("a"));
  bodies_.ask("a", ours_, kBegin + kRefusedRetry);
  EXPECT_TRUE(bodies_.on_step1("a", ours_, theirs_.state_vector().encode())->empty());
  EXPECT_FALSE(bodies_.on_step2("a", ours_, theirs_.encode_update_v1()).empty()) << "the edit is offered again";
  EXPECT_FALSE(bodies_.was_refused("a"));
}

TEST_F(OpenBodiesTest, ThatTheServerCannotOpenWaitFromWhenTheyWereAskedFor) {
  open("a");
  bodies_.on_dropped("a", kBegin + DurationMs{5});
  EXPECT_EQ(bodies_.next_moment(), kBegin + kRefusedRetry);
}

TEST_F(OpenBodiesTest, AreToldOfInStepsAndWhenAllAreAnswered) {
  bodies_ = OpenBodies(1000, kAnswerTimeout);
  const auto answer_more = [&](int count) {
    for (int i = 0; i < count; ++i) bodies_.open_in_step(std::to_string(bodies_.answered()));
  };
  EXPECT_EQ(bodies_.take_progress(/*are_all=*/true), std::nullopt);
  answer_more(49);
  EXPECT_EQ(bodies_.take_progress(/*are_all=*/false), std::nullopt);
  answer_more(1);
  EXPECT_EQ(bodies_.take_progress(/*are_all=*/false), 50u);
  EXPECT_EQ(bodies_.take_progress(/*are_all=*/true), std::nullopt);
  answer_more(1);
  EXPECT_EQ(bodies_.take_progress(/*are_all=*/false), std::nullopt);
  EXPECT_EQ(bodies_.take_progress(/*are_all=*/true), 51u);
  bodies_.end();
  answer_more(1);
  EXPECT_EQ(bodies_.take_progress(/*are_all=*/true), 1u);
}

TEST_F(OpenBodiesTest, OfAConnectionThatEndedAreForgottenAndThoseWithoutAnAnswerAreNamed) {
  open("a");
  answer("a");
  bodies_.on_local_update("a", type());
  for (const char* key : {"b", "c", "d"}) bodies_.enqueue(key);
  ask_next("b");
  ask_next("c");
  EXPECT_EQ(bodies_.end(), (Keys{"b", "c", "d"}));
  EXPECT_EQ(bodies_.end(), Keys{});
  EXPECT_EQ(bodies_.waiting() + bodies_.answered() + bodies_.unsaved().size(), 0u);
  EXPECT_EQ(bodies_.next_moment(), std::nullopt);
  open("d");
  open("a");
}

/// Beside the bodies: one link for each that is open, and the queue as a list.
TEST_F(OpenBodiesTest, KeepTheirInvariantsWhateverHappens) {
  const std::vector<std::string> keys{"a", "b", "c", "d", "e"};
  std::mt19937 random(7);
  std::map<std::string, DocLink> links;
  std::vector<std::string> queue;
  TimestampMs now = kBegin;
  const auto check = [&] {
    Keys unanswered;
    Keys unsaved;
    for (const auto& [key, link] : links) {
      if (!link.answered()) unanswered.insert(key);
      if (!link.saved()) unsaved.insert(key);
    }
    EXPECT_EQ(bodies_.unanswered(), unanswered);
    EXPECT_EQ(bodies_.unsaved(), unsaved);
    EXPECT_EQ(bodies_.waiting(), unanswered.size() + queue.size());
    EXPECT_EQ(bodies_.answered(), links.size() - unanswered.size());
    for (const std::string& key : keys) {
      EXPECT_EQ(bodies_.is_open(key), links.contains(key));
      EXPECT_EQ(bodies_.is_queued(key), std::ranges::find(queue, key) != queue.end());
      EXPECT_FALSE(bodies_.is_open(key) && bodies_.is_queued(key));
      EXPECT_EQ(bodies_.is_answered(key), links.contains(key) && !unanswered.contains(key));
      EXPECT_EQ(bodies_.is_saved(key), links.contains(key) && !unsaved.contains(key));
    }
  };
  for (int step = 0; step < 3000 && !HasFailure(); ++step) {
    SCOPED_TRACE(step);
    now = now + DurationMs{1};
    const std::string& key = keys[random() % keys.size()];
    const auto open = links.find(key);
    const auto waiting = std::ranges::find(queue, key);
    const uint32_t what = random() % 10;
    if (what == 0 && open == links.end()) {
      if (waiting != queue.end()) queue.erase(waiting);
      queue.insert(queue.begin(), key);
      bodies_.enqueue_first(key);
    } else if (what <= 2) {
      if (open == links.end() && waiting == queue.end()) queue.push_back(key);
      bodies_.enqueue(key);
    } else if (what <= 4) {
      const size_t unanswered = bodies_.unanswered().size();
      const std::optional<std::string> next = bodies_.open_next();
      ASSERT_EQ(next.has_value(), unanswered < 2 && !queue.empty());
      if (!next) continue;
      ASSERT_EQ(*next, queue.front());
      queue.erase(queue.begin());
      DocLink& link = links.emplace(*next, DocLink::Kind::Body).first->second;
      EXPECT_EQ(bodies_.ask(*next, ours_, now), link.ask(ours_, now));
    } else if (open == links.end()) {
      if (random() % 4 != 0 || waiting != queue.end()) continue;
      links.emplace(key, DocLink::in_step());
      bodies_.open_in_step(key);
    } else if (what == 5) {
      const Bytes vector = theirs_.state_vector().encode();
      EXPECT_EQ(*bodies_.on_step1(key, ours_, vector), *open->second.on_step1(ours_, vector));
    } else if (what == 6) {
      const Bytes update = theirs_.encode_update_v1();
      EXPECT_EQ(bodies_.on_step2(key, ours_, update), open->second.on_step2(ours_, update));
    } else if (what == 7) {
      const Bytes update = type();
      EXPECT_EQ(bodies_.on_local_update(key, update), open->second.on_local_update(update));
    } else if (what == 8) {
      const uint64_t received = random() % 20;
      open->second.on_saved(received);
      bodies_.on_saved(key, received);
    } else if (random() % 20 == 0) {
      Keys left = bodies_.unanswered();
      left.insert(queue.begin(), queue.end());
      EXPECT_EQ(bodies_.end(), left);
      links.clear();
      queue.clear();
    } else {
      if (open->second.answered()) open->second.start_over(now);
      bodies_.on_dropped(key, now);
    }
    check();
  }
}

}  // namespace
}  // namespace diaryx::sync
