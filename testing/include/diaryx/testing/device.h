// One device of a World: the production replica, a folder, and what it stored.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diaryx/sync/history_keep.h"
#include "diaryx/sync/relay.h"
#include "diaryx/sync/replica.h"
#include "diaryx/testing/fake_disk.h"
#include "diaryx/testing/random.h"

namespace diaryx::testing {

class World;

/// A device: the production replica, a folder, and what it stored. A crash keeps the folder and the storage.
class Device {
 public:
  Device(World& world, size_t number);

  // --- what the user does; sync hears of it when the watcher does
  void user_writes(std::string_view path, std::string_view bytes);
  /// An outside program that writes one half and appends the other: the watcher may see the first alone.
  void user_writes_slowly(std::string_view path, std::string_view bytes);
  void user_deletes(std::string_view path);
  void user_renames(std::string_view from, std::string_view to);
  /// Renames every file below a folder, as a rename of the folder does.
  void user_renames_folder(std::string_view from, std::string_view to);
  /// The watcher reports what changed since it last looked.
  void watcher_looks();

  /// The watcher looks, and all deadlines that follow from it pass.
  void look_and_settle();

  void go_online();
  void go_offline();
  void crash_and_restart();
  /// What waits for a slow disk is done, and the device dies before it hears of that.
  void die_behind_disk_actions();

  bool online() const { return connection_.has_value(); }
  bool wants_online() const { return wants_online_; }
  const FakeDisk& disk() const { return disk_; }
  const sync::DiskTraits& traits() const { return traits_; }
  const sync::Replica& replica() const { return *replica_; }
  const std::vector<std::string>& problems() const { return problems_; }
  /// The last word about a wave that is held.
  const sync::MassChangeHeld& last_held() const { return last_held_; }
  /// Gives the replica a command.
  void tell(const sync::Event& command) { feed(command); }

  /// What this device stored of the past (`WorldOptions::history`); loaded anew.
  sync::History history() const;
  const std::vector<sync::HistoryMark>& marks() const { return marks_; }
  void compact_history(const sync::RetentionRule& rule);
  void restore(const sync::RestoreFiles& restore) { feed(restore); }

 private:
  friend class World;

  // --- device.cpp
  TimestampMs now() const;
  void start();
  void feed(const sync::Event& event);
  /// A deadline was reached: a shell whose next one lies in the past would do nothing but tell that, again and again.
  void check_next_deadline();
  void give_answers();
  void note_move(const std::string& from, const std::string& to);
  void report(std::string_view path, sync::Ticket ticket = {});
  void finish_slow_writes();
  void connection_lost();

  // --- device_perform.cpp
  void perform(const std::vector<sync::Action>& batch);
  /// A power cut in the middle of it.
  bool power_fails(const std::vector<sync::Action>& batch);
  void store(const sync::Action& action);
  /// Which action of the batch is a write that leaves half of the text, if any is: the last thing that is done.
  std::optional<size_t> torn_write(const std::vector<sync::Action>& batch);
  void leave_half(const sync::WriteText& write);
  bool is_disk_slow();
  void perform_on_disk(const std::vector<sync::Action>& actions);
  void finish_waiting_actions();

  void perform(const sync::Action& action);
  void perform_one(const sync::PersistUpdate& update);
  void perform_one(const sync::PersistRecord& record);
  void perform_one(const sync::SendBinary& send);
  void perform_one(const sync::SendText& send);
  void perform_one(const sync::Reconnect& reconnect);
  void perform_one(const sync::ReadFile& read);
  void perform_one(const sync::WriteText& write);
  void perform_one(const sync::FetchBlob& fetch);
  void perform_one(const sync::RemoveFile& remove);
  void perform_one(const sync::MoveFile& move);
  void perform_one(const sync::UploadBlob& upload);
  void perform_one(const sync::Notify& notify);
  bool safe_path(std::string_view path);
  bool place_fetched(const sync::FetchBlob& fetch);
  void go_on_fetching();
  void place_slowly(const sync::FetchBlob& fetch);
  void answer_placed(const sync::FetchBlob& fetch);
  void saw_own_write(const std::string& path, const std::string& bytes);

  void look_and_tell(const std::string& path, sync::Ticket ticket);
  void answer_with_look(const std::string& path, sync::Ticket ticket);
  void refuse(const std::string& refused, const std::string& look_at, sync::Ticket ticket);
  /// Done or not, for all that the answer says.
  void say_in_doubt(const std::string& path, sync::Ticket ticket, Random& random);
  bool answer_late(double chance, const std::function<void()>& give, const std::string& path, sync::Ticket ticket);
  void give_late_answers();

  /// In place of what the watcher told of a file last: whatever is there is news, an empty file too.
  static constexpr std::string_view kUntold = "\xff not told yet";

  World* world_;
  size_t number_;
  uint64_t starts_ = 0;
  bool wants_online_ = true;
  sync::DiskTraits traits_;
  FakeDisk disk_;
  FakeDisk::Files seen_;  // what the watcher saw last
  std::vector<std::pair<std::string, std::string>> moves_;
  std::map<std::string, std::vector<Bytes>> stored_updates_;
  std::map<std::string, std::string> stored_records_;
  std::optional<sync::HistoryRecorder> recorder_;
  std::map<std::string, std::vector<Bytes>> history_;  // blocks by document
  std::vector<sync::HistoryMark> marks_;
  std::unique_ptr<sync::Replica> replica_;
  std::optional<sync::relay::ConnectionId> connection_;
  std::deque<std::function<void()>> answers_;
  std::deque<sync::Action> waiting_;  // for a slow disk
  std::vector<sync::Action> behind_batch_;  // of the watcher, which is told whole
  bool telling_batch_ = false;
  struct LateAnswer {
    std::function<void()> give;
    int steps;
  };
  std::vector<LateAnswer> late_answers_;
  struct SlowFetch {
    sync::FetchBlob fetch;
    int steps;
    bool is_placed = false;
  };
  std::vector<SlowFetch> slow_fetches_;  // which hold up nothing else
  struct SlowWrite {
    std::string path;
    std::string begun;
    std::string rest;
  };
  std::vector<SlowWrite> slow_writes_;
  int64_t clock_skew_ms_ = 0;
  int full_steps_ = 0;
  bool dying_ = false;
  bool is_torn_ = false;  // a file of ours is half; who edits that half deletes the rest, for all that anybody can know
  bool telling_moves_ = false;
  bool feeding_ = false;
  std::vector<std::string> problems_;
  sync::MassChangeHeld last_held_;
  std::map<std::string, std::string> traced_;  // of the list, what a trace told already
};

}  // namespace diaryx::testing
