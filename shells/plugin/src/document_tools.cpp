#include "document_tools.h"

#include <algorithm>

#include "diaryx/base/sort.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/path.h"
#include "diaryx/sync/text_diff.h"

namespace diaryx::plugin {
namespace {

// Never edits, so the id never reaches an update.
constexpr ClientId kReader{1};

Bytes message(const sync::Message& content) {
  Writer out;
  sync::write_message(out, content);
  return out.take();
}

}  // namespace

Reply command_failed(const std::string& text) { return refused("Plugin command error: " + text); }

std::expected<std::string, std::string> doc_param(Guest& guest, const Json& params) {
  const auto name = text_param(params, "doc_name");
  if (!name) return name;
  if (*name == kWorkspaceDoc || name->ends_with(":workspace")) return std::string(kWorkspaceDoc);
  return body_param(guest, params);
}

std::expected<std::string, std::string> body_param(Guest& guest, const Json& params) {
  const auto name = text_param(params, "doc_name");
  if (!name) return name;
  const std::string path = guest.disk().to_workspace(*name);
  const sync::PathProblem problem = sync::check_path(path);
  if (problem != sync::PathProblem::Fine) return std::unexpected(std::string(sync::describe(problem)));
  return "body:" + path;
}

Reply about(const std::expected<std::string, std::string>& doc, Guest& guest, const Json& params, DocCommand run) {
  return doc ? run(guest, *doc, params) : command_failed(doc.error());
}

crdt::Doc document_of(ByteView state) {
  crdt::Doc doc({.client = kReader, .emit = crdt::Emit::Nothing});
  // States come from the session, which has read them before; an update that cannot be read leaves the document empty.
  (void)doc.apply_update_v1(state);
  return doc;
}

crdt::Doc document_of(Session& session, std::string_view doc) {
  return document_of(session.replica().document_state(doc));
}

std::vector<Entry> entries_of(const crdt::Doc& workspace) {
  std::vector<Entry> entries;
  // The handle reads only; a root is made by asking for it, which a const document does not offer.
  const_cast<crdt::Doc&>(workspace).map("files").for_each([&](std::string_view path, const crdt::Any& value) {
    const std::string* text = value.as_string();
    if (!text) return;
    if (auto metadata = sync::parse_metadata(*text)) entries.push_back({std::string(path), std::move(metadata->value)});
  });
  sort_compactly_by(entries, &Entry::path);
  return entries;
}

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

DocumentEdit::DocumentEdit(Session& session, std::string_view name)
    : session_(session), name_(name), doc_({.client = session.replica().client_of(name)}), txn_([&] {
        (void)doc_.apply_update_v1(session.replica().document_state(name));  // the session's own state: it reads
        return doc_.transact();
      }()) {}

void DocumentEdit::done(const Origin& origin) {
  const crdt::Commit commit = std::move(txn_).commit();
  if (commit.changed()) session_.absorb(name_, commit.update_v1(), origin);
}

void replace_text(crdt::Text text, crdt::Transaction& txn, std::string_view content) {
  const std::vector<sync::TextEdit> edits = sync::diff_text(text.to_string(), content);
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    (void)text.erase(txn, edit->at, edit->erased);
    (void)text.insert(txn, edit->at, edit->inserted);
  }
}

void set_entry(crdt::Doc& doc, crdt::Transaction& txn, const std::string& path, const sync::FileMetadata& metadata) {
  doc.map("files").set(txn, path, crdt::Any::string(sync::format_metadata(metadata)));
}

void delete_entry(Session& session, const std::string& path) {
  std::optional<sync::FileMetadata> metadata = session.replica().metadata(path);
  if (!metadata || metadata->deleted) return;
  metadata->deleted = true;
  metadata->modified_at = host::now();
  edit_document(session, kWorkspaceDoc,
                [&](crdt::Doc& doc, crdt::Transaction& txn) { set_entry(doc, txn, path, *metadata); });
}

Effects::Effects(Guest& guest, std::string doc, const Json& params)
    : guest_(guest), doc_(std::move(doc)), wanted_(flag_param(params, "write_to_disk", false)) {
  if (doc_ == kWorkspaceDoc) before_ = entries_of(document_of(*guest.session(), doc_));
}

std::vector<std::string> Effects::changed() const {
  if (doc_ != kWorkspaceDoc) return {doc_.substr(kBodyPrefix.size())};
  std::vector<std::string> paths;
  for (const Entry& entry : entries_of(document_of(*guest_.session(), doc_))) {
    const auto old = std::ranges::find(before_, entry.path, &Entry::path);
    if (old == before_.end() || !sync::content_equal(old->metadata, entry.metadata)) paths.push_back(entry.path);
  }
  return paths;
}

void Effects::write() const {
  Session* session = guest_.folder_session();
  if (!wanted_ || session == nullptr || session != guest_.session()) return;
  for (const std::string& path : changed()) session->write_out(path);
}

Bytes step1_message(ByteView state_vector) { return message(sync::SyncStep1{state_vector}); }
Bytes step2_message(ByteView update) { return message(sync::SyncStep2{update}); }
Bytes update_message(ByteView update) { return message(sync::Update{update}); }

}  // namespace diaryx::plugin
