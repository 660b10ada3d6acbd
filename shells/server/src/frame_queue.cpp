#include "frame_queue.h"

#include <algorithm>
#include <utility>

namespace diaryx::server {
namespace {

constexpr size_t kWorthMoving = 64;  // places of messages that were sent, before the rest moves up

}  // namespace

void FrameQueue::push(Message message) {
  size_bytes_ += message.size_bytes + kPerMessageBytes;
  if (message.opcode == Opcode::Pong) ++pongs_;
  messages_.push_back(std::move(message));
}

void FrameQueue::gather(Parts& parts) const {
  parts.count = 0;
  parts.size_bytes = 0;
  size_t skip = sent_of_next_;
  for (size_t i = next_; i < messages_.size() && parts.count + 2 <= Parts::kMost; ++i) {
    const Message& message = messages_[i];
    auto& front = parts.fronts[parts.count / 2];
    const size_t front_size = write_frame_front(front, message.opcode, message.size_bytes);
    const size_t front_skip = std::min(skip, front_size);
    const size_t body_skip = skip - front_skip;
    skip = 0;
    parts.all[parts.count++] = {front.data() + front_skip, front_size - front_skip};
    parts.all[parts.count++] = {const_cast<uint8_t*>(message.data) + body_skip, message.size_bytes - body_skip};
    parts.size_bytes += front_size - front_skip + message.size_bytes - body_skip;
  }
}

void FrameQueue::take_sent(size_t size_bytes) {
  size_t left = sent_of_next_ + size_bytes;
  size_t whole = 0;
  for (size_t i = next_; i < messages_.size(); ++i, ++whole) {
    std::array<uint8_t, kMaxFrontBytes> front;
    const Message& message = messages_[i];
    const size_t frame = write_frame_front(front, message.opcode, message.size_bytes) + message.size_bytes;
    if (left < frame) break;
    left -= frame;
  }
  sent_of_next_ = left;
  pop(whole);
}

FrameQueue::Copied FrameQueue::copy_some(Bytes& out, size_t max_bytes) const {
  out.clear();
  Copied copied;
  for (size_t i = next_; i < messages_.size(); ++i, ++copied.messages) {
    const Message& message = messages_[i];
    if (!out.empty() && out.size() + message.size_bytes > max_bytes) break;
    std::array<uint8_t, kMaxFrontBytes> front;
    const size_t front_size = write_frame_front(front, message.opcode, message.size_bytes);
    out.insert(out.end(), front.begin(), front.begin() + static_cast<ptrdiff_t>(front_size));
    if (message.size_bytes > max_bytes) return {.messages = 1, .body = ByteView(message.data, message.size_bytes)};
    out.insert(out.end(), message.data, message.data + message.size_bytes);
  }
  return copied;
}

void FrameQueue::pop(size_t messages) {
  for (size_t i = 0; i < messages; ++i) {
    Message& sent = messages_[next_ + i];
    size_bytes_ -= sent.size_bytes + kPerMessageBytes;
    if (sent.opcode == Opcode::Pong) --pongs_;
    sent.owner.reset();
  }
  next_ += messages;
  if (is_empty()) {
    messages_ = std::vector<Message>();  // most sockets are quiet
    next_ = 0;
  } else if (next_ > kWorthMoving && next_ > messages_.size() / 2) {
    messages_.erase(messages_.begin(), messages_.begin() + static_cast<ptrdiff_t>(next_));
    next_ = 0;
  }
}

}  // namespace diaryx::server
