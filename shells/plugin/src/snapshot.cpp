#include "snapshot.h"

#include "diaryx/sync/path.h"
#include "zip.h"

namespace diaryx::plugin {
namespace {

bool has_hidden_component(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

bool is_wanted(std::string_view path, bool with_attachments) {
  if (sync::check_path(path) != sync::PathProblem::Fine) return false;
  if (has_hidden_component(path) || !sync::is_carried(path)) return false;
  return with_attachments || sync::is_markdown(path);
}

}  // namespace

PackedFolder pack_folder(const Disk& disk, bool with_attachments) {
  PackedFolder packed;
  ZipWriter zip;
  for (const std::string& path : disk.list()) {
    if (!is_wanted(path, with_attachments)) continue;
    const Look look = disk.look(path);
    if (look.state == Look::State::Missing) continue;
    if (look.state == Look::State::Read && zip.add(path, look.bytes))
      ++packed.files;
    else
      packed.left_out.push_back(path);
  }
  packed.zip = std::move(zip).finish();
  return packed;
}

std::expected<Unpacked, std::string> unpack_into(const Disk& disk, ByteView zip, bool with_attachments,
                                                 Present present) {
  if (zip.empty()) return std::unexpected("Snapshot download returned empty body");
  const auto entries = read_zip_directory(zip);
  if (!entries) return std::unexpected("Invalid snapshot zip: " + describe(entries.error()));
  Unpacked unpacked;
  for (const ZipEntry& entry : *entries) {
    // Before anything is checked, so that `a\..\..\x` does not get out.
    const std::string path = plain_path(entry.name);
    if (path.ends_with('/')) continue;  // a folder
    if (!is_wanted(path, with_attachments)) {
      ++unpacked.skipped;
      continue;
    }
    if (present == Present::Kept && disk.exists(path)) continue;
    const auto bytes = read_zip_entry(zip, entry);
    if (!bytes) return std::unexpected("Invalid snapshot zip: " + path + ": " + describe(bytes.error()));
    if (!disk.write(path, *bytes).holds(*bytes)) return std::unexpected("The host did not write " + path);
    ++unpacked.written;
  }
  return unpacked;
}

}  // namespace diaryx::plugin
