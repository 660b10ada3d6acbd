// The five commands of the history that every sync plugin has.

#include <algorithm>
#include <array>

#include "diaryx/base/shorten.h"
#include "diaryx/base/sort.h"
#include "diaryx/sync/history_diff.h"
#include "diaryx/sync/history_timeline.h"
#include "document_tools.h"
#include "past.h"
#include "restore.h"

namespace diaryx::plugin {
namespace {

Json entries_json(std::vector<sync::HistoryEntry> entries, size_t limit) {
  sort_compactly_by(entries, &sync::HistoryEntry::update_id, std::greater<>());
  if (limit > 0) shorten(entries, limit);
  Json list = Json::array();
  for (const sync::HistoryEntry& entry : entries) list.push(sync::to_json(entry));
  return list;
}

// Of `workspace`: everything that happened to its files, entries and texts, since both are what a workspace was.
Reply get_history(Guest& guest, Past& past, const Json& params) {
  const auto doc = doc_param(guest, params);
  if (!doc) return command_failed(doc.error());
  const size_t limit = limit_param(params, 0);
  std::vector<sync::HistoryEntry> entries;
  if (*doc == kWorkspaceDoc) {
    past.load_recent(limit > 0 ? limit : SIZE_MAX);  // the newest records are in the documents that changed last
    for (const std::string& name : past.history().documents()) {
      for (sync::HistoryEntry& entry : sync::document_entries(past.history(), name, limit))
        entries.push_back(std::move(entry));
    }
  } else {
    past.load(*doc);
    entries = sync::document_entries(past.history(), *doc, limit);
  }
  return entries_json(std::move(entries), limit);
}

Reply get_file_history(Guest& guest, Past& past, const Json& params) {
  const auto path = text_param(params, "file_path");
  if (!path) return command_failed(path.error());
  const std::string key = guest.disk().to_workspace(*path);
  past.load_file(key);
  std::vector<sync::HistoryEntry> entries = sync::file_entries(past.history(), key);
  const size_t limit = limit_param(params, 0);
  if (limit > 0) shorten(entries, limit);
  Json list = Json::array();
  for (const sync::HistoryEntry& entry : entries) list.push(sync::to_json(entry));
  return list;
}

Reply no_state(int64_t id) { return command_failed("No state found at update ID " + std::to_string(id)); }

std::expected<int64_t, std::string> id_param(const Json& params, const char* name) {
  if (const auto id = params.integer_member(name)) return *id;
  return std::unexpected("Missing parameter: " + std::string(name));
}

Reply restore_version(Guest& guest, Past& past, const Json& params) {
  const auto doc = doc_param(guest, params);
  if (!doc) return command_failed(doc.error());
  const auto id = id_param(params, "update_id");
  if (!id) return command_failed(id.error());
  const auto point = static_cast<sync::HistoryPoint>(*id);
  if (*id < 1 || point > past.last()) return no_state(*id);
  sync::RestoreChoice choice{.point = point};
  if (*doc != kWorkspaceDoc) {
    const std::string path = doc->substr(kBodyPrefix.size());
    past.load_file(path);
    if (!past.history().name_at(path, point)) return no_state(*id);
    choice.paths = {path};
  }
  past.load_for(choice);
  const Restored restored = carry_out(guest, past.history(), choice, sync::plan_restore(past.history(), choice));
  if (!restored.problems.empty()) return command_failed(restored.problems.front());
  return Json{};
}

Reply get_version_diff(Guest& guest, Past& past, const Json& params) {
  const auto doc = doc_param(guest, params);
  if (!doc) return command_failed(doc.error());
  const auto from = id_param(params, "from_id");
  const auto to = id_param(params, "to_id");
  if (!from || !to) return command_failed(!from ? from.error() : to.error());
  const auto clamped = [&](int64_t id) {
    return std::min<sync::HistoryPoint>(static_cast<uint64_t>(std::max<int64_t>(id, 0)), past.last());
  };
  const sync::HistoryPoint begin = clamped(*from);
  const sync::HistoryPoint end = clamped(*to);
  past.load_newer(std::min(begin, end));
  const sync::History& history = past.history();

  std::vector<sync::FileDiff> diffs = sync::metadata_changes(history, begin, end);
  // A file whose text is another one is modified too, whatever its entry says.
  for (const sync::ChangedFile& file : sync::changed_files(history, begin, end)) {
    if (file.is_binary || file.kind != sync::FileChangeKind::Changed) continue;
    if (std::ranges::find(diffs, file.path, &sync::FileDiff::path) != diffs.end()) continue;
    diffs.push_back({file.path, sync::MetadataChange::Modified, history.metadata_at(file.path, begin),
                     history.metadata_at(file.path, end)});
  }
  sort_compactly_by(diffs, &sync::FileDiff::path);
  Json list = Json::array();
  for (const sync::FileDiff& diff : diffs) {
    if (*doc == kWorkspaceDoc || *doc == sync::body_document(diff.path)) list.push(sync::to_json(diff));
  }
  return list;
}

Reply get_state_at(Guest& guest, Past& past, const Json& params) {
  const auto doc = doc_param(guest, params);
  if (!doc) return command_failed(doc.error());
  const auto id = id_param(params, "update_id");
  if (!id) return command_failed(id.error());
  past.load(*doc);
  const sync::DocHistory* records = past.history().document(*doc);
  const auto point = static_cast<sync::HistoryPoint>(std::max<int64_t>(*id, 0));
  if (!records || records->records().empty() || records->records().front().sequence > point) return Json{};
  crdt::Doc state({.client = ClientId{1}, .emit = crdt::Emit::Nothing});
  (void)records->replay(state, sync::kHistoryStart, point);
  return data_reply(state.encode_update_v1());
}

constexpr std::array kCommands{
    Command{"GetHistory", of_past<get_history>},
    Command{"GetFileHistory", of_past<get_file_history>},
    Command{"RestoreVersion", going_back<restore_version>, Declared::Yes, Stores::Yes},
    Command{"GetVersionDiff", of_past<get_version_diff>},
    Command{"GetStateAt", of_past<get_state_at>},
};

}  // namespace

std::span<const Command> version_commands() { return kCommands; }

}  // namespace diaryx::plugin
