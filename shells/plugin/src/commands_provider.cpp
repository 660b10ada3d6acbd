// Workspaces on the server, and live share.
//
// Linking uploads no snapshot: the session itself carries every file, and it merges where an upload with `replace` would
// destroy what the server has (A7). `snapshot_uploaded` says so instead of claiming an upload.

#include <algorithm>
#include <array>

#include "commands.h"
#include "manifest.h"
#include "remote.h"
#include "snapshot.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kMissingServer = "Missing server_url";
constexpr std::string_view kMissingWorkspace = "Missing workspace_id";
constexpr std::string_view kUnsupported = "Unsupported provider";

bool is_supported(const Json& params) {
  const auto id = params.string_member("provider_id");
  return !id || *id == "sync" || *id == kPluginId;
}

std::string trimmed_param(const Json& params, const char* name) {
  return std::string(trimmed(params.string_member(name).value_or("")));
}

// The folder that a command names. That of the session changes only when the folder is linked.
Disk folder_param(Guest& guest, const Json& params) {
  Disk folder = guest.disk();
  const std::string root = trimmed_param(params, "workspace_root");
  // To hosts with absolute paths "." is where their process happens to be.
  const std::string known = folder.root();
  const bool is_absolute = known.starts_with('/') || known.find(':') == 1;
  if (!root.empty() && !(root == "." && is_absolute)) folder.set_root(root);
  return folder;
}

Reply provider_status(Guest& guest, const Json& params) {
  const std::string_view missing = is_supported(params) ? guest.endpoint(params).missing() : kUnsupported;
  return Json{}.set("ready", missing.empty()).set("message", text_or_null(missing));
}

Reply list_workspaces(Guest& guest, const Json& params) {
  Json list = Json::array();
  if (!is_supported(params)) return Json{}.set("workspaces", std::move(list));
  const Endpoint endpoint = guest.endpoint(params);
  if (endpoint.server_url.empty()) return refused(kMissingServer);
  const auto workspaces = Remote(endpoint).workspaces();
  if (!workspaces) return refused(workspaces.error().text);
  for (const RemoteWorkspace& workspace : *workspaces) {
    list.push(Json{}.set("id", workspace.id).set("name", workspace.name));
  }
  return Json{}.set("workspaces", std::move(list));
}

Reply link_workspace(Guest& guest, const Json& params) {
  if (!is_supported(params)) return refused(kUnsupported);
  const Endpoint endpoint = guest.endpoint(params);
  if (endpoint.server_url.empty()) return refused(kMissingServer);
  std::string id = trimmed_param(params, "remote_id");
  const bool create = id.empty();
  if (create) {
    const std::string name = trimmed_param(params, "name");
    if (name.empty()) return refused("Missing name");
    const auto created = Remote(endpoint).create_workspace(name);
    if (!created) return refused(created.error().text);
    id = created->id;
  }
  if (!is_usable_workspace(id)) return refused(kUnusableWorkspace);
  if (!create) {
    const auto known = Remote(endpoint).workspace(id);
    if (!known && known.error().status > 0) return refused(known.error().text);
  }
  guest.link(id, folder_param(guest, params));
  return Json{}
      .set("remote_id", id)
      .set("created_remote", create)
      .set("snapshot_uploaded", false)
      .set("files_uploaded", 0);
}

Reply unlink_workspace(Guest& guest, const Json&) {
  guest.unlink();
  return Json{}.set("ok", true);
}

Reply upload_snapshot(Guest& guest, const Json& params) {
  if (!is_supported(params)) return refused(kUnsupported);
  const Endpoint endpoint = guest.endpoint(params);
  if (endpoint.server_url.empty()) return refused(kMissingServer);
  std::string id = trimmed_param(params, "remote_id");
  if (id.empty()) id = guest.config().workspace_id;
  if (id.empty()) return refused("Missing remote_id");
  std::string mode = trimmed_param(params, "mode");
  // What is on the server goes only when somebody says so.
  if (mode != "replace") mode = "merge";
  const bool attachments = flag_param(params, "include_attachments", true);

  const PackedFolder packed = pack_folder(folder_param(guest, params), attachments);
  if (mode == "replace") {
    // What is not in the zip would be gone.
    if (!packed.left_out.empty())
      return refused(packed.left_out.front() + " cannot be read; nothing was replaced on the server");
    if (packed.files == 0) return refused("No file was found to upload; nothing was replaced on the server");
  }
  for (const std::string& path : packed.left_out)
    host::log(host::Level::Warn, path + " cannot be read and is not in the snapshot");
  const auto done = Remote(endpoint).upload_snapshot(id, mode, attachments, packed.zip);
  if (!done) return refused(done.error().text);
  return Json{}.set("remote_id", id).set("files_uploaded", packed.files).set("snapshot_uploaded", true);
}

Reply download_workspace(Guest& guest, const Json& params) {
  if (!is_supported(params)) return refused(kUnsupported);
  const std::string id = trimmed_param(params, "remote_id");
  if (id.empty()) return refused("Missing remote_id");
  const Endpoint endpoint = guest.endpoint(params);
  if (endpoint.server_url.empty()) return refused(kMissingServer);
  const Disk folder = folder_param(guest, params);
  const bool attachments = flag_param(params, "include_attachments", true);
  const bool link = flag_param(params, "link", false);
  if (link && !is_usable_workspace(id)) return refused(kUnusableWorkspace);
  if (link && !storage_keeps()) return refused(kStoresNothing);
  const auto zip = Remote(endpoint).download_snapshot(id, attachments);
  if (!zip) return refused(zip.error().text);
  // What is here already meets what is there in the session: both stay.
  const auto unpacked = unpack_into(folder, *zip, attachments, link ? Present::Kept : Present::Replaced);
  if (!unpacked) return refused(unpacked.error());
  if (link) {
    guest.link(id, folder);
  } else if (folder.root() == guest.disk().root()) {
    guest.start_scan();
  }
  return Json{}.set("files_imported", unpacked->written).set("files_skipped", unpacked->skipped);
}

// --- live share -----------------------------------------------------------------------------------------------------

std::string workspace_param(Guest& guest, const Json& params) {
  std::string id = trimmed_param(params, "workspace_id");
  return id.empty() ? guest.config().workspace_id : id;
}

Reply prepare_live_share(Guest& guest, const Json& params) {
  const std::string id = workspace_param(guest, params);
  if (id.empty()) return refused(kMissingWorkspace);
  if (!is_usable_workspace(id)) return refused(kUnusableWorkspace);
  const bool write = flag_param(params, "write_to_disk", true);
  if (write)
    guest.lend_folder(id);
  else
    guest.open_share(id, false);
  return Json{}.set("workspace_id", id).set("write_to_disk", write).set("runtime_owner", kPluginId);
}

Reply connect_live_share(Guest& guest, const Json& params) {
  const std::string id = workspace_param(guest, params);
  if (id.empty()) return refused(kMissingWorkspace);
  if (!is_usable_workspace(id)) return refused(kUnusableWorkspace);
  const Endpoint endpoint = guest.endpoint(params);
  if (endpoint.server_url.empty()) return refused(kMissingServer);
  std::string code = trimmed_param(params, "session_code");
  if (code.empty()) code = trimmed_param(params, "join_code");
  if (code.empty()) return refused("Missing session_code");
  std::ranges::transform(code, code.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  const Session* session = guest.session();
  const bool is_lent = session && session->is_lent() && session->workspace_id() == id;  // to go on as it was prepared
  const bool write = flag_param(params, "write_to_disk", is_lent);
  guest.open_share(id, write);
  guest.connect({.server_url = endpoint.server_url,
                 .workspace_id = id,
                 .auth_token = endpoint.auth_token,
                 .session_code = code,
                 .write_to_disk = write});
  if (!guest.transport_problem().empty()) return refused(guest.transport_problem());
  return Json{}.set("workspace_id", id).set("session_code", code).set("write_to_disk", write).set("connected", true);
}

Reply disconnect_live_share(Guest& guest, const Json&) {
  guest.close_share();
  return Json{}.set("ok", true).set("connected", false);
}

constexpr std::array kCommands{
    Command{"GetProviderStatus", provider_status},
    Command{"ListRemoteWorkspaces", list_workspaces},
    Command{"LinkWorkspace", link_workspace, Declared::Yes, Stores::Yes},
    Command{"UnlinkWorkspace", unlink_workspace, Declared::Yes, Stores::Yes},
    Command{"UploadWorkspaceSnapshot", upload_snapshot},
    Command{"DownloadWorkspace", download_workspace},
    Command{"PrepareLiveShareRuntime", prepare_live_share, Declared::No},
    Command{"ConnectLiveShareSession", connect_live_share, Declared::No},
    Command{"DisconnectLiveShareSession", disconnect_live_share, Declared::No},
    Command{"CreateShareSession", nullptr, Declared::No},
    Command{"JoinShareSession", nullptr, Declared::No},
    Command{"EndShareSession", nullptr, Declared::No},
    Command{"SetShareReadOnly",
            [](Guest&, const Json& params) -> Reply {
              return Json{}.set("read_only", flag_param(params, "read_only", false));
            },
            Declared::No},
};

}  // namespace

std::span<const Command> provider_commands() { return kCommands; }

}  // namespace diaryx::plugin
