// What the documents of a workspace are called on a device, and the roots in them. docs/protocol.md says what stands in each.
#pragma once

#include <string_view>

namespace diaryx::sync {

inline constexpr std::string_view kWorkspaceName = "workspace";
inline constexpr std::string_view kBodyPrefix = "body:";

/// Roots of the workspace document.
inline constexpr char kFilesRoot[] = "files";
inline constexpr char kBinariesRoot[] = "binaries";
inline constexpr char kHomesRoot[] = "homes";
/// By these devices say who they are: client id in decimal -> device id, and device id -> name. Old peers ignore both.
inline constexpr char kWritersRoot[] = "writers";
inline constexpr char kDevicesRoot[] = "devices";

/// Roots of a body document.
inline constexpr char kHeadRoot[] = "head";
inline constexpr char kFieldsRoot[] = "fields";
inline constexpr char kBodyRoot[] = "body";
inline constexpr char kSeedRoot[] = "seed";
/// Of `kSeedRoot`: the client that wrote the text as it was imported.
inline constexpr char kSeedClientKey[] = "client";

}  // namespace diaryx::sync
