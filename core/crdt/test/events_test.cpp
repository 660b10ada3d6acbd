#include "diaryx/crdt/event.h"

#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt {
namespace {

/// A delta in one line: `=3 +"abc" -2`, attributes as JSON behind.
std::string line_of(const Delta& delta) {
  std::string line;
  for (const DeltaOp& op : delta) {
    if (!line.empty()) line += ' ';
    if (op.kind == DeltaOp::Kind::Retain) line += "=" + std::to_string(op.length.value());
    if (op.kind == DeltaOp::Kind::Delete) line += "-" + std::to_string(op.length.value());
    if (op.kind == DeltaOp::Kind::Insert) line += "+\"" + op.text + "\"";
    for (const Value& value : op.values) {
      line += std::holds_alternative<Any>(value) ? std::get<Any>(value).to_json() : "(type)";
    }
    if (!op.attributes.empty()) line += Any::object(op.attributes).to_json();
  }
  return line;
}

std::string line_of(const std::vector<PathStep>& path) {
  std::string line;
  for (const PathStep& step : path) {
    const uint32_t* index = std::get_if<uint32_t>(&step);
    line += "/" + (index != nullptr ? std::to_string(*index) : std::get<std::string>(step));
  }
  return line;
}

std::string line_of(const std::vector<KeyChange>& keys) {
  std::string line;
  for (const KeyChange& change : keys) {
    constexpr const char* kSigns[] = {"+", "~", "-"};
    line += kSigns[static_cast<size_t>(change.action)] + change.key;
    if (change.old_value && std::holds_alternative<Any>(*change.old_value)) {
      line += "(" + std::get<Any>(*change.old_value).to_json() + ")";
    }
    line += ' ';
  }
  return line;
}

/// Does `edit(txn)` in one transaction.
template <typename Edit>
Commit in_one_go(Doc& doc, Edit&& edit) {
  Transaction txn = doc.transact();
  edit(txn);
  return std::move(txn).commit();
}

Commit type(Doc& doc, uint32_t at, std::string_view text) {
  return in_one_go(
      doc, [&](Transaction& txn) { EXPECT_TRUE(doc.text("t").insert(txn, Utf16Offset{at}, text).has_value()); });
}

TEST(Events, TellNobodyWithoutObservers) {
  Doc doc({.client = ClientId{1}});
  EXPECT_TRUE(type(doc, 0, "a").notices().empty());
  const Observer observer = doc.observe(doc.text("other"));
  const Commit commit = type(doc, 1, "b");
  EXPECT_TRUE(commit.notices().empty());
  EXPECT_TRUE(commit.events(observer).empty());
}

TEST(Events, DescribeTypingThatExtendsAnItemInPlace) {
  Doc doc({.client = ClientId{1}});
  type(doc, 0, "häll");  // two bytes for one unit
  const Observer observer = doc.observe(doc.text("t"));
  const Commit commit = in_one_go(doc, [&](Transaction& txn) {
    ASSERT_TRUE(doc.text("t").insert(txn, Utf16Offset{4}, "o").has_value());
    ASSERT_TRUE(doc.text("t").insert(txn, Utf16Offset{5}, "!").has_value());
  });
  ASSERT_EQ(commit.events(observer).size(), 1u);
  EXPECT_EQ(line_of(commit.events(observer)[0].delta), "=4 +\"o!\"");
  const Commit emoji = type(doc, 6, "\xf0\x9f\x98\x80\xc3\xa9z");
  EXPECT_EQ(line_of(emoji.events(observer)[0].delta), "=6 +\"\xf0\x9f\x98\x80\xc3\xa9z\"");
}

TEST(Events, ForgetWhatCameAndWentInOneTransaction) {
  Doc doc({.client = ClientId{1}});
  type(doc, 0, "abc");
  const Observer observer = doc.observe(doc.text("t"));
  const Commit commit = in_one_go(doc, [&](Transaction& txn) {
    ASSERT_TRUE(doc.text("t").insert(txn, Utf16Offset{3}, "def").has_value());
    ASSERT_TRUE(doc.text("t").erase(txn, Utf16Offset{2}, Length{3}).has_value());
  });
  ASSERT_EQ(commit.events(observer).size(), 1u);
  EXPECT_EQ(line_of(commit.events(observer)[0].delta), "=2 -1 +\"f\"");
}

TEST(Events, AreToldOnlyToTheTypeItselfUnlessDeep) {
  Doc doc({.client = ClientId{1}});
  Map root = doc.map("m");
  std::optional<Array> list;
  (void)in_one_go(doc, [&](Transaction& txn) { list = root.set_array(txn, "list"); });
  const Observer own = doc.observe(root);
  const Observer deep = doc.observe_deep(root);
  const Commit commit =
      in_one_go(doc, [&](Transaction& txn) { ASSERT_TRUE(list->push(txn, Any::number(7)).has_value()); });
  EXPECT_TRUE(commit.events(own).empty());
  ASSERT_EQ(commit.events(deep).size(), 1u);
  EXPECT_EQ(commit.events(deep)[0].target, Shared(*list));
  EXPECT_EQ(line_of(commit.events(deep)[0].path), "/list");
  EXPECT_EQ(line_of(commit.events(deep)[0].delta), "+\"\"7");
}

TEST(Events, ComeInTheOrderOfYjs) {
  Doc doc({.client = ClientId{1}});
  Map root = doc.map("m");
  Text text = doc.text("t");
  std::optional<Map> inner;
  (void)in_one_go(doc, [&](Transaction& txn) { inner = root.set_map(txn, "inner"); });
  const Observer deep_root =
      doc.observe_deep(root);  // registered first, told last: deep observers come after the others
  const Observer deep_inner = doc.observe_deep(*inner);
  const Observer own_text = doc.observe(text);
  const Observer own_root = doc.observe(root);
  const Observer own_inner = doc.observe(*inner);
  const Commit commit = in_one_go(doc, [&](Transaction& txn) {
    ASSERT_TRUE(inner->set(txn, "a", Any::number(1)).has_value());
    ASSERT_TRUE(text.insert(txn, Utf16Offset{0}, "x").has_value());
    ASSERT_TRUE(root.set(txn, "b", Any::number(2)).has_value());
  });
  std::vector<Observer> order;
  for (const Notice& notice : commit.notices()) order.push_back(notice.observer);
  EXPECT_EQ(order, (std::vector<Observer>{own_inner, own_text, own_root, deep_inner, deep_root}));
  const std::span<const Event> events = commit.events(deep_root);
  ASSERT_EQ(events.size(), 2u);  // the shorter path first, though it changed last
  EXPECT_EQ(line_of(events[0].path) + " " + line_of(events[0].keys), " +b ");
  EXPECT_EQ(line_of(events[1].path) + " " + line_of(events[1].keys), "/inner +a ");
}

TEST(Events, SayWhatKeysHeldBefore) {
  Doc doc({.client = ClientId{1}});
  Map map = doc.map("m");
  (void)in_one_go(doc, [&](Transaction& txn) {
    ASSERT_TRUE(map.set(txn, "gone", Any::string("g")).has_value());
    ASSERT_TRUE(map.set(txn, "kept", Any::string("k")).has_value());
    ASSERT_TRUE(map.set(txn, "type", NewType::array({Any::number(1)})).has_value());
  });
  const Observer observer = doc.observe(map);
  const Commit commit = in_one_go(doc, [&](Transaction& txn) {
    EXPECT_TRUE(map.erase(txn, "gone"));
    ASSERT_TRUE(map.set(txn, "new", Any::number(1)).has_value());
    ASSERT_TRUE(map.set(txn, "new", Any::number(2)).has_value());
    ASSERT_TRUE(map.set(txn, "kept", Any::number(3)).has_value());
    ASSERT_TRUE(map.set(txn, "short", Any::number(4)).has_value());
    EXPECT_TRUE(map.erase(txn, "short"));
    EXPECT_TRUE(map.erase(txn, "type"));
  });
  ASSERT_EQ(commit.events(observer).size(), 1u);
  const Event& event = commit.events(observer)[0];
  EXPECT_EQ(line_of(event.keys), "-gone(\"g\") +new ~kept(\"k\") -type ");
  const Shared& old_type = std::get<Shared>(*event.keys.back().old_value);
  EXPECT_FALSE(old_type.is_live());
  EXPECT_EQ(old_type.as_array()->size(), 0u);
}

TEST(Events, TellOfMarks) {
  Doc doc({.client = ClientId{1}});
  type(doc, 0, "hello world");
  const Observer observer = doc.observe(doc.text("t"));
  const auto mark = [&](uint32_t at, uint32_t length, Any value) {
    const Commit commit = in_one_go(doc, [&](Transaction& txn) {
      ASSERT_TRUE(doc.text("t").format(txn, Utf16Offset{at}, Length{length}, {{"b", std::move(value)}}).has_value());
    });
    return commit.events(observer).empty() ? std::string() : line_of(commit.events(observer)[0].delta);
  };
  EXPECT_EQ(mark(0, 5, Any::boolean(true)), "=5{\"b\":true}");
  EXPECT_EQ(mark(3, 4, Any::boolean(true)), "=5 =2{\"b\":true}");
  EXPECT_EQ(mark(1, 3, Any::null()), "=1 =3{\"b\":null}");
  EXPECT_EQ(line_of(type(doc, 11, "!").events(observer)[0].delta), "=11 +\"!\"");
}

TEST(Events, ComeFromUpdatesAndUndoAsWell) {
  Doc doc({.client = ClientId{1}});
  Doc peer({.client = ClientId{2}});
  type(peer, 0, "theirs");
  const Observer observer = doc.observe(doc.text("t"));
  UndoManager undo = doc.track_undo({.roots = {"t"}});
  const auto remote = doc.apply_update_v1(peer.encode_update_v1());
  ASSERT_TRUE(remote.has_value());
  EXPECT_EQ(line_of(remote->events(observer)[0].delta), "+\"theirs\"");
  EXPECT_EQ(remote->origin(), TransactionOrigin::Remote);
  type(doc, 0, "my ");
  EXPECT_EQ(line_of(undo.undo().events(observer)[0].delta), "-3");
  EXPECT_EQ(line_of(undo.redo().events(observer)[0].delta), "+\"my \"");
}

TEST(Events, TellOfTheCleanUpApart) {
  const Attributes bold = {{"b", Any::boolean(true)}};
  Doc a({.client = ClientId{1}, .marks = MarksAfterRemote::CleanUp});
  type(a, 0, "ab");
  Doc b({.client = ClientId{2}});
  ASSERT_TRUE(b.apply_update_v1(a.encode_update_v1()).has_value());
  const auto mark = [&](Doc& doc) {
    (void)in_one_go(doc, [&](Transaction& txn) {
      ASSERT_TRUE(doc.text("t").format(txn, Utf16Offset{0}, Length{2}, bold).has_value());
    });
  };
  mark(a);
  mark(b);
  const Observer observer = a.observe(a.text("t"));
  const auto commit = a.apply_update_v1(b.encode_update_v1());
  ASSERT_TRUE(commit.has_value());
  ASSERT_FALSE(commit->clean_up_v1().empty());
  ASSERT_EQ(commit->events(observer).size(), 1u);
  ASSERT_EQ(commit->clean_up_notices().size(), 1u);
  // Of two equal marks one went: Yjs says again what the other one sets.
  EXPECT_EQ(line_of(commit->clean_up_notices()[0].events[0].delta), "=2{\"b\":true}");
}

TEST(Events, EndWhenTheObserverStops) {
  Doc doc({.client = ClientId{1}});
  Observer first = doc.observe(doc.text("t"));
  const Observer second = doc.observe(doc.text("t"));
  EXPECT_EQ(type(doc, 0, "a").notices().size(), 2u);
  first.stop();
  first.stop();
  const Commit commit = type(doc, 1, "b");
  ASSERT_EQ(commit.notices().size(), 1u);
  EXPECT_EQ(commit.notices()[0].observer, second);
}

TEST(Events, CountIndicesAfterTheTransaction) {
  Doc doc({.client = ClientId{1}});
  Array root = doc.array("a");
  std::optional<Map> inner;
  (void)in_one_go(doc, [&](Transaction& txn) {
    const Any numbers[] = {Any::number(1), Any::number(2)};
    ASSERT_TRUE(root.insert(txn, 0, numbers).has_value());
    inner = *root.insert_map(txn, 2);
  });
  const Observer observer = doc.observe_deep(root);
  const Commit commit = in_one_go(doc, [&](Transaction& txn) {
    ASSERT_TRUE(inner->set(txn, "k", Any::number(1)).has_value());
    ASSERT_TRUE(root.erase(txn, 0).has_value());
  });
  const std::span<const Event> events = commit.events(observer);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(line_of(events[0].delta), "-1");
  EXPECT_EQ(line_of(events[1].path), "/1");
}

/// Deltas are checked against the contents before and after, whatever shortcuts the search for the first change takes.
class DeltaOf : public testing::TestWithParam<uint32_t> {
 protected:
  uint32_t below(uint32_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33) % bound;
  }
  uint64_t state_ = GetParam();
};

TEST_P(DeltaOf, RandomEditsLeadsFromTheOldTextToTheNew) {
  Doc doc({.client = ClientId{1}});
  Doc peer({.client = ClientId{2}});
  Text text = doc.text("t");
  const Observer observer = doc.observe(text);
  std::string known;  // ASCII
  const auto follow = [&](const Commit& commit) {
    for (const Event& event : commit.events(observer)) {
      size_t at = 0;
      for (const DeltaOp& op : event.delta) {
        const size_t length = op.length.value();
        if (op.kind == DeltaOp::Kind::Retain) at += length;
        if (op.kind == DeltaOp::Kind::Delete) known.erase(at, length);
        if (op.kind == DeltaOp::Kind::Insert) known.insert(at, op.text), at += length;
      }
    }
    ASSERT_EQ(known, text.to_string());
  };
  for (uint32_t round = 0; round < 150; ++round) {
    Doc& editing = below(3) == 0 ? peer : doc;
    Text edited = editing.text("t");
    const Commit commit = in_one_go(editing, [&](Transaction& txn) {
      for (uint32_t edits = 1 + below(below(10) == 0 ? 60 : 3); edits > 0; --edits) {
        const uint32_t length = edited.length().value();
        if (length > 0 && below(3) == 0) {
          const uint32_t at = below(length);
          ASSERT_TRUE(edited.erase(txn, Utf16Offset{at}, Length{1 + below(length - at)}).has_value());
        } else {
          const std::string piece(1 + below(4), static_cast<char>('a' + below(26)));
          ASSERT_TRUE(edited.insert(txn, Utf16Offset{below(length + 1)}, piece).has_value());
        }
      }
    });
    if (&editing == &doc) {
      ASSERT_NO_FATAL_FAILURE(follow(commit));
    } else if (below(2) == 0) {
      const auto received = doc.apply_update_v1(peer.encode_update_v1(doc.state_vector()));
      ASSERT_TRUE(received.has_value());
      ASSERT_NO_FATAL_FAILURE(follow(*received));
      ASSERT_TRUE(peer.apply_update_v1(doc.encode_update_v1(peer.state_vector())).has_value());
    }
  }
}

TEST_P(DeltaOf, RandomEditsLeadsFromTheOldListToTheNew) {
  Doc doc({.client = ClientId{1}});
  Array list = doc.array("a");
  const Observer observer = doc.observe(list);
  std::vector<Any> known;
  for (uint32_t round = 0; round < 150; ++round) {
    const Commit commit = in_one_go(doc, [&](Transaction& txn) {
      for (uint32_t edits = 1 + below(3); edits > 0; --edits) {
        const auto size = static_cast<uint32_t>(list.size());
        if (size > 0 && below(3) == 0) {
          const uint32_t at = below(size);
          ASSERT_TRUE(list.erase(txn, at, 1 + below(std::min(size - at, 5u))).has_value());
        } else {
          const std::vector<Any> values(1 + below(4), Any::number(below(1000)));
          ASSERT_TRUE(list.insert(txn, below(size + 1), values).has_value());
        }
      }
    });
    for (const Event& event : commit.events(observer)) {
      auto at = known.begin();
      for (const DeltaOp& op : event.delta) {
        if (op.kind == DeltaOp::Kind::Retain) at += op.length.value();
        if (op.kind == DeltaOp::Kind::Delete) at = known.erase(at, at + op.length.value());
        for (const Value& value : op.values) at = known.insert(at, std::get<Any>(value)) + 1;
      }
    }
    ASSERT_EQ(known, list.to_vector());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DeltaOf, testing::Range(1u, 21u));

}  // namespace
}  // namespace diaryx::crdt
