#include "frame_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace diaryx::server {
namespace {

FrameQueue::Message message(size_t size_bytes, Opcode opcode = Opcode::Binary) {
  auto bytes = std::make_shared<const Bytes>(size_bytes, static_cast<uint8_t>(size_bytes));
  return {bytes, bytes->data(), bytes->size(), opcode};
}

std::string frame_of(const FrameQueue::Message& message) {
  std::array<uint8_t, kMaxFrontBytes> front;
  const size_t size = write_frame_front(front, message.opcode, message.size_bytes);
  return std::string(front.begin(), front.begin() + static_cast<ptrdiff_t>(size)) +
         std::string(message.data, message.data + message.size_bytes);
}

std::string text_of(const FrameQueue::Parts& parts) {
  std::string text;
  for (size_t i = 0; i < parts.count; ++i)
    text.append(static_cast<const char*>(parts.all[i].iov_base), parts.all[i].iov_len);
  return text;
}

TEST(FrameQueue, SendsTheSameBytesHoweverManyASocketTakes) {
  for (const size_t taken : {1u, 2u, 3u, 7u, 130u, 5000u, 1u << 20}) {
    FrameQueue queue;
    std::string expected;
    for (size_t i = 0; i < 300; ++i) {
      const auto one = message(i % 7 == 0 ? 0 : i % 140);
      expected += frame_of(one);
      queue.push(one);
    }
    std::string sent;
    FrameQueue::Parts parts;
    while (!queue.is_empty()) {
      queue.gather(parts);
      const std::string offered = text_of(parts);
      ASSERT_EQ(offered.size(), parts.size_bytes);
      const size_t size = std::min(taken, offered.size());
      sent += offered.substr(0, size);
      queue.take_sent(size);
    }
    EXPECT_EQ(sent, expected) << taken;
    EXPECT_EQ(queue.size_bytes(), 0u);
  }
}

TEST(FrameQueue, CopiesWholeFramesAndLeavesALargeBodyWhereItIs) {
  FrameQueue queue;
  std::string expected;
  for (const size_t size : {10u, 80u, 50u, 101u, 0u, 100u, 300u}) {
    expected += frame_of(message(size));
    queue.push(message(size));
  }
  std::string sent;
  Bytes copied;
  while (!queue.is_empty()) {
    const auto some = queue.copy_some(copied, 100);
    ASSERT_GT(some.messages, 0u);
    EXPECT_LE(copied.size(), 100 + kMaxFrontBytes);
    EXPECT_TRUE(some.body.empty() || (some.messages == 1 && some.body.size() > 100));
    sent.append(copied.begin(), copied.end());
    sent.append(some.body.begin(), some.body.end());
    queue.pop(some.messages);
  }
  EXPECT_EQ(sent, expected);
}

TEST(FrameQueue, CountsWhatWaitsAndLetsGoOfWhatWasSent) {
  FrameQueue queue;
  const auto first = std::make_shared<const Bytes>(10, uint8_t{1});
  queue.push({first, first->data(), first->size(), Opcode::Binary});
  queue.push(message(0, Opcode::Pong));
  EXPECT_EQ(queue.size_bytes(), 10 + 2 * FrameQueue::kPerMessageBytes);
  EXPECT_TRUE(queue.holds_pong());
  queue.take_sent(11);
  EXPECT_EQ(first.use_count(), 2) << "a byte of it is still to be sent";
  queue.take_sent(1);
  EXPECT_EQ(first.use_count(), 1);
  EXPECT_TRUE(queue.holds_pong());
  EXPECT_EQ(queue.size_bytes(), FrameQueue::kPerMessageBytes);
  queue.take_sent(2);
  EXPECT_FALSE(queue.holds_pong());
  EXPECT_TRUE(queue.is_empty());
}

}  // namespace
}  // namespace diaryx::server
