#include "diaryx/testing/fake_disk.h"

namespace diaryx::testing {

std::optional<std::string> FakeDisk::read(std::string_view path) const {
  const auto found = files_.find(path);
  if (found == files_.end()) return std::nullopt;
  return found->second;
}

bool FakeDisk::remove(std::string_view path) {
  const auto found = files_.find(path);
  if (found == files_.end()) return false;
  files_.erase(found);
  return true;
}

bool FakeDisk::rename(std::string_view from, std::string_view to) {
  std::optional<std::string> bytes = read(from);
  if (!bytes || from == to) return false;
  remove(from);
  write(to, *bytes);
  return true;
}

bool FakeDisk::is(std::string_view path, const std::optional<Sha256>& expected) const {
  const auto found = files_.find(path);
  if (found == files_.end()) return !expected;
  return expected && sha256(found->second) == *expected;
}

bool FakeDisk::write_if(std::string_view path, std::string_view bytes, const std::optional<Sha256>& expected) {
  if (!is(path, expected)) return false;
  write(path, bytes);
  return true;
}

bool FakeDisk::remove_if(std::string_view path, const Sha256& expected) { return is(path, expected) && remove(path); }

bool FakeDisk::rename_if_free(std::string_view from, std::string_view to) { return !has(to) && rename(from, to); }

}  // namespace diaryx::testing
