// A delete set as bytes, for any kind of output. Private to the engine.
#pragma once

#include <algorithm>
#include <vector>

#include "diaryx/base/sort.h"
#include "diaryx/crdt/delete_set.h"

namespace diaryx::crdt {

/// Calls `write` for each client, descending.
template <typename Write>
void for_each_descending(const DeleteSet& set, Write&& write) {
  const std::span<const DeleteSet::ClientRanges> clients = set.clients();
  const auto descends = [](const auto& a, const auto& b) { return a.client > b.client; };
  if (std::is_sorted(clients.begin(), clients.end(), descends)) {
    for (const DeleteSet::ClientRanges& entry : clients) write(entry);
    return;
  }
  std::vector<const DeleteSet::ClientRanges*> order;
  order.reserve(clients.size());
  for (const DeleteSet::ClientRanges& entry : clients) order.push_back(&entry);
  sort_compactly(order, [&](auto* a, auto* b) { return descends(*a, *b); });
  for (const DeleteSet::ClientRanges* entry : order) write(*entry);
}

template <typename Out>
void write_deletes_v1(Out& out, const DeleteSet& set) {
  out.var_uint(set.clients().size());
  for_each_descending(set, [&](const DeleteSet::ClientRanges& entry) {
    out.var_uint(entry.client.value());
    out.var_uint(entry.ranges.size());
    for (const ClockRange& range : entry.ranges) {
      out.var_uint(range.start.value());
      out.var_uint(range.length.value());
    }
  });
}

template <typename Out>
void write_deletes_v2(Out& out, const DeleteSet& set) {
  out.var_uint(set.clients().size());
  for_each_descending(set, [&](const DeleteSet::ClientRanges& entry) {
    out.var_uint(entry.client.value());
    out.var_uint(entry.ranges.size());
    Clock current{0};
    for (const ClockRange& range : entry.ranges) {
      out.var_uint((range.start - current).value());
      out.var_uint(range.length.value() - 1);
      current = range.end();
    }
  });
}

}  // namespace diaryx::crdt
