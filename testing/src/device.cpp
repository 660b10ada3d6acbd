#include "diaryx/testing/device.h"

#include <algorithm>
#include <utility>

#include "diaryx/sync/path.h"
#include "diaryx/testing/world.h"
#include "world_trace.h"

namespace diaryx::testing {
namespace {

/// In place of what the watcher told of a file last: whatever is there is news, an empty file too.
constexpr std::string_view kUntold = "\xff not told yet";

}  // namespace

Device::Device(World& world, size_t number) : world_(&world), number_(number) {
  const std::vector<sync::DiskTraits>& disks = world.options_.disks;
  if (!disks.empty()) traits_ = disks[number % disks.size()];
  disk_ = FakeDisk(traits_);
  const std::string name = std::to_string(number);
  if (world.options_.history)
    recorder_.emplace(sync::HistoryDevice{"id-" + name, "Device " + name}, 0, TimestampMs{}, std::nullopt);
  start();
}

sync::History Device::history() const {
  sync::History history;
  for (const auto& [doc, blocks] : history_) {
    for (const Bytes& block : blocks) DX_ASSERT(history.add(doc, block));
  }
  return history;
}

void Device::compact_history(const sync::RetentionRule& rule) {
  for (auto& [doc, blocks] : history_) {
    sync::DocHistory records;
    for (const Bytes& block : blocks) DX_ASSERT(records.add(block));
    blocks.clear();
    for (sync::StoredBlock& block : *sync::compact_history(records, marks_, world_->now_, rule))
      blocks.push_back(std::move(block.bytes));
  }
}

void Device::start() {
  ++starts_;
  sync::ReplicaOptions options{.workspace_id = "ws1",
                               .client = ClientId{1000 * (number_ + 1) + starts_},
                               .updates_per_cursor = 3,  // so that cursors are used in short runs, too
                               .disk = traits_,
                               .breaker = world_->options_.breaker};
  const std::string name = std::to_string(number_);
  if (recorder_) options.device = {"id-" + name, "Device " + name};
  replica_ = std::make_unique<sync::Replica>(std::move(options));
  for (const auto& [doc, updates] : stored_updates_) {
    for (const Bytes& update : updates) DX_ASSERT(replica_->restore_update(doc, update));
  }
  for (const auto& [key, value] : stored_records_) DX_ASSERT(replica_->restore_record(key, value));
  moves_.clear();
  seen_.clear();
  // So that what is gone is noticed, and what is there is read.
  for (const std::string& path : replica_->known_files()) seen_.emplace(path, kUntold);
}

void Device::user_writes(std::string_view path, std::string_view bytes) {
  trace(world_->now_, number_, "edits", path, bytes);
  disk_.write(path, bytes);
}
void Device::user_writes_slowly(std::string_view path, std::string_view bytes) {
  size_t half = bytes.size() / 2;
  while (half > 0 && (static_cast<unsigned char>(bytes[half]) & 0xc0) == 0x80) --half;
  user_writes(path, bytes.substr(0, half));
  slow_writes_.push_back({std::string(path), std::string(bytes.substr(0, half)), std::string(bytes.substr(half))});
}
void Device::finish_slow_writes() {
  // The program has the file open: if another one was put in its place meanwhile, the rest goes nowhere.
  for (const SlowWrite& write : std::exchange(slow_writes_, {})) {
    if (disk_.read(write.path) == write.begun) user_writes(write.path, write.begun + write.rest);
  }
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
bool Device::answer_late(double chance, const std::function<void()>& give, const std::string& path,
                         sync::Ticket ticket) {
  Random& random = world_->random_;
  if (chance == 0 || !random.chance(chance)) return false;
  const bool is_refused = random.chance(0.5);
  const auto refuse = [this, path, ticket] {
    ++world_->figures_.doubtful_writes;
    trace(world_->now_, number_, "in doubt", path);
    feed(sync::FileRefused{.path = path, .reason = "", .ticket = ticket});
    if (world_->random_.chance(0.5)) return;  // looked at when it is tried again
    report(path, ticket);
    feed(sync::FilesSettled{});
  };
  const int steps = 1 + static_cast<int>(random.below(6));
  late_answers_.push_back({is_refused ? std::function<void()>(refuse) : give, steps});
  return true;
}
void Device::go_on_fetching() {
  Random& random = world_->fetch_random_;
  for (size_t i = 0; i < slow_fetches_.size() && !dying_;) {
    if (--slow_fetches_[i].steps > 0) {
      ++i;
      continue;
    }
    const SlowFetch slow = slow_fetches_[i];
    const auto& [path, hash, size_bytes, expected, ticket] = slow.fetch;
    slow_fetches_.erase(slow_fetches_.begin() + static_cast<ptrdiff_t>(i));
    if (!slow.is_placed) {
      if (!place_fetched(slow.fetch)) {
        give_answers();
        continue;
      }
      if (random.chance(1.0 / 3)) {
        slow_fetches_.push_back({slow.fetch, 1 + static_cast<int>(random.below(6)), true});
        continue;
      }
      // (Not while a rename is untold: see `perform`.)
      if (moves_.empty() && random.chance(1.0 / 6)) {
        slow_fetches_.push_back({slow.fetch, 1, true});
        dying_ = true;
        continue;
      }
      saw_own_write(path, *disk_.read(path));
    } else if (random.chance(0.5)) {
      ++world_->figures_.doubtful_fetches;
      trace(world_->now_, number_, "in doubt", path);
      feed(sync::FileRefused{.path = path, .reason = "", .ticket = ticket});
      if (random.chance(0.5)) continue;  // looked at when it is tried again
      report(path, ticket);
      feed(sync::FilesSettled{});
      continue;
    }
    feed(sync::FileWritten{path, hash, ticket});
  }
}

void Device::fetch(const sync::FetchBlob& fetch) {
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

void Device::user_deletes(std::string_view path) {
  trace(world_->now_, number_, "deletes", path);
  disk_.remove(path);
}
void Device::user_renames(std::string_view from, std::string_view to) {
  trace(world_->now_, number_, "renames", from, to);
  if (dying_) crash_and_restart();
  const std::string spelled_from = disk_.spelled(from);
  if (!disk_.rename(from, to)) return;
  if (!sync::is_carried(to)) return;  // that of a backup takes no part: whatever goes there is seen to be missing
  note_move(spelled_from, disk_.spelled(to));
}

void Device::note_move(const std::string& from, const std::string& to) {
  // A watcher tells several renames of one file as one, and of several files to one name the last.
  std::erase_if(moves_, [&](const auto& move) { return move.second == to; });
  const auto earlier = std::ranges::find(moves_, from, &std::pair<std::string, std::string>::second);
  if (earlier == moves_.end()) {
    moves_.emplace_back(from, to);
  } else {
    earlier->second = to;
  }
}

void Device::user_renames_folder(std::string_view from, std::string_view to) {
  const std::string prefix = std::string(from) + "/";
  const bool is_same_place = from != to && disk_.is_same_place(from, to);
  const FakeDisk::Files files(disk_.files());
  // Where the disk takes both for one, the files that are there would lend their folder's old name to those that come.
  for (const auto& [path, bytes] : files) {
    if (is_same_place && path.starts_with(prefix)) user_renames(path, "~/" + path);
  }
  for (const auto& [path, bytes] : files) {
    if (!path.starts_with(prefix)) continue;
    user_renames(is_same_place ? "~/" + path : path, std::string(to) + "/" + path.substr(prefix.size()));
  }
}

void Device::look_and_settle() {
  watcher_looks();
  const std::optional<TimestampMs> deadline = replica_->next_deadline();
  if (deadline && *deadline <= now()) feed(sync::DeadlineReached{});
}

TimestampMs Device::now() const { return world_->now_ + DurationMs{clock_skew_ms_}; }

void Device::watcher_looks() {
  const FakeDisk::Files before = std::exchange(seen_, disk_.files());
  const auto moves = std::exchange(moves_, {});
  bool any = false;
  const bool was_feeding =
      std::exchange(feeding_, true);  // a batch is told whole, all that it leads to comes behind it
  telling_batch_ = true;
  const auto tell = [&](const sync::Event& event) {
    any = true;
    feed(event);
  };
  telling_moves_ = true;
  for (const auto& [from, to] : moves) {
    // If the file that the replica knows there is there, another went: one of ours came into its place since.
    const auto now = seen_.find(from);
    const bool went = now == seen_.end() || replica_->known_hash(from) != sha256(now->second);
    if (went && before.contains(from) && seen_.contains(to) && !before.contains(to)) {
      trace(world_->now_, number_, "sees move", from, to);
      tell(sync::FileMoved{from, to});
    }
  }
  telling_moves_ = false;
  for (const auto& [path, bytes] : before) {
    if (disk_.files().contains(path)) continue;
    trace(world_->now_, number_, "misses", path);
    tell(sync::FileGone{path});  // as the listing spells it
  }
  for (const auto& [path, bytes] : FakeDisk::Files(disk_.files())) {
    const auto old = before.find(path);
    if (old != before.end() && old->second == bytes) continue;
    any = true;
    report(path);
  }
  if (any) feed(sync::FilesSettled{});
  telling_batch_ = false;
  perform_on_disk(std::exchange(behind_batch_, {}));
  feeding_ = was_feeding;
  if (!was_feeding) give_answers();
}

void Device::perform_on_disk(const std::vector<sync::Action>& actions) {
  if (actions.empty()) return;
  // One thing after another: what is asked for behind a write whose answer is late waits, too.
  const bool slow = !waiting_.empty() || !late_answers_.empty() ||
                    (world_->options_.slow_disk > 0 && world_->random_.chance(world_->options_.slow_disk));
  for (const sync::Action& action : actions) {
    if (dying_) return;
    if (slow) {
      waiting_.push_back(action);
    } else {
      perform(action);
    }
  }
}

void Device::give_answers() {
  if (feeding_) return;
  feeding_ = true;
  while (!answers_.empty()) {
    const std::function<void()> answer = std::move(answers_.front());
    answers_.pop_front();
    answer();
  }
  feeding_ = false;
}

void Device::report(std::string_view path, sync::Ticket ticket) {
  // Found under this name, and listed under one that belongs to another key: it was renamed in case.
  const std::string listed = disk_.spelled(path);
  const bool is_other = listed != path && replica_->key_of(listed) != replica_->key_of(path);
  const std::optional<std::string> bytes = is_other ? std::nullopt : disk_.read(path);
  trace(world_->now_, number_, bytes ? "sees" : "misses", path, bytes.value_or(std::string()));
  if (!bytes) return feed(sync::FileGone{path, ticket});
  if (sync::is_markdown(path)) return feed(sync::TextFileSeen{path, *bytes, ticket});
  feed(sync::BlobFileSeen{path, sha256(*bytes), bytes->size(), ticket});
}

void Device::go_online() {
  wants_online_ = true;
  if (connection_) return;
  // The wire is there before the server says hello.
  connection_ = world_->server_.next_connection();
  world_->wires_.insert_or_assign(*connection_, World::Wire{.device = number_});
  world_->server_.connect("user", world_->now_);
  trace(world_->now_, number_, "connects", "");
  feed(sync::Connected{});
}

void Device::go_offline() {
  wants_online_ = false;
  if (connection_) world_->cut(*connection_);
}

void Device::connection_lost() {
  connection_.reset();
  trace(world_->now_, number_, "is cut", "");
  feed(sync::Disconnected{});
}

void Device::crash_and_restart() {
  trace(world_->now_, number_, "crashes", "");
  if (connection_) world_->cut(*connection_);
  answers_.clear();
  waiting_.clear();
  behind_batch_.clear();
  telling_batch_ = false;
  late_answers_.clear();
  world_->figures_.cut_fetches += static_cast<uint64_t>(std::ranges::count_if(slow_fetches_, &SlowFetch::is_placed));
  slow_fetches_.clear();
  const WorldOptions& options = world_->options_;
  if (options.torn_write > 0 && !slow_writes_.empty() && world_->random_.chance(0.5)) {
    slow_writes_.clear();  // the power failed, for all programs
    ++world_->figures_.torn_writes;
  }
  dying_ = false;
  feeding_ = false;
  ++world_->figures_.device_crashes;
  start();
  if (std::exchange(is_torn_, false)) look_and_settle();
}

void Device::die_behind_disk_actions() {
  for (const sync::Action& action : std::exchange(waiting_, {})) perform(action);
  dying_ = true;
  crash_and_restart();
}

void Device::feed(const sync::Event& event) {
  if (dying_) return;
  std::vector<sync::Action> batch;
  replica_->handle(event, now(), batch);
  trace_documents(world_->now_, number_, *replica_, batch, traced_);
  perform(batch);
  give_answers();
}

bool Device::on_disk(const sync::Action& action) const {
  return std::holds_alternative<sync::WriteText>(action) || std::holds_alternative<sync::FetchBlob>(action) ||
         std::holds_alternative<sync::RemoveFile>(action) || std::holds_alternative<sync::MoveFile>(action) ||
         std::holds_alternative<sync::ReadFile>(action) || std::holds_alternative<sync::UploadBlob>(action);
}

bool Device::safe_path(std::string_view path) {
  if (sync::parse_disk_path(path)) return true;
  ++world_->figures_.outside_root;
  return false;
}

void Device::perform(const std::vector<sync::Action>& batch) {
  Random& random = world_->random_;
  const WorldOptions& options = world_->options_;
  // A power cut: before anything was stored, or behind some of what was to be done.
  size_t last = batch.size();
  // (Not while a rename is untold: with an edit it could not be told from a deletion and a new file after a restart.)
  const bool rename_is_told = moves_.empty() && !telling_moves_;
  if (!batch.empty() && rename_is_told && options.crash_in_batch > 0 && random.chance(options.crash_in_batch)) {
    ++world_->figures_.crashes_in_batch;
    dying_ = true;
    last = random.below(batch.size() + 1);
    if (random.chance(0.3)) return;
  }
  // The contract: what is to be stored is stored first, at once.
  for (const sync::Action& action : batch) {
    if (const auto* update = std::get_if<sync::PersistUpdate>(&action)) {
      stored_updates_[update->doc].push_back(update->update);
      if (!recorder_) continue;
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
  bool is_torn = false;
  if (dying_ && options.torn_write > 0 && random.chance(options.torn_write)) {
    const auto is_write = [](const sync::Action& action) { return std::holds_alternative<sync::WriteText>(action); };
    const auto write = std::ranges::find_if(batch, is_write);
    is_torn = write != batch.end();
    if (is_torn) last = static_cast<size_t>(write - batch.begin());
  }
  // One thing after another: what is asked for behind a write whose answer is late waits, too.
  const bool slow =
      !waiting_.empty() || !late_answers_.empty() || (options.slow_disk > 0 && random.chance(options.slow_disk));
  for (size_t i = 0; i < last; ++i) {
    if (telling_batch_ && on_disk(batch[i])) {
      behind_batch_.push_back(batch[i]);
    } else if (slow && on_disk(batch[i])) {
      waiting_.push_back(batch[i]);
    } else {
      perform(batch[i]);
    }
  }
  if (is_torn && !slow) leave_half(batch[last]);
}

void Device::leave_half(const sync::Action& action) {
  const auto* const write = std::get_if<sync::WriteText>(&action);
  if (write == nullptr || !safe_path(write->path) || full_steps_ > 0) return;
  const std::string half = write->bytes.substr(0, world_->random_.below(write->bytes.size() + 1));
  if (!disk_.write_if(write->path, half, write->expected)) return;
  ++world_->figures_.torn_writes;
  is_torn_ = true;
  trace(world_->now_, number_, "half of", write->path, half);
}

void Device::finish_waiting_actions() {
  while (!waiting_.empty() && late_answers_.empty()) {
    const sync::Action action = std::move(waiting_.front());
    waiting_.pop_front();
    perform(action);
  }
  give_answers();
}

void Device::saw_own_write(const std::string& path, const std::string& bytes) {
  // If somebody gave the file or its folder another case meanwhile, the watcher has not seen that name yet, and tells it.
  const std::string name = disk_.spelled(path);
  if (name == path || seen_.contains(name)) seen_.insert_or_assign(name, bytes);
}

void Device::refuse(const std::string& refused, const std::string& look_at, sync::Ticket ticket) {
  ++world_->figures_.refused_writes;
  trace(world_->now_, number_, "refused", refused);
  answers_.push_back([this, refused, look_at, ticket] {
    feed(sync::FileRefused{refused, "", /*in_doubt=*/false, ticket});
    report(look_at, ticket);
    feed(sync::FilesSettled{});
  });
}

void Device::perform(const sync::Action& action) {
  const auto answer = [this](auto event_of) { answers_.push_back([this, event_of] { feed(event_of()); }); };
  if (const auto* write = std::get_if<sync::WriteText>(&action))
    trace(world_->now_, number_, "write", write->path, write->bytes);
  if (const auto* removed = std::get_if<sync::RemoveFile>(&action))
    trace(world_->now_, number_, "remove", removed->path);
  if (const auto* move = std::get_if<sync::MoveFile>(&action))
    trace(world_->now_, number_, "move", move->from, move->to);
  if (const auto* read = std::get_if<sync::ReadFile>(&action)) trace(world_->now_, number_, "read", read->path);
  if (const auto* wanted = std::get_if<sync::FetchBlob>(&action))
    trace(world_->now_, number_, "fetch", wanted->path, wanted->hash.hex().substr(0, 8));
  if (const auto* record = std::get_if<sync::PersistRecord>(&action))
    trace(world_->now_, number_, "record", record->key, record->value);
  if (const auto* binary = std::get_if<sync::SendBinary>(&action)) {
    if (connection_) world_->send(*connection_, true, false, std::string(as_text(binary->frame)));
  } else if (const auto* text = std::get_if<sync::SendText>(&action)) {
    if (connection_) world_->send(*connection_, true, true, text->json);
  } else if (std::holds_alternative<sync::Reconnect>(action)) {
    if (connection_) world_->cut(*connection_);
  } else if (const auto* read = std::get_if<sync::ReadFile>(&action)) {
    answers_.push_back([this, path = read->path, ticket = read->ticket] {
      report(path, ticket);
      feed(sync::FilesSettled{});
    });
  } else if (const auto* write = std::get_if<sync::WriteText>(&action)) {
    if (!safe_path(write->path) || full_steps_ > 0 || !disk_.write_if(write->path, write->bytes, write->expected)) {
      return refuse(write->path, write->path, write->ticket);
    }
    const Sha256 hash = sha256(write->bytes);
    const auto give = [this, path = write->path, hash, ticket = write->ticket] {
      feed(sync::FileWritten{path, hash, ticket});
    };
    if (answer_late(world_->options_.late_answer, give, write->path, write->ticket)) {
      // The watcher tells of what it finds there, also if somebody has put back what was there before or taken the file away.
      return saw_own_write(write->path, std::string(kUntold));
    }
    saw_own_write(write->path, write->bytes);
    answer([path = write->path, hash, ticket = write->ticket] { return sync::FileWritten{path, hash, ticket}; });
  } else if (const auto* fetch = std::get_if<sync::FetchBlob>(&action)) {
    this->fetch(*fetch);
  } else if (const auto* removed = std::get_if<sync::RemoveFile>(&action)) {
    if (!safe_path(removed->path) || !disk_.remove_if(removed->path, removed->expected))
      return refuse(removed->path, removed->path, removed->ticket);
    const auto give = [this, path = removed->path, ticket = removed->ticket] {
      trace(world_->now_, number_, "removed", path);
      feed(sync::FileRemoved{path, ticket});
    };
    if (answer_late(world_->options_.late_move, give, removed->path, removed->ticket)) return;
    seen_.erase(removed->path);
    answer([path = removed->path, ticket = removed->ticket] { return sync::FileRemoved{path, ticket}; });
  } else if (const auto* move = std::get_if<sync::MoveFile>(&action)) {
    if (!safe_path(move->to) || !disk_.rename_if_free(move->from, move->to, move->expected))
      return refuse(move->to, move->from, move->ticket);
    const auto give = [this, from = move->from, to = move->to, ticket = move->ticket] {
      trace(world_->now_, number_, "moved", from, to);
      feed(sync::FileMoved{from, to, ticket});
    };
    if (answer_late(world_->options_.late_move, give, move->to, move->ticket))
      return note_move(move->from, disk_.spelled(move->to));
    if (const auto old = seen_.extract(move->from)) saw_own_write(move->to, old.mapped());
    answer([from = move->from, to = move->to, ticket = move->ticket] { return sync::FileMoved{from, to, ticket}; });
  } else if (const auto* upload = std::get_if<sync::UploadBlob>(&action)) {
    const std::optional<std::string> bytes = disk_.read(upload->path);
    if (!connection_) {
      answer([path = upload->path, hash = upload->hash, ticket = upload->ticket] {
        return sync::TransferFailed{path, hash, "offline", false, ticket};
      });
    } else if (!bytes || sha256(*bytes) != upload->hash) {
      answers_.push_back([this, path = upload->path, ticket = upload->ticket] {
        report(path, ticket);
        feed(sync::FilesSettled{});
      });
    } else {
      world_->server_.blobs().insert_or_assign(upload->hash, *bytes);
      answer([path = upload->path, hash = upload->hash] { return sync::BlobUploaded{path, hash}; });
    }
  } else if (const auto* notice = std::get_if<sync::Notify>(&action)) {
    if (const auto* held = std::get_if<sync::MassChangeHeld>(&notice->notice)) last_held_ = *held;
    if (const auto* problem = std::get_if<sync::Problem>(&notice->notice)) {
      problems_.push_back(problem->path + ": " + problem->message);
      trace(world_->now_, number_, "says", problem->path, problem->message);
    }
  }
}

}  // namespace diaryx::testing
