#include "device.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>

#include "diaryx/native/name_traits.h"
#include "diaryx/native/random.h"
#include "said.h"
#include "status.h"

namespace diaryx::client {
namespace asio = boost::asio;

namespace {

constexpr int64_t kBatchGapMs = 3;           // under load, frames of this span share one commit
constexpr int64_t kStatusEveryMs = 1'000;
constexpr int64_t kLookEveryMs = 15 * 60'000;
constexpr int64_t kTidyEveryMs = 60 * 60'000;
constexpr int64_t kLookOftenMs = 30'000;     // when not every folder can be watched
constexpr int64_t kUnreachableMs = 10'000;   // Once: so long without any connection, and it is given up
constexpr int64_t kUnreadableMs = 4'000;     // Once: so long a file that cannot be read is waited for
constexpr int64_t kLongestWaitMs = 60'000;
constexpr unsigned kUnauthorized = 401;
constexpr unsigned kForbidden = 403;

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

TimestampMs now() {
  using namespace std::chrono;
  return TimestampMs{duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

sync::ReplicaOptions replica_options(const DeviceConfig& config, const native::NameTraits& names) {
  return {.workspace_id = config.workspace_id,
          .client = ClientId{uint32_t(native::random_u64())},
          .device = {config.device_id, config.device_name},
          .disk = {.case_insensitive = names.case_insensitive,
                   .normalising = names.normalising,
                   .windows_names = names.windows_names}};
}

}  // namespace

// --- start ------------------------------------------------------------------------------------------------------

Device::Device(const DeviceFolder& folder, const FolderLock& lock, const DeviceConfig& config, std::string token,
               Output& output, RunOptions options, StateStore store, const native::NameTraits& names)
    : folder_(folder),
      lock_(lock),
      config_(config),
      output_(output),
      options_(options),
      store_(std::move(store)),
      replica_(replica_options(config, names)),
      disk_(folder.root(), replica_, output,
            names.case_insensitive || names.normalising ? DiskNaming::Ambiguous : DiskNaming::Exact),
      io_(1),
      http_(config.server, token),
      tell_([this](const sync::Event& event) { take(event); }),
      transfers_(io_, http_, folder.root(), config.workspace_id, disk_, output, &now, tell_),
      connection_(io_, config.server, config.workspace_id, std::move(token),
                  {.opened = [this] { take(sync::Connected{}); },
                   .binary = [this](ByteView frame) { take(sync::BinaryReceived{frame}); },
                   .text = [this](std::string_view json) { take(sync::TextReceived{json}); },
                   .lost = [this](const native::SocketClosed& why) { on_lost(why); }}),
      watched_(io_),
      signals_(io_),
      timer_(io_),
      batch_timer_(io_) {}

Device::~Device() {
  if (watched_.is_open()) watched_.release();  // the watcher closes it
}

Attempt<std::unique_ptr<Device>> Device::open(const DeviceFolder& folder, const FolderLock& lock,
                                              const DeviceConfig& config, std::string token, Output& output,
                                              RunOptions options) {
  native::clear_staging(folder.root());
  auto store = StateStore::open(folder.state_path());
  if (!store) return std::unexpected(std::move(store.error()));
  // Asked at each start: the folder may have been copied to another disk.
  const auto names = native::probe_names(folder.root(), kSettingsFolder);
  if (!names) return failure(names.error());
  std::unique_ptr<Device> device(
      new Device(folder, lock, config, std::move(token), output, options, std::move(*store), *names));
  if (const auto status = read_status(folder.state_path()); status && *status) {
    const auto last_run = Json::parse(**status);
    if (last_run) device->last_synced_ = TimestampMs{last_run->integer_member("last_synced_ms").value_or(0)};
  }
  const auto damaged = device->store_.restore(device->replica_);
  if (!damaged) return std::unexpected(damaged.error());
  for (const DamagedRecord& record : *damaged) {
    output.problem(record.name,
                   "a stored change could not be read (" + record.reason + "); it is kept aside and fetched again");
  }
  if (auto kept = device->store_.keep_history({config.device_id, config.device_name}, device->replica_, now()); !kept) {
    return std::unexpected(std::move(kept.error()));
  }
  if (auto restored = device->store_.restore_digests(device->disk_.digests()); !restored) {
    return std::unexpected(std::move(restored.error()));
  }
  return device;
}

Attempt<void> Device::start() {
  signals_.add(SIGINT);
  signals_.add(SIGTERM);
  signals_.add(SIGURG);  // another command left a request
  // A terminal that closes ends us in order, unless we were started to outlive it (`nohup`).
  struct sigaction present{};
  if (::sigaction(SIGHUP, nullptr, &present) == 0 && present.sa_handler != SIG_IGN) signals_.add(SIGHUP);
  if (options_.mode == RunMode::Watch) {
    signals_.add(SIGUSR1);
    signals_.add(SIGUSR2);
    // Watching begins before the first look, so that nothing falls between the two.
    auto watcher = native::FileWatcher::create(folder_.root(), takes_part);
    if (!watcher) return failure(std::move(watcher.error()));
    watcher_.emplace(std::move(*watcher));
    watched_.assign(watcher_->fd());
    on_disk_event();
  }
  on_signal();
  last_movement_ = now();
  lost_since_ = now();
  look_at_everything();
  if (watcher_) note_unwatched();
  on_request();
  if (options_.mode != RunMode::Local) {
    output_.state("connecting");
    connection_.go_online();
  }
  schedule();
  return {};
}

Attempt<ExitCode> Device::run() {
  if (auto started = start(); !started) return std::unexpected(std::move(started.error()));
  io_.run();
  connection_.go_offline();
  output_.state("stopped");
  if (!*result_) output_.remember_problem(result_->error().sentence);
  save_status();
  if (auto saved = store_.save_digests(disk_.digests()); !saved) return std::unexpected(std::move(saved.error()));
  return std::move(*result_);
}

void Device::end(Attempt<ExitCode> result) {
  if (!result_) result_ = std::move(result);
  io_.stop();
}

// --- the world --------------------------------------------------------------------------------------------------

void Device::on_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGUSR1) {
      connection_.go_offline();
      take(sync::Disconnected{});
      output_.state("offline");
    } else if (signal == SIGUSR2) {
      if (!connection_.is_online()) output_.state("connecting");
      connection_.go_online();
    } else if (signal == SIGURG) {
      on_request();
    } else if (options_.mode == RunMode::Watch) {
      return end(ExitCode::Done);
    } else {
      return end(failure(ExitCode::TimedOut, "stopped before everything was in step; run it again to go on"));
    }
    on_signal();
  });
}

void Device::on_request() {
  take_requests();
  const std::string word = folder_.take_request();
  if (word == "release") answer_held(HeldAnswer::Release);
  if (word == "undo") answer_held(HeldAnswer::Undo);
}

void Device::answer_held(HeldAnswer answer) {
  if (answer == HeldAnswer::Release) {
    take(sync::ReleaseHeld{});
  } else {
    take(sync::UndoHeld{});
  }
}

void Device::tell_held(const sync::MassChangeHeld& held) {
  if (held.deletions + held.truncations == 0) return;
  held_problem_ = describe_held(held, folder_.root().location());
  output_.problem({}, held_problem_);
}

/// Waits for the watcher's descriptor, again and again.
void Device::on_disk_event() {
  watched_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    watcher_->read_events(now());
    note_unwatched();
    arm_timer();
    on_disk_event();
  });
}

/// The system's limit may be reached by a folder that is made later: then, too, it is said, and looked at often from now on.
void Device::note_unwatched() {
  const bool is_incomplete = watcher_->incomplete().has_value();
  if (std::exchange(is_unwatched_noted_, is_incomplete) || !is_incomplete) return;
  output_.problem({}, watcher_->incomplete()->sentence);
  next_look_ = std::min(next_look_, now() + DurationMs{kLookOftenMs});
}

void Device::on_lost(const native::SocketClosed& why) {
  take(sync::Disconnected{});
  if (!lost_since_) lost_since_ = now();
  if (why.refused_status == kUnauthorized || why.refused_status == kForbidden) {
    return end(failure(ExitCode::Refused, why.problem.sentence));
  }
  if (options_.mode == RunMode::Once && now() - *lost_since_ > DurationMs{kUnreachableMs}) {
    return end(failure(ExitCode::Unreachable, why.problem.sentence));
  }
  output_.state("reconnecting", why.problem.sentence);
}

void Device::take_requests() {
  auto requests = store_.history_requests();
  if (!requests) return output_.problem({}, requests.error().sentence);
  for (HistoryRequest& request : *requests) {
    // Edits that the watcher has not told yet are taken in first, so that the restore is merged with them.
    disk_.report_everything(now(), tell_);
    const size_t before = actions_.size();
    take(request.restore);
    std::string outcome;
    for (size_t i = before; i < actions_.size(); ++i) {
      const auto* notify = std::get_if<sync::Notify>(&actions_[i]);
      const auto* problem = notify == nullptr ? nullptr : std::get_if<sync::Problem>(&notify->notice);
      if (problem == nullptr) continue;
      if (!outcome.empty()) outcome += '\n';
      if (!problem->path.empty()) outcome += problem->path + ": ";
      outcome += problem->message;
    }
    requests_.emplace_back(request.id, std::move(outcome));
  }
}

/// Told only when what they did is stored: a request that a crash interrupts is taken again, and does nothing twice.
void Device::finish_requests() {
  for (const auto& [id, outcome] : std::exchange(requests_, {})) {
    if (auto told = store_.finish_request(id, outcome); !told) output_.problem({}, told.error().sentence);
  }
}

void Device::look_at_everything() {
  disk_.report_everything(now(), tell_);
  if (!std::exchange(first_look_done_, true)) take(sync::FilesSettled{});
  const bool often = watcher_ && watcher_->incomplete();
  next_look_ = now() + DurationMs{often ? kLookOftenMs : kLookEveryMs};
}

/// The watcher alone cannot know: the system tells nobody that a folder is removed which somebody has open, as we have, nor that
/// a folder above it was moved.
bool Device::end_if_lost() {
  if (lock_.is_in_place()) return false;
  end_as_lost();
  return true;
}

void Device::end_as_lost() {
  end(failure(ExitCode::NotLinked, "the folder " + folder_.root().location() +
                                       " was moved, removed, unmounted or unlinked; start again where it is now"));
}

void Device::on_timer() {
  if (end_if_lost()) return;
  const TimestampMs time = now();
  if (watcher_) {
    const auto changes = watcher_->take_quiet(time);
    const auto is_end = [](const native::DiskChange& change) {
      return change.kind == native::DiskChange::Kind::RootGone;
    };
    if (std::any_of(changes.begin(), changes.end(), is_end)) return end_as_lost();
    if (!changes.empty()) disk_.report_changes(changes, time, tell_);
  }
  if (const auto retry = disk_.next_retry(); retry && *retry <= time) disk_.retry_unreadable(time, tell_);
  if (next_look_ <= time) look_at_everything();
  const auto deadline = replica_.next_deadline();
  const bool is_set_back = time < last_movement_;
  if (is_set_back || (deadline && *deadline <= time)) take(sync::DeadlineReached{});
  after_batch();
}

/// One timer for everything that waits.
void Device::arm_timer() {
  const TimestampMs time = now();
  TimestampMs next = std::min(next_look_, time + DurationMs{kLongestWaitMs});
  const auto consider = [&next](std::optional<TimestampMs> other) {
    if (other) next = std::min(next, *other);
  };
  consider(replica_.next_deadline());
  consider(disk_.next_retry());
  if (watcher_) consider(watcher_->next_deadline());
  if (!is_status_saved_) consider(status_saved_at_ + DurationMs{kStatusEveryMs});
  if (options_.mode == RunMode::Once) consider(time + DurationMs{kStatusEveryMs});
  timer_.expires_after(std::chrono::milliseconds(std::max<int64_t>(0, (next - time).value())));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_timer();
  });
}

// --- events and actions -----------------------------------------------------------------------------------------

bool Device::is_movement(const sync::Event& event) const {
  // What fails is tried again, with a look at the file each time: that can go on for ever.
  const bool is_look =
      std::holds_alternative<sync::TextFileSeen>(event) || std::holds_alternative<sync::BlobFileSeen>(event) ||
      std::holds_alternative<sync::FileGone>(event) || std::holds_alternative<sync::FilesSettled>(event);
  const bool is_retry = std::holds_alternative<sync::DeadlineReached>(event) ||
                        std::holds_alternative<sync::FileRefused>(event) ||
                        std::holds_alternative<sync::TransferFailed>(event);
  return !is_retry && !(is_look && first_look_done_);
}

void Device::take(const sync::Event& event) {
  const TimestampMs time = now();
  if (is_movement(event)) last_movement_ = time;
  replica_.handle(event, time, actions_);
  schedule();
}

void Device::schedule() {
  if (std::exchange(scheduled_, true)) return;
  const int64_t since_last_ms = (now() - last_batch_).value();
  if (since_last_ms >= kBatchGapMs || since_last_ms < 0) return asio::post(io_, [this] { perform_batch(); });
  batch_timer_.expires_after(std::chrono::milliseconds(kBatchGapMs - since_last_ms));
  batch_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) perform_batch();
  });
}

void Device::perform_batch() {
  if (end_if_lost()) return;  // what was just looked at may have been missing because of that
  std::vector<sync::Action> batch = std::exchange(actions_, {});
  if (auto stored = store_.persist(batch, now()); !stored) return end(std::unexpected(std::move(stored.error())));
  if (auto compacted = store_.compact(replica_); !compacted) return end(std::unexpected(std::move(compacted.error())));
  for (sync::Action& action : batch) perform(action);
  flush_disk();
  finish_requests();
  // What came of it while it was performed waits for the next one, together with what arrives meanwhile.
  last_batch_ = now();
  scheduled_ = false;
  if (!actions_.empty()) schedule();
  after_batch();
}

void Device::perform(sync::Action& action) {
  const TimestampMs time = now();
  std::visit(Overloaded{
                 [](const sync::PersistUpdate&) {},
                 [](const sync::PersistRecord&) {},
                 [&](sync::SendBinary& a) { connection_.send_binary(std::move(a.frame)); },
                 [&](sync::SendText& a) { connection_.send_text(std::move(a.json)); },
                 [&](const sync::Reconnect& a) {
                   take(sync::Disconnected{});
                   output_.state("reconnecting", a.reason);
                   connection_.restart();
                 },
                 [&](sync::WriteText& a) { queue_on_disk(a); },
                 [&](sync::RemoveFile& a) { queue_on_disk(a); },
                 [&](const sync::ReadFile& a) { flush_disk(), disk_.perform(a, time, tell_); },
                 [&](const sync::MoveFile& a) { flush_disk(), disk_.perform(a, time, tell_); },
                 [&](const sync::FetchBlob& a) { flush_disk(), transfers_.add(a); },
                 [&](const sync::UploadBlob& a) { flush_disk(), transfers_.add(a); },
                 [&](const sync::Notify& a) { tell(a.notice); },
             },
             action);
}

/// Writes and removals that follow one another share their waits for the disk.
void Device::queue_on_disk(auto& action) {
  disk_.queue(std::move(action));
  if (disk_.queue_is_full()) flush_disk();
}

void Device::flush_disk() { disk_.flush(now(), tell_); }

void Device::tell(const sync::Notice& notice) {
  std::visit(Overloaded{
                 [&](const sync::StatusChanged& n) {
                   if (n.state == sync::SyncState::Connected) lost_since_.reset();
                   if (n.state == sync::SyncState::Connected || n.state == sync::SyncState::Syncing)
                     output_.state("syncing");
                   if (n.state == sync::SyncState::Refused) {
                     end(failure(ExitCode::Refused,
                                 "the server does not give this device the workspace; sign in again, ask its owner "
                                 "for access, or unlink the folder and link it to another workspace"));
                   }
                 },
                 [&](const sync::FileChanged& n) { output_.received(n); },
                 [&](const sync::Problem& n) { output_.problem(n.path, n.message); },
                 [](const sync::Progress&) {},
                 [](const sync::BodyChanged&) {},
                 [](const sync::PeersChanged&) {},
                 [&](const sync::Settled&) { last_synced_ = now(); },
                 [&](const sync::MassChangeHeld& n) { tell_held(n); },
             },
             notice);
}

// --- between batches --------------------------------------------------------------------------------------------

void Device::after_batch() {
  if (result_) return;
  if (connection_.is_open() && actions_.empty()) {
    const bool in_step = replica_.settled() && transfers_.idle();
    if (in_step) {
      last_synced_ = now();
      output_.state("synced");
    } else if (output_.last_state() == "synced") {
      output_.state("syncing");
    }
  }
  // Not when the event came: what is saved between it and its batch says what was before.
  is_status_saved_ = false;
  if (now() - status_saved_at_ >= DurationMs{kStatusEveryMs}) save_status();
  if (options_.mode == RunMode::Once) end_if_settled();
  if (options_.mode == RunMode::Local && actions_.empty() && !scheduled_) end(ExitCode::Done);
  if (next_tidying_ <= now()) {
    // A history that cannot be folded is longer than it should be, and no reason to stop.
    if (const auto tidy = store_.tidy_history(now()); !tidy) output_.problem({}, tidy.error().sentence);
    next_tidying_ = now() + DurationMs{kTidyEveryMs};
  }
  arm_timer();
}

void Device::end_if_settled() {
  if (!actions_.empty() || !transfers_.idle()) return;
  const DurationMs quiet = now() - last_movement_;
  if (replica_.settled()) {
    if (!replica_.held().empty()) {
      if (!options_.held_answer) return end(ExitCode::Incomplete);
      return answer_held(*std::exchange(options_.held_answer, std::nullopt));
    }
    if (disk_.unreadable() == 0) return end(disk_.left_out() == 0 ? ExitCode::Done : ExitCode::Incomplete);
    if (quiet > DurationMs{kUnreadableMs}) return end(ExitCode::Incomplete);
    return;
  }
  // All that is left are files that the server will not take. (A status looks at every file: not after each batch.)
  if (transfers_.refused_for_good() > 0 && connection_.is_open()) {
    const sync::ReplicaStatus status = replica_.status();
    const bool only_refused =
        status.uploads == transfers_.refused_for_good() &&
        status.waiting_documents + status.unsaved_documents + status.downloads + status.pending_writes == 0;
    if (only_refused) return end(ExitCode::Incomplete);
  }
  if (quiet < DurationMs{options_.stall_ms}) return;
  std::string sentence =
      "nothing moved for " + std::to_string(options_.stall_ms / 1000) + " seconds, so not everything is in step";
  if (!output_.last_problem().empty()) sentence += "; the last problem: " + output_.last_problem();
  end(failure(ExitCode::TimedOut, std::move(sentence)));
}

void Device::save_status() {
  status_saved_at_ = now();
  is_status_saved_ = true;
  if (!held_problem_.empty() && replica_.held().empty()) output_.withdraw(std::exchange(held_problem_, {}));
  const Json json = describe_state(output_, replica_, disk_.digests(), last_synced_.value(), disk_.unreadable());
  std::string text = as_utf8(json.dump());  // a problem may name a file whose name is none
  if (text == saved_status_) return;
  // A status that cannot be stored is no reason to stop: what matters is stored with each batch.
  if (const auto saved = store_.save_status(text); !saved) return output_.problem({}, saved.error().sentence);
  saved_status_ = std::move(text);
}

}  // namespace diaryx::client
