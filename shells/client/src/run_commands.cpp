// `sync` and `watch`: a device at work, once or until it is told to stop.
#include <memory>
#include <utility>

#include "commands.h"
#include "device.h"
#include "device_folder.h"
#include "history_place.h"
#include "said.h"

namespace diaryx::client {
namespace {

/// Everything a device needs, kept alive while it works.
struct Workplace {
  DeviceFolder folder;
  DeviceConfig config;
  FolderLock lock;
  std::string token;
};

Attempt<Workplace> enter(const std::string& path) {
  auto folder = DeviceFolder::open(path);
  if (!folder) return std::unexpected(std::move(folder.error()));
  auto config = folder->linked_config();
  if (!config) return std::unexpected(std::move(config.error()));
  auto lock = FolderLock::acquire(folder->root());
  if (!lock) return std::unexpected(std::move(lock.error()));
  auto token = folder->token();
  if (!token) return std::unexpected(std::move(token.error()));
  return Workplace{std::move(*folder), std::move(*config), std::move(*lock), std::move(*token)};
}

}  // namespace

Attempt<ExitCode> sync_folder(const SyncArguments& arguments) {
  const auto place = enter(arguments.folder);
  if (!place) return std::unexpected(place.error());
  Output output(arguments.json ? OutputStyle::Json : OutputStyle::Quiet);
  auto device = Device::open(
      place->folder, place->lock, place->config, place->token, output,
      {.mode = RunMode::Once, .stall_ms = arguments.timeout_s * 1000, .held_answer = arguments.held_answer});
  if (!device) return std::unexpected(std::move(device.error()));
  const auto result = (*device)->run();
  if (!result) return std::unexpected(result.error());
  if (*result == ExitCode::Incomplete) {
    std::string sentence = "everything is in step but the files named above";
    if (!output.last_problem().empty()) sentence += "; " + output.last_problem();
    return failure(ExitCode::Incomplete, std::move(sentence));
  }
  if (!arguments.json) say("in step: " + counted((*device)->status().files, "file"));
  return *result;
}

Attempt<ExitCode> watch_folder(const WatchArguments& arguments) {
  const auto place = enter(arguments.folder);
  if (!place) return std::unexpected(place.error());
  Output output(arguments.json ? OutputStyle::Json : OutputStyle::Human);
  auto device = Device::open(place->folder, place->lock, place->config, place->token, output, {.mode = RunMode::Watch});
  if (!device) return std::unexpected(std::move(device.error()));
  return (*device)->run();
}

}  // namespace diaryx::client
