#include "replica/uploads.h"

#include <vector>

namespace diaryx::sync {

const Upload* Uploads::find(const std::string& path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : &found->second;
}

void Uploads::put(const std::string& path, const Upload& upload) {
  erase(path);
  by_path_.emplace(path, upload);
  moments_.move(path, {}, upload.wait_until);
  if (upload.busy) {
    ++busy_;
  } else if (!upload.failed_finally && !upload.wait_until) {
    ready_.insert(path);
  }
}

void Uploads::erase(const std::string& path) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return;
  moments_.move(path, found->second.wait_until, {});
  if (found->second.busy) --busy_;
  ready_.erase(path);
  by_path_.erase(found);
}

const Uploads::ByPath::value_type* Uploads::start_next(size_t most) {
  if (busy_ >= most || ready_.empty()) return nullptr;
  const auto next = by_path_.find(*ready_.begin());
  ready_.erase(ready_.begin());
  next->second.busy = true;
  ++busy_;
  return &*next;
}

void Uploads::wake(TimestampMs now) {
  for (const std::string& path : moments_.take_due(now)) {
    Upload upload = *find(path);
    upload.wait_until.reset();
    put(path, upload);
  }
}

void Uploads::forget_answers() {
  busy_ = 0;
  for (auto& [path, upload] : by_path_) {
    if (std::exchange(upload.busy, false)) ready_.insert(path);
  }
}

}  // namespace diaryx::sync
