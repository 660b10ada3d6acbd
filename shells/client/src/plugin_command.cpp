// `plugin`: looking at a plugin. The host that can load one is a program of its own, beside this one.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include <unistd.h>

#include "commands.h"

namespace diaryx::client {
namespace {

constexpr const char* kHostProgram = "diaryx-plugin-host";

}  // namespace

Attempt<ExitCode> inspect_plugin(const PluginArguments& arguments) {
  std::error_code error;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const std::string program = (here / kHostProgram).string();
  if (error || !std::filesystem::exists(program, error)) {
    return failure(
        ExitCode::Failed,
        "this build has no host for plugins, because libextism was not there when it was made: install cargo "
        "and build again with ./dev build");
  }
  std::vector<const char*> words{kHostProgram, "inspect"};
  if (arguments.json) words.push_back("--json");
  words.insert(words.end(), {"--", arguments.file.c_str(), nullptr});
  ::execv(program.c_str(), const_cast<char* const*>(words.data()));
  return failure(ExitCode::Failed, "cannot start " + program + ": " + std::strerror(errno));
}

}  // namespace diaryx::client
