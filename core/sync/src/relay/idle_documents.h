// The open documents that nothing is asked of: when they leave memory, and which go first when there are too many.
//
//            note                          take_due, take_beyond_limit
//   in use ───────► idle: waits for its check ───────────────────────► to be unloaded
//      ▲      end    │             └──► waits longer, if it is large ──────┘
//      └─────────────┴───────────────────────────────┘
//
// Invariants
// 1. However often it is used, a document has one check. If it was used before that came, and is idle again, the check comes again
//    later.
// 2. None is taken before it was idle for `before_unload`, but for those that are too many; and none of these in its first second.
// 3. `bytes_` is the sum of what the idle ones took when they were noted last.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "diaryx/base/units.h"
#include "document_name.h"

namespace diaryx::sync::relay {

/// Cost   each a search by name and one by moment; more only where many moments have come.
class IdleDocuments {
 public:
  /// before_unload   so long nothing is asked of it; a large one stays longer.
  /// max_bytes       of all; beyond it those go at once that were left first, the large ones that stay longer before all others.
  IdleDocuments(DurationMs before_unload, uint64_t max_bytes) : before_unload_(before_unload), max_bytes_(max_bytes) {}

  /// Nothing is asked of it from now on; or since earlier, and it takes so much now.
  void note(const SharedDocId& document, uint64_t size_bytes, TimestampMs now);
  /// It is used.
  void end(const SharedDocId& document);
  /// It is in memory no longer, nor is anything of it.
  void forget(const SharedDocId& document);

  /// When to look for those that are due.
  std::optional<TimestampMs> next_moment() const;
  /// Taken out one after the other, to be unloaded; null: no more.
  SharedDocId take_due(TimestampMs now);
  SharedDocId take_beyond_limit(TimestampMs now);

 private:
  using Checks = std::multimap<TimestampMs, SharedDocId>;  // also of documents that are forgotten

  struct Document {
    SharedDocId id;
    TimestampMs check;  // when it is looked at: the moment of its one entry that counts
    std::optional<TimestampMs> since = std::nullopt;  // none: it is in use
    uint64_t size_bytes = 0;  // its part of `bytes_`
  };

  void check_at(Checks& checks, Document& document, TimestampMs moment);
  Document* take_first(Checks& checks);
  SharedDocId take_due_of(Checks& checks, TimestampMs now);
  SharedDocId take(const Document& document);

  DurationMs before_unload_;
  uint64_t max_bytes_;
  std::unordered_map<std::string_view, Document> documents_;  // by the id in them
  Checks checks_;
  Checks lingering_;  // the same of large documents, whose time had come once
  uint64_t bytes_ = 0;
};

}  // namespace diaryx::sync::relay
