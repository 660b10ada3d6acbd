// The files of a folder, taken in from its root index along what each of them lists.

#include <algorithm>
#include <array>

#include "diaryx/base/utf.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/path.h"
#include "document_tools.h"

namespace diaryx::plugin {
namespace {

struct DiskEntry {
  std::string path;
  sync::FileMetadata metadata;
};

// Of a note. `contents` may name anything: pictures, what sync leaves alone, names that no disk takes.
std::optional<sync::FileMetadata> read_metadata(const Disk& disk, const std::string& path) {
  if (!sync::is_markdown(path) || !is_ours(path) || sync::check_path(path) != sync::PathProblem::Fine)
    return std::nullopt;
  const Look look = disk.look(path);
  if (look.state != Look::State::Read || !is_valid_utf8(as_text(look.bytes))) return std::nullopt;
  const auto front = sync::Frontmatter::parse(sync::split_frontmatter(as_text(look.bytes)).head);
  if (!front) return std::nullopt;
  return sync::derive_metadata(*front, WorkspacePath(path), host::now());
}

// The first file in the folder itself that has `contents` and no `part_of`.
std::optional<std::string> find_root_index(const Disk& disk) {
  for (const std::string& path : disk.list()) {
    if (!sync::parent(path).empty()) continue;
    const auto metadata = read_metadata(disk, path);
    if (metadata && metadata->contents && !metadata->part_of) return path;
  }
  return std::nullopt;
}

bool is_visible(const sync::FileMetadata& metadata, const std::optional<std::string_view>& audience) {
  if (!audience || !metadata.audience) return true;
  return std::ranges::find(*metadata.audience, *audience) != metadata.audience->end();
}

std::vector<DiskEntry> walk_tree(const Disk& disk, const std::string& root, std::optional<std::string_view> audience) {
  std::vector<DiskEntry> found;
  std::vector<std::pair<std::string, std::optional<std::string>>> waiting{{root, std::nullopt}};
  std::vector<std::string> visited;
  while (!waiting.empty()) {
    auto [path, parent] = std::move(waiting.back());
    waiting.pop_back();
    if (std::ranges::find(visited, path) != visited.end()) continue;
    visited.push_back(path);
    auto metadata = read_metadata(disk, path);
    if (!metadata || !is_visible(*metadata, audience)) continue;
    metadata->part_of = parent;
    metadata->deleted = false;
    if (metadata->contents) {
      for (const std::string& child : *metadata->contents) waiting.emplace_back(child, path);
    }
    found.push_back({std::move(path), std::move(*metadata)});
  }
  return found;
}

// The folder that is named, as root, and the index in it. A `.md` path is taken at its word.
std::expected<std::string, std::string> choose_root(Disk& disk, std::string_view named) {
  const std::string path = plain_path(named);
  const bool names_file = path.ends_with(".md");
  const std::string folder = names_file ? std::string(sync::parent(path)) : path;
  const std::string inside = disk.to_workspace(folder);
  // A path relative to the present root that stays the root; anything else becomes the root itself.
  const bool is_root = disk.has_root() && (inside.empty() || inside == ".");
  if (!is_root && !(folder.empty() && disk.has_root())) disk.set_root(folder);
  if (names_file) return disk.to_workspace(path);
  if (auto index = find_root_index(disk)) return std::move(*index);
  return std::unexpected("No workspace root index found in " + path);
}

Reply initialize_workspace(Guest& guest, const Json& params) {
  const auto path = text_param(params, "workspace_path");
  if (!path) return command_failed(path.error());
  if (guest.session() != guest.folder_session()) return command_failed("a shared session has no files of this folder");
  Disk folder = guest.disk();
  const auto root = choose_root(folder, *path);
  if (!root) return command_failed(root.error());
  const auto audience = params.string_member("audience");

  const std::vector<DiskEntry> found = walk_tree(folder, *root, audience);
  if (found.empty()) return command_failed("The root index " + *root + " cannot be read");
  // What a linked workspace knows of its files is true of its folder only.
  if (guest.is_linked() && guest.disk().has_root() && folder.root() != guest.disk().root())
    return command_failed(*path + " is not in the folder of this workspace");
  guest.open_folder(folder);
  Session& session = *guest.session();
  uint64_t populated = 0;
  uint64_t updated = 0;
  const std::vector<Entry> known = entries_of(document_of(session, kWorkspaceDoc));
  edit_document(session, kWorkspaceDoc, [&](crdt::Doc& doc, crdt::Transaction& txn) {
    for (const DiskEntry& entry : found) {
      const auto old = std::ranges::find(known, entry.path, &Entry::path);
      sync::FileMetadata metadata = entry.metadata;
      if (old != known.end()) keep_known(metadata, old->metadata);
      // Content decides, not times: what the file says and the entry does not was changed by another program (A16).
      if (old != known.end() && sync::content_equal(old->metadata, metadata)) continue;
      set_entry(doc, txn, entry.path, metadata);
      ++populated;
      if (old != known.end()) ++updated;
    }
  });
  if (session.options().alone) session.begin_scan();
  guest.save();

  std::string message = std::to_string(populated) + " files populated";
  if (updated > 0) message += ", " + std::to_string(updated) + " updated from disk";
  if (audience) message += " (audience filtered)";
  return Json{}.set("message", message).set("file_count", populated).set("updated_count", updated);
}

constexpr std::array kCommands{
    Command{"InitializeWorkspaceCrdt", initialize_workspace},
};

}  // namespace

std::span<const Command> import_commands() { return kCommands; }

}  // namespace diaryx::plugin
