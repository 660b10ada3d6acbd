#include "diaryx/testing/world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "world_trace.h"

namespace diaryx::testing {

using sync::relay::ConnectionId;

World::World(uint64_t seed, WorldOptions options)
    : options_(options),
      old_server_(seed % 8 == 4),
      random_(seed),
      fetch_random_(seed * 0x9e3779b97f4a7c15ull + 2),
      now_(kBegin),
      server_(
          seed, [this](ConnectionId to, bool text, std::string bytes) { send(to, false, text, std::move(bytes)); },
          [this](ConnectionId connection) { cut(connection); }) {
  server_.set_slow_reads(options.slow_read);
  for (size_t i = 0; i < options.devices; ++i) devices_.push_back(std::make_unique<Device>(*this, i));
  for (size_t i = 0; i < options.editors; ++i) editors_.emplace_back(server_, seed * 0x9e3779b97f4a7c15ull + 3 + i);
}

void World::send(ConnectionId connection, bool to_server, bool text, std::string bytes) {
  if (Editor* const editor = editor_of(connection); editor != nullptr && !text) return editor->told(bytes);
  const auto wire = wires_.find(connection);
  if (wire == wires_.end()) return;
  if (old_server_ && text && !to_server && bytes.starts_with(R"({"type":"server_hello")")) return;
  const int64_t spread = options_.max_delay_ms - options_.min_delay_ms + 1;
  TimestampMs due =
      now_ + DurationMs{options_.min_delay_ms + static_cast<int64_t>(random_.below(static_cast<uint64_t>(spread)))};
  TimestampMs& last = to_server ? wire->second.last_to_server : wire->second.last_to_device;
  ++figures_.frames;
  figures_.bytes += bytes.size();
  figures_.largest_frame = std::max<uint64_t>(figures_.largest_frame, bytes.size());
  if (!to_server && !text) {
    // The server has a queue for each document; what waits in one is overtaken by the others, never by its own.
    const std::string document = bytes.substr(0, 1 + static_cast<unsigned char>(bytes[0]));
    TimestampMs& of_document = wire->second.last_of_document[document];
    if (options_.reorder == 0) {
      due = last = of_document = std::max({due, last, of_document});
    } else {
      if (random_.chance(options_.reorder)) {
        due = due + DurationMs{static_cast<int64_t>(random_.below(80))};
        ++figures_.overtaken;
      }
      due = of_document = std::max(due, of_document);
      if (random_.chance(options_.duplicate)) {
        wire->second.parcels.push_back({due, to_server, text, bytes});
        ++figures_.duplicated;
      }
    }
  } else {
    // What stands for updates of many documents waits for all of them.
    if (!to_server && bytes.starts_with(R"({"type":"changes")")) {
      for (const auto& [document, time] : wire->second.last_of_document) due = std::max(due, time);
    }
    due = last = std::max(due, last);
  }
  wire->second.parcels.push_back({due, to_server, text, std::move(bytes)});
}

Editor* World::editor_of(ConnectionId connection) {
  const auto found = std::ranges::find(editors_, std::optional(connection), &Editor::connection);
  return found == editors_.end() ? nullptr : &*found;
}

void World::cut(ConnectionId connection) {
  if (Editor* const editor = editor_of(connection)) return editor->disconnect(now_);
  const auto wire = wires_.find(connection);
  if (wire == wires_.end()) return;
  Device& device = *devices_[wire->second.device];
  if (options_.torn_message > 0) deliver_torn(connection);
  if (wires_.erase(connection) == 0) return;  // what the half led to cut it, too
  ++figures_.cuts;
  server_.disconnect(connection, now_);
  device.connection_lost();
}

void World::deliver(ConnectionId connection, const Parcel& parcel) {
  Device& device = *devices_[wires_.at(connection).device];
  trace_message(now_, device.number_, parcel.to_server, parcel.text, parcel.bytes);
  if (parcel.to_server) {
    server_.receive(connection, parcel.text, parcel.bytes, now_);
  } else if (parcel.text) {
    device.feed(sync::TextReceived{parcel.bytes});
  } else {
    device.feed(sync::BinaryReceived{as_bytes(parcel.bytes)});
  }
}

void World::deliver_torn(ConnectionId connection) {
  for (const bool to_server : {true, false}) {
    const auto wire = wires_.find(connection);
    if (wire == wires_.end()) return;
    std::deque<Parcel>& parcels = wire->second.parcels;
    const auto first = std::ranges::find(parcels, to_server, &Parcel::to_server);
    if (first == parcels.end() || first->bytes.empty() || !random_.chance(options_.torn_message)) continue;
    Parcel torn = std::move(*first);
    parcels.erase(first);
    torn.bytes.resize(random_.below(torn.bytes.size()));
    ++figures_.torn_messages;
    deliver(connection, torn);
  }
}

void World::step() {
  now_ = now_ + DurationMs{1 + static_cast<int64_t>(random_.below(5))};
  faults();
  // What a slow disk was to do has waited since the last step, while people went on.
  for (const auto& device : devices_) device->finish_waiting_actions();
  for (const auto& device : devices_) {
    if (device->wants_online() && !device->online()) device->go_online();
  }
  std::vector<ConnectionId> connections;
  for (const auto& [connection, wire] : wires_) connections.push_back(connection);
  for (const ConnectionId connection : connections) {
    for (;;) {
      const auto wire = wires_.find(connection);
      if (wire == wires_.end()) break;
      std::deque<Parcel>& parcels = wire->second.parcels;
      const auto due = std::ranges::find_if(parcels, [&](const Parcel& parcel) { return parcel.due <= now_; });
      if (due == parcels.end()) break;
      const Parcel parcel = std::move(*due);
      parcels.erase(due);
      deliver(connection, parcel);
    }
  }
  server_.commit(now_);
  server_.answer_reads(now_);
  server_.tick(now_);
  for (Editor& editor : editors_) editor.step(now_);
  for (const auto& device : devices_) {
    device->give_late_answers();
    device->go_on_fetching();
    device->look_and_settle();
    device->finish_slow_writes();
    if (device->dying_) device->crash_and_restart();
  }
}

void World::step_offline() {
  now_ = now_ + DurationMs{100};
  server_.commit(now_);
  server_.answer_reads(now_);
  server_.tick(now_);
  for (const auto& device : devices_) device->look_and_settle();
}

void World::faults() {
  const auto happens = [this](double chance) { return chance > 0 && random_.chance(chance); };
  if (happens(options_.backup)) {
    trace(now_, devices_.size(), "is kept", "the server");
    server_.keep_backup();
  }
  const bool rolled_back = server_.has_backup() && happens(options_.rollback);
  if (rolled_back || happens(options_.server_crash)) {
    ++(rolled_back ? figures_.rollbacks : figures_.server_crashes);
    trace(now_, devices_.size(), rolled_back ? "is set back" : "crashes", "the server");
    if (rolled_back) {
      server_.roll_back();
    } else {
      server_.crash();
    }
    while (!wires_.empty()) cut(wires_.begin()->first);
    for (Editor& editor : editors_) editor.lost();
  }
  for (Editor& editor : editors_) {
    if (random_.chance(options_.cut)) editor.disconnect(now_);
  }
  for (const auto& device : devices_) {
    if (device->full_steps_ > 0) --device->full_steps_;
    if (happens(options_.disk_full)) {
      device->full_steps_ = 1 + static_cast<int>(random_.below(30));
      ++figures_.full_disks;
    }
    if (happens(options_.clock_jump)) {
      const int64_t jump_ms = static_cast<int64_t>(random_.below(7'200'000)) - 3'600'000;
      device->clock_skew_ms_ += jump_ms;
      ++figures_.clock_jumps;
      if (jump_ms < 0) device->feed(sync::DeadlineReached{});
    }
  }
  for (const auto& device : devices_) {
    if (random_.chance(options_.cut) && device->online()) cut(*device->connection_);
    // A rename that nobody reported, followed by an edit, cannot be told from a deletion and a new file after a restart.
    if (random_.chance(options_.device_crash) && device->moves_.empty()) device->crash_and_restart();
  }
}

bool World::quiet() const {
  if (server_.has_work()) return false;
  for (const auto& [connection, wire] : wires_) {
    if (!wire.parcels.empty()) return false;
  }
  if (!std::ranges::all_of(editors_, &Editor::quiet)) return false;
  return std::ranges::all_of(devices_, [](const auto& device) {
    return device->waiting_.empty() && device->late_answers_.empty() && device->slow_writes_.empty() &&
           device->slow_fetches_.empty() && device->replica_->settled();
  });
}

bool World::run_until_quiet() {
  const WorldOptions calm{.devices = options_.devices,
                          .min_delay_ms = options_.min_delay_ms,
                          .max_delay_ms = options_.max_delay_ms,
                          .disks = options_.disks,
                          .breaker = options_.breaker};
  options_ = calm;
  for (const auto& device : devices_) {
    device->wants_online_ = true;
    device->full_steps_ = 0;
  }
  constexpr int kMaxSteps = 200'000;
  constexpr int kQuietSteps = 20;
  int quiet_steps = 0;
  for (int i = 0; i < kMaxSteps && quiet_steps < kQuietSteps; ++i) {
    step();
    quiet_steps = quiet() ? quiet_steps + 1 : 0;
  }
  return quiet_steps == kQuietSteps;
}

bool World::all_equal() const { return first_difference().empty(); }

FakeDisk::Files World::files_by_key(size_t device) const {
  FakeDisk::Files files;
  for (const auto& [path, bytes] : devices_[device]->disk().files()) {
    files.insert_or_assign(devices_[device]->replica().key_of(path), bytes);
  }
  return files;
}

std::string World::first_difference() const {
  const FakeDisk::Files first = files_by_key(0);
  for (size_t i = 0; i < devices_.size(); ++i) {
    const FakeDisk::Files other = files_by_key(i);
    if (devices_[i]->disk().refused_names() != 0)
      return "a name that its disk refuses was written on device " + std::to_string(i);
    if (other.size() != devices_[i]->disk().files().size())
      return "two files with one key on device " + std::to_string(i);
    const std::string who = "device 0 and " + std::to_string(i) + " differ in ";
    for (const auto& [path, bytes] : first) {
      const auto found = other.find(path);
      if (found == other.end()) return who + path + ": missing on " + std::to_string(i);
      if (found->second != bytes && is_traced()) {
        for (const size_t device : {size_t{0}, i}) {
          const sync::Replica& replica = devices_[device]->replica();
          std::fprintf(stderr, "device %zu: document %s, state", device,
                       replica.file_text(path) == files_by_key(device)[path] ? "as on disk" : "unlike the disk");
          std::fprintf(stderr, " %s\n", sha256(replica.document_state("body:" + path)).hex().substr(0, 8).c_str());
        }
      }
      if (found->second != bytes)
        return who + path + ":\n--- 0\n" + bytes + "\n--- " + std::to_string(i) + "\n" + found->second;
    }
    for (const auto& [path, bytes] : other) {
      if (!first.contains(path)) return who + path + ": missing on 0";
    }
  }
  return {};
}

}  // namespace diaryx::testing
