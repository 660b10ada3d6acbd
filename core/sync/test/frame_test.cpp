#include "diaryx/sync/frame.h"

#include <gtest/gtest.h>

#include "diaryx/base/base64.h"

namespace diaryx::sync {
namespace {

// The worked examples of docs/protocol.md, E1 to E10.
const std::string kWorkspaceHex = "0d776f726b73706163653a777331";
const std::string kBodyHex = "13626f64793a7773312f6e6f7465732f612e6d64";
constexpr std::string_view kWorkspaceId = "workspace:ws1";
constexpr std::string_view kBodyId = "body:ws1/notes/a.md";
const std::string kInsertHello = "01010100040104626f64790548656c6c6f00";
const std::string kHelloToHelp = "010101058401040270210101010302";

Bytes hex(std::string_view digits) {
  const auto bytes = from_hex(digits);
  EXPECT_TRUE(bytes) << digits;
  return bytes.value_or(Bytes{});
}

std::string to_text(const Result<Bytes>& frame) { return frame ? to_hex(*frame) : describe(frame.error()); }

struct ExampleCase {
  const char* name;
  std::string_view doc_id;
  std::string frame_hex;
  std::vector<std::pair<char, std::string>> messages;  // 1, 2, u, a and the content in hex
};

std::pair<char, std::string> summary(const Message& message) {
  if (const auto* m = std::get_if<SyncStep1>(&message)) return {'1', to_hex(m->state_vector)};
  if (const auto* m = std::get_if<SyncStep2>(&message)) return {'2', to_hex(m->update)};
  if (const auto* m = std::get_if<Update>(&message)) return {'u', to_hex(m->update)};
  if (const auto* m = std::get_if<Awareness>(&message)) return {'a', to_hex(m->update)};
  if (const auto* m = std::get_if<PermissionDenied>(&message)) return {'d', std::string(m->reason)};
  return {'q', ""};
}

class FrameExample : public testing::TestWithParam<ExampleCase> {};

TEST_P(FrameExample, IsReadAndWrittenToTheByte) {
  const Bytes bytes = hex(GetParam().frame_hex);
  const auto frame = decode_frame(bytes);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->doc_id, GetParam().doc_id);
  const auto messages = parse_messages(frame->payload);
  ASSERT_TRUE(messages) << describe(messages.error());
  ASSERT_EQ(messages->size(), GetParam().messages.size());
  Writer payload;
  for (size_t i = 0; i < messages->size(); ++i) {
    EXPECT_EQ(summary((*messages)[i]), GetParam().messages[i]);
    write_message(payload, (*messages)[i]);
  }
  EXPECT_EQ(to_text(encode_frame(GetParam().doc_id, payload.view())), GetParam().frame_hex);
}

std::string metadata_example() {
  const std::string json =
      R"({"filename":"a.md","title":"A","part_of":null,"contents":null,"attachments":[],"deleted":false,)"
      R"("audience":null,"description":null,"extra":{},"modified_at":1700000000000})";
  return "0101010028010566696c657304612e6d640177a901" + to_hex(as_bytes(json)) + "00";
}

INSTANTIATE_TEST_SUITE_P(
    Frame, FrameExample,
    testing::Values(
        ExampleCase{"E1", kWorkspaceId, kWorkspaceHex + "00000100", {{'1', "00"}}},
        ExampleCase{"E2", kBodyId, kBodyHex + "00000100", {{'1', "00"}}},
        ExampleCase{"E3", kBodyId, kBodyHex + "010100", {{'a', "00"}}},
        ExampleCase{"E4", kBodyId, kBodyHex + "0001020000", {{'2', "0000"}}},
        ExampleCase{"E5", kBodyId, kBodyHex + "000212" + kInsertHello, {{'u', kInsertHello}}},
        ExampleCase{"E6", kBodyId, kBodyHex + "00020f" + kHelloToHelp, {{'u', kHelloToHelp}}},
        ExampleCase{"E7", kBodyId, kBodyHex + "000003010107", {{'1', "010107"}}},
        ExampleCase{"E8", kWorkspaceId, kWorkspaceHex + "0002bf01" + metadata_example(), {{'u', metadata_example()}}},
        ExampleCase{
            "E9", kWorkspaceId, kWorkspaceHex + "0001020000" + "000003010101", {{'2', "0000"}, {'1', "010101"}}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Frame, E8HasTheLengthThatTheTextStates) {
  EXPECT_EQ(hex(kWorkspaceHex + "0002bf01" + metadata_example()).size(), 209u);
}

TEST(Frame, BuildsTheReplyOfE9FromItsMessages) {
  const Bytes vector = hex("010101");
  EXPECT_EQ(to_text(encode_frame(kWorkspaceId, {SyncStep2{kEmptyUpdate}, SyncStep1{vector}})),
            kWorkspaceHex + "0001020000" + "000003010101");
  EXPECT_EQ(to_text(encode_frame(kWorkspaceId, {SyncStep1{kEmptyStateVector}})), kWorkspaceHex + "00000100");
  EXPECT_EQ(to_text(encode_frame(kBodyId, {Awareness{kEmptyAwareness}})), kBodyHex + "010100");
}

// The bytes that y-protocols itself writes (tests/vectors, 09-protocols).
TEST(Message, AgreesWithYProtocols) {
  const auto only = [](std::string_view payload_hex) {
    const Bytes bytes = hex(payload_hex);
    const auto messages = parse_messages(bytes);
    EXPECT_TRUE(messages && messages->size() == 1) << payload_hex;
    return messages && messages->size() == 1 ? summary(messages->front()) : std::pair<char, std::string>{'?', ""};
  };
  EXPECT_EQ(only("000003010102"), (std::pair<char, std::string>{'1', "010102"}));
  EXPECT_EQ(only("00020c010101000401017402686900"), (std::pair<char, std::string>{'u', "010101000401017402686900"}));
  EXPECT_EQ(only("0200026e6f"), (std::pair<char, std::string>{'d', "no"}));
  EXPECT_EQ(only("03"), (std::pair<char, std::string>{'q', ""}));
}

TEST(Message, T6AwarenessIsSkippedWholeThoughItLooksLikeSync) {
  // The awareness update itself holds the bytes of an Update message; what follows it is a real SyncStep1.
  const Bytes payload =
      hex("0105"
          "0002020000"
          "00000100");
  const auto messages = parse_messages(payload);
  ASSERT_TRUE(messages);
  ASSERT_EQ(messages->size(), 2u);
  EXPECT_EQ(summary((*messages)[0]), (std::pair<char, std::string>{'a', "0002020000"}));
  EXPECT_EQ(summary((*messages)[1]), (std::pair<char, std::string>{'1', "00"}));
}

TEST(Message, T10ReadsARelabelledReplyWithItsSecondMessage) {
  const Bytes payload =
      hex("0002020000"
          "000003010101");
  const auto messages = parse_messages(payload);
  ASSERT_TRUE(messages);
  EXPECT_EQ(messages->size(), 2u);
}

struct BrokenCase {
  const char* name;
  std::string payload_hex;
  ErrorCode code;
};

class BrokenPayload : public testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenPayload, IsRefusedWhole) {
  const Bytes payload = hex(GetParam().payload_hex);
  const auto messages = parse_messages(payload);
  ASSERT_FALSE(messages);
  EXPECT_EQ(messages.error().code, GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(Message, BrokenPayload,
                         testing::Values(BrokenCase{"tag_only", "00", ErrorCode::Truncated},
                                         BrokenCase{"no_length", "0000", ErrorCode::Truncated},
                                         BrokenCase{"content_cut", "00000200", ErrorCode::Truncated},
                                         BrokenCase{"length_beyond_memory", "0002ffffffffffffff0f",
                                                    ErrorCode::Truncated},
                                         BrokenCase{"unknown_tag", "04", ErrorCode::UnknownTag},
                                         BrokenCase{"unknown_sync_tag", "000300", ErrorCode::UnknownTag},
                                         BrokenCase{"unknown_auth_tag", "0201", ErrorCode::UnknownTag},
                                         BrokenCase{"bad_after_good", "0001020000ff01", ErrorCode::UnknownTag}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Message, CountIsLimited) {
  Bytes payload(kMaxMessagesPerPayload, 3);
  EXPECT_EQ(parse_messages(payload)->size(), kMaxMessagesPerPayload);
  payload.push_back(3);
  EXPECT_EQ(parse_messages(payload).error().code, ErrorCode::TooLarge);
}

TEST(Frame, RefusesWhatIsTooShortOrNotText) {
  EXPECT_EQ(decode_frame({}).error().code, ErrorCode::Truncated);
  EXPECT_EQ(decode_frame(hex("0261")).error().code, ErrorCode::Truncated);
  EXPECT_EQ(decode_frame(hex("01ff00")).error().code, ErrorCode::InvalidUtf8);
  EXPECT_TRUE(decode_frame(hex("0161"))->payload.empty());
}

TEST(Frame, T26RefusesIdsThatDoNotFitTheLengthByte) {
  const std::string widest(255, 'x');
  EXPECT_EQ((*encode_frame(widest, {SyncStep1{kEmptyStateVector}}))[0], 255);
  EXPECT_EQ(encode_frame(widest + "x", {SyncStep1{kEmptyStateVector}}).error().code, ErrorCode::DocIdTooLong);
  EXPECT_EQ(encode_frame("", ByteView{}).error().code, ErrorCode::InvalidDocId);
}

TEST(FrameDeathTest, AnUpdateBehindAnotherMessageIsOurOwnBug) {
  EXPECT_DEATH((void)encode_frame("a", {SyncStep1{kEmptyStateVector}, Update{kEmptyUpdate}}), "");
}

TEST(Awareness, ListsClients) {
  const Bytes update =
      hex("0101"
          "01"
          "047b22617d");
  ASSERT_TRUE(parse_awareness(update));
  EXPECT_EQ((*parse_awareness(update))[0].client, 1u);
  EXPECT_EQ((*parse_awareness(update))[0].state, "{\"a}");
  EXPECT_TRUE(parse_awareness(kEmptyAwareness)->empty());
  EXPECT_EQ(parse_awareness(hex("0000")).error().code, ErrorCode::TrailingBytes);
  EXPECT_EQ(parse_awareness(hex("ffffffff0f")).error().code, ErrorCode::TooLarge);
  EXPECT_EQ(parse_awareness(hex("0101")).error().code, ErrorCode::Truncated);
}

}  // namespace
}  // namespace diaryx::sync
