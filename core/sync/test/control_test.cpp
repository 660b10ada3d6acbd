#include "diaryx/sync/control.h"

#include <gtest/gtest.h>

namespace diaryx::sync {
namespace {

struct ControlCase {
  const char* name;
  const char* text;
  ControlMessage message;
};

class Control : public testing::TestWithParam<ControlCase> {};

TEST_P(Control, IsReadAndWrittenToTheByte) {
  const auto message = parse_control(GetParam().text);
  ASSERT_TRUE(message) << describe(message.error());
  EXPECT_TRUE(*message == GetParam().message);
  EXPECT_EQ(format_control(GetParam().message), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Messages, Control,
    testing::Values(
        ControlCase{"session_joined",
                    R"({"type":"session_joined","joinCode":"AB12","workspaceId":"w","readOnly":true})",
                    SessionJoined{"AB12", "w", true}},
        ControlCase{"file_manifest",
                    R"({"type":"file_manifest","files":[{"doc_id":"body:w/a/b.md","filename":"a/b.md","title":"B",)"
                    R"("part_of":null,"deleted":false}],"client_is_new":false})",
                    FileManifest{{{"body:w/a/b.md", "a/b.md", "B", std::nullopt, false}}, false}},
        ControlCase{"crdt_state", R"({"type":"crdt_state","state":"AAA="})", CrdtState{{0, 0}}},
        ControlCase{"sync_complete", R"({"type":"sync_complete","files_synced":12})", SyncComplete{12}},
        ControlCase{"peer_joined", R"({"type":"peer_joined","guestId":"u","peer_count":2})", PeerJoined{"u", 2}},
        ControlCase{"peer_left", R"({"type":"peer_left","guestId":"u","peer_count":1})", PeerLeft{"u", 1}},
        ControlCase{"session_ended", R"({"type":"session_ended"})", SessionEnded{}},
        ControlCase{"read_only_changed", R"({"type":"read_only_changed","read_only":true})", ReadOnlyChanged{true}},
        ControlCase{"sync_progress", R"({"type":"sync_progress","completed":1,"total":9})", SyncProgress{1, 9}},
        ControlCase{"focus_list_changed", R"({"type":"focus_list_changed","files":["a.md"]})",
                    FocusListChanged{{"a.md"}}},
        ControlCase{"server_hello",
                    R"({"type":"server_hello","name":"diaryx-syncd","version":"0.2.0","receipts":true})",
                    ServerHello{"diaryx-syncd", "0.2.0", true}},
        ControlCase{"saved", R"({"type":"saved","doc":"body:w/a.md","received":3})", Saved{"body:w/a.md", 3}},
        ControlCase{"error", R"({"type":"error","doc":"body:w/a.md","code":"too_large","message":"Too long."})",
                    DocError{"body:w/a.md", "too_large", "Too long."}},
        ControlCase{"server_hello_with_changes",
                    R"({"type":"server_hello","name":"s","version":"1","receipts":true,"lineage":"l","changes":true})",
                    ServerHello{"s", "1", true, "l", true}},
        ControlCase{"changes",
                    R"({"type":"changes","workspace":"w","cursor":"l:9","known":true,"keys":["a.md","b/c.md"]})",
                    Changes{"w", "l:9", true, {"a.md", "b/c.md"}}},
        ControlCase{"client_hello", R"({"type":"client_hello","handshake":false})", ClientHello{false}},
        ControlCase{"changes_wanted", R"({"type":"changes_wanted","workspace":"w","cursor":"l:9"})",
                    ChangesWanted{"w", "l:9"}},
        ControlCase{"changes_wanted_without_cursor", R"({"type":"changes_wanted","workspace":"w"})",
                    ChangesWanted{"w", ""}},
        ControlCase{"files_ready", R"({"type":"FilesReady"})", FilesReady{}},
        ControlCase{"focus", R"({"type":"focus","files":["a.md","b.md"]})", Focus{{"a.md", "b.md"}}},
        ControlCase{"unfocus", R"({"type":"unfocus","files":[]})", Unfocus{{}}},
        ControlCase{"leave", R"({"action":"leave","doc":"body:w/a.md"})", Leave{"body:w/a.md"}},
        ControlCase{"save", R"({"action":"save","doc":"workspace:w"})", Save{"workspace:w"}},
        ControlCase{"ignored", R"({"type":"from_the_future"})", Ignored{"from_the_future"}}),
    [](const auto& info) { return std::string(info.param.name); });

// E12 of docs/protocol.md carries these 21 bytes.
TEST(ControlMessage, E12FilesReadyIsTheFormThatClientsSend) {
  EXPECT_EQ(format_control(FilesReady{}), R"({"type":"FilesReady"})");
  EXPECT_EQ(format_control(FilesReady{}).size(), 0x15u);
}

TEST(ControlMessage, FilesReadyIsReadInBothSpellings) {
  EXPECT_TRUE(*parse_control(R"({"type":"files_ready"})") == ControlMessage{FilesReady{}});
  EXPECT_TRUE(*parse_control(R"({"extra":1,"type":"FilesReady"})") == ControlMessage{FilesReady{}});
}

TEST(ControlMessage, DefaultsStandInForWhatMayBeLeftOut) {
  EXPECT_TRUE(*parse_control(R"({"type":"peer_joined"})") == ControlMessage{(PeerJoined{"", 0})});
  EXPECT_TRUE(*parse_control(R"({"type":"file_manifest"})") == ControlMessage{FileManifest{}});
  EXPECT_TRUE(*parse_control(R"({"type":"error"})") == ControlMessage{DocError{}});
}

TEST(ControlMessage, AManifestDropsOnlyTheEntriesThatMeanNothing) {
  const auto message = parse_control(
      R"({"type":"file_manifest","files":[1,{},{"doc_id":"body:w/a.md"},{"doc_id":"body:w/a.md","filename":"a.md"}]})");
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<FileManifest>(*message).files.size(), 1u);
}

TEST(ControlMessage, UnknownOnesAreIgnoredNotRefused) {
  for (const char* text : {"{}", "[]", "1", "null", R"({"type":7})", R"({"action":"dance","doc":"x"})",
                           R"({"type":"later","state":[]})"}) {
    const auto message = parse_control(text);
    ASSERT_TRUE(message) << text;
    EXPECT_TRUE(std::holds_alternative<Ignored>(*message)) << text;
  }
}

TEST(ControlMessage, BrokenOnesAreRefusedWithTheReason) {
  const auto code = [](std::string_view text) {
    const auto message = parse_control(text);
    return message ? ErrorCode{} : message.error().code;
  };
  EXPECT_EQ(code(""), ErrorCode::InvalidJson);
  EXPECT_EQ(code("{\"type\":"), ErrorCode::InvalidJson);
  EXPECT_EQ(code(R"({"type":"crdt_state"})"), ErrorCode::InvalidMessage);
  EXPECT_EQ(code(R"({"type":"crdt_state","state":"*"})"), ErrorCode::InvalidBase64);
  EXPECT_EQ(code(R"({"type":"sync_complete","files_synced":-1})"), ErrorCode::InvalidMessage);
  EXPECT_EQ(code(R"({"type":"sync_complete","files_synced":1.5})"), ErrorCode::InvalidMessage);
  EXPECT_EQ(code(R"({"type":"sync_progress","completed":1})"), ErrorCode::InvalidMessage);
  EXPECT_EQ(code(R"({"type":"focus_list_changed","files":[1]})"), ErrorCode::InvalidMessage);
  EXPECT_EQ(code(R"({"type":"saved","doc":"x"})"), ErrorCode::InvalidMessage);
  EXPECT_EQ(code(R"({"action":"leave"})"), ErrorCode::InvalidMessage);
}

}  // namespace
}  // namespace diaryx::sync
