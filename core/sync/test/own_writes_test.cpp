#include "replica/own_writes.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace diaryx::sync {
namespace {

const std::string kPath = "a.md";

OwnWrite text(std::string text, uint64_t ticket = 0, std::string file_id = "one") {
  const Sha256 hash = sha256(text);
  return {.hash = hash, .file_id = std::move(file_id), .units = "u", .text = std::move(text), .ticket = Ticket{ticket}};
}

OwnWrite blob(std::string_view bytes, uint64_t ticket = 0) {
  return {.hash = sha256(bytes), .ticket = Ticket{ticket}, .kind = FileRecord::Kind::Blob};
}

OwnWrites with(std::vector<OwnWrite> writes) {
  OwnWrites own;
  for (OwnWrite& write : writes) own.put(kPath, std::move(write));
  return own;
}

std::string value_of(const OwnWrites& own, const std::string& path = kPath) { return own.record(path).value; }

// --- what is stored ---------------------------------------------------------------------------------------------

TEST(OwnWrites, AreInDoubtInTheNextRun) {
  OwnWrite nameless = text("old peer", 3, "");
  nameless.units = "";
  const std::vector<OwnWrite> writes{text("first", 1), blob("picture", 2), nameless};
  const PersistRecord stored = with(writes).record(kPath);
  EXPECT_EQ(stored.key, "writing:a.md");
  OwnWrites next;
  ASSERT_TRUE(next.restore(kPath, stored.value));
  ASSERT_EQ(next.of(kPath).size(), writes.size());
  for (size_t i = 0; i < writes.size(); ++i) {
    const OwnWrite& write = next.of(kPath)[i];
    EXPECT_EQ(write.hash, writes[i].hash);
    EXPECT_EQ(write.file_id, writes[i].file_id);
    EXPECT_EQ(write.units, writes[i].units);
    EXPECT_EQ(write.kind, writes[i].kind);
    EXPECT_FALSE(write.is_under_way());
    EXPECT_EQ(write.text, "");
  }
  EXPECT_EQ(value_of(next), stored.value);
  EXPECT_TRUE(next.is_in_doubt(kPath));
}

TEST(OwnWrites, ThatCannotBeReadAreAnError) {
  OwnWrites own;
  EXPECT_FALSE(own.restore(kPath, "no hash"));
  EXPECT_FALSE(own.restore(kPath, sha256("a").hex() + "@no id/#"));
}

TEST(OwnWrites, RecallWhatTheyPutThereIfTheirFileHasThatStill) {
  OwnWrites own;
  ASSERT_TRUE(own.restore(kPath, value_of(with({text("kept"), text("gone")}))));
  own.recall([](const std::string&, const OwnWrite&) { return std::string("kept"); });
  EXPECT_EQ(own.of(kPath)[0].text, "kept");
  EXPECT_EQ(own.of(kPath)[1].text, "");
}

TEST(OwnWrites, SayWhenTheyAreToBeStoredAnew) {
  const std::vector<std::string> paths{"a.md", "b.md"};
  const std::vector<std::string> contents{"x", "y", "z"};
  std::mt19937_64 random(1);
  OwnWrites own;
  for (uint64_t step = 1; step < 5'000; ++step) {
    const std::string path = paths[random() % paths.size()];
    const std::string content = contents[random() % contents.size()];
    const std::string before = value_of(own, path);
    const Ticket ticket{step - random() % 6};
    std::optional<bool> is_new;
    switch (random() % 7) {
      case 0:
      case 1: own.put(path, random() % 2 == 0 ? text(content, step) : blob(content, step)); break;
      case 2: is_new = own.refuse(path, ticket, random() % 2 == 0); break;
      case 3: is_new = own.cancel_fetch(path, sha256(content)); break;
      case 4: is_new = own.forget_doubtful(path); break;
      case 5:
        own.note_answer(path, ticket);
        is_new = false;
        break;
      default: own.note_done(path, sha256(content));
    }
    if (is_new) ASSERT_EQ(*is_new, value_of(own, path) != before) << "step " << step;
    // Invariants 1 and 2.
    ASSERT_EQ(own.contains(path), !own.of(path).empty());
    Ticket last;
    for (const OwnWrite& write : own.of(path)) {
      if (!write.is_under_way()) continue;
      ASSERT_LT(last, write.ticket);
      last = write.ticket;
    }
  }
}

// --- from the wish to the answer --------------------------------------------------------------------------------

TEST(OwnWrites, EndWithTheOneThatIsDoneAndThoseBeforeIt) {
  OwnWrites own = with({text("first", 1), text("second", 2), text("third", 3)});
  const OwnWrites::Writes over = own.note_done(kPath, sha256("second"));
  ASSERT_EQ(over.size(), 2U);
  EXPECT_EQ(over[0].ticket, Ticket{1});
  EXPECT_EQ(over[1].ticket, Ticket{2});
  ASSERT_EQ(own.of(kPath).size(), 1U);
  EXPECT_EQ(own.of(kPath)[0].text, "third");
  EXPECT_EQ(own.note_done(kPath, sha256("third")).size(), 1U);
  EXPECT_FALSE(own.contains(kPath));
}

TEST(OwnWrites, OfOneContentEndWithTheLastOfThem) {
  OwnWrites own = with({text("same"), text("other", 2), text("same", 3), text("newer", 4)});
  own.note_done(kPath, sha256("same"));
  ASSERT_EQ(own.of(kPath).size(), 1U);
  EXPECT_EQ(own.of(kPath)[0].text, "newer");
}

TEST(OwnWrites, StayWhenAnotherContentIsDone) {
  OwnWrites own = with({text("first", 1)});
  EXPECT_TRUE(own.note_done(kPath, sha256("second")).empty());
  EXPECT_TRUE(own.is_under_way(kPath));
}

TEST(OwnWrites, AreUnderWayUntilTheirAnswerAndThenInDoubt) {
  OwnWrites own = with({text("first", 1), text("second", 2)});
  EXPECT_FALSE(own.is_in_doubt(kPath));
  own.note_answer(kPath, Ticket{1});
  EXPECT_TRUE(own.is_in_doubt(kPath));
  EXPECT_TRUE(own.is_under_way(kPath));
  EXPECT_TRUE(own.forget_doubtful(kPath));
  EXPECT_FALSE(own.forget_doubtful(kPath));
  ASSERT_EQ(own.of(kPath).size(), 1U);
  EXPECT_EQ(own.of(kPath)[0].ticket, Ticket{2});
}

TEST(OwnWrites, ThatFailedAreForgottenUnlessNobodyKnowsHow) {
  OwnWrites refused = with({text("first", 1)});
  EXPECT_TRUE(refused.refuse(kPath, Ticket{1}, /*in_doubt=*/false));
  EXPECT_FALSE(refused.contains(kPath));

  OwnWrites doubtful = with({text("first", 1)});
  EXPECT_FALSE(doubtful.refuse(kPath, Ticket{1}, /*in_doubt=*/true));
  EXPECT_TRUE(doubtful.is_in_doubt(kPath));

  OwnWrites twice = with({text("first"), text("first", 2)});  // tried again, and in doubt once more
  EXPECT_TRUE(twice.refuse(kPath, Ticket{2}, /*in_doubt=*/true));
  EXPECT_EQ(twice.of(kPath).size(), 1U);

  EXPECT_FALSE(twice.refuse(kPath, Ticket{9}, /*in_doubt=*/false));
}

TEST(OwnWrites, OnlyAFetchThatIsUnderWayCanBeCancelled) {
  OwnWrites own = with({text("x", 1), blob("x", 2), blob("y")});
  EXPECT_TRUE(own.is_fetch_under_way(kPath));
  EXPECT_FALSE(own.cancel_fetch(kPath, sha256("y")));
  EXPECT_TRUE(own.cancel_fetch(kPath, sha256("x")));
  EXPECT_FALSE(own.is_fetch_under_way(kPath));
  EXPECT_EQ(own.of(kPath).size(), 2U);
}

TEST(OwnWrites, FollowTheirFile) {
  OwnWrites own = with({text("first", 1), text("second")});
  own.put("b.md", text("of another", 7));
  own.move(kPath, "b.md");
  own.move(kPath, "b.md");  // nothing is there any more
  EXPECT_FALSE(own.contains(kPath));
  ASSERT_EQ(own.of("b.md").size(), 2U);
  EXPECT_EQ(own.of("b.md")[0].ticket, Ticket{1});
  EXPECT_EQ(own.of("b.md")[1].text, "second");
}

// --- what is found there ----------------------------------------------------------------------------------------

struct LikelyCase {
  const char* name;
  std::string base;
  std::vector<std::string> writes;
  std::string edited;
  std::string expected;  // empty: an edit of `base`
};

class LikelyWrite : public testing::TestWithParam<LikelyCase> {};

TEST_P(LikelyWrite, IsTheNearestText) {
  std::vector<OwnWrite> writes;
  for (const std::string& content : GetParam().writes) writes.push_back(text(content));
  const OwnWrites own = with(std::move(writes));
  const OwnWrite* const likely = own.likely(kPath, GetParam().base, GetParam().edited);
  EXPECT_EQ(likely == nullptr ? "" : likely->text, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Tables, LikelyWrite,
    testing::Values(LikelyCase{"no_write", "one\n", {}, "one!\n", ""},
                    LikelyCase{"nearer_to_the_write", "one\n", {"one\ntwo\n"}, "one\ntwo!\n", "one\ntwo\n"},
                    LikelyCase{"nearer_to_the_base", "one\n", {"one\ntwo\nthree\n"}, "one!\n", ""},
                    LikelyCase{"as_near_to_both", "one a\n", {"one b\n"}, "one \n", ""},
                    LikelyCase{"the_same_text", "one\n", {"one\n"}, "one!\n", "one\n"},
                    LikelyCase{"the_nearest_of_two", "a\n", {"a\nb\n", "a\nb\nc\n"}, "a\nb\nc!\n", "a\nb\nc\n"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(OwnWrites, AreNotLikelyForTheSakeOfAFrontmatter) {
  const std::string base = "---\na: 1\n---\nbody\n";
  const OwnWrites own = with({text("---\na: 1\nb: 22222222\n---\nother\n")});
  const std::string edited = "---\na: 1\nb: 22222222\n---\nbody!\n";
  EXPECT_NE(own.likely(kPath, base, edited, Likeness::OfTexts), nullptr);
  EXPECT_EQ(own.likely(kPath, base, edited, Likeness::OfBodies), nullptr);
}

TEST(OwnWrites, AreTornIfNobodyKnowsThatTheyWereDoneAndTheirBeginningIsThere) {
  const auto unknown = [](const OwnWrite&) { return std::string("not stored"); };
  OwnWrites own = with({text("whole text")});
  EXPECT_NE(own.torn(kPath, "whole", unknown), nullptr);
  EXPECT_NE(own.torn(kPath, "", unknown), nullptr);
  EXPECT_EQ(own.torn(kPath, "whole text", unknown), nullptr);
  EXPECT_EQ(own.torn(kPath, "while", unknown), nullptr);
  EXPECT_EQ(with({text("whole text", 1)}).torn(kPath, "whole", unknown), nullptr);
  EXPECT_EQ(with({blob("whole text")}).torn(kPath, "whole", unknown), nullptr);
  EXPECT_NE(with({text("")}).torn(kPath, "not", unknown), nullptr);
}

TEST(OwnWrites, LeaveTheHeadsThatTheirFileMayHave) {
  const OwnWrites own = with({text("---\na: 2\n---\nx"), text("---\na: 3\n---\nx", 1, "two")});
  EXPECT_EQ(own.heads(kPath, "one", "---\na: 1\n---\nx"),
            (std::vector<std::string>{"---\na: 1\n---\n", "---\na: 2\n---\n"}));
  EXPECT_TRUE(own.heads("b.md", "one", "---\na: 1\n---\nx").empty());
}

}  // namespace
}  // namespace diaryx::sync
