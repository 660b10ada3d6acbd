#include "history_log.h"

#include <algorithm>
#include <utility>

#include "diaryx/base/shorten.h"
#include "diaryx/base/sort.h"
#include "host.h"
#include "storage_keys.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kIndexKey = "sync.history";
constexpr uint8_t kIndexVersion = 1;
constexpr size_t kChunkBytes = 128 << 10;
/// A document is folded when it has so many blocks more than folding left the last time.
constexpr uint64_t kManyBlocks = 32;

struct Chunk {
  std::vector<Bytes> blocks;
  bool is_whole = true;  // false: its end cannot be read
};

Chunk parse_chunk(ByteView bytes) {
  Chunk chunk;
  Reader in(bytes);
  while (!in.at_end()) {
    const auto block = in.var_bytes();
    if (!block) {
      chunk.is_whole = false;
      break;
    }
    chunk.blocks.push_back(to_bytes(*block));
  }
  return chunk;
}

/// The records that come after a point, of some in order.
std::span<const sync::HistoryRecord> records_after(std::span<const sync::HistoryRecord> records,
                                                   sync::HistoryPoint point) {
  const auto first = std::ranges::upper_bound(records, point, {}, &sync::HistoryRecord::sequence);
  return records.subspan(static_cast<size_t>(first - records.begin()));
}

sync::HistoryPoint last_of(const Bytes& block) {
  const auto records = sync::decode_history_block(block);
  return records ? records->back().sequence : 0;
}

}  // namespace

// --- start ----------------------------------------------------------------------------------------------------------

void HistoryLog::load() {
  const auto bytes = space_.get(kIndexKey);
  if (!bytes) return;
  Reader in(*bytes);
  const auto version = in.u8();
  const auto last = in.var_uint();
  const auto time = in.var_uint();
  bool good = version == kIndexVersion && last && time;
  if (good) {
    last_ = *last;
    last_time_ = TimestampMs{static_cast<int64_t>(*time)};
  }
  while (good && !in.at_end()) {
    const auto doc = in.var_string();
    const auto first = in.var_uint();
    const auto next = in.var_uint();
    const auto blocks = in.var_uint();
    const auto folded = in.var_uint();
    const auto end = in.var_uint();
    const auto only = in.var_bytes();
    good = doc && first && next && blocks && folded && end && only && *first <= *next;
    if (!good) break;
    index_.insert_or_assign(std::string(*doc), Entry{*first, *next, *blocks, *folded, *end, 0, to_bytes(*only)});
    last_ = std::max(last_, *end);
  }
  if (good) return;
  host::log(host::Level::Warn, "the index of the history is damaged; what it does not name any more is not shown");
}

bool HistoryLog::adopt(const std::string& doc, TimestampMs now) {
  if (index_.contains(doc) || fresh_.contains(doc)) return false;
  const sync::HistoryRecord base{.sequence = ++last_, .time = now, .origin = sync::HistoryOrigin::Base};
  last_time_ = now;
  const auto block = sync::encode_history_block({&base, 1});
  if (block) index_.insert_or_assign(doc, Entry{.last = base.sequence, .only = *block});
  return true;
}

std::vector<Bytes> HistoryLog::replay(const std::string& doc, ByteView block) {
  std::vector<Bytes> updates;
  auto records = sync::decode_history_block(block);
  if (!records) return updates;
  for (const sync::HistoryRecord& record : *records) updates.push_back(record.update);
  if (const sync::HistoryRecord& newest = records->back(); newest.sequence > last_) {
    last_ = newest.sequence;
    last_time_ = newest.time;
  }
  std::vector<sync::HistoryRecord>& fresh = fresh_[doc];
  for (sync::HistoryRecord& record : *records) {
    // An entry of the journal that stands twice counts once.
    if (fresh.empty() || record.sequence > fresh.back().sequence) fresh.push_back(std::move(record));
  }
  return updates;
}

// --- recording ------------------------------------------------------------------------------------------------------

std::optional<HistoryLog::Recorded> HistoryLog::record(const sync::PersistUpdate& update, TimestampMs now) {
  if (!recorder_) recorder_.emplace(device_, last_, last_time_, last_mark_);
  auto row = recorder_->record(update, now);
  if (!row) {
    host::log(host::Level::Warn, "a change of " + update.doc + " is too large for the history");
    return std::nullopt;
  }
  last_ = row->sequence;
  last_time_ = now;
  fresh_[update.doc].push_back(std::move(row->record));
  return Recorded{std::move(row->block), std::move(row->mark)};
}

void HistoryLog::marked(const sync::HistoryMark& mark) {
  last_mark_ = mark;
  if (recorder_) recorder_->set_last_mark(mark);
}

// --- compaction -----------------------------------------------------------------------------------------------------

bool HistoryLog::settle(const std::string& doc, std::span<const sync::HistoryMark> marks, TimestampMs now) {
  const auto fresh = fresh_.find(doc);
  if (fresh == fresh_.end()) return true;
  const bool is_new = !index_.contains(doc);
  Entry& entry = index_[doc];
  if (is_new && fresh->second.size() == 1) {
    // Its state is about to be stored, and holds the same.
    sync::HistoryRecord& record = fresh->second.front();
    const Bytes update = std::exchange(record.update, {});
    if (auto only = sync::encode_history_block(fresh->second)) {
      entry.last = record.sequence;
      entry.only = std::move(*only);
      fresh_.erase(fresh);
      return true;
    }
    record.update = update;
  }
  if (!append(doc, entry, fresh->second)) return false;
  fresh_.erase(doc);
  if (entry.blocks > entry.folded_blocks + kManyBlocks && !host::nearly_exhausted()) fold(doc, entry, marks, now);
  return true;
}

bool HistoryLog::append(const std::string& doc, Entry& entry, std::span<const sync::HistoryRecord> fresh) {
  const bool has_chunks = entry.next_chunk > entry.first_chunk;
  const bool is_full = has_chunks && entry.last_chunk_bytes >= kChunkBytes;  // then it need not be read
  uint64_t number = has_chunks && !is_full ? entry.next_chunk - 1 : entry.next_chunk;
  // Without chunks there may be one all the same, written just before a crash.
  const auto stored = space_.get(history_key(doc, number));
  Chunk chunk = stored ? parse_chunk(*stored) : Chunk{};
  if (!stored && !entry.only.empty()) {
    if (auto block = only_block(doc, entry)) chunk.blocks.push_back(std::move(*block));
  }
  const sync::HistoryPoint known = !chunk.blocks.empty() ? last_of(chunk.blocks.back()) : has_chunks ? entry.last : 0;
  entry.last = std::max(entry.last, known);
  const auto records = records_after(fresh, known);
  const auto block = records.empty() ? Result<Bytes>{Bytes{}} : sync::encode_history_block(records);
  if (records.empty() || !block) {
    if (stored) entry.next_chunk = number + 1;
    return true;
  }
  if (stored && (!chunk.is_whole || stored->size() >= kChunkBytes)) {
    ++number;
    chunk.blocks.clear();
  }
  chunk.blocks.push_back(*block);
  Writer out;
  for (const Bytes& each : chunk.blocks) out.var_bytes(each);
  if (!space_.keep(history_key(doc, number), out.view())) return false;
  entry.last = records.back().sequence;
  entry.last_chunk_bytes = out.size();
  ++entry.blocks;
  entry.next_chunk = number + 1;
  entry.only.clear();
  return true;
}

void HistoryLog::fold(const std::string& doc, Entry& entry, std::span<const sync::HistoryMark> marks, TimestampMs now) {
  sync::DocHistory records;
  for (const Bytes& block : blocks_of(doc, entry)) {
    if (!records.add(block)) return;  // a damaged block is left alone, and all others with it
  }
  const auto blocks = sync::compact_history(records, marks, now);
  if (!blocks || blocks->empty()) return;
  uint64_t number = entry.next_chunk;
  Writer out;
  for (const sync::StoredBlock& block : *blocks) {
    if (out.size() > 0 && out.size() + block.bytes.size() > kChunkBytes) {
      if (!space_.keep(history_key(doc, number++), out.view())) return;
      out = Writer{};
    }
    out.var_bytes(block.bytes);
  }
  if (!space_.keep(history_key(doc, number++), out.view())) return;
  for (uint64_t old = entry.first_chunk; old < entry.next_chunk; ++old) garbage_.push_back(history_key(doc, old));
  entry.first_chunk = entry.next_chunk;
  entry.next_chunk = number;
  entry.last_chunk_bytes = 0;
  entry.blocks = entry.folded_blocks = blocks->size();
}

bool HistoryLog::write_index() {
  Writer out;
  out.u8(kIndexVersion);
  out.var_uint(last_);
  out.var_uint(static_cast<uint64_t>(std::max<int64_t>(last_time_.value(), 0)));
  for (const auto& [doc, entry] : index_) {
    out.var_string(doc);
    for (const uint64_t number : {entry.first_chunk, entry.next_chunk, entry.blocks, entry.folded_blocks, entry.last})
      out.var_uint(number);
    out.var_bytes(entry.only);
  }
  return space_.keep(kIndexKey, out.view());
}

void HistoryLog::sweep() {
  while (!garbage_.empty()) {
    space_.set(garbage_.back(), {});
    garbage_.pop_back();
  }
}

// --- reading --------------------------------------------------------------------------------------------------------

std::optional<Bytes> HistoryLog::only_block(const std::string& doc, const Entry& entry) const {
  auto records = sync::decode_history_block(entry.only);
  auto stored = space_.read_document(doc);
  if (!records || records->size() != 1 || !stored) return std::nullopt;
  records->front().update = std::move(stored->state);
  auto block = sync::encode_history_block(*records);
  if (!block) return std::nullopt;
  return std::move(*block);
}

std::vector<Bytes> HistoryLog::blocks_of(const std::string& doc, const Entry& entry) const {
  std::vector<Bytes> blocks;
  const auto add_chunk = [&](uint64_t number) {
    const auto bytes = space_.get(history_key(doc, number));
    if (!bytes) return false;
    for (Bytes& block : parse_chunk(*bytes).blocks) blocks.push_back(std::move(block));
    return true;
  };
  if (entry.next_chunk == entry.first_chunk) {
    // A chunk that was written just before a crash holds more than the index knows, and the state is a newer one by then.
    if (add_chunk(entry.next_chunk)) return blocks;
    if (auto block = only_block(doc, entry)) blocks.push_back(std::move(*block));
    return blocks;
  }
  for (uint64_t number = entry.first_chunk; number < entry.next_chunk; ++number) add_chunk(number);
  return blocks;
}

size_t HistoryLog::read(const std::string& doc, sync::History& history) const {
  size_t damaged = 0;
  if (const auto entry = index_.find(doc); entry != index_.end()) {
    for (const Bytes& block : blocks_of(doc, entry->second)) damaged += !history.add(doc, block);
  }
  const auto fresh = fresh_.find(doc);
  if (fresh == fresh_.end()) return damaged;
  const sync::DocHistory* known = history.document(doc);
  const sync::HistoryPoint last = known && !known->records().empty() ? known->records().back().sequence : 0;
  const auto records = records_after(fresh->second, last);
  if (records.empty()) return damaged;
  const auto block = sync::encode_history_block(records);
  if (!block || !history.add(doc, *block)) ++damaged;
  return damaged;
}

std::vector<std::string> HistoryLog::newer_than(sync::HistoryPoint point) const {
  std::vector<std::string> docs;
  for (const auto& [doc, entry] : index_) {
    if (entry.last > point && !fresh_.contains(doc)) docs.push_back(doc);
  }
  for (const auto& [doc, records] : fresh_) {
    if (!records.empty() && records.back().sequence > point) docs.push_back(doc);
  }
  return docs;
}

std::vector<std::string> HistoryLog::recent(size_t count) const {
  std::vector<std::pair<sync::HistoryPoint, std::string>> docs;
  for (const auto& [doc, entry] : index_) {
    if (!fresh_.contains(doc)) docs.emplace_back(entry.last, doc);
  }
  for (const auto& [doc, records] : fresh_) {
    if (!records.empty()) docs.emplace_back(records.back().sequence, doc);
  }
  sort_compactly(docs, std::greater<>());
  shorten(docs, count);
  std::vector<std::string> names;
  for (auto& [last, doc] : docs) names.push_back(std::move(doc));
  return names;
}

}  // namespace diaryx::plugin
