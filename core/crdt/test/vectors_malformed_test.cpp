// Vectors 10: inputs that nobody should send. Each kind goes to its decoder; `must` says what has to come of it.
#include <functional>
#include <map>

#include "diaryx/crdt/relative_position.h"
#include "diaryx/crdt/snapshot.h"
#include "diaryx/crdt/update.h"
#include "diaryx/crdt/websocket_frame.h"
#include "vectors.h"

namespace diaryx::crdt {
namespace {

/// A document that strangers write to: something of everything, deleted text too.
Doc inhabited_doc() {
  Doc doc({.client = ClientId{50}});
  Transaction txn = doc.transact();
  EXPECT_TRUE(doc.text("t").insert(txn, Utf16Offset{0}, "hello 🌱 world").has_value());
  EXPECT_TRUE(doc.text("t").erase(txn, Utf16Offset{2}, Length{3}).has_value());
  doc.map("m").set(txn, "k", Any::number(1));
  EXPECT_TRUE(doc.array("a").push(txn, Any::string("x")).has_value());
  (void)std::move(txn).commit();
  return doc;
}

struct State {
  Bytes v1;
  Bytes v2;
  bool pending;
  bool operator==(const State&) const = default;
};
State state_of(const Doc& doc) { return {doc.encode_update_v1(), doc.encode_update_v2(), doc.has_pending()}; }

/// Applies an update to `doc` and checks what holds whatever came of it. Returns whether it was accepted.
bool apply(Doc doc, ByteView input, bool is_v1, const std::string& must) {
  const State before = state_of(doc);
  const StateVector known = doc.state_vector();
  const DeleteSet deleted = doc.delete_set();
  const bool accepted = (is_v1 ? doc.apply_update_v1(input) : doc.apply_update_v2(input)).has_value();
  doc.check_invariants();  // no struct of length 0, among others
  if (!accepted) {
    EXPECT_TRUE(state_of(doc) == before) << "a refused update left a trace";
    return false;
  }
  if (must.starts_with("pending")) {
    EXPECT_TRUE(doc.state_vector() == known && doc.delete_set() == deleted);
    EXPECT_TRUE(doc.has_pending());
  }
  // What was accepted can be handed on.
  Doc copy({.client = ClientId{51}});
  EXPECT_TRUE(copy.apply_update_v1(doc.encode_update_v1()).has_value());
  copy.check_invariants();
  EXPECT_TRUE(copy.state_vector() == doc.state_vector());
  // And does no harm a second time.
  const Bytes once = doc.encode_update_v1();
  EXPECT_TRUE((is_v1 ? doc.apply_update_v1(input) : doc.apply_update_v2(input)).has_value());
  doc.check_invariants();
  EXPECT_EQ(doc.encode_update_v1(), once);
  return true;
}

bool apply_both(ByteView input, bool is_v1, const std::string& must) {
  const bool accepted = apply(Doc({.client = ClientId{52}}), input, is_v1, must);
  EXPECT_EQ(apply(inhabited_doc(), input, is_v1, must), accepted);
  return accepted;
}

/// Every function that takes an update without a document answers, and refuses what a document refuses.
bool take_apart(ByteView input, bool is_v1) {
  const ByteView twice[] = {input, input};
  const auto merged = is_v1 ? merge_updates_v1(twice) : merge_updates_v2(twice);
  const auto diff = is_v1 ? diff_update_v1(input, {}) : diff_update_v2(input, {});
  const auto vector = is_v1 ? state_vector_of_update_v1(input) : state_vector_of_update_v2(input);
  const auto converted = is_v1 ? convert_v1_to_v2(input) : convert_v2_to_v1(input);
  const auto meta = is_v1 ? parse_update_meta_v1(input) : parse_update_meta_v2(input);
  const auto hidden = is_v1 ? obfuscate_update_v1(input) : obfuscate_update_v2(input);
  const auto known = is_v1 ? snapshot_contains_v1({}, input) : snapshot_contains_v2({}, input);
  const bool accepted = merged.has_value();
  for (const bool other : {diff.has_value(), vector.has_value(), converted.has_value(), meta.has_value(),
                           hidden.has_value(), known.has_value()}) {
    EXPECT_EQ(other, accepted);
  }
  return accepted;
}

bool sync(ByteView input) {
  Doc doc = inhabited_doc();
  const State before = state_of(doc);
  const auto message = SyncMessage::decode(input);
  const bool accepted = message && handle_sync(doc, *message).has_value();
  EXPECT_TRUE(state_of(doc) == before);  // none of the samples brings anything
  // The same inside a frame.
  Awareness here(ClientId{52}, TimestampMs{0});
  EXPECT_EQ(handle_frame(doc, here, frame_of_sync(input), TimestampMs{0}).has_value(), accepted);
  EXPECT_TRUE(state_of(doc) == before);
  return accepted;
}

bool awareness(ByteView input) {
  Awareness here(ClientId{52}, TimestampMs{0});
  const Bytes before = here.encode_all();
  const bool accepted = here.apply_update(input, TimestampMs{1}).has_value();
  if (!accepted) EXPECT_EQ(here.encode_all(), before);
  return accepted;
}

bool accepts(const std::string& kind, const Bytes& input, const std::string& must) {
  if (kind == "v1" || kind == "v2") {
    const bool accepted = apply_both(input, kind == "v1", must);
    EXPECT_EQ(take_apart(input, kind == "v1"), accepted);
    return accepted;
  }
  const std::map<std::string, std::function<bool()>> decoders = {
      {"any",
       [&] {
         Reader in(input);
         return Any::decode(in).has_value();
       }},
      {"sv", [&] { return StateVector::decode(input).has_value(); }},
      {"relpos", [&] { return RelativePosition::decode(input).has_value(); }},
      {"snapshot", [&] { return Snapshot::decode_v1(input).has_value(); }},
      {"snapshotV2", [&] { return Snapshot::decode_v2(input).has_value(); }},
      {"sync", [&] { return sync(input); }},
      {"awareness", [&] { return awareness(input); }},
  };
  const auto decoder = decoders.find(kind);
  if (decoder == decoders.end()) {
    ADD_FAILURE() << "no decoder for the kind " << kind;
    return false;
  }
  return decoder->second();
}

TEST(Vectors, MalformedInputIsRefusedOrHarmless) {
  std::map<std::string, int> seen;
  for (const Any& vector : read_vectors("10-malformed.jsonl")) {
    const std::string kind = text_of(member(vector, "kind"));
    const std::string must = text_of(member(vector, "must"));
    SCOPED_TRACE(kind + " " + text_of(member(vector, "class")) + ", must: " + must);
    const Bytes input = from_hex(text_of(member(vector, "hex"))).value_or(Bytes{});
    const bool accepted = accepts(kind, input, must);
    if (must == "reject") EXPECT_FALSE(accepted);
    ++seen[kind];
  }
  const std::map<std::string, int> expected = {{"v1", 55},      {"v2", 18},        {"any", 8},
                                               {"sv", 4},       {"relpos", 3},     {"sync", 4},
                                               {"snapshot", 2}, {"snapshotV2", 1}, {"awareness", 5}};
  EXPECT_EQ(seen, expected);
}

// The table that the vectors were made from shows two of them shorter than the file has them.
TEST(Vectors, CutUpdatesOfTheTableAreRefused) {
  EXPECT_FALSE(accepts("v1", Bytes{0x01}, "reject"));
  EXPECT_FALSE(accepts("v2", Bytes{0x00}, "reject"));
}

}  // namespace
}  // namespace diaryx::crdt
