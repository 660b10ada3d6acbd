// The server: a listener, the relay, storage and blobs, on one io thread.
#pragma once

#include <functional>
#include <memory>

#include "diaryx/native/problem.h"
#include "options.h"

namespace diaryx::server {

/// Runs until SIGTERM or SIGINT, then drains: connections are closed with 1001, everything received is stored.
/// listening   called once with the port, when connections are accepted.
/// Returns     an ExitCode; problems are logged and written as one sentence to standard error.
int run_server(const Options& options, const std::function<void(uint16_t port)>& listening);

}  // namespace diaryx::server
