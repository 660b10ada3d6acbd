// The commands by name, in the tables of the files that hold them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "guest.h"

namespace diaryx::plugin {

/// Whether the manifest names a command: native hosts deliver only those that it names.
enum class Declared : uint8_t { No, Yes };
/// Whether a command promises that something is kept. It is refused, before it does anything, where the host stores nothing.
enum class Stores : uint8_t { No, Yes };

struct Command {
  std::string_view name;
  Reply (*run)(Guest& guest, const Json& params);  // null: the host has to do it
  Declared declared = Declared::Yes;
  Stores stores = Stores::No;
};

std::span<const Command> config_commands();  // settings, panels, status, this device
std::span<const Command> provider_commands();  // workspaces on the server, live share
std::span<const Command> document_commands();  // the workspace document and the bodies
std::span<const Command> import_commands();  // the files of a folder, from its root index
std::span<const Command> protocol_commands();  // sync messages made and read for a host with its own transport
std::span<const Command> version_commands();  // the history as every sync plugin gives it
std::span<const Command> history_commands();  // what happened, what is different, going back
std::span<const Command> namespace_commands();  // objects and sessions on the server
std::span<const Command> snapshot_commands();  // names for points of the history, changes that wait

/// Declared names, in the order of the tables.
std::vector<std::string_view> declared_commands();

/// Runs a command. Errors: its own text; `Unknown command: <name>`.
Reply run_command(Guest& guest, std::string_view name, const Json& params);
inline constexpr std::string_view kUnknownCommand = "Unknown command: ";
inline constexpr const char* kStoresNothing =
    "The host stores nothing for this plugin; check its permission plugin_storage.";

/// The reply of a command that gives up. A function, since a hundred places do; one for each kind of text, so that none of them makes
/// another kind first.
Reply refused(std::string_view why);
Reply refused(const std::string& why);
Reply refused(const char* why);

// --- parameters -----------------------------------------------------------------------------------------------------

/// A string member, or `Missing parameter: <name>`.
std::expected<std::string, std::string> text_param(const Json& params, const char* name);
/// Base64 text or an array of byte values.
std::expected<Bytes, std::string> bytes_param(const Json& params, const char* name);
/// The paths of a list in the workspace; none when it is missing or something else.
std::vector<std::string> paths_param(Guest& guest, const Json& params, const char* name);
/// `limit`, if it is more than nothing.
size_t limit_param(const Json& params, size_t otherwise);
bool flag_param(const Json& params, const char* name, bool otherwise);

/// `{"data": "<base64>"}`
Json data_reply(ByteView bytes);

}  // namespace diaryx::plugin
