// diaryx-syncd: the command line.
#include <csignal>
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include "diaryx/native/log.h"
#include "server.h"
#include "token_command.h"
#include "version.h"

namespace {

using diaryx::server::Options;
using diaryx::server::TokenOptions;

/// `HOST:PORT`, also `[::1]:PORT`. Empty = fine, else the sentence.
std::string parse_listen(const std::string& text, Options& options) {
  const std::string sentence = "--listen takes ADDRESS:PORT, e.g. 127.0.0.1:3030 (port 0 = any free port)";
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) return sentence;
  const std::string port = text.substr(colon + 1);
  if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535)
    return sentence;
  options.address = text.substr(0, colon);
  if (options.address.front() == '[' && options.address.back() == ']') {
    options.address = options.address.substr(1, options.address.size() - 2);
  }
  options.port = static_cast<uint16_t>(std::stoi(port));
  return {};
}

int serve(Options options, const std::string& listen) {
  if (const std::string wrong = parse_listen(listen, options); !wrong.empty()) {
    std::fprintf(stderr, "diaryx-syncd: %s\n", wrong.c_str());
    return diaryx::server::kExitUsage;
  }
  if (!diaryx::native::start_log("diaryx-syncd", options.log_level)) {
    std::fprintf(stderr, "diaryx-syncd: --log-level takes trace, debug, info, warn, error or off\n");
    return diaryx::server::kExitUsage;
  }
  const std::string shown =
      options.address.find(':') == std::string::npos ? options.address : "[" + options.address + "]";
  return diaryx::server::run_server(options, [&shown](uint16_t port) {
    std::printf("listening on http://%s:%u\n", shown.c_str(), port);
    std::fflush(stdout);
  });
}

int run(int argc, char** argv) {
  CLI::App app{"Diaryx sync server. Keeps everything in one folder."};
  app.set_version_flag("--version", std::string(diaryx::server::kVersion));
  Options options;
  std::string listen = "127.0.0.1:3030";
  std::string data;
  app.add_option("--data", data, "Folder for the database and attachments; made if missing");
  app.add_option("--listen", listen, "ADDRESS:PORT; port 0 = any free port")->capture_default_str();
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn, error or off")->capture_default_str();
  app.add_option("--cors-origin", options.cors_origins, "Web origin that may use the API; may be repeated");
  app.add_option("--attachment-limit", options.attachment_limit_bytes, "Bytes of attachments per user; 0 = no limit");

  CLI::App* token = app.add_subcommand("token", "Make tokens for devices");
  token->require_subcommand(1);
  CLI::App* create = token->add_subcommand("create", "Print a new token; a new user is made if needed");
  TokenOptions token_options;
  create->add_option("--data", data, "Folder of the server");
  create->add_option("--user", token_options.email, "E-mail address of the user")->required();
  create->add_option("--device", token_options.device_name, "A name for the device, shown in its list");
  create->add_option("--expires-days", token_options.expires_days, "Days until the token ends")
      ->check(CLI::Range(1, 36500))
      ->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;  // --help, --version
    if (asked) return app.exit(error);
    std::fprintf(stderr, "diaryx-syncd: %s (see diaryx-syncd --help)\n", error.what());
    return diaryx::server::kExitUsage;
  }
  if (data.empty()) {
    std::fprintf(stderr, "diaryx-syncd: say where to keep the data, e.g. --data ./diaryx-data\n");
    return diaryx::server::kExitUsage;
  }
  options.data = data;
  token_options.data = data;
  return create->parsed() ? create_token_command(token_options) : serve(std::move(options), listen);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {  // the rim
    std::fprintf(stderr, "diaryx-syncd: it had to stop: %s\n", error.what());
    return diaryx::server::kExitFailed;
  }
}
