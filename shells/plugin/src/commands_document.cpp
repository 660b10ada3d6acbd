// The workspace document and the bodies: read, written, stored.
//
// Reads look at the session's documents. Writes are made on a copy and handed to the session as an update, so that they are
// stored and sent like any other; the file on disk follows once the workspace is in step.

#include <algorithm>
#include <array>

#include "diaryx/base/sha256.h"
#include "diaryx/base/utf.h"
#include "diaryx/crdt/update.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/head_text.h"
#include "diaryx/sync/path.h"
#include "diaryx/sync/render.h"
#include "document_tools.h"

namespace diaryx::plugin {
namespace {

// In `extra`: which frontmatter an entry was derived from (docs/protocol.md).
constexpr std::string_view kHeadMark = "_h";
constexpr size_t kHeadMarkDigits = 8;

// --- state ----------------------------------------------------------------------------------------------------------

Reply state_vector_reply(Session& session, std::string_view doc) {
  return data_reply(document_of(session, doc).state_vector().encode());
}

Reply missing_updates(Session& session, std::string_view doc, const Json& params) {
  const auto known = bytes_param(params, "remote_state_vector");
  if (!known) return command_failed(known.error());
  const auto vector = crdt::StateVector::decode(*known);
  if (!vector) return command_failed(describe(vector.error()));
  return data_reply(document_of(session, doc).encode_update_v1(*vector));
}

Reply apply_update(Guest& guest, const std::string& doc, const Json& params) {
  const auto update = bytes_param(params, "update");
  if (!update) return command_failed(update.error());
  if (const auto valid = crdt::validate_update_v1(*update); !valid) return command_failed(describe(valid.error()));
  const sync::HistoryPoint before = guest.journal().history().last();
  Effects effects(guest, doc, params);
  guest.absorb(doc, *update, {sync::HistoryOrigin::Remote});
  effects.write();
  const sync::HistoryPoint after = guest.journal().history().last();
  return Json{}.set("update_id", after > before ? Json{after} : Json{});
}

Reply get_sync_state(Guest& guest, const Json&) {
  Session& session = *guest.session();
  return state_vector_reply(session, kWorkspaceDoc);
}

Reply get_full_state(Guest& guest, const Json&) {
  Session& session = *guest.session();
  return data_reply(session.replica().document_state(kWorkspaceDoc));
}

Reply get_missing_updates(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  return missing_updates(session, kWorkspaceDoc, params);
}

Reply apply_remote_update(Guest& guest, const Json& params) {
  return apply_update(guest, std::string(kWorkspaceDoc), params);
}

Reply save_state(Guest& guest, const Json&) {
  guest.save();
  return Json{};
}

Reply save_body(Guest& guest, const Json& params) {
  const auto doc = body_param(guest, params);
  if (!doc) return command_failed(doc.error());
  return save_state(guest, params);
}

// --- entries --------------------------------------------------------------------------------------------------------

Reply get_file(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  const auto path = text_param(params, "path");
  if (!path) return command_failed(path.error());
  const std::string key = guest.disk().to_workspace(*path);
  const auto metadata = session.replica().metadata(key);
  return metadata ? sync::metadata_to_json(*metadata) : Json{};
}

// What the entry already knows stays when the new metadata does not say it: digests of attachments, and what devices note in `extra`.
void keep_known(sync::FileMetadata& metadata, const sync::FileMetadata& known) {
  for (sync::BinaryRef& ref : metadata.attachments) {
    if (!ref.hash.empty()) continue;
    const auto same = std::ranges::find(known.attachments, ref.path, &sync::BinaryRef::path);
    if (same != known.attachments.end()) ref.hash = same->hash;
  }
  for (const Json::Member& note : known.extra) {
    const bool is_said = std::ranges::find(metadata.extra, note.key, &Json::Member::key) != metadata.extra.end();
    if (note.key.starts_with('_') && !known.deleted && !is_said) metadata.extra.push_back(note);
  }
}

// Whether `given` says what was read of it, word for word: nothing had another type, and nothing was lost. Unknown members do not
// count; what is left out has its default, but in a reference only the time may be.
bool is_read_whole(const Json& given, const Json& read, bool is_reference = false) {
  for (const Json::Member& member : *read.as_object()) {
    const Json* const value = given.find(member.key);
    if (!value) {
      if (is_reference && !member.value.is_null()) return false;
    } else if (member.key == "attachments" && value->is_array()) {
      if (value->as_array()->size() != member.value.as_array()->size()) return false;
      for (size_t i = 0; i < value->as_array()->size(); ++i) {
        if (!is_read_whole((*value->as_array())[i], (*member.value.as_array())[i], true)) return false;
      }
    } else if (*value != member.value) {
      // Old readers take these for text.
      const bool is_text = member.key == "title" || member.key == "description";
      if (!is_text || !(value->is_number() || value->is_bool())) return false;
    }
  }
  return true;
}

// A file says itself what its entry says, so a change of the entry is a change of the file's frontmatter too; left alone,
// the next look at the file would take the entry back. The mark tells other devices that this was done: without it each
// of them would bring the change into the frontmatter, once more each.
void merge_into_frontmatter(Session& session, const std::string& path, const sync::FileMetadata& before,
                            sync::FileMetadata& after) {
  const std::string name = "body:" + path;
  crdt::Doc body = document_of(session, name);
  const std::string head = sync::HeadText(body).to_string();
  const auto merged = sync::merge_into_head(head, path, before, after);
  if (head.empty() || !merged) return;
  after.extra.push_back({std::string(kHeadMark), sha256(*merged).hex().substr(0, kHeadMarkDigits)});
  if (*merged == head) return;
  edit_document(session, name, [&](crdt::Doc& doc, crdt::Transaction& txn) { sync::HeadText(doc).set(txn, *merged); });
}

Reply set_file(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  const auto path = text_param(params, "path");
  if (!path) return command_failed(path.error());
  const Json* given = params.find("metadata");
  if (!given) return command_failed("Missing parameter: metadata");
  const auto read = sync::metadata_from_json(*given);
  if (!read) return command_failed(describe(read.error()));
  if (!is_read_whole(*given, sync::metadata_to_json(read->value)))
    return command_failed("Invalid metadata: a member is of the wrong type");
  const std::string key = guest.disk().to_workspace(*path);
  if (sync::is_temporary(key)) return command_failed("temporary files are not stored");
  if (const auto problem = sync::check_path(key); problem != sync::PathProblem::Fine) {
    return command_failed(std::string(sync::describe(problem)));
  }
  sync::FileMetadata metadata = read->value;
  if (metadata.filename.empty()) metadata.filename = sync::file_name(key);
  const auto known = session.replica().metadata(key);
  if (known) keep_known(metadata, *known);
  // A host that read the entry gives our mark back with it; kept, it would say that the file says the same already.
  std::erase_if(metadata.extra, [](const Json::Member& member) { return member.key == kHeadMark; });
  if (known) merge_into_frontmatter(session, key, *known, metadata);
  edit_document(session, kWorkspaceDoc,
                [&](crdt::Doc& doc, crdt::Transaction& txn) { set_entry(doc, txn, key, metadata); });
  return Json{};
}

Reply list_files(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  const bool include_deleted = flag_param(params, "include_deleted", false);
  Json list = Json::array();
  for (const Entry& entry : entries_of(document_of(session, kWorkspaceDoc))) {
    if (entry.metadata.deleted && !include_deleted) continue;
    list.push(Json::array().push(entry.path).push(sync::metadata_to_json(entry.metadata)));
  }
  return list;
}

std::string text_of(Session& session, const Entry& entry) {
  if (auto text = session.replica().file_text(entry.path)) return std::move(*text);
  crdt::Doc body = document_of(session, "body:" + entry.path);
  const std::string head = sync::HeadText(body).to_string();
  const std::string text = body.text("body").to_string();
  return head.empty() ? sync::render_file(entry.metadata, text) : head + text;
}

Reply materialize(Guest& guest, const Json&) {
  Session& session = *guest.session();
  Json files = Json::array();
  for (const Entry& entry : entries_of(document_of(session, kWorkspaceDoc))) {
    if (entry.metadata.deleted) continue;
    files.push(Json{}.set("path", entry.path).set("content", text_of(session, entry)));
  }
  return Json{}.set("files", std::move(files));
}

// --- from disk ------------------------------------------------------------------------------------------------------

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

// --- bodies ---------------------------------------------------------------------------------------------------------

Reply get_body(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  const auto doc = body_param(guest, params);
  if (!doc) return command_failed(doc.error());
  return Json{}.set("content", document_of(session, *doc).text("body").to_string());
}

Reply write_body(Guest& guest, const std::string& doc, std::string_view content) {
  edit_document(*guest.session(), doc,
                [&](crdt::Doc& body, crdt::Transaction& txn) { replace_text(body.text("body"), txn, content); });
  return Json{};
}

Reply set_body(Guest& guest, const Json& params) {
  const auto doc = body_param(guest, params);
  if (!doc) return command_failed(doc.error());
  const auto content = text_param(params, "content");
  if (!content) return command_failed(content.error());
  return write_body(guest, *doc, *content);
}

// An edit like any other: others get it, and the history has what was there. A document that was put away here alone would come
// back with the next answer of the server.
Reply reset_body(Guest& guest, const Json& params) {
  const auto doc = body_param(guest, params);
  if (!doc) return command_failed(doc.error());
  return write_body(guest, *doc, {});
}

Reply get_body_state(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  const auto doc = body_param(guest, params);
  if (!doc) return command_failed(doc.error());
  return state_vector_reply(session, *doc);
}

Reply get_body_full_state(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  const auto doc = body_param(guest, params);
  if (!doc) return command_failed(doc.error());
  return data_reply(session.replica().document_state(*doc));
}

Reply get_body_missing(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  const auto doc = body_param(guest, params);
  if (!doc) return command_failed(doc.error());
  return missing_updates(session, *doc, params);
}

Reply apply_body_update(Guest& guest, const Json& params) {
  const auto doc = body_param(guest, params);
  if (!doc) return command_failed(doc.error());
  return apply_update(guest, *doc, params);
}

Reply list_bodies(Guest& guest, const Json&) {
  Session& session = *guest.session();
  constexpr std::string_view kPrefix = "body:";
  Json names = Json::array();
  for (const std::string& doc : session.replica().documents()) {
    if (doc.starts_with(kPrefix)) names.push(doc.substr(kPrefix.size()));
  }
  return names;
}

// Documents are loaded and unloaded by the session itself; the file is only checked to be named.
Reply body_needs_nothing(Guest& guest, const Json& params) {
  const auto doc = body_param(guest, params);
  if (!doc) return command_failed(doc.error());
  return Json{};
}

constexpr std::array kCommands{
    Command{"GetSyncState", get_sync_state},
    Command{"GetFullState", get_full_state},
    Command{"ApplyRemoteUpdate", apply_remote_update},
    Command{"ApplyRemoteWorkspaceUpdateWithEffects", apply_remote_update},
    Command{"GetMissingUpdates", get_missing_updates},
    Command{"SaveCrdtState", save_state, Declared::Yes, Stores::Yes},
    Command{"GetCrdtFile", get_file},
    Command{"SetCrdtFile", set_file},
    Command{"ListCrdtFiles", list_files},
    Command{"InitializeWorkspaceCrdt", initialize_workspace},
    Command{"MaterializeWorkspace", materialize},
    Command{"GetBodyContent", get_body},
    Command{"SetBodyContent", set_body},
    Command{"ResetBodyDoc", reset_body},
    Command{"GetBodySyncState", get_body_state},
    Command{"GetBodyFullState", get_body_full_state},
    Command{"GetBodyMissingUpdates", get_body_missing},
    Command{"ApplyBodyUpdate", apply_body_update},
    Command{"ApplyRemoteBodyUpdateWithEffects", apply_body_update},
    Command{"ListLoadedBodyDocs", list_bodies},
    Command{"SaveBodyDoc", save_body, Declared::Yes, Stores::Yes},
    Command{"SaveAllBodyDocs", save_state, Declared::Yes, Stores::Yes},
    Command{"UnloadBodyDoc", body_needs_nothing},
};

}  // namespace

std::span<const Command> document_commands() { return kCommands; }

}  // namespace diaryx::plugin
