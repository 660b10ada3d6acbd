#include "token_command.h"

#include <algorithm>
#include <cstdio>
#include <future>
#include <system_error>

#include "diaryx/native/random.h"
#include "services.h"
#include "sqlite_storage.h"

namespace diaryx::server {
namespace {

constexpr int64_t kDayMs = 24 * 3600 * 1000;

int fail(ExitCode code, const std::string& sentence) {
  std::fprintf(stderr, "diaryx-syncd: %s\n", sentence.c_str());
  return code;
}

std::string normalized(std::string email) {
  const auto is_space = [](unsigned char c) { return c == ' ' || c == '\t'; };
  std::erase_if(email, is_space);
  std::transform(email.begin(), email.end(), email.begin(), [](unsigned char c) { return std::tolower(c); });
  return email;
}

}  // namespace

int create_token_command(const TokenOptions& options) {
  const std::string email = normalized(options.email);
  if (email.size() < 3 || email.size() > 254 || email.find('@') == std::string::npos) {
    return fail(kExitUsage, "\"" + options.email + "\" is not an e-mail address; give one such as me@example.org");
  }
  std::error_code error;
  std::filesystem::create_directories(options.data, error);
  if (error) return fail(kExitData, "cannot make the folder " + options.data.native() + ": " + error.message());
  auto storage = SqliteStorage::open(options.data / "server.db");
  if (!storage) return fail(kExitData, storage.error().sentence);

  const std::string token = native::random_token();
  std::promise<StorageResult<Session>> made;
  (*storage)->create_token({.email = email,
                            .token_hash = sha256(token),
                            .device_name = options.device_name,
                            .now = now(),
                            .expires = now() + DurationMs{options.expires_days * kDayMs}},
                           [&made](StorageResult<Session> session) { made.set_value(std::move(session)); });
  const auto session = made.get_future().get();
  if (!session) return fail(kExitFailed, "the token was not stored: " + session.error().detail);
  std::printf("%s\n", token.c_str());
  return kExitDone;
}

}  // namespace diaryx::server
