#include "device_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "diaryx/base/json.h"
#include "diaryx/native/atomic_file.h"
#include "said.h"

namespace diaryx::client {
namespace {

constexpr uint64_t kMaxSettingsBytes = 64 * 1024;
constexpr int64_t kConfigVersion = 1;
constexpr const char* kGitIgnore = ".gitignore";

/// The settings go first: what is left of a half-finished unlink is not a linked folder.
constexpr std::array kOurFiles{"config.json", "config.json.new", "token",    "token.new",    "request",
                               "request.new", ".gitignore.new",  "state.db", "state.db-wal", "state.db-shm",
                               "lock"};

std::string settings_path(std::string_view name) { return std::string(kSettingsFolder) + "/" + std::string(name); }

Attempt<std::string> read_text(const native::RootFolder& root, const std::string& path) {
  auto content = root.read(path, kMaxSettingsBytes);
  if (!content) return failure(std::move(content.error()));
  return std::string(as_text(content->bytes));
}

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

std::string to_json(const DeviceConfig& config) {
  Json json = Json::object();
  json.set("version", kConfigVersion)
      .set("server", config.server.display())
      .set("workspace_id", config.workspace_id)
      .set("workspace_name", config.workspace_name)
      .set("device_id", config.device_id)
      .set("device_name", config.device_name)
      .set("linked_at_ms", config.linked_at_ms);
  return json.dump() + "\n";
}

std::optional<DeviceConfig> from_json(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json || json->integer_member("version") != kConfigVersion) return std::nullopt;
  auto server = native::ServerUrl::parse(json->string_member("server").value_or(""));
  const auto workspace_id = json->string_member("workspace_id");
  if (!server || !workspace_id || workspace_id->empty()) return std::nullopt;
  return DeviceConfig{.server = std::move(*server),
                      .workspace_id = std::string(*workspace_id),
                      .workspace_name = std::string(json->string_member("workspace_name").value_or("")),
                      .device_id = std::string(json->string_member("device_id").value_or("")),
                      .device_name = std::string(json->string_member("device_name").value_or(computer_name())),
                      .linked_at_ms = json->integer_member("linked_at_ms").value_or(0)};
}

/// Takes the lock without waiting; false when somebody else has it.
bool try_lock(int file) { return ::flock(file, LOCK_EX | LOCK_NB) == 0; }

std::optional<int64_t> read_number(int file) {
  char text[24];
  const ssize_t got = ::pread(file, text, sizeof text, 0);
  int64_t number = 0;
  if (got <= 0 || std::from_chars(text, text + got, number).ec != std::errc{}) return std::nullopt;
  return number;
}

native::UniqueFd open_lock(const native::RootFolder& root, int flags) {
  const auto folder = root.open_folder(kSettingsFolder);
  if (!folder) return {};
  return native::UniqueFd(::openat(folder->get(), "lock", flags | O_NOFOLLOW | O_CLOEXEC, 0600));
}

}  // namespace

std::string computer_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return {};
  return name;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

Attempt<FolderLock> FolderLock::acquire(const native::RootFolder& root) {
  auto file = open_lock(root, O_RDWR | O_CREAT);
  if (!file) return failure(native::os_problem("lock", settings_path("lock"), errno).error());
  if (!try_lock(file.get())) {
    const auto holder = read_number(file.get());
    std::string sentence = "another diaryx-sync is working on this folder";
    if (holder) sentence += " (process " + std::to_string(*holder) + ")";
    return failure(ExitCode::Busy, sentence + "; stop it first, or leave the work to it");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  // Only for people and `status`: the lock itself does not depend on what is written.
  if (::ftruncate(file.get(), 0) == 0 && ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0) {
    return failure(native::os_problem("write", settings_path("lock"), errno).error());
  }
  return FolderLock(std::move(file), root.location() + "/" + settings_path("lock"));
}

bool FolderLock::is_in_place() const {
  struct stat held{};
  struct stat found{};
  if (::fstat(file_.get(), &held) != 0) return true;
  // A way that cannot be looked along (a permission, a network that fails) says nothing about where it leads.
  if (::lstat(location_.c_str(), &found) != 0) return errno != ENOENT && errno != ENOTDIR;
  return held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

std::optional<int64_t> FolderLock::holder(const native::RootFolder& root) {
  const auto file = open_lock(root, O_RDONLY);
  if (!file || ::flock(file.get(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  return read_number(file.get()).value_or(0);
}

Attempt<DeviceFolder> DeviceFolder::open(const std::string& folder) {
  // Absolute, so that what is watched does not depend on the working directory.
  const std::unique_ptr<char, decltype(&std::free)> full(::realpath(folder.c_str(), nullptr), &std::free);
  if (!full) {
    return failure(ExitCode::NotLinked, native::os_problem("open the folder", folder, errno).error().sentence);
  }
  auto root = native::RootFolder::open(full.get());
  if (!root) return failure(std::move(root.error()), ExitCode::NotLinked);
  return DeviceFolder(std::move(*root));
}

Attempt<std::optional<DeviceConfig>> DeviceFolder::config() const {
  const auto entry = root_.look(settings_path("config.json"));
  if (!entry) return failure(entry.error());
  if (entry->kind == native::EntryKind::Absent) return std::optional<DeviceConfig>{};
  const auto text = read_text(root_, settings_path("config.json"));
  if (!text) return std::unexpected(text.error());
  auto config = from_json(*text);
  if (!config) {
    return failure(ExitCode::Failed, root_.location() +
                                         "/.diaryx/config.json is not one that this version wrote; "
                                         "unlink the folder and link it again, your files stay");
  }
  return config;
}

Attempt<DeviceConfig> DeviceFolder::linked_config() const {
  auto found = config();
  if (!found) return std::unexpected(std::move(found.error()));
  if (!*found) {
    return failure(ExitCode::NotLinked, root_.location() + " is not linked; link it first: diaryx-sync link " +
                                            as_argument(root_.location()) +
                                            " --server URL --token TOKEN --workspace NAME");
  }
  return std::move(**found);
}

Attempt<std::string> DeviceFolder::token() const {
  auto text = read_text(root_, settings_path("token"));
  const std::string advice = "; link the folder again with a token: diaryx-sync link " + as_argument(root_.location()) +
                             " --server URL --token TOKEN --workspace NAME";
  if (!text) return failure(ExitCode::Refused, text.error().sentence + advice);
  std::string token = without_line_end(std::move(*text));
  if (!is_token(token)) return failure(ExitCode::Refused, "what stands in .diaryx/token is no token" + advice);
  return token;
}

Attempt<void> DeviceFolder::store(std::string_view name, std::string_view text, unsigned mode) const {
  const std::string path = settings_path(name);
  const auto folder = root_.open_parent(path, native::MissingFolders::Create);
  if (!folder) return failure(folder.error());
  const std::string half = std::string(name) + ".new";
  const native::UniqueFd file(
      ::openat(folder->get(), half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
  // fchmod as well: a left-over of another mode keeps it through O_TRUNC.
  if (!file || ::fchmod(file.get(), mode) != 0 ||
      ::write(file.get(), text.data(), text.size()) != ssize_t(text.size()) || ::fsync(file.get()) != 0 ||
      ::renameat(folder->get(), half.c_str(), folder->get(), std::string(name).c_str()) != 0 ||
      ::fsync(folder->get()) != 0) {
    return failure(native::os_problem("write", path, errno).error());
  }
  return {};
}

Attempt<void> DeviceFolder::link(const DeviceConfig& config, const std::string& token) const {
  if (auto stored = store(kGitIgnore, "*\n", 0644); !stored) return stored;
  if (auto stored = store("token", token + "\n", 0600); !stored) return stored;
  return store("config.json", to_json(config), 0644);
}

Attempt<void> DeviceFolder::leave_request(std::string_view word) const {
  return store("request", std::string(word) + " " + std::to_string(::getpid()) + "\n", 0600);
}

bool DeviceFolder::has_request() const {
  const auto entry = root_.look(settings_path("request"));
  return entry && entry->kind == native::EntryKind::File;
}

void DeviceFolder::withdraw_request() const {
  if (const auto folder = root_.open_folder(kSettingsFolder)) ::unlinkat(folder->get(), "request", 0);
}

std::string DeviceFolder::take_request() const {
  const auto text = read_text(root_, settings_path("request"));
  if (!text) return {};
  withdraw_request();
  const size_t blank = text->find(' ');
  if (blank == std::string::npos) return {};
  int64_t process = 0;
  std::from_chars(text->data() + blank + 1, text->data() + text->size(), process);
  const bool waits = process > 0 && (::kill(static_cast<pid_t>(process), 0) == 0 || errno == EPERM);
  return waits ? text->substr(0, blank) : std::string();
}

Attempt<void> DeviceFolder::unlink() const {
  const auto folder = root_.open_folder(kSettingsFolder);
  if (!folder) return failure(folder.error());
  for (const char* const name : kOurFiles) {
    if (::unlinkat(folder->get(), name, 0) != 0 && errno != ENOENT) {
      return failure(native::os_problem("remove", settings_path(name), errno).error());
    }
  }
  // What is not ours stays: an app that opens this folder keeps its plugins here, and a text that could not be put back is in `tmp`.
  native::clear_staging(root_);
  ::unlinkat(folder->get(), "tmp", AT_REMOVEDIR);
  namespace fs = std::filesystem;
  const fs::path settings = fs::path(root_.location()) / kSettingsFolder;
  std::error_code error;
  const bool is_ours_alone = std::all_of(fs::directory_iterator(settings, error), {},
                                         [](const auto& entry) { return entry.path().filename() == kGitIgnore; });
  if (!error && is_ours_alone) fs::remove_all(settings, error);
  if (error) return failure(native::os_problem("remove", kSettingsFolder, error.value()).error());
  return {};
}

}  // namespace diaryx::client
