// The inside of Replica. One object, twelve files, each a theme:
//   replica.cpp            restoring, dispatch of events, getters
//   replica_connection.cpp the handshake, opening documents, receipts, deadlines
//   replica_following.cpp  which documents need not be asked for, and hearing of those that were not
//   replica_local.cpp      what the disk tells: edits, new files
//   replica_writes.cpp     writes to the disk, answered or not
//   replica_moves.cpp      moves on the disk, answered or not
//   replica_tree.cpp       which file is which: renames, keys that are used anew
//   replica_matching.cpp   renames that nobody saw, found by content
//   replica_revival.cpp    deletions, and files that come back
//   replica_rivals.cpp     two at once: one file with two names, two files with one name or in one document
//   replica_breaker.cpp    waves of deletions: held, released, undone
//   replica_remote.cpp     what the server tells, and bringing files to what the documents say
//
// What it remembers is kept by small machines, each with its own invariants and none that knows of another:
//   body_store.h, workspace_doc.h  the documents
//   batch_clock.h          what time it is
//   connection.h           how far the connection is, and when it is given up
//   doc_link.h             one document on one connection
//   open_bodies.h          the bodies of one connection: asked for, waiting for their turn, acknowledged
//   following.h            the server's news of which bodies changed, and the cursor
//   unsynced.h             the bodies that are to be asked for whatever that news is
//   file_index.h           which file is where, as the list says
//   file_records.h         what is on this disk, as far as it is known
//   asked_actions.h        which action on the disk an answer belongs to
//   disk_work.h            which paths are busy, or wait for their moment
//   own_writes.h, own_moves.h  what we put or moved there, until it is known to be done
//   uploads.h              attachments to be sent
//   restores.h             what of a restore the disk has yet to show
//   shortened_texts.h      texts that lost their end, until that is believed
//   waves.h, mass_change.h  how much went in the last while, and whether more waits or is held
#pragma once

#include <array>
#include <functional>
#include <map>
#include <set>
#include <span>

#include "diaryx/sync/control.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/replica.h"
#include "replica/asked_actions.h"
#include "replica/batch_clock.h"
#include "replica/body_store.h"
#include "replica/connection.h"
#include "replica/disk_work.h"
#include "replica/doc_link.h"
#include "replica/due_map.h"
#include "replica/file_index.h"
#include "replica/file_records.h"
#include "replica/following.h"
#include "replica/open_bodies.h"
#include "replica/own_moves.h"
#include "replica/own_writes.h"
#include "replica/restores.h"
#include "replica/shortened_texts.h"
#include "replica/unsynced.h"
#include "replica/uploads.h"
#include "replica/waves.h"
#include "replica/workspace_doc.h"
#include "roots.h"

namespace diaryx::sync {

/// Records of files that a restore put on the disk and that were not read back yet.
inline constexpr std::string_view kRestoredPrefix = "restored:";
/// Records of documents that are to be asked for whatever the server lists.
inline constexpr std::string_view kUnsyncedPrefix = "unsynced:";

class Replica::Impl {
 public:
  explicit Impl(ReplicaOptions options);

  Result<void> restore_update(std::string_view doc, ByteView update);
  Result<void> restore_record(std::string_view key, std::string_view value);
  void handle(const Event& event, TimestampMs now, std::vector<Action>& out);
  std::optional<TimestampMs> next_deadline() const;
  ReplicaStatus status() const;
  bool settled() const;

  std::vector<HeldChange> held() const;

  std::optional<std::string> file_text(const std::string& path) const;
  std::optional<std::string> body_text(const std::string& path) const;
  Sha256 hash_of(std::string_view text) const;

  // Read by the getters of Replica.
  ReplicaOptions options_;
  WorkspaceDoc workspace_;
  BodyStore bodies_;
  FileRecords records_;

  /// The names that known files have on disk, chosen before anything else asks for one.
  DiskNames& names() const;
  bool waits_for_belief(const std::string& path) const;

 private:
  /// How long the halves of one rename may be apart; watchers collect their news for less than this.
  static constexpr DurationMs kRenameGrace{1'000};
  static constexpr DurationMs kDiskRetry{2'000};

  // Who says what is on disk.
  enum class Source : uint8_t {
    Watcher,
    Look,  // a read of ours
    Met,   // another action of ours came upon it
  };

  // A file that is missing; its record stays until that is believed, and goes on learning what happens to the document. When an
  // action of ours ran into it, its other half (a rename) may still be unseen, so it waits.
  struct GoneFile {
    std::optional<TimestampMs> wait_until;
    bool held = false;
    bool is_ours = false;  // a removal of ours was under way, so it is no deletion by anybody, if it was not renamed
  };

  // A new file whose text may be that of a missing one: decided when the whole batch is known.
  struct Newcomer {
    std::string bytes;
    Sha256 hash;
  };

  // A text, and what it is made of.
  struct Version {
    std::string text;
    TextUnits units;
  };

  // --- replica_connection.cpp
  void on_connected();
  void on_disconnected();
  void on_binary(ByteView bytes);
  void on_text(std::string_view json);
  void on_deadline();
  void on_doc_error(const DocError& error);
  void on_workspace_answered();
  void open_body(const std::string& key, bool first = false);
  void pump();
  void announce();
  void on_workspace_message(const Message& message);
  void on_body_message(const std::string& key, const Message& message);
  void send_workspace(Bytes payload);
  void send_body(const std::string& key, Bytes payload);
  void barrier_if_needed();
  void tell_state(bool is_new);
  void note_if_saved(const std::string& key);

  // --- replica_following.cpp
  void open_all();
  void open_changed(Unsynced::Keys& wanted);
  void open_first_look(Unsynced::Keys& wanted);
  void on_changes(const Changes& changes);
  void on_update_of_closed(const std::string& key, ByteView update);
  void ask_for_changes();
  void keep_cursor();
  void forget_cursor();
  bool in_step(const std::string& key) const;
  bool is_answered(const std::string& key) const;
  void mark_unsynced(const std::string& key);
  void mark_synced(const std::string& key);
  void leave_over();
  void tell_incomplete(const std::string& path);
  Result<void> restore_body(const std::string& key, ByteView update);
  void note_what_restoring_left();

  // --- replica_local.cpp
  void on_text_seen(const std::string& path, std::string_view bytes, Source source = Source::Watcher);
  void on_blob_seen(const std::string& path, const Sha256& hash, uint64_t size_bytes);
  bool recognise_moved(const std::string& path);
  void on_blob_uploaded(const std::string& path, const Sha256& hash);
  void on_transfer_failed(const std::string& path, const TransferFailed& failure);
  bool waits_in_vain(const std::string& path, const Sha256& hash) const;
  bool accept_path(const std::string& path);
  void merge_disk_text(const std::string& path, FileRecord record, std::string_view bytes);
  bool is_left(const std::string& path) const;
  bool came_back(const std::string& path) const;
  bool goes_on(const std::string& path, std::string_view bytes) const;  // of one that came back: it is the same file
  bool is_of_entry(const std::string& path, const std::string& document) const;  // its text is here
  void place_new_text(const std::string& path, std::string_view bytes, const Sha256& hash);
  bool says_the_same(const std::string& path, const SplitText& disk) const;
  void keep_conflict_copy(const std::string& path, std::string_view bytes, const Sha256& hash);
  void create_entry(const std::string& path, std::string_view bytes, const std::string& file_id,
                    const std::string& document);
  void refresh_metadata(const std::string& path);
  bool text_goes_on(const std::string& path) const;
  bool is_wanted_otherwise(const std::string& path, const Sha256& hash) const;
  void keep_blob_copy(const std::string& path, Sha256 hash);
  void start_upload(const std::string& path, const Sha256& hash, uint64_t size_bytes);
  void publish_blob(const std::string& path, const Sha256& hash, uint64_t size_bytes);
  void pump_uploads();
  void read_when_possible(const std::string& path);
  void request_read(const std::string& path);

  // --- replica_writes.cpp
  void on_file_written(const AskedAction& asked, const FileWritten& written);
  void intend_to_write(const std::string& path, OwnWrite write);
  void forget_doubtful_writes(const std::string& path);
  void forget_lost_writes();
  bool awaits_answer(const std::string& path) const;
  bool wait_for_answer(const std::string& path);
  void look_again(const std::string& path);
  void look_when_answered(const std::string& path);
  void note_answer(const AskedAction& asked, const FileWritten& written);
  void move_doubts(const std::string& from, const std::string& to);
  std::string text_behind_write(const std::string& path, const OwnWrite& write) const;
  const OwnWrite* torn_write(const std::string& path, std::string_view bytes) const;
  void note_written(const std::string& path, OwnWrite done, std::string text);
  void note_written_over(const std::string& path, std::string_view edited);
  void end_work(const std::string& path);
  void on_file_removed(const AskedAction& asked, const FileRemoved& removed);
  bool is_seen_before_removal(const std::string& path, const Sha256& hash) const;
  void note_removed(const std::string& path);
  void look_behind_removal(const std::string& path, Ticket ticket);
  void follow_removal(const std::string& from, const std::string& to);
  void on_file_refused(const AskedAction& asked, const FileRefused& refused);

  // --- replica_moves.cpp
  bool move_on_disk(const std::string& from, const std::string& to);
  void on_own_move(const std::string& to, bool was_copied = false);
  void move_record(const OwnMove& move, const std::string& to, bool was_copied);
  void was_moved(const std::string& to);
  void was_not_moved(const std::string& to);
  bool was_seen_meanwhile(const std::string& from, const std::string& to);
  void doubt_move(const std::string& to);

  // --- replica_tree.cpp
  void on_gone(const std::string& path, Source source = Source::Watcher);
  void on_moved(const std::string& from, const std::string& to);
  void rename_file(const std::string& from, const std::string& to, const FileRecord& record);
  std::string rename_text(const std::string& from, const std::string& to, FileMetadata entry);  // the file's id
  bool index_file(const std::string& path);  // true if another file is live there now, or has another document

  // Files, by id, the paths that list them and the documents that hold their texts.
  std::optional<std::string> listed_path(const std::string& document) const;
  std::string file_id_of(const std::string& path, const FileRecord& known) const;
  bool is_at_home(const std::string& path,
                  const FileRecord& known) const;  // the list has the file that is on disk there
  std::string document_of_file(const std::string& file_id, const std::string& path) const;
  std::string fullest_document(const std::string& file_id, const std::string& path, std::string otherwise) const;
  std::string document_for(const std::string& path,
                           const std::string& file_id) const;  // for a file that is put there now
  std::string document_text(const std::string& document) const;
  std::string text_behind(const std::string& path, const FileRecord& known) const;
  bool is_free(const std::string& path) const;
  std::string other_name(const std::string& path, const std::string& file_id) const;

  void put_file(const std::string& path, const std::string& file_id, const std::string& present_document);
  void move_text(const std::string& from, const std::string& to, const std::string& file_id);
  void reconcile_records(const std::string& file_id);

  // --- replica_matching.cpp
  void on_files_settled();
  bool adopt_rename(const std::string& to, const Sha256& hash, FileRecord::Kind kind, std::string_view bytes = {});
  std::optional<std::string> missing_with(const Sha256& hash, FileRecord::Kind kind) const;
  bool adopt_written(const std::string& to, const Sha256& hash, FileRecord::Kind kind, std::string_view bytes);
  bool leave_to_watcher(const std::string& path, const Sha256& hash, Source source);
  bool wait_for_other_half(const std::string& path, std::string_view bytes);
  void match_rewritten();
  using Moves = std::map<std::string, std::string>;  // to -> from
  Moves moves_over() const;
  std::set<std::string> close_rings(Moves& moves) const;
  std::string last_seen_text(const std::string& path) const;  // of a text that is known
  bool is_just_moved(const GoneFile& gone) const;
  void match_newcomers();
  bool is_one_of_many(const std::string& path, std::string_view text) const;

  // --- replica_revival.cpp
  void delete_entry(const std::string& path, const FileRecord& record, crdt::Transaction& txn);
  // Of a file that is not listed: its last path, and if it was deleted what of it was seen. No path: live, or unknown.
  struct Whereabouts {
    std::string path;
    std::string seen;
  };
  Whereabouts whereabouts(const std::string& file_id) const;
  std::optional<std::string> seen_mark(const std::string& document) const;
  bool is_unseen(const std::string& document, const std::string& seen) const;
  bool revive_if_edited(const std::string& file_id, const std::string& also);
  void revive(const std::string& file_id, const std::string& path, const std::string& also = {});
  std::set<std::string> documents_of_file(const std::string& file_id, const std::string& also) const;
  void unite(const std::string& file_id, const std::string& also = {});
  void give_body(ByteView state, const std::string& to);

  // --- replica_rivals.cpp
  void fold_doubled_file(const std::string& path);
  void part_kinds(const std::string& path);
  void relist_if_lost(const std::string& file_id);
  bool is_contested(const std::string& path) const;
  bool has_gone_on(const std::string& file_id, const std::string& path) const;
  void name_own_document(const std::string& path);
  bool is_foreign(const std::string& document, ByteView theirs) const;
  void take_out_strays(const std::string& document, const crdt::StateVector& before);
  void on_document_taken(const std::string& document, const std::string& loser, const std::string& winner,
                         ByteView before, const std::string& text);

  // --- replica_breaker.cpp
  bool wait_for_wave(const std::string& path, std::string_view bytes);
  void send_deletions(OutgoingWave::Grace grace = OutgoingWave::Grace::Given);
  std::vector<std::string> gone_with(bool GoneFile::* flag) const;
  void note_own_removals();
  void hold_outgoing(const std::vector<std::string>& missing, const std::vector<std::string>& shorter);
  /// Counts what is missing or shorter now: a person who asks for something has done it before.
  void stop_waiting_for_waves();
  void delete_files(const std::vector<std::string>& paths);
  void believe(const std::vector<std::string>& shorter);
  /// Before the folder was looked at and the list of files came, a wave would be seen piece by piece.
  bool may_take_away() const { return scanned_ || workspace_link_.answered(); }
  bool ask_to_take(const std::string& path, HeldChange::Kind kind);
  void take_away();
  std::vector<std::string> take_moved(IncomingWave::Removals& leaving);
  void release_held();
  void undo_held();
  void undo_outgoing();
  void undo_incoming();
  void undo_deletion(const std::string& path);
  void tell_held(HeldChange::Direction direction);

  // --- replica_remote.cpp
  void on_update_made(const UpdateMade& made);
  void apply_workspace(ByteView update, bool answer, HistoryOrigin origin);
  bool apply_body(const std::string& key, ByteView update, HistoryOrigin origin, bool foreign = false);
  void follow_edit_of_unlisted(const std::string& document);
  std::vector<std::string> paths_without_base(const std::string& file_id, const std::string& path) const;
  void remember_base(const std::string& file_id, const std::string& path, const Version& before);
  void on_file_entry_changed(const std::string& path);
  void give_way(const std::set<std::string>& replaced, const std::vector<std::string>& changed_homes);
  void on_body_ready(const std::string& key);
  void adopt_old_peer_metadata(const std::string& path);
  void doubt_metadata(const std::string& path);
  void check_metadata();
  void reconcile(const std::string& path);
  void reconcile_absent(const std::string& path, const FileRecord& record);
  bool make_room(const std::string& path, const FileRecord& known);
  bool comes_from_elsewhere(const std::string& path);
  void reconcile_file(const std::string& file_id);
  void reconcile_text(const std::string& path);
  void reconcile_blob(const std::string& path, const BinaryRef& ref);
  /// Of an attachment that we published and that the list has no more: true if nobody who saw it took it away.
  bool was_taken_unseen(const std::string& path, const FileRecord& known) const;
  void withdraw_if_taken(const std::string& path, BinaryRef ref, const FileRecord& known);

  // --- replica.cpp: between the disk's names and keys
  void dispatch(const Event& event);
  std::optional<std::string> leaving_name(std::string_view disk_path) const;
  bool is_still_there(const OwnMove& move) const;
  void name_for_disk(Action& action);

  // --- history/replica_restore.cpp
  void on_restore(const RestoreFiles& restore);
  void restore_file(const RestoreFile& file);
  void restore_text(const RestoreFile& file);
  bool apply_planned(const RestoreFile& file, const std::string& present);
  void commit_restored(const std::string& present, Bytes update);
  void bring_back(const RestoreFile& file);
  void restore_absence(const RestoreFile& file);
  void restore_binary(const RestoreFile& file);

  // --- shared
  std::string head_of(const std::string& path) const;
  std::string text_of(const std::string& path) const;
  bool text_is_here(const std::string& path) const;
  Bytes set_document_text(const std::string& document, std::string_view shown_head, std::string_view text);
  Bytes merge_edit(const std::string& path, const std::string& document, FileRecord& known, std::string_view doc_text,
                   std::string_view bytes);
  Version version_of(const std::string& path) const;
  Version version_of_document(const std::string& document) const;
  Bytes set_file_text(const std::string& path, std::string_view text);
  void commit_body(const std::string& key, Bytes update, HistoryOrigin origin = HistoryOrigin::Local,
                   std::string note = {});
  Bytes payload_of_edit(const std::string& key, ByteView update);
  void persist(std::string doc, Bytes update, HistoryOrigin origin, std::string note = {});
  void say_who(crdt::Transaction& txn);
  crdt::Transaction begin_workspace_edit();
  void end_workspace_edit(crdt::Transaction txn);
  /// `edit(txn)` changes the workspace document: persisted and sent, if it changed anything.
  template <typename Edit>
  void edit_workspace(Edit edit) {
    crdt::Transaction txn = begin_workspace_edit();
    edit(txn);
    end_workspace_edit(std::move(txn));
  }
  void save_record(const std::string& path, FileRecord record);
  void drop_record(const std::string& path);
  void keep_name(const std::string& path, const std::string& disk_path);
  void release_name(const std::string& path);
  const FileRecord* record(const std::string& path) const;
  void emit(Action action);
  void notify(Notice notice) { emit(Notify{std::move(notice)}); }
  void problem(const std::string& path, std::string message);

  // Texts that were hashed last: one edit asks for the text before it and the one after it several times.
  static constexpr size_t kMostHashedBytes = size_t{1} << 20;
  mutable std::array<std::optional<std::pair<std::string, Sha256>>, 2> hashed_;

  // Counting reads every entry, so a count is good until the list changes.
  mutable std::optional<uint64_t> file_count_;

  // History: what the updates of this batch are stored as.
  const UpdateMade* made_ = nullptr;  // while it is applied
  Restores restores_;
  std::string moved_from_;  // where the operations that are given come from
  bool said_who_ = false;

  // The batch being made.
  BatchClock clock_;
  std::vector<Action>* out_ = nullptr;

  // The connection.
  Connection connection_;
  bool settled_told_ = false;
  DocLink workspace_link_{DocLink::Kind::Workspace};  // once it is answered, bodies may be asked for
  OpenBodies open_bodies_;
  std::vector<std::string> focus_;  // files that a person looks at: opened before the others

  // Which documents need not be asked for.
  Following following_;
  Unsynced unsynced_;
  bool looked_at_disk_ = false;  // in this run: every file was brought to what its document says, or waits

  FileIndex index_;

  // The disk.
  // Choosing names for what is known changes nothing that can be seen, so getters may do it.
  mutable DiskNames names_;
  mutable std::map<std::string, std::string, std::less<>> restored_names_;
  mutable std::set<std::string, std::less<>> kept_names_;  // the keys whose names are stored
  mutable bool named_ = false;  // known files have claimed their names
  bool check_all_homes_ = true;  // once in a run, since the last one may have ended in between
  bool joined_ = false;  // the workspace doc was answered once, on any connection
  DiskWork work_;
  AskedActions asked_;
  OwnWrites own_writes_;
  std::set<std::string, std::less<>>
      seen_meanwhile_;  // something was seen there while a write or a move of ours is under way
  // Removals of ours that were overtaken: something else was seen there before their answer, or nothing. They may have taken what came
  // there since. The last one of each path, until what is there is looked at behind its answer.
  DiskWork overtaken_;
  Uploads uploads_;
  DueMap<GoneFile> gone_;  // missing, not yet counted as deleted; each has a record
  OwnMoves own_moves_;
  std::map<std::string, Newcomer, std::less<>> newcomers_;
  std::map<std::string, std::string, std::less<>>
      rewritten_;  // text files with another content: an edit, or another file
  ShortenedTexts shortened_;
  OutgoingWave outgoing_;
  IncomingWave incoming_;
  bool taking_away_ = false;  // what is asked of `incoming_` was decided
  bool is_fresh_ = true;  // nothing was handled yet
  bool scanned_ = false;  // the first FilesSettled was here
  bool unscanned_ = false;  // files are known from an earlier run, and were not looked at in this one
  std::set<std::string, std::less<>>
      changing_hands_;  // paths whose name on disk stays while another file comes to be there
  bool settling_ = false;  // what was seen in the batch is being told again, none of it is put off
  bool believing_ = false;  // the same of texts that lost their end
  std::set<std::string, std::less<>> deleted_here_;  // ids, in this run: an edit that was made meanwhile wins
  std::set<std::string, std::less<>> wants_read_;  // seen, to be read once its document is answered
  std::set<std::string, std::less<>> doubtful_;  // the entry was read from another head than the document has
  std::optional<TimestampMs> doubtful_due_;
  std::set<std::string, std::less<>> reported_;  // problems told once
};

}  // namespace diaryx::sync
