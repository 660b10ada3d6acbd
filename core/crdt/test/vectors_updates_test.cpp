// Vectors 06 (updates out of order) and 08 (updates without a document).
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/snapshot.h"
#include "diaryx/crdt/update.h"
#include "vectors.h"

namespace diaryx::crdt {
namespace {

std::vector<Bytes> all_bytes(const Any& list) {
  std::vector<Bytes> result;
  for (const Any& one : elements(list)) result.push_back(bytes_of(one));
  return result;
}

std::string merged(const std::vector<Bytes>& updates) {
  std::vector<ByteView> views(updates.begin(), updates.end());
  const auto result = merge_updates_v1(views);
  EXPECT_TRUE(result.has_value());
  return to_base64(*result);
}

TEST(Vectors, UpdatesOutOfOrderWaitAsInYjs) {
  for (const Any& vector : read_vectors("06-pending.jsonl")) {
    SCOPED_TRACE(text_of(member(vector, "name")));
    const std::vector<Bytes> updates = all_bytes(member(vector, "updates"));
    Doc doc({.client = ClientId{99}});
    for (const Any& step : elements(member(vector, "steps"))) {
      const auto which = static_cast<size_t>(number_of(member(step, "apply")));
      SCOPED_TRACE(which);
      ASSERT_TRUE(doc.apply_update_v1(updates[which]).has_value());
      doc.check_invariants();
      EXPECT_EQ(to_base64(doc.encode_update_v1()), text_of(member(step, "encodedV1")));
      StateVector expected;
      for (const Any& entry : elements(member(step, "stateVector"))) {
        expected.set(ClientId{static_cast<uint64_t>(number_of(elements(entry)[0]))},
                     Clock{static_cast<uint32_t>(number_of(elements(entry)[1]))});
      }
      EXPECT_TRUE(doc.state_vector() == expected);
      StateVector missing;
      for (const Any& entry : elements(member(member(member(step, "pending"), "structs"), "missing"))) {
        missing.set(ClientId{static_cast<uint64_t>(number_of(elements(entry)[0]))},
                    Clock{static_cast<uint32_t>(number_of(elements(entry)[1])) + 1});
      }
      EXPECT_TRUE(doc.missing() == missing);
    }
  }
}

StateVector vector_from(const Any& clocks) {
  StateVector result;
  for (const Any& entry : elements(clocks)) {
    result.set(ClientId{static_cast<uint64_t>(number_of(elements(entry)[0]))},
               Clock{static_cast<uint32_t>(number_of(elements(entry)[1]))});
  }
  return result;
}

void check_v2_and_meta(const Any& vector) {
  const std::vector<Bytes> updates = all_bytes(member(vector, "updatesV2"));
  std::vector<ByteView> partial;
  for (const Any& at : elements(member(vector, "partial")))
    partial.push_back(updates[static_cast<size_t>(number_of(at))]);
  const auto merged_partial = merge_updates_v2(partial);
  ASSERT_TRUE(merged_partial.has_value());
  EXPECT_EQ(to_base64(*merged_partial), text_of(member(vector, "mergedPartialV2")));
  const auto of_merged = state_vector_of_update_v2(bytes_of(member(vector, "mergedV2")));
  ASSERT_TRUE(of_merged.has_value());
  EXPECT_TRUE(*of_merged == *StateVector::decode(bytes_of(member(vector, "stateVectorFromMergedV2"))));
  for (const auto& meta : {parse_update_meta_v1(bytes_of(member(vector, "mergedPartialV1"))),
                           parse_update_meta_v2(bytes_of(member(vector, "mergedPartialV2")))}) {
    ASSERT_TRUE(meta.has_value());
    StateVector from;
    StateVector to;
    for (const UpdateMeta::ClientClocks& clocks : meta->clients) {
      from.set(clocks.client, clocks.from);
      to.set(clocks.client, clocks.to);
    }
    EXPECT_EQ(meta->clients.size(), elements(member(member(vector, "metaPartial"), "from")).size());
    EXPECT_TRUE(from == vector_from(member(member(vector, "metaPartial"), "from")));
    EXPECT_TRUE(to == vector_from(member(member(vector, "metaPartial"), "to")));
  }
}

void check_obfuscation(const Any& vector) {
  const bool whole = vector.find("inputV1") != nullptr;
  const Bytes input = bytes_of(whole ? member(vector, "inputV1") : member(member(vector, "state"), "v1"));
  EXPECT_EQ(to_base64(obfuscate_update_v1(input).value_or(Bytes{})), text_of(member(vector, "obfuscatedV1")));
  if (whole) {
    const auto input_v2 = convert_v1_to_v2(input);
    ASSERT_TRUE(input_v2.has_value());
    EXPECT_EQ(to_base64(obfuscate_update_v2(*input_v2).value_or(Bytes{})), text_of(member(vector, "obfuscatedV2")));
  } else {
    EXPECT_EQ(
        to_base64(
            obfuscate_update_v1(input, {.formatting = false, .subdocuments = false, .xml = false}).value_or(Bytes{})),
        text_of(member(vector, "obfuscatedNoFmtV1")));
  }
}

void check_empty(const Any& vector) {
  const Doc doc({.client = ClientId{99}});
  const Bytes v1 = doc.encode_update_v1();
  const Bytes v2 = doc.encode_update_v2();
  EXPECT_EQ(to_base64(v1), text_of(member(vector, "v1")));
  EXPECT_EQ(to_base64(v2), text_of(member(vector, "v2")));
  EXPECT_EQ(to_base64(doc.state_vector().encode()), text_of(member(vector, "sv")));
  EXPECT_EQ(to_base64(snapshot_of(doc).encode_v1()), text_of(member(vector, "snapshotV1")));
  const ByteView twice[] = {v1, v1};
  EXPECT_EQ(to_base64(merge_updates_v1(twice).value_or(Bytes{})), text_of(member(vector, "mergedEmptyV1")));
  const ByteView twice_v2[] = {v2, v2};
  EXPECT_EQ(to_base64(merge_updates_v2(twice_v2).value_or(Bytes{})), text_of(member(vector, "mergedEmptyV2")));
}

TEST(Vectors, UpdatesMergeAndDiffAsInYjs) {
  for (const Any& vector : read_vectors("08-updates-api.jsonl")) {
    SCOPED_TRACE(text_of(member(vector, "name")));
    if (vector.find("mergedV1") != nullptr) {
      const std::vector<Bytes> updates = all_bytes(member(vector, "updates"));
      EXPECT_EQ(merged(updates), text_of(member(vector, "mergedV1")));
      std::vector<Bytes> shuffled;
      for (const Any& at : elements(member(vector, "mergedShuffledOrder"))) {
        shuffled.push_back(updates[static_cast<size_t>(number_of(at))]);
      }
      EXPECT_EQ(merged(shuffled), text_of(member(vector, "mergedShuffledV1")));
      std::vector<Bytes> partial;
      for (const Any& at : elements(member(vector, "partial"))) {
        partial.push_back(updates[static_cast<size_t>(number_of(at))]);
      }
      EXPECT_EQ(merged(partial), text_of(member(vector, "mergedPartialV1")));
      const std::vector<Bytes> updates_v2 = all_bytes(member(vector, "updatesV2"));
      const auto merged_v2 = merge_updates_v2(std::vector<ByteView>(updates_v2.begin(), updates_v2.end()));
      ASSERT_TRUE(merged_v2.has_value());
      EXPECT_EQ(to_base64(*merged_v2), text_of(member(vector, "mergedV2")));
      EXPECT_EQ(to_base64(*convert_v1_to_v2(bytes_of(member(member(vector, "state"), "v1")))),
                text_of(member(vector, "convertV1toV2")));
      EXPECT_EQ(to_base64(*convert_v2_to_v1(bytes_of(member(vector, "convertV1toV2")))),
                text_of(member(member(vector, "state"), "v1")));
      const Bytes merged_bytes = bytes_of(member(vector, "mergedV1"));
      const auto vector_of_merged = state_vector_of_update_v1(merged_bytes);
      ASSERT_TRUE(vector_of_merged.has_value());
      EXPECT_TRUE(*vector_of_merged == *StateVector::decode(bytes_of(member(vector, "stateVectorFromMerged"))));
      const auto vector_of_partial = state_vector_of_update_v1(bytes_of(member(vector, "mergedPartialV1")));
      ASSERT_TRUE(vector_of_partial.has_value());
      EXPECT_TRUE(*vector_of_partial == *StateVector::decode(bytes_of(member(vector, "stateVectorFromPartial"))));
    }
    if (vector.find("partial") != nullptr) check_v2_and_meta(vector);
    if (vector.find("obfuscatedV1") != nullptr) check_obfuscation(vector);
    if (text_of(member(vector, "name")) == "empty-doc") check_empty(vector);
    for (const Any& diff : elements(member(vector, "diffs"))) {
      const auto known = StateVector::decode(bytes_of(member(diff, "sv")));
      ASSERT_TRUE(known.has_value());
      const Bytes update = bytes_of(member(vector, "mergedV1"));
      const auto result = diff_update_v1(update, *known);
      ASSERT_TRUE(result.has_value());
      EXPECT_EQ(to_base64(*result), text_of(member(diff, "diffOfMergedV1")));
      const auto result_v2 = diff_update_v2(bytes_of(member(vector, "mergedV2")), *known);
      ASSERT_TRUE(result_v2.has_value());
      EXPECT_EQ(to_base64(*result_v2), text_of(member(diff, "diffOfMergedV2")));
      Doc doc({.client = ClientId{99}});
      ASSERT_TRUE(doc.apply_update_v1(update).has_value());
      doc.check_invariants();
      EXPECT_EQ(to_base64(doc.encode_update_v2(*known)), text_of(member(diff, "encodeStateAsUpdateV2")));
      EXPECT_EQ(to_base64(doc.encode_update_v1(*known)), text_of(member(diff, "encodeStateAsUpdateV1")));
    }
    if (vector.find("updateV1") != nullptr) {
      const auto known = StateVector::decode(bytes_of(member(vector, "sv")));
      const auto result = diff_update_v1(bytes_of(member(vector, "updateV1")), *known);
      ASSERT_TRUE(result.has_value());
      EXPECT_EQ(to_base64(*result), text_of(member(vector, "diffV1")));
      const auto update_v2 = convert_v1_to_v2(bytes_of(member(vector, "updateV1")));
      ASSERT_TRUE(update_v2.has_value());
      EXPECT_EQ(to_base64(diff_update_v2(*update_v2, *known).value_or(Bytes{})), text_of(member(vector, "diffV2")));
    }
  }
}

}  // namespace
}  // namespace diaryx::crdt
