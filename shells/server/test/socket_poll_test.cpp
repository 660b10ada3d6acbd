#include "socket_poll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "diaryx/native/unique_fd.h"

namespace diaryx::server {
namespace {

struct Ready {
  bool readable;
  bool writable;
  bool operator==(const Ready&) const = default;
};

/// One end of a connection that is waited for, and the other.
class Line : public Waiter {
 public:
  explicit Line(SocketPoll& poll) : poll_(poll) {
    int both[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both), 0);
    ours = native::UniqueFd(both[0]);
    theirs = native::UniqueFd(both[1]);
  }
  void want(uint8_t wanted) { EXPECT_TRUE(poll_.watch(ours.get(), *this, std::exchange(wants_, wanted), wanted)); }
  void close() {
    poll_.forget(ours.get(), *this, std::exchange(wants_, SocketPoll::kNothing));
    ours.reset();
  }
  void say() { EXPECT_EQ(::send(theirs.get(), "x", 1, 0), 1); }
  void ready(bool readable, bool writable) override {
    calls.push_back({readable, writable});
    char byte;
    if (readable && ours) (void)::recv(ours.get(), &byte, 1, 0);
    if (then) then();
  }

  native::UniqueFd ours;
  native::UniqueFd theirs;
  std::vector<Ready> calls;
  std::function<void()> then;

 private:
  SocketPoll& poll_;
  uint8_t wants_ = SocketPoll::kNothing;
};

class SocketPollTest : public testing::Test {
 protected:
  void SetUp() override { poll.start(); }
  void run() { context.poll(); }

  boost::asio::io_context context{1};
  SocketPoll poll{context.get_executor()};
};

TEST_F(SocketPollTest, CallsForWhatIsWantedAndNothingElse) {
  Line line(poll);
  run();
  line.say();
  run();
  EXPECT_THAT(line.calls, testing::IsEmpty()) << "nobody asked";
  line.want(SocketPoll::kRead);
  run();
  EXPECT_THAT(line.calls, testing::ElementsAre(Ready{true, false}));
  line.want(SocketPoll::kWrite);
  line.then = [&line] { line.want(SocketPoll::kNothing); };
  run();
  EXPECT_THAT(line.calls, testing::ElementsAre(Ready{true, false}, Ready{false, true}));
}

TEST_F(SocketPollTest, CallsAgainForWhatWasNotRead) {
  Line line(poll);
  line.want(SocketPoll::kRead);
  line.say();
  line.say();  // one byte is read at a time
  run();
  run();
  EXPECT_EQ(line.calls.size(), 2u);
}

TEST_F(SocketPollTest, TellsOfTheEndAsBothAndOfNothingThatNobodyWaitsFor) {
  Line line(poll);
  Line quiet(poll);
  line.want(SocketPoll::kWrite);
  line.then = [&line] { line.close(); };
  line.theirs.reset();
  quiet.theirs.reset();
  run();
  EXPECT_THAT(line.calls, testing::ElementsAre(Ready{true, true}));
  EXPECT_THAT(quiet.calls, testing::IsEmpty());
}

TEST_F(SocketPollTest, CallsNobodyWhomOneBeforeThemEnded) {
  auto one = std::make_unique<Line>(poll);
  auto other = std::make_unique<Line>(poll);
  // Whoever is called first ends both, with an event of the other in the same batch.
  size_t calls = 0;
  for (Line* line : {one.get(), other.get()}) {
    line->want(SocketPoll::kRead);
    line->say();
  }
  one->then = [&] {
    ++calls;
    other->close();
    other.reset();
  };
  other->then = [&] {
    ++calls;
    one->close();
    one.reset();
  };
  run();
  EXPECT_EQ(calls, 1u);
}

}  // namespace
}  // namespace diaryx::server
