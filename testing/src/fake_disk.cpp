#include "diaryx/testing/fake_disk.h"

#include "diaryx/sync/unicode.h"

namespace diaryx::testing {

std::string FakeDisk::comparable(std::string_view path) const {
  std::string form = traits_.normalising ? sync::to_nfd(path) : std::string(path);
  return traits_.case_insensitive ? sync::fold_case(form) : form;
}

std::string FakeDisk::spelled(std::string_view path) const {
  if (!traits_.peculiar()) return std::string(path);
  std::string name = traits_.normalising ? sync::to_nfd(path) : std::string(path);
  // The longest part that exists, a folder or the file itself, is spelled as it is there.
  const std::string wanted = comparable(name);
  size_t best = 0;
  for (const auto& [file, bytes] : files_) {
    for (size_t end = file.find('/'); end != std::string::npos; end = file.find('/', end + 1)) {
      const std::string folder = comparable(file.substr(0, end + 1));
      if (end + 1 > best && wanted.starts_with(folder) && folder.size() == end + 1) {
        name.replace(0, end + 1, file, 0, end + 1);
        best = end + 1;
      }
    }
    if (comparable(file) == wanted) return file;
  }
  return name;
}

bool FakeDisk::can_name(std::string_view path) const {
  if (!traits_.windows_names) return true;
  if (path.find_first_of("<>:\"|?*") != std::string_view::npos) return false;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view component = path.substr(begin, end - begin);
    if (component.ends_with('.') || component.ends_with(' ')) return false;
    begin = end + 1;
  }
  return true;
}

std::optional<std::string> FakeDisk::read(std::string_view path) const {
  const auto found = files_.find(spelled(path));
  if (found == files_.end()) return std::nullopt;
  return found->second;
}

bool FakeDisk::write(std::string_view path, std::string_view bytes) {
  if (!can_name(path)) return false;
  files_.insert_or_assign(spelled(path), bytes);
  return true;
}

bool FakeDisk::remove(std::string_view path) { return files_.erase(spelled(path)) != 0; }

bool FakeDisk::rename(std::string_view from, std::string_view to) {
  std::optional<std::string> bytes = read(from);
  if (!bytes || from == to || !can_name(to)) return false;
  remove(from);  // first, so that a name of its own in another case is spelled as wanted
  return write(to, *bytes);
}

bool FakeDisk::is(std::string_view path, const std::optional<Sha256>& expected) const {
  const auto found = files_.find(spelled(path));
  if (found == files_.end()) return !expected;
  return expected && sha256(found->second) == *expected;
}

bool FakeDisk::write_if(std::string_view path, std::string_view bytes, const std::optional<Sha256>& expected) {
  if (!can_name(path)) ++refused_names_;
  return is(path, expected) && write(path, bytes);
}

bool FakeDisk::remove_if(std::string_view path, const Sha256& expected) { return is(path, expected) && remove(path); }

bool FakeDisk::rename_if_free(std::string_view from, std::string_view to, const Sha256& expected) {
  if (!can_name(to)) ++refused_names_;
  return is(from, expected) && (!has(to) || spelled(to) == spelled(from)) && rename(from, to);
}

}  // namespace diaryx::testing
