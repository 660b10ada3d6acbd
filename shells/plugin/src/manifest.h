// What the plugin says about itself: id, capabilities, user interface, commands, command line, permissions.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace diaryx::plugin {

inline constexpr std::string_view kPluginId = "diaryx.sync";
/// The version that hosts know this interface by.
inline constexpr std::string_view kVersion = "0.1.4";

/// The manifest as JSON. `commands` are the declared names: a name missing there is never delivered by native hosts.
/// Needs no state and no host function, so that a module can be inspected without being trusted.
std::string manifest_json(std::span<const std::string_view> commands);

}  // namespace diaryx::plugin
