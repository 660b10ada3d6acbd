#include "manifest.h"

#include "diaryx/base/json.h"

namespace diaryx::plugin {
namespace {

// The parts that never change are written as the JSON they are; hosts compare names and tags by case.

constexpr std::string_view kCapabilities =
    R"(["workspace_events","file_events","crdt_commands","sync_transport","custom_commands"])";

constexpr std::string_view kUi = R"([
{"slot":"SettingsTab","id":"sync-settings","label":"Sync","icon":null,"component":null,"fields":[
  {"type":"AuthStatus","label":"Account","description":"Sign in to enable sync."},
  {"type":"UpgradeBanner","feature":"Sync","description":"Upgrade to sync workspaces across devices."},
  {"type":"Conditional","condition":"plus","fields":[
    {"type":"Section","label":"Connection","description":null},
    {"type":"Text","key":"server_url","label":"Server URL","description":"Automatically configured when you sign in.","placeholder":"https://sync.diaryx.org"},
    {"type":"Button","label":"Check Status","command":"GetProviderStatus","variant":"outline"}]}]},
{"slot":"SidebarTab","id":"snapshots","label":"Snapshots","icon":"history","side":"Left","component":{"type":"Iframe","component_id":"sync.snapshots"}},
{"slot":"SidebarTab","id":"history","label":"History","icon":"history","side":"Right","component":{"type":"Iframe","component_id":"sync.history"}},
{"slot":"StatusBarItem","id":"sync-status","label":"Sync","position":"Right","plugin_command":"GetSyncStatus"},
{"slot":"WorkspaceProvider","id":"diaryx.sync","label":"Diaryx Sync","icon":"cloud"}])";

constexpr std::string_view kCli =
    R"([{"name":"sync","about":"Sync workspace across devices","aliases":["sy"],"subcommands":[
{"name":"login","about":"Authenticate via magic link","native_handler":"sync_login","requires_workspace":false,"args":[
  {"name":"email","help":"Email address","required":true},
  {"name":"server","help":"Server URL","short":"s","long":"server"}]},
{"name":"verify","about":"Complete authentication","native_handler":"sync_verify","requires_workspace":false,"args":[
  {"name":"token","help":"Verification token","required":true},
  {"name":"device-name","help":"Device name","long":"device-name"}]},
{"name":"logout","about":"Clear credentials","native_handler":"sync_logout","requires_workspace":false},
{"name":"status","about":"Show sync status","native_handler":"sync_status"},
{"name":"start","about":"Start continuous sync","native_handler":"sync_start","args":[
  {"name":"background","help":"Run in background","short":"b","long":"background","is_flag":true}]},
{"name":"push","about":"Push local changes","native_handler":"sync_push"},
{"name":"pull","about":"Pull remote changes","native_handler":"sync_pull"},
{"name":"config","about":"Configure sync settings","native_handler":"sync_config","args":[
  {"name":"server","help":"Set server URL","long":"server"},
  {"name":"workspace-id","help":"Set workspace ID","long":"workspace-id"},
  {"name":"show","help":"Show current config","long":"show","is_flag":true}]}]}])";

constexpr std::string_view kPermissions = R"({"defaults":{
"plugin_storage":{"include":["all"],"exclude":[]},
"http_requests":{"include":["all"],"exclude":[]},
"read_files":{"include":["all"],"exclude":[]},
"edit_files":{"include":["all"],"exclude":[]},
"create_files":{"include":["all"],"exclude":[]},
"delete_files":{"include":["all"],"exclude":[]}},
"reasons":{
"plugin_storage":"Store sync configuration and CRDT state.",
"http_requests":"Communicate with the configured sync server.",
"read_files":"Read workspace files for snapshotting, reconciliation, and sync.",
"edit_files":"Apply remote changes to existing workspace files.",
"create_files":"Create files received from remote sync or restored from snapshots.",
"delete_files":"Delete files removed by remote sync or snapshot restore operations."}})";

}  // namespace

std::string manifest_json(std::span<const std::string_view> commands) {
  Json names = Json::array();
  for (const std::string_view name : commands) names.push(name);
  const Json head = Json{}
                        .set("protocol_version", 1)
                        .set("id", kPluginId)
                        .set("name", "Sync")
                        .set("version", kVersion)
                        .set("description", "Real-time CRDT sync across devices");
  std::string json = head.dump();
  json.pop_back();
  const auto member = [&json](std::string_view name, std::string_view value) {
    json.append(",\"").append(name).append("\":").append(value);
  };
  member("capabilities", kCapabilities);
  member("ui", kUi);
  member("commands", names.dump());
  member("cli", kCli);
  member("requested_permissions", kPermissions);
  return json += '}';
}

}  // namespace diaryx::plugin
