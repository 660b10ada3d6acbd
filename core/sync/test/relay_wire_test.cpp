// The exchanges that existing clients rely on, byte for byte (docs/protocol.md, "Frames" and "Control messages").
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(RelayWire, SaysHelloFirst) {
  RelayBench bench;
  bench.handle(ConnectionOpened{ConnectionId{1}, share({}), Handshake::Full});
  EXPECT_THAT(bench.take(1),
              ElementsAre(R"({"type":"server_hello","name":"diaryx-syncd","version":"1","receipts":true})"));
}

TEST(RelayWire, OpensAnEmptyBodyWithThreeFrames) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(hex(kB + "00 00 01 00"), hex(kB + "01 01 00"), hex(kB + "00 01 02 00 00")));
  EXPECT_THAT(bench.appends, IsEmpty());
}

TEST(RelayWire, OpensAStoredBodyWithItsText) {
  RelayBench bench;
  bench.log[kBodyName] = {RelayBench::bytes(kHello)};
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  EXPECT_THAT(bench.take(1),
              ElementsAre(hex(kB + "00 00 03 01 01 05"), hex(kB + "01 01 00"), hex(kB + "00 01 12 " + kHello)));
}

TEST_F(RelayPair, RelaysASyncStep2AsAnUpdate) {
  bench.frame(1, kB + "00 01 12 " + kHello);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 12 " + kHello)));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 1)));
}

TEST(RelayWire, RelaysAnUpdateUnchangedAndNotBack) {
  RelayBench bench;
  bench.log[kBodyName] = {RelayBench::bytes(kHello)};
  bench.open(1);
  bench.open(2);
  bench.frame(1, kB + "00 00 01 00");
  bench.frame(2, kB + "00 00 01 00");
  bench.take(1);
  bench.take(2);
  bench.frame(1, kB + "00 02 0f " + kHelp);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 0f " + kHelp)));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 1)));
  EXPECT_EQ(bench.log[kBodyName].back(), RelayBench::bytes(kHelp));
}

// E8 without its JSON: client 1 sets `a.md` in `files` to a live entry.
std::string workspace_update() {
  const std::string json =
      R"({"filename":"a.md","title":"A","part_of":"README.md","contents":null,"attachments":[],"deleted":false,)"
      R"("audience":null,"description":null,"extra":{},"modified_at":1700000000000})";
  Writer out;
  out.raw(RelayBench::bytes("01 01 01 00 28 01 05 66 69 6c 65 73 0a 6e 6f 74 65 73 2f 61 2e 6d 64 01 77"));
  out.var_string(json);
  out.u8(0);
  return to_hex(out.view());
}

const std::string kManifest =
    R"({"type":"file_manifest","files":[{"doc_id":"body:ws1/notes/a.md","filename":"notes/a.md","title":"A",)"
    R"("part_of":"README.md","deleted":false}],"client_is_new":false})";

struct RelayHandshake : testing::Test {
  RelayHandshake() { bench.log["workspace:ws1"] = {RelayBench::bytes(workspace_update())}; }
  RelayBench bench;
};

TEST_F(RelayHandshake, SendsManifestThenStateThenOpens) {
  bench.open(1);
  bench.frame(1, kW + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(kManifest));
  bench.text(1, R"({"type":"FilesReady"})");
  const std::string state = R"({"type":"crdt_state","state":")" + to_base64(bench.log["workspace:ws1"][0]) + "\"}";
  EXPECT_THAT(bench.take(1), ElementsAre(state, R"({"type":"sync_complete","files_synced":1})",
                                         hex(kW + "00 00 03 01 01 01"), hex(kW + "01 01 00")));
}

TEST_F(RelayHandshake, RepeatsTheManifestAndDropsFramesWhilePending) {
  bench.open(1);
  bench.frame(1, kW + "00 00 01 00");
  bench.take(1);
  bench.frame(1, kW + "00 01 02 00 00");
  EXPECT_THAT(bench.take(1), ElementsAre(kManifest));
  bench.text(1, R"({"type":"files_ready"})");
  EXPECT_EQ(bench.take(1).size(), 4u);
  // The dropped frame counted for nothing: the first one now is number 1.
  bench.frame(1, kW + "00 01 02 00 00");
  EXPECT_THAT(bench.take(1), ElementsAre(saved("workspace:ws1", 1)));
}

TEST_F(RelayHandshake, AnswersFilesReadyWithoutAHandshakeFromTheOpenWorkspace) {
  bench.open(1);
  bench.text(1, R"({"type":"FilesReady"})");
  EXPECT_THAT(bench.take(1), ElementsAre(R"({"type":"sync_complete","files_synced":0})"));
  bench.frame(1, kW + "00 00 01 00");
  bench.text(1, R"({"type":"FilesReady"})");
  bench.take(1);
  bench.text(1, R"({"type":"FilesReady"})");
  const auto again = bench.take(1);
  ASSERT_EQ(again.size(), 2u);
  EXPECT_THAT(again[0], HasSubstr("crdt_state"));
  EXPECT_EQ(again[1], R"({"type":"sync_complete","files_synced":1})");
}

TEST_F(RelayHandshake, IsLeftOutWhenTheUrlSaysSo) {
  bench.open(1, Handshake::Lean);
  bench.frame(1, kW + "00 00 01 00");
  const auto answer = bench.take(1);
  ASSERT_EQ(answer.size(), 3u);
  EXPECT_EQ(answer[0], hex(kW + "00 00 03 01 01 01"));
  EXPECT_EQ(answer[1], hex(kW + "01 01 00"));
}

TEST_F(RelayHandshake, AnswersTheSecondMessageOfACombinedReply) {
  bench.open(1, Handshake::Lean);
  bench.open(2, Handshake::Lean);
  bench.frame(1, kW + "00 00 01 00");
  bench.frame(2, kW + "00 00 01 00");
  bench.take(1);
  bench.take(2);
  bench.frame(1, kW + "00 01 02 00 00 00 00 03 01 01 01");
  EXPECT_THAT(bench.take(1), ElementsAre(saved("workspace:ws1", 1), hex(kW + "00 01 02 00 00")));
  EXPECT_THAT(bench.take(2), IsEmpty());
}

TEST(RelayWire, OpensAWorkspaceWithoutFilesWithoutAHandshake) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kW + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(hex(kW + "00 00 01 00"), hex(kW + "01 01 00"), hex(kW + "00 01 02 00 00")));
}

TEST(RelayWire, TellsOthersWhoCameAndWent) {
  RelayBench bench;
  bench.open(1, Handshake::Full, "ann");
  bench.open(2, Handshake::Full, "ben");
  bench.frame(1, kB + "00 00 01 00");
  bench.take(1);
  bench.frame(2, kB + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(R"({"type":"peer_joined","guestId":"ben","peer_count":2})"));
  bench.text(2, R"({"action":"leave","doc":"body:ws1/notes/a.md"})");
  EXPECT_THAT(bench.take(1), ElementsAre(R"({"type":"peer_left","guestId":"ben","peer_count":1})"));
}

TEST(RelayWire, RelaysAwarenessAndTellsNewcomers) {
  RelayBench bench;
  bench.open(1);
  bench.open(2);
  bench.frame(1, kB + "00 00 01 00");
  bench.frame(2, kB + "00 00 01 00");
  bench.take(2);
  const std::string presence = "01 06 01 09 01 02 7b 7d";  // client 9, clock 1, {}
  bench.frame(1, kB + presence);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + presence)));
  bench.frame(2, kB + "03");
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + presence)));
  bench.close(1);
  bench.take(2);
  bench.frame(2, kB + "03");
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "01 01 00")));
}

}  // namespace
}  // namespace diaryx::sync::relay
