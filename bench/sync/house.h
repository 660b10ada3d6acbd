// Devices and a server in one process: production replica and production relay, a line without delay, a storage in memory.
// Counts what each side spends, so that a benchmark can say what an edit costs the device and what it costs the server.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diaryx/sync/relay.h"
#include "diaryx/sync/replica.h"

namespace diaryx::bench {

struct Traffic {
  uint64_t frames = 0;  // binary and text, both ways
  uint64_t bytes = 0;
};

class House {
 public:
  explicit House(size_t devices, sync::DiskTraits disk = {});
  ~House();

  /// A file appears on a device's disk, as a watcher tells it. `settle` ends the batch.
  void write(size_t device, const std::string& path, std::string text);
  /// It is moved there, and the watcher saw it.
  void move(size_t device, const std::string& from, const std::string& to);
  /// The same while no watcher ran: a scan finds one file missing and a new one.
  void move_unseen(size_t device, const std::string& from, const std::string& to);
  void settle(size_t device);
  void connect(size_t device);
  void disconnect(size_t device);
  /// Until nothing is on its way.
  void run();
  /// Time passes, so that what waits for a moment happens.
  void pass(int64_t ms);

  const sync::Replica& replica(size_t device) const;
  /// What is on a device's disk.
  const std::map<std::string, std::string>& disk(size_t device) const;
  bool in_step() const;
  const Traffic& traffic() const { return traffic_; }
  /// CPU time of this process spent in replicas, and in the relay.
  double device_seconds() const { return device_seconds_; }
  double server_seconds() const { return server_seconds_; }

 private:
  struct Device;
  struct Message {
    size_t device;
    bool to_server;
    bool text;
    std::string bytes;
  };

  void feed(size_t device, const sync::Event& event);
  void perform(size_t device, sync::Action& action);
  void feed_server(sync::relay::Event event);
  void perform_server(sync::relay::Action& action);
  void send(Message message);

  sync::Relay relay_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::deque<std::function<void()>> work_;
  std::map<uint64_t, size_t> device_of_;
  std::map<std::string, std::vector<Bytes>> log_;
  std::map<std::string, uint64_t> last_of_;
  uint64_t sequence_ = 0;
  uint64_t next_connection_ = 1;
  TimestampMs now_{1'700'000'000'000};
  Traffic traffic_;
  double device_seconds_ = 0;
  double server_seconds_ = 0;
};

}  // namespace diaryx::bench
