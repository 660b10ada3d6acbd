#include "process_memory.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
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

double cpu_seconds(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(in, line);
  // The second field is a name in parentheses that may hold anything.
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  if (!(fields >> user >> system)) give_up("the server's process is gone");
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void forget_peak(pid_t process) {
  std::ofstream out("/proc/" + std::to_string(process) + "/clear_refs");
  out << "5";
}

}  // namespace diaryx::bench
