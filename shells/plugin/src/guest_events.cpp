// What the host tells of files and folders.
#include "guest.h"

#include <algorithm>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/path.h"
#include "document_tools.h"

namespace diaryx::plugin {
namespace {

// Whether the file is what we made of an entry and nobody wrote in: it has no text, and the host, which says that it is gone, knows of
// it by us alone. Where disks ignore case, a listing tells that it is this very name that is there and not one that took its place.
bool is_made_here(const Session& session, const Disk& disk, const std::string& path) {
  const Look look = disk.look(path);
  if (look.state != Look::State::Read || look.hash() != session.replica().known_hash(path)) return false;
  if (!sync::split_frontmatter(as_text(look.bytes)).body.empty()) return false;
  const std::vector<std::string> listed = disk.list();
  return std::ranges::find(listed, path) != listed.end();
}

// Files that are known to be in a folder. Some hosts name the folder that was moved or deleted, and none of its files.
std::vector<std::string> files_below(const Session& session, std::string_view folder) {
  std::vector<std::string> paths = session.replica().known_files();
  std::erase_if(paths, [&](const std::string& path) {
    return !path.starts_with(folder) || path.size() <= folder.size() || path[folder.size()] != '/';
  });
  return paths;
}

// The file that is now at `path`, which nobody knew, was known in another folder and is there no more: some hosts tell of a move by the
// new name alone (A39). Its frontmatter may have changed with the move; a file without text must be the same to the byte.
std::optional<std::string> moved_from(const Session& session, const Disk& disk, const std::string& path) {
  const Look look = disk.look(path);
  if (look.state != Look::State::Read) return std::nullopt;
  const std::optional<Sha256> hash = look.hash();
  const std::string_view text = sync::split_frontmatter(as_text(look.bytes)).body;
  const sync::Replica& replica = session.replica();
  for (const std::string& other : replica.known_files()) {
    if (sync::file_name(other) != sync::file_name(path)) continue;
    const std::optional<std::string> before = text.empty() ? std::nullopt : replica.file_text(other);
    const bool is_same = replica.known_hash(other) == hash || (before && sync::split_frontmatter(*before).body == text);
    if (is_same && !disk.exists(other)) return other;
  }
  return std::nullopt;
}

}  // namespace

Outcome Guest::on_event(std::string_view event) {
  const auto json = parse_request(event);
  if (!json) return std::unexpected(json.error());
  const auto type = json->string_member("event_type");
  const Json* payload = json->find("payload");
  if (!type || !payload || !folder_session()) {
    host::log(host::Level::Warn,
              session_ ? "an event without a type or payload was ignored" : "an event before init was ignored");
    return {};
  }
  begin();
  handle_event(*folder_session(), *type, *payload);
  finish();
  return {};
}

void Guest::handle_event(Session& session, std::string_view type, const Json& payload) {
  const auto path_of = [&](std::string_view member) -> std::string {
    const auto path = payload.string_member(member);
    return path ? disk_.to_workspace(*path) : std::string{};
  };
  if (type == "workspace_opened") {
    Disk folder = disk_;
    if (const auto root = payload.string_member("workspace_root")) folder.set_root(*root);
    open_folder(folder);
    if (is_linked()) start_scan();
  } else if (type == "file_saved" || type == "file_created" || type == "file_deleted") {
    const std::string path = path_of("path");
    if (path.empty()) return;
    // Where reading is denied, web hosts say that nothing is there. Somebody saved it a moment ago, so it is not gone; if it is, the
    // next event says so.
    if (type != "file_deleted" && !disk_.exists(path)) {
      return host::log(host::Level::Warn,
                       path + " was saved but cannot be seen; it is left as it is until it can be read");
    }
    const bool was_known = session.replica().known_hash(path).has_value();
    if (type != "file_deleted" && !was_known) {
      session.expect(path);
      if (const auto from = moved_from(session, disk_, path)) return file_moved(session, *from, path, false);
    }
    session.report(path);
    if (type == "file_deleted" && !was_known) {
      for (const std::string& inside : files_below(session, path)) {
        if (!disk_.exists(inside)) session.report(inside);
      }
    }
    session.settle();
    if (type == "file_deleted" && (disk_.exists(path) ? is_made_here(session, disk_, path) : !was_known))
      delete_entry(session, path);
  } else if (type == "file_moved" || type == "file_renamed") {
    const std::string from = path_of("old_path");
    const std::string to = path_of("new_path");
    // Absolute, and the root was not what it began with.
    const std::string_view there = payload.string_member("new_path").value_or("");
    const bool has_left = there.starts_with('/') && there.substr(1) == to;
    if (!from.empty() && !to.empty()) file_moved(session, from, to, has_left);
  } else if (type == "file_opened") {
    if (const std::string path = path_of("path"); !path.empty()) session.focus({path});
  }
}

// One event names one file or folder, and an index takes its folder along (A47): whoever is known below the old folder and is now
// below the new one moved too. What cannot be seen where it went was moved on, which the next event says, or looking is denied; only
// what left the folder is gone.
void Guest::file_moved(Session& session, const std::string& from, const std::string& to, bool has_left) {
  std::vector<std::pair<std::string, std::string>> moved;
  const bool was_file = session.replica().known_hash(from).has_value();
  const std::vector<std::string> inside = was_file ? std::vector<std::string>{} : files_below(session, from);
  if (inside.empty() && !disk_.exists(from)) moved.emplace_back(from, to);
  const auto follow = [&](const std::vector<std::string>& paths, size_t old_folder, std::string_view new_folder) {
    for (const std::string& path : paths) {
      if (path == from || disk_.exists(path)) continue;
      const std::string there = sync::join(new_folder, path.substr(old_folder + 1));
      if (disk_.exists(there)) moved.emplace_back(path, there);
    }
  };
  follow(inside, from.size(), to);
  const std::string_view old_folder = sync::parent(from);
  const std::string_view new_folder = sync::parent(to);
  if (inside.empty() && !old_folder.empty() && old_folder != new_folder)
    follow(files_below(session, old_folder), old_folder.size(), new_folder);
  for (const auto& [old_path, new_path] : moved) session.feed(sync::FileMoved{old_path, new_path});
  if (moved.empty()) moved.emplace_back(from, to);
  for (const auto& [old_path, new_path] : moved) {
    if (has_left || disk_.exists(new_path)) session.report(new_path);
  }
  session.settle();
}

}  // namespace diaryx::plugin
