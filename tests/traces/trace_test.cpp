// Recorded sessions, one transaction for each deletion and each insertion: the document, its bytes in both encodings and the bytes
// that were sent on the way are those of Yjs.
//
// Sums: Yjs 13.6.33, by yjs_sums.mjs; client 1, root "t".
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "diaryx/base/json.h"
#include "diaryx/base/sha256.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

namespace diaryx::crdt {
namespace {

struct TraceCase {
  const char* name;
  size_t v1_bytes;
  const char* v1_sha256;
  size_t v2_bytes;
  const char* v2_sha256;
  size_t emitted_bytes;  // sum over all update events, v1
};

std::string case_name(const testing::TestParamInfo<TraceCase>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Json read_trace(const std::string& name) {
  std::ifstream file(std::string(DX_TRACES) + "/" + name + ".json");
  std::stringstream text;
  text << file.rdbuf();
  const auto trace = Json::parse(text.str());
  EXPECT_TRUE(trace.has_value());
  return trace.value_or(Json());
}

uint32_t number(const Json& value) { return static_cast<uint32_t>(value.as_integer().value_or(0)); }

class Trace : public testing::TestWithParam<TraceCase> {};

TEST_P(Trace, EndsInTheBytesOfYjs) {
  const Json trace = read_trace(GetParam().name);
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  std::vector<Bytes> updates;
  const auto edit = [&](auto&& change) {
    Transaction txn = doc.transact();
    ASSERT_TRUE(change(txn).has_value());
    updates.push_back(std::move(txn).commit().update_v1());
  };
  ASSERT_EQ(trace.string_member("startContent"), "");
  for (const Json& transaction : *trace.find("txns")->as_array()) {
    for (const Json& patch : *transaction.find("patches")->as_array()) {
      const Json::Array& parts = *patch.as_array();
      const Utf16Offset at{number(parts[0])};
      const Length deleted{number(parts[1])};
      const std::string& inserted = *parts[2].as_string();
      if (deleted > Length{0}) edit([&](Transaction& txn) { return text.erase(txn, at, deleted); });
      if (!inserted.empty()) edit([&](Transaction& txn) { return text.insert(txn, at, inserted); });
      if (HasFatalFailure()) return;
    }
  }
  doc.check_invariants();
  EXPECT_EQ(text.to_string(), trace.string_member("endContent"));
  size_t emitted_bytes = 0;
  for (const Bytes& update : updates) emitted_bytes += update.size();
  EXPECT_EQ(emitted_bytes, GetParam().emitted_bytes);
  const Bytes v1 = doc.encode_update_v1();
  EXPECT_EQ(v1.size(), GetParam().v1_bytes);
  EXPECT_EQ(sha256(v1).hex(), GetParam().v1_sha256);
  const Bytes v2 = doc.encode_update_v2();
  EXPECT_EQ(v2.size(), GetParam().v2_bytes);
  EXPECT_EQ(sha256(v2).hex(), GetParam().v2_sha256);

  Doc follower({.client = ClientId{2}, .emit = Emit::Nothing});
  for (const Bytes& update : updates) ASSERT_TRUE(follower.apply_update_v1(update).has_value());
  EXPECT_EQ(follower.encode_update_v1(), v1);
  Doc loaded({.client = ClientId{2}});
  ASSERT_TRUE(loaded.apply_update_v2(v2).has_value());
  loaded.check_invariants();
  EXPECT_EQ(loaded.encode_update_v1(), v1);
  const auto merged = merge_updates_v1(std::vector<ByteView>(updates.begin(), updates.end()));
  ASSERT_TRUE(merged.has_value());
  Doc from_merged({.client = ClientId{2}});
  ASSERT_TRUE(from_merged.apply_update_v1(*merged).has_value());
  EXPECT_EQ(from_merged.encode_update_v1(), v1);
}

INSTANTIATE_TEST_SUITE_P(
    Recorded, Trace,
    testing::Values(
        TraceCase{"automerge-paper", 223411, "7cd9249a19248f145e149e6be226c721c0ee471f818c0e327cf564c2336e7d59", 159918,
                  "5644a8bfc9beb4383797136bfd737137b2252dc7528385c2c426dd2dfe8afdf1", 3828795},
        TraceCase{"rustcode", 168504, "2f6ff8bf0fbf41e68091b99bfcbf082e1402e8ce2a761bae03441922aa06e332", 109113,
                  "e77e2b4cf6c7edfec2f5d53f7d956c1bfd16bfc362f79c4d6c2aa02b27057e84", 1192000},
        TraceCase{"sveltecomponent", 62100, "964d56b8bf511410adf7cc836af3b11a8b29b30a4b04bb4a189cb10e73244182", 36837,
                  "fef4610d035bc43c389a15c5434b9bf361dff9f9b878228e5f9259168d9cd91d", 413682},
        TraceCase{"seph-blog1", 217670, "f720577d2ae92b69be77e30b9d93ffe59c1bc34b6967542d0b8c315929f836b0", 135213,
                  "defcb3ef74a91892817ec8066464482e64ab46b2ab324d25c3ac25eb1db0ef19", 2472489},
        TraceCase{"friendsforever_flat", 53217, "05fa9bb873b5b5a473391bbde550cfb17c11426bd9e085e5b8a2fe8865d9736e",
                  40877, "a205bbe48d890fe1a5b9202a8ddcd2b87f5f9beba62fa72a554862ee990894d0", 379392},
        TraceCase{"clownschool_flat", 59131, "c4ecf94a55f03d4b41ad49b90c2e5b2095d7d7f98f2d7d06d5486731fa1888f3", 42986,
                  "89a081e03a5973983a9c3d224b19d9de6d646cfc6d40bf5a89e2bb141f7df7f4", 346739}),
    case_name);

}  // namespace
}  // namespace diaryx::crdt
