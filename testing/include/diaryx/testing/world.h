// Several devices, a server and the network between them, all from one seed: production core, pretended surroundings.
//
//     World world{8841, {.devices = 3}};
//     world.device(0).user_writes("a.md", "hello\n");
//     world.run_until_quiet();
//     ASSERT_TRUE(world.all_equal()) << world.first_difference();
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diaryx/sync/replica.h"
#include "diaryx/testing/device.h"
#include "diaryx/testing/editor.h"
#include "diaryx/testing/fake_disk.h"
#include "diaryx/testing/fake_server.h"
#include "diaryx/testing/random.h"

namespace diaryx::testing {

/// What a run cost and did, for bounds and reports.
struct WorldFigures {
  uint64_t frames = 0;
  uint64_t bytes = 0;
  uint64_t largest_frame = 0;
  uint64_t cuts = 0;
  uint64_t device_crashes = 0;
  uint64_t crashes_in_batch = 0;
  uint64_t server_crashes = 0;
  uint64_t rollbacks = 0;
  uint64_t refused_writes = 0;  // the file was another one by then, or the disk was full
  uint64_t doubtful_writes = 0;  // done, and answered with a refusal that does not know
  uint64_t doubtful_fetches = 0;  // the same of attachments
  uint64_t cut_fetches = 0;  // placed, and the device died before it stored that
  uint64_t torn_writes = 0;
  uint64_t torn_messages = 0;  // the line broke in the middle, and what had come was handed on
  uint64_t full_disks = 0;
  uint64_t clock_jumps = 0;
  uint64_t overtaken = 0;
  uint64_t duplicated = 0;
  uint64_t outside_root = 0;  // must stay zero
  uint64_t past_deadlines = 0;  // wanted again though they were reached; must stay zero
};

struct WorldOptions {
  size_t devices = 3;
  /// Milliseconds a message travels, at least and at most; order per connection is kept, as TCP does.
  int64_t min_delay_ms = 1;
  int64_t max_delay_ms = 20;
  /// Chance per step that a connection is cut, a device dies, or the server dies.
  double cut = 0;
  double device_crash = 0;
  double server_crash = 0;
  /// Chance per batch of actions that the device dies in the middle of it.
  double crash_in_batch = 0;
  /// Chance per batch that what is to be done on disk waits, so that other programs come first.
  double slow_disk = 0;
  /// Chance per write that it is done and its answer, given steps later, says that it failed, or that it was done.
  double late_answer = 0;
  /// The same of a move or a removal; the watcher may tell of it first.
  double late_move = 0;
  /// Chance per attachment that it takes steps until it is placed, as from a far server. Then one in three is answered steps later
  /// still, half of those with a refusal that does not know; and behind one in six the device dies. Drawn from a stream of its own.
  double slow_fetch = 0;
  /// Chance per question to the server's storage that its answer takes steps, and comes behind those of later ones.
  double slow_read = 0;
  /// Chance that a device which dies in the middle of a batch leaves half of the text that it was writing: a host that writes in
  /// place. What outside programs were writing stays half, too, every other time that a device dies.
  double torn_write = 0;
  /// Chance per step that a disk is full for a while.
  double disk_full = 0;
  /// Chance per cut and direction that the message under way arrives without its end.
  double torn_message = 0;
  /// Chance per message of another document to overtake, and of a message to a device to come twice.
  double reorder = 0;
  double duplicate = 0;
  /// Chance per step that the server keeps a backup, and that it is put back.
  double backup = 0;
  double rollback = 0;
  /// Chance per step that a device's clock jumps, by up to an hour either way.
  double clock_jump = 0;
  /// Of the devices' disks, in turn; empty: all are ordinary.
  std::vector<sync::DiskTraits> disks{};
  sync::BreakerOptions breaker{};
  /// Devices say who they are and keep the history of what they store.
  bool history = false;
  /// Editors that have no note open yet. They are cut as devices are.
  size_t editors = 0;
};

class World {
 public:
  World(uint64_t seed, WorldOptions options);

  Device& device(size_t number) { return *devices_[number]; }
  const Device& device(size_t number) const { return *devices_[number]; }
  size_t size() const { return devices_.size(); }
  std::deque<Editor>& editors() { return editors_; }
  Random& random() { return random_; }
  FakeServer& server() { return server_; }
  TimestampMs now() const { return now_; }
  const WorldFigures& figures() const { return figures_; }

  /// Delivers what is due, commits, looks, and lets time pass a little; with the faults of the options.
  void step();
  /// Time passes and the watchers look, without faults and without anybody coming online.
  void step_offline();
  /// Faults again, after they were ended by `run_until_quiet`.
  void set_faults(const WorldOptions& options) { options_ = options; }
  /// No more faults: everybody online, then steps until nothing moves. False when that does not end.
  bool run_until_quiet();

  /// A device's files by key: what the user calls them on every device.
  FakeDisk::Files files_by_key(size_t device) const;
  bool all_equal() const;
  /// "device 0 and 2 differ in notes/a.md: ..." or empty.
  std::string first_difference() const;

 private:
  friend class Device;

  struct Parcel {
    TimestampMs due;
    bool to_server;
    bool text;
    std::string bytes;
  };
  struct Wire {
    size_t device;
    std::deque<Parcel> parcels;
    TimestampMs last_to_server;
    TimestampMs last_to_device;
    std::map<std::string, TimestampMs> last_of_document;
  };

  void send(sync::relay::ConnectionId connection, bool to_server, bool text, std::string bytes);
  void cut(sync::relay::ConnectionId connection);
  void deliver(sync::relay::ConnectionId connection, const Parcel& parcel);
  void deliver_torn(sync::relay::ConnectionId connection);
  void faults();
  bool quiet() const;
  Editor* editor_of(sync::relay::ConnectionId connection);

  WorldOptions options_;
  bool old_server_;  // one seed in eight: a server that says neither hello nor, for all that devices know, receipts
  WorldFigures figures_;
  Random random_;
  Random fetch_random_;
  TimestampMs now_;
  std::map<sync::relay::ConnectionId, Wire> wires_;
  FakeServer server_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::deque<Editor> editors_;
};

}  // namespace diaryx::testing
