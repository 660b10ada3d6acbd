// Programs as a user starts them: arguments in, exit code, output and signals out.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "temp_folder.h"

extern char** environ;

namespace diaryx::client {

/// Asks `condition` until it is true; false when `limit` has passed.
inline bool wait_until(const std::function<bool()>& condition, std::chrono::seconds limit = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

/// A running program; killed at the end of the scope if it still runs.
class Process {
 public:
  explicit Process(std::vector<std::string> command) {
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, 1, (folder_ / "out").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::posix_spawn_file_actions_addopen(&files, 2, (folder_ / "err").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (::posix_spawn(&pid_, arguments[0], &files, nullptr, arguments.data(), environ) != 0) exit_code_ = 127;
    ::posix_spawn_file_actions_destroy(&files);
  }
  ~Process() {
    if (exit_code_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  std::string out() const { return folder_.read("out"); }
  std::string err() const { return folder_.read("err"); }
  void signal(int number) const { ::kill(pid_, number); }

  /// 128 + signal for a program that was killed; -1 when it still runs after 60 seconds.
  int wait() {
    wait_until([this] { return ended(); }, std::chrono::seconds(60));
    return exit_code_.value_or(-1);
  }

  bool ended() {
    int status = 0;
    if (!exit_code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return exit_code_.has_value();
  }

 private:
  native::TempFolder folder_;
  pid_t pid_ = 0;
  std::optional<int> exit_code_;
};

struct Ended {
  int exit_code;
  std::string out;
  std::string err;
};

/// Runs `diaryx-sync` to its end.
inline Ended run_client(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), DIARYX_SYNC);
  Process process(std::move(arguments));
  const int code = process.wait();
  return {code, process.out(), process.err()};
}

}  // namespace diaryx::client
