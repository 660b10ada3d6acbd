#include "plugin_storage.h"

#include "diaryx/base/sha256.h"

namespace diaryx::host {
namespace {

std::string path_of(std::string_view key) {
  return std::string(kHostFolder) + "/plugin-state/" + sha256(as_bytes(key)).hex() + ".bin";
}

}  // namespace

std::optional<Bytes> PluginStorage::get(std::string_view key) const {
  if (!files_.is_file(path_of(key))) return std::nullopt;
  auto bytes = files_.read(path_of(key));
  if (!bytes) return std::nullopt;
  return std::move(*bytes);
}

native::Outcome<void> PluginStorage::set(std::string_view key, ByteView value) const {
  return files_.write(path_of(key), value);
}

}  // namespace diaryx::host
