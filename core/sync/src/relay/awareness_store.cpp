#include "awareness_store.h"

#include <algorithm>

#include "diaryx/sync/frame.h"

namespace diaryx::sync::relay {
namespace {

/// Counted per client beside its state, so that many empty states are bounded too.
constexpr size_t kEntryBytes = 64;

}  // namespace

Result<void> AwarenessStore::apply(ConnectionId from, ByteView update, size_t max_bytes) {
  DX_TRY(const auto entries, parse_awareness(update));
  size_t incoming = 0;
  for (const AwarenessEntry& entry : entries) incoming += entry.state.size() + kEntryBytes;
  if (incoming > max_bytes || size_bytes_ > max_bytes - incoming) return fail(ErrorCode::TooLarge);

  for (const AwarenessEntry& entry : entries) {
    const auto known = entries_.find(entry.client);
    const bool leaves = entry.state == "null";
    if (known != entries_.end()) {
      // y-protocols: a newer clock wins; at the same clock only leaving does.
      const bool newer = entry.clock > known->second.clock || (entry.clock == known->second.clock && leaves);
      // What is not newer stays with who told it first: y-websocket clients repeat what they hear of others.
      if (!newer) continue;
      size_bytes_ -= known->second.state.size() + kEntryBytes;
      entries_.erase(known);
    }
    if (leaves) continue;
    entries_.emplace(entry.client, Entry{from, entry.clock, std::string(entry.state)});
    size_bytes_ += entry.state.size() + kEntryBytes;
  }
  return {};
}

Bytes AwarenessStore::forget(ConnectionId from) {
  Writer gone;
  uint64_t count = 0;
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (it->second.from != from) {
      ++it;
      continue;
    }
    // y-protocols: at the clock that is known only leaving counts.
    gone.var_uint(it->first);
    gone.var_uint(it->second.clock);
    gone.var_string("null");
    ++count;
    size_bytes_ -= it->second.state.size() + kEntryBytes;
    it = entries_.erase(it);
  }
  if (count == 0) return {};
  Writer out;
  out.var_uint(count);
  Bytes update = out.take();
  const Bytes entries = gone.take();
  update.insert(update.end(), entries.begin(), entries.end());
  return update;
}

Bytes AwarenessStore::encode() const {
  Writer out;
  out.var_uint(entries_.size());
  for (const auto& [client, entry] : entries_) {
    out.var_uint(client);
    out.var_uint(entry.clock);
    out.var_string(entry.state);
  }
  return out.take();
}

}  // namespace diaryx::sync::relay
