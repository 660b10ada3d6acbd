#include "replica/disk_work.h"

namespace diaryx::sync {

const FileWork& DiskWork::at(const std::string& path) const {
  static constexpr FileWork kNone;
  const FileWork* const work = by_path_.find(path);
  return work == nullptr ? kNone : *work;
}

void DiskWork::mark_busy(const std::string& path) {
  by_path_.change(path, [](FileWork& work) { work.busy = true; });
}

bool DiskWork::start_read(const std::string& path) {
  if (is_busy(path)) return false;
  by_path_.change(path, [](FileWork& work) {
    work.busy = true;
    work.wait_until.reset();  // what is found says what is to be done
  });
  return true;
}

void DiskWork::start_removal(const std::string& path, Ticket ticket) {
  by_path_.put(path, {.busy = true, .removal = ticket});
}

void DiskWork::wait(const std::string& path, TimestampMs until) { by_path_.put(path, {.wait_until = until}); }

void DiskWork::wait_for_watcher(const std::string& path, TimestampMs until) {
  by_path_.put(path, {.wait_until = until, .left_to_watcher = true});
}

void DiskWork::doubt_removal(const std::string& path, Ticket ticket, TimestampMs until) {
  by_path_.put(path, {.removal = ticket, .wait_until = until, .left_to_watcher = true});
}

void DiskWork::fail(const std::string& path, TimestampMs until) {
  by_path_.change(path, [until](FileWork& work) {
    work.busy = false;
    work.wait_until = until;
    ++work.failures;
  });
}

Ticket DiskWork::end(const std::string& path) {
  const std::optional<FileWork> work = by_path_.take(path);
  return work ? work->removal : Ticket{};
}

}  // namespace diaryx::sync
