// Bytes as edits by three peers: whatever they type, and in whatever order they hear of it, they end up equal.
//
// Each step is three bytes: what and who, where, how much. Updates wait in a mailbox per peer until a step delivers the
// oldest or the newest of them; at the end everything is delivered.
#include <array>
#include <string>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

constexpr size_t kPeers = 3;
constexpr size_t kMaxSteps = 400;  // beyond it an input only gets slower, not more interesting

struct Peer {
  Doc doc;
  std::vector<Bytes> mailbox;
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
    const Commit commit = std::move(txn).commit();
    if (commit.update_v1().empty()) return;
    for (size_t other = 0; other < kPeers; ++other)
      if (other != who) peers_[other].mailbox.push_back(commit.update_v1());
  }

  void deliver(size_t who, bool newest_first) {
    auto& mailbox = peers_[who].mailbox;
    if (mailbox.empty()) return;
    const auto letter = newest_first ? mailbox.end() - 1 : mailbox.begin();
    DX_ASSERT(peers_[who].doc.apply_update_v1(*letter).has_value());
    mailbox.erase(letter);
  }

  void finish() {
    for (size_t who = 0; who < kPeers; ++who) {
      while (!peers_[who].mailbox.empty()) deliver(who, true);
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
  std::array<Peer, kPeers> peers_{Peer{Doc{{.client = ClientId{11}}}, {}}, Peer{Doc{{.client = ClientId{22}}}, {}},
                                  Peer{Doc{{.client = ClientId{33}}}, {}}};
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
    else
      table.deliver(who, kind % 4 == 1);
  }
  table.finish();
  return 0;
}
