// `restore` and `snapshot`: going back, and marking where to go back to.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

#include "commands.h"
#include "device.h"
#include "diaryx/native/random.h"
#include "diaryx/sync/history_diff.h"
#include "diaryx/sync/history_restore.h"
#include "history_place.h"
#include "said.h"

namespace diaryx::client {
namespace {

constexpr auto kAskEvery = std::chrono::milliseconds(50);
constexpr auto kWaitForWatcher = std::chrono::seconds(20);

std::string sentence_of(const sync::RestoreFile& file) {
  switch (sync::step_of(file)) {
    case sync::RestoreStep::Rename: return file.renamed_from + " is called " + file.path + " again";
    case sync::RestoreStep::BringBack: return file.path + " comes back";
    case sync::RestoreStep::TakeAway: return file.path + " goes, since it was not there then";
    case sync::RestoreStep::Change: break;
  }
  if (!file.before || !file.after) return file.path + " gets its old content back";
  size_t lines = 0;
  for (const sync::DiffHunk& hunk : sync::diff_lines(*file.before, *file.after, 0))
    lines += std::max(hunk.before_count, hunk.after_count);
  return file.path + " changes back in " + counted(lines, "line");
}

/// Does a request where somebody is at work on the folder: that command does it.
Attempt<std::string> ask_watcher(const HistoryPlace& place, int64_t holder, int64_t request) {
  const auto end = std::chrono::steady_clock::now() + kWaitForWatcher;
  // One that has not said its number yet looks for requests when it has started; 0 would be our own group.
  if (holder > 0) ::kill(static_cast<pid_t>(holder), SIGURG);
  for (;;) {
    auto outcome = take_outcome(place.folder.state_path(), request);
    if (!outcome) return std::unexpected(std::move(outcome.error()));
    if (*outcome) return **std::move(outcome);
    if (std::chrono::steady_clock::now() > end) {
      return failure(ExitCode::TimedOut,
                     "the diaryx-sync that works on this folder did not answer; it will do this when it next starts");
    }
    std::this_thread::sleep_for(kAskEvery);
  }
}

/// Does a request where nobody is at work: this process takes the folder, without a connection.
Attempt<std::string> do_it_here(const HistoryPlace& place, int64_t request) {
  auto lock = FolderLock::acquire(place.folder.root());
  if (!lock) return std::unexpected(std::move(lock.error()));
  Output output(OutputStyle::Quiet);
  auto device = Device::open(place.folder, *lock, place.config, {}, output, {.mode = RunMode::Local});
  if (!device) return std::unexpected(std::move(device.error()));
  if (auto ran = (*device)->run(); !ran) return std::unexpected(std::move(ran.error()));
  auto outcome = take_outcome(place.folder.state_path(), request);
  if (!outcome) return std::unexpected(std::move(outcome.error()));
  if (!*outcome) return failure(ExitCode::Failed, "the files could not be brought back");
  return **std::move(outcome);
}

struct Done {
  std::string problems;  // a line each
  bool by_another = false;  // which has a connection
};

Attempt<Done> have_done(const HistoryPlace& place, const sync::RestoreFiles& restore) {
  const auto request = store_request(place.folder.state_path(), restore);
  if (!request) return std::unexpected(request.error());
  const auto holder = FolderLock::holder(place.folder.root());
  auto problems = holder ? ask_watcher(place, *holder, *request) : do_it_here(place, *request);
  if (!problems) return std::unexpected(std::move(problems.error()));
  return Done{*std::move(problems), holder.has_value()};
}

/// Opens the history with what was done to the files a moment ago. A file that somebody has just deleted is still listed until
/// then: nothing would seem to be different, and the deletion would come after the restore.
Attempt<OpenHistory> open_to_go_back(const std::string& path) {
  auto opened = open_history(path);
  if (!opened) return opened;
  // Whoever takes a request looks at the files first; this one asks for nothing more.
  if (auto looked = have_done(opened->place, {}); !looked) return std::unexpected(std::move(looked.error()));
  auto reader = HistoryReader::open(opened->place.folder.state_path());
  if (!reader) return std::unexpected(std::move(reader.error()));
  opened->reader = *std::move(reader);
  return opened;
}

/// A path that names nothing, then or now, is a slip of the hand: not a file that is as it was.
Attempt<void> check_paths(const sync::History& history, const sync::RestoreChoice& choice) {
  for (const std::string& path : choice.paths) {
    const auto is_meant = [&](const std::string& file) { return file == path || file.starts_with(path + "/"); };
    if (path.empty() || std::ranges::any_of(history.files_at(choice.point), is_meant) ||
        std::ranges::any_of(history.files_at(sync::kHistoryNow), is_meant))
      continue;
    return failure(ExitCode::Usage, "there is no file or folder \"" + path +
                                        "\" at that point or now; diaryx-sync history lists what there was");
  }
  return {};
}

/// Shows a plan and, unless it is only to be shown, carries it out.
Attempt<ExitCode> carry_out(const HistoryPlace& place, const HistoryReader& reader, const sync::RestorePlan& plan,
                            bool dry_run, bool json) {
  warn_of_damage(reader);
  if (json) say_json(sync::to_json(plan));
  if (!json) {
    for (const sync::RestoreFile& file : plan.files) say(sentence_of(file) + ".");
    for (const sync::RestoreSkip& skip : plan.skipped)
      say((skip.path.empty() ? "everything" : skip.path) + " stays as it is: " + skip.reason + ".");
    if (plan.files.empty() && plan.skipped.empty()) say("Nothing is different, so nothing is to be done.");
  }
  if (plan.files.empty()) return plan.skipped.empty() ? ExitCode::Done : ExitCode::Incomplete;
  if (dry_run) {
    if (!json) say("Nothing was done yet: this was a dry run.");
    return ExitCode::Done;
  }
  const auto done = have_done(place, {.files = plan.files, .id = native::uuid_v4()});
  if (!done) return std::unexpected(done.error());
  if (!done->problems.empty()) {
    std::fprintf(stderr, "%s\n", safe_text(done->problems).c_str());
    return ExitCode::Incomplete;
  }
  if (!json) {
    say("Done. To take this back: diaryx-sync restore --undo " + as_argument(place.folder.root().location()));
    if (!done->by_another) say("The other devices get it with the next sync.");
  }
  return ExitCode::Done;
}

/// The last restore, with the documents of all that it did; nothing if there was none lately.
Attempt<std::optional<sync::DoneRestore>> load_last_restore(HistoryReader& reader) {
  Attempt<void> loaded = reader.load_recent();
  auto last = sync::find_restore(reader.history(), {}, [&](sync::HistoryPoint point) {
    if (loaded) loaded = reader.load_newer(point);
  });
  // The text of a file that it took away may be older than anything recent.
  for (const std::string& path : last ? last->paths : std::vector<std::string>()) {
    if (loaded) loaded = reader.load_file(path);
  }
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  return last;
}

Attempt<ExitCode> undo_last(const HistoryPlace& place, HistoryReader& reader, const RestoreArguments& arguments) {
  const auto done = load_last_restore(reader);
  if (!done) return std::unexpected(done.error());
  if (!*done)
    return failure(ExitCode::Usage, "nothing was restored on this device lately, so there is nothing to take back");
  if (!arguments.json) say("Taking back what was restored " + spoken_time((*done)->time, time_now()) + ".");
  return carry_out(place, reader, sync::plan_undo(reader.history(), **done), arguments.dry_run, arguments.json);
}

Attempt<sync::HistoryMark> find_mark(HistoryReader& reader, const std::string& name) {
  const auto marks = reader.marks();
  if (!marks) return std::unexpected(marks.error());
  for (const sync::HistoryMark& mark : *marks) {
    if (mark.name == name || (!mark.is_named() && std::to_string(mark.point) == name)) return mark;
  }
  return failure(ExitCode::Usage,
                 "there is no snapshot called \"" + name + "\"; diaryx-sync snapshot list shows what there is");
}

}  // namespace

Attempt<ExitCode> restore_files(const RestoreArguments& arguments) {
  auto opened = open_to_go_back(arguments.path);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& [place, reader] = *opened;
  if (arguments.undo) return undo_last(place, reader, arguments);
  if (arguments.to.empty()) {
    return failure(ExitCode::Usage,
                   "say to which point: --to with a number from diaryx-sync history, a snapshot, or a time; "
                   "or --undo to take back the last restore");
  }
  const auto point = parse_point(reader, arguments.to, time_now());
  if (!point) return std::unexpected(point.error());
  sync::RestoreChoice choice{.point = *point};
  if (!place.path.empty()) choice.paths = {place.path};
  if (!arguments.hunks.empty() && place.path.empty())
    return failure(ExitCode::Usage, "--hunk is of one file: name that file instead of the folder");
  for (const int64_t hunk : arguments.hunks) choice.hunks.push_back(static_cast<size_t>(hunk - 1));
  if (auto checked = check_paths(reader.history(), choice); !checked)
    return std::unexpected(std::move(checked.error()));
  if (auto loaded = reader.load_for(choice); !loaded) return std::unexpected(std::move(loaded.error()));
  return carry_out(place, reader, sync::plan_restore(reader.history(), choice), arguments.dry_run, arguments.json);
}

// --- snapshots ----------------------------------------------------------------------------------------------------

Attempt<ExitCode> create_snapshot(const SnapshotArguments& arguments) {
  if (!sync::check_mark_name(arguments.name) || is_time_word(arguments.name)) {
    return failure(ExitCode::Usage, "\"" + arguments.name +
                                        "\" cannot be the name of a snapshot: a name is text of at most 200 "
                                        "bytes, no number and no time, with no blank at its ends");
  }
  auto opened = open_history(arguments.folder);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& [place, reader] = *opened;
  const auto last = reader.last();
  if (!last) return std::unexpected(last.error());
  const sync::HistoryMark mark{.point = *last, .time = time_now(), .name = arguments.name};
  if (auto stored = store_mark(place.folder.state_path(), mark); !stored)
    return std::unexpected(std::move(stored.error()));
  if (arguments.json) {
    say_json(Json::object({{"name", mark.name}, {"id", mark.point}, {"time", mark.time.value()}}));
  } else {
    say("Snapshot \"" + mark.name + "\" is point " + std::to_string(mark.point) + ", with " +
        counted(reader.history().files_at(mark.point).size(), "file") + ". It is kept until you delete it.");
  }
  return ExitCode::Done;
}

Attempt<ExitCode> list_snapshots(const SnapshotArguments& arguments) {
  auto opened = open_history(arguments.folder);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& [place, reader] = *opened;
  auto marks = reader.marks();
  if (!marks) return std::unexpected(std::move(marks.error()));
  std::ranges::reverse(*marks);
  if (!arguments.json) say(counted(marks->size(), "snapshot") + ", newest first.");
  for (const sync::HistoryMark& mark : *marks) {
    if (arguments.json) {
      say_json(Json::object({{"name", mark.is_named() ? Json(mark.name) : Json()},
                             {"id", mark.point},
                             {"time", mark.time.value()},
                             {"automatic", !mark.is_named()}}));
    } else {
      say(std::to_string(mark.point) + ": " + spoken_time(mark.time, time_now()) +
          (mark.is_named() ? ", \"" + mark.name + "\"." : ", automatic."));
    }
  }
  return ExitCode::Done;
}

Attempt<ExitCode> show_snapshot(const SnapshotArguments& arguments) {
  auto opened = open_history(arguments.folder);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& [place, reader] = *opened;
  const auto mark = find_mark(reader, arguments.name);
  if (!mark) return std::unexpected(mark.error());
  return show_diff(
      {.path = place.folder.root().location(), .from = std::to_string(mark->point), .json = arguments.json});
}

Attempt<ExitCode> restore_snapshot(const SnapshotArguments& arguments) {
  auto opened = open_to_go_back(arguments.folder);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& [place, reader] = *opened;
  const auto mark = find_mark(reader, arguments.name);
  if (!mark) return std::unexpected(mark.error());
  sync::RestoreChoice choice{.point = mark->point, .paths = arguments.paths};
  for (std::string& path : choice.paths) {  // as a shell completes a folder's name
    while (path.ends_with('/')) path.pop_back();
  }
  if (auto checked = check_paths(reader.history(), choice); !checked)
    return std::unexpected(std::move(checked.error()));
  if (auto loaded = reader.load_for(choice); !loaded) return std::unexpected(std::move(loaded.error()));
  return carry_out(place, reader, sync::plan_restore(reader.history(), choice), arguments.dry_run, arguments.json);
}

Attempt<ExitCode> delete_snapshot(const SnapshotArguments& arguments) {
  auto opened = open_history(arguments.folder);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& [place, reader] = *opened;
  const auto mark = find_mark(reader, arguments.name);
  if (!mark) return std::unexpected(mark.error());
  if (auto removed = remove_mark(place.folder.state_path(), *mark); !removed)
    return std::unexpected(std::move(removed.error()));
  if (arguments.json) {
    say_json(Json::object({{"name", arguments.name}, {"id", mark->point}, {"deleted", true}}));
  } else {
    say("The snapshot \"" + arguments.name + "\" is deleted; your files stay.");
  }
  return ExitCode::Done;
}

}  // namespace diaryx::client
