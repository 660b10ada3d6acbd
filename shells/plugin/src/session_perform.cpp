// The hands of a session: one function per kind of action.

#include <type_traits>

#include "diaryx/sync/path.h"
#include "host.h"
#include "notices.h"
#include "session.h"

namespace diaryx::plugin {
namespace {

constexpr DurationMs kTransferTime{500};  // per export: many small attachments, without holding up the frames that wait
constexpr std::string_view kNotesOnly = "this build of the plugin carries notes, not attachments";
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

void Session::perform_one(const sync::SendBinary& send) {
  if (!connected_) return;
  host::ws_send_binary(send.frame);
  performed_.push_back({ActionType::SendBinary, send.frame});
}

void Session::perform_one(const sync::SendText& send) {
  if (!connected_) return;
  host::ws_send_text(send.json);
  performed_.push_back({ActionType::SendText, to_bytes(as_bytes(send.json))});
}

void Session::perform_one(const sync::Reconnect& reconnect) {
  host::log(host::Level::Warn, "[sync_transport] opening a new connection: " + reconnect.reason);
  reconnect_wanted_ = true;
}

void Session::perform_one(const sync::ReadFile& read) {
  report(read.path);
  feed(sync::FilesSettled{});
}

void Session::perform_one(const sync::WriteText& write) {
  place(write.path, write.expected, as_bytes(write.bytes), replica_->hash_of(write.bytes));
}

void Session::perform_one(const sync::RemoveFile& remove) {
  const Look look = disk_.look(remove.path);
  if (look.state == Look::State::Missing) return feed(sync::FileRemoved{remove.path});
  if (look.state == Look::State::Unreadable) return refuse(remove.path, "the file cannot be read");
  if (look.hash() != remove.expected) return refuse_changed(remove.path, /*in_doubt=*/false);
  if (!disk_.remove(remove.path)) return refuse(remove.path, "the host did not delete the file");
  feed(sync::FileRemoved{remove.path});
}

// Hosts cannot rename. The copy is complete before the old name goes, so that a crash leaves the content twice, not never.
void Session::perform_one(const sync::MoveFile& move) {
  if (disk_.exists(move.to)) return refuse_changed(move.to, /*in_doubt=*/false);
  const Look look = disk_.look(move.from);
  if (look.state != Look::State::Read) return refuse(move.to, "the file to rename cannot be read");
  if (look.hash() != move.expected) {
    feed(sync::FileRefused{move.to, {}, /*in_doubt=*/false});
    report(move.from);
    return feed(sync::FilesSettled{});
  }
  if (!disk_.write(move.to, look.bytes).holds(look.bytes)) return refuse(move.to, "the host did not write the file");
  if (!disk_.remove(move.from))
    host::log(host::Level::Warn, "the host did not delete " + move.from + " after renaming it");
  feed(sync::FileMoved{move.from, move.to});
}

void Session::perform_one(const sync::Notify& notify) {
  if (const auto* progress = std::get_if<sync::Progress>(&notify.notice)) progress_ = *progress;
  if (std::holds_alternative<sync::Settled>(notify.notice)) {
    progress_ = {};
    problem_.clear();
  }
  if (const auto* problem = std::get_if<sync::Problem>(&notify.notice)) {
    problem_ = problem->path.empty() ? problem->message : problem->path + ": " + problem->message;
    host::log(host::Level::Warn, problem_);
  }
  const bool is_progress = std::holds_alternative<sync::Progress>(notify.notice);
  performed_.push_back({ActionType::EmitEvent, to_bytes(as_bytes(envelope_event(notify.notice))), is_progress});
  if (const auto event = host_event(notify.notice)) host::emit_event(*event);
}

void Session::place(const std::string& path, const std::optional<Sha256>& expected, ByteView bytes,
                    const Sha256& hash) {
  const Look before = disk_.look(path);
  if (before.state == Look::State::Unreadable) return refuse(path, "the file cannot be read");
  const bool is_expected =
      before.state == Look::State::Read ? replica_->hash_of(as_text(before.bytes)) == expected : !expected;
  if (!is_expected) return refuse_changed(path, /*in_doubt=*/false);
  const Look after = disk_.write(path, bytes);
  if (after.holds(bytes)) return feed(sync::FileWritten{path, hash});
  if (after.state == before.state && after.bytes == before.bytes)
    return refuse(path, "the host did not write the file");
  // Somebody else wrote it just now, perhaps on top of what we had put there.
  refuse_changed(path, /*in_doubt=*/true);
}

void Session::refuse(const std::string& path, std::string_view reason) {
  feed(sync::FileRefused{path, reason, /*in_doubt=*/false});
}

void Session::refuse_changed(const std::string& path, bool in_doubt) {
  // Nothing to complain of: the two are merged.
  feed(sync::FileRefused{path, {}, in_doubt});
  report(path);
  feed(sync::FilesSettled{});
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
  if (!host::carries_attachments()) return feed(sync::TransferFailed{wanted.path, wanted.hash, kNotesOnly, true});
  if (wanted.size_bytes == 0 && wanted.hash == sha256(ByteView{}))
    return place(wanted.path, wanted.expected, {}, wanted.hash);
  if (const auto copy = local_copy(wanted.hash)) return place(wanted.path, wanted.expected, *copy, wanted.hash);
  const auto bytes = remote.attachment(options_.workspace_id, wanted.hash);
  if (bytes) return place(wanted.path, wanted.expected, *bytes, wanted.hash);
  feed(sync::TransferFailed{wanted.path, wanted.hash, bytes.error().text, false});
}

void Session::upload(const Remote& remote, const sync::UploadBlob& given) {
  const Look look = disk_.look(given.path);
  if (look.hash() != given.hash) {
    report(given.path);
    return feed(sync::FilesSettled{});
  }
  const auto done = given.size_bytes == 0
                        ? Answer<void>{}
                        : remote.upload(options_.workspace_id, given.path, given.hash, given.mime_type, look.bytes);
  if (done) return feed(sync::BlobUploaded{given.path, given.hash});
  feed(sync::TransferFailed{given.path, given.hash, done.error().text, done.error().is_final()});
}

std::optional<Bytes> Session::local_copy(const Sha256& hash) const {
  for (const std::string& path : replica_->known_files()) {
    if (replica_->known_hash(path) != hash) continue;
    Look look = disk_.look(path);
    if (look.hash() == hash) return std::move(look.bytes);
  }
  return std::nullopt;
}

// The export that performed this was cut short by the host: the answer it owes comes now.
void Session::answer_failed(const sync::Action& action) {
  if (const auto* write = std::get_if<sync::WriteText>(&action)) feed(sync::FileRefused{write->path, kNotDone});
  if (const auto* remove = std::get_if<sync::RemoveFile>(&action)) feed(sync::FileRefused{remove->path, kNotDone});
  if (const auto* move = std::get_if<sync::MoveFile>(&action)) feed(sync::FileRefused{move->to, kNotDone});
  if (const auto* read = std::get_if<sync::ReadFile>(&action)) feed(sync::FileRefused{read->path, kNotDone});
  if (const auto* wanted = std::get_if<sync::FetchBlob>(&action)) {
    feed(sync::TransferFailed{wanted->path, wanted->hash, kNotDone, false});
  }
  if (const auto* given = std::get_if<sync::UploadBlob>(&action)) {
    feed(sync::TransferFailed{given->path, given->hash, kNotDone, false});
  }
  // A native host refuses to send when its socket is gone.
  if (std::holds_alternative<sync::SendBinary>(action) || std::holds_alternative<sync::SendText>(action))
    disconnected();
}

}  // namespace diaryx::plugin
