// `diaryx-syncd user|token|device …`
#include <algorithm>
#include <cstdio>
#include <memory>
#include <system_error>

#include "blob_store.h"
#include "command.h"
#include "data_folder.h"
#include "diaryx/native/random.h"
#include "diaryx/sync/metadata.h"
#include "services.h"
#include "sign_in.h"
#include "sqlite_storage.h"

namespace diaryx::server {
namespace {

constexpr int64_t kDayMs = 24 * 3600 * 1000;

/// An open database, or the exit code after the sentence was printed.
struct Opened {
  std::unique_ptr<SqliteStorage> storage;
  int code = kExitDone;
};

Opened open_storage(const std::filesystem::path& data) {
  std::error_code error;
  std::filesystem::create_directories(data, error);
  if (error) {
    return {nullptr, fail(kExitData, "cannot make the folder " + data.native() + ": " + error.message())};
  }
  auto storage = open_data(data);
  if (!storage) return {nullptr, fail(kExitData, storage.error().sentence)};
  return {std::move(*storage), kExitDone};
}

/// Of a server that is there: only who adds somebody may make one, so that a folder that is misspelt is not taken for empty.
Opened open_existing(const std::filesystem::path& data) {
  const auto there = has_database(data);
  if (!there) return {nullptr, fail(kExitData, there.error().sentence)};
  if (*there) return open_storage(data);
  return {nullptr, fail(kExitData, "there is no server in " + data.native() + "; give the --data of one")};
}

int storage_failed(const StorageError& error) { return fail(kExitFailed, "the database refused: " + error.detail); }

/// The address, or nothing after the sentence was printed.
std::optional<std::string> email_in(const AccountArguments& arguments) {
  auto email = normal_email(arguments.email);
  if (!email) fail(kExitUsage, "\"" + arguments.email + "\" is not an e-mail address; give one such as me@example.org");
  return email;
}

/// The user, or nothing after the sentence was printed.
std::optional<User> user_in(AccountStorage& accounts, const AccountArguments& arguments, int& code) {
  code = kExitUsage;
  const auto email = email_in(arguments);
  if (!email) return std::nullopt;
  auto user = wait_for<User>([&](auto reply) { accounts.find_user(*email, std::move(reply)); });
  if (user) return std::move(*user);
  code = user.error().kind == StorageError::Kind::NotFound
             ? fail(kExitFailed, "there is no user " + *email + "; diaryx-syncd user list shows all")
             : storage_failed(user.error());
  return std::nullopt;
}

}  // namespace

int fail(ExitCode code, const std::string& sentence) {
  std::fprintf(stderr, "diaryx-syncd: %s\n", sentence.c_str());
  return code;
}

int add_user(const AccountArguments& arguments) {
  const auto email = email_in(arguments);
  if (!email) return kExitUsage;
  const Opened opened = open_storage(arguments.data);
  if (opened.storage == nullptr) return opened.code;
  const auto user =
      wait_for<User>([&](auto reply) { opened.storage->accounts.create_user(*email, now(), std::move(reply)); });
  if (!user) {
    if (user.error().kind != StorageError::Kind::Conflict) return storage_failed(user.error());
    return fail(kExitFailed, "there is a user " + *email + " already");
  }
  std::printf("%s\n", user->id.c_str());
  return kExitDone;
}

int list_users(const AccountArguments& arguments) {
  const Opened opened = open_existing(arguments.data);
  if (opened.storage == nullptr) return opened.code;
  const auto users =
      wait_for<std::vector<User>>([&](auto reply) { opened.storage->accounts.list_users(std::move(reply)); });
  if (!users) return storage_failed(users.error());
  for (const User& user : *users) {
    std::printf("%s  %s  %s%s\n", user.id.c_str(), sync::format_rfc3339(user.created).c_str(), user.email.c_str(),
                user.owner ? "  owner" : "");
  }
  return kExitDone;
}

int remove_user(const AccountArguments& arguments) {
  const Opened opened = open_existing(arguments.data);
  if (opened.storage == nullptr) return opened.code;
  int code = kExitDone;
  const auto user = user_in(opened.storage->accounts, arguments, code);
  if (!user) return code;
  const auto users =
      wait_for<std::vector<User>>([&](auto reply) { opened.storage->accounts.list_users(std::move(reply)); });
  if (!users) return storage_failed(users.error());
  if (user->owner && users->size() > 1) {
    return fail(kExitFailed, user->email +
                                 " is the owner of the server; first make somebody else the owner: "
                                 "diaryx-syncd user owner EMAIL");
  }
  const auto removed =
      wait_for<void>([&](auto reply) { opened.storage->accounts.remove_user(user->id, std::move(reply)); });
  if (!removed) return storage_failed(removed.error());
  if (const auto blobs = BlobStore::open_existing(arguments.data)) blobs->discard_user(user->id);
  std::printf("removed %s with all workspaces and attachments\n", user->email.c_str());
  return kExitDone;
}

int make_owner(const AccountArguments& arguments) {
  const Opened opened = open_existing(arguments.data);
  if (opened.storage == nullptr) return opened.code;
  int code = kExitDone;
  const auto user = user_in(opened.storage->accounts, arguments, code);
  if (!user) return code;
  const auto made = wait_for<void>([&](auto reply) { opened.storage->accounts.set_owner(user->id, std::move(reply)); });
  if (!made) return storage_failed(made.error());
  std::printf("%s is the owner now\n", user->email.c_str());
  return kExitDone;
}

int print_user_link(const AccountArguments& arguments) {
  const Opened opened = open_existing(arguments.data);
  if (opened.storage == nullptr) return opened.code;
  int code = kExitDone;
  const auto user = user_in(opened.storage->accounts, arguments, code);
  if (!user) return code;
  SignInSecrets secrets = make_sign_in(user->email, now(), DurationMs{kDayMs});
  secrets.stored.max_per_hour = 0;  // whoever can run this owns the folder
  const auto stored =
      wait_for<void>([&](auto reply) { opened.storage->access.create_sign_in(secrets.stored, std::move(reply)); });
  if (!stored) return storage_failed(stored.error());
  std::printf("%s\ncode %s\n", sign_in_link(arguments.base_url, arguments.server_url, secrets.token).c_str(),
              secrets.code.c_str());
  return kExitDone;
}

int create_token(const AccountArguments& arguments) {
  const auto email = email_in(arguments);
  if (!email) return kExitUsage;
  const Opened opened = open_storage(arguments.data);
  if (opened.storage == nullptr) return opened.code;
  const std::string token = native::random_token();
  const NewToken made{.email = *email,
                      .token_hash = sha256(token),
                      .device_name = clean_device_name(arguments.device_name),
                      .now = now(),
                      .expires = now() + DurationMs{arguments.expires_days * kDayMs}};
  const auto session =
      wait_for<Session>([&](auto reply) { opened.storage->accounts.create_token(made, std::move(reply)); });
  if (!session) return storage_failed(session.error());
  std::printf("%s\n", token.c_str());
  return kExitDone;
}

int list_tokens(const AccountArguments& arguments) {
  const Opened opened = open_existing(arguments.data);
  if (opened.storage == nullptr) return opened.code;
  std::string user_id;
  if (!arguments.email.empty()) {
    int code = kExitDone;
    const auto user = user_in(opened.storage->accounts, arguments, code);
    if (!user) return code;
    user_id = user->id;
  }
  const auto tokens = wait_for<std::vector<TokenEntry>>(
      [&](auto reply) { opened.storage->accounts.list_tokens(user_id, std::move(reply)); });
  if (!tokens) return storage_failed(tokens.error());
  for (const TokenEntry& token : *tokens) {
    std::printf("%s  until %s  %s  %s\n", token.hash.hex().substr(0, 12).c_str(),
                sync::format_rfc3339(token.expires).c_str(), token.email.c_str(), token.device_name.c_str());
  }
  return kExitDone;
}

int revoke_token(const AccountArguments& arguments) {
  constexpr size_t kShortest = 8;
  if (arguments.token_prefix.size() < kShortest) {
    return fail(kExitUsage, "give at least 8 digits of what diaryx-syncd token list shows");
  }
  const Opened opened = open_existing(arguments.data);
  if (opened.storage == nullptr) return opened.code;
  const auto tokens = wait_for<std::vector<TokenEntry>>(
      [&](auto reply) { opened.storage->accounts.list_tokens("", std::move(reply)); });
  if (!tokens) return storage_failed(tokens.error());
  std::vector<TokenEntry> matching;
  std::copy_if(tokens->begin(), tokens->end(), std::back_inserter(matching),
               [&](const TokenEntry& token) { return token.hash.hex().starts_with(arguments.token_prefix); });
  if (matching.size() != 1) {
    return fail(kExitFailed, matching.empty() ? "there is no such token; diaryx-syncd token list shows all"
                                              : "several tokens begin like that; give more digits");
  }
  const auto removed =
      wait_for<void>([&](auto reply) { opened.storage->accounts.remove_token(matching[0].hash, std::move(reply)); });
  if (!removed) return storage_failed(removed.error());
  std::printf("ended; open connections are cut within a second or two\n");
  return kExitDone;
}

int list_devices(const AccountArguments& arguments) {
  const Opened opened = open_existing(arguments.data);
  if (opened.storage == nullptr) return opened.code;
  int code = kExitDone;
  const auto user = user_in(opened.storage->accounts, arguments, code);
  if (!user) return code;
  const auto devices = wait_for<std::vector<Device>>(
      [&](auto reply) { opened.storage->accounts.list_devices(user->id, now(), std::move(reply)); });
  if (!devices) return storage_failed(devices.error());
  for (const Device& device : *devices) {
    std::printf("%s  seen %s  %s\n", device.id.c_str(), sync::format_rfc3339(device.last_seen).c_str(),
                device.name.c_str());
  }
  return kExitDone;
}

int remove_device(const AccountArguments& arguments) {
  const Opened opened = open_existing(arguments.data);
  if (opened.storage == nullptr) return opened.code;
  int code = kExitDone;
  const auto user = user_in(opened.storage->accounts, arguments, code);
  if (!user) return code;
  const auto removed = wait_for<void>(
      [&](auto reply) { opened.storage->accounts.remove_device(user->id, arguments.device, std::move(reply)); });
  if (!removed) {
    if (removed.error().kind != StorageError::Kind::NotFound) return storage_failed(removed.error());
    return fail(kExitFailed, "there is no such device; diaryx-syncd device list shows all");
  }
  std::printf("removed; open connections are cut within a second or two\n");
  return kExitDone;
}

}  // namespace diaryx::server
