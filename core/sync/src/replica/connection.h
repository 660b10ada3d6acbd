// How far the connection to the server is, and when it is given up.
//
//             begin               hear              catch_up
//   offline ─────────► Connected ──────► Syncing ─────────────► Synced
//      ▲                   └──────── end, refuse ─────┴───────────┘
//
// Invariants
// 1. The state alone says whether there is a connection: what is said of a server is forgotten with it.
// 2. Refused outlives the end of the connection, until the next one begins; the server is asked again all the same.
#pragma once

#include <optional>
#include <string_view>

#include "diaryx/base/units.h"
#include "diaryx/sync/action.h"

namespace diaryx::sync {

class Connection {
 public:
  SyncState state() const { return state_; }
  /// Frames may come.
  bool is_online() const { return state_ == SyncState::Connected || is_active(); }
  /// The server has said something about the workspace.
  bool is_active() const { return state_ == SyncState::Syncing || state_ == SyncState::Synced; }
  /// The server says what it has stored.
  bool has_receipts() const { return has_receipts_; }
  /// When `overdue` is to be asked.
  std::optional<TimestampMs> deadline() const { return deadline_; }

  // What happens. True if the state is another one now, which is to be told.
  bool begin(TimestampMs now);
  bool end();
  bool hear() { return pass(SyncState::Connected, SyncState::Syncing); }
  /// All documents were answered.
  bool catch_up() { return pass(SyncState::Syncing, SyncState::Synced); }
  /// After `end`: the server does not open the workspace, now or (Refused) to this user.
  bool refuse(SyncState state, TimestampMs now);

  void on_hello(bool receipts) { has_receipts_ = receipts; }
  /// An answer without which nothing goes on is asked for, and came.
  void await(TimestampMs now);
  void on_answer() { deadline_.reset(); }
  /// Why a new connection is to be made, if its time has come; after a while again.
  std::optional<std::string_view> overdue(TimestampMs now);

 private:
  bool pass(SyncState from, SyncState to) { return state_ == from && change(to); }
  bool change(SyncState state);

  SyncState state_ = SyncState::Disconnected;
  bool has_receipts_ = false;
  std::optional<TimestampMs> deadline_;
};

}  // namespace diaryx::sync
