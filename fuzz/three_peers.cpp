// Bytes as edits by three peers: whatever they type, undo and redo, and in whatever order they hear of it, they end up equal.
//
// Each step is three bytes: what and who, where, how much. Updates wait in a mailbox per peer until a step delivers the
// oldest or the newest of them, in v1 or v2; at the end everything is delivered. One peer collects no garbage. Every peer
// observes its roots, deep, and what the events say must lead from what it showed before to what it shows now.
#include <array>
#include <map>
#include <string>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

constexpr size_t kPeers = 3;
constexpr size_t kMaxSteps = 400;  // beyond it an input only gets slower, not more interesting

struct Letter {
  Bytes v1;
  Bytes v2;
};

/// A text as an observer would know it: one string per UTF-16 unit, the second of a pair empty.
using Units = std::vector<std::string>;

Units units_of(std::string_view utf8) {
  Units units;
  for (size_t at = 0; at < utf8.size();) {
    const auto first = static_cast<uint8_t>(utf8[at]);
    const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    units.emplace_back(utf8.substr(at, size));
    if (size == 4) units.emplace_back();
    at += size;
  }
  return units;
}

struct Peer {
  explicit Peer(uint64_t client, Gc gc)
      : doc({.client = ClientId{client}, .gc = gc, .emit = Emit::Both}),
        body(doc.observe_deep(doc.text("body"))),
        map(doc.observe_deep(doc.map("map"))),
        undo(doc.track_undo({.roots = {"body", "map"}, .capture_timeout = DurationMs{0}})) {}

  /// Follows the events of a commit, then compares.
  void hear(const Commit& commit) {
    for (const Notice& notice : commit.notices()) {
      DX_ASSERT(notice.observer == body || notice.observer == map);
      for (const Event& event : notice.events) {
        DX_ASSERT(event.path.empty());
        if (notice.observer == body) follow(event);
        for (const KeyChange& change : event.keys) follow(change);
      }
    }
    std::string text;
    for (const std::string& unit : shown) text += unit;
    DX_ASSERT(text == doc.text("body").to_string());
    const auto keys = doc.map("map").keys();
    DX_ASSERT(keys.size() == entries.size());
    for (const std::string& key : keys) DX_ASSERT(entries.contains(key));
  }

  void follow(const Event& event) {
    size_t at = 0;
    for (const DeltaOp& op : event.delta) {
      const auto place = shown.begin() + static_cast<ptrdiff_t>(at);
      if (op.kind == DeltaOp::Kind::Insert) {
        const Units units = units_of(op.text);
        shown.insert(place, units.begin(), units.end());
        at += units.size();
      } else {
        DX_ASSERT(op.length.value() <= shown.size() - at);
        if (op.kind == DeltaOp::Kind::Retain) at += op.length.value();
        if (op.kind == DeltaOp::Kind::Delete) shown.erase(place, place + static_cast<ptrdiff_t>(op.length.value()));
      }
    }
  }

  void follow(const KeyChange& change) {
    DX_ASSERT(entries.contains(change.key) == (change.action != KeyChange::Action::Add));
    if (change.action == KeyChange::Action::Delete)
      entries.erase(change.key);
    else
      entries[change.key] = true;
  }

  Doc doc;
  Observer body;
  Observer map;
  UndoManager undo;
  std::vector<Letter> mailbox;
  Units shown;
  std::map<std::string, bool> entries;
};

class Table {
 public:
  void edit(size_t who, uint8_t kind, uint8_t where, uint8_t much) {
    Peer& peer = peers_[who];
    Text body = peer.doc.text("body");
    Map map = peer.doc.map("map");
    Transaction txn = peer.doc.transact();
    const uint32_t length = static_cast<uint32_t>(body.length().value());
    const Utf16Offset offset{length == 0 ? 0 : where % (length + 1)};
    switch (kind % 4) {
      case 0: (void)body.insert(txn, offset, std::string(1 + much % 5, static_cast<char>('a' + much % 26))); break;
      case 1: (void)body.insert(txn, offset, "\xF0\x9F\x8C\xB1"); break;  // two code units, so offsets may fall inside
      case 2: (void)body.erase(txn, offset, Length{much % 7u}); break;
      case 3:
        map.set(txn, std::string(1, static_cast<char>('k' + where % 3)), Any::string(std::to_string(much)));
        break;
    }
    send(who, std::move(txn).commit());
  }

  void undo(size_t who, bool redo) { send(who, redo ? peers_[who].undo.redo() : peers_[who].undo.undo()); }

  void send(size_t who, const Commit& commit) {
    peers_[who].hear(commit);
    if (!commit.changed()) return;
    for (size_t other = 0; other < kPeers; ++other)
      if (other != who) peers_[other].mailbox.push_back({commit.update_v1(), commit.update_v2()});
  }

  void deliver(size_t who, bool newest_first, bool as_v2) {
    auto& mailbox = peers_[who].mailbox;
    if (mailbox.empty()) return;
    const auto letter = newest_first ? mailbox.end() - 1 : mailbox.begin();
    const auto commit =
        as_v2 ? peers_[who].doc.apply_update_v2(letter->v2) : peers_[who].doc.apply_update_v1(letter->v1);
    DX_ASSERT(commit.has_value());
    peers_[who].hear(*commit);
    mailbox.erase(letter);
  }

  void finish() {
    for (size_t who = 0; who < kPeers; ++who) {
      while (!peers_[who].mailbox.empty()) deliver(who, true, who == 1);
      peers_[who].doc.check_invariants();
      DX_ASSERT(!peers_[who].doc.has_pending());
    }
    for (size_t who = 1; who < kPeers; ++who) {
      DX_ASSERT(peers_[who].doc.text("body").to_string() == peers_[0].doc.text("body").to_string());
      for (const std::string& key : peers_[0].doc.map("map").keys())
        DX_ASSERT(peers_[who].doc.map("map").get_string(key) == peers_[0].doc.map("map").get_string(key));
      DX_ASSERT(peers_[who].doc.state_vector() == peers_[0].doc.state_vector());
      DX_ASSERT(peers_[who].doc.delete_set() == peers_[0].doc.delete_set());
    }
  }

 private:
  std::array<Peer, kPeers> peers_{Peer{11, Gc::Enabled}, Peer{22, Gc::Disabled}, Peer{33, Gc::Enabled}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Table table;
  for (size_t step = 0; step < kMaxSteps && 3 * step + 2 < size; ++step) {
    const uint8_t what = data[3 * step];
    const size_t who = what % kPeers;
    const uint8_t kind = static_cast<uint8_t>(what / kPeers);
    if (kind % 2 == 0)
      table.edit(who, static_cast<uint8_t>(kind / 2), data[3 * step + 1], data[3 * step + 2]);
    else if (kind % 16 == 15)
      table.undo(who, data[3 * step + 1] % 3 == 2);
    else
      table.deliver(who, kind % 4 == 1, data[3 * step + 1] % 2 == 1);
  }
  table.finish();
  return 0;
}
