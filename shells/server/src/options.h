// How the server was told to run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace diaryx::server {

/// Every member has its place in docs/operations.md and docs/limits.md.
struct Options {
  std::filesystem::path data;        // everything the server keeps is in here
  std::string address = "127.0.0.1";
  uint16_t port = 3030;              // 0: any free port
  std::string log_level = "info";
  std::string log_format = "text";
  std::vector<std::string> cors_origins = {"http://localhost:5174", "http://localhost:5175"};
  std::vector<std::string> trusted_proxies;  // addresses and networks whose X-Forwarded-For is believed
  std::filesystem::path tls_certificate;     // PEM, the whole chain; empty: plain HTTP
  std::filesystem::path tls_key;

  // Signing in.
  std::string owner = "owner@localhost";  // of a new server
  std::string base_url;                   // in front of links; empty: a page of this server
  bool open_sign_up = false;              // an unknown address makes an account
  uint32_t session_days = 30;
  uint32_t link_minutes = 15;
  uint32_t max_devices = 0;               // per user; 0: no limit
  uint32_t max_guests = 50;               // connections by share, per workspace

  uint64_t attachment_limit_bytes = 0;             // per user; 0: none
  uint64_t snapshot_upload_bytes = 1u << 30;       // packed
  uint64_t snapshot_unpacked_bytes = 2ull << 30;   // all entries together
  uint32_t snapshot_entries = 200'000;
  uint64_t socket_queue_bytes = 128u << 20;        // waiting for a slow reader; beyond it the connection is cut
  uint32_t max_connections = 20'000;
  uint32_t max_connections_per_address = 2'000;

  // Per minute; 0: no limit.
  uint32_t address_requests = 12'000;
  uint32_t user_requests = 12'000;
  uint32_t token_requests = 6'000;
  uint32_t address_refusals = 60;   // requests with a token that is not good
  uint32_t address_sign_ins = 30;   // links and codes asked for or tried, per hour

  uint32_t blob_hours = 24;   // an attachment that no workspace refers to is kept so long after it was uploaded
  uint32_t history_days = 0;  // records older than this that a snapshot covers are forgotten; 0: kept
};

/// The numbers that `diaryx-syncd` exits with.
enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,       // the server could not go on; a check found something
  kExitUsage = 2,        // the command line is wrong
  kExitData = 3,         // the data folder or database cannot be used
  kExitListen = 4,       // the address cannot be listened on
};

}  // namespace diaryx::server
