// A refused update leaves the document as it was: real updates, bent in many ways, against a document that is lived in.
#include <gtest/gtest.h>

#include <random>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

namespace diaryx::crdt {
namespace {

/// Some edits of everything that documents hold.
void edit(Doc& doc, std::mt19937& random) {
  Transaction txn = doc.transact();
  Text text = doc.text("t");
  Map map = doc.map("m");
  Array array = doc.array("a");
  const uint32_t length = text.length().value();
  const Utf16Offset at{static_cast<uint32_t>(random() % (length + 1))};
  const Length some{std::min<uint32_t>(random() % 4, length - at.value())};
  const std::string key(1, static_cast<char>('a' + random() % 4));
  switch (random() % 8) {
    case 0: EXPECT_TRUE(text.erase(txn, at, some).has_value()); break;
    case 1:
      EXPECT_TRUE(text.insert_embed(txn, at, *Any::from_json(R"({"image":"x","size":[1,2.5]})")).has_value());
      break;
    case 2: EXPECT_TRUE(text.format(txn, at, some, {{"bold", Any::boolean(true)}}).has_value()); break;
    case 3: map.set(txn, key, Any::array({Any::string("v"), Any::bytes({1, 2, 3}), Any::bigint(-5)})); break;
    case 4: EXPECT_TRUE(map.set_text(txn, key).insert(txn, Utf16Offset{0}, "nested 🌱").has_value()); break;
    case 5: (void)map.erase(txn, key); break;
    case 6: EXPECT_TRUE(array.push(txn, std::vector<Any>{Any::number(1e300), Any::null()}).has_value()); break;
    default: EXPECT_TRUE(text.insert(txn, at, "some é text 🌱").has_value());
  }
}

/// Everything that shows of a document.
struct State {
  Bytes v1;
  Bytes v2;
  Bytes vector;
  Bytes missing;
  DeleteSet deletes;
  std::string text;
  size_t structs;
  bool pending;
  bool taken;
  bool operator==(const State&) const = default;
};

State state_of(Doc& doc) {
  return {doc.encode_update_v1(), doc.encode_update_v2(), doc.state_vector().encode(),
          doc.missing().encode(), doc.delete_set(),       doc.text("t").to_string(),
          doc.struct_count(),     doc.has_pending(),      doc.client_is_taken()};
}

Bytes bent(Bytes bytes, std::mt19937& random) {
  const auto place = [&] { return bytes.empty() ? 0 : random() % bytes.size(); };
  for (auto left = 1 + random() % 3; left > 0 && !bytes.empty(); --left) {
    switch (random() % 6) {
      case 0: bytes[place()] ^= static_cast<uint8_t>(1u << (random() % 8)); break;
      case 1: bytes[place()] = static_cast<uint8_t>(random()); break;
      case 2: bytes.resize(place()); break;
      case 3: bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(place()), static_cast<uint8_t>(random())); break;
      case 4: bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(place())); break;
      default: {  // a number becomes a large one
        const uint8_t large[] = {0xff, 0xff, 0xff, 0xff, 0x0f};
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(place()), large, large + 1 + random() % 5);
      }
    }
  }
  return bytes;
}

class RefusedUpdates : public testing::TestWithParam<uint32_t> {};

TEST_P(RefusedUpdates, LeaveNoTrace) {
  std::mt19937 random(GetParam());
  Doc other({.client = ClientId{2}});
  Doc mine({.client = ClientId{1}});
  for (int i = 0; i < 20; ++i) {
    edit(mine, random);
    edit(other, random);
    if (i % 5 == 0) ASSERT_TRUE(other.apply_update_v1(mine.encode_update_v1()).has_value());
  }
  // What waits for something is part of the document too.
  Doc late({.client = ClientId{3}});
  for (int i = 0; i < 3; ++i) edit(late, random);
  const auto waiting = diff_update_v1(late.encode_update_v1(), [&] {
    StateVector known;
    known.set(ClientId{3}, Clock{1});
    return known;
  }());
  ASSERT_TRUE(waiting.has_value());
  ASSERT_TRUE(mine.apply_update_v1(*waiting).has_value());
  const Bytes whole = mine.encode_update_v1();
  State before = state_of(mine);

  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    const bool is_v1 = random() % 2 == 0;
    const Bytes update = bent(is_v1 ? other.encode_update_v1() : other.encode_update_v2(), random);
    if ((is_v1 ? mine.apply_update_v1(update) : mine.apply_update_v2(update)).has_value()) {
      mine.check_invariants();
      mine = Doc({.client = ClientId{1}});
      ASSERT_TRUE(mine.apply_update_v1(whole).has_value());
      before = state_of(mine);
      continue;
    }
    ++refused;
    ASSERT_TRUE(state_of(mine) == before) << "round " << round;
  }
  mine.check_invariants();
  EXPECT_GT(refused, 100);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RefusedUpdates, testing::Range(1u, 21u));

}  // namespace
}  // namespace diaryx::crdt
