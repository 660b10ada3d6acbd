// What the plugin keeps in the host's key-value storage: documents, records of the replica, and the changes since.
//
// Keys, in the part of the storage that belongs to the workspace (`Space`)
//  `workspace_crdt`       whole state of the workspace document, v1 (as older plugins wrote it)
//  `body:<name>`          whole state of a body document; <name> is escaped, see `body_key`
//  `body_doc_manifest`    JSON array of the body documents that are stored
//  `sync.records`         workspace, number of the first live journal entry, the replica's records (binary, varints)
//  `sync.journal.<n>`     one flush: updates (each as a record of the history) and records, in order
//  `sync.history`, `history.<n>:<document key>`   see `history_log.h`
//
// Invariants
//  1. One flush is one `storage_set`: all of it is stored or nothing. A host without transactions thus gives us one.
//  2. States first, then `sync.records` (which moves the start of the journal), then the old entries go, each once what is before it
//     was looked for and found: a host may fail without a word. A crash between any two, or a host that stores no more, leaves a
//     journal that says the same again, which is harmless: updates and records are idempotent.
//  3. Stored state is never replaced by an emptier one: nothing is written before what is stored was read, and what was
//     stored but could not be read is copied aside before its key is written.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "diaryx/base/bytes.h"
#include "history_log.h"
#include "storage_keys.h"

namespace diaryx::sync {
class Replica;
}

namespace diaryx::plugin {

class Journal {
 public:
  struct Update {
    std::string doc;  // `workspace` or `body:<key>`
    Bytes bytes;
  };
  /// What a session starts from.
  struct Stored {
    std::string workspace_id;  // empty: unknown or never linked
    std::vector<Update> updates;
    std::map<std::string, std::string> records;
    bool empty() const { return updates.empty() && records.empty(); }
  };

  /// space   where its workspace is stored.
  explicit Journal(Space space = Space()) : space_(space), history_(std::move(space)) {}

  /// Whose workspace is stored in a space; empty: nobody's for all that is known.
  static std::string owner(const Space& space);

  /// Reads everything. Bad entries are logged and left aside; the rest is used.
  Stored load();

  /// True once something was found by `load`, or something was written.
  bool has_stored() const { return found_ || flushed_; }

  void add_update(const sync::PersistUpdate& update, TimestampMs now);
  void add_record(std::string_view key, std::string_view value);

  /// Stores what was added since the last flush. Does nothing when nothing was.
  void flush();
  /// The same if something of it was made here: nobody is to hear of it before it is stored.
  void flush_made_here();
  /// The same, unless all of it came from the server moments ago: what a crash takes of that is asked for again, so that many small
  /// edits of others are stored in one step. For the end of an export that did nothing but tell of them.
  void flush_soon(TimestampMs now);
  /// What was added is stored with this export, and what is added first if nothing was.
  void wait_no_longer() { is_urgent_ = true; }

  /// Folds the journal into whole states and chunks of history. Writes what changed since the last time, and the workspace
  /// document if it was never stored. When there is more than one export may ask of its host, a later call goes on.
  void compact(const sync::Replica& replica, std::string_view workspace_id, TimestampMs now);
  /// True when the journal has grown long enough that the next start would take noticeably longer.
  bool wants_compaction() const;

  HistoryLog& history() { return history_; }
  const HistoryLog& history() const { return history_; }
  /// Marks of the history, by point.
  std::vector<sync::HistoryMark> marks() const;
  void add_mark(const sync::HistoryMark& mark);
  void remove_mark(const sync::HistoryMark& mark);

  /// All records as they stand, for a replica that is built anew.
  const std::map<std::string, std::string>& records() const { return records_; }

 private:
  void load_head(Stored& stored);
  void load_document(const std::string& doc, Stored& stored);
  void load_entries(Stored& stored);
  bool read_item(Reader& in, Stored& stored);
  void begin_item(uint8_t kind, std::string_view name);
  void begin_history(std::span<const std::string> states);
  enum class Entry : uint8_t { Absent, Damaged, Whole };
  Entry load_entry(uint64_t number, Stored& stored);
  bool store(const std::string& key, ByteView bytes);
  bool write_manifest() const;
  bool write_head(std::string_view workspace_id);

  Space space_;
  HistoryLog history_;
  std::vector<Update> old_updates_;  // of a journal that was written before there was a history
  std::map<std::string, std::string> records_;
  std::set<std::string> stored_bodies_;  // keys of the manifest
  std::set<std::string> changed_;  // documents with entries in the journal
  std::set<std::string> damaged_;  // storage keys whose value could not be read
  Writer pending_;  // the next entry
  std::optional<TimestampMs> pending_since_;
  bool is_urgent_ = false;  // something of it was made here, or is the first that is stored
  uint64_t first_ = 0;  // oldest live entry
  uint64_t next_ = 0;
  size_t bytes_since_compaction_ = 0;
  bool has_workspace_ = false;  // `workspace_crdt` is stored
  bool is_old_ = false;  // the journal was written before there was a history
  bool found_ = false;
  bool flushed_ = false;
};

}  // namespace diaryx::plugin
