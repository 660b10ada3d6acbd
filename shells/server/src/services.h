// What the handlers of requests have at hand. Owned by the Server; used on the io thread only.
#pragma once

#include <chrono>

#include <boost/asio/thread_pool.hpp>

#include "blob_store.h"
#include "options.h"
#include "storage.h"

namespace diaryx::server {

class RelayHost;

struct Services {
  const Options& options;
  Storage& storage;
  BlobStore& blobs;
  RelayHost& relay;
  boost::asio::thread_pool& pool;  // hashing, zip: what would hold up the sockets
};

inline TimestampMs now() {
  return TimestampMs{
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count()};
}

}  // namespace diaryx::server
