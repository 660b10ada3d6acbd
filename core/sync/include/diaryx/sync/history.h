// The past of a workspace: every stored update with its time and device, and the files as they were at any point.
//
// Fill it with the blocks of a store, then ask. It reads, it never changes anything; restoring is `history_restore.h`.
//
//     History history;
//     for (block of "workspace") history.add("workspace", block);
//     for (name : history.documents_of("a.md")) for (block of name) history.add(name, block);
//     history.file_at("a.md", 1204);
//
// Invariants
// 1. A point is a sequence number: everything stored up to and including it. It holds for all documents at once.
// 2. The past is replayed from the first record of a document (T21), never guessed from its present state.
// 3. A record that cannot be applied is skipped and counted; the others still show what they hold.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/sync/history_record.h"
#include "diaryx/sync/metadata.h"

namespace diaryx::sync {

/// Everything stored up to and including this sequence.
using HistoryPoint = uint64_t;
inline constexpr HistoryPoint kHistoryStart = 0;
inline constexpr HistoryPoint kHistoryNow = ~HistoryPoint{0};

/// What one record did, without replaying anything.
struct RecordShape {
  struct Wrote {
    ClientId client;
    Clock start;
    Clock end;
  };
  std::vector<Wrote> wrote;  // ascending by client
  uint64_t inserted = 0;  // UTF-16 units of text; values of maps are none
  uint64_t deleted = 0;
};

/// The records of one document, ascending by sequence.
class DocHistory {
 public:
  /// Errors: as `decode_history_block`; BadReference when the block does not come after what is here.
  Result<void> add(ByteView block);

  const std::vector<HistoryRecord>& records() const { return records_; }
  /// One per record. An update that cannot be read has an empty shape. Cost: the first call decodes every update.
  const std::vector<RecordShape>& shapes() const;

  /// Applies the records after `from` up to and including `to` to `doc`, which stands at `from`. Returns how many could not be
  /// applied.
  size_t replay(crdt::Doc& doc, HistoryPoint from, HistoryPoint to) const;

  struct Found {
    size_t record;  // index
    Clock until;  // the units of this client up to here came with it, too
  };
  /// The record that brought this unit; nothing for a unit that no record has.
  std::optional<Found> record_of(crdt::Id id) const;

 private:
  struct Brought {
    Clock end;
    size_t record;
  };
  std::vector<HistoryRecord> records_;
  mutable std::vector<RecordShape> shapes_;
  mutable std::map<ClientId, std::vector<Brought>> brought_;  // per client, ascending
};

/// A file at a point.
struct PastFile {
  std::string path;  // the name it had then
  std::optional<FileMetadata> metadata;  // of a text file
  std::string text;  // frontmatter and body, as on disk; empty for a binary file
  /// False when the file had a text that is not here, or not whole: its document came later, or a part of it is damaged.
  bool text_known = true;
  std::optional<BinaryRef> binary;  // of any other file
};

/// One part of a text and where it comes from.
struct AttributedSpan {
  std::string text;
  HistoryDevice device;  // empty when not known
  TimestampMs time;  // when it was stored here, see `HistoryRecord::time`
  HistoryOrigin origin = HistoryOrigin::Local;
  HistoryPoint sequence = 0;  // of the record; 0 when no record has it

  bool operator==(const AttributedSpan&) const = default;
};

class History {
 public:
  History();
  History(History&&) noexcept;
  History& operator=(History&&) noexcept;
  ~History();

  /// Blocks of a document must come in the order of their sequences. Errors: as `DocHistory::add`; the block is then left out.
  Result<void> add(std::string_view doc, ByteView block);

  /// Nothing is known of a document: null.
  const DocHistory* document(std::string_view doc) const;
  std::vector<std::string> documents() const;
  /// Where the list of files begins: which files there were before, nobody knows. The end of time without a list.
  HistoryPoint first() const;
  HistoryPoint last() const;
  /// Records that could not be applied in what was asked so far.
  size_t damaged() const;

  /// Documents that are wanted before this file is asked about: its body under its present and former names. The workspace
  /// document has to be here.
  std::vector<std::string> documents_of(const std::string& path) const;
  /// The same without the prefix, the present one first, and only those that held this file's text.
  std::vector<std::string> document_keys_of(const std::string& path) const;
  /// The path of the file whose body document this is: what is behind the prefix, or where a document that is named by a file's
  /// id is listed.
  std::string path_of_document(std::string_view doc) const;
  /// Names a file had, its own first; read from the tombstones that renames leave.
  std::vector<std::string> names_of(const std::string& path) const;
  /// The name under which the file that is now `path` was live at `point`; nothing if it was not.
  std::optional<std::string> name_at(const std::string& path, HistoryPoint point) const;

  /// Live files at a point, text and binary, sorted. Those that the workspace named; their texts need their documents.
  std::vector<std::string> files_at(HistoryPoint point) const;
  /// The file as it was, under the name it had; nothing if it was not there.
  std::optional<PastFile> file_at(const std::string& path, HistoryPoint point) const;
  /// The body document under this very name at a point, whole; nothing if it is not here.
  std::optional<Bytes> body_state_at(const std::string& path, HistoryPoint point) const;
  /// The stored value of an entry of the file list, tombstones included.
  std::optional<FileMetadata> metadata_at(const std::string& path, HistoryPoint point) const;

  /// Keys of the file lists (text and binary) that each record of the workspace document changed, by index of the record.
  const std::vector<std::vector<std::string>>& files_changed() const;
  /// Those of them that the record deleted; a rename deletes nothing.
  const std::vector<std::vector<std::string>>& files_removed() const;

  /// Who a CRDT client of a document is, from what devices say about themselves in the workspace document and from records
  /// made here.
  HistoryDevice device_of(std::string_view doc, ClientId client) const;
  /// Who made a record: as it says, else the only device that wrote in it.
  HistoryDevice device_of(std::string_view doc, size_t record) const;

  /// Who wrote what of a text file, as it was at `point`: parts one after another that make its text. Parts of one record stand
  /// together. Nothing if it was not there then.
  std::optional<std::vector<AttributedSpan>> attribution(const std::string& path, HistoryPoint point) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// `body:<key>`, the name of a body document in a device's store.
std::string body_document(std::string_view path);

}  // namespace diaryx::sync
