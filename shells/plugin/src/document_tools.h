// What the document and the protocol commands share: names, states, and the workspace document to look into.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "commands.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/sync/metadata.h"
#include "storage_keys.h"

namespace diaryx::plugin {

/// `Plugin command error: <text>`, as hosts know failures of these commands.
Reply command_failed(const std::string& text);

/// The `doc_name` parameter as a document of the replica: `workspace`, or `body:<path>`.
std::expected<std::string, std::string> doc_param(Guest& guest, const Json& params);
/// The same for a parameter that always names a body.
std::expected<std::string, std::string> body_param(Guest& guest, const Json& params);

/// A command about one document.
using DocCommand = Reply (*)(Guest& guest, const std::string& doc, const Json& params);
/// Runs it for a document that a parameter named. Errors: what was wrong with the parameter.
Reply about(const std::expected<std::string, std::string>& doc, Guest& guest, const Json& params, DocCommand run);

/// Such a command of the workspace document, of the body that `doc_name` names, and of either.
template <DocCommand kRun>
Reply of_workspace(Guest& guest, const Json& params) {
  return kRun(guest, std::string(kWorkspaceDoc), params);
}
template <DocCommand kRun>
Reply of_body(Guest& guest, const Json& params) {
  return about(body_param(guest, params), guest, params, kRun);
}
template <DocCommand kRun>
Reply of_named(Guest& guest, const Json& params) {
  return about(doc_param(guest, params), guest, params, kRun);
}

/// A document with this update in it, to look at; it is not the session's.
crdt::Doc document_of(ByteView state);
crdt::Doc document_of(Session& session, std::string_view doc);

struct Entry {
  std::string path;
  sync::FileMetadata metadata;
};
/// Entries of the `files` map that can be read, sorted by path, tombstones included.
std::vector<Entry> entries_of(const crdt::Doc& workspace);

/// What an entry knows stays when new metadata does not say it: digests of attachments, and what devices note in `extra`.
void keep_known(sync::FileMetadata& metadata, const sync::FileMetadata& known);

/// A change of a copy that becomes part of the session's document when it is done.
class DocumentEdit {
 public:
  DocumentEdit(Session& session, std::string_view name);
  crdt::Doc& doc() { return doc_; }
  crdt::Transaction& txn() { return txn_; }
  void done(const Origin& origin);

 private:
  Session& session_;
  std::string_view name_;
  crdt::Doc doc_;
  crdt::Transaction txn_;
};

/// `edit(doc, txn)` changes a copy; what it changed becomes part of the session's document.
template <class Edit>
void edit_document(Session& session, std::string_view name, Edit edit, const Origin& origin = {}) {
  DocumentEdit editing(session, name);
  edit(editing.doc(), editing.txn());
  editing.done(origin);
}

/// The smallest edits that make `content` of the text.
void replace_text(crdt::Text text, crdt::Transaction& txn, std::string_view content);
void set_entry(crdt::Doc& doc, crdt::Transaction& txn, const std::string& path, const sync::FileMetadata& metadata);

/// Marks a live entry deleted whose file was never on this disk, so that the replica cannot see it go.
void delete_entry(Session& session, const std::string& path);

/// What an update does to the files, for commands with `write_to_disk`: made before the update is taken in.
class Effects {
 public:
  Effects(Guest& guest, std::string doc, const Json& params);
  /// Paths whose entries are not what they were.
  std::vector<std::string> changed() const;
  /// Writes, moves and removes them here, if that is wanted.
  void write() const;

 private:
  Guest& guest_;
  std::string doc_;
  bool wanted_;
  std::vector<Entry> before_;
};

/// A payload of one y-sync message.
Bytes step1_message(ByteView state_vector);
Bytes step2_message(ByteView update);
Bytes update_message(ByteView update);

}  // namespace diaryx::plugin
