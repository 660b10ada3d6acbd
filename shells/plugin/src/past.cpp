#include "past.h"

#include <algorithm>

#include "commands.h"

namespace diaryx::plugin {

std::string_view Past::missing(Guest& guest) {
  return guest.session()->options().keep ? "" : "A guest in a shared session keeps no history of it.";
}

Past::Past(Guest& guest) : log_(guest.journal().history()) { load(std::string(kWorkspaceDoc)); }

Reply with_past(Guest& guest, const Json& params, PastCommand run) {
  if (const std::string_view why = Past::missing(guest); !why.empty()) return refused(why);
  Past past(guest);
  return run(guest, past, params);
}

Reply go_back(Guest& guest, const Json& params, PastCommand run) {
  if (guest.session()->options().write_files) guest.session()->notice_missing();
  return with_past(guest, params, run);
}

void Past::load(const std::string& doc) {
  if (!loaded_.insert(doc).second) return;
  if (log_.read(doc, history_) > 0)
    host::log(host::Level::Warn, "a part of the history of " + doc + " cannot be read and is left out");
}

void Past::load_file(const std::string& path) {
  for (const std::string& doc : history_.documents_of(path)) load(doc);
}

void Past::load_recent(size_t count) {
  for (const std::string& doc : log_.recent(count)) load(doc);
}

void Past::load_newer(sync::HistoryPoint point) {
  for (const std::string& doc : log_.newer_than(point)) load(doc);
}

void Past::load_for(const sync::RestoreChoice& choice) {
  for (const std::string& doc : sync::documents_for_restore(history_, choice, log_.newer_than(choice.point))) load(doc);
  for (const std::string& path : choice.paths) load_file(path);
}

bool Past::names_a_folder(std::string_view path) const {
  if (path.empty()) return true;
  const std::string inside = std::string(path) + '/';
  const auto holds = [&](const std::string& file) { return file.starts_with(inside); };
  return std::ranges::any_of(history_.files_at(sync::kHistoryNow), holds) ||
         std::ranges::any_of(history_.files_changed(),
                             [&](const auto& files) { return std::ranges::any_of(files, holds); });
}

std::expected<sync::HistoryPoint, std::string> point_param(const Past& past, const Json& params, const char* name,
                                                           sync::HistoryPoint otherwise) {
  const Json* given = params.find(name);
  if (!given || given->is_null()) return otherwise;
  const auto number = given->as_integer();
  if (!number || *number < 0)
    return std::unexpected("The parameter " + std::string(name) + " is no point of the history.");
  const auto point = static_cast<sync::HistoryPoint>(*number);
  if (point <= past.last()) return point;
  return std::unexpected("There is no point " + std::to_string(point) + " yet; the last one is " +
                         std::to_string(past.last()) + '.');
}

}  // namespace diaryx::plugin
