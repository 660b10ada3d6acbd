#include "disk.h"

#include <algorithm>

#include "diaryx/base/sort.h"
#include "diaryx/sync/path.h"
#include "host.h"

namespace diaryx::plugin {

// One spelling for roots and for paths, since one begins with the other. Two slashes at the very beginning name a machine on Windows.
std::string plain_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' && c != '\\')
      out += c;
    else if (out == "." || out.ends_with("/."))
      out.pop_back();
    else if (out.size() < 2 || !out.ends_with('/'))
      out += '/';
  }
  return out;
}

std::optional<Sha256> Look::hash() const {
  if (state != State::Read) return std::nullopt;
  return sha256(bytes);
}

bool Look::holds(ByteView content) const { return state == State::Read && as_text(bytes) == as_text(content); }

void Disk::set_root(std::string_view root) {
  std::string clean = plain_path(root);
  if (clean.ends_with("/.")) clean.pop_back();
  while (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  if (clean == ".") clean.clear();
  root_ = std::move(clean);
  has_root_ = true;
}

std::string Disk::to_host(const std::string& path) const {
  if (root_.empty()) return path;
  return root_.ends_with('/') ? root_ + path : root_ + '/' + path;
}

std::string Disk::to_workspace(std::string_view host_path) const {
  std::string path = plain_path(host_path);
  if (!root_.empty() && path.starts_with(root_)) {
    const std::string_view rest = std::string_view(path).substr(root_.size());
    if (rest.starts_with('/') || root_.ends_with('/')) path = std::string(rest);
  }
  return sync::normalize_key(path);
}

bool Disk::exists(const std::string& path) const { return host::file_exists(to_host(path)); }

Look Disk::look(const std::string& path) const {
  if (!exists(path)) return {};
  return look_at_present(path);
}

Look Disk::look_at_present(const std::string& path) const {
  if (auto bytes = host::read_present_file(to_host(path))) return {Look::State::Read, std::move(*bytes)};
  return {exists(path) ? Look::State::Unreadable : Look::State::Missing, {}};
}

bool is_ours(const std::string& path) {
  return sync::is_carried(path) && (host::carries_attachments() || sync::is_markdown(path));
}

std::vector<std::string> Disk::list(std::vector<std::string>* unusable) const {
  std::vector<std::string> paths;
  for (const std::string& host_path : host::list_files(root())) paths.push_back(to_workspace(host_path));
  paths = without_folders(std::move(paths));
  std::erase_if(paths, [&](const std::string& path) {
    if (!is_ours(path)) return true;
    if (sync::check_path(path) == sync::PathProblem::Fine) return false;
    if (unusable) unusable->push_back(path);
    return true;
  });
  return paths;
}

Look Disk::write(const std::string& path, ByteView bytes) const {
  host::write_file(to_host(path), bytes);
  return look_at_present(path);
}

bool Disk::remove(const std::string& path) const {
  host::delete_file(to_host(path));
  return !exists(path);
}

std::vector<std::string> without_folders(std::vector<std::string> paths) {
  sort_compactly(paths);
  const auto repeated = std::ranges::unique(paths);
  paths.erase(repeated.begin(), repeated.end());
  // Not always the next one: `a.md` sorts between `a` and `a/b`.
  std::erase_if(paths, [all = paths](const std::string& path) {
    const std::string inside = path + '/';
    const auto next = std::ranges::lower_bound(all, inside);
    return next != all.end() && next->starts_with(inside);
  });
  return paths;
}

}  // namespace diaryx::plugin
