// What a device does of what its replica asks for: one function per kind of action, each with the faults that its world has.

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "diaryx/sync/path.h"
#include "diaryx/testing/device.h"
#include "diaryx/testing/world.h"
#include "world_trace.h"

namespace diaryx::testing {
namespace {

bool is_on_disk(const sync::Action& action) {
  return std::holds_alternative<sync::WriteText>(action) || std::holds_alternative<sync::FetchBlob>(action) ||
         std::holds_alternative<sync::RemoveFile>(action) || std::holds_alternative<sync::MoveFile>(action) ||
         std::holds_alternative<sync::ReadFile>(action) || std::holds_alternative<sync::UploadBlob>(action);
}

}  // namespace

// --- batches ----------------------------------------------------------------------------------------------------

void Device::perform(const std::vector<sync::Action>& batch) {
  Random& random = world_->random_;
  size_t last = batch.size();
  if (power_fails(batch)) {
    ++world_->figures_.crashes_in_batch;
    dying_ = true;
    last = random.below(batch.size() + 1);  // behind some of what was to be done
    if (random.chance(0.3)) return;  // before anything was stored
  }
  // The contract: what is to be stored is stored first, at once.
  for (const sync::Action& action : batch) store(action);
  const std::optional<size_t> torn = dying_ ? torn_write(batch) : std::nullopt;
  if (torn) last = *torn;
  const bool slow = is_disk_slow();
  for (size_t i = 0; i < last; ++i) {
    if (telling_batch_ && is_on_disk(batch[i])) {
      behind_batch_.push_back(batch[i]);
    } else if (slow && is_on_disk(batch[i])) {
      waiting_.push_back(batch[i]);
    } else {
      perform(batch[i]);
    }
  }
  if (torn && !slow) leave_half(std::get<sync::WriteText>(batch[*torn]));
}

bool Device::power_fails(const std::vector<sync::Action>& batch) {
  // (Not while a rename is untold: with an edit it could not be told from a deletion and a new file after a restart.)
  if (batch.empty() || !moves_.empty() || telling_moves_) return false;
  const double chance = world_->options_.crash_in_batch;
  return chance > 0 && world_->random_.chance(chance);
}

void Device::store(const sync::Action& action) {
  if (const auto* update = std::get_if<sync::PersistUpdate>(&action)) {
    stored_updates_[update->doc].push_back(update->update);
    if (!recorder_) return;
    sync::HistoryRecorder::Row row = *recorder_->record(*update, world_->now_);
    history_[row.doc].push_back(std::move(row.block));
    if (row.mark) marks_.push_back(*row.mark);
  } else if (const auto* record = std::get_if<sync::PersistRecord>(&action)) {
    if (record->value.empty()) {
      stored_records_.erase(record->key);
    } else {
      stored_records_.insert_or_assign(record->key, record->value);
    }
  }
}

std::optional<size_t> Device::torn_write(const std::vector<sync::Action>& batch) {
  const double chance = world_->options_.torn_write;
  if (chance == 0 || !world_->random_.chance(chance)) return std::nullopt;
  const auto is_write = [](const sync::Action& action) { return std::holds_alternative<sync::WriteText>(action); };
  const auto write = std::ranges::find_if(batch, is_write);
  if (write == batch.end()) return std::nullopt;
  return static_cast<size_t>(write - batch.begin());
}

bool Device::is_disk_slow() {
  // One thing after another: what is asked for behind a write whose answer is late waits, too.
  if (!waiting_.empty() || !late_answers_.empty()) return true;
  const double chance = world_->options_.slow_disk;
  return chance > 0 && world_->random_.chance(chance);
}

void Device::perform_on_disk(const std::vector<sync::Action>& actions) {
  if (actions.empty()) return;
  const bool slow = is_disk_slow();
  for (const sync::Action& action : actions) {
    if (dying_) return;
    if (slow) {
      waiting_.push_back(action);
    } else {
      perform(action);
    }
  }
}

void Device::finish_waiting_actions() {
  while (!waiting_.empty() && late_answers_.empty()) {
    const sync::Action action = std::move(waiting_.front());
    waiting_.pop_front();
    perform(action);
  }
  give_answers();
}

// --- one action -------------------------------------------------------------------------------------------------

void Device::perform(const sync::Action& action) {
  std::visit([this](const auto& one) { perform_one(one); }, action);
}

void Device::perform_one(const sync::PersistUpdate&) {}  // stored before

void Device::perform_one(const sync::PersistRecord& record) {
  trace(world_->now_, number_, "record", record.key, record.value);
}

void Device::perform_one(const sync::SendBinary& send) {
  if (connection_) world_->send(*connection_, true, false, std::string(as_text(send.frame)));
}

void Device::perform_one(const sync::SendText& send) {
  if (connection_) world_->send(*connection_, true, true, send.json);
}

void Device::perform_one(const sync::Reconnect&) {
  if (connection_) world_->cut(*connection_);
}

void Device::perform_one(const sync::ReadFile& read) {
  trace(world_->now_, number_, "read", read.path);
  answer_with_look(read.path, read.ticket);
}

void Device::perform_one(const sync::WriteText& write) {
  trace(world_->now_, number_, "write", write.path, write.bytes);
  if (!safe_path(write.path) || full_steps_ > 0 || !disk_.write_if(write.path, write.bytes, write.expected))
    return refuse(write.path, write.path, write.ticket);
  const auto give = [this, path = write.path, hash = sha256(write.bytes), ticket = write.ticket] {
    feed(sync::FileWritten{path, hash, ticket});
  };
  if (answer_late(world_->options_.late_answer, give, write.path, write.ticket)) {
    // The watcher tells of what it finds there, also if somebody has put back what was there before or taken the file away.
    return saw_own_write(write.path, std::string(kUntold));
  }
  saw_own_write(write.path, write.bytes);
  answers_.push_back(give);
}

void Device::perform_one(const sync::RemoveFile& remove) {
  trace(world_->now_, number_, "remove", remove.path);
  if (!safe_path(remove.path) || !disk_.remove_if(remove.path, remove.expected))
    return refuse(remove.path, remove.path, remove.ticket);
  const auto give = [this, remove] { feed(sync::FileRemoved{remove.path, remove.ticket}); };
  const auto give_late = [this, give, remove] {
    trace(world_->now_, number_, "removed", remove.path);
    give();
  };
  if (answer_late(world_->options_.late_move, give_late, remove.path, remove.ticket)) return;
  seen_.erase(remove.path);
  answers_.push_back(give);
}

void Device::perform_one(const sync::MoveFile& move) {
  trace(world_->now_, number_, "move", move.from, move.to);
  if (!safe_path(move.to) || !disk_.rename_if_free(move.from, move.to, move.expected))
    return refuse(move.to, move.from, move.ticket);
  const auto give = [this, move] { feed(sync::FileMoved{move.from, move.to, move.ticket}); };
  const auto give_late = [this, give, move] {
    trace(world_->now_, number_, "moved", move.from, move.to);
    give();
  };
  if (answer_late(world_->options_.late_move, give_late, move.to, move.ticket)) {
    note_move(move.from, disk_.spelled(move.to));
    // As of a late write: if somebody puts it back at once, the watcher tells of what is there.
    if (const auto old = seen_.find(move.from); old != seen_.end()) old->second = kUntold;
    return;
  }
  if (const auto old = seen_.extract(move.from)) saw_own_write(move.to, old.mapped());
  answers_.push_back(give);
}

void Device::perform_one(const sync::UploadBlob& upload) {
  const std::optional<std::string> bytes = disk_.read(upload.path);
  if (!connection_) {
    answers_.push_back(
        [this, upload] { feed(sync::TransferFailed{upload.path, upload.hash, "offline", false, upload.ticket}); });
  } else if (!bytes || sha256(*bytes) != upload.hash) {
    answer_with_look(upload.path, upload.ticket);
  } else {
    world_->server_.blobs().insert_or_assign(upload.hash, *bytes);
    answers_.push_back([this, upload] { feed(sync::BlobUploaded{upload.path, upload.hash}); });
  }
}

void Device::perform_one(const sync::Notify& notify) {
  if (const auto* held = std::get_if<sync::MassChangeHeld>(&notify.notice)) last_held_ = *held;
  if (const auto* problem = std::get_if<sync::Problem>(&notify.notice)) {
    problems_.push_back(problem->path + ": " + problem->message);
    trace(world_->now_, number_, "says", problem->path, problem->message);
  }
}

// --- attachments ------------------------------------------------------------------------------------------------

void Device::perform_one(const sync::FetchBlob& fetch) {
  trace(world_->now_, number_, "fetch", fetch.path, fetch.hash.hex().substr(0, 8));
  if (world_->options_.slow_fetch > 0 && world_->fetch_random_.chance(world_->options_.slow_fetch)) {
    slow_fetches_.push_back({fetch, 1 + static_cast<int>(world_->fetch_random_.below(8))});
    return;
  }
  if (!place_fetched(fetch)) return;
  saw_own_write(fetch.path, *disk_.read(fetch.path));
  answers_.push_back([this, fetch] { feed(sync::FileWritten{fetch.path, fetch.hash, fetch.ticket}); });
}

bool Device::place_fetched(const sync::FetchBlob& fetch) {
  const auto blob = world_->server_.blobs().find(fetch.hash);
  if (fetch.size_bytes != 0 && (!connection_ || blob == world_->server_.blobs().end())) {
    answers_.push_back(
        [this, fetch] { feed(sync::TransferFailed{fetch.path, fetch.hash, "not there", false, fetch.ticket}); });
    return false;
  }
  const std::string bytes = fetch.size_bytes == 0 ? std::string() : blob->second;
  if (safe_path(fetch.path) && full_steps_ == 0 && disk_.write_if(fetch.path, bytes, fetch.expected)) return true;
  refuse(fetch.path, fetch.path, fetch.ticket);
  return false;
}

void Device::go_on_fetching() {
  for (size_t i = 0; i < slow_fetches_.size() && !dying_;) {
    if (--slow_fetches_[i].steps > 0) {
      ++i;
      continue;
    }
    const SlowFetch slow = slow_fetches_[i];
    slow_fetches_.erase(slow_fetches_.begin() + static_cast<ptrdiff_t>(i));
    slow.is_placed ? answer_placed(slow.fetch) : place_slowly(slow.fetch);
  }
}

void Device::place_slowly(const sync::FetchBlob& fetch) {
  Random& random = world_->fetch_random_;
  if (!place_fetched(fetch)) return give_answers();
  if (random.chance(1.0 / 3)) {
    slow_fetches_.push_back({fetch, 1 + static_cast<int>(random.below(6)), true});
  } else if (moves_.empty() && random.chance(1.0 / 6)) {  // not while a rename is untold: see `power_fails`
    slow_fetches_.push_back({fetch, 1, true});
    dying_ = true;
  } else {
    saw_own_write(fetch.path, *disk_.read(fetch.path));
    feed(sync::FileWritten{fetch.path, fetch.hash, fetch.ticket});
  }
}

void Device::answer_placed(const sync::FetchBlob& fetch) {
  if (!world_->fetch_random_.chance(0.5)) return feed(sync::FileWritten{fetch.path, fetch.hash, fetch.ticket});
  ++world_->figures_.doubtful_fetches;
  say_in_doubt(fetch.path, fetch.ticket, world_->fetch_random_);
}

// --- answers ----------------------------------------------------------------------------------------------------

bool Device::safe_path(std::string_view path) {
  if (sync::parse_disk_path(path)) return true;
  ++world_->figures_.outside_root;
  return false;
}

void Device::look_and_tell(const std::string& path, sync::Ticket ticket) {
  report(path, ticket);
  feed(sync::FilesSettled{});
}

void Device::answer_with_look(const std::string& path, sync::Ticket ticket) {
  answers_.push_back([this, path, ticket] { look_and_tell(path, ticket); });
}

void Device::refuse(const std::string& refused, const std::string& look_at, sync::Ticket ticket) {
  ++world_->figures_.refused_writes;
  trace(world_->now_, number_, "refused", refused);
  answers_.push_back([this, refused, look_at, ticket] {
    feed(sync::FileRefused{refused, "", /*in_doubt=*/false, ticket});
    look_and_tell(look_at, ticket);
  });
}

void Device::say_in_doubt(const std::string& path, sync::Ticket ticket, Random& random) {
  trace(world_->now_, number_, "in doubt", path);
  feed(sync::FileRefused{.path = path, .reason = "", .ticket = ticket});
  if (random.chance(0.5)) return;  // looked at when it is tried again
  look_and_tell(path, ticket);
}

bool Device::answer_late(double chance, const std::function<void()>& give, const std::string& path,
                         sync::Ticket ticket) {
  Random& random = world_->random_;
  if (chance == 0 || !random.chance(chance)) return false;
  const bool is_refused = random.chance(0.5);
  const auto refuse = [this, path, ticket] {
    ++world_->figures_.doubtful_writes;
    say_in_doubt(path, ticket, world_->random_);
  };
  const int steps = 1 + static_cast<int>(random.below(6));
  late_answers_.push_back({is_refused ? std::function<void()>(refuse) : give, steps});
  return true;
}

void Device::give_late_answers() {
  for (size_t i = 0; i < late_answers_.size();) {
    if (--late_answers_[i].steps > 0) {
      ++i;
      continue;
    }
    const std::function<void()> give = std::move(late_answers_[i].give);
    late_answers_.erase(late_answers_.begin() + static_cast<ptrdiff_t>(i));
    give();
  }
}

void Device::saw_own_write(const std::string& path, const std::string& bytes) {
  // If somebody gave the file or its folder another case meanwhile, the watcher has not seen that name yet, and tells it.
  const std::string name = disk_.spelled(path);
  if (name == path || seen_.contains(name)) seen_.insert_or_assign(name, bytes);
}

void Device::leave_half(const sync::WriteText& write) {
  if (!safe_path(write.path) || full_steps_ > 0) return;
  const std::string half = write.bytes.substr(0, world_->random_.below(write.bytes.size() + 1));
  if (!disk_.write_if(write.path, half, write.expected)) return;
  ++world_->figures_.torn_writes;
  is_torn_ = true;
  trace(world_->now_, number_, "half of", write.path, half);
}

}  // namespace diaryx::testing
