#include "metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <string_view>

#include "version.h"

namespace diaryx::server {
namespace {

void put(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out.append("# HELP diaryx_").append(name).append(" ").append(help);
  out.append("\n# TYPE diaryx_").append(name).append(" ").append(type).append("\n");
}

void put_value(std::string& out, std::string_view name, std::string_view labels, uint64_t value) {
  out.append("diaryx_").append(name).append(labels).append(" ").append(std::to_string(value)).append("\n");
}

uint64_t resident_bytes() {
  FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long long total = 0;
  unsigned long long resident = 0;
  const int read = std::fscanf(file, "%llu %llu", &total, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

uint64_t open_files() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  uint64_t count = 0;
  while (const dirent* entry = ::readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(folder);
  return count > 0 ? count - 1 : 0;  // the folder itself was open
}

}  // namespace

std::string format_metrics(const Metrics& counted, const MetricsNow& now) {
  std::string out;
  const auto one = [&out](std::string_view name, std::string_view type, std::string_view help, uint64_t value) {
    put(out, name, type, help);
    put_value(out, name, "", value);
  };
  put(out, "build_info", "gauge", "The version that runs.");
  put_value(out, "build_info", "{version=\"" + std::string(kVersion) + "\"}", 1);
  put(out, "http_responses_total", "counter", "HTTP responses by class of status.");
  for (size_t hundreds = 1; hundreds < counted.responses.size(); ++hundreds) {
    put_value(out, "http_responses_total", "{class=\"" + std::to_string(hundreds) + "xx\"}",
              counted.responses[hundreds]);
  }
  one("rate_limited_total", "counter", "Requests refused for coming too often.", counted.rate_limited);
  one("refused_sign_ins_total", "counter", "Tokens, links and codes that were not good.", counted.refused_sign_ins);
  one("refused_connections_total", "counter", "Connections beyond a bound.", counted.refused_connections);
  one("sockets_opened_total", "counter", "WebSockets accepted.", counted.sockets_opened);
  one("sockets_cut_slow_total", "counter", "WebSockets cut because they read too slowly.", counted.sockets_cut_slow);
  one("access_ended_total", "counter", "WebSockets cut because their access ended.", counted.access_ended);
  one("messages_in_total", "counter", "WebSocket messages received.", counted.messages_in);
  one("bytes_in_total", "counter", "Bytes of WebSocket messages received.", counted.bytes_in);
  one("messages_out_total", "counter", "WebSocket messages sent.", counted.messages_out);
  one("bytes_out_total", "counter", "Bytes of WebSocket messages sent.", counted.bytes_out);
  one("updates_stored_total", "counter", "Updates committed to disk; a burst is one.", counted.updates_stored);
  one("updates_not_stored_total", "counter", "Updates that the storage refused.", counted.updates_not_stored);
  one("history_pruned_total", "counter", "Old records forgotten by compaction.", counted.history_pruned);
  one("blobs_collected_total", "counter", "Attachments taken away because no workspace refers to them.",
      counted.blobs_collected);
  one("files_swept_total", "counter", "Files of attachments and uploads taken away because no record names them.",
      counted.files_swept);
  one("connections", "gauge", "Open connections of any kind.", now.connections);
  one("sockets", "gauge", "Open WebSockets.", now.sockets);
  one("documents", "gauge", "Documents in memory.", now.documents);
  one("awake_documents", "gauge", "Of them, those that are more than their bytes: edited just now, or large.",
      now.awake_documents);
  one("away_documents", "gauge", "Documents that somebody has open and nobody asked anything of: not in memory.",
      now.away_documents);
  one("damages", "gauge", "Records, snapshots and pages found damaged; the log says which.", counted.damages);
  one("uncommitted_updates", "gauge", "Updates on their way to disk.", now.uncommitted);
  one("database_bytes", "gauge", "Size of the database.", now.database_bytes);
  one("wal_bytes", "gauge", "Size of its write-ahead log.", now.wal_bytes);
  one("disk_available_bytes", "gauge", "What is left on the disk of the data.", now.disk_available_bytes);
  // By the names that every exporter gives them, so that what watches any program watches this one.
  const auto of_process = [&out](std::string_view name, std::string_view type, std::string_view help, double value) {
    out.append("# HELP process_").append(name).append(" ").append(help);
    out.append("\n# TYPE process_").append(name).append(" ").append(type);
    out.append("\nprocess_").append(name).append(" ").append(std::to_string(value)).append("\n");
  };
  const ProcessUse& process = now.process;
  of_process("resident_memory_bytes", "gauge", "Memory of the process.", static_cast<double>(process.resident_bytes));
  of_process("open_fds", "gauge", "Open file descriptors.", static_cast<double>(process.open_files));
  of_process("max_fds", "gauge", "How many may be open.", static_cast<double>(process.max_files));
  of_process("cpu_seconds_total", "counter", "Time on processors.", process.cpu_seconds);
  of_process("start_time_seconds", "gauge", "When the server started, since 1970.",
             std::chrono::duration<double>(counted.started.time_since_epoch()).count());
  return out;
}

ProcessUse process_use() {
  ProcessUse use{.resident_bytes = resident_bytes(), .open_files = open_files()};
  if (rlimit files{}; ::getrlimit(RLIMIT_NOFILE, &files) == 0) use.max_files = files.rlim_cur;
  if (timespec time{}; ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0)
    use.cpu_seconds = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  return use;
}

}  // namespace diaryx::server
