// The hands of a session: one function per kind of action.

#include <algorithm>
#include <type_traits>
#include <utility>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/path.h"
#include "host.h"
#include "notices.h"
#include "session.h"

namespace diaryx::plugin {
namespace {

constexpr DurationMs kTransferTime{500};  // per export: many small attachments, without holding up the frames that wait
constexpr std::string_view kNotesOnly = "this build of the plugin carries notes, not attachments";
constexpr std::string_view kUnreadable = "the file cannot be read";
constexpr std::string_view kNotDone = "the host ended the call; check the plugin's permissions";

}  // namespace

void Session::perform(const sync::Action& action) {
  std::visit(
      [this](const auto& one) {
        // Persist actions and transfers were sorted out when they came.
        if constexpr (requires { perform_one(one); }) perform_one(one);
      },
      action);
}

// Every document that is asked for is answered with nothing, as by the server of a workspace that is empty.
void Session::answer_alone(ByteView bytes) {
  const auto frame = sync::decode_frame(bytes);
  const auto messages = frame ? sync::parse_messages(frame->payload) : fail(ErrorCode::Truncated);
  if (!messages || messages->empty() || !std::holds_alternative<sync::SyncStep1>(messages->front())) return;
  if (const auto nothing = sync::encode_frame(frame->doc_id, {sync::SyncStep2{sync::kEmptyUpdate}}))
    feed(sync::BinaryReceived{*nothing});
}

void Session::perform_one(const sync::SendBinary& send) {
  if (options_.alone) return answer_alone(send.frame);
  if (!connected_) return;
  host::ws_send_binary(send.frame);
  performed_.push_back({ActionType::SendBinary, send.frame});
}

void Session::perform_one(const sync::SendText& send) {
  if (!is_connected()) return;
  host::ws_send_text(send.json);
  performed_.push_back({ActionType::SendText, to_bytes(as_bytes(send.json))});
}

void Session::hear(std::string_view text) {
  const auto message = sync::parse_control(text);
  if (!message) return host::log(host::Level::Warn, "a text of the server was ignored: " + describe(message.error()));
  // What only other servers say, and what is only to be passed on.
  if (const auto* progress = std::get_if<sync::SyncProgress>(&*message)) {
    queue_.emplace_back(sync::Notify{sync::Progress{progress->completed, progress->total}});
  } else if (const auto* complete = std::get_if<sync::SyncComplete>(&*message)) {
    const Json count = Json{}.set("files_synced", complete->files_synced);
    tell(Json{count}.set("type", "syncComplete"), Json{count}.set("type", "SyncCompleted").set("doc_name", ""));
  } else if (const auto* focus = std::get_if<sync::FocusListChanged>(&*message)) {
    Json list = Json::array();
    for (const std::string& path : focus->files) list.push(path);
    const Json files = Json{}.set("files", std::move(list));
    tell(Json{files}.set("type", "focusListChanged"), Json{files}.set("type", "FocusListChanged"));
  } else if (const auto* manifest = std::get_if<sync::FileManifest>(&*message); manifest && manifest->client_is_new &&
                                                                                !no_snapshot_ && options_.write_files &&
                                                                                host::carries_attachments()) {
    manifest_ = text;
    performed_.push_back({ActionType::DownloadSnapshot, to_bytes(as_bytes(options_.workspace_id))});
  } else {
    feed(sync::TextReceived{text});
  }
}

void Session::snapshot_done(std::string_view problem) {
  const std::string manifest = std::exchange(manifest_, {});
  if (!problem.empty()) queue_.emplace_back(sync::Notify{sync::Problem{{}, std::string(problem)}});
  feed(sync::TextReceived{manifest});
}

void Session::tell(const Json& envelope, const Json& event) {
  performed_.push_back({ActionType::EmitEvent, to_bytes(as_bytes(envelope.dump()))});
  host::emit_event(event.dump());
}

void Session::focus(std::vector<std::string> paths) {
  focus_ = paths;
  feed(sync::FocusFiles{std::move(paths)});
  // Those that were answered long ago are asked for once more.
  for (const std::string& path : focus_) {
    const auto entry = replica_->metadata(path);
    if (!is_connected() || !entry || entry->deleted || !replica_->file_text(path)) continue;
    const auto other = std::ranges::find(entry->extra, "_doc", &Json::Member::key);
    const std::string* document = other == entry->extra.end() ? nullptr : other->value.as_string();
    const std::string doc = std::string(kBodyPrefix) + (document ? *document : path);
    crdt::Doc copy({.client = options_.client, .emit = crdt::Emit::Nothing});
    (void)copy.apply_update_v1(replica_->document_state(doc));
    const Bytes vector = copy.state_vector().encode();
    send(doc, sync::SyncStep1{vector});
  }
}

void Session::send(std::string_view doc, const sync::Message& message) {
  std::string id(doc.starts_with(kBodyPrefix) ? "body:" : "workspace:");
  id += options_.workspace_id;
  if (doc.starts_with(kBodyPrefix)) id.append("/").append(doc.substr(kBodyPrefix.size()));
  if (auto frame = sync::encode_frame(id, {message})) queue_.emplace_back(sync::SendBinary{std::move(*frame)});
}

void Session::perform_one(const sync::Reconnect& reconnect) {
  host::log(host::Level::Warn, "[sync_transport] opening a new connection: " + reconnect.reason);
  reconnect_wanted_ = true;
}

void Session::perform_one(const sync::ReadFile& read) {
  if (!report(read.path, read.ticket)) return refuse({read.path, read.ticket}, {});
  feed(sync::FilesSettled{});
}

void Session::perform_one(const sync::WriteText& write) {
  place({write.path, write.ticket}, write.expected, as_bytes(write.bytes), replica_->hash_of(write.bytes));
}

void Session::perform_one(const sync::RemoveFile& remove) {
  const Look look = disk_.look(remove.path);
  if (look.state == Look::State::Missing) return feed(sync::FileRemoved{remove.path, remove.ticket});
  const Asked asked{remove.path, remove.ticket};
  if (look.state == Look::State::Unreadable) return refuse(asked, kUnreadable);
  if (look.hash() != remove.expected) return refuse_changed(asked, asked.path);
  if (!disk_.remove(remove.path)) return refuse(asked, "the host did not delete the file");
  feed(sync::FileRemoved{remove.path, remove.ticket});
}

// Hosts cannot rename: the file is copied, and the old name goes. If that fails, the replica is told that both are there and has the old
// name removed, however often that fails. The copy may be there already, by a call that was cut short.
void Session::perform_one(const sync::MoveFile& move) {
  const Asked asked{move.to, move.ticket};
  const Look there = disk_.look(move.to);
  const Look look = disk_.look(move.from);
  if (there.state != Look::State::Missing && !there.holds(look.bytes)) return refuse_changed(asked, asked.path);
  if (look.state == Look::State::Unreadable) return refuse(asked, kUnreadable);
  if (look.hash() != move.expected) return refuse_changed(asked, move.from);  // gone, perhaps
  if (there.state == Look::State::Missing && !disk_.write(move.to, look.bytes).holds(look.bytes))
    return refuse(asked, "the host did not write the file");
  is_copied_ = true;
  const bool is_gone = disk_.look(move.from).holds(look.bytes) && disk_.remove(move.from);
  is_copied_ = false;
  feed(sync::FileMoved{move.from, move.to, move.ticket, /*was_copied=*/!is_gone});
}

void Session::perform_one(const sync::Notify& notify) {
  if (const auto* progress = std::get_if<sync::Progress>(&notify.notice)) progress_ = *progress;
  if (std::holds_alternative<sync::Settled>(notify.notice)) {
    progress_ = {};
    problem_.clear();
  }
  if (const auto* problem = std::get_if<sync::Problem>(&notify.notice)) {
    problem_ = text_of(*problem);
    host::log(host::Level::Warn, problem_);
  }
  const bool is_progress = std::holds_alternative<sync::Progress>(notify.notice);
  if (options_.alone && (is_progress || std::holds_alternative<sync::StatusChanged>(notify.notice))) return;
  const uint64_t files = std::holds_alternative<sync::Settled>(notify.notice) ? replica_->status().files : 0;
  performed_.push_back({ActionType::EmitEvent, to_bytes(as_bytes(envelope_event(notify.notice, files))), is_progress});
  if (const auto event = host_event(notify.notice, files)) host::emit_event(*event);
}

void Session::place(const Asked& asked, const std::optional<Sha256>& expected, ByteView bytes, const Sha256& hash) {
  const Look before = disk_.look(asked.path);
  if (before.state == Look::State::Unreadable) return refuse(asked, kUnreadable);
  const bool is_expected =
      before.state == Look::State::Read ? replica_->hash_of(as_text(before.bytes)) == expected : !expected;
  if (!is_expected) return refuse_changed(asked, asked.path);
  const Look after = disk_.write(asked.path, bytes);
  if (after.holds(bytes)) return feed(sync::FileWritten{asked.path, hash, asked.ticket});
  if (after.state == before.state && after.bytes == before.bytes)
    return refuse(asked, "the host did not write the file");
  // Somebody else wrote it just now, perhaps on top of what we had put there.
  refuse_changed(asked, asked.path, /*in_doubt=*/true);
}

void Session::write_out(const std::string& path) {
  if (!is_ours(path)) return;
  run_queue();
  if (disk_.look(path).hash() != replica_->known_hash(path)) {
    report(path);
    feed(sync::FilesSettled{});
  }
  const Look look = disk_.look(path);
  const auto text = replica_->file_text(path);
  if (look.state == Look::State::Unreadable || look.hash() != replica_->known_hash(path)) return;
  if (text && look.holds(as_bytes(*text))) return;
  if (options_.keep) journal_.flush();
  if (text)
    disk_.write(path, as_bytes(*text));
  else if (const auto entry = replica_->metadata(path); entry && entry->deleted && look.state == Look::State::Read)
    disk_.remove(path);
  report(path);
  feed(sync::FilesSettled{});
}

void Session::refuse(const Asked& asked, std::string_view reason) {
  feed(sync::FileRefused{asked.path, reason, /*in_doubt=*/false, asked.ticket});
}

void Session::refuse_changed(const Asked& asked, const std::string& changed, bool in_doubt) {
  // Nothing to complain of: the two are merged.
  feed(sync::FileRefused{asked.path, {}, in_doubt, asked.ticket});
  report(changed, asked.ticket);
  feed(sync::FilesSettled{});
}

void Session::transfer_failed(const std::string& path, const Sha256& hash, sync::Ticket ticket, std::string_view reason,
                              bool is_final) {
  feed(sync::TransferFailed{path, hash, reason, is_final, ticket});
}

void Session::run_transfers(const Remote& remote) {
  const TimestampMs begun = host::now();
  while (!transfers_.empty() && !host::nearly_exhausted()) {
    if (options_.keep) journal_.flush();
    current_ = std::move(transfers_.front());
    transfers_.pop_front();
    if (const auto* wanted = std::get_if<sync::FetchBlob>(&*current_)) fetch(remote, *wanted);
    if (const auto* given = std::get_if<sync::UploadBlob>(&*current_)) upload(remote, *given);
    current_.reset();
    run_queue();
    if (host::now() - begun > kTransferTime) return;
  }
}

void Session::fetch(const Remote& remote, const sync::FetchBlob& wanted) {
  if (!host::carries_attachments())
    return transfer_failed(wanted.path, wanted.hash, wanted.ticket, kNotesOnly, /*is_final=*/true);
  const Asked asked{wanted.path, wanted.ticket};
  const auto place_it = [&](ByteView bytes) {
    placing_ = true;
    place(asked, wanted.expected, bytes, wanted.hash);
    placing_ = false;
  };
  if (wanted.size_bytes == 0 && wanted.hash == sha256(ByteView{})) return place_it({});
  if (const auto copy = local_copy(wanted.hash)) return place_it(*copy);
  const auto bytes = remote.attachment(options_.workspace_id, wanted.hash);
  if (bytes) return place_it(*bytes);
  transfer_failed(wanted.path, wanted.hash, wanted.ticket, bytes.error().text);
}

void Session::upload(const Remote& remote, const sync::UploadBlob& given) {
  const Look look = disk_.look(given.path);
  if (look.hash() != given.hash) {
    // What is there now is the answer. Of what cannot be read nothing is told, and the replica would wait for it.
    if (report(given.path, given.ticket)) return feed(sync::FilesSettled{});
    return transfer_failed(given.path, given.hash, given.ticket, kUnreadable);
  }
  const auto done = given.size_bytes == 0
                        ? Answer<void>{}
                        : remote.upload(options_.workspace_id, given.path, given.hash, given.mime_type, look.bytes);
  if (done) return feed(sync::BlobUploaded{given.path, given.hash});
  transfer_failed(given.path, given.hash, given.ticket, done.error().text, done.error().is_final());
}

std::optional<Bytes> Session::local_copy(const Sha256& hash) const {
  for (const std::string& path : replica_->files_with(hash)) {
    Look look = disk_.look(path);
    if (look.hash() == hash) return std::move(look.bytes);
  }
  return std::nullopt;
}

// The export that performed this was cut short by the host: the answer it owes comes now.
void Session::answer_failed(const sync::Action& action) {
  const auto refuse_in_doubt = [this](const std::string& path, sync::Ticket ticket) {
    feed(sync::FileRefused{path, kNotDone, /*in_doubt=*/true, ticket});
  };
  if (const auto* write = std::get_if<sync::WriteText>(&action)) refuse_in_doubt(write->path, write->ticket);
  if (const auto* remove = std::get_if<sync::RemoveFile>(&action)) refuse_in_doubt(remove->path, remove->ticket);
  if (const auto* move = std::get_if<sync::MoveFile>(&action)) {
    if (std::exchange(is_copied_, false))
      return feed(sync::FileMoved{move->from, move->to, move->ticket, /*was_copied=*/true});
    refuse_in_doubt(move->to, move->ticket);
  }
  if (const auto* read = std::get_if<sync::ReadFile>(&action)) refuse_in_doubt(read->path, read->ticket);
  if (const auto* wanted = std::get_if<sync::FetchBlob>(&action)) {
    // (Native hosts end the call for every status from 400 on, too.)
    if (std::exchange(placing_, false)) return refuse_in_doubt(wanted->path, wanted->ticket);
    transfer_failed(wanted->path, wanted->hash, wanted->ticket, kNotDone);
  }
  if (const auto* given = std::get_if<sync::UploadBlob>(&action))
    transfer_failed(given->path, given->hash, given->ticket, kNotDone);
  // A native host refuses to send when its socket is gone.
  if (std::holds_alternative<sync::SendBinary>(action) || std::holds_alternative<sync::SendText>(action))
    disconnected();
}

}  // namespace diaryx::plugin
