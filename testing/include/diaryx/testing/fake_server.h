// The production relay over a storage in memory that commits when told to, and a shelf of blobs.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "diaryx/base/sha256.h"
#include "diaryx/sync/relay.h"
#include "diaryx/testing/random.h"

namespace diaryx::testing {

class FakeServer {
 public:
  /// What the server says to a connection: `text` false = binary frame.
  using Deliver = std::function<void(sync::relay::ConnectionId to, bool text, std::string bytes)>;
  using Closed = std::function<void(sync::relay::ConnectionId)>;

  FakeServer(uint64_t seed, Deliver deliver, Closed closed);

  /// What `connect` returns next.
  sync::relay::ConnectionId next_connection() const { return sync::relay::ConnectionId{next_connection_}; }
  sync::relay::ConnectionId connect(std::string user, TimestampMs now,
                                    sync::relay::Handshake handshake = sync::relay::Handshake::Full);
  void disconnect(sync::relay::ConnectionId connection, TimestampMs now);
  void receive(sync::relay::ConnectionId connection, bool text, const std::string& bytes, TimestampMs now);

  /// Commits what waits for the disk, oldest first.
  void commit(TimestampMs now);
  /// Chance per question to the storage that its answer takes steps, and comes behind those of later ones. Drawn from a stream of its own.
  void set_slow_reads(double chance) { slow_read_ = chance; }
  /// Answers the slow questions that are due.
  void answer_reads(TimestampMs now);
  bool has_work() const { return !waiting_.empty() || !reads_.empty(); }
  void tick(TimestampMs now);

  /// Keeps what is committed now, and puts it back as an operator does with a backup. Blobs are files of their own and stay.
  void keep_backup() { backup_ = log_; }
  bool has_backup() const { return backup_.has_value(); }
  void roll_back();

  /// The process dies: what was not committed is gone, every connection too.
  void crash();

  // --- for the sessions of editors
  void edit(sync::ServerEdit edit, TimestampMs now);
  /// Loaded if need be; valid until the next call.
  crdt::Doc& live(const DocId& document, TimestampMs now);
  /// How often the workspace document changed.
  uint64_t list_changes() const { return list_changes_; }

  std::map<Sha256, std::string>& blobs() { return blobs_; }
  size_t stored_updates() const;

 private:
  struct Waiting {
    sync::relay::Ticket ticket;
    std::string document;
    Bytes update;
  };

  struct Read {
    int steps;
    sync::relay::Event answer;
  };

  void answer_read(sync::relay::Event answer);
  void feed(sync::relay::Event event, TimestampMs now);
  void take_answers(TimestampMs now);
  void perform(sync::relay::Action& action);
  sync::relay::ChangesListed list_changes(const sync::relay::ListChanges& question) const;

  uint64_t seed_;
  Deliver deliver_;
  Closed closed_;
  Random read_random_;
  double slow_read_ = 0;
  std::deque<Read> reads_;
  uint64_t starts_ = 0;
  uint64_t lineages_ = 0;
  uint64_t next_connection_ = 1;
  uint64_t next_sequence_ = 1;
  std::unique_ptr<sync::Relay> relay_;
  std::deque<sync::relay::Event> answers_;
  bool feeding_ = false;
  uint64_t list_changes_ = 0;
  std::deque<Waiting> waiting_;
  std::map<std::string, std::vector<Bytes>> log_;  // committed
  std::map<std::string, uint64_t> last_of_;  // sequence of the newest record per document; a roll-back ends the lineage
  std::optional<std::map<std::string, std::vector<Bytes>>> backup_;
  std::map<Sha256, std::string> blobs_;
};

}  // namespace diaryx::testing
