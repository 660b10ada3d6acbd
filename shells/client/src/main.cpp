// `diaryx-sync`: keeps folders in step with a workspace on a Diaryx sync server.
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

#include "commands.h"
#include "diaryx/native/usage.h"
#include "said.h"

namespace diaryx::client {
namespace {

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  done\n"
    "  1  the disk, the database or the system refused\n"
    "  2  the command line is wrong\n"
    "  3  the folder is missing or not linked\n"
    "  4  the folder is linked elsewhere\n"
    "  5  another diaryx-sync works on the folder\n"
    "  6  the server cannot be reached\n"
    "  7  the server does not accept the token or the request\n"
    "  8  not finished in time\n"
    "  9  finished, but some files could not be synced\n";

void add_folder(CLI::App& command, std::string& folder) {
  command.add_option("FOLDER", folder, "The folder on this device")->required();
}

constexpr const char* kPoints =
    "A number from the history, a snapshot's name, 2h, 3d or 2w for so long ago, or \"2026-11-25 14:30\"";

void add_path(CLI::App& command, std::string& path) {
  command.add_option("PATH", path, "A file or folder in a linked folder, or the folder itself")->capture_default_str();
}

void add_link(CLI::App& app, LinkArguments& link, Attempt<ExitCode>& outcome) {
  CLI::App& link_command =
      *app.add_subcommand("link", "Link a folder to a workspace, which is made if it does not exist");
  add_folder(link_command, link.folder);
  link_command.add_option("--server", link.server, "Address of the server, e.g. https://sync.example.org")->required();
  link_command.add_option("--token", link.token, "Token of your account on that server")
      ->required()
      ->envname("DIARYX_TOKEN");
  link_command.add_option("--workspace", link.workspace, "Name of the workspace")->required();
  link_command.add_option(
      "--device-name", link.device_name,
      "What the history calls this device, here and on the others; the computer's name if not given");
  link_command.callback([&outcome, &link] { outcome = link_folder(link); });
}

void add_sync(CLI::App& app, SyncArguments& once, Attempt<ExitCode>& outcome) {
  CLI::App& sync_command = *app.add_subcommand("sync", "Bring folder and server in step once, then end");
  add_folder(sync_command, once.folder);
  sync_command.add_option("--timeout", once.timeout_s, "Give up when nothing has moved for this many seconds")
      ->check(CLI::Range(int64_t{1}, int64_t{86'400}))
      ->capture_default_str();
  sync_command.add_flag("--json", once.json, "Say what happens as one JSON object per line");
  sync_command.callback([&outcome, &once] { outcome = sync_folder(once); });
}

void add_watch(CLI::App& app, WatchArguments& watch, Attempt<ExitCode>& outcome) {
  CLI::App& watch_command =
      *app.add_subcommand("watch", "Keep folder and server in step until Ctrl-C (SIGUSR1: offline, SIGUSR2: online)");
  add_folder(watch_command, watch.folder);
  watch_command.add_flag("--json", watch.json, "Say what happens as one JSON object per line");
  watch_command.callback([&outcome, &watch] { outcome = watch_folder(watch); });
}

void add_status(CLI::App& app, StatusArguments& status, Attempt<ExitCode>& outcome) {
  CLI::App& status_command = *app.add_subcommand("status", "Show how a folder stands; works while it is watched");
  add_folder(status_command, status.folder);
  status_command.add_flag("--json", status.json, "As one JSON object");
  status_command.callback([&outcome, &status] { outcome = show_status(status); });
}

void add_held(CLI::App& app, HeldArguments& held, Attempt<ExitCode>& outcome) {
  CLI::App& held_command = *app.add_subcommand("held", "List deletions that were too many at once and wait for you");
  add_folder(held_command, held.folder);
  held_command.add_flag("--json", held.json, "As one JSON object");
  held_command.callback([&outcome, &held] { outcome = show_held(held); });

  CLI::App& release_command = *app.add_subcommand("release", "Let the deletions that are held happen");
  add_folder(release_command, held.folder);
  release_command.add_flag("--json", held.json, "Say what happens as one JSON object per line");
  release_command.callback([&outcome, &held] { outcome = release_held(held); });

  CLI::App& undo_command = *app.add_subcommand("undo", "Bring back everything that the held deletions took away");
  add_folder(undo_command, held.folder);
  undo_command.add_flag("--json", held.json, "Say what happens as one JSON object per line");
  undo_command.callback([&outcome, &held] { outcome = undo_held(held); });
}

void add_history(CLI::App& app, HistoryArguments& history, Attempt<ExitCode>& outcome) {
  CLI::App& history_command =
      *app.add_subcommand("history", "What happened to a file, a folder or everything, newest first");
  add_path(history_command, history.path);
  history_command.add_option("--limit", history.limit, "At most so many stretches of work; 0: all")
      ->capture_default_str();
  history_command.add_flag("--json", history.json, "One JSON object per line");
  history_command.callback([&outcome, &history] { outcome = show_history(history); });
}

void add_diff(CLI::App& app, DiffArguments& diff, Attempt<ExitCode>& outcome) {
  CLI::App& diff_command = *app.add_subcommand("diff", "What is different between two points in time");
  add_path(diff_command, diff.path);
  diff_command.add_option("--from", diff.from, std::string("Default: before the last stretch of work. ") + kPoints);
  diff_command.add_option("--to", diff.to, kPoints)->capture_default_str();
  diff_command.add_flag("--words", diff.words, "The whole text with [-removed-] and {+added+} words");
  diff_command.add_flag("--json", diff.json, "As JSON, lines and words");
  diff_command.callback([&outcome, &diff] { outcome = show_diff(diff); });
}

void add_blame(CLI::App& app, BlameArguments& blame, Attempt<ExitCode>& outcome) {
  CLI::App& blame_command = *app.add_subcommand("blame", "Who wrote each line of a file, when and on which device");
  blame_command.add_option("FILE", blame.path, "A file in a linked folder")->required();
  blame_command.add_option("--at", blame.at, kPoints)->capture_default_str();
  blame_command.add_flag("--json", blame.json, "One JSON object per span");
  blame_command.callback([&outcome, &blame] { outcome = show_blame(blame); });
}

void add_restore(CLI::App& app, RestoreArguments& restore, Attempt<ExitCode>& outcome) {
  CLI::App& restore_command =
      *app.add_subcommand("restore", "Bring a file, a folder or everything back; nothing typed since is lost");
  add_path(restore_command, restore.path);
  restore_command.add_option("--to", restore.to, kPoints);
  restore_command
      .add_option("--hunk", restore.hunks, "Of one file: only this change, as diff --from POINT numbers them")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}));
  restore_command.add_flag("--undo", restore.undo, "Take back the last restore");
  restore_command.add_flag("--dry-run", restore.dry_run, "Only say what would change");
  restore_command.add_flag("--json", restore.json, "The plan as JSON");
  restore_command.callback([&outcome, &restore] { outcome = restore_files(restore); });
}

void add_snapshots(CLI::App& app, SnapshotArguments& snapshot, Attempt<ExitCode>& outcome) {
  CLI::App& snapshot_command = *app.add_subcommand("snapshot", "Mark a point in time, list the marks, go back to one");
  snapshot_command.require_subcommand(1);
  const auto add_snapshot = [&](const char* name, const char* about, bool named,
                                Attempt<ExitCode> (*act)(const SnapshotArguments&)) -> CLI::App& {
    CLI::App& command = *snapshot_command.add_subcommand(name, about);
    if (named) command.add_option("NAME", snapshot.name, "Its name")->required();
    command.add_option("--folder", snapshot.folder, "The linked folder, or anything in it")->capture_default_str();
    command.add_flag("--json", snapshot.json, "As JSON");
    command.callback([&outcome, &snapshot, act] { outcome = act(snapshot); });
    return command;
  };
  add_snapshot("create", "Name the present state; it is kept until it is deleted", true, create_snapshot);
  add_snapshot("list", "Named and automatic snapshots, newest first", false, list_snapshots);
  add_snapshot("show", "What changed since", true, show_snapshot);
  add_snapshot("delete", "Forget a name; your files stay", true, delete_snapshot);
  CLI::App& snapshot_restore = add_snapshot("restore", "Bring some files, or all, back to it", true, restore_snapshot);
  snapshot_restore.add_option("PATHS", snapshot.paths,
                              "Files and folders, as paths inside the linked folder; none: all");
  snapshot_restore.add_flag("--dry-run", snapshot.dry_run, "Only say what would change");
}

void add_plugin(CLI::App& app, PluginArguments& plugin, Attempt<ExitCode>& outcome) {
  CLI::App& plugin_command = *app.add_subcommand("plugin", "Look at a plugin for Diaryx hosts");
  plugin_command.require_subcommand(1);
  CLI::App& inspect_command = *plugin_command.add_subcommand("inspect", "Print its manifest, imports and size");
  inspect_command.add_option("FILE", plugin.file, "The plugin, a .wasm file")->required();
  inspect_command.add_flag("--json", plugin.json, "As one JSON object");
  inspect_command.callback([&outcome, &plugin] { outcome = inspect_plugin(plugin); });
}

void add_unlink(CLI::App& app, std::string& folder, Attempt<ExitCode>& outcome) {
  CLI::App& unlink_command =
      *app.add_subcommand("unlink", "Forget the link, all sync state and this device's history; your files stay");
  add_folder(unlink_command, folder);
  unlink_command.callback([&outcome, &folder] { outcome = unlink_folder(folder); });
}

/// What the command line fills in.
struct Given {
  LinkArguments link;
  SyncArguments once;
  WatchArguments watch;
  StatusArguments status;
  HeldArguments held;
  HistoryArguments history;
  DiffArguments diff;
  BlameArguments blame;
  RestoreArguments restore;
  SnapshotArguments snapshot;
  PluginArguments plugin;
  std::string unlink;
};

/// Parses and runs; the command's outcome is kept in `outcome`.
int parse_and_run(int argc, char** argv, Attempt<ExitCode>& outcome) {
  CLI::App app("Keeps folders of notes in step with a workspace on a Diaryx sync server.", "diaryx-sync");
  app.footer(kExitCodes);
  app.set_version_flag("--version", DIARYX_VERSION);
  app.require_subcommand(1);

  Given given;
  add_link(app, given.link, outcome);
  add_sync(app, given.once, outcome);
  add_watch(app, given.watch, outcome);
  add_status(app, given.status, outcome);
  add_held(app, given.held, outcome);
  add_history(app, given.history, outcome);
  add_diff(app, given.diff, outcome);
  add_blame(app, given.blame, outcome);
  add_restore(app, given.restore, outcome);
  add_snapshots(app, given.snapshot, outcome);
  add_plugin(app, given.plugin, outcome);
  add_unlink(app, given.unlink, outcome);

  static char help_flag[] = "--help";
  if (argc > 1 && std::string_view(argv[1]) == "help") argv[1] = help_flag;  // `help`, `help link`

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;  // --help, --version
    if (asked) return app.exit(error);
    std::fprintf(stderr, "diaryx-sync: %s\n", safe_line(native::usage_sentence(app, error)).c_str());
    return int(ExitCode::Usage);
  }
  if (!outcome) {
    std::fprintf(stderr, "diaryx-sync: %s\n", safe_line(outcome.error().sentence).c_str());
    return int(outcome.error().code);
  }
  if (!is_all_said()) {
    std::fputs("diaryx-sync: standard output did not take all of the answer; free some space there and ask again\n",
               stderr);
    return int(ExitCode::Failed);
  }
  return int(*outcome);
}

}  // namespace
}  // namespace diaryx::client

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our output that leaves, or a socket that closes, is an error code
  diaryx::client::Attempt<diaryx::client::ExitCode> outcome = diaryx::client::ExitCode::Done;
  try {
    return diaryx::client::parse_and_run(argc, argv, outcome);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "diaryx-sync: it had to stop: %s\n", failure.what());
    return int(diaryx::client::ExitCode::Failed);
  }
}
