#include <algorithm>
#include <utility>

#include "diaryx/base/shorten.h"
#include "diaryx/base/sort.h"
#include "diaryx/sync/history_timeline.h"
#include "roots.h"

namespace diaryx::sync {
namespace {

/// A record that belongs to what is asked, with its place.
struct Step {
  std::string_view doc;
  size_t record = 0;
  const HistoryRecord* said = nullptr;
  std::vector<std::string> files;
  std::vector<std::string> removed;  // of these
};

void add_steps(const History& history, std::string_view doc, std::vector<Step>& steps,
               HistoryPoint up_to = kHistoryNow) {
  const DocHistory* records = history.document(doc);
  if (records == nullptr) return;
  const bool is_workspace = doc == kWorkspaceName;
  for (size_t i = 0; i < records->records().size(); ++i) {
    const HistoryRecord& said = records->records()[i];
    if (said.sequence > up_to) break;
    Step step{.doc = doc, .record = i, .said = &said};
    if (is_workspace) {
      step.files = history.files_changed()[i];
      if (step.files.empty()) continue;  // a device that said its name, and the like
      step.removed = history.files_removed()[i];
    } else {
      step.files.push_back(history.path_of_document(doc));
    }
    steps.push_back(std::move(step));
  }
}

/// Up to which point the text of a former document belongs to the file: until it first came along into a later one. What is
/// typed into the old one after that has a record in the new one, too.
HistoryPoint end_of_document(const History& history, std::span<const std::string> keys, const std::string& key) {
  HistoryPoint end = kHistoryNow;
  for (const std::string& other : keys) {
    const DocHistory* records = history.document(body_document(other));
    if (records == nullptr || other == key) continue;
    const auto moved = std::ranges::find_if(records->records(), [&](const HistoryRecord& record) {
      return record.origin == HistoryOrigin::Move && record.note == key;
    });
    if (moved != records->records().end()) end = std::min(end, moved->sequence);
  }
  return end;
}

std::vector<Step> file_steps(const History& history, const std::string& path, std::vector<std::string>& documents) {
  const std::vector<std::string> names = history.names_of(path);
  std::vector<Step> steps;
  add_steps(history, kWorkspaceName, steps);
  std::erase_if(steps, [&](const Step& step) {
    return std::ranges::none_of(step.files,
                                [&](const std::string& file) { return std::ranges::find(names, file) != names.end(); });
  });
  const std::vector<std::string> keys = history.document_keys_of(path);
  for (const std::string& key : keys) documents.push_back(body_document(key));
  for (size_t i = 0; i < keys.size(); ++i) {
    add_steps(history, documents[i], steps, i == 0 ? kHistoryNow : end_of_document(history, keys, keys[i]));
  }
  return steps;
}

std::vector<Step> all_steps(const History& history, const std::vector<std::string>& documents) {
  std::vector<Step> steps;
  for (const std::string& doc : documents) add_steps(history, doc, steps);
  return steps;
}

HistoryEntry entry_of(const History& history, Step step) {
  return {.update_id = step.said->sequence,
          .timestamp = step.said->time,
          .origin = step.said->origin,
          .files_changed = std::move(step.files),
          .device = history.device_of(step.doc, step.record)};
}

/// Origins that people tell apart: others' edits are others' edits, whichever way they came.
HistoryOrigin kind_of(HistoryOrigin origin) { return origin == HistoryOrigin::Sync ? HistoryOrigin::Remote : origin; }

/// A group while it is made. Entries of the file list come with what changes the file, so they join whatever that is.
struct OpenGroup {
  size_t place;
  bool listings_only;
};

bool is_same_work(const TimelineGroup& group, const TimelineGroup& step) {
  return kind_of(group.origin) == kind_of(step.origin) && group.note == step.note;
}

// What a restore takes away is a part of it.
bool is_deletion(const TimelineGroup& group) {
  return !group.removed.empty() && group.origin != HistoryOrigin::Restore;
}

bool joins(const TimelineGroup& group, const TimelineGroup& step, const GroupRule& rule) {
  if (group.device != step.device) return false;
  const DurationMs pause = step.from - group.until;
  // A clock that was set back must not tear a stretch of work apart, nor hold it together for ever.
  if (pause > rule.pause || pause < DurationMs{-rule.pause.value()}) return false;
  return step.until - group.from <= rule.longest &&
         group.inserted + group.deleted + step.inserted + step.deleted <= rule.largest;
}

TimelineGroup group_of(const History& history, Step step) {
  const HistoryRecord& said = *step.said;
  const RecordShape& shape = history.document(step.doc)->shapes()[step.record];
  const bool is_workspace = step.doc == kWorkspaceName;
  return {.first = said.sequence,
          .last = said.sequence,
          .from = TimestampMs{said.time.value() - said.span.value()},
          .until = said.time,
          .origin = said.origin,
          .device = history.device_of(step.doc, step.record),
          .files = std::move(step.files),
          .removed = std::move(step.removed),
          .updates = said.merged,
          .inserted = is_workspace ? 0 : shape.inserted,  // of text only
          .deleted = is_workspace ? 0 : shape.deleted,
          .note = said.note};
}

void take_in(std::vector<std::string>& sorted, std::vector<std::string> more) {
  for (std::string& text : more) {
    const auto place = std::ranges::lower_bound(sorted, text);
    if (place == sorted.end() || *place != text) sorted.insert(place, std::move(text));
  }
}

void take_in(TimelineGroup& group, TimelineGroup step) {
  group.last = step.last;
  group.from = std::min(group.from, step.from);
  group.until = std::max(group.until, step.until);
  group.updates += step.updates;
  group.inserted += step.inserted;
  group.deleted += step.deleted;
  take_in(group.files, std::move(step.files));
  take_in(group.removed, std::move(step.removed));
}

std::vector<TimelineGroup> group_steps(const History& history, std::vector<Step> steps, const GroupRule& rule,
                                       size_t limit) {
  sort_compactly_by(steps, [](const Step& step) { return step.said->sequence; });
  std::vector<TimelineGroup> groups;
  // A rename, a deletion or a restore stands alone; edits join the open group of their device.
  std::map<std::string, OpenGroup> open;
  for (Step& step : steps) {
    const bool is_listing = step.doc == kWorkspaceName && step.said->origin != HistoryOrigin::Restore;
    TimelineGroup made = group_of(history, std::move(step));
    const auto found = open.find(made.device.id);
    if (found != open.end()) {
      TimelineGroup& group = groups[found->second.place];
      const bool fits = is_deletion(group) == is_deletion(made) &&
                        (is_listing || found->second.listings_only || is_same_work(group, made));
      if (fits && joins(group, made, rule)) {
        if (found->second.listings_only && !is_listing) {
          group.origin = made.origin;
          group.note = made.note;
          found->second.listings_only = false;
        }
        take_in(group, std::move(made));
        continue;
      }
    }
    open.insert_or_assign(made.device.id, OpenGroup{groups.size(), is_listing});
    groups.push_back(std::move(made));
  }
  sort_compactly_by(groups, &TimelineGroup::last, std::greater<>());
  if (limit != 0) shorten(groups, limit);
  return groups;
}

std::vector<HistoryEntry> list_steps(const History& history, std::vector<Step> steps, size_t limit) {
  if (limit != 0) shorten(steps, limit);
  std::vector<HistoryEntry> entries;
  for (Step& step : steps) entries.push_back(entry_of(history, std::move(step)));
  return entries;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json list(const std::vector<std::string>& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) array.push(text);
  return array;
}

}  // namespace

std::vector<HistoryEntry> document_entries(const History& history, std::string_view doc, size_t limit) {
  std::vector<Step> steps;
  add_steps(history, doc, steps);
  std::ranges::reverse(steps);
  return list_steps(history, std::move(steps), limit);
}

std::vector<HistoryEntry> file_entries(const History& history, const std::string& path, size_t limit) {
  std::vector<std::string> documents;
  std::vector<Step> steps = file_steps(history, path, documents);
  sort_compactly(steps, [](const Step& a, const Step& b) {
    return a.said->time != b.said->time ? a.said->time > b.said->time : a.said->sequence > b.said->sequence;
  });
  return list_steps(history, std::move(steps), limit);
}

std::vector<TimelineGroup> timeline(const History& history, const GroupRule& rule, size_t limit) {
  const std::vector<std::string> documents = history.documents();
  return group_steps(history, all_steps(history, documents), rule, limit);
}

std::vector<TimelineGroup> file_timeline(const History& history, const std::string& path, const GroupRule& rule,
                                         size_t limit) {
  std::vector<std::string> documents;
  std::vector<Step> steps = file_steps(history, path, documents);
  // The other files of a record that touched several are not asked for.
  const std::vector<std::string> names = history.names_of(path);
  const auto is_other = [&](const std::string& file) { return std::ranges::find(names, file) == names.end(); };
  for (Step& step : steps) {
    std::erase_if(step.files, is_other);
    std::erase_if(step.removed, is_other);
  }
  return group_steps(history, std::move(steps), rule, limit);
}

Json to_json(const HistoryEntry& entry) {
  Json json = Json::object();
  json.set("update_id", entry.update_id)
      .set("timestamp", entry.timestamp.value())
      .set("origin", wire_name_of(entry.origin))
      .set("files_changed", list(entry.files_changed))
      .set("device_id", text_or_null(entry.device.id))
      .set("device_name", text_or_null(entry.device.name));
  return json;
}

Json to_json(const TimelineGroup& group) {
  Json json = Json::object();
  json.set("first_id", group.first)
      .set("last_id", group.last)
      .set("from", group.from.value())
      .set("until", group.until.value())
      .set("origin", name_of(group.origin))
      .set("files", list(group.files))
      .set("removed", list(group.removed))
      .set("device_id", text_or_null(group.device.id))
      .set("device_name", text_or_null(group.device.name))
      .set("updates", group.updates)
      .set("inserted", group.inserted)
      .set("deleted", group.deleted)
      .set("note", text_or_null(group.note));
  return json;
}

}  // namespace diaryx::sync
