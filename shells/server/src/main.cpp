// diaryx-syncd: the command line.
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "command.h"
#include "command_line.h"
#include "diaryx/native/log.h"
#include "diaryx/native/usage.h"
#include "server.h"
#include "sign_in.h"
#include "version.h"

namespace {

using namespace diaryx::server;

void say(const std::vector<std::string>& sentences) {
  for (const std::string& sentence : sentences) std::fprintf(stderr, "diaryx-syncd: %s\n", sentence.c_str());
}

int serve(const Options& options, const std::vector<std::string>& warnings) {
  const auto format = options.log_format == "json" ? diaryx::native::LogFormat::Json : diaryx::native::LogFormat::Text;
  diaryx::native::start_log("diaryx-syncd", options.log_level, format);
  for (const std::string& warning : warnings) diaryx::native::log().warn("{}", warning);
  const std::string shown =
      options.address.find(':') == std::string::npos ? options.address : "[" + options.address + "]";
  const char* const scheme = options.tls_certificate.empty() ? "http" : "https";
  return run_server(options, [&shown, scheme](uint16_t port) {
    std::printf("listening on %s://%s:%u\n", scheme, shown.c_str(), port);
    std::fflush(stdout);
  });
}

/// The commands about people; `chosen` is the one that was given.
struct AccountCommands {
  explicit AccountCommands(CLI::App& app) {
    CLI::App* const user = app.add_subcommand("user", "People who may sign in")->require_subcommand(1);
    with_email(add(*user, "add", "Make a user; they sign in by link or code", add_user));
    add(*user, "list", "All users, the owner first", list_users);
    with_email(add(*user, "remove", "Remove a user with all their workspaces", remove_user));
    with_email(add(*user, "owner", "Make a user the owner of the server, instead of whoever is it now", make_owner));
    with_email(add(*user, "link", "Print a sign-in link and code, good for a day", print_user_link));

    CLI::App* const token = app.add_subcommand("token", "Tokens of devices")->require_subcommand(1);
    CLI::App* const create =
        with_user(add(*token, "create", "Print a new token; a new user is made if needed", create_token), true);
    create->add_option("--device", arguments.device_name, "A name for the device, shown in its list");
    create->add_option("--expires-days", arguments.expires_days, "Days until the token ends")
        ->check(CLI::Range(1, 36500))
        ->capture_default_str();
    with_user(add(*token, "list", "Tokens by the first digits of their hash", list_tokens), false);
    add(*token, "revoke", "End a token and cut its connections", revoke_token)
        ->add_option("digits", arguments.token_prefix, "What token list shows")
        ->required();

    CLI::App* const device = app.add_subcommand("device", "Devices of a user")->require_subcommand(1);
    with_user(add(*device, "list", "Last seen first", list_devices), true);
    with_user(add(*device, "remove", "Sign a device out and cut its connections", remove_device), true)
        ->add_option("id", arguments.device, "What device list shows")
        ->required();
  }

  CLI::App* add(CLI::App& group, const char* name, const char* help, int (*run)(const AccountArguments&)) {
    CLI::App* const command = group.add_subcommand(name, help);
    command->callback([this, run] { chosen = run; });
    return command;
  }
  void with_email(CLI::App* command) {
    command->add_option("email", arguments.email, "E-mail address of the user")->required();
  }
  CLI::App* with_user(CLI::App* command, bool required) {
    command->add_option("--user", arguments.email, "E-mail address of the user")->required(required);
    return command;
  }

  AccountArguments arguments;
  int (*chosen)(const AccountArguments&) = nullptr;
};

int run(int argc, char** argv) {
  CLI::App app{"Diaryx sync server. Keeps everything in one folder.", "diaryx-syncd"};
  app.set_version_flag("--version", std::string(kVersion));
  app.fallthrough();  // --data may stand behind a command
  Given given;
  add_settings(app, given);
  AccountCommands accounts(app);
  std::string folder;
  RestoreArguments restoring;
  CLI::App* const backup = app.add_subcommand("backup", "Copy everything at one moment, while the server runs");
  backup->add_option("--to", folder, "A new or empty folder")->required();
  CLI::App* const verifying = app.add_subcommand("verify", "Look at every record and attachment of --data or a backup");
  verifying->add_option("folder", folder, "A backup; without it, --data");
  CLI::App* const restore_one = app.add_subcommand("restore", "Make --data, a new folder, of a backup");
  std::string from;
  restore_one->add_option("--from", from, "The backup")->required();
  restore_one->add_flag("--sign-out", restoring.sign_out, "End all tokens and shares");
  CLI::App* const doctor = app.add_subcommand("doctor", "Say what is wrong, and what to do");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;  // --help, --version
    if (asked) return app.exit(error);
    return fail(kExitUsage, diaryx::native::usage_sentence(app, error));
  }
  if (const std::string wrong = fill_in(app, given); !wrong.empty()) return fail(kExitUsage, wrong);
  if (verifying->parsed() && !folder.empty()) return verify(folder);
  const std::vector<std::string> unknown = unknown_variables(app);
  const std::string unsettled = settle(given);
  const bool serves = app.get_subcommands().empty() && !given.check_config;
  if (!serves || !unsettled.empty()) say(unknown);  // a server has its log
  if (!unsettled.empty()) return fail(kExitUsage, unsettled);
  const Options& options = given.options;
  if (given.check_config) {
    if (const std::string wrong = examine_data(options.data); !wrong.empty()) return fail(kExitUsage, wrong);
    std::printf("%s", describe_settings(app).c_str());
    return kExitDone;
  }
  if (accounts.chosen != nullptr) {
    accounts.arguments.data = options.data;
    accounts.arguments.base_url = options.base_url;
    accounts.arguments.server_url = own_url(options, options.port);
    return accounts.chosen(accounts.arguments);
  }
  if (backup->parsed()) return back_up(options.data, folder);
  if (verifying->parsed()) return verify(options.data);
  if (restore_one->parsed()) {
    restoring.from = from;
    restoring.data = options.data;
    return restore(restoring);
  }
  if (doctor->parsed()) return examine(options);
  return serve(options, unknown);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(077);  // what is kept here is for nobody else on this machine
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {  // the rim
    std::fprintf(stderr, "diaryx-syncd: it had to stop: %s\n", error.what());
    return kExitFailed;
  }
}
