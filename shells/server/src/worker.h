// A thread with a queue: takes everything that is waiting in one go.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace diaryx::server {

/// Runs batches of jobs on one thread, in the order in which they were posted. The destructor runs what is left.
template <typename Job>
class Worker {
 public:
  using Batch = std::vector<Job>;

  explicit Worker(std::function<void(Batch)> run) : run_(std::move(run)), thread_([this] { loop(); }) {}

  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Safe from every thread.
  void post(Job job) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

 private:
  void loop() {
    while (true) {
      Batch batch;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        batch.swap(waiting_);
      }
      run_(std::move(batch));
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  Batch waiting_;          // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::function<void(Batch)> run_;
  std::thread thread_;  // last: starts when everything above is ready
};

}  // namespace diaryx::server
