// `held`, `release` and `undo`: a wave of deletions or truncations that waits for a person.
#include <csignal>
#include <cstdio>
#include <utility>

#include "commands.h"
#include "device.h"
#include "device_folder.h"
#include "diaryx/base/json.h"
#include "state_store.h"

namespace diaryx::client {
namespace {

constexpr size_t kShownToPeople = 20;

std::string text(const Json& json, std::string_view key) { return std::string(json.string_member(key).value_or("")); }

void print_for_people(const Json& held, const std::string& folder) {
  const Json* const list = held.find("files");
  const auto total =
      static_cast<size_t>(held.integer_member("outgoing").value_or(0) + held.integer_member("incoming").value_or(0));
  size_t shown = 0;
  for (const Json& file : *list->as_array()) {
    if (shown++ == kShownToPeople) break;
    const bool deletion = text(file, "kind") == "deletion";
    std::printf("%s %s  %s\n", text(file, "direction") == "outgoing" ? "here     " : "elsewhere",
                deletion ? "deleted  " : "shortened", text(file, "path").c_str());
  }
  if (total > kShownToPeople) std::printf("... and %zu more\n", total - kShownToPeople);
  std::printf("To let this happen: diaryx-sync release %s\nTo bring it all back: diaryx-sync undo %s\n", folder.c_str(),
              folder.c_str());
}

Attempt<ExitCode> answer(const HeldArguments& arguments, std::string_view word, HeldAnswer meaning) {
  auto folder = DeviceFolder::open(arguments.folder);
  if (!folder) return std::unexpected(std::move(folder.error()));
  auto config = folder->linked_config();
  if (!config) return std::unexpected(std::move(config.error()));
  if (const auto holder = FolderLock::holder(folder->root())) {
    if (auto left = folder->leave_request(word); !left) return std::unexpected(std::move(left.error()));
    if (::kill(static_cast<pid_t>(*holder), SIGHUP) != 0) {
      return failure(ExitCode::Busy, "the process " + std::to_string(*holder) +
                                         " works on the folder and cannot be told; stop it and try again");
    }
    if (!arguments.json) std::printf("told the process %lld\n", static_cast<long long>(*holder));
    return ExitCode::Done;
  }
  return sync_folder({.folder = arguments.folder, .json = arguments.json, .held_answer = meaning});
}

}  // namespace

Attempt<ExitCode> show_held(const HeldArguments& arguments) {
  auto folder = DeviceFolder::open(arguments.folder);
  if (!folder) return std::unexpected(std::move(folder.error()));
  auto config = folder->linked_config();
  if (!config) return std::unexpected(std::move(config.error()));
  const auto stored = read_status(folder->state_path());
  if (!stored) return std::unexpected(stored.error());
  const auto status = *stored ? Json::parse(**stored) : Json::parse("{}");
  const Json* const held = status ? status->find("held") : nullptr;
  if (arguments.json) {
    std::printf("%s\n", held ? held->dump().c_str() : R"({"outgoing":0,"incoming":0,"files":[]})");
  } else if (held == nullptr) {
    std::printf("nothing is held\n");
  } else {
    print_for_people(*held, folder->root().location());
  }
  return ExitCode::Done;
}

Attempt<ExitCode> release_held(const HeldArguments& arguments) {
  return answer(arguments, "release", HeldAnswer::Release);
}

Attempt<ExitCode> undo_held(const HeldArguments& arguments) { return answer(arguments, "undo", HeldAnswer::Undo); }

}  // namespace diaryx::client
