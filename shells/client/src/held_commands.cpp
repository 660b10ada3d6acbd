// `held`, `release` and `undo`: a wave of deletions or truncations that waits for a person.
#include <signal.h>

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "commands.h"
#include "device.h"
#include "device_folder.h"
#include "diaryx/base/json.h"
#include "history_place.h"
#include "said.h"
#include "state_store.h"

namespace diaryx::client {
namespace {

constexpr size_t kShownToPeople = 20;
constexpr auto kAskEvery = std::chrono::milliseconds(50);
constexpr auto kWaitForHolder = std::chrono::seconds(20);

std::string text(const Json& json, std::string_view key) { return std::string(json.string_member(key).value_or("")); }

void print_for_people(const Json& held, const std::string& folder) {
  const Json* const list = held.find("files");
  const auto total =
      static_cast<size_t>(held.integer_member("outgoing").value_or(0) + held.integer_member("incoming").value_or(0));
  size_t shown = 0;
  for (const Json& file : *list->as_array()) {
    if (shown++ == kShownToPeople) break;
    const bool deletion = text(file, "kind") == "deletion";
    say(std::string(text(file, "direction") == "outgoing" ? "here      " : "elsewhere ") +
        (deletion ? "deleted    " : "shortened  ") + safe_line(text(file, "path")));
  }
  if (total > kShownToPeople) say("... and " + std::to_string(total - kShownToPeople) + " more");
  const std::string name = as_argument(safe_line(folder));
  say("To let this happen: diaryx-sync release " + name + "\nTo bring it all back: diaryx-sync undo " + name);
}

/// Waits until the process that works on the folder has taken the word; nothing if there is no such process (any more).
///
/// SIGURG, because whoever does not wait for it does not notice it: a process that is still starting, or one that happens to have
/// the number of one that ended. Told again and again, because of the former.
Attempt<std::optional<int64_t>> tell_holder(const DeviceFolder& folder, std::string_view word) {
  auto holder = FolderLock::holder(folder.root());
  if (!holder) return holder;
  if (auto left = folder.leave_request(word); !left) return std::unexpected(std::move(left.error()));
  const auto end = std::chrono::steady_clock::now() + kWaitForHolder;
  for (;;) {
    if (*holder > 0) ::kill(static_cast<pid_t>(*holder), SIGURG);
    std::this_thread::sleep_for(kAskEvery);
    if (!folder.has_request()) return holder;
    holder = FolderLock::holder(folder.root());
    const bool is_late = std::chrono::steady_clock::now() > end;
    if (holder && !is_late) continue;
    folder.withdraw_request();
    if (!holder) return holder;
    return failure(ExitCode::TimedOut, "the diaryx-sync that works on this folder (process " + std::to_string(*holder) +
                                           ") did not answer, so nothing was done; stop it and try again");
  }
}

Attempt<ExitCode> answer(const HeldArguments& arguments, std::string_view word, HeldAnswer meaning) {
  auto folder = DeviceFolder::open(arguments.folder);
  if (!folder) return std::unexpected(std::move(folder.error()));
  auto config = folder->linked_config();
  if (!config) return std::unexpected(std::move(config.error()));
  const auto told = tell_holder(*folder, word);
  if (!told) return std::unexpected(told.error());
  if (*told) {
    if (arguments.json) {
      Json json = Json::object();
      json.set("event", "told").set("time_ms", time_now().value()).set("pid", **told);
      say_json(json);
    } else {
      say("the diaryx-sync that works on this folder (process " + std::to_string(**told) + ") does it now");
    }
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
    say_json(held ? *held : *Json::parse(R"({"outgoing":0,"incoming":0,"files":[]})"));
  } else if (held == nullptr) {
    say("nothing is held");
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
