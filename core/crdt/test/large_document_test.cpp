// A document of more structs than the tables of a small one hold: it has its own ways to find them.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt {
namespace {

constexpr int kFiles = 9'000;
constexpr int kFields = 9;  // with the file itself ten structs: 90,000 in all

std::string file_name(uint32_t n) { return "folder " + std::to_string(n % 97) + "/note " + std::to_string(n) + ".md"; }

void add_file(Doc& doc, Transaction& txn, const std::string& name) {
  Map file = doc.map("files").set_map(txn, name);
  for (int field = 0; field < kFields; ++field) {
    file.set(txn, "field " + std::to_string(field), field % 2 == 0 ? Any::string(name) : Any::number(field));
  }
}

/// One change of a random file, or of the list of files.
Bytes change(Doc& doc, std::mt19937& random) {
  Map files = doc.map("files");
  const std::string name = file_name(random() % (kFiles + 50));
  Transaction txn = doc.transact();
  std::optional<Map> file = files.get_map(name);
  if (!file) {
    add_file(doc, txn, name);
  } else if (random() % 8 == 0) {
    files.erase(txn, name);
  } else {
    file->set(txn, "field " + std::to_string(random() % (kFields + 2)), Any::number(random() % 1000));
  }
  return std::move(txn).commit().update_v1();
}

TEST(LargeDocument, IsLoadedAndEditedAsASmallOneIs) {
  Doc built({.client = ClientId{1}});
  for (int begin = 0; begin < kFiles; begin += 500) {
    Transaction txn = built.transact();
    for (int n = begin; n < begin + 500; ++n) add_file(built, txn, file_name(static_cast<uint32_t>(n)));
  }
  const Bytes state = built.encode_update_v1();

  Doc applied({.client = ClientId{2}}), taken({.client = ClientId{3}});
  ASSERT_TRUE(applied.apply_update_v1(state).has_value());
  ASSERT_TRUE(taken.take_update_v1(Bytes(state)).has_value());
  const std::array<Doc*, 3> docs = {&built, &applied, &taken};
  std::mt19937 random(7);
  for (int step = 0; step < 600; ++step) {
    Doc& writer = *docs[random() % 3];
    const Bytes update = change(writer, random);
    for (Doc* doc : docs) {
      if (doc != &writer) ASSERT_TRUE(doc->apply_update_v1(update).has_value());
    }
  }
  for (Doc* doc : docs) {
    doc->check_invariants();
    EXPECT_EQ(doc->encode_update_v1(), built.encode_update_v1());
    EXPECT_EQ(doc->state_vector(), built.state_vector());
  }
  Doc again({.client = ClientId{4}});
  ASSERT_TRUE(again.apply_update_v2(taken.encode_update_v2()).has_value());
  EXPECT_EQ(again.encode_update_v1(), built.encode_update_v1());
}

}  // namespace
}  // namespace diaryx::crdt
