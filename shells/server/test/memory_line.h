// How MemoryStorage answers: at once, or late, or with a failure that was asked for.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include "storage_result.h"

namespace diaryx::server {

inline std::unexpected<StorageError> no(StorageError::Kind kind, std::string why = "memory") {
  return std::unexpected(StorageError{kind, std::move(why)});
}

class MemoryLine {
 public:
  /// The next `count` writes answer `kind` and store nothing.
  void fail_writes(uint32_t count, StorageError::Kind kind) { failing_writes_ = {count, kind}; }
  void fail_reads(uint32_t count, StorageError::Kind kind) { failing_reads_ = {count, kind}; }
  /// A slow disk: answers wait for `release`.
  void hold() { holding_ = true; }
  void release(size_t count = SIZE_MAX) {
    for (; count > 0 && !waiting_.empty(); --count) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
    holding_ = holding_ && count == 0;
  }
  size_t waiting() const { return waiting_.size(); }
  /// Who asked is gone: what was done stays done, and nobody hears of it.
  void drop_answers() {
    waiting_.clear();
    holding_ = false;
  }

  /// `work` is StorageResult<T>().
  template <typename T, typename Work>
  void write(Reply<T> reply, Work work) {
    run(failing_writes_, std::move(reply), std::move(work));
  }
  template <typename T, typename Work>
  void read(Reply<T> reply, Work work) {
    run(failing_reads_, std::move(reply), std::move(work));
  }

 private:
  struct Failing {
    uint32_t count = 0;
    StorageError::Kind kind = StorageError::Kind::Unavailable;
  };

  template <typename T, typename Work>
  void run(Failing& failing, Reply<T> reply, Work work) {
    if (failing.count == 0) return answer<T>(std::move(reply), work());
    --failing.count;
    answer<T>(std::move(reply), no(failing.kind, "a fault was asked for"));
  }
  template <typename T>
  void answer(Reply<T> reply, StorageResult<T> result) {
    if (!holding_) return reply(std::move(result));
    waiting_.push_back([reply = std::move(reply), result = std::move(result)]() mutable { reply(std::move(result)); });
  }

  Failing failing_writes_;
  Failing failing_reads_;
  bool holding_ = false;
  std::deque<std::move_only_function<void()>> waiting_;
};

}  // namespace diaryx::server
