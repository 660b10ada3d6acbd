// What the handlers of requests have at hand. Owned by the Server; used on the io thread only.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "blob_store.h"
#include "metrics.h"
#include "options.h"
#include "service_limits.h"
#include "storage.h"

namespace diaryx::server {

class AccessWatch;
class BlobCollector;
class RelayHost;
class SocketList;

struct Services {
  const Options& options;
  Storage& storage;
  BlobStore& blobs;
  RelayHost& relay;
  AccessWatch& access;
  Limits& limits;
  Metrics& metrics;
  boost::asio::thread_pool& pool;  // hashing, zip: what would hold up the sockets
  SocketList& sockets;
  BlobCollector& collector;
  std::string own_url;             // where this server is listening, for links
  /// Shows the owner something that must not be in a log: it goes to standard error as it is.
  std::function<void(const std::string& line)> tell_owner;
};

/// Of the wall.
inline TimestampMs now() {
  return TimestampMs{
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count()};
}

/// Never goes backwards; for limits.
inline TimestampMs steady_now() {
  return TimestampMs{
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count()};
}

}  // namespace diaryx::server
