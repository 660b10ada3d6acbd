// WebSocket messages on their way out, in order. Pure: what is sent is told to it.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "diaryx/base/bytes.h"
#include "websocket_frames.h"

namespace diaryx::server {

class FrameQueue {
 public:
  /// A view into what others may hold too.
  struct Message {
    std::shared_ptr<const void> owner;
    const uint8_t* data;
    size_t size_bytes;
    Opcode opcode;
  };
  /// Beside its bytes, so that many empty messages are bounded too.
  static constexpr size_t kPerMessageBytes = 64;

  void push(Message message);
  bool is_empty() const { return next_ == messages_.size(); }
  bool holds_pong() const { return pongs_ != 0; }
  /// What waits, with `kPerMessageBytes` each.
  uint64_t size_bytes() const { return size_bytes_; }

  /// What one system call sends: fronts of frames and bodies in turn.
  struct Parts {
    static constexpr size_t kMost = 128;
    std::array<iovec, kMost> all;
    size_t count = 0;
    size_t size_bytes = 0;
    std::array<std::array<uint8_t, kMaxFrontBytes>, kMost / 2> fronts;
  };
  /// Fills `parts`, which point into themselves and into the queue.
  void gather(Parts& parts) const;
  /// So many bytes of what was gathered were sent.
  void take_sent(size_t size_bytes);

  /// For a stream that is better given one piece of memory: whole frames of some `max_bytes` together, copied. A message that is
  /// larger goes alone: its front is copied, and its body stays where it is.
  struct Copied {
    size_t messages = 0;
    ByteView body;
  };
  Copied copy_some(Bytes& out, size_t max_bytes) const;
  /// The first `messages` were sent.
  void pop(size_t messages);

 private:
  std::vector<Message> messages_;  // from `next_` on
  size_t next_ = 0;
  size_t sent_of_next_ = 0;  // bytes of its frame
  uint64_t size_bytes_ = 0;
  uint32_t pongs_ = 0;
};

}  // namespace diaryx::server
