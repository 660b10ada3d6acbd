// The small words that relay events and actions share.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "diaryx/base/bytes.h"
#include "diaryx/base/units.h"

namespace diaryx::sync::relay {

/// One connection for as long as it lives; the shell never uses a number twice.
using ConnectionId = Unit<struct ConnectionIdTag, uint64_t>;

/// A question the relay asked the shell; the answer carries it back. Tickets grow and are never used twice.
using Ticket = Unit<struct TicketTag, uint64_t>;

/// The place of a stored update in the storage's order; grows, 0 = nothing stored.
using Sequence = Unit<struct SequenceTag, uint64_t>;

/// Bytes encoded once and sent to many.
using SharedBytes = std::shared_ptr<const Bytes>;
using SharedText = std::shared_ptr<const std::string>;

/// Who is at the other end, as the shell learnt it from the token before it let the connection in.
struct Principal {
  std::string user_id;    // `guest:<id>` for guests
  std::string device_id;  // stored with every update of this connection; may be empty
  bool guest = false;
  std::string join_code = {};  // of the share session that let a guest in; told to the guest itself only

  bool operator==(const Principal&) const = default;
};

/// One piece of memory for all connections of one device.
using SharedPrincipal = std::shared_ptr<const Principal>;
inline SharedPrincipal share(Principal principal) { return std::make_shared<const Principal>(std::move(principal)); }

/// What a principal may do with one workspace.
enum class Access : uint8_t { Denied, ReadOnly, ReadWrite };

/// What caused a stored update; kept with the record, for history. The numbers are stored, so they do not change.
enum class UpdateOrigin : uint8_t {
  Remote = 0,   // a client sent it
  Import = 1,   // a snapshot was uploaded
  Restore = 2,  // an older state was brought back as forward edits
};

/// Why the shell could not do what it was asked; the relay turns it into a sentence for clients.
enum class StorageFailure : uint8_t {
  Unavailable,  // disk, database or network failed; trying again later may help
  Full,         // no space left
  Damaged,      // what is stored cannot be read
};

/// Bounds, so that no client can make the relay grow without end. Sizes in bytes.
struct Limits {
  size_t max_frame_bytes = 64u << 20;         // binary message; the largest document a client can send at once
  size_t max_text_bytes = 1u << 20;           // control message
  uint64_t max_document_bytes = 48u << 20;    // of a whole document, as an update: it has to fit into a message
  size_t max_documents = 250'000;             // open per connection
  size_t max_held_bytes = 32u << 20;  // frames held and updates uncommitted per connection: reading is paused
  size_t held_overhead_bytes = 512;  // counted beside the bytes of each, so that many small ones are bounded too
  size_t max_awareness_bytes = 64u << 10;  // awareness kept per document
  uint32_t max_bad_frames = 16;  // after so many refused frames the connection is closed
  DurationMs idle_before_unload{10'000};  // a document of which nothing is asked; a large one stays longer
  uint64_t max_idle_bytes =
      128u << 20;   // of all documents that nothing is asked of now; beyond it those that were left first go at once
  uint32_t compact_after_records = 500;  // log records since the last stored snapshot
  size_t max_resting_bytes =
      64u << 10;  // a document nobody edits is kept as its bytes; a larger one once it is told whole
};

/// Close codes the relay gives. 1000-1015: RFC 6455; clients come back after all but PolicyViolation.
enum class CloseCode : uint16_t {
  GoingAway = 1001,
  PolicyViolation = 1008,
  MessageTooBig = 1009,
  TryAgainLater = 1013,
};

}  // namespace diaryx::sync::relay
