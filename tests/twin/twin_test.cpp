// The engine and its slow twin (testing/, crdt_twin.h) go through the same sessions: after every step they show the same, know the same
// and have deleted the same.
//
// DX_SEED=8841 replays one seed, DX_SEEDS=10000 runs that many from DX_START (default 1).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>

#include "diaryx/base/utf.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "diaryx/testing/crdt_twin.h"
#include "diaryx/testing/random.h"

namespace diaryx::testing {
namespace {

using crdt::Any;
using crdt::Array;
using crdt::Commit;
using crdt::Doc;
using crdt::Map;
using crdt::Text;
using crdt::Transaction;
using Kind = CrdtTwin::Kind;

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::vector<uint64_t> seeds_under_test() {
  if (const uint64_t seed = from_environment("DX_SEED", 0); seed != 0) return {seed};
  std::vector<uint64_t> seeds;
  const uint64_t start = from_environment("DX_START", 1);
  for (uint64_t i = 0; i < from_environment("DX_SEEDS", 200); ++i) seeds.push_back(start + i);
  return seeds;
}

// --- what the engine shows, in the words of CrdtTwin::dump ---

std::string dump(const Map& map);
std::string dump(const Array& array);

std::string dump(const Text& text) {
  struct Run {
    std::string shown;  // text as it is, an embed as JSON
    std::string attributes;
    bool is_text;
  };
  std::vector<Run> runs;
  for (const crdt::TextRun& run : text.runs()) {
    crdt::Attributes attributes = run.attributes;
    std::sort(attributes.begin(), attributes.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    const std::string shown_attributes = attributes.empty() ? "" : Any::object(attributes).to_json();
    if (run.is_text() && !runs.empty() && runs.back().is_text && runs.back().attributes == shown_attributes) {
      runs.back().shown += run.text;
    } else {
      runs.push_back({run.is_text() ? run.text : "<" + run.embed.to_json() + ">", shown_attributes, run.is_text()});
    }
  }
  std::string shown;
  for (const Run& run : runs) {
    shown += (run.is_text ? Any::string(run.shown).to_json() : run.shown) + run.attributes;
  }
  return "text(" + shown + ")";
}

/// What stands under an index of an array or a key of a map.
template <typename Holder, typename Where>
std::string dump_element(const Holder& holder, Where where) {
  if (const auto value = holder.get(where)) return value->to_json();
  if (const auto map = holder.get_map(where)) return dump(*map);
  if (const auto array = holder.get_array(where)) return dump(*array);
  if (const auto text = holder.get_text(where)) return dump(*text);
  return "nothing";
}

std::string dump(const Array& array) {
  std::string shown;
  for (size_t i = 0; i < array.size(); ++i) shown += dump_element(array, i) + ",";
  return "list(" + shown + ")";
}

std::string dump(const Map& map) {
  std::vector<std::string> keys = map.keys();
  std::sort(keys.begin(), keys.end());
  std::string shown;
  for (const std::string& key : keys) shown += Any::string(key).to_json() + ":" + dump_element(map, key) + ",";
  return "map(" + shown + ")";
}

std::string dump(const crdt::StateVector& vector) {
  std::string shown;
  for (const auto& [client, clock] : vector)
    shown += std::to_string(client.value()) + ":" + std::to_string(clock.value()) + " ";
  return shown;
}

std::string dump(const crdt::DeleteSet& deleted) {
  std::map<ClientId, std::string> shown;
  for (const auto& [client, ranges] : deleted.clients()) {
    for (const crdt::ClockRange& range : ranges) {
      shown[client] += " " + std::to_string(range.start.value()) + "-" + std::to_string(range.end().value());
    }
  }
  std::string lines;
  for (const auto& [client, ranges] : shown) lines += std::to_string(client.value()) + ":" + ranges + "\n";
  return lines;
}

// --- one peer, twice ---

struct Update {
  Bytes v1;
  Bytes v2;
};

/// A type of a peer: the engine's handle and the twin's list.
struct Place {
  Kind kind;
  std::optional<Text> text;
  std::optional<Array> array;
  std::optional<Map> map;
  CrdtTwin::Type* twin;
};

class Peer {
 public:
  Peer(uint64_t client, crdt::Gc gc)
      : doc_({.client = ClientId{client}, .gc = gc, .emit = crdt::Emit::Both}), twin_(ClientId{client}) {
    (void)twin_.root("t", Kind::Text);
    (void)twin_.root("a", Kind::Array);
    (void)twin_.root("m", Kind::Map);
  }

  Doc& doc() { return doc_; }
  CrdtTwin& twin() { return twin_; }

  Place root(Kind kind) {
    Place place{kind, {}, {}, {}, nullptr};
    if (kind == Kind::Text) place.text = doc_.text("t"), place.twin = &twin_.root("t", kind);
    if (kind == Kind::Array) place.array = doc_.array("a"), place.twin = &twin_.root("a", kind);
    if (kind == Kind::Map) place.map = doc_.map("m"), place.twin = &twin_.root("m", kind);
    return place;
  }

  void apply(const Update& update, bool v2) {
    const auto commit = v2 ? doc_.apply_update_v2(update.v2) : doc_.apply_update_v1(update.v1);
    ASSERT_TRUE(commit.has_value()) << describe(commit.error());
    twin_.apply(update.v1);
  }

  /// What waits is tried again by Yjs, and so by the engine, only when one of the clocks it is known to lack has come; the twin tries
  /// always, and so it may be ahead for a while.
  bool lags() const { return doc_.has_pending() && doc_.state_vector() != twin_.state_vector(); }

  std::string shown() { return dump(doc_.text("t")) + dump(doc_.array("a")) + dump(doc_.map("m")); }

  void check() {
    doc_.check_invariants();
    if (lags()) {
      ASSERT_TRUE(twin_.state_vector().covers(doc_.state_vector()));
      ASSERT_TRUE(twin_.delete_set().covers(doc_.delete_set()));
      return;
    }
    const std::string twin = CrdtTwin::dump(*root(Kind::Text).twin) + CrdtTwin::dump(*root(Kind::Array).twin) +
                             CrdtTwin::dump(*root(Kind::Map).twin);
    ASSERT_EQ(shown(), twin);
    ASSERT_EQ(doc_.text("t").length().value(), CrdtTwin::length(*root(Kind::Text).twin));
    ASSERT_EQ(dump(doc_.state_vector()), dump(twin_.state_vector()));
    ASSERT_EQ(dump(doc_.delete_set()), dump(twin_.delete_set()));
  }

 private:
  Doc doc_;
  CrdtTwin twin_;
};

// --- a session ---

class Session {
 public:
  explicit Session(uint64_t seed) : random_(seed), marks_(random_.chance(0.5)) {
    const size_t count = 2 + random_.below(3);
    const crdt::Gc gc = random_.chance(0.6) ? crdt::Gc::Enabled : crdt::Gc::Disabled;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t client = random_.chance(0.2) ? (uint64_t{1} << 53) - 1 - i : 1 + i * 100 + random_.below(100);
      peers_.push_back(std::make_unique<Peer>(client, gc));
      boxes_.emplace_back();
    }
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      const size_t who = random_.below(peers_.size());
      const uint64_t choice = random_.below(100);
      if (choice < 60) {
        edit(who);
      } else if (choice < 80) {
        deliver(who);
      } else if (choice < 86) {
        deliver_merged(who);
      } else if (choice < 92) {
        pull(who, random_.below(peers_.size()));
      } else {
        deliver_in_parts(who);
      }
      peers_[who]->check();
      if (::testing::Test::HasFatalFailure()) return;
    }
    settle();
  }

 private:
  std::string piece() { return random_.pick(pieces_); }

  Any value() {
    switch (random_.below(6)) {
      case 0: return Any::null();
      case 1: return Any::boolean(random_.chance(0.5));
      case 2: return Any::number(static_cast<double>(random_.below(1000)) / 4 - 100);
      case 3: return Any::bytes({1, 2, static_cast<uint8_t>(random_.below(256))});
      case 4: return Any::object({{"k", Any::string(piece())}, {"l", Any::array({Any::null(), Any::number(1)})}});
      default: return Any::string(piece());
    }
  }

  crdt::Attributes attributes() {
    switch (random_.below(6)) {
      case 0: return {{"bold", Any::boolean(true)}};
      case 1: return {{"bold", Any::null()}};
      case 2: return {{"color", Any::string("red")}};
      case 3: return {{"color", Any::string("blue")}, {"bold", Any::boolean(true)}};
      case 4: return {{"italic", Any::boolean(true)}, {"color", Any::null()}};
      default: return {{"size", Any::number(1.5)}};
    }
  }

  /// A root, or something inside it.
  Place place(Peer& peer) {
    static constexpr Kind kKinds[] = {Kind::Text, Kind::Array, Kind::Map};
    Place at = peer.root(kKinds[random_.below(3)]);
    while (at.kind != Kind::Text && random_.chance(0.6)) {
      const std::optional<Place> inner = step_into(at);
      if (!inner) break;
      at = *inner;
    }
    return at;
  }

  std::optional<Place> step_into(const Place& at) {
    if (at.kind == Kind::Array) {
      if (at.array->size() == 0) return std::nullopt;
      const size_t index = random_.below(at.array->size());
      return inner(*at.array, index, CrdtTwin::unit_at(*at.twin, index));
    }
    const std::string key = random_.pick(keys_);
    return inner(*at.map, key, CrdtTwin::current(*at.twin, key));
  }

  template <typename Holder, typename Where>
  static std::optional<Place> inner(const Holder& holder, const Where& where, const CrdtTwin::Unit* twin) {
    if (twin == nullptr || twin->type == nullptr) return std::nullopt;
    return Place{twin->type->kind, holder.get_text(where), holder.get_array(where), holder.get_map(where), twin->type};
  }

  void edit(size_t who) {
    Peer& peer = *peers_[who];
    if (peer.lags()) return;
    Transaction txn = peer.doc().transact();
    for (uint64_t edits = random_.chance(0.15) ? 1 + random_.below(4) : 1; edits > 0; --edits) {
      const Place at = place(peer);
      if (at.kind == Kind::Text) edit_text(peer.twin(), txn, at);
      if (at.kind == Kind::Array) edit_array(peer.twin(), txn, at);
      if (at.kind == Kind::Map) edit_map(peer.twin(), txn, at);
      if (::testing::Test::HasFatalFailure()) return;
    }
    const Commit commit = std::move(txn).commit();
    if (!commit.changed()) return;
    for (size_t other = 0; other < boxes_.size(); ++other) {
      if (other != who) boxes_[other].push_back({commit.update_v1(), commit.update_v2()});
    }
    log_.push_back({commit.update_v1(), commit.update_v2()});
  }

  void edit_text(CrdtTwin& twin, Transaction& txn, const Place& at) {
    Text text = *at.text;
    const uint32_t length = text.length().value();
    const uint32_t index = border(text, static_cast<uint32_t>(random_.below(length + 1)));
    if (length > 0 && random_.chance(0.35)) {
      const uint32_t end = border(text, std::min<uint32_t>(length, index + static_cast<uint32_t>(random_.below(8))));
      ASSERT_TRUE(text.erase(txn, Utf16Offset{index}, Length{end - index}).has_value());
      return twin.erase_text(*at.twin, index, end - index);
    }
    if (marks_ && random_.chance(0.5)) return edit_marks(twin, txn, at, index);
    const std::string inserted = piece();
    ASSERT_TRUE(text.insert(txn, Utf16Offset{index}, inserted).has_value());
    twin.insert_text(*at.twin, index, inserted);
  }

  void edit_marks(CrdtTwin& twin, Transaction& txn, const Place& at, uint32_t index) {
    Text text = *at.text;
    const crdt::Attributes marks = attributes();
    switch (random_.below(4)) {
      case 0: {
        const std::string inserted = piece();
        ASSERT_TRUE(text.insert(txn, Utf16Offset{index}, inserted, marks).has_value());
        return twin.insert_text(*at.twin, index, inserted, marks);
      }
      case 1: {
        const Any embedded = Any::object({{"image", Any::string(piece())}});
        ASSERT_TRUE(text.insert_embed(txn, Utf16Offset{index}, embedded, marks).has_value());
        return twin.insert_embed(*at.twin, index, embedded, marks);
      }
      default: {
        // Beyond the end newlines appear, sometimes.
        const uint32_t length = text.length().value();
        uint32_t end = index + static_cast<uint32_t>(random_.below(random_.chance(0.1) ? 40 : 9));
        if (end < length || random_.chance(0.8)) end = border(text, std::min(end, length));
        if (index == length) end = index;
        ASSERT_TRUE(text.format(txn, Utf16Offset{index}, Length{end - index}, marks).has_value());
        return twin.format(*at.twin, index, end - index, marks);
      }
    }
  }

  /// Never inside a surrogate pair: the engine moves such an offset, and what it does then is another test's business.
  static uint32_t border(const Text& text, uint32_t offset) {
    uint32_t at = 0;
    for (const crdt::TextRun& run : text.runs()) {
      const uint32_t units = run.is_text() ? utf16_length(run.text).value() : 1;
      if (run.is_text() && offset < at + units) {
        return at + to_utf16(run.text, to_utf8(run.text, Utf16Offset{offset - at})).value();
      }
      at += units;
    }
    return offset;
  }

  void edit_array(CrdtTwin& twin, Transaction& txn, const Place& at) {
    Array array = *at.array;
    const size_t size = array.size();
    if (size > 0 && random_.chance(0.3)) {
      const size_t index = random_.below(size);
      const size_t count = 1 + random_.below(std::min<size_t>(3, size - index));
      ASSERT_TRUE(array.erase(txn, index, count).has_value());
      return twin.erase(*at.twin, index, count);
    }
    const size_t index = random_.below(size + 1);
    if (random_.chance(0.25)) {
      switch (random_.below(3)) {
        case 0: ASSERT_TRUE(array.insert_map(txn, index).has_value()); break;
        case 1: ASSERT_TRUE(array.insert_array(txn, index).has_value()); break;
        default: ASSERT_TRUE(array.insert_text(txn, index).has_value());
      }
      const auto made = array.get_map(index) ? Kind::Map : array.get_array(index) ? Kind::Array : Kind::Text;
      (void)twin.insert_type(*at.twin, index, made);
      return;
    }
    std::vector<Any> values;
    for (uint64_t count = 1 + random_.below(3); count > 0; --count) values.push_back(value());
    if (random_.chance(0.3)) {
      ASSERT_TRUE(array.push(txn, values).has_value());
      return twin.push(*at.twin, values);
    }
    ASSERT_TRUE(array.insert(txn, index, values).has_value());
    twin.insert(*at.twin, index, values);
  }

  void edit_map(CrdtTwin& twin, Transaction& txn, const Place& at) {
    Map map = *at.map;
    const std::string key = random_.pick(keys_);
    if (random_.chance(0.25)) {
      (void)map.erase(txn, key);
      return twin.erase_key(*at.twin, key);
    }
    if (random_.chance(0.7)) {
      const Any set = random_.chance(0.1) ? Any::undefined() : value();
      map.set(txn, key, set);
      return twin.set(*at.twin, key, set);
    }
    switch (random_.below(3)) {
      case 0:
        (void)map.set_map(txn, key);
        (void)twin.set_type(*at.twin, key, Kind::Map);
        break;
      case 1:
        (void)map.set_array(txn, key);
        (void)twin.set_type(*at.twin, key, Kind::Array);
        break;
      default: (void)map.set_text(txn, key); (void)twin.set_type(*at.twin, key, Kind::Text);
    }
  }

  void apply(size_t who, const Update& update) { peers_[who]->apply(update, random_.chance(0.4)); }

  void deliver(size_t who) {
    std::vector<Update>& box = boxes_[who];
    if (box.empty()) return;
    const size_t at = random_.chance(0.6) ? 0 : random_.below(box.size());
    apply(who, box[at]);
    if (!random_.chance(0.1)) box.erase(box.begin() + static_cast<ptrdiff_t>(at));  // else it comes again
  }

  /// Several updates as one, with holes where others are still on their way.
  void deliver_merged(size_t who) {
    std::vector<ByteView> v1;
    std::vector<ByteView> v2;
    for (const Update& update : boxes_[who]) {
      if (random_.chance(0.5)) continue;
      v1.push_back(update.v1);
      v2.push_back(update.v2);
    }
    if (v1.empty()) return;
    const auto merged = crdt::merge_updates_v1(v1);
    const auto merged_v2 = crdt::merge_updates_v2(v2);
    ASSERT_TRUE(merged.has_value() && merged_v2.has_value());
    apply(who, {*merged, *merged_v2});
  }

  /// What `from` has and `who` lacks.
  void pull(size_t who, size_t from) {
    const crdt::StateVector known = peers_[who]->doc().state_vector();
    Doc& doc = peers_[from]->doc();
    apply(who, {doc.encode_update_v1(known), doc.encode_update_v2(known)});
  }

  /// An update whose tail comes first: it is cut somewhere in a client's clocks.
  void deliver_in_parts(size_t who) {
    if (boxes_[who].empty()) return;
    const Update& whole = boxes_[who][random_.below(boxes_[who].size())];
    // A cut through a surrogate pair makes two U+FFFD of it, for whoever sees the tail before the whole.
    if (std::find(whole.v1.begin(), whole.v1.end(), 0xf0) != whole.v1.end()) return;
    const auto summary = crdt::summarize_update_v1(whole.v1);
    ASSERT_TRUE(summary.has_value());
    crdt::StateVector cut;
    for (const auto& [client, end] : summary->ends) {
      const Clock start = summary->starts.get(client);
      cut.set(client, start + Length{static_cast<uint32_t>(random_.below((end - start).value() + 1))});
    }
    const auto tail = crdt::diff_update_v1(whole.v1, cut);
    const auto tail_v2 = crdt::diff_update_v2(whole.v2, cut);
    ASSERT_TRUE(tail.has_value() && tail_v2.has_value());
    apply(who, {*tail, *tail_v2});
    if (random_.chance(0.5)) apply(who, whole);
  }

  void settle() {
    for (size_t who = 0; who < peers_.size(); ++who) {
      SCOPED_TRACE("at the end");
      while (!boxes_[who].empty() && !::testing::Test::HasFatalFailure()) {
        const size_t at = random_.below(boxes_[who].size());
        apply(who, boxes_[who][at]);
        boxes_[who].erase(boxes_[who].begin() + static_cast<ptrdiff_t>(at));
      }
      peers_[who]->check();
      if (::testing::Test::HasFatalFailure()) return;
      ASSERT_FALSE(peers_[who]->doc().has_pending());
      ASSERT_EQ(peers_[who]->shown(), peers_[0]->shown()) << "two peers did not converge";
    }
  }

  Random random_;
  bool marks_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::vector<Update>> boxes_;
  std::vector<Update> log_;
  const std::vector<std::string> pieces_ = {"a", "bc", "def ", "\n", "é", "漢字", "😀", "x😀y", "the quick brown fox "};
  const std::vector<std::string> keys_ = {"k", "l", "ключ", ""};
};

TEST(Twin, ShowsWhatTheEngineShows) {
  for (const uint64_t seed : seeds_under_test()) {
    SCOPED_TRACE("DX_SEED=" + std::to_string(seed) + " replays this session");
    Session(seed).run(80);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace diaryx::testing
