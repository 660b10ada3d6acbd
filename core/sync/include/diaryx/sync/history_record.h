// What is kept of every stored update: when, where and why it was made, and its bytes.
//
// A block holds one record or many of one document. A shell stores each new record as a block of its own, in the same
// transaction as the update; compaction packs many into one, where devices are named once and times are differences.
//
//     block   = 01 | devices | records | check
//     devices = count, then per device: id, name (both text)
//     records = count, then per record:
//               sequence (the first as it stands, the others minus the one before)
//               time in ms (a signed difference to the one before; the first to 0)
//               flags: origin in bits 0 to 2, 08 device, 10 note, 20 merged
//               [device: index] [note: text] [merged: count, span in ms, writers: count, then client and device index each]
//               update (bytes with their length)
//     check   = the first 8 bytes of the SHA-256 of everything before
//
// Numbers are lib0 varints, texts and bytes have a varint length in front. Source: docs/history.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/base/units.h"

namespace diaryx::sync {

/// The longest block that is read: a packed one stays near 64 KiB unless one update alone is longer.
inline constexpr size_t kMaxHistoryBlockBytes = size_t{256} << 20;

/// Why an update was stored.
enum class HistoryOrigin : uint8_t {
  Local,  // edited on this device
  Remote,  // another device's edit, as it happened
  Sync,  // another device's edits, as the answer to "what do you have that I lack"
  Restore,  // brought back from history on this device; the note names the restore
  Import,  // the first time a file of this device's disk was taken in
  Move,  // operations that came along when the file was renamed; the note is the key they came from
  Base,  // what the document held when its history began here
};

struct HistoryDevice {
  std::string id;  // empty when not known
  std::string name;  // for people; may be empty

  bool operator==(const HistoryDevice&) const = default;
};

/// Which device a CRDT client belongs to, as far as a merged record knew it.
struct HistoryWriter {
  ClientId client;
  HistoryDevice device;

  bool operator==(const HistoryWriter&) const = default;
};

struct HistoryRecord {
  /// Grows with every record of the workspace, whatever the document: the time axis that never jumps.
  uint64_t sequence = 0;
  /// When it was stored here; of a merged record, when the last of its updates was.
  TimestampMs time;
  HistoryOrigin origin = HistoryOrigin::Local;
  /// Who made it. Empty for updates of others: their clients say it, see `History::device_of`.
  HistoryDevice device;
  std::string note;
  /// Stored updates that this record stands for, and how long before `time` the first of them was.
  uint64_t merged = 1;
  DurationMs span;
  /// Of a merged record: who wrote what is in it.
  std::vector<HistoryWriter> writers;
  /// v1. Checked when it is replayed, not when it is read here.
  Bytes update;

  bool operator==(const HistoryRecord&) const = default;
};

/// Records of one document as a block.
///
/// records  at least one, ascending by sequence; that they are is our own invariant.
/// Errors   TooLarge.
Result<Bytes> encode_history_block(std::span<const HistoryRecord> records);

/// Takes a block apart. Nothing is reserved for what it only announces.
///
/// block    not trusted.
/// Errors   Truncated, TrailingBytes, VarUintTooLong, NumberOutOfRange, InvalidUtf8, UnknownTag (version, flags, origin),
///          BadReference (a device that is not in the list, sequences that do not ascend), Conflict (the check does not
///          match: a damaged block), TooLarge.
Result<std::vector<HistoryRecord>> decode_history_block(ByteView block);

/// `local`, `remote`, `sync`, `restore`, `import`, `move`, `base`.
std::string_view name_of(HistoryOrigin origin);
/// The same as peers of `HistoryEntry` know it: `local`, `remote` or `sync`.
std::string_view wire_name_of(HistoryOrigin origin);

}  // namespace diaryx::sync
