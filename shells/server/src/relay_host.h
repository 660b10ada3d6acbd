// The relay at work: sockets and storage on one side, sync::Relay on the other. Lives on the io thread.
//
// This is the whole loop of the server: an event goes in, actions come out, each is performed here.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "diaryx/sync/relay.h"
#include "heap_trimmer.h"
#include "metrics.h"
#include "storage.h"

namespace diaryx::server {

/// What the relay needs of a WebSocket connection. Calls come on the io thread and do not block.
class RelayPeer {
 public:
  virtual ~RelayPeer() = default;
  virtual void send(const relay::SharedBytes& frame) = 0;
  virtual void send(const relay::SharedText& text) = 0;
  /// After what was sent before.
  virtual void close(relay::CloseCode code, const std::string& reason) = 0;
  virtual void pause() = 0;
  virtual void resume() = 0;
  /// A workspace document that `watch_list` named.
  virtual void list_changed() {}
};

class RelayHost {
 public:
  /// epoch        of `Storage::take_over`.
  /// superseded   called when the storage says that another server took over; may be called more than once.
  /// wall         the time that is stored with an update. Deadlines follow a steady clock, whatever the wall's is set to.
  RelayHost(boost::asio::any_io_executor executor, Storage& storage, Metrics& metrics, sync::RelayOptions options,
            uint64_t epoch, std::function<void()> superseded, std::function<TimestampMs()> wall);

  // Sockets.
  /// Registers the peer, which stays alive until `closed`, and says hello to it.
  relay::ConnectionId opened(std::shared_ptr<RelayPeer> peer, relay::SharedPrincipal principal,
                             relay::Handshake handshake);
  void received(relay::ConnectionId connection, Bytes frame);
  void received(relay::ConnectionId connection, std::string text);
  /// What is received until `take_gathered` is taken together: a burst of updates is one record and one message to the others.
  void gather() { gathers_ = true; }
  void take_gathered();
  /// The connection that it came from ends.
  void drop_gathered();
  void closed(relay::ConnectionId connection);

  /// The peer hears of every change of this workspace document that is to be stored.
  void watch_list(relay::ConnectionId connection, const std::string& workspace);
  void unwatch_list(relay::ConnectionId connection, const std::string& workspace);

  // The API.
  /// Closes the open documents of a workspace for a user, or for everybody when `user_id` is empty.
  void revoke(const std::string& workspace, const std::string& user_id);
  /// What a connection may do changed, or ended: see relay::AccessChanged and relay::AccessEnded.
  void change_access(relay::ConnectionId connection, std::string workspace, relay::Access access);
  void end_access(relay::ConnectionId connection, std::string sentence);
  /// An edit on the live document; `done(stored)` is called later.
  void edit(sync::ServerEdit edit, std::function<void(bool stored)> done);
  crdt::Doc* find(const DocId& document) const { return relay_.find(document); }
  std::optional<Bytes> state(const DocId& document) const { return relay_.state(document); }
  size_t members(const DocId& document) const { return relay_.members(document); }
  sync::RelayStatistics statistics() const { return relay_.statistics(); }

  /// Asks all connections to end; what they sent is still stored.
  void drain();
  bool all_stored() const { return relay_.quiet(); }

 private:
  void receive(relay::Event event);
  void handle(relay::Event event);
  void perform_all();
  void perform(relay::Authorize& action);
  void authorize_guest(relay::Authorize& action);
  relay::Event answer_access(relay::Ticket ticket, relay::ConnectionId connection, StorageResult<relay::Access> found);
  void perform(relay::LoadDocument& action);
  void perform(relay::ListChanges& action);
  void perform(relay::AppendUpdate& action);
  void perform(relay::StoreSnapshot& action);
  void perform(relay::SendBinary& action);
  void perform(relay::SendText& action);
  void perform(relay::PauseReading& action);
  void perform(relay::ResumeReading& action);
  void perform(relay::CloseConnection& action);
  void perform(relay::EditFinished& action);
  /// What the relay hears of a write that failed.
  relay::StorageFailure failed(const StorageError& error);
  RelayPeer* peer(relay::ConnectionId connection);
  void tell_list_watchers(std::string_view workspace);
  void arm_timer();
  template <typename T, typename Make>
  Reply<T> reply(Make make_event);
  void take_arrived();

  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  std::optional<TimestampMs> armed_for_;
  Storage& storage_;
  Metrics& metrics_;
  const uint64_t epoch_;
  std::function<void()> superseded_;
  std::function<TimestampMs()> wall_;
  sync::Relay relay_;
  HeapTrimmer trimmer_;
  std::unordered_map<uint64_t, std::shared_ptr<RelayPeer>> peers_;
  std::map<std::string, std::set<relay::ConnectionId>, std::less<>> list_watchers_;  // by workspace
  std::unordered_map<uint64_t, std::function<void(bool)>> edits_;
  std::vector<relay::Action> actions_;
  std::vector<relay::Event> gathered_;
  bool gathers_ = false;
  // The storage answers from its own threads, a whole group at once: one turn of the event loop takes all of it.
  using Arrived = std::move_only_function<relay::Event()>;
  std::mutex arrived_mutex_;
  std::vector<Arrived> arrived_;  // guarded by arrived_mutex_
  bool performing_ = false;
  uint64_t next_connection_ = 1;
};

}  // namespace diaryx::server
