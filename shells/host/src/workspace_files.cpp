#include "workspace_files.h"

#include <filesystem>
#include <system_error>

#include "diaryx/base/sha256.h"
#include "diaryx/native/file_scan.h"

namespace diaryx::host {
namespace {

constexpr uint64_t kLargestFileBytes = uint64_t{1} << 30;
constexpr int kWriteAttempts = 3;  // somebody else may save the same file in between

bool takes_part(std::string_view path) {
  const std::string_view first = path.substr(0, path.find('/'));
  return first != kHostFolder && first != ".git";
}

}  // namespace

native::Outcome<WorkspaceFiles> WorkspaceFiles::open(const std::string& folder) {
  std::error_code error;
  const std::string location = std::filesystem::canonical(folder, error).string();
  if (error) return native::os_problem("open", folder, error.value());
  auto root = native::RootFolder::open(location);
  if (!root) return std::unexpected(root.error());
  return WorkspaceFiles(location, std::move(*root));
}

native::Outcome<std::string> WorkspaceFiles::inside(std::string_view path) const {
  std::string rest(path);
  if (rest.starts_with('/')) {
    if (rest != location_ && !rest.starts_with(location_ + '/'))
      return native::problem(rest + " is outside of the workspace");
    rest.erase(0, location_.size());
  }
  rest = std::filesystem::path("/" + rest).lexically_normal().string();
  while (rest.starts_with('/')) rest.erase(0, 1);
  if (rest.empty()) return rest;
  if (!native::is_safe_path(rest)) return native::problem(std::string(path) + " is no path of a workspace");
  if (!takes_part(rest)) return native::problem(std::string(path) + " belongs to the host");
  return rest;
}

native::Outcome<Bytes> WorkspaceFiles::read(const std::string& path) const {
  auto content = root_.read(path, kLargestFileBytes);
  if (!content) return std::unexpected(std::move(content.error()));
  return std::move(content->bytes);
}

bool WorkspaceFiles::is_file(const std::string& path) const {
  const auto entry = root_.look(path);
  return entry && entry->kind == native::EntryKind::File;
}

native::Outcome<void> WorkspaceFiles::write(const std::string& path, ByteView bytes) const {
  for (int attempt = 0; attempt < kWriteAttempts; ++attempt) {
    auto present = native::Expectation::absent();
    if (is_file(path)) {
      const auto old = read(path);
      if (!old) return std::unexpected(old.error());
      present = native::Expectation::content(sha256(*old));
    }
    const auto verdict = write_over(present, path, bytes);
    if (!verdict) return std::unexpected(verdict.error());
    if (*verdict == native::Verdict::Done) return {};
  }
  return native::problem(path + " keeps changing while it is written");
}

native::Outcome<native::Verdict> WorkspaceFiles::write_over(const native::Expectation& expected,
                                                            const std::string& path, ByteView bytes) const {
  return native::write_file(root_, path, bytes, expected);
}

native::Outcome<void> WorkspaceFiles::remove(const std::string& path) const {
  const auto old = read(path);
  if (!old) return std::unexpected(old.error());
  const auto verdict = native::remove_file(root_, path, sha256(*old));
  if (!verdict) return std::unexpected(verdict.error());
  if (*verdict != native::Verdict::Done) return native::problem(path + " changed while it was to be removed");
  return {};
}

std::vector<std::string> WorkspaceFiles::list(const std::string& folder) const {
  std::vector<std::string> paths;
  for (const native::ScannedFile& file : native::scan_folder(root_, folder, takes_part).files) {
    paths.push_back(location_ + '/' + file.path);
  }
  return paths;
}

}  // namespace diaryx::host
