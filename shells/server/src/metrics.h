// What the server counts about itself. Written on the io thread, read there by /metrics.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace diaryx::server {

struct Metrics {
  std::chrono::system_clock::time_point started = std::chrono::system_clock::now();
  std::array<uint64_t, 6> responses{};  // by hundreds of the status; 0: none
  uint64_t rate_limited = 0;
  uint64_t refused_sign_ins = 0;  // bad tokens, links and codes
  uint64_t refused_connections = 0;  // beyond a bound
  uint64_t sockets_opened = 0;
  uint64_t sockets_cut_slow = 0;
  uint64_t access_ended = 0;  // connections cut because a token or share went
  uint64_t messages_in = 0;
  uint64_t bytes_in = 0;
  uint64_t messages_out = 0;
  uint64_t bytes_out = 0;
  uint64_t updates_stored = 0;  // records; a burst is one
  uint64_t updates_not_stored = 0;
  bool cannot_store = false;  // what the newest write came to
  uint64_t damages = 0;  // that the last look at everything stored found
  uint64_t history_pruned = 0;
  uint64_t blobs_collected = 0;
  uint64_t files_swept = 0;  // that no record named
};

/// What this process takes, from /proc and the system; 0 where that cannot be read.
struct ProcessUse {
  uint64_t resident_bytes = 0;
  uint64_t open_files = 0;
  uint64_t max_files = 0;
  double cpu_seconds = 0;
};
ProcessUse process_use();

/// What is asked for at the moment of the request.
struct MetricsNow {
  uint64_t connections = 0;
  uint64_t sockets = 0;
  uint64_t documents = 0;
  uint64_t awake_documents = 0;
  uint64_t away_documents = 0;
  uint64_t uncommitted = 0;
  uint64_t database_bytes = 0;
  uint64_t wal_bytes = 0;
  uint64_t disk_available_bytes = 0;
  ProcessUse process;
};

/// Prometheus text, version 0.0.4.
std::string format_metrics(const Metrics& counted, const MetricsNow& now);

}  // namespace diaryx::server
