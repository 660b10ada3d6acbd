// What the plugin keeps of the past: records of every stored update, in chunks per document, and an index of them.
//
//     change -> record -> journal entry (with the update in it) -> at compaction: chunk `history.<n>:<document>`
//
// Most documents were stored once and never changed again. Their only record holds what their stored state holds, so it is
// not written a second time: the index keeps the record without its bytes.
//
// Invariants
//  1. Numbers of chunks only grow: folding writes new ones, then the index, and takes the old ones away last.
//  2. A record is in the journal until its chunk and the index are stored; what is in both counts once, by its sequence.
//  3. The state of a document is overwritten only after its only record got its bytes (see above) in a chunk.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/sync/history.h"
#include "diaryx/sync/history_keep.h"
#include "storage_keys.h"

namespace diaryx::plugin {

class HistoryLog {
 public:
  explicit HistoryLog(Space space = Space()) : space_(std::move(space)) {}

  /// Who stands in the records of what is done here.
  void set_device(const sync::HistoryDevice& device) { device_ = device; }

  // --- start ------------------------------------------------------------------------------------------------------

  /// Reads the index. One that cannot be read is left aside: the history begins anew.
  void load();
  /// A stored document that has no history yet begins it with what it holds. True: the index is to be written.
  bool adopt(const std::string& doc, TimestampMs now);
  /// A record of the journal, not trusted. Returns its updates; empty when it cannot be read.
  std::vector<Bytes> replay(const std::string& doc, ByteView block);

  // --- recording --------------------------------------------------------------------------------------------------

  /// After everything stored was read. last_mark: the newest one that is stored.
  void start(std::optional<sync::HistoryMark> last_mark) { last_mark_ = std::move(last_mark); }
  struct Recorded {
    Bytes block;  // for the journal
    std::optional<sync::HistoryMark> mark;  // to be stored too
  };
  /// Nothing: the update is too large for a record and is stored without one.
  std::optional<Recorded> record(const sync::PersistUpdate& update, TimestampMs now);
  /// After somebody made a mark.
  void marked(const sync::HistoryMark& mark);

  // --- compaction -------------------------------------------------------------------------------------------------

  /// Writes what is new of a document into its chunks. Call before its state is overwritten. False: the host did not store it.
  bool settle(const std::string& doc, std::span<const sync::HistoryMark> marks, TimestampMs now);
  bool write_index();
  /// Takes chunks away that the stored index does not name any more.
  void sweep();

  // --- reading ----------------------------------------------------------------------------------------------------

  /// Adds all records of a document. Returns how many parts could not be read.
  size_t read(const std::string& doc, sync::History& history) const;
  sync::HistoryPoint last() const { return last_; }
  /// Documents with records after a point.
  std::vector<std::string> newer_than(sync::HistoryPoint point) const;
  /// Those that changed last, at most so many.
  std::vector<std::string> recent(size_t count) const;

 private:
  struct Entry {
    uint64_t first_chunk = 0;
    uint64_t next_chunk = 0;
    uint64_t blocks = 0;  // in all chunks
    uint64_t folded_blocks = 0;  // so many were left when it was folded last
    sync::HistoryPoint last = 0;
    size_t last_chunk_bytes = 0;  // not stored: 0 when not known
    Bytes only;  // the only record, without its update; empty when there are chunks
  };

  std::vector<Bytes> blocks_of(const std::string& doc, const Entry& entry) const;
  std::optional<Bytes> only_block(const std::string& doc, const Entry& entry) const;
  bool append(const std::string& doc, Entry& entry, std::span<const sync::HistoryRecord> fresh);
  void fold(const std::string& doc, Entry& entry, std::span<const sync::HistoryMark> marks, TimestampMs now);

  Space space_;
  sync::HistoryDevice device_;
  std::map<std::string, Entry, std::less<>> index_;
  std::map<std::string, std::vector<sync::HistoryRecord>, std::less<>> fresh_;  // of the journal, not yet in a chunk
  std::vector<std::string> garbage_;  // keys
  std::optional<sync::HistoryMark> last_mark_;
  std::optional<sync::HistoryRecorder> recorder_;
  sync::HistoryPoint last_ = 0;
  TimestampMs last_time_;
};

}  // namespace diaryx::plugin
