#include "replica/body_store.h"

#include <algorithm>

#include "diaryx/sync/frame.h"

namespace diaryx::sync {

BodyDoc& BodyStore::open(const std::string& key) const {
  auto found = slots_.find(key);
  if (found == slots_.end()) found = slots_.emplace(key, Slot{}).first;
  Slot& slot = found->second;
  if (slot.doc != nullptr) return *slot.doc;

  slot.doc = std::make_unique<BodyDoc>(body_client(client_, key), key);
  // What was parked here is our own encoding; that it decodes is our invariant.
  if (!slot.parked.empty()) DX_ASSERT(slot.doc->doc().apply_update_v1(slot.parked));
  slot.parked = {};
  loaded_.push_back(found->first);
  if (loaded_.size() > kMaxLoaded) {
    Slot& oldest = slots_.find(loaded_.front())->second;
    oldest.parked = oldest.doc->doc().encode_update_v1();
    oldest.doc.reset();
    loaded_.pop_front();
  }
  return *slot.doc;
}

Bytes BodyStore::state(const std::string& key) const {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return to_bytes(kEmptyUpdate);
  if (found->second.doc != nullptr) return found->second.doc->doc().encode_update_v1();
  return found->second.parked.empty() ? to_bytes(kEmptyUpdate) : found->second.parked;
}

std::vector<std::string> BodyStore::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, slot] : slots_) {
    const bool holds = slot.doc != nullptr ? !slot.doc->is_virgin() : !is_empty_update(slot.parked);
    if (holds) keys.push_back(key);
  }
  return keys;
}

}  // namespace diaryx::sync
