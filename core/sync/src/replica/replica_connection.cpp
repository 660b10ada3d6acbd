// The handshake, opening documents one after another, receipts and deadlines.
#include <algorithm>
#include <utility>

#include "replica/replica_impl.h"

namespace diaryx::sync {
namespace {

constexpr size_t kMaxDocumentProblems = 3;

}  // namespace

// --- the connection ---------------------------------------------------------------------------------------------

void Replica::Impl::on_connected() {
  on_disconnected();
  tell_state(connection_.begin(clock_.now()));
  emit(SendText{format_control(ClientHello{.handshake = false})});
  send_workspace(workspace_link_.ask(workspace_.doc(), clock_.now()));
}

void Replica::Impl::on_disconnected() {
  leave_over();
  settled_told_ = false;
  workspace_link_ = DocLink(DocLink::Kind::Workspace);
  uploads_.forget_answers();
  tell_state(connection_.end());
}

void Replica::Impl::tell_state(bool is_new) {
  if (is_new) notify(StatusChanged{connection_.state()});
}

void Replica::Impl::on_workspace_answered() {
  connection_.on_answer();
  if (!joined_) {
    joined_ = true;
    emit(PersistRecord{"joined", "1"});
  }
  if (following_.begin(clock_.wall())) ask_for_changes();
  if (following_.awaits_list()) {
    connection_.await(clock_.now());
  } else {
    open_all();
  }
  std::vector<std::string> paths;
  for (const BinaryRef& ref : workspace_.live_binaries()) reconcile(ref.path);  // none is fetched without a connection
  if (!std::exchange(looked_at_disk_, true)) {
    // Files that were removed elsewhere while we did not run, and files that waited for the list of what there is.
    for (const auto& [path, record] : records_) paths.push_back(path);
  } else {
    // Since then each change was followed at once, or waits here.
    for (const auto& [path, work] : work_) paths.push_back(path);
  }
  for (const std::string& path : paths) reconcile(path);
  const std::set<std::string, std::less<>> waiting = std::exchange(wants_read_, {});
  for (const std::string& path : waiting) request_read(path);
}

// --- documents --------------------------------------------------------------------------------------------------

void Replica::Impl::open_body(const std::string& key, bool first) {
  if (open_bodies_.is_open(key)) return;
  if (!workspace_link_.answered()) {
    unsynced_.leave(key);
  } else if (first) {
    open_bodies_.enqueue_first(key);
  } else {
    open_bodies_.enqueue(key);
  }
}

void Replica::Impl::note_if_saved(const std::string& key) {
  if (!open_bodies_.is_saved(key)) return;
  if (!open_bodies_.was_refused(key)) mark_synced(key);
  const std::optional<std::string> listed = listed_path(key);
  std::set<std::string> paths;
  if (listed) paths.insert(*listed);
  const std::set<std::string>& of_file = records_.paths_of(listed ? index_.id_at(*listed) : std::string());
  paths.insert(of_file.begin(), of_file.end());
  for (const std::string& path : paths) {
    const FileRecord* known = record(path);
    if (known == nullptr || !known->unsaved) continue;
    FileRecord saved = *known;
    saved.unsaved = false;
    save_record(path, std::move(saved));
  }
}

void Replica::Impl::pump() {
  while (const std::optional<std::string> key = open_bodies_.open_next()) {
    send_body(*key, open_bodies_.ask(*key, bodies_.open(*key).doc(), clock_.now()));
  }
}

void Replica::Impl::send_workspace(Bytes payload) {
  if (payload.empty()) return;
  const Result<DocId> id = workspace_doc_id(options_.workspace_id);
  if (!id) return problem({}, "the workspace id cannot be used: " + describe(id.error()));
  if (Result<Bytes> frame = encode_frame(id->view(), payload)) emit(SendBinary{*std::move(frame)});
}

void Replica::Impl::send_body(const std::string& key, Bytes payload) {
  if (payload.empty()) return;
  const Result<DocId> id = body_doc_id(options_.workspace_id, key);
  if (!id) return problem(key, "the file cannot be synced: " + describe(id.error()));
  if (Result<Bytes> frame = encode_frame(id->view(), payload)) emit(SendBinary{*std::move(frame)});
}

void Replica::Impl::barrier_if_needed() {
  if (connection_.has_receipts()) return;
  send_workspace(workspace_link_.barrier(workspace_.doc()));
  for (const std::string& key : open_bodies_.unsaved()) {
    if (open_bodies_.wants_barrier(key)) send_body(key, open_bodies_.barrier(key, bodies_.open(key).doc()));
  }
}

// --- frames -----------------------------------------------------------------------------------------------------

void Replica::Impl::on_binary(ByteView bytes) {
  if (!connection_.is_online()) return;
  const Result<Frame> frame = decode_frame(bytes);
  if (!frame) return problem({}, "the server sent a frame that cannot be read: " + describe(frame.error()));
  const Result<ParsedDocId> id = parse_doc_id(frame->doc_id);
  if (!id || id->workspace != options_.workspace_id) return;
  const std::string key(id->key);
  const Result<std::vector<Message>> messages = parse_messages(frame->payload);
  if (!messages) {
    return problem(key, "the server sent a message that cannot be read: " + describe(messages.error()));
  }
  tell_state(connection_.hear());
  for (const Message& message : *messages) {
    if (id->kind == DocKind::Workspace) {
      on_workspace_message(message);
    } else {
      on_body_message(key, message);
    }
  }
}

void Replica::Impl::on_workspace_message(const Message& message) {
  if (const auto* step1 = std::get_if<SyncStep1>(&message)) {
    Result<Bytes> answer = workspace_link_.on_step1(workspace_.doc(), step1->state_vector);
    if (answer) send_workspace(*std::move(answer));
  } else if (const auto* step2 = std::get_if<SyncStep2>(&message)) {
    apply_workspace(step2->update, /*answer=*/true, HistoryOrigin::Sync);
  } else if (const auto* update = std::get_if<Update>(&message)) {
    apply_workspace(update->update, /*answer=*/false, HistoryOrigin::Remote);
  }
}

void Replica::Impl::on_body_message(const std::string& key, const Message& message) {
  if (!open_bodies_.is_open(key)) {  // not asked for on this connection
    if (const auto* update = std::get_if<Update>(&message)) on_update_of_closed(key, update->update);
    return;
  }
  if (const auto* step1 = std::get_if<SyncStep1>(&message)) {
    Result<Bytes> answer = open_bodies_.on_step1(key, bodies_.open(key).doc(), step1->state_vector);
    if (answer && !answer->empty()) mark_unsynced(key);
    if (answer) send_body(key, *std::move(answer));
    note_if_saved(key);
  } else if (const auto* step2 = std::get_if<SyncStep2>(&message)) {
    const bool first = !open_bodies_.is_answered(key);
    const bool foreign = first && is_foreign(key, step2->update);
    const bool applied = apply_body(key, step2->update, HistoryOrigin::Sync, foreign);
    if (!applied) return;  // asked for again at the time-out
    unsynced_.on_answered(key);
    Bytes lacking = open_bodies_.on_step2(key, bodies_.open(key).doc(), step2->update);
    if (!lacking.empty()) mark_unsynced(key);  // the server lacks something, perhaps since it was set back
    send_body(key, std::move(lacking));
    note_if_saved(key);
    if (listed_path(key) && bodies_.open(key).doc().has_pending()) tell_incomplete(*listed_path(key));
    if (first) on_body_ready(key);
  } else if (const auto* update = std::get_if<Update>(&message)) {
    if (following_.is_offered() && !open_bodies_.is_answered(key)) return;  // the answer, which is on its way, has it
    apply_body(key, update->update, HistoryOrigin::Remote);
    send_body(key, open_bodies_.ask_for_base(key, bodies_.open(key).doc()));
  }
}

void Replica::Impl::on_text(std::string_view json) {
  if (!connection_.is_online()) return;
  Result<ControlMessage> message = parse_control(json);
  if (!message)
    return problem({}, "the server sent a control message that cannot be read: " + describe(message.error()));
  if (const auto* hello = std::get_if<ServerHello>(&*message)) {
    connection_.on_hello(hello->receipts);
    following_.on_hello(hello->changes);
    if (hello->changes) workspace_link_.first_ask_is_answered();
  } else if (const auto* changes = std::get_if<Changes>(&*message)) {
    on_changes(*changes);
  } else if (std::holds_alternative<FileManifest>(*message)) {
    emit(SendText{format_control(FilesReady{})});
  } else if (const auto* state = std::get_if<CrdtState>(&*message)) {
    tell_state(connection_.hear());
    apply_workspace(state->state, /*answer=*/false, HistoryOrigin::Sync);
  } else if (const auto* saved = std::get_if<Saved>(&*message)) {
    const Result<ParsedDocId> id = parse_doc_id(saved->doc);
    if (!id || id->workspace != options_.workspace_id) return;
    if (id->kind == DocKind::Workspace) {
      workspace_link_.on_saved(saved->received);
    } else if (const std::string key(id->key); open_bodies_.is_open(key)) {
      open_bodies_.on_saved(key, saved->received);
      note_if_saved(key);
    }
  } else if (const auto* error = std::get_if<DocError>(&*message)) {
    on_doc_error(*error);
  } else if (const auto* joined = std::get_if<PeerJoined>(&*message)) {
    notify(PeersChanged{.peer_count = joined->peer_count, .joined = true});
  } else if (const auto* left = std::get_if<PeerLeft>(&*message)) {
    notify(PeersChanged{.peer_count = left->peer_count, .joined = false});
  } else if (std::holds_alternative<SessionEnded>(*message)) {
    problem({}, "the owner ended the shared session");
  }
}

void Replica::Impl::on_doc_error(const DocError& error) {
  const Result<ParsedDocId> id = parse_doc_id(error.doc);
  const std::string key(id && id->kind == DocKind::Body ? id->key : std::string_view{});
  const std::string& reason = error.message.empty() ? error.code : error.message;
  // Of no document: the whole line, as when a token or a share ends.
  const bool is_all = error.doc.empty() || (id && id->kind == DocKind::Workspace);
  if (is_all && (error.code == "unauthorized" || error.code == "storage")) {
    problem({}, "the server does not open this workspace: " + reason);
    on_disconnected();  // it took this device's seat away, and with it all that was asked on this line
    const SyncState state = error.code == "unauthorized" ? SyncState::Refused : SyncState::Reconnecting;
    return tell_state(connection_.refuse(state, clock_.now()));
  }
  problem(key, (error.doc.empty() ? "the server: " : "the server refused a change: ") + reason);
  if (key.empty() || !open_bodies_.is_open(key)) return;
  mark_unsynced(key);
  if (error.code == "storage") {
    open_bodies_.on_dropped(key, clock_.now());
  } else {
    open_bodies_.on_refused(key);
  }
}

// --- time -------------------------------------------------------------------------------------------------------

std::optional<TimestampMs> Replica::Impl::next_deadline() const {
  std::optional<TimestampMs> next = connection_.deadline();
  const auto consider = [&](std::optional<TimestampMs> time) {
    if (time && (!next || *time < *next)) next = time;
  };
  consider(open_bodies_.next_moment());
  if (connection_.is_active()) consider(uploads_.next_moment());
  consider(work_.next_moment());
  consider(gone_.next_moment());
  consider(doubtful_due_);
  consider(shortened_.next_moment());
  if (may_take_away()) consider(incoming_.next_moment());
  consider(outgoing_.next_moment());
  return next ? std::optional(clock_.on_wall(*next)) : std::nullopt;
}

void Replica::Impl::on_deadline() {
  if (const std::optional<std::string_view> reason = connection_.overdue(clock_.now()))
    emit(Reconnect{std::string(*reason)});
  for (const std::string& key : open_bodies_.due(clock_.now())) {
    if (open_bodies_.on_silence(key) == kMaxDocumentProblems)
      problem(key, "the server does not answer for this file; sync goes on trying");
    mark_unsynced(key);
    send_body(key, open_bodies_.ask(key, bodies_.open(key).doc(), clock_.now()));
  }
  uploads_.wake(clock_.now());
  check_metadata();
  send_deletions();  // those that waited for their other half
  for (const std::string& path : work_.wake(clock_.now())) {
    // After a write that failed nobody knows how, what is there comes first: a new file, too, since the list may have given up its
    // name meanwhile, and then nothing is tried again that would come upon it.
    if (work_.is_left_to_watcher(path) || own_writes_.is_in_doubt(path)) {
      request_read(path);
    } else {
      reconcile(path);
    }
  }
}

// --- telling ----------------------------------------------------------------------------------------------------

ReplicaStatus Replica::Impl::status() const {
  ReplicaStatus status{.state = connection_.state()};
  if (!file_count_) file_count_ = workspace_.live_files().size() + workspace_.live_binaries().size();
  status.files = *file_count_;
  status.waiting_documents = open_bodies_.waiting() + (workspace_link_.answered() && !following_.awaits_list() ? 0 : 1);
  status.unsaved_documents = open_bodies_.unsaved().size() + (workspace_link_.saved() ? 0 : 1);
  status.uploads = uploads_.size();
  for (const auto& [path, work] : work_) {
    if (!work.is_pending()) continue;
    if (workspace_.live_binary(path)) {
      ++status.downloads;
    } else {
      ++status.pending_writes;
    }
  }
  for (const HeldChange& change : held()) {
    ++(change.direction == HeldChange::Direction::Outgoing ? status.held_outgoing : status.held_incoming);
  }
  return status;
}

bool Replica::Impl::settled() const {
  if (!workspace_link_.saved() || following_.awaits_list()) return false;
  if (open_bodies_.has_queued() || !open_bodies_.unsaved().empty() || doubtful_due_ || !newcomers_.empty() ||
      !rewritten_.empty() || incoming_.is_asked() || !uploads_.empty() || !wants_read_.empty())
    return false;
  const auto is_open = [](const auto& entry) { return !entry.second.held; };
  if (std::ranges::any_of(gone_, is_open) || std::ranges::any_of(shortened_, is_open)) return false;
  return std::ranges::none_of(work_, [](const auto& entry) { return entry.second.is_pending(); });
}

void Replica::Impl::announce() {
  if (!workspace_link_.answered()) return;
  const size_t waiting = open_bodies_.waiting() + (following_.awaits_list() ? 1 : 0);
  if (const std::optional<size_t> answered = open_bodies_.take_progress(/*are_all=*/waiting == 0))
    notify(Progress{.completed = *answered, .total = *answered + waiting});
  if (waiting == 0) tell_state(connection_.catch_up());

  const bool now_settled = settled();
  if (now_settled && !settled_told_) {
    notify(Settled{});
    if (following_.renew()) ask_for_changes();
  }
  settled_told_ = now_settled;
}

}  // namespace diaryx::sync
