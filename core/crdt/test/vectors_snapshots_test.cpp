// Vectors 07: snapshots, and documents and texts as they were.
#include <algorithm>

#include "diaryx/crdt/snapshot.h"
#include "dump.h"
#include "tagged.h"
#include "vectors.h"

namespace diaryx::crdt {
namespace {

/// Runs as the vectors write them.
std::string delta_of(const std::vector<TextRun>& runs) {
  Any::Array delta;
  for (const TextRun& run : runs) {
    Any::Object op = {{"insert", run.is_text() ? Any::string(run.text) : driver::to_tagged(run.embed)}};
    if (!run.attributes.empty()) op.push_back({"attributes", driver::sorted_object(run.attributes)});
    delta.push_back(Any::object(std::move(op)));
  }
  return Any::array(std::move(delta)).to_json();
}

std::string dump(Doc& doc) {
  return Any::object({{"text:t", driver::dump_shared(doc.text("t"))}, {"map:m", driver::dump_shared(doc.map("m"))}})
      .to_json();
}

TEST(Vectors, SnapshotsAreThoseOfYjs) {
  for (const Any& vector : read_vectors("07-snapshot-relpos-undo.jsonl")) {
    if (text_of(member(vector, "name")) != "snapshots") continue;
    Doc doc({.client = ClientId{99}, .gc = Gc::Disabled});
    ASSERT_TRUE(doc.apply_update_v1(bytes_of(member(member(vector, "doc"), "v1"))).has_value());
    const size_t structs = doc.struct_count();
    std::vector<Snapshot> snapshots;
    for (const Any& entry : elements(member(vector, "snapshots"))) {
      SCOPED_TRACE(entry.to_json());
      const auto snapshot = Snapshot::decode_v1(bytes_of(member(entry, "snapshotV1")));
      const auto from_v2 = Snapshot::decode_v2(bytes_of(member(entry, "snapshotV2")));
      ASSERT_TRUE(snapshot.has_value() && from_v2.has_value());
      EXPECT_TRUE(*snapshot == *from_v2);
      EXPECT_EQ(to_base64(snapshot->encode_v1()), text_of(member(entry, "snapshotV1")));
      EXPECT_EQ(to_base64(snapshot->encode_v2()), text_of(member(entry, "snapshotV2")));
      EXPECT_EQ(delta_of(text_at(doc.text("t"), *snapshot)), member(entry, "textDelta").to_json());
      auto restored = doc_from_snapshot(doc, *snapshot, {.client = ClientId{77}});
      ASSERT_TRUE(restored.has_value());
      restored->check_invariants();
      EXPECT_EQ(dump(*restored), member(entry, "restored").to_json());
      EXPECT_FALSE(restored->has_pending());
      EXPECT_TRUE(snapshot_of(*restored) == *snapshot);
      snapshots.push_back(*snapshot);
    }
    ASSERT_EQ(snapshots.size(), 5u);
    EXPECT_EQ(to_base64(Snapshot{}.encode_v1()), text_of(member(vector, "emptySnapshotV1")));
    const Text text = doc.text("t");
    EXPECT_EQ(delta_of(text_between(text, snapshots[3], snapshots[4])), member(vector, "diffDelta_s3_s4").to_json());
    EXPECT_EQ(delta_of(text_between(text, snapshots[0], snapshots[3])), member(vector, "diffDelta_s0_s3").to_json());
    EXPECT_TRUE(snapshot_of(doc) == snapshots[4]);
    EXPECT_EQ(doc.struct_count(), structs);
    EXPECT_EQ(to_base64(doc.encode_update_v1()), text_of(member(member(vector, "doc"), "v1")));
    return;
  }
  FAIL() << "the vectors hold no snapshots";
}

}  // namespace
}  // namespace diaryx::crdt
