#include <ctime>
#include <ranges>
#include <utility>

#include "commands.h"
#include "device_folder.h"
#include "diaryx/base/json.h"
#include "output.h"
#include "said.h"
#include "state_store.h"
#include "status.h"

namespace diaryx::client {
namespace {

constexpr size_t kConflictsShown = 20;

int64_t number(const Json& json, std::string_view key) { return json.integer_member(key).value_or(0); }

std::string time_text(int64_t unix_ms) {
  if (unix_ms == 0) return "never";
  const std::time_t seconds = std::time_t(unix_ms / 1000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

void print_for_people(const Json& json) {
  const Json* const workspace = json.find("workspace");
  const Json* const pending = json.find("pending");
  const auto text = [&json](std::string_view key) { return safe_line(json.string_member(key).value_or("")); };
  say("folder      " + text("folder"));
  say("workspace   " + safe_line(workspace->string_member("name").value_or("")) + " on " + text("server"));
  const bool is_running = *json.bool_member("running");
  say("state       " + text("state") + (is_running ? "" : " (nothing is running)") +
      (json.string_member("message") ? ": " + text("message") : ""));
  say("files       " + std::to_string(number(json, "files")) + ", " + human_size(uint64_t(number(json, "bytes"))));
  say("waiting     " + (pending != nullptr ? describe_pending(*pending) : "nothing"));
  const int64_t conflicts = number(json, "conflicts");
  say("conflicts   " + std::to_string(conflicts));
  if (const Json* const copies = json.find("conflict_copies"); copies != nullptr && copies->is_array()) {
    for (const Json& copy : *copies->as_array() | std::views::take(kConflictsShown))
      say("            " + safe_line(*copy.as_string()));
  }
  if (conflicts > int64_t{kConflictsShown})
    say("            ... and " + std::to_string(conflicts - int64_t{kConflictsShown}) + " more");
  say("last synced " + time_text(number(json, "last_synced_ms")));
  if (json.string_member("last_problem")) say("problem     " + text("last_problem"));
}

}  // namespace

Attempt<ExitCode> show_status(const StatusArguments& arguments) {
  auto folder = DeviceFolder::open(arguments.folder);
  if (!folder) return std::unexpected(std::move(folder.error()));
  auto config = folder->linked_config();
  if (!config) return std::unexpected(std::move(config.error()));
  const auto stored = read_status(folder->state_path());
  if (!stored) return std::unexpected(stored.error());
  const auto holder = FolderLock::holder(folder->root());

  Json workspace = Json::object();
  workspace.set("id", config->workspace_id).set("name", config->workspace_name);
  Json json = Json::object();
  json.set("folder", folder->root().location())
      .set("server", config->server.display())
      .set("workspace", std::move(workspace))
      .set("device_id", config->device_id)
      .set("running", holder.has_value())
      .set("pid", holder ? Json(*holder) : Json());
  // Members that only a run can know; a folder that was linked and never synced has none yet. Why a state was so is of that run alone.
  auto last_run =
      *stored
          ? Json::parse(**stored)
          : Json::parse(
                R"({"state":"never synced","files":0,"bytes":0,"pending":{},"conflicts":0,"conflict_copies":[],"last_synced_ms":null})");
  if (last_run && last_run->is_object()) {
    for (Json::Member& member : *last_run->as_object()) {
      if (holder || member.key != "message") json.set(std::move(member.key), std::move(member.value));
    }
  }
  if (!holder && *stored) json.set("state", "stopped");
  if (arguments.json) {
    say_json(json);
  } else {
    print_for_people(json);
  }
  return ExitCode::Done;
}

}  // namespace diaryx::client
