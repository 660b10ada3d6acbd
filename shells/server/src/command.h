// What the commands of the program share. They work while the server runs, and on a folder that no server uses.
#pragma once

#include <filesystem>
#include <future>
#include <string>
#include <utility>

#include "options.h"
#include "storage_result.h"

namespace diaryx::server {

/// Prints `diaryx-syncd: <sentence>` to standard error and gives the code back.
int fail(ExitCode code, const std::string& sentence);

/// Asks the storage and waits; for commands and the start, where nothing else happens meanwhile.
template <typename T, typename Start>
StorageResult<T> wait_for(Start start) {
  std::promise<StorageResult<T>> promise;
  start(Reply<T>([&promise](StorageResult<T> result) { promise.set_value(std::move(result)); }));
  return promise.get_future().get();
}

// account_commands.cpp. Each returns an ExitCode; lists go to standard output, problems to standard error.
struct AccountArguments {
  std::filesystem::path data;
  std::string email;
  std::string device;         // an id
  std::string device_name;
  std::string token_prefix;   // of the hash, as `token list` shows it
  std::string base_url;
  std::string server_url;     // where the server is found, for links
  int64_t expires_days = 365;
};
int add_user(const AccountArguments& arguments);
int list_users(const AccountArguments& arguments);
/// Not the owner while there are others: first somebody else becomes it.
int remove_user(const AccountArguments& arguments);
int make_owner(const AccountArguments& arguments);
/// A new sign-in link, for somebody who lost every device.
int print_user_link(const AccountArguments& arguments);
/// Prints just the token; a user that is new is made.
int create_token(const AccountArguments& arguments);
int list_tokens(const AccountArguments& arguments);
int revoke_token(const AccountArguments& arguments);
int list_devices(const AccountArguments& arguments);
int remove_device(const AccountArguments& arguments);

// backup.cpp, verify.cpp, restore.cpp
/// A copy of everything at one moment, taken while the server runs. `target` must be new or empty.
int back_up(const std::filesystem::path& data, const std::filesystem::path& target);
/// Looks at every record, snapshot and attachment of a data folder or backup.
int verify(const std::filesystem::path& folder);
struct RestoreArguments {
  std::filesystem::path from;
  std::filesystem::path data;
  bool sign_out = false;  // ends all tokens: those revoked after the backup would be good again
};
/// Makes a data folder of a backup that passes `verify`. The lineage is new.
int restore(const RestoreArguments& arguments);

// doctor.cpp
/// Says what is wrong with a data folder and these options, and what to do.
int examine(const Options& options);

}  // namespace diaryx::server
