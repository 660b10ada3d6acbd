// Names of documents and roots as a device stores them, and the head of files that have none.
#pragma once

#include <string>
#include <string_view>

#include "diaryx/sync/metadata.h"

namespace diaryx::sync {

inline constexpr std::string_view kWorkspaceDocument = "workspace";
inline constexpr std::string_view kBodyDocumentPrefix = "body:";

inline constexpr std::string_view kFilesRootName = "files";
inline constexpr std::string_view kBinariesRootName = "binaries";
inline constexpr std::string_view kHeadRootName = "head";
inline constexpr std::string_view kBodyRootName = "body";
inline constexpr std::string_view kSeedRootName = "seed";
inline constexpr std::string_view kSeedClientKey = "client";

/// Root maps of the workspace document by which devices say who they are: client id in decimal -> device id, and device id ->
/// name. Old peers ignore both.
inline constexpr std::string_view kWritersRoot = "writers";
inline constexpr std::string_view kDevicesRoot = "devices";
/// Longer ids and names are not ours.
inline constexpr size_t kMaxDeviceText = 256;

/// The frontmatter that is shown for a file whose document has none: what an old peer said in the metadata.
std::string head_without_text(const FileMetadata& entry, std::string_view path);

}  // namespace diaryx::sync
