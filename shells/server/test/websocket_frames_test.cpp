#include "websocket_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace diaryx::server {
namespace {

/// A frame as a client sends it.
Bytes frame(uint8_t first, std::string_view body, std::array<uint8_t, 4> mask = {0x11, 0x22, 0x33, 0x44}) {
  Bytes out{first};
  const auto masked = [](size_t size) { return static_cast<uint8_t>(0x80 | size); };
  if (body.size() < 126) {
    out.push_back(masked(body.size()));
  } else if (body.size() <= 0xffff) {
    out.insert(out.end(), {masked(126), static_cast<uint8_t>(body.size() >> 8), static_cast<uint8_t>(body.size())});
  } else {
    out.push_back(masked(127));
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(uint64_t{body.size()} >> shift));
  }
  out.insert(out.end(), mask.begin(), mask.end());
  for (size_t i = 0; i < body.size(); ++i) out.push_back(static_cast<uint8_t>(body[i]) ^ mask[i % 4]);
  return out;
}

constexpr uint8_t kText = 0x81;
constexpr uint8_t kBinary = 0x82;

/// Everything the reader says when it is fed `bytes` in pieces of `piece`: "opcode:body", and "fault code" at the end of all.
std::vector<std::string> read_with(bool anew, const Bytes& bytes, size_t piece, size_t limit) {
  FrameReader reader({limit, limit});
  std::vector<std::string> said;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    Bytes fed(bytes.begin() + static_cast<ptrdiff_t>(at),
              bytes.begin() + static_cast<ptrdiff_t>(std::min(bytes.size(), at + piece)));
    reader.feed(fed);
    while (true) {
      const auto next = reader.next();
      if (!next) {
        said.push_back("fault " + std::to_string(static_cast<uint16_t>(next.error())));
        return said;
      }
      if (!*next) break;
      said.push_back(std::to_string(static_cast<int>((*next)->opcode)) + ":" + std::string(as_text((*next)->bytes)));
    }
    if (anew && reader.is_between_frames()) reader = FrameReader({limit, limit});
  }
  return said;
}

/// A session has no reader between frames: it must not matter.
std::vector<std::string> read(const Bytes& bytes, size_t piece, size_t limit = 1u << 20) {
  auto said = read_with(false, bytes, piece, limit);
  EXPECT_EQ(said, read_with(true, bytes, piece, limit));
  return said;
}

TEST(FrameReader, SaysWhenANewOneWouldGoOnInTheSameWay) {
  FrameReader reader({100, 100});
  EXPECT_TRUE(reader.is_between_frames());
  const auto feed = [&](Bytes bytes) {
    reader.feed(bytes);
    while (*reader.next()) {
    }
    return reader.is_between_frames();
  };
  const Bytes whole = frame(kText, "hello");
  EXPECT_TRUE(feed(whole));
  EXPECT_FALSE(feed(Bytes(whole.begin(), whole.begin() + 3)));
  EXPECT_TRUE(feed(Bytes(whole.begin() + 3, whole.end())));
  EXPECT_FALSE(feed(frame(0x01, "")));  // a fragment without a body
  EXPECT_FALSE(feed(frame(0x89, "ping")));
  EXPECT_TRUE(feed(frame(0x80, "")));
  Bytes rest = whole;
  reader.feed(rest);
  reader.keep_rest();
  EXPECT_FALSE(reader.is_between_frames());
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST(WebSocketFrames, AreTheSameHoweverTheyAreCut) {
  const std::string middle(300, 'm');
  const std::string large(70'000, 'x');
  const Bytes stream = frame(kBinary, "one") + frame(kText, "zw\u00f6lf") + frame(0x89, "ping") + frame(kBinary, "") +
                       frame(kBinary, middle) + frame(0x02, "first ") + frame(0x8a, "") + frame(0x00, "second ") +
                       frame(0x80, "third") + frame(kBinary, large);
  const std::vector<std::string> whole = read(stream, stream.size());
  EXPECT_EQ(whole, (std::vector<std::string>{"2:one", "1:zw\u00f6lf", "9:ping", "2:", "2:" + middle,
                                             "10:", "2:first second third", "2:" + large}));
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{5}, size_t{7}, size_t{64}, size_t{4096}}) {
    EXPECT_EQ(read(stream, piece), whole) << piece;
  }
}

struct Refused {
  const char* name;
  Bytes bytes;
  uint16_t code;
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.name; }

class RefusedFrames : public testing::TestWithParam<Refused> {};

TEST_P(RefusedFrames, EndWithTheirCode) {
  for (const size_t piece : {size_t{1}, size_t{1000}}) {
    EXPECT_THAT(read(GetParam().bytes, piece, 1000), testing::ElementsAre("fault " + std::to_string(GetParam().code)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    WebSocketFrames, RefusedFrames,
    testing::Values(Refused{"unmasked", {0x82, 0x01, 'a'}, 1002}, Refused{"reserved_bit", frame(0xc2, "a"), 1002},
                    Refused{"unknown_opcode", frame(0x83, "a"), 1002},
                    Refused{"unknown_control", frame(0x8b, "a"), 1002},
                    Refused{"fragmented_control", frame(0x09, "a"), 1002},
                    Refused{"long_control", frame(0x89, std::string(126, 'a')), 1002},
                    Refused{"continuation_of_nothing", frame(0x80, "a"), 1002},
                    Refused{"message_inside_a_message", frame(0x02, "a") + frame(kBinary, "b"), 1002},
                    Refused{"size_too_wide_16", {0x82, 0xfe, 0, 5, 0, 0, 0, 0}, 1002},
                    Refused{"size_too_wide_64", {0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}, 1002},
                    Refused{"beyond_the_limit", frame(kBinary, std::string(1001, 'a')), 1009},
                    Refused{"beyond_the_limit_in_fragments",
                            frame(0x02, std::string(600, 'a')) + frame(0x80, std::string(401, 'a')), 1009},
                    Refused{"more_than_there_is_memory",
                            {0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
                            1009},
                    Refused{"text_that_is_not_utf8", frame(kText, "\xff"), 1007}),
    [](const auto& info) { return info.param.name; });

// Of a message that is refused nothing but its head has come.
TEST(WebSocketFrames, RefusesATextBeyondTheLimitOfTextsAtItsHead) {
  const auto head_of = [](uint8_t first, std::string_view body) {
    Bytes head = frame(first, body);
    head.resize(head.size() - body.size());
    return head;
  };
  const auto said = [](Bytes bytes) {
    FrameReader reader({.binary_bytes = 1000, .text_bytes = 300});
    reader.feed(bytes);
    auto next = reader.next();
    while (next && *next) next = reader.next();
    return next ? 0 : static_cast<int>(next.error());
  };
  const std::string fits(300, 'a');
  const std::string too_long(301, 'a');
  EXPECT_EQ(said(head_of(kText, fits)), 0);
  EXPECT_EQ(said(head_of(kText, too_long)), 1009);
  EXPECT_EQ(said(head_of(kBinary, too_long)), 0);
  const std::string begun(200, 'a');
  EXPECT_EQ(said(frame(0x01, begun) + head_of(0x00, std::string(100, 'a'))), 0);
  EXPECT_EQ(said(frame(0x01, begun) + head_of(0x00, std::string(101, 'a'))), 1009);
  EXPECT_EQ(said(frame(0x01, begun) + frame(0x89, "ping") + head_of(0x80, std::string(101, 'a'))), 1009);
  EXPECT_EQ(said(frame(0x02, begun) + head_of(0x80, std::string(101, 'a'))), 0);
}

TEST(WebSocketFrames, TakesAMessageOfExactlyTheLimit) {
  const std::string body(1000, 'a');
  EXPECT_THAT(read(frame(kBinary, body), 77, 1000), testing::ElementsAre("2:" + body));
}

TEST(WebSocketFrames, KeepsTheRestOfWhatWasFed) {
  FrameReader reader({1000, 1000});
  Bytes fed = frame(kBinary, "one") + frame(kBinary, "two");
  Bytes tail(fed.end() - 2, fed.end());
  fed.resize(fed.size() - 2);
  reader.feed(fed);
  ASSERT_TRUE(reader.next()->has_value());
  reader.keep_rest();
  std::fill(fed.begin(), fed.end(), uint8_t{0});  // others read into it
  EXPECT_FALSE(reader.next()->has_value());
  reader.feed(tail);
  const auto next = reader.next();
  ASSERT_TRUE(next && *next);
  EXPECT_EQ(as_text((*next)->bytes), "two");
}

TEST(WebSocketFrames, WritesTheShortestFront) {
  const auto front = [](uint64_t size) {
    std::array<uint8_t, kMaxFrontBytes> out;
    const size_t count = write_frame_front(out, Opcode::Binary, size);
    return Bytes(out.begin(), out.begin() + static_cast<ptrdiff_t>(count));
  };
  EXPECT_EQ(front(0), (Bytes{0x82, 0}));
  EXPECT_EQ(front(125), (Bytes{0x82, 125}));
  EXPECT_EQ(front(126), (Bytes{0x82, 126, 0, 126}));
  EXPECT_EQ(front(65535), (Bytes{0x82, 126, 0xff, 0xff}));
  EXPECT_EQ(front(65536), (Bytes{0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
}

TEST(WebSocketFrames, CloseBodies) {
  EXPECT_EQ(close_body(1001, "ab"), (Bytes{0x03, 0xe9, 'a', 'b'}));
  EXPECT_EQ(close_body(1001, std::string(122, 'a') + "\u00f6").size(), 124u);  // not half a character
  EXPECT_EQ(close_code_of(close_body(4401, "no")), 4401);
  EXPECT_EQ(close_code_of({}), 1005);
  EXPECT_EQ(close_code_of(Bytes{0x03}), 1002);
  EXPECT_EQ(close_code_of(close_body(1006, "")), 1002);
  EXPECT_EQ(close_code_of(close_body(2999, "")), 1002);
}

TEST(WebSocketFrames, AcceptsTheKeyOfTheStandard) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_FALSE(websocket_accept("dGhlIHNhbXBsZSBub25jZQ"));
  EXPECT_FALSE(websocket_accept("c2hvcnQ="));
  EXPECT_FALSE(websocket_accept(""));
}

}  // namespace
}  // namespace diaryx::server
