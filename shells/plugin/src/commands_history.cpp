// What happened, what is different, and going back, as the panels ask for it.

#include <algorithm>
#include <array>

#include "diaryx/base/shorten.h"
#include "diaryx/sync/history_diff.h"
#include "diaryx/sync/history_timeline.h"
#include "document_tools.h"
#include "past.h"
#include "restore.h"

namespace diaryx::plugin {
namespace {

constexpr size_t kDefaultGroups = 50;
constexpr size_t kDefaultRestores = 20;
/// So many documents are looked through for the timeline of everything.
constexpr size_t kRecentDocuments = 300;

#define DX_POINT(name, params, key, otherwise)                         \
  const auto name##_given = point_param(past, params, key, otherwise); \
  if (!name##_given) return refused(name##_given.error());             \
  const sync::HistoryPoint name = *name##_given

Json binary_json(const sync::BinaryRef& ref) {
  return Json{}.set("hash", ref.hash).set("size", ref.size).set("mime_type", ref.mime_type);
}

std::string path_param(Guest& guest, const Json& params) {
  return guest.disk().to_workspace(params.string_member("path").value_or(""));
}

std::expected<std::string, std::string> file_param(Guest& guest, const Json& params) {
  std::string path = path_param(guest, params);
  if (path.empty()) return std::unexpected("Missing parameter: path");
  return path;
}

// --- what happened --------------------------------------------------------------------------------------------------

std::vector<sync::TimelineGroup> groups_of(Past& past, const std::string& path) {
  if (!past.names_a_folder(path)) {
    past.load_file(path);
    return sync::file_timeline(past.history(), path);
  }
  past.load_recent(kRecentDocuments);
  std::vector<sync::TimelineGroup> groups = sync::timeline(past.history());
  if (path.empty()) return groups;
  for (sync::TimelineGroup& group : groups)
    std::erase_if(group.files, [&](const std::string& file) { return !file.starts_with(path + '/'); });
  std::erase_if(groups, [](const sync::TimelineGroup& group) { return group.files.empty(); });
  return groups;
}

Reply timeline_of(Guest& guest, Past& past, const Json& params) {
  Json answer = Json{}.set("last_id", past.last());
  const auto groups = groups_of(past, path_param(guest, params));
  const size_t limit = std::min(limit_param(params, kDefaultGroups), groups.size());
  Json list = Json::array();
  for (size_t i = 0; i < limit; ++i) list.push(sync::to_json(groups[i]));
  const sync::HistoryDevice& device = guest.device();
  return answer.set("more", limit < groups.size())
      .set("device_id", device.id)
      .set("device_name", device.name)
      .set("groups", std::move(list));
}

// Panels ask every few seconds, and mostly nothing happened: then nothing is read from storage.
Reply get_timeline(Guest& guest, const Json& params) {
  const auto known = params.integer_member("known_id");
  const Session* session = guest.session();
  const sync::HistoryPoint last = guest.journal().history().last();
  if (session && session->options().keep && known && static_cast<uint64_t>(*known) == last)
    return Json{}.set("last_id", last).set("unchanged", true);
  return with_past(guest, params, timeline_of);
}

Reply get_file_at(Guest& guest, Past& past, const Json& params) {
  const auto path = file_param(guest, params);
  if (!path) return refused(path.error());
  DX_POINT(point, params, "update_id", past.last());
  past.load_file(*path);
  const auto file = past.history().file_at(*path, point);
  return Json{}
      .set("path", file ? file->path : *path)
      .set("update_id", point)
      .set("exists", file.has_value())
      .set("text", file && !file->binary && file->text_known ? Json{file->text} : Json{})
      .set("text_known", file.has_value() && file->text_known)
      .set("binary", file && file->binary ? binary_json(*file->binary) : Json{});
}

Reply get_files_at(Guest&, Past& past, const Json& params) {
  DX_POINT(point, params, "update_id", past.last());
  Json files = Json::array();
  for (const std::string& path : past.history().files_at(point)) {
    const auto metadata = past.history().metadata_at(path, point);
    files.push(Json{}.set("path", path).set("binary", !metadata || metadata->deleted));
  }
  return Json{}.set("update_id", point).set("files", std::move(files));
}

std::string_view hash_of(const std::optional<sync::PastFile>& file) {
  return file && file->binary ? std::string_view(file->binary->hash) : std::string_view();
}

Reply get_file_diff(Guest& guest, Past& past, const Json& params) {
  const auto path = file_param(guest, params);
  if (!path) return refused(path.error());
  past.load_file(*path);
  const sync::History& history = past.history();
  const auto groups = sync::file_timeline(history, *path, {}, 1);
  DX_POINT(from, params, "from_id", groups.empty() ? sync::kHistoryStart : groups.front().first - 1);
  DX_POINT(to, params, "to_id", past.last());
  const auto before = history.file_at(*path, from);
  const auto after = history.file_at(*path, to);
  const std::string_view old_text = before ? std::string_view(before->text) : std::string_view();
  const std::string_view new_text = after ? std::string_view(after->text) : std::string_view();
  const bool is_same =
      before.has_value() == after.has_value() && old_text == new_text && hash_of(before) == hash_of(after);
  Json hunks = Json::array();
  for (const sync::DiffHunk& hunk : sync::diff_lines(old_text, new_text)) hunks.push(sync::to_json(hunk));
  Json fields = Json::array();
  for (sync::FieldChange& change :
       sync::field_changes(history.metadata_at(*path, from), history.metadata_at(*path, to))) {
    fields.push(Json{}
                    .set("field", change.field)
                    .set("before", std::move(change.before))
                    .set("after", std::move(change.after)));
  }
  return Json{}
      .set("path", *path)
      .set("from_id", from)
      .set("to_id", to)
      .set("existed_before", before.has_value())
      .set("exists_after", after.has_value())
      .set("same", is_same)
      .set("hunks", std::move(hunks))
      .set("words", sync::to_json(sync::diff_words(old_text, new_text)))
      .set("metadata", std::move(fields));
}

Reply get_changed_files(Guest&, Past& past, const Json& params) {
  DX_POINT(from, params, "from_id", past.last());
  DX_POINT(to, params, "to_id", past.last());
  past.load_newer(std::min(from, to));
  Json files = Json::array();
  for (const sync::ChangedFile& file : sync::changed_files(past.history(), from, to)) {
    files.push(Json{}
                   .set("path", file.path)
                   .set("kind", sync::name_of(file.kind))
                   .set("from", text_or_null(file.from))
                   .set("binary", file.is_binary));
  }
  return Json{}.set("from_id", from).set("to_id", to).set("files", std::move(files));
}

Reply get_blame(Guest& guest, Past& past, const Json& params) {
  const auto path = file_param(guest, params);
  if (!path) return refused(path.error());
  DX_POINT(point, params, "update_id", past.last());
  past.load_file(*path);
  const auto spans = past.history().attribution(*path, point);
  if (!spans) return refused("There was no text file " + *path + " at that point.");
  Json list = Json::array();
  for (const sync::AttributedSpan& span : *spans) {
    list.push(Json{}
                  .set("text", span.text)
                  .set("device_id", text_or_null(span.device.id))
                  .set("device_name", text_or_null(span.device.name))
                  .set("time", span.time.value())
                  .set("origin", sync::name_of(span.origin))
                  .set("update_id", span.sequence));
  }
  return Json{}.set("path", *path).set("update_id", point).set("spans", std::move(list));
}

// --- going back -----------------------------------------------------------------------------------------------------

/// What to go back with, and what it needs of the past loaded.
std::expected<sync::RestoreChoice, std::string> choice_param(Guest& guest, Past& past, const Json& params) {
  if (!params.integer_member("update_id")) return std::unexpected("Missing parameter: update_id");
  const auto point = point_param(past, params, "update_id", 0);
  if (!point) return std::unexpected(point.error());
  const auto seen = point_param(past, params, "to_id", past.last());
  if (!seen) return std::unexpected(seen.error());
  sync::RestoreChoice choice{.point = *point};
  choice.paths = paths_param(guest, params, "paths");
  if (const Json* paths = params.find("paths"); paths && paths->as_array() && choice.paths.empty())
    return std::unexpected("The list of paths names no file; leave it out to go back with everything.");
  if (const Json* hunks = params.find("hunks"); hunks && hunks->as_array()) {
    for (const Json& hunk : *hunks->as_array()) {
      if (const auto index = hunk.as_integer(); index && *index >= 0)
        choice.hunks.push_back(static_cast<size_t>(*index));
    }
    if (choice.hunks.empty() || choice.paths.size() != 1)
      return std::unexpected("Hunks are those of one file: give its path in paths.");
  }
  past.load_for(choice);
  // Hunks are counted in the text that somebody saw: in another one the same number is another change.
  const auto text_at = [&](sync::HistoryPoint when) {
    auto file = past.history().file_at(choice.paths[0], when);
    return file ? std::move(file->text) : std::string();
  };
  if (!choice.hunks.empty() && text_at(*seen) != text_at(sync::kHistoryNow))
    return std::unexpected("The file has changed since it was shown.");
  return choice;
}

Json restored_json(const sync::RestorePlan& plan, const Restored& restored) {
  Json problems = Json::array();
  for (const std::string& problem : restored.problems) problems.push(problem);
  return sync::to_json(plan).set("restore_id", text_or_null(restored.id)).set("problems", std::move(problems));
}

Reply preview_restore(Guest& guest, Past& past, const Json& params) {
  const auto choice = choice_param(guest, past, params);
  if (!choice) return refused(choice.error());
  return sync::to_json(sync::plan_restore(past.history(), *choice));
}

Reply restore_history(Guest& guest, Past& past, const Json& params) {
  const auto choice = choice_param(guest, past, params);
  if (!choice) return refused(choice.error());
  const sync::RestorePlan plan = sync::plan_restore(past.history(), *choice);
  return restored_json(plan, carry_out(guest, past.history(), *choice, plan));
}

Reply list_restores(Guest&, Past& past, const Json& params) {
  past.load_recent(kRecentDocuments);
  auto restores = sync::done_restores(past.history());
  shorten(restores, limit_param(params, kDefaultRestores));
  Json list = Json::array();
  for (const sync::DoneRestore& done : restores) {
    Json paths = Json::array();
    for (const std::string& path : done.paths) paths.push(path);
    list.push(Json{}
                  .set("restore_id", done.id)
                  .set("time", done.time.value())
                  .set("before_id", done.before)
                  .set("after_id", done.after)
                  .set("paths", std::move(paths)));
  }
  return Json{}.set("restores", std::move(list));
}

Reply undo_restore(Guest& guest, Past& past, const Json& params) {
  past.load_recent(kRecentDocuments);
  const auto done = sync::find_restore(past.history(), params.string_member("restore_id"),
                                       [&](sync::HistoryPoint point) { past.load_newer(point); });
  if (!done) return refused("Nothing was restored lately that could be taken back.");
  for (const std::string& path : done->paths) past.load_file(path);
  const sync::RestorePlan plan = sync::plan_undo(past.history(), *done);
  if (flag_param(params, "preview", false)) return restored_json(plan, {});
  return restored_json(plan, carry_out(guest, past.history(), {.point = done->before, .paths = done->paths}, plan));
}

#undef DX_POINT

constexpr std::array kCommands{
    Command{"GetTimeline", get_timeline},
    Command{"GetFileAt", of_past<get_file_at>},
    Command{"GetFilesAt", of_past<get_files_at>},
    Command{"GetFileDiff", of_past<get_file_diff>},
    Command{"GetChangedFiles", of_past<get_changed_files>},
    Command{"GetBlame", of_past<get_blame>},
    Command{"PreviewRestore", going_back<preview_restore>},
    Command{"RestoreHistory", going_back<restore_history>, Declared::Yes, Stores::Yes},
    Command{"ListRestores", of_past<list_restores>},
    Command{"UndoRestore", going_back<undo_restore>, Declared::Yes, Stores::Yes},
};

}  // namespace

std::span<const Command> history_commands() { return kCommands; }

}  // namespace diaryx::plugin
