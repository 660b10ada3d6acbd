#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "commands.h"
#include "device_folder.h"
#include "diaryx/base/utf.h"
#include "diaryx/native/random.h"
#include "said.h"
#include "workspace_api.h"

namespace diaryx::client {
namespace {

int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// The workspace of a folder that is linked already, as it is called there now. What it is called and where it is may have changed; it
/// is known by its id.
///
/// Errors   LinkedElsewhere when `name` is that of another one, or the server has no such workspace.
Attempt<Workspace> follow_workspace(native::HttpClient& http, const DeviceFolder& folder, const DeviceConfig& config,
                                    const std::string& name) {
  const auto listed = list_workspaces(http);
  if (!listed) return std::unexpected(listed.error());
  const auto ours = std::ranges::find(*listed, config.workspace_id, &Workspace::id);
  const bool is_listed = ours != listed->end();
  const bool is_of_other = std::ranges::find(*listed, name, &Workspace::name) != listed->end();
  if (is_listed && (ours->name == name || (config.workspace_name == name && !is_of_other))) return *ours;

  const std::string location = folder.root().location();
  const std::string fact =
      is_listed ? location + " is already linked to the workspace \"" + ours->name + "\" on " + http.server().display()
                : http.server().display() + " does not list the workspace \"" + config.workspace_name + "\" that " +
                      location + " is linked to (on " + config.server.display() + ")";
  return failure(ExitCode::LinkedElsewhere, fact + "; to link it to another one, unlink it first (diaryx-sync unlink " +
                                                as_argument(location) + "), your files stay");
}

bool is_linked_to(const std::filesystem::path& path, const std::string& workspace_id) {
  const auto folder = DeviceFolder::open(path.string());
  if (!folder) return false;
  const auto config = folder->config();
  return config && *config && (*config)->workspace_id == workspace_id;
}

/// A folder above this one, or in it, that is linked to the same workspace; empty if there is none.
std::string other_link_on_the_way(const std::string& location, const std::string& workspace_id) {
  namespace fs = std::filesystem;
  for (fs::path above = fs::path(location).parent_path(); above.has_relative_path(); above = above.parent_path()) {
    if (is_linked_to(above, workspace_id)) return above.string();
  }
  std::error_code problem;
  fs::recursive_directory_iterator entry(location, fs::directory_options::skip_permission_denied, problem);
  for (; !problem && entry != fs::recursive_directory_iterator(); entry.increment(problem)) {
    if (entry->path().filename() != kSettingsFolder) continue;
    entry.disable_recursion_pending();
    if (entry.depth() > 0 && is_linked_to(entry->path().parent_path(), workspace_id))
      return entry->path().parent_path().string();
  }
  return {};
}

}  // namespace

Attempt<ExitCode> link_folder(const LinkArguments& arguments) {
  auto server = native::ServerUrl::parse(arguments.server);
  if (!server) return failure(std::move(server.error()), ExitCode::Usage);
  if (!is_token(arguments.token)) {
    return failure(ExitCode::Usage, "the token is empty or holds characters that no token has; copy it again");
  }
  if (!is_valid_utf8(arguments.device_name)) {
    return failure(ExitCode::Usage, "the name of the device is not valid UTF-8; give it another name");
  }
  auto folder = DeviceFolder::open(arguments.folder);
  if (!folder) return std::unexpected(std::move(folder.error()));
  const auto existing = folder->config();
  if (!existing) return std::unexpected(existing.error());

  native::HttpClient http(*server, arguments.token);
  auto workspace = *existing ? follow_workspace(http, *folder, **existing, arguments.workspace)
                             : join_or_make_workspace(http, arguments.workspace);
  if (!workspace) return std::unexpected(std::move(workspace.error()));

  const std::string location = folder->root().location();
  if (const std::string other = other_link_on_the_way(location, workspace->id); !other.empty()) {
    return failure(ExitCode::LinkedElsewhere,
                   other +
                       " is linked to this workspace, and one of the two folders lies in the other: every file would "
                       "be copied into itself, deeper and deeper; link a folder beside it");
  }
  DeviceConfig config{.server = std::move(*server),
                      .workspace_id = std::move(workspace->id),
                      .workspace_name = std::move(workspace->name),
                      .device_id = *existing ? (*existing)->device_id : native::uuid_v4(),
                      .device_name = !arguments.device_name.empty() ? arguments.device_name
                                     : *existing                    ? (*existing)->device_name
                                                                    : computer_name(),
                      .linked_at_ms = now_ms()};
  if (auto linked = folder->link(config, arguments.token); !linked) return std::unexpected(std::move(linked.error()));
  say(safe_line("linked " + location + " to the workspace \"" + config.workspace_name + "\" on " +
                config.server.display()));
  if (const auto holder = FolderLock::holder(folder->root())) {
    say("the diaryx-sync that works on this folder (process " + std::to_string(*holder) +
        ") goes on with what it was started with; stop it and start it again");
  }
  return ExitCode::Done;
}

Attempt<ExitCode> unlink_folder(const std::string& path) {
  auto folder = DeviceFolder::open(path);
  if (!folder) return std::unexpected(std::move(folder.error()));
  const auto config = folder->config();
  if (config && !*config) {
    return failure(ExitCode::NotLinked, folder->root().location() + " is not linked, so there is nothing to unlink");
  }
  const auto lock = FolderLock::acquire(folder->root());
  if (!lock) return std::unexpected(lock.error());
  if (auto unlinked = folder->unlink(); !unlinked) return std::unexpected(std::move(unlinked.error()));
  say(safe_line("unlinked " + folder->root().location() + "; your files are as they were"));
  return ExitCode::Done;
}

}  // namespace diaryx::client
