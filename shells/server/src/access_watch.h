// Cuts connections whose access ended while they were open.
//
// What lets connections in, a token or a share's code, is remembered with those that it let in. Once a second the storage
// is asked whether anything about access changed, by whomever: this server, a command, another server on the same
// database. Only then, and when a token's time is up, are tokens and codes asked about again. One by which a connection was
// accepted while something changed is asked about once more after it was registered, so none slips through.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "access_storage.h"
#include "diaryx/sync/relay_types.h"
#include "metrics.h"

namespace diaryx::server {

namespace relay = sync::relay;

class RelayHost;

class AccessWatch {
 public:
  AccessWatch(boost::asio::any_io_executor executor, AccessStorage& storage, RelayHost& relay, Metrics& metrics);

  void start();
  void stop();

  /// A token or code, as long as a connection is registered for it.
  struct Grant {
    AccessKey key;
    std::string workspace = {};
    std::optional<TimestampMs> expires = {};
    relay::SharedPrincipal principal = {};  // of the newest connection
    std::vector<relay::ConnectionId> connections = {};
    bool checked = false;  // asked about since the newest was entered
  };

  /// To register a connection in two steps: `enter` at once, `add` when it has its number.
  /// workspace   of a share; empty for a token.
  /// expires     of a token.
  /// principal   becomes one that others which the key let in have too, if it is the same.
  Grant& enter(const AccessKey& key, std::string workspace, std::optional<TimestampMs> expires,
               relay::SharedPrincipal& principal);
  void add(Grant& grant, relay::ConnectionId connection);
  /// Afterwards the grant may be gone.
  void remove(Grant& grant, relay::ConnectionId connection);
  uint32_t guests_of(const std::string& workspace) const;

  /// Looks at once: something was changed here. `then` is called when the connections concerned were told.
  void look(std::function<void()> then = {});

 private:
  void wait();
  void compare(StorageResult<uint64_t> epoch);
  void check(bool everybody);
  void judge(const std::vector<AccessKey>& asked, StorageResult<std::vector<AccessState>> states);
  void finish();
  template <typename T>
  Reply<T> reply(std::move_only_function<void(StorageResult<T>)> handle);

  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  AccessStorage& storage_;
  RelayHost& relay_;
  Metrics& metrics_;
  std::map<AccessKey, Grant> grants_;
  std::map<std::string, uint32_t> guests_;
  uint64_t epoch_ = 0;
  bool looking_ = false;
  bool again_ = false;
  bool stopped_ = false;
  std::vector<std::function<void()>> waiting_;  // for the look under way
  std::vector<std::function<void()>> next_;  // for the one after it
};

}  // namespace diaryx::server
