// Vectors 06 (updates out of order) and 08 (updates without a document).
#include "diaryx/crdt/doc.h"
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
    }
  }
}

TEST(Vectors, MalformedUpdatesDoNoHarm) {
  for (const Any& vector : read_vectors("10-malformed.jsonl")) {
    const std::string kind = text_of(member(vector, "kind"));
    const std::string must = text_of(member(vector, "must"));
    SCOPED_TRACE(text_of(member(vector, "class")));
    const Bytes input = from_hex(text_of(member(vector, "hex"))).value_or(Bytes{});
    bool accepted = false;
    if (kind == "v1" || kind == "v2") {
      Doc doc({.client = ClientId{99}});
      accepted = (kind == "v1" ? doc.apply_update_v1(input) : doc.apply_update_v2(input)).has_value();
      doc.check_invariants();
      if (!accepted || must == "pending") EXPECT_TRUE(doc.is_empty());
      if (!accepted) EXPECT_FALSE(doc.has_pending());
      const Bytes again = doc.encode_update_v1();
      Doc copy({.client = ClientId{98}});
      ASSERT_TRUE(copy.apply_update_v1(again).has_value());
      copy.check_invariants();
    } else if (kind == "any") {
      Reader in(input);
      accepted = Any::decode(in).has_value();
    } else if (kind == "sv") {
      accepted = StateVector::decode(input).has_value();
    } else {
      continue;
    }
    if (must == "reject") EXPECT_FALSE(accepted);
  }
}

}  // namespace
}  // namespace diaryx::crdt
