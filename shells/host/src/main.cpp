// `diaryx-plugin-host`: loads Extism plugins for Diaryx natively.
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>

#include "commands.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app("Loads Diaryx plugins natively, through libextism.", "diaryx-plugin-host");
  app.require_subcommand(1);
  int code = 0;

  diaryx::host::InspectArguments inspect;
  CLI::App& inspect_command = *app.add_subcommand("inspect", "Print a plugin's manifest, imports and size");
  inspect_command.add_option("FILE", inspect.file, "The plugin, a .wasm file")->required();
  inspect_command.add_flag("--json", inspect.json, "As one JSON object");
  inspect_command.callback([&] { code = diaryx::host::inspect(inspect); });

  diaryx::host::ServeArguments serve;
  CLI::App& serve_command = *app.add_subcommand("serve", "Run a plugin on a folder, driven by JSON lines");
  serve_command.add_option("FILE", serve.file, "The plugin, a .wasm file")->required();
  serve_command.add_option("--folder", serve.folder, "The workspace")->required();
  serve_command.add_option("--server", serve.server, "Address of the sync server, for the plugin's context");
  serve_command.add_option("--token", serve.token, "Token, for the plugin's context")->envname("DIARYX_TOKEN");
  serve_command.add_option("--device-name", serve.device_name, "What the history calls this device");
  serve_command.callback([&] { code = diaryx::host::serve(serve); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int usage = 2;
    return app.exit(error) == 0 ? 0 : usage;
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "diaryx-plugin-host: it had to stop: %s\n", failure.what());
    return 1;
  }
}
