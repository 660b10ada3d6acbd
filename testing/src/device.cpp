#include "diaryx/testing/device.h"

#include <algorithm>
#include <utility>

#include "diaryx/sync/path.h"
#include "diaryx/testing/world.h"
#include "world_trace.h"

namespace diaryx::testing {

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

void Device::check_next_deadline() {
  const std::optional<TimestampMs> next = replica_->next_deadline();
  if (!next || *next > now()) return;
  trace(world_->now_, number_, "waits for the past", "");
  ++world_->figures_.past_deadlines;
}

void Device::feed(const sync::Event& event) {
  if (dying_) return;
  std::vector<sync::Action> batch;
  replica_->handle(event, now(), batch);
  if (std::holds_alternative<sync::DeadlineReached>(event)) check_next_deadline();
  trace_documents(world_->now_, number_, *replica_, batch, traced_);
  perform(batch);
  give_answers();
}

}  // namespace diaryx::testing
