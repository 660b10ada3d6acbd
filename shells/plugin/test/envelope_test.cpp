#include "envelope.h"

#include <gtest/gtest.h>

namespace diaryx::plugin {
namespace {

Bytes text(std::string_view value) { return to_bytes(as_bytes(value)); }

TEST(Envelope, OfNothingIsTwoZeros) { EXPECT_EQ(encode_envelope({}).bytes, (Bytes{0, 0})); }

TEST(Envelope, HoldsTypeAndLengthLittleEndian) {
  EXPECT_EQ(encode_envelope({{ActionType::SendBinary, {1, 2, 3, 4}}}).bytes, (Bytes{1, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4}));
}

TEST(Envelope, ComesBackAsItWas) {
  const std::vector<EnvelopeAction> actions{{ActionType::SendBinary, {0xab}},
                                            {ActionType::SendText, text("hello")},
                                            {ActionType::DownloadSnapshot, text("ws-123")},
                                            {ActionType::EmitEvent, text("{}")}};
  EXPECT_EQ(decode_envelope(encode_envelope(actions).bytes), actions);
}

TEST(Envelope, RefusesWhatHostsRefuse) {
  EXPECT_EQ(decode_envelope(Bytes{1}).error().code, ErrorCode::Truncated);
  EXPECT_EQ(decode_envelope(Bytes{1, 0}).error().code, ErrorCode::Truncated);
  EXPECT_EQ(decode_envelope(Bytes{1, 0, 4, 0, 0, 0, 0}).error().code, ErrorCode::UnknownTag);
  EXPECT_EQ(decode_envelope(Bytes{1, 0, 0, 255, 255, 255, 255, 1}).error().code, ErrorCode::Truncated);
  EXPECT_EQ(decode_envelope(Bytes{1, 0, 1, 1, 0, 0, 0, 0xff}).error().code, ErrorCode::InvalidUtf8);
  EXPECT_TRUE(decode_envelope(Bytes{0, 0, 9}));
}

TEST(Envelope, NeverWrapsItsCountAndKeepsFramesLongest) {
  std::vector<EnvelopeAction> actions(70'000, {ActionType::EmitEvent, text("{}"), true});
  actions.push_back({ActionType::EmitEvent, text("[]")});
  actions.push_back({ActionType::SendBinary, {7}});
  const Envelope envelope = encode_envelope(actions);
  EXPECT_EQ(envelope.dropped, 70'000u);
  const auto kept = decode_envelope(envelope.bytes);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->size(), 2u);
  EXPECT_EQ(kept->back().payload, Bytes{7});

  const std::vector<EnvelopeAction> frames(kMaxEnvelopeActions + 1, {ActionType::SendBinary, {1}});
  EXPECT_EQ(encode_envelope(frames).dropped, 1u);
  EXPECT_EQ(decode_envelope(encode_envelope(frames).bytes)->size(), kMaxEnvelopeActions);
}

}  // namespace
}  // namespace diaryx::plugin
