#include "process_memory.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include "socket.h"

namespace diaryx::bench {
namespace {

uint64_t status_bytes(pid_t process, const std::string& name) {
  std::ifstream in("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1)) * 1024;
  }
  give_up("the server's process is gone");
}

}  // namespace

uint64_t resident_bytes(pid_t process, bool collect) {
  if (collect) {
    ::kill(process, SIGUSR2);
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  }
  return status_bytes(process, "VmRSS");
}

uint64_t peak_bytes(pid_t process) { return status_bytes(process, "VmHWM"); }

void forget_peak(pid_t process) {
  std::ofstream out("/proc/" + std::to_string(process) + "/clear_refs");
  out << "5";
}

}  // namespace diaryx::bench
