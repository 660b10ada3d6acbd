// `history`, `diff` and `blame`: what happened, what is different, who wrote it.
#include <algorithm>
#include <map>

#include "commands.h"
#include "diaryx/sync/history_diff.h"
#include "diaryx/sync/history_timeline.h"
#include "history_place.h"
#include "output.h"
#include "said.h"

namespace diaryx::client {
namespace {

std::string device_name(const sync::HistoryDevice& device, const DeviceConfig& config) {
  if (device.id.empty()) return "another device";
  const std::string name = safe_line(device.name.empty() ? "device " + device.id.substr(0, 8) : device.name);
  return device.id == config.device_id ? name + " (this device)" : name;
}

std::string file_list(const std::vector<std::string>& files) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(files.size(), kShown); ++i) text += (i == 0 ? "" : ", ") + files[i];
  if (files.size() > kShown) text += " and " + counted(files.size() - kShown, "more file");
  return text;
}

/// Where each file comes into the list for the first time.
using Beginnings = std::map<std::string, sync::HistoryPoint>;

Beginnings beginnings_of(const sync::History& history) {
  Beginnings beginnings;
  const auto& changed = history.files_changed();
  for (size_t i = 0; i < changed.size(); ++i) {
    for (const std::string& file : changed[i])
      beginnings.emplace(file, history.document("workspace")->records()[i].sequence);
  }
  return beginnings;
}

std::string what_happened(const sync::TimelineGroup& group, const sync::History& history,
                          const Beginnings& beginnings) {
  const bool is_all_new = std::ranges::all_of(group.files, [&](const std::string& file) {
    const auto found = beginnings.find(file);
    return found == beginnings.end() || found->second >= group.first;
  });
  const std::string taken_in = is_all_new ? "first taken in" : "taken in or changed";
  switch (group.origin) {
    case sync::HistoryOrigin::Restore: return "brought back from history";
    case sync::HistoryOrigin::Move: return "renamed from " + group.note;
    case sync::HistoryOrigin::Import: return taken_in + ", " + counted(group.inserted, "character");
    case sync::HistoryOrigin::Base: return "as it was when this history began";
    default: break;
  }
  if (!group.removed.empty()) return "deleted";
  std::string text;
  if (group.inserted != 0) text = counted(group.inserted, "character") + " typed";
  if (group.deleted != 0) text += (text.empty() ? "" : ", ") + counted(group.deleted, "character") + " deleted";
  if (!text.empty()) return text;
  // Of what is no text the list has the bytes, by their hash.
  const bool is_text = std::ranges::any_of(
      group.files, [&](const std::string& file) { return history.metadata_at(file, sync::kHistoryNow).has_value(); });
  if (is_text) return "listing changed";
  return is_all_new ? "first taken in" : "other bytes";
}

void say_group(const sync::TimelineGroup& group, const std::string& what, const DeviceConfig& config, TimestampMs now,
               bool with_files) {
  std::string line =
      std::to_string(group.last) + ": " + spoken_time(group.until, now) + ", " + device_name(group.device, config);
  if (const std::string span = spoken_span(group.until - group.from); !span.empty()) line += ", over " + span;
  line += ": " + what;
  if (with_files) line += ", in " + file_list(group.files);
  say(line + ".");
}

bool names_a_folder(const sync::History& history, const std::string& path) {
  if (path.empty()) return true;
  const auto holds = [&](const std::string& file) { return file.starts_with(path + "/"); };
  return std::ranges::any_of(history.files_at(sync::kHistoryNow), holds) ||
         std::ranges::any_of(history.files_changed(),
                             [&](const auto& files) { return std::ranges::any_of(files, holds); });
}

/// Loads a file with its names, or what changed lately for a folder.
Attempt<void> load(HistoryReader& reader, const std::string& path) {
  return names_a_folder(reader.history(), path) ? reader.load_recent() : reader.load_file(path);
}

std::vector<sync::TimelineGroup> groups_of(const sync::History& history, const std::string& path) {
  if (!names_a_folder(history, path)) return sync::file_timeline(history, path);
  std::vector<sync::TimelineGroup> groups = sync::timeline(history);
  if (path.empty()) return groups;
  for (sync::TimelineGroup& group : groups)
    std::erase_if(group.files, [&](const std::string& file) { return !file.starts_with(path + "/"); });
  std::erase_if(groups, [](const sync::TimelineGroup& group) { return group.files.empty(); });
  return groups;
}

Failure no_such_file(const std::string& path, const char* when) {
  return {ExitCode::Usage, "there is no file \"" + path + "\" " + when + "; diaryx-sync history lists what there was"};
}

void say_hunk(const sync::DiffHunk& hunk, size_t number) {
  say("Change " + std::to_string(number) + ", at line " + std::to_string(hunk.after_line) + ":");
  for (const sync::DiffLine& line : hunk.lines) {
    std::string text = line.kind == sync::DiffKind::Same ? "  " : line.kind == sync::DiffKind::Removed ? "- " : "+ ";
    text += line.text;
    const bool ends = text.ends_with('\n');
    if (ends) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    say(text);
    if (!ends) say("  (no line end at the end of the file)");
  }
}

std::string marked_words(std::string_view before, std::string_view after) {
  std::string text;
  for (const sync::DiffPiece& piece : sync::diff_words(before, after)) {
    if (piece.kind == sync::DiffKind::Same) text += piece.text;
    if (piece.kind == sync::DiffKind::Removed) text += "[-" + piece.text + "-]";
    if (piece.kind == sync::DiffKind::Added) text += "{+" + piece.text + "+}";
  }
  return text;
}

struct Side {
  std::optional<sync::PastFile> file;
  std::string text() const { return file ? file->text : std::string(); }
  const sync::BinaryRef* binary() const { return file && file->binary ? &*file->binary : nullptr; }
};

/// Of a file that is no text at one of the two points at least.
std::string sentence_of_bytes(const Side& before, const Side& after) {
  const sync::BinaryRef* const old = before.binary();
  const sync::BinaryRef* const present = after.binary();
  if (old != nullptr && present != nullptr) {
    if (old->hash == present->hash) return "no difference.";
    return "other bytes, " + human_size(old->size) + " before and " + human_size(present->size) + " after.";
  }
  if (!before.file) return "it was not there before; it has " + human_size(present->size) + ", and is no text.";
  if (!after.file) return "it is gone; it had " + human_size(old->size) + ", and was no text.";
  return old != nullptr ? "it was no text before and is one now." : "it was a text before and is none now.";
}

Json file_diff_json(const std::string& path, const Side& before, const Side& after, const sync::History& history,
                    sync::HistoryPoint from, sync::HistoryPoint to) {
  Json hunks = Json::array();
  for (const sync::DiffHunk& hunk : sync::diff_lines(before.text(), after.text())) hunks.push(sync::to_json(hunk));
  Json fields = Json::array();
  for (const sync::FieldChange& change :
       sync::field_changes(history.metadata_at(path, from), history.metadata_at(path, to)))
    fields.push(Json::object({{"field", change.field}, {"before", change.before}, {"after", change.after}}));
  return Json::object({{"path", path},
                       {"from_id", from},
                       {"to_id", to},
                       {"existed_before", before.file.has_value()},
                       {"exists_after", after.file.has_value()},
                       {"sha256_before", before.binary() == nullptr ? Json() : Json(before.binary()->hash)},
                       {"sha256_after", after.binary() == nullptr ? Json() : Json(after.binary()->hash)},
                       {"hunks", std::move(hunks)},
                       {"words", sync::to_json(sync::diff_words(before.text(), after.text()))},
                       {"metadata", std::move(fields)}});
}

/// The point before the last stretch of work on what is asked for: what `diff` compares with when nothing is said.
sync::HistoryPoint before_last_change(const sync::History& history, const std::string& path) {
  const auto groups = groups_of(history, path);
  return groups.empty() ? sync::kHistoryStart : groups.front().first - 1;
}

/// The two points that are compared.
struct Span {
  sync::HistoryPoint from;
  sync::HistoryPoint to;
};

Attempt<Span> span_of(const DiffArguments& arguments, HistoryReader& reader, const std::string& path) {
  const TimestampMs now = time_now();
  const auto to = parse_point(reader, arguments.to, now);
  if (!to) return std::unexpected(to.error());
  if (arguments.from.empty()) return Span{before_last_change(reader.history(), path), *to};
  const auto from = parse_point(reader, arguments.from, now);
  if (!from) return std::unexpected(from.error());
  return Span{*from, *to};
}

std::string said(const Span& span) {
  return "point " + std::to_string(span.from) + " to point " + std::to_string(span.to) + ": ";
}

Attempt<ExitCode> show_file_diff(const DiffArguments& arguments, const sync::History& history, const std::string& path,
                                 const Span& span) {
  const Side before{history.file_at(path, span.from)};
  const Side after{history.file_at(path, span.to)};
  if (!before.file && !after.file) return std::unexpected(no_such_file(path, "at either point"));
  if (arguments.json) {
    say_json(file_diff_json(path, before, after, history, span.from, span.to));
    return ExitCode::Done;
  }
  const std::string begin = path + ", from " + said(span);
  if (before.binary() || after.binary()) {
    say(begin + sentence_of_bytes(before, after));
    return ExitCode::Done;
  }
  const auto hunks = sync::diff_lines(before.text(), after.text());
  say(begin + (hunks.empty() ? "no difference." : counted(hunks.size(), "change") + "."));
  if (arguments.words) {
    if (!hunks.empty()) say(marked_words(before.text(), after.text()));
    return ExitCode::Done;
  }
  size_t number = 0;
  for (const sync::DiffHunk& hunk : hunks) say_hunk(hunk, ++number);
  return ExitCode::Done;
}

void show_folder_diff(const DiffArguments& arguments, const sync::History& history, const std::string& folder,
                      const Span& span) {
  std::vector<sync::ChangedFile> changed = sync::changed_files(history, span.from, span.to);
  std::erase_if(changed, [&](const sync::ChangedFile& file) {
    return !folder.empty() && !file.path.starts_with(folder + "/") && !file.from.starts_with(folder + "/");
  });
  if (!arguments.json) say("From " + said(span) + counted(changed.size(), "file is", "files are") + " different.");
  for (const sync::ChangedFile& file : changed) {
    if (arguments.json) {
      say_json(sync::to_json(file));
    } else {
      say(std::string(sync::name_of(file.kind)) + ": " + (file.from.empty() ? "" : file.from + " to ") + file.path);
    }
  }
}

}  // namespace

Attempt<ExitCode> show_history(const HistoryArguments& arguments) {
  auto opened = open_history(arguments.path);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& [place, reader] = *opened;
  if (auto loaded = load(reader, place.path); !loaded) return std::unexpected(std::move(loaded.error()));
  const sync::History& history = reader.history();
  const auto groups = groups_of(history, place.path);
  warn_of_damage(reader);
  const size_t shown = arguments.limit == 0 ? groups.size() : std::min(groups.size(), size_t{arguments.limit});
  if (arguments.json) {
    for (size_t i = 0; i < shown; ++i) say_json(sync::to_json(groups[i]));
    return ExitCode::Done;
  }
  if (groups.empty() && !place.path.empty()) return std::unexpected(no_such_file(place.path, "in the history"));
  const TimestampMs now = time_now();
  const bool is_folder = names_a_folder(history, place.path);
  say((place.path.empty() ? std::string("This folder") : place.path) + ": " +
      counted(shown, "stretch of work", "stretches of work") + ", newest first" +
      (shown < groups.size() ? "; --limit shows more." : "."));
  const Beginnings beginnings = beginnings_of(history);
  for (size_t i = 0; i < shown; ++i)
    say_group(groups[i], what_happened(groups[i], history, beginnings), place.config, now, is_folder);
  return ExitCode::Done;
}

Attempt<ExitCode> show_diff(const DiffArguments& arguments) {
  auto opened = open_history(arguments.path);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& [place, reader] = *opened;
  if (auto loaded = load(reader, place.path); !loaded) return std::unexpected(std::move(loaded.error()));
  const auto span = span_of(arguments, reader, place.path);
  if (!span) return std::unexpected(span.error());
  const bool is_folder = names_a_folder(reader.history(), place.path);
  if (is_folder) {
    if (auto loaded = reader.load_newer(std::min(span->from, span->to)); !loaded)
      return std::unexpected(std::move(loaded.error()));
  }
  warn_of_damage(reader);
  if (!is_folder) return show_file_diff(arguments, reader.history(), place.path, *span);
  show_folder_diff(arguments, reader.history(), place.path, *span);
  return ExitCode::Done;
}

Attempt<ExitCode> show_blame(const BlameArguments& arguments) {
  auto opened = open_history(arguments.path);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& [place, reader] = *opened;
  if (names_a_folder(reader.history(), place.path)) {
    return failure(ExitCode::Usage, arguments.path + " is a folder; blame is of one file: name a file in it");
  }
  if (auto loaded = reader.load_file(place.path); !loaded) return std::unexpected(std::move(loaded.error()));
  const TimestampMs now = time_now();
  const auto point = parse_point(reader, arguments.at, now);
  if (!point) return std::unexpected(point.error());
  const auto spans = reader.history().attribution(place.path, *point);
  warn_of_damage(reader);
  if (!spans) return std::unexpected(no_such_file(place.path, "at that point, or it is no text"));
  if (arguments.json) {
    for (const sync::AttributedSpan& span : *spans) {
      say_json(Json::object({{"text", span.text},
                             {"device_id", span.device.id.empty() ? Json() : Json(span.device.id)},
                             {"device_name", span.device.name.empty() ? Json() : Json(span.device.name)},
                             {"time", span.time.value()},
                             {"origin", sync::name_of(span.origin)},
                             {"id", span.sequence}}));
    }
    return ExitCode::Done;
  }
  // For people: whole lines, each by whoever wrote in it last; lines of one stretch stand together.
  struct Line {
    std::string text;
    const sync::AttributedSpan* last = nullptr;
  };
  std::vector<Line> lines(1);
  for (const sync::AttributedSpan& span : *spans) {
    for (const char c : span.text) {
      Line& line = lines.back();
      if (line.last == nullptr || span.sequence > line.last->sequence) line.last = &span;
      line.text += c;
      if (c == '\n') lines.emplace_back();
    }
  }
  if (lines.back().text.empty()) lines.pop_back();
  std::string said;
  for (Line& line : lines) {
    const std::string who =
        device_name(line.last->device, place.config) + ", " + spoken_time(line.last->time, now) + ":";
    if (who != said) say(said = who);
    while (line.text.ends_with('\n') || line.text.ends_with('\r')) line.text.pop_back();
    say("    " + line.text);
  }
  return ExitCode::Done;
}

}  // namespace diaryx::client
