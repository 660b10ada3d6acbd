// The traps that this protocol is known for, one test each; docs/traps.md lists them all and says where each is answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/sync/history_restore.h"
#include "diaryx/testing/world.h"
#include "talk.h"

namespace diaryx::sync {
namespace {

using diaryx::testing::World;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using Files = std::map<std::string, std::string>;

World in_step(const Files& files, size_t devices = 2) {
  World world{5, {.devices = devices}};
  for (const auto& [path, bytes] : files) world.device(0).user_writes(path, bytes);
  EXPECT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  return world;
}

void come_to_rest(World& world) {
  ASSERT_TRUE(world.run_until_quiet());
  ASSERT_EQ(world.first_difference(), "");
}

/// Steps in which some devices stay offline.
void pass_without(World& world, std::initializer_list<size_t> offline) {
  for (int i = 0; i < 100; ++i) {
    for (const size_t device : offline) world.device(device).go_offline();
    world.step();
  }
}

/// A replica in step with a server that has these files, whatever they say.
Talk talk_with(const std::vector<std::string>& keys) {
  Talk talk;
  for (const std::string& key : keys) talk.list(key, "text\n");
  talk.connect();
  for (const std::string& key : keys) talk.answer_body(key);
  talk.forget();
  return talk;
}

// --- metadata -------------------------------------------------------------------------------------------------------

TEST(Trap, T4EditsOfTwoFieldsAtOnceBothStay) {
  World world = in_step({{"a.md", "---\ntitle: Old\nmood: calm\n---\nBody\n"}});
  world.device(0).go_offline();
  world.device(1).go_offline();
  world.device(0).user_writes("a.md", "---\ntitle: New\nmood: calm\n---\nBody\n");
  world.device(1).user_writes("a.md", "---\ntitle: Old\nmood: glad\n---\nBody\n");
  pass_without(world, {0, 1});
  come_to_rest(world);
  EXPECT_EQ(world.device(0).disk().read("a.md"), "---\ntitle: New\nmood: glad\n---\nBody\n");
  // What programs see that read the entry alone: corrected a moment later, when the two heads are one.
  for (int i = 0; i < 2'000; ++i) world.step();
  for (const size_t device : {0, 1}) {
    const std::optional<FileMetadata> entry = world.device(device).replica().metadata("a.md");
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->title, "New");
    EXPECT_THAT(format_metadata(*entry), HasSubstr(R"("mood":"glad")"));
  }
}

TEST(Trap, T5OneChangedTitleSendsOneEntry) {
  Talk talk;
  for (int i = 0; i < 300; ++i) talk.list("note" + std::to_string(i) + ".md", "text\n");
  talk.connect();
  talk.answer_all();
  talk.forget();
  talk.user_writes("note7.md", "---\ntitle: Seven\n---\ntext\n");
  size_t of_workspace = 0;
  for (const auto& [doc, update] : talk.updates) {
    if (doc != "workspace:ws1") continue;
    ++of_workspace;
    EXPECT_LT(update.size(), 600u);
  }
  EXPECT_EQ(of_workspace, 1u);
}

TEST(Trap, T13AnEntryUnderAnIdIsKeptAndWritesNoFile) {
  Talk talk;
  const std::string id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  talk.list(id, "text\n");
  talk.list("a.md", "text\n");
  talk.connect();
  EXPECT_THAT(talk.asked, ElementsAre("a.md"));
  talk.answer_body("a.md");
  EXPECT_THAT(talk.disk, SizeIs(1));
  EXPECT_THAT(talk.problems, ElementsAre(HasSubstr(id)));
  talk.user_writes("b.md", "mine\n");
  for (const auto& [doc, update] : talk.updates) ASSERT_TRUE(talk.doc(doc).apply_update_v1(update));
  EXPECT_TRUE(talk.doc("workspace:ws1").map("files").get_string(id));
}

TEST(Trap, T23TimesAreThoseOfTheShell) {  // A15
  Talk talk = talk_with({});
  talk.now = TimestampMs{1'764'000'000'123};
  talk.user_writes("a.md", "text\n");
  talk.answer_body("a.md");
  ASSERT_TRUE(talk.replica.metadata("a.md"));
  EXPECT_EQ(talk.replica.metadata("a.md")->modified_at, TimestampMs{1'764'000'000'123});
}

// --- messages -------------------------------------------------------------------------------------------------------

TEST(Trap, T6PresenceThatLooksLikeAnUpdateIsNone) {
  Talk talk = talk_with({"a.md"});
  // Presence of client 7 whose state is text made of sync messages, then a real update in the same payload.
  const Bytes state = {'"', 0x00, 0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, '"'};
  Writer presence;
  presence.var_uint(1);
  presence.var_uint(7);
  presence.var_uint(1);
  presence.var_bytes(state);
  const Bytes shown = presence.take();
  const Bytes update = talk.type("a.md", "more\n");
  Writer payload;
  write_message(payload, Awareness{shown});
  write_message(payload, AwarenessQuery{});
  write_message(payload, Update{update});
  const Bytes bytes = payload.take();
  talk.feed(BinaryReceived{*encode_frame("body:ws1/a.md", ByteView(bytes))});
  EXPECT_EQ(talk.disk["a.md"], "text\nmore\n");
  EXPECT_THAT(talk.problems, IsEmpty());
  EXPECT_THAT(talk.updates, IsEmpty());
}

TEST(Trap, T7SyncedWaitsForTheAnswerNotForAnyFrame) {
  Talk talk;
  talk.list("a.md", "text\n");
  talk.list("b.md", "text\n");
  talk.connect();
  talk.greet("body:ws1/a.md");
  talk.frame("body:ws1/a.md", {Awareness{kEmptyAwareness}});
  talk.answer_body("b.md");
  EXPECT_THAT(talk.states, Not(Contains(SyncState::Synced)));
  talk.answer("body:ws1/a.md");
  EXPECT_THAT(talk.states, Contains(SyncState::Synced));
}

TEST(Trap, T8ARefusedDocumentIsReportedAndTriedAgainAndTheOthersGoOn) {
  Talk talk;
  for (const char* key : {"a.md", "b.md"}) talk.list(key, "text\n");
  talk.connect();
  talk.text(DocError{"body:ws1/a.md", "unauthorized", "You may not open this document."});
  EXPECT_THAT(talk.problems, ElementsAre(HasSubstr("You may not open this document.")));
  talk.answer_body("b.md");
  EXPECT_EQ(talk.disk["b.md"], "text\n");
  talk.asked.clear();
  talk.pass(10'001);
  EXPECT_THAT(talk.asked, IsEmpty()) << "what was refused waits longer than what was not answered";
  talk.pass(20'001);
  EXPECT_THAT(talk.asked, ElementsAre("a.md"));
  talk.answer_body("a.md");
  EXPECT_EQ(talk.disk["a.md"], "text\n");
  EXPECT_THAT(talk.states, Contains(SyncState::Synced));
}

TEST(Trap, T8ADocumentThatIsNotAnsweredIsAskedForAgain) {  // A25
  Talk talk;
  for (const char* key : {"a.md", "b.md"}) talk.list(key, "text\n");
  talk.connect();
  talk.answer_body("b.md");
  EXPECT_EQ(talk.disk["b.md"], "text\n");
  talk.asked.clear();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(talk.replica.next_deadline());
    EXPECT_LE(*talk.replica.next_deadline(), talk.now + DurationMs{10'000});
    talk.pass(10'001);
  }
  EXPECT_THAT(talk.asked, ElementsAre("a.md", "a.md", "a.md"));
  EXPECT_THAT(talk.problems, ElementsAre(HasSubstr("does not answer")));
  talk.user_writes("b.md", "text\nedited meanwhile\n");
  EXPECT_THAT(talk.updates, SizeIs(::testing::Ge(1u)));
  talk.answer_body("a.md");
  EXPECT_EQ(talk.disk["a.md"], "text\n");
}

TEST(Trap, T10ARelayedReplyOfAnotherClientIsReadWholeAndItsQuestionAnswered) {
  Talk talk = talk_with({"a.md"});
  const Bytes update = talk.type("a.md", "more\n");
  const Bytes theirs = {0};
  talk.frame("body:ws1/a.md", {Update{update}, SyncStep1{theirs}});
  EXPECT_EQ(talk.disk["a.md"], "text\nmore\n");
  // The answer to a stranger's question is a whole state: more than wanted, and harmless.
  ASSERT_EQ(talk.updates.size(), 1u);
  ASSERT_TRUE(talk.doc("body:ws1/a.md").apply_update_v1(talk.updates[0].second));
  EXPECT_EQ(talk.doc("body:ws1/a.md").text("body").to_string(), "text\nmore\n");
  EXPECT_THAT(talk.problems, IsEmpty());
}

TEST(Trap, T11ADeletionMadeOfflineReachesEverybody) {
  World world = in_step({{"a.md", "one\ntwo\nthree\n"}});
  world.device(0).go_offline();
  world.device(0).user_writes("a.md", "one\nthree\n");
  pass_without(world, {0});
  come_to_rest(world);
  EXPECT_EQ(world.device(1).disk().read("a.md"), "one\nthree\n");
}

TEST(Trap, T12ADeletionIsSentThoughBothStateVectorsAreEqual) {
  Talk talk = talk_with({"a.md"});
  talk.feed(Disconnected{});
  talk.user_writes("a.md", "ext\n");
  talk.pass(300);  // a program might still be writing it
  talk.connect("");
  talk.updates.clear();
  talk.answer_body("a.md");
  ASSERT_EQ(talk.updates.size(), 1u);
  crdt::Doc& body = talk.doc("body:ws1/a.md");
  const crdt::StateVector before = body.state_vector();
  ASSERT_TRUE(body.apply_update_v1(talk.updates[0].second));
  EXPECT_EQ(body.state_vector(), before);
  EXPECT_EQ(body.text("body").to_string(), "ext\n");
  // And not again once the server has it.
  talk.feed(Disconnected{});
  talk.connect("");
  talk.updates.clear();
  talk.answer_body("a.md");
  EXPECT_THAT(talk.updates, IsEmpty());
}

TEST(Trap, T28FocusComesFirstAndTheRestByNumber) {
  Talk talk({.workspace_id = "ws1", .client = ClientId{7}, .max_in_flight = 8});
  for (int i = 100; i < 160; ++i) talk.list("note" + std::to_string(i) + ".md", "text\n");
  talk.feed(FocusFiles{{"note159.md", "note150.md", "missing.md"}});
  talk.connect();
  ASSERT_THAT(talk.asked, SizeIs(8));
  EXPECT_EQ(talk.asked[0], "note159.md");
  EXPECT_EQ(talk.asked[1], "note150.md");
  talk.answer_body("note150.md");
  EXPECT_THAT(talk.asked, SizeIs(9));
  // A file that a person opens now overtakes what waits.
  talk.feed(FocusFiles{{"note155.md"}});
  talk.answer_body("note159.md");
  ASSERT_THAT(talk.asked, SizeIs(10));
  EXPECT_EQ(talk.asked.back(), "note155.md");
  for (size_t next = 0; next < talk.asked.size(); ++next) {
    if (talk.disk.contains(talk.asked[next])) continue;
    talk.answer_body(std::string(talk.asked[next]));
    EXPECT_LE(talk.asked.size(), talk.disk.size() + 8);
  }
  EXPECT_THAT(talk.disk, SizeIs(60));
  EXPECT_THAT(talk.asked, SizeIs(60));
}

// --- files ----------------------------------------------------------------------------------------------------------

TEST(Trap, T24AFileMadeAgainOfflineOutlivesTheOldTombstone) {
  World world = in_step({{"a.md", "first life\n"}, {"b.md", "stays\n"}});
  world.device(1).go_offline();
  world.device(1).user_deletes("a.md");
  world.device(1).look_and_settle();
  world.device(0).user_deletes("a.md");
  pass_without(world, {1});
  world.device(1).user_writes("a.md", "second life, made offline\n");
  pass_without(world, {1});
  come_to_rest(world);
  EXPECT_EQ(world.device(0).disk().read("a.md"), "second life, made offline\n");
}

TEST(Trap, T29ADeletionFromElsewhereIsCarriedOutAndNotToldAgain) {
  Talk talk = talk_with({"a.md", "b.md"});
  const std::string entry =
      format_metadata({.filename = "a.md", .deleted = true, .modified_at = TimestampMs{1'700'000'000'500}});
  const Bytes deletion = talk.set_entry("a.md", entry);
  talk.frame("workspace:ws1", {Update{deletion}});
  EXPECT_THAT(talk.disk, SizeIs(1));
  talk.feed(FileGone{"a.md"});  // the watcher saw our own removal
  talk.feed(FilesSettled{});
  talk.pass(5'000);
  EXPECT_THAT(talk.updates, IsEmpty());
  ASSERT_TRUE(talk.replica.metadata("a.md"));
  EXPECT_EQ(talk.replica.metadata("a.md")->modified_at, TimestampMs{1'700'000'000'500});
}

TEST(Trap, T32AFailedTransferWaitsLongerEachTime) {
  Talk talk = talk_with({});
  const Sha256 hash = sha256(std::string_view("picture"));
  talk.feed(BlobFileSeen{"p.png", hash, 7});
  talk.feed(FilesSettled{});
  ASSERT_EQ(talk.uploads_asked.size(), 1u);
  int64_t last = 0;
  for (int i = 0; i < 4; ++i) {
    const size_t asked = talk.uploads_asked.size();
    talk.feed(TransferFailed{"p.png", hash, "no network"});
    EXPECT_EQ(talk.uploads_asked.size(), asked) << "tried again without waiting";
    ASSERT_TRUE(talk.replica.next_deadline());
    const int64_t wait = (*talk.replica.next_deadline() - talk.now).value();
    EXPECT_GT(wait, last);
    last = wait;
    talk.pass(wait);
    EXPECT_EQ(talk.uploads_asked.size(), asked + 1);
  }
}

// --- traps of the plugin interface that the core answers --------------------------------------------------------------

TEST(Trap, A1AFileThatCannotBeReadChangesNothing) {
  Talk talk = talk_with({"a.md"});
  talk.hold_reads = true;
  talk.look_at("a.md");
  ASSERT_EQ(talk.held_reads.size(), 1u);
  talk.feed(FileRefused{"a.md", "permission denied", /*in_doubt=*/false, talk.held_reads[0].ticket});
  talk.feed(FilesSettled{});
  EXPECT_THAT(talk.updates, IsEmpty());
  EXPECT_EQ(talk.replica.file_text("a.md"), "text\n");
  EXPECT_THAT(talk.problems, ElementsAre(HasSubstr("permission denied")));
}

TEST(Trap, A5WhatIsTypedDuringTheHandshakeIsNotLost) {
  Talk talk = talk_with({"a.md"});
  talk.feed(Disconnected{});
  talk.feed(Connected{});
  talk.user_writes("a.md", "text\ntyped in between\n");
  talk.greet("workspace:ws1");
  talk.answer("workspace:ws1");
  talk.updates.clear();
  talk.answer_body("a.md");
  ASSERT_EQ(talk.updates.size(), 1u);
  ASSERT_TRUE(talk.doc("body:ws1/a.md").apply_update_v1(talk.updates[0].second));
  EXPECT_EQ(talk.doc("body:ws1/a.md").text("body").to_string(), "text\ntyped in between\n");
}

TEST(Trap, A8ACommandLeavesWithItsOwnCall) {
  Talk talk = talk_with({"a.md"});
  RestoreFiles restore{.files = {{.path = "a.md", .renamed_from = {}, .before = "text\n", .after = "as it was\n"}},
                       .id = "r1"};
  talk.feed(restore);
  EXPECT_THAT(talk.updates, Contains(::testing::Field(&std::pair<std::string, Bytes>::first, "body:ws1/a.md")));
  EXPECT_EQ(talk.disk["a.md"], "as it was\n");
}

TEST(Trap, A10AKeyInAnySpellingIsOneDocument) {
  Talk talk;
  talk.list("x.md", "text\n");
  talk.set_entry("./x.md", format_metadata({.filename = "x.md"}));
  talk.connect();
  EXPECT_THAT(talk.asked, ElementsAre("x.md"));
  talk.answer_body("x.md");
  EXPECT_THAT(talk.disk, SizeIs(1));
  talk.forget();
  talk.user_writes("/x.md", "absolute\n");
  EXPECT_THAT(talk.updates, IsEmpty());
}

TEST(Trap, A12AnUpdateIsStoredInTheBatchThatSendsIt) {
  Talk talk = talk_with({"a.md"});
  std::vector<Action> batch;
  talk.replica.handle(TextFileSeen{"a.md", "text\nmore\n"}, talk.now, batch);
  batch.clear();  // an edit is known to be one when all that happened at once is known
  talk.replica.handle(FilesSettled{}, talk.now, batch);
  const bool stored = std::ranges::any_of(batch, [](const Action& action) {
    const auto* update = std::get_if<PersistUpdate>(&action);
    return update != nullptr && update->doc == "body:a.md";
  });
  const bool sent =
      std::ranges::any_of(batch, [](const Action& action) { return std::holds_alternative<SendBinary>(action); });
  EXPECT_TRUE(stored);
  EXPECT_TRUE(sent);
}

TEST(Trap, A13EveryStoredUpdateSaysWhereItCameFrom) {
  Talk talk = talk_with({"a.md"});
  std::vector<HistoryOrigin> origins;
  const auto feed = [&](const Event& event) {
    std::vector<Action> batch;
    talk.replica.handle(event, talk.now, batch);
    for (const Action& action : batch) {
      if (const auto* update = std::get_if<PersistUpdate>(&action); update != nullptr && update->doc == "body:a.md")
        origins.push_back(update->origin);
    }
  };
  feed(TextFileSeen{"a.md", "text\ntyped here\n"});
  feed(FilesSettled{});
  const Bytes update = talk.type("a.md", "typed elsewhere\n");
  feed(BinaryReceived{*encode_frame("body:ws1/a.md", {Update{update}})});
  EXPECT_THAT(origins, ElementsAre(HistoryOrigin::Local, HistoryOrigin::Remote));
}

TEST(Trap, A16WhatOtherProgramsWroteWhileNothingRanIsTaken) {
  Talk talk = talk_with({"a.md"});
  talk.feed(Disconnected{});
  talk.restart();
  talk.user_writes("a.md", "text\nby another program\n");
  EXPECT_EQ(talk.replica.file_text("a.md"), "text\nby another program\n");
  talk.connect();
  talk.updates.clear();
  talk.answer_body("a.md");
  EXPECT_THAT(talk.updates, SizeIs(1));
}

TEST(Trap, A20APathThatIsTooLongIsReportedAndNotSent) {
  Talk talk = talk_with({});
  talk.user_writes(std::string(230, 'p') + ".md", "text\n");
  EXPECT_THAT(talk.problems, ElementsAre(HasSubstr("not synced")));
  EXPECT_EQ(talk.frames, 0u);
}

TEST(Trap, A30ADamagedRecordStopsNothingAndIsRepairedByTheServer) {
  Talk talk = talk_with({"a.md", "b.md"});
  talk.feed(Disconnected{});
  for (auto& [doc, update] : talk.stored_updates) {
    if (doc == "body:a.md") update.resize(update.size() / 2);
  }
  talk.stored_records["cursor"] = std::to_string(talk.now.value()) + " L:5";
  talk.restart();
  talk.asked.clear();
  talk.connect();
  talk.text(Changes{"ws1", "L:5", true, {}});  // the server has no news
  EXPECT_THAT(talk.asked, ElementsAre("a.md"));
  talk.answer_body("a.md");
  EXPECT_EQ(talk.replica.file_text("a.md"), "text\n");
  EXPECT_EQ(talk.replica.file_text("b.md"), "text\n");
  EXPECT_EQ(talk.disk["a.md"], "text\n");
}

TEST(Trap, A33GarbageIsReported) {
  Talk talk = talk_with({"a.md"});
  const Bytes garbage = {200, 1, 2};
  talk.feed(BinaryReceived{garbage});
  const Bytes broken = {0xff, 0xff};
  talk.frame("body:ws1/a.md", {Update{broken}});
  EXPECT_THAT(talk.problems, SizeIs(2));
  EXPECT_THAT(talk.problems, Each(HasSubstr("cannot be read")));
  const Bytes update = talk.type("a.md", "more\n");
  talk.frame("body:ws1/a.md", {Update{update}});
  EXPECT_EQ(talk.disk["a.md"], "text\nmore\n");
}

TEST(Trap, A34AReconnectThatBringsNothingStoresNothing) {
  Talk talk = talk_with({"a.md"});
  const size_t updates = talk.stored_updates.size();
  const std::map<std::string, std::string> records = talk.stored_records;
  for (int i = 0; i < 5; ++i) {
    talk.feed(Disconnected{});
    talk.feed(Connected{});
  }
  EXPECT_EQ(talk.stored_updates.size(), updates);
  EXPECT_EQ(talk.stored_records, records);
}

TEST(Trap, A36OurOwnWriteIsNoEdit) {
  Talk talk = talk_with({"a.md"});
  const Bytes update = talk.type("a.md", "more\n");
  talk.frame("body:ws1/a.md", {Update{update}});
  ASSERT_EQ(talk.disk["a.md"], "text\nmore\n");
  const size_t stored = talk.stored_updates.size();
  talk.feed(TextFileSeen{"a.md", talk.disk["a.md"]});
  talk.feed(FilesSettled{});
  EXPECT_THAT(talk.updates, IsEmpty());
  EXPECT_EQ(talk.stored_updates.size(), stored);
}

TEST(Trap, A38AnEditOfABodyThatIsNotOpenIsSentAtOnce) {
  Talk talk = talk_with({"a.md"});
  talk.text(Changes{"ws1", "L:5", false, {}});
  talk.feed(Disconnected{});
  talk.connect();
  talk.text(Changes{"ws1", "L:5", true, {}});
  ASSERT_THAT(talk.asked, IsEmpty());
  talk.updates.clear();
  talk.user_writes("a.md", "text\nmore\n");
  ASSERT_EQ(talk.updates.size(), 1u);
  EXPECT_EQ(talk.updates[0].first, "body:ws1/a.md");
}

TEST(Trap, A39AMoveThatIsSeenAsANewFileIsAMove) {
  Talk talk = talk_with({"a.md"});
  const std::string text = "a text that is long enough to be told from others\nwith a second line\n";
  talk.user_writes("a.md", text);
  talk.disk.erase("a.md");
  talk.disk["folder/a.md"] = text;
  talk.feed(FileGone{"a.md"});
  talk.feed(TextFileSeen{"folder/a.md", text});
  talk.feed(FilesSettled{});
  EXPECT_EQ(talk.replica.file_text("folder/a.md"), text);
  EXPECT_THAT(format_metadata(*talk.replica.metadata("a.md")), HasSubstr(R"("_to":"folder/a.md")"));
}

TEST(Trap, A44NoTwoDocumentsAndNoTwoRunsWriteUnderOneId) {
  Talk talk = talk_with({});
  std::set<uint64_t> clients;
  size_t writers = 0;
  const auto look = [&](const char* key) {
    const Bytes state = talk.replica.document_state(std::string("body:") + key);
    crdt::Doc doc({.client = ClientId{1}});
    ASSERT_TRUE(doc.apply_update_v1(state));
    for (const auto& entry : doc.state_vector()) {
      clients.insert(entry.client.value());
      ++writers;
    }
  };
  for (const char* key : {"a.md", "b.md"}) {
    talk.user_writes(key, "text\n");
    talk.answer_body(key);
    talk.user_writes(key, "text\nmore\n");
    look(key);  // the seed and the run
  }
  EXPECT_EQ(writers, 4u);
  EXPECT_EQ(clients.size(), 4u);
  talk.restart();
  talk.user_writes("a.md", "text\nmore\nof another run\n");
  look("a.md");
  EXPECT_EQ(clients.size(), 5u);
}

TEST(Trap, A46TemporaryFilesAreNobodysBusiness) {
  Talk talk = talk_with({});
  for (const char* path : {"a.md.tmp", "a.md.bak", "folder/a.md.swap"}) talk.user_writes(path, "half of a file");
  EXPECT_EQ(talk.frames, 0u);
  EXPECT_TRUE(talk.replica.text_files().empty());
}

TEST(Trap, A47AFolderThatMovesTakesItsFilesAlong) {
  World world = in_step({{"garden/garden.md", "# Garden\n"},
                         {"garden/beans.md", "beans along the wall\n"},
                         {"garden/deep/peas.md", "peas at the fence\n"}});
  world.device(0).user_renames_folder("garden", "yard");
  come_to_rest(world);
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : world.device(1).disk().files()) paths.push_back(path);
  EXPECT_THAT(paths, ElementsAre("yard/beans.md", "yard/deep/peas.md", "yard/garden.md"));
  EXPECT_THAT(world.device(1).replica().text_files(), SizeIs(3));
}

}  // namespace
}  // namespace diaryx::sync
