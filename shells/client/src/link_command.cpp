#include <chrono>
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

/// What must be true before a server is asked.
Attempt<void> check_not_elsewhere(const DeviceFolder& folder, const native::ServerUrl& server,
                                  const std::string& workspace) {
  const auto existing = folder.config();
  if (!existing) return std::unexpected(existing.error());
  if (!*existing) return {};
  const DeviceConfig& config = **existing;
  if (config.server == server && config.workspace_name == workspace) return {};  // a new token for the same place
  return failure(ExitCode::LinkedElsewhere, folder.root().location() + " is already linked to the workspace \"" +
                                                config.workspace_name + "\" on " + config.server.display() +
                                                "; unlink it first (diaryx-sync unlink " +
                                                as_argument(folder.root().location()) + "), your files stay");
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
  if (auto free = check_not_elsewhere(*folder, *server, arguments.workspace); !free)
    return std::unexpected(std::move(free.error()));

  native::HttpClient http(*server, arguments.token);
  auto workspace = join_or_make_workspace(http, arguments.workspace);
  if (!workspace) return std::unexpected(std::move(workspace.error()));

  const auto existing = folder->config();
  if (!existing) return std::unexpected(existing.error());
  DeviceConfig config{.server = std::move(*server),
                      .workspace_id = std::move(workspace->id),
                      .workspace_name = std::move(workspace->name),
                      .device_id = *existing ? (*existing)->device_id : native::uuid_v4(),
                      .device_name = !arguments.device_name.empty() ? arguments.device_name
                                     : *existing                    ? (*existing)->device_name
                                                                    : computer_name(),
                      .linked_at_ms = now_ms()};
  if (*existing && (*existing)->workspace_id != config.workspace_id) {
    return failure(ExitCode::LinkedElsewhere,
                   "the workspace \"" + config.workspace_name + "\" on " + config.server.display() +
                       " is not the one this folder was linked to; unlink the folder first, your files stay");
  }
  if (auto linked = folder->link(config, arguments.token); !linked) return std::unexpected(std::move(linked.error()));
  say(safe_line("linked " + folder->root().location() + " to the workspace \"" + config.workspace_name + "\" on " +
                config.server.display()));
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
