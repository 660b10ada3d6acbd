// One linked folder at work: the clock, the disk and the sockets around a replica.
//
//     files, socket --> Device -- Event, now --> sync::Replica
//     files, socket <-- Device <--- Actions ---------/
//
// 1. One thread. Events are handled as they come; their actions are performed in batches, each persisted first.
// 2. Whatever goes wrong with one file is reported and tried again; only a state that cannot be stored ends the work.
// 3. Nothing is told of a folder, stored for it or sent from it that is not in place any more.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "commands.h"
#include "connection.h"
#include "device_folder.h"
#include "diaryx/native/name_traits.h"
#include "disk.h"
#include "output.h"
#include "state_store.h"
#include "transfers.h"

namespace diaryx::client {

enum class RunMode : uint8_t {
  Once,   // until everything is in step, then end
  Watch,  // until a signal says so
  Local,  // without the server: what other commands asked for is done on this disk, then end
};

struct RunOptions {
  RunMode mode = RunMode::Watch;
  /// Once: give up when nothing has moved for this long.
  int64_t stall_ms = 60'000;
  /// Once: what to do with a wave that is held; nothing leaves it held.
  std::optional<HeldAnswer> held_answer{};
};

class Device {
 public:
  /// Opens the state and takes in what it holds. `folder`, `lock` and `output` outlive the device.
  static Attempt<std::unique_ptr<Device>> open(const DeviceFolder& folder, const FolderLock& lock,
                                               const DeviceConfig& config, std::string token, Output& output,
                                               RunOptions options);
  ~Device();

  /// Works until the mode's end. Done and Incomplete are values, too, so that the caller can sum up.
  Attempt<ExitCode> run();

  /// For the sentence at the end.
  sync::ReplicaStatus status() const { return replica_.status(); }

 private:
  Device(const DeviceFolder& folder, const FolderLock& lock, const DeviceConfig& config, std::string token,
         Output& output, RunOptions options, StateStore store, const native::NameTraits& names);

  Attempt<void> start();
  void on_signal();
  void on_request();
  void answer_held(HeldAnswer answer);
  void tell_held(const sync::MassChangeHeld& held);
  void on_disk_event();
  void note_unwatched();
  void on_timer();
  void on_lost(const native::SocketClosed& why);
  bool end_if_lost();
  void end_as_lost();
  void take_requests();
  void finish_requests();

  void take(const sync::Event& event);
  bool is_movement(const sync::Event& event) const;
  void schedule();
  void perform_batch();
  void perform(sync::Action& action);
  void queue_on_disk(auto& action);
  void flush_disk();
  void tell(const sync::Notice& notice);
  void look_at_everything();
  void after_batch();
  void end_if_settled();
  void arm_timer();
  void save_status();
  void end(Attempt<ExitCode> result);

  const DeviceFolder& folder_;
  const FolderLock& lock_;
  DeviceConfig config_;
  Output& output_;
  RunOptions options_;
  StateStore store_;
  sync::Replica replica_;
  Disk disk_;
  boost::asio::io_context io_;
  native::HttpClient http_;
  Disk::Tell tell_;
  Transfers transfers_;
  Connection connection_;
  std::optional<native::FileWatcher> watcher_;
  boost::asio::posix::stream_descriptor watched_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer batch_timer_;

  std::vector<sync::Action> actions_;  // given by the replica, not performed yet
  std::vector<std::pair<int64_t, std::string>> requests_;  // taken, with their outcome; told when stored
  bool scheduled_ = false;
  bool first_look_done_ = false;
  bool is_unwatched_noted_ = false;  // that not every folder can be watched
  TimestampMs next_tidying_{};   // of the history
  TimestampMs next_look_{};      // at everything, in case a change was missed
  TimestampMs last_batch_{};
  TimestampMs last_movement_{};  // something was done or received
  TimestampMs status_saved_at_{};
  TimestampMs last_synced_{};
  std::string saved_status_;
  bool is_status_saved_ = false;  // as it is now
  std::string held_problem_;  // said of a wave, until nothing is held
  std::optional<TimestampMs> lost_since_;
  std::optional<Attempt<ExitCode>> result_;
};

}  // namespace diaryx::client
