// Looks at everything the storage holds, slowly and again every day: what is damaged is found while the last backup is still good,
// not when somebody needs it. Starting waits for none of it.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "metrics.h"
#include "storage.h"

namespace diaryx::server {

/// Goes on for ever; what it finds is in the log and the metrics. Lives on the io thread, like the metrics.
boost::asio::awaitable<void> watch_storage(Storage& storage, Metrics& metrics);

}  // namespace diaryx::server
