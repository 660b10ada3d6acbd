// The workspace document and the bodies: read, written, stored.
//
// Reads look at the session's documents. Writes are made on a copy and handed to the session as an update, so that they are
// stored and sent like any other; the file on disk follows once the workspace is in step.

#include <algorithm>
#include <array>

#include "diaryx/base/sha256.h"
#include "diaryx/crdt/update.h"
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

Reply state_vector(Guest& guest, const std::string& doc, const Json&) {
  return data_reply(document_of(*guest.session(), doc).state_vector().encode());
}

Reply full_state(Guest& guest, const std::string& doc, const Json&) {
  return data_reply(guest.session()->replica().document_state(doc));
}

Reply missing_updates(Guest& guest, const std::string& doc, const Json& params) {
  const auto known = bytes_param(params, "remote_state_vector");
  if (!known) return command_failed(known.error());
  const auto vector = crdt::StateVector::decode(*known);
  if (!vector) return command_failed(describe(vector.error()));
  return data_reply(document_of(*guest.session(), doc).encode_update_v1(*vector));
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

Reply save(Guest& guest, const std::string&, const Json&) {
  guest.save();
  return Json{};
}

// Documents are loaded and unloaded by the session itself; the file is only checked to be named.
Reply do_nothing(Guest&, const std::string&, const Json&) { return Json{}; }

// --- entries --------------------------------------------------------------------------------------------------------

Reply get_file(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  const auto path = text_param(params, "path");
  if (!path) return command_failed(path.error());
  const std::string key = guest.disk().to_workspace(*path);
  const auto metadata = session.replica().metadata(key);
  return metadata ? sync::metadata_to_json(*metadata) : Json{};
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

// --- bodies ---------------------------------------------------------------------------------------------------------

Reply get_body(Guest& guest, const std::string& doc, const Json&) {
  return Json{}.set("content", document_of(*guest.session(), doc).text("body").to_string());
}

Reply write_body(Guest& guest, const std::string& doc, std::string_view content) {
  edit_document(*guest.session(), doc,
                [&](crdt::Doc& body, crdt::Transaction& txn) { replace_text(body.text("body"), txn, content); });
  return Json{};
}

Reply set_body(Guest& guest, const std::string& doc, const Json& params) {
  const auto content = text_param(params, "content");
  if (!content) return command_failed(content.error());
  return write_body(guest, doc, *content);
}

// An edit like any other: others get it, and the history has what was there. A document that was put away here alone would come
// back with the next answer of the server.
Reply reset_body(Guest& guest, const std::string& doc, const Json&) { return write_body(guest, doc, {}); }

Reply list_bodies(Guest& guest, const Json&) {
  Json names = Json::array();
  for (const std::string& doc : guest.session()->replica().documents()) {
    if (doc.starts_with(kBodyPrefix)) names.push(doc.substr(kBodyPrefix.size()));
  }
  return names;
}

constexpr std::array kCommands{
    Command{"GetSyncState", of_workspace<state_vector>},
    Command{"GetFullState", of_workspace<full_state>},
    Command{"ApplyRemoteUpdate", of_workspace<apply_update>},
    Command{"ApplyRemoteWorkspaceUpdateWithEffects", of_workspace<apply_update>},
    Command{"GetMissingUpdates", of_workspace<missing_updates>},
    Command{"SaveCrdtState", of_workspace<save>, Declared::Yes, Stores::Yes},
    Command{"GetCrdtFile", get_file},
    Command{"SetCrdtFile", set_file},
    Command{"ListCrdtFiles", list_files},
    Command{"MaterializeWorkspace", materialize},
    Command{"GetBodyContent", of_body<get_body>},
    Command{"SetBodyContent", of_body<set_body>},
    Command{"ResetBodyDoc", of_body<reset_body>},
    Command{"GetBodySyncState", of_body<state_vector>},
    Command{"GetBodyFullState", of_body<full_state>},
    Command{"GetBodyMissingUpdates", of_body<missing_updates>},
    Command{"ApplyBodyUpdate", of_body<apply_update>},
    Command{"ApplyRemoteBodyUpdateWithEffects", of_body<apply_update>},
    Command{"ListLoadedBodyDocs", list_bodies},
    Command{"SaveBodyDoc", of_body<save>, Declared::Yes, Stores::Yes},
    Command{"SaveAllBodyDocs", of_workspace<save>, Declared::Yes, Stores::Yes},
    Command{"UnloadBodyDoc", of_body<do_nothing>},
};

}  // namespace

std::span<const Command> document_commands() { return kCommands; }

}  // namespace diaryx::plugin
