#include <cstdio>
#include <ctime>
#include <utility>

#include "commands.h"
#include "device_folder.h"
#include "diaryx/base/json.h"
#include "output.h"
#include "state_store.h"

namespace diaryx::client {
namespace {

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
  std::printf("folder      %s\n", std::string(json.string_member("folder").value_or("")).c_str());
  std::printf("workspace   %s on %s\n", std::string(workspace->string_member("name").value_or("")).c_str(),
              std::string(json.string_member("server").value_or("")).c_str());
  std::printf("state       %s%s\n", std::string(json.string_member("state").value_or("")).c_str(),
              *json.bool_member("running") ? "" : " (nothing is running)");
  std::printf("files       %lld, %s\n", static_cast<long long>(number(json, "files")),
              human_size(uint64_t(number(json, "bytes"))).c_str());
  int64_t waiting = 0;
  if (pending != nullptr && pending->is_object()) {
    for (const Json::Member& member : *pending->as_object()) waiting += member.value.as_integer().value_or(0);
  }
  std::printf("waiting     %lld\n", static_cast<long long>(waiting));
  std::printf("conflicts   %lld\n", static_cast<long long>(number(json, "conflicts")));
  std::printf("last synced %s\n", time_text(number(json, "last_synced_ms")).c_str());
  if (const auto problem = json.string_member("last_problem"))
    std::printf("problem     %s\n", std::string(*problem).c_str());
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
  // Members that only a run can know; a folder that was linked and never synced has none yet.
  auto last_run =
      *stored ? Json::parse(**stored)
              : Json::parse(
                    R"({"state":"never synced","files":0,"bytes":0,"pending":{},"conflicts":0,"last_synced_ms":null})");
  if (last_run && last_run->is_object()) {
    for (Json::Member& member : *last_run->as_object()) json.set(std::move(member.key), std::move(member.value));
  }
  if (!holder && *stored) json.set("state", "stopped");
  if (arguments.json) {
    std::printf("%s\n", json.dump().c_str());
  } else {
    print_for_people(json);
  }
  return ExitCode::Done;
}

}  // namespace diaryx::client
