// The host functions of a Diaryx host of version 1.4, on a real folder, a real network and a real clock.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/json.h"
#include "diaryx/native/atomic_file.h"
#include "extism_plugin.h"
#include "permissions.h"
#include "plugin_storage.h"
#include "socket_bridge.h"
#include "workspace_files.h"

namespace diaryx::host {

/// What the running call of the guest saw of files. A write over a file that somebody changed since is not done: the guest
/// decided on it without knowing what it would replace.
class SeenFiles {
 public:
  void begin_call() { seen_.clear(); }
  void saw(const std::string& path, native::Expectation content) { seen_.insert_or_assign(path, content); }
  std::optional<native::Expectation> take(const std::string& path);

 private:
  std::map<std::string, native::Expectation> seen_;
};

/// What the functions work on. All of it outlives the plugin.
struct HostWorld {
  const WorkspaceFiles& files;
  SeenFiles& seen;
  const PluginStorage& storage;
  const Permissions& permissions;
  SocketBridge& socket;
  const Json& context;
  std::function<void(std::string_view level, std::string_view message)> log;
  std::function<void(Json event)> emit;
  /// Functions that fail whenever they are called, for tests of guests.
  const std::set<std::string, std::less<>>& broken;
};

/// All 22 names that shipped hosts register. Failures end the guest's call, an HTTP status of 400 or more among them.
std::vector<HostFunction> host_functions(const HostWorld& world);

}  // namespace diaryx::host
