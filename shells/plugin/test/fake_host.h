// A host in memory for native tests: what `host.h` promises, over maps that a test fills and looks into.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "host.h"

namespace diaryx::plugin {

struct FakeHost {
  std::map<std::string, Bytes, std::less<>> storage;
  std::map<std::string, Bytes, std::less<>> files;
  std::set<std::string, std::less<>> folders;  // exist and are listed, as native hosts do
  std::set<std::string, std::less<>> unreadable;  // files that exist
  std::set<std::string, std::less<>> stubborn;  // paths whose writes and deletions do nothing
  size_t gets = 0;
  std::vector<std::string> set_keys;
  std::vector<std::string> logs;
  std::vector<std::string> requests;  // of the socket
  std::vector<std::string> events;
  std::string refusal;  // of every connection
  host::Connection connection;  // the last one asked for
  Json context = Json::object();
  bool is_blind = false;  // finds nothing in the storage
  bool is_full = false;  // stores nothing, and does not say so
  std::vector<host::HttpRequest> http_requests;
  host::HttpResponse http_answer;
  bool record_versions = false;  // keep a copy of the storage after each write
  std::vector<std::map<std::string, Bytes, std::less<>>> versions;
  int64_t clock = 1'700'000'000'000;
};

/// The host behind `host::`; a test starts with `fake_host() = {}`.
FakeHost& fake_host();

}  // namespace diaryx::plugin
