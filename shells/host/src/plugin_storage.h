// The plugin's key-value storage: a file per key, beneath the workspace.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"
#include "workspace_files.h"

namespace diaryx::host {

/// No two keys share a file, whatever they consist of: the file's name is the key's SHA-256.
class PluginStorage {
 public:
  explicit PluginStorage(const WorkspaceFiles& files) : files_(files) {}

  std::optional<Bytes> get(std::string_view key) const;
  /// A crash leaves the old value or the new one.
  native::Outcome<void> set(std::string_view key, ByteView value) const;

 private:
  const WorkspaceFiles& files_;
};

}  // namespace diaryx::host
