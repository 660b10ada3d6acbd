// A small workspace that writes its history: devices edit documents, one of them keeps the records.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/history.h"
#include "diaryx/sync/history_keep.h"
#include "diaryx/sync/metadata.h"
#include "diaryx/sync/text_diff.h"
#include "diaryx/testing/random.h"

namespace diaryx::sync::testing {

/// The device that keeps the history. Others hand it their updates.
class Book {
 public:
  explicit Book(HistoryDevice device = {"laptop-id", "Laptop"}) : recorder_(device, 0, TimestampMs{}, std::nullopt) {}

  TimestampMs now{1'700'000'000'000};

  HistoryPoint record(std::string doc, Bytes update, HistoryOrigin origin = HistoryOrigin::Local,
                      std::string note = {}) {
    const PersistUpdate action{std::move(doc), std::move(update), origin, std::move(note)};
    HistoryRecorder::Row row = *recorder_.record(action, now);
    if (row.mark) marks.push_back(*row.mark);
    stored[row.doc].push_back({row.sequence, row.sequence, std::move(row.block)});
    return row.sequence;
  }

  /// Changes the text of a body by its difference, as this device or another one.
  HistoryPoint write(const std::string& path, std::string_view text, uint64_t client = 10,
                     HistoryOrigin origin = HistoryOrigin::Local) {
    crdt::Doc& doc = doc_of("body:" + path);
    doc.set_client(ClientId{client});
    crdt::Text body = doc.text("body");
    crdt::Transaction txn = doc.transact();
    const std::vector<TextEdit> edits = diff_text(body.to_string(), text);
    for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
      if (edit->erased != Length{}) (void)body.erase(txn, edit->at, edit->erased);
      if (!edit->inserted.empty()) (void)body.insert(txn, edit->at, edit->inserted);
    }
    return record("body:" + path, std::move(txn).commit().update_v1(), origin);
  }

  HistoryPoint list(const std::string& path, bool deleted = false, const std::string& moved_to = {},
                    uint64_t client = 10, HistoryOrigin origin = HistoryOrigin::Local) {
    FileMetadata entry{.filename = path, .deleted = deleted, .modified_at = now};
    entry.extra.push_back({"_h", Json("x")});
    if (!moved_to.empty()) entry.extra.push_back({"_to", Json(moved_to)});
    return set("files", path, format_metadata(entry), client, origin);
  }

  HistoryPoint set(std::string_view root, const std::string& key, const std::string& value, uint64_t client = 10,
                   HistoryOrigin origin = HistoryOrigin::Local) {
    crdt::Doc& doc = doc_of("workspace");
    doc.set_client(ClientId{client});
    crdt::Transaction txn = doc.transact();
    doc.map(root).set(txn, key, crdt::Any::string(value));
    return record("workspace", std::move(txn).commit().update_v1(), origin);
  }

  crdt::Doc& doc_of(const std::string& name) {
    std::unique_ptr<crdt::Doc>& doc = docs_[name];
    if (doc == nullptr) doc = std::make_unique<crdt::Doc>(crdt::DocOptions{.client = ClientId{10}});
    return *doc;
  }

  History history() const {
    History history;
    for (const auto& [doc, blocks] : stored) {
      for (const StoredBlock& block : blocks) DX_ASSERT(history.add(doc, block.bytes));
    }
    return history;
  }

  size_t stored_bytes() const {
    size_t bytes = 0;
    for (const auto& [doc, blocks] : stored) {
      for (const StoredBlock& block : blocks) bytes += block.bytes.size();
    }
    return bytes;
  }

  void compact(const RetentionRule& rule = {}) {
    for (const HistoryMark& gone : marks_to_drop(marks, now, rule)) std::erase(marks, gone);
    for (auto& [doc, blocks] : stored) {
      DocHistory records;
      for (const StoredBlock& block : blocks) DX_ASSERT(records.add(block.bytes));
      blocks = *compact_history(records, marks, now, rule);
    }
  }

  std::map<std::string, std::vector<StoredBlock>> stored;
  std::vector<HistoryMark> marks;

 private:
  HistoryRecorder recorder_;
  std::map<std::string, std::unique_ptr<crdt::Doc>> docs_;
};

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

}  // namespace diaryx::sync::testing
