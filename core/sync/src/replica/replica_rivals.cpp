// Two at once: one file with two names, two files with one name, two kinds of one file, two files in one document.
//
// Every device that sees both sides comes to the same answer and writes the same, so it does not matter how many do. Where
// devices saw the sides in different order and decided differently, both files leave, and nothing is lost.
#include <algorithm>
#include <utility>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/path.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {

void Replica::Impl::fold_doubled_file(const std::string& path) {
  const std::string id = index_.id_at(path);
  if (index_.paths_of(id).size() < 2) return;
  const std::set<std::string> paths = index_.paths_of(id);
  // Two devices gave the file different names at once. The name that sorts first stays; the text of all goes there.
  // Every device that sees both writes the same, so it does not matter how many do.
  const std::string& kept = *paths.begin();
  edit_workspace([&](crdt::Transaction& txn) {
    for (const std::string& other : paths) {
      if (other == kept) continue;
      FileMetadata tombstone = *workspace_.live_file(other);
      tombstone.deleted = true;
      set_extra_text(tombstone, kMovedTo, kept);
      workspace_.set_file(txn, other, tombstone);
    }
    workspace_.set_home(txn, id, {kept, index_.document_of(kept), {}});
  });
  for (const std::string& other : paths) {
    if (other != kept) index_file(other);
  }
  unite(id);
  for (const std::string& other : paths) {
    if (other != kept) reconcile(other);
  }
  reconcile(kept);
}

void Replica::Impl::part_kinds(const std::string& path) {
  // One device made a text of the file and another one other bytes, at once: the text has the name. Every device that sees both
  // writes the same.
  std::optional<BinaryRef> ref = workspace_.live_binary(path);
  const Result<Sha256> hash = Sha256::from_hex(ref ? ref->hash : std::string());
  if (!hash || !workspace_.live_file(path)) return;
  BinaryRef copy = *ref;
  copy.path = conflict_copy(WorkspacePath(path), *hash).str();
  ref->deleted = true;
  edit_workspace([&](crdt::Transaction& txn) {
    workspace_.set_binary(txn, *ref);
    workspace_.set_binary(txn, copy);
  });
  problem(path, "this file is a text now, and was changed to something else meanwhile; that is kept as \"" + copy.path +
                    "\"");
  reconcile(copy.path);
}

void Replica::Impl::relist_if_lost(const std::string& file_id) {
  // Its entry was overwritten by somebody who put another file there and did not know of this one.
  const auto [at, seen] = whereabouts(file_id);
  if (at.empty() || !seen.empty()) return;
  const std::string document = document_of_file(file_id, at);
  const bool text_is_here = bodies_.contains(document) && !bodies_.open(document).is_virgin();
  if (!text_is_here && records_.paths_of(file_id).empty()) return;  // others have it
  // Whose document the path names has the better right to the path.
  const std::string rival = index_.id_at(at);
  const bool has_right = document == at && bodies_.open(at).owner() == file_id && !rival.empty();
  const std::string name = is_free(at) || has_right ? at : other_name(at, file_id);
  put_file(name, file_id, document);
  relist_if_lost(rival);
  reconcile_records(file_id);
  reconcile(name);
}

bool Replica::Impl::is_contested(const std::string& path) const {
  // The document is another file's: the text of this one is elsewhere, or not here yet. See `on_document_taken`.
  const std::string document = index_.document_of(path);
  const std::string id = index_.id_at(path);
  if (id.empty() || document != path || !bodies_.contains(document)) return false;
  const std::string owner = bodies_.open(document).owner();
  return !owner.empty() && owner != id;
}

bool Replica::Impl::has_gone_on(const std::string& file_id, const std::string& path) const {
  const std::optional<Home> home = workspace_.home(file_id);
  return home && (home->path != path || !home->seen.empty() || index_.live_path(file_id));
}

void Replica::Impl::name_own_document(const std::string& path) {
  // Whoever listed the file here last did not know that it had left the document of this path, which is for ever; or made it empty,
  // so that nothing of it is in that document, and did not know of the file that had it before and is elsewhere by now. Its own is
  // named anew; every device that hears of both writes the same.
  const std::string id = index_.id_at(path);
  if (id.empty() || index_.document_of(path) != path || !bodies_.contains(path)) return;
  const BodyDoc& body = bodies_.open(path);
  const std::vector<std::string> left = body.files_that_left();
  const auto made_empty = [&] { return !extra_text(*workspace_.live_file(path), kHasText); };
  const bool is_kept_out = is_contested(path) && has_gone_on(body.owner(), path) && made_empty();
  if (!is_kept_out && std::ranges::find(left, id) == left.end()) return;
  const std::string own = own_document(id);
  FileMetadata entry = *workspace_.live_file(path);
  set_extra_text(entry, kDocument, own);
  edit_workspace([&](crdt::Transaction& txn) {
    workspace_.set_file(txn, path, entry);
    workspace_.set_home(txn, id, {path, own, {}});
  });
  index_file(path);
  open_body(own);
  unite(id);
}

bool Replica::Impl::is_foreign(const std::string& document, ByteView theirs) const {
  if (!bodies_.contains(document) || !may_claim(theirs)) return false;
  const std::string ours = bodies_.open(document).owner();
  if (!is_file_id(ours)) return false;
  BodyDoc other(options_.client, document);
  if (!other.doc().apply_update_v1(theirs)) return false;
  return is_file_id(other.owner()) && other.owner() != ours;
}

void Replica::Impl::take_out_strays(const std::string& document, const crdt::StateVector& before) {
  // Another file began here at the same moment, or somebody did not know yet that it left. Whoever has it puts it elsewhere.
  for (const std::string& rival : bodies_.open(document).rivals())
    commit_body(document, bodies_.open(document).note_left(rival));
  commit_body(document, bodies_.open(document).erase_operations(bodies_.open(document).strays(before)));
}

void Replica::Impl::on_document_taken(const std::string& document, const std::string& loser, const std::string& winner,
                                      ByteView before, const std::string& text) {
  // Two files began in one document at once. The one that holds it keeps it and the path; the other goes on in a document of
  // its own, with all its operations, under another name. Every device that has both does the same.
  BodyDoc old(options_.client, document);
  if (!old.doc().apply_update_v1(before)) return;
  commit_body(document, bodies_.open(document).note_left(loser));  // before anything is taken out
  commit_body(document, bodies_.open(document).erase_operations(old.operations()));
  take_out_strays(document, {});
  const std::string own = own_document(loser);
  moved_from_ = document;
  give_body(before, own);
  unite(winner);  // what was typed into it here under older names had no place before
  reconcile_file(winner);
  index_.forget_old_document(loser, document);
  const std::optional<std::string> path = index_.live_path(loser);
  if (!path || index_.document_of(*path) != document) {
    unite(loser);
    const std::optional<Home> home = workspace_.home(loser);
    if (!path && home && home->document == document) {
      edit_workspace([&](crdt::Transaction& txn) { workspace_.set_home(txn, loser, {home->path, own, home->seen}); });
      relist_if_lost(loser);
    }
    reconcile_records(loser);
    return reconcile_file(loser);  // which has what was brought from here
  }
  const bool keeps_name = has_gone_on(winner, *path);
  const std::string name = keeps_name ? *path : other_name(*path, loser);
  if (keeps_name) {
    create_entry(name, text, loser, own);
  } else {
    problem(*path, "another file has this name now; yours is kept as \"" + name + "\"");
    if (workspace_.home(winner)) {
      const std::string theirs = document_of_file(winner, *path);
      create_entry(*path, document_text(theirs), winner, theirs);
    } else {
      FileMetadata tombstone = *workspace_.live_file(*path);
      tombstone.deleted = true;
      set_extra_text(tombstone, kMovedTo, name);
      edit_workspace([&](crdt::Transaction& txn) { workspace_.set_file(txn, *path, tombstone); });
      index_file(*path);
    }
    const std::string home_document = document_for(name, loser);
    move_text(own, home_document, loser);
    create_entry(name, text, loser, home_document);
  }
  index_.forget_old_document(loser, document);
  reconcile_records(loser);
  reconcile(name);
  reconcile(*path);
}

}  // namespace diaryx::sync
