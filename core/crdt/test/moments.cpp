// Reads sessions from standard input, one JSON object per line, with what Yjs said about their snapshots and relative positions,
// and says where the engine says something else. Made for tests/interop; exits 0 when nothing differs.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/relative_position.h"
#include "diaryx/crdt/snapshot.h"

namespace diaryx::crdt {
namespace {

const Any& member(const Any& object, std::string_view key) {
  static const Any kNone;
  const Any* found = object.find(key);
  return found == nullptr ? kNone : *found;
}

const Any::Array& elements(const Any& list) {
  static const Any::Array kNone;
  return list.as_array() != nullptr ? *list.as_array() : kNone;
}

std::string text_of(const Any& value) { return value.as_string() != nullptr ? *value.as_string() : std::string(); }
uint32_t number_of(const Any& value) { return value.as_number() ? static_cast<uint32_t>(*value.as_number()) : 0; }
Bytes bytes_of(const Any& value) { return from_base64(text_of(value)).value_or(Bytes{}); }

/// Members of objects in one order.
Any sorted(const Any& value) {
  if (const Any::Array* array = value.as_array()) {
    Any::Array result;
    for (const Any& element : *array) result.push_back(sorted(element));
    return Any::array(std::move(result));
  }
  const Any::Object* object = value.as_object();
  if (object == nullptr) return value;
  Any::Object result;
  for (const Any::Member& one : *object) result.push_back({one.key, sorted(one.value)});
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return Any::object(std::move(result));
}

Any delta_of(const std::vector<TextRun>& runs) {
  Any::Array delta;
  for (const TextRun& run : runs) {
    Any::Object op = {{"insert", run.is_text() ? Any::string(run.text) : run.embed}};
    if (!run.attributes.empty()) op.push_back({"attributes", Any::object(run.attributes)});
    delta.push_back(Any::object(std::move(op)));
  }
  return Any::array(std::move(delta));
}

class Checker {
 public:
  void check(const Any& session) {
    seed_ = number_of(member(session, "seed"));
    Doc doc({.client = ClientId{77}, .gc = Gc::Disabled});
    apply(doc, member(session, "state"));
    std::vector<Snapshot> snapshots;
    for (const Any& entry : elements(member(session, "snapshots"))) snapshots.push_back(check_snapshot(doc, entry));
    for (const Any& entry : elements(member(session, "comparisons"))) {
      const Snapshot& before = snapshots[number_of(member(entry, "before"))];
      const Snapshot& after = snapshots[number_of(member(entry, "after"))];
      const Text text = doc.text("t");
      equal("delta", delta_of(text_between(text, before, after)), member(entry, "delta"));
      equal("delta by client", delta_of(text_between(text, before, after, ChangeLabel::TypeAndClient)),
            member(entry, "byClient"));
    }
    equal("state after reading", doc.encode_update_v1(), member(session, "state"));
    for (const Any& entry : elements(member(session, "positions"))) check_position(doc, entry);
    apply(doc, member(session, "later"));
    for (const Any& entry : elements(member(session, "positions"))) {
      const auto position = RelativePosition::decode(bytes_of(member(entry, "bytes")));
      const auto place = position ? resolve(doc, *position) : std::nullopt;
      equal("resolved", place ? Any::number(place->index) : Any::null(), member(entry, "resolved"));
    }
    doc.check_invariants();
  }

  bool finish() const {
    std::printf("%zu comparisons, %zu differ\n", compared_, differ_);
    return compared_ > 0 && differ_ == 0;
  }

 private:
  void equal(const char* what, const Any& ours, const Any& theirs) {
    ++compared_;
    const std::string left = sorted(ours).to_json();
    const std::string right = sorted(theirs).to_json();
    if (left == right) return;
    ++differ_;
    std::printf("seed %u, %s:\n  ours   %s\n  theirs %s\n", seed_, what, left.c_str(), right.c_str());
  }
  void equal(const char* what, const Bytes& ours, const Any& theirs) {
    equal(what, Any::string(to_base64(ours)), theirs);
  }

  void apply(Doc& doc, const Any& update) {
    equal("applied", Any::boolean(doc.apply_update_v1(bytes_of(update)).has_value()), Any::boolean(true));
  }

  Snapshot check_snapshot(Doc& doc, const Any& entry) {
    const Snapshot snapshot = Snapshot::decode_v1(bytes_of(member(entry, "v1"))).value_or(Snapshot{});
    equal("snapshot v1", snapshot.encode_v1(), member(entry, "v1"));
    equal("snapshot v2", snapshot.encode_v2(), member(entry, "v2"));
    equal("delta", delta_of(text_at(doc.text("t"), snapshot)), member(entry, "delta"));
    Any::Object entries;
    for (auto& [key, value] : entries_at(doc.map("m"), snapshot)) entries.push_back({key, std::move(value)});
    equal("entries", Any::object(std::move(entries)), member(entry, "entries"));
    equal("values", Any::array(values_at(doc.array("a"), snapshot)), member(entry, "values"));
    const auto all = snapshot_contains_v1(snapshot, doc.encode_update_v1());
    equal("contains all", all ? Any::boolean(*all) : Any::null(), member(entry, "containsAll"));
    auto restored = doc_from_snapshot(doc, snapshot, {.client = ClientId{9}});
    if (restored) restored->check_invariants();
    equal("restored", restored ? restored->encode_update_v1() : Bytes{}, member(entry, "restored"));
    return snapshot;
  }

  void check_position(Doc& doc, const Any& entry) {
    const Side side = *member(entry, "assoc").as_number() < 0 ? Side::Left : Side::Right;
    const uint32_t index = number_of(member(entry, "index"));
    const RelativePosition position = text_of(member(entry, "kind")) == "text"
                                          ? relative_position(doc.text("t"), Utf16Offset{index}, side)
                                          : relative_position(doc.array("a"), index, side);
    equal("position", position.encode(), member(entry, "bytes"));
    equal("position as JSON", position.to_json(), member(entry, "json"));
  }

  uint32_t seed_ = 0;
  size_t compared_ = 0;
  size_t differ_ = 0;
};

}  // namespace
}  // namespace diaryx::crdt

int main() {
  diaryx::crdt::Checker checker;
  for (std::string line; std::getline(std::cin, line);) {
    const auto session = diaryx::crdt::Any::from_json(line);
    if (!session) return 2;
    checker.check(*session);
  }
  return checker.finish() ? 0 : 1;
}
