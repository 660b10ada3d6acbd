#include "diaryx/crdt/sync_message.h"

#include <gtest/gtest.h>

#include "diaryx/base/base64.h"

namespace diaryx::crdt {
namespace {

Doc doc_with(uint64_t client, std::string_view text) {
  Doc doc({.client = ClientId{client}});
  Transaction txn = doc.transact();
  EXPECT_TRUE(doc.text("t").insert(txn, Utf16Offset{0}, text).has_value());
  (void)std::move(txn).commit();
  return doc;
}

SyncAnswer handle(Doc& doc, const Bytes& bytes) {
  auto answer = handle_sync(doc, SyncMessage::decode(bytes).value_or(SyncMessage{}));
  EXPECT_TRUE(answer.has_value());
  return std::move(*answer);
}

TEST(SyncMessage, BringsTwoPeersTogether) {
  Doc client = doc_with(1, "from the client ");
  Doc server = doc_with(2, "from the server ");
  const SyncAnswer to_client = handle(server, sync_step1(client));
  EXPECT_TRUE(handle(client, to_client.reply).commit.changed());
  const SyncAnswer to_server = handle(client, sync_step1(server));
  EXPECT_TRUE(handle(server, to_server.reply).commit.changed());
  EXPECT_EQ(client.encode_update_v1(), server.encode_update_v1());

  Transaction txn = client.transact();
  ASSERT_TRUE(client.text("t").insert(txn, Utf16Offset{0}, "and on ").has_value());
  const Commit commit = std::move(txn).commit();
  const SyncAnswer applied = handle(server, sync_update(commit.update_v1()));
  EXPECT_TRUE(applied.commit.touched("t"));
  EXPECT_TRUE(applied.reply.empty());
  EXPECT_EQ(client.encode_update_v1(), server.encode_update_v1());
}

TEST(SyncMessage, ThatIsRefusedChangesNothing) {
  Doc doc = doc_with(1, "text");
  const Bytes before = doc.encode_update_v1();
  for (const char* hex : {"000101", "0101ff", "0201ff", "020201ff", "0000"}) {
    const Bytes bytes = *from_hex(hex);
    const auto message = SyncMessage::decode(bytes);
    ASSERT_TRUE(message.has_value()) << hex;
    EXPECT_FALSE(handle_sync(doc, *message).has_value()) << hex;
    EXPECT_EQ(doc.encode_update_v1(), before);
  }
}

struct MessageCase {
  const char* name;
  const char* hex;
  ErrorCode error;
};
class SyncMessageBytes : public testing::TestWithParam<MessageCase> {};
class AuthMessageBytes : public testing::TestWithParam<MessageCase> {};
std::string case_name(const testing::TestParamInfo<MessageCase>& info) { return info.param.name; }

TEST_P(SyncMessageBytes, AreReadStrictly) {
  const Bytes bytes = *from_hex(GetParam().hex);
  const auto message = SyncMessage::decode(bytes);
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error().code, GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(Cases, SyncMessageBytes,
                         testing::Values(MessageCase{"no_kind", "", ErrorCode::Truncated},
                                         MessageCase{"kind_three", "030100", ErrorCode::UnknownTag},
                                         MessageCase{"no_payload", "00", ErrorCode::Truncated},
                                         MessageCase{"payload_cut", "000501", ErrorCode::Truncated},
                                         MessageCase{"bytes_behind_it", "0001000a", ErrorCode::TrailingBytes}),
                         case_name);

TEST_P(AuthMessageBytes, AreReadStrictly) {
  const Bytes bytes = *from_hex(GetParam().hex);
  const auto message = AuthMessage::decode(bytes);
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error().code, GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(Cases, AuthMessageBytes,
                         testing::Values(MessageCase{"no_kind", "", ErrorCode::Truncated},
                                         MessageCase{"kind_two", "02", ErrorCode::UnknownTag},
                                         MessageCase{"no_reason", "00", ErrorCode::Truncated},
                                         MessageCase{"reason_is_not_utf8", "0001ff", ErrorCode::InvalidUtf8},
                                         MessageCase{"bytes_behind_it", "0100", ErrorCode::TrailingBytes}),
                         case_name);

TEST(AuthMessage, IsWrittenAsItWasRead) {
  EXPECT_EQ(to_hex(AuthMessage{AuthMessage::Kind::Granted, "ignored"}.encode()), "01");
  const Bytes granted = {1};
  EXPECT_EQ(AuthMessage::decode(granted)->kind, AuthMessage::Kind::Granted);
}

}  // namespace
}  // namespace diaryx::crdt
