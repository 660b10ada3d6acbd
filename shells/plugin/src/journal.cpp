#include "journal.h"

#include <algorithm>
#include <utility>

#include "diaryx/base/json.h"
#include "diaryx/base/sort.h"
#include "diaryx/crdt/update.h"
#include "diaryx/sync/replica.h"
#include "host.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kManifestKey = "body_doc_manifest";
constexpr std::string_view kHeadKey = "sync.records";
constexpr std::string_view kEntryKey = "sync.journal.";

constexpr uint8_t kEntryVersion = 1;
// Update: as older plugins wrote it, without a record of the history around it, and for updates too large for one.
enum class Kind : uint8_t { Update = 0, Record = 1, History = 2 };

// A host may fail to store one entry without a word; a few missing numbers do not end the journal.
constexpr uint64_t kLongestGap = 4;
constexpr uint64_t kMostDamaged = 64;  // one after another
constexpr uint64_t kManyEntries = 1'000;
constexpr size_t kManyBytes = 4 << 20;
// A tab that is closed loses no more than this of what others did, and has it back when it is opened.
constexpr DurationMs kLongestWait{2'000};
constexpr size_t kManyPendingBytes = 64 << 10;
constexpr size_t kEmptyStateBytes = 2;  // `00 00`

std::string entry_key(uint64_t number) { return std::string(kEntryKey) + std::to_string(number); }

std::string_view body_name(std::string_view doc) { return doc.substr(kBodyPrefix.size()); }

}  // namespace

std::string Journal::owner(const Space& space) {
  const auto bytes = space.get(kHeadKey);
  Reader in(bytes ? ByteView{*bytes} : ByteView{});
  if (in.u8() != kEntryVersion) return {};
  return std::string(in.var_string().value_or(std::string_view{}));
}

Journal::Stored Journal::load() {
  Stored stored;
  load_head(stored);
  load_document(std::string(kWorkspaceDoc), stored);
  has_workspace_ = !stored.updates.empty();
  if (const auto manifest = stored_json(space_, kManifestKey); manifest && manifest->as_array()) {
    for (const Json& name : *manifest->as_array()) {
      if (const std::string* text = name.as_string()) stored_bodies_.insert(*text);
    }
  }
  for (const std::string& name : stored_bodies_) load_document(std::string(kBodyPrefix) + name, stored);
  std::vector<std::string> states;
  for (const Update& update : stored.updates) {
    if (update.bytes.size() > kEmptyStateBytes) states.push_back(update.doc);
  }
  history_.load();
  load_entries(stored);
  records_ = stored.records;
  begin_history(states);
  found_ = found_ || !stored.empty();
  return stored;
}

void Journal::load_head(Stored& stored) {
  const auto bytes = space_.get(kHeadKey);
  if (!bytes) return;
  Reader in(*bytes);
  const auto version = in.u8();
  const auto workspace = in.var_string();
  const auto first = in.var_uint();
  bool good = version == kEntryVersion && workspace && first;
  if (good) {
    stored.workspace_id = *workspace;
    first_ = *first;
  }
  while (good && !in.at_end()) {
    const auto key = in.var_string();
    const auto value = in.var_bytes();
    good = key && value;
    if (good) stored.records.insert_or_assign(std::string(*key), std::string(as_text(*value)));
  }
  if (good) return;
  host::log(host::Level::Warn, "the stored records are damaged and kept aside");
  damaged_.insert(std::string(kHeadKey));
}

void Journal::load_document(const std::string& doc, Stored& stored) {
  auto found = space_.read_document(doc);
  if (!found) return;
  if (const auto valid = crdt::validate_update_v1(found->state); !valid) {
    host::log(host::Level::Warn, "stored document " + doc + " is damaged and kept aside: " + describe(valid.error()));
    damaged_.insert(found->key);
    return;
  }
  stored.updates.push_back({doc, std::move(found->state)});
}

// Documents that were stored without a history begin it with what they hold, and then with what an old journal says.
void Journal::begin_history(std::span<const std::string> states) {
  const TimestampMs now = host::now();
  bool adopted = false;
  for (const std::string& doc : states) adopted = history_.adopt(doc, now) || adopted;
  if (adopted) history_.write_index();
  const std::vector<sync::HistoryMark> known = marks();
  history_.start(known.empty() ? std::nullopt : std::optional(known.back()));
  for (Update& old : std::exchange(old_updates_, {})) {
    is_old_ = true;
    (void)history_.record({old.doc, std::move(old.bytes), sync::HistoryOrigin::Sync}, now);
  }
}

void Journal::load_entries(Stored& stored) {
  next_ = first_;
  uint64_t last_whole = first_;
  for (uint64_t number = first_; number <= next_ + kLongestGap; ++number) {
    const Entry entry = load_entry(number, stored);
    if (entry == Entry::Absent) continue;
    next_ = number + 1;
    if (entry == Entry::Whole) last_whole = number;
    // A storage that has something for every key has no journal.
    if (number > last_whole + kMostDamaged) return;
  }
}

Journal::Entry Journal::load_entry(uint64_t number, Stored& stored) {
  const auto bytes = space_.get(entry_key(number));
  if (!bytes) return Entry::Absent;
  bytes_since_compaction_ += bytes->size();
  Reader in(*bytes);
  bool good = in.u8() == kEntryVersion;
  while (good && !in.at_end()) good = read_item(in, stored);
  if (good) return Entry::Whole;
  host::log(host::Level::Warn, "the end of " + entry_key(number) + " is damaged and was left out");
  return Entry::Damaged;
}

bool Journal::read_item(Reader& in, Stored& stored) {
  const auto kind = in.u8();
  const auto name = in.var_string();
  const auto value = in.var_bytes();
  if (!kind || !name || !value) return false;
  const std::string key(*name);
  switch (static_cast<Kind>(*kind)) {
    case Kind::Record:
      if (value->empty())
        stored.records.erase(key);
      else
        stored.records.insert_or_assign(key, std::string(as_text(*value)));
      return true;
    case Kind::Update:
      changed_.insert(key);
      if (!crdt::validate_update_v1(*value)) return true;
      stored.updates.push_back({key, to_bytes(*value)});
      old_updates_.push_back({key, to_bytes(*value)});
      return true;
    case Kind::History: {
      changed_.insert(key);
      const std::vector<Bytes> updates = history_.replay(key, *value);
      for (const Bytes& update : updates) {
        if (crdt::validate_update_v1(update)) stored.updates.push_back({key, update});
      }
      return !updates.empty();
    }
  }
  return false;
}

void Journal::begin_item(uint8_t kind, std::string_view name) {
  if (pending_.size() == 0) pending_.u8(kEntryVersion);
  pending_.u8(kind);
  pending_.var_string(name);
}

void Journal::add_update(const sync::PersistUpdate& update, TimestampMs now) {
  if (update.origin != sync::HistoryOrigin::Remote && update.origin != sync::HistoryOrigin::Sync) is_urgent_ = true;
  const auto recorded = history_.record(update, now);
  if (recorded && recorded->mark) add_mark(*recorded->mark);
  begin_item(static_cast<uint8_t>(recorded ? Kind::History : Kind::Update), update.doc);
  pending_.var_bytes(recorded ? recorded->block : update.update);
  changed_.emplace(update.doc);
}

void Journal::add_record(std::string_view key, std::string_view value) {
  begin_item(static_cast<uint8_t>(Kind::Record), key);
  pending_.var_string(value);
  if (value.empty())
    records_.erase(std::string(key));
  else
    records_[std::string(key)] = value;
}

void Journal::flush() {
  if (pending_.size() == 0) return;
  // A native host that cannot store ends the call here: what is pending stays pending and goes with the next flush. So does what was
  // made here if the host did not keep it: nobody else has it, and what is stored later would wait for it for good. A host that keeps
  // nothing at all is not to be slower and slower for it.
  const std::string key = entry_key(next_);
  if (is_urgent_ && pending_.size() < kManyBytes) {
    if (!space_.keep(key, pending_.view())) return;
  } else {
    space_.set(key, pending_.view());
  }
  bytes_since_compaction_ += pending_.size();
  pending_ = Writer{};
  pending_since_.reset();
  is_urgent_ = false;
  ++next_;
  flushed_ = true;
}

void Journal::flush_made_here() {
  if (is_urgent_) flush();
}

void Journal::flush_soon(TimestampMs now) {
  if (pending_.size() == 0) return;
  if (!pending_since_) pending_since_ = now;
  // The host's clock may go back.
  const bool is_recent = now >= *pending_since_ && now < *pending_since_ + kLongestWait;
  if (is_urgent_ || !is_recent || pending_.size() >= kManyPendingBytes) flush();
}

bool Journal::wants_compaction() const {
  return is_old_ || next_ - first_ >= kManyEntries || bytes_since_compaction_ >= kManyBytes;
}

void Journal::compact(const sync::Replica& replica, std::string_view workspace_id, TimestampMs now) {
  for (const sync::HistoryMark& mark : sync::marks_to_drop(marks(), now)) remove_mark(mark);
  flush();
  if (next_ == first_ && has_workspace_) return;
  if (!has_workspace_) changed_.emplace(kWorkspaceDoc);
  const std::vector<sync::HistoryMark> kept = marks();
  while (!changed_.empty()) {
    if (host::nearly_exhausted()) return;
    const std::string doc = *changed_.begin();
    if (!history_.settle(doc, kept, now) || !store(document_key(doc), replica.document_state(doc))) return;
    if (doc.starts_with(kBodyPrefix)) stored_bodies_.emplace(body_name(doc));
    changed_.erase(doc);
  }
  if (!write_manifest() || !history_.write_index()) return;
  const uint64_t old = std::exchange(first_, next_);
  if (!write_head(workspace_id)) {
    first_ = old;
    return;
  }
  for (uint64_t number = old; number < first_; ++number) space_.set(entry_key(number), {});
  history_.sweep();
  bytes_since_compaction_ = 0;
  has_workspace_ = true;
  is_old_ = false;
  flushed_ = true;
}

std::vector<sync::HistoryMark> Journal::marks() const {
  std::vector<sync::HistoryMark> found;
  for (auto at = records_.lower_bound("mark:"); at != records_.end() && at->first.starts_with("mark:"); ++at) {
    if (auto mark = sync::parse_mark_record(at->first, at->second)) found.push_back(std::move(*mark));
  }
  sort_compactly_by(found, &sync::HistoryMark::point);
  return found;
}

void Journal::add_mark(const sync::HistoryMark& mark) {
  is_urgent_ = true;
  const sync::PersistRecord record = sync::mark_record(mark);
  add_record(record.key, record.value);
  history_.marked(mark);
}

void Journal::remove_mark(const sync::HistoryMark& mark) {
  is_urgent_ = true;
  add_record(sync::mark_record_key(mark), {});
}

bool Journal::store(const std::string& key, ByteView bytes) {
  if (damaged_.erase(key) > 0) {
    if (const auto old = space_.get(key)) space_.set(std::string(kDamagedKey) + key, *old);
  }
  return space_.keep(key, bytes);
}

bool Journal::write_manifest() const {
  Json names = Json::array();
  for (const std::string& name : stored_bodies_) names.push(name);
  return space_.keep(kManifestKey, as_bytes(names.dump()));
}

bool Journal::write_head(std::string_view workspace_id) {
  Writer out;
  out.u8(kEntryVersion);
  out.var_string(workspace_id);
  out.var_uint(first_);
  for (const auto& [key, value] : records_) {
    out.var_string(key);
    out.var_string(value);
  }
  return store(std::string(kHeadKey), out.view());
}

}  // namespace diaryx::plugin
