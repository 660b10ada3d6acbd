// How the server was told to run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace diaryx::server {

struct Options {
  std::filesystem::path data;        // everything the server keeps is in here
  std::string address = "127.0.0.1";
  uint16_t port = 3030;              // 0: any free port
  std::string log_level = "info";
  std::vector<std::string> cors_origins = {"http://localhost:5174", "http://localhost:5175"};

  uint64_t attachment_limit_bytes = 0;             // per user; 0: none
  uint64_t snapshot_upload_bytes = 1u << 30;       // packed
  uint64_t snapshot_unpacked_bytes = 2ull << 30;   // all entries together
  uint32_t snapshot_entries = 200'000;
  uint64_t socket_queue_bytes = 128u << 20;        // waiting for a slow reader; beyond it the connection is cut
  uint32_t max_connections = 20'000;
};

/// The numbers that `diaryx-syncd` exits with.
enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,       // the server could not go on
  kExitUsage = 2,        // the command line is wrong
  kExitData = 3,         // the data folder or database cannot be used
  kExitListen = 4,       // the address cannot be listened on
};

}  // namespace diaryx::server
