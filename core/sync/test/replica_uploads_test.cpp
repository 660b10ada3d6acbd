// What becomes of an upload whose file changes before it is answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "diaryx/sync/metadata.h"
#include "diaryx/sync/path.h"
#include "talk.h"

namespace diaryx::sync {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kBefore = "\xff before";
const std::string kAfter = "\xff after";
const std::string kTheirs = "\xff theirs";

/// The line is up, and "p.png" is being sent as it was `before`.
Talk talk_that_sends() {
  Talk talk;
  talk.connect();
  talk.disk["p.png"] = kBefore;
  talk.feed(BlobFileSeen{"p.png", sha256(kBefore), kBefore.size()});
  talk.feed(FilesSettled{});
  EXPECT_EQ(talk.uploads_asked.size(), 1u);
  return talk;
}

/// Somebody else lists "p.png" with this content.
void list_elsewhere(Talk& talk, const std::string& bytes) {
  crdt::Doc& workspace = talk.doc("workspace:ws1");
  crdt::Transaction txn = workspace.transact();
  const BinaryRef ref{
      .path = "p.png", .source = "local", .hash = sha256(bytes).hex(), .mime_type = "image/png", .size = bytes.size()};
  workspace.map("binaries").set(txn, "p.png", crdt::Any::string(format_binary_ref(ref)));
  const Bytes update = std::move(txn).commit().update_v1();
  talk.frame("workspace:ws1", {Update{update}});
}

/// Somebody who has this much of the list takes "p.png" away.
using StoredUpdates = std::vector<std::pair<std::string, Bytes>>;
void delete_elsewhere(Talk& talk, ClientId who, const StoredUpdates& known) {
  crdt::Doc workspace({.client = who});
  for (const auto& [doc, update] : known) {
    if (doc == "workspace") EXPECT_TRUE(workspace.apply_update_v1(update).has_value());
  }
  crdt::Transaction txn = workspace.transact();
  const BinaryRef ref{.path = "p.png", .source = "local", .hash = sha256(kBefore).hex(), .deleted = true};
  workspace.map("binaries").set(txn, "p.png", crdt::Any::string(format_binary_ref(ref)));
  const Bytes update = std::move(txn).commit().update_v1();
  talk.frame("workspace:ws1", {Update{update}});
}

/// The upload is answered with what is there instead.
void is_something_else(Talk& talk, const std::string& bytes) {
  talk.disk["p.png"] = bytes;
  talk.feed(BlobFileSeen{"p.png", sha256(bytes), bytes.size()});
  talk.feed(FilesSettled{});
}

TEST(Uploads, AFileThatIsByNowAsTheListHasItIsSentNoMore) {
  Talk talk = talk_that_sends();
  list_elsewhere(talk, kAfter);
  is_something_else(talk, kAfter);
  EXPECT_EQ(talk.replica.status().uploads, 0u);
  EXPECT_TRUE(talk.replica.settled());
  EXPECT_EQ(talk.uploads_asked.size(), 1u);
}

TEST(Uploads, OfAFileThatWasChangedHereAndElsewhereTheCopyIsSent) {
  for (const bool copies : {false, true}) {
    Talk talk = talk_that_sends();
    talk.copies = copies;
    list_elsewhere(talk, kTheirs);
    is_something_else(talk, kAfter);
    const std::string copy = conflict_copy(*parse_path("p.png"), sha256(kAfter)).str();
    ASSERT_THAT(talk.disk, Contains(std::pair(copy, kAfter))) << copies;
    EXPECT_EQ(talk.replica.status().uploads, 1u) << copies;
    talk.feed(BlobUploaded{copy, sha256(kAfter)});
    EXPECT_EQ(talk.replica.status().uploads, 0u) << copies;
    EXPECT_THAT(talk.fetches_asked, ElementsAre("p.png")) << copies;
    EXPECT_EQ(talk.fetches.back().expected, copies ? std::optional(sha256(kAfter)) : std::nullopt);  // written over
  }
}

TEST(Uploads, AFileThatWasChangedElsewhereWhileItWasSentIsKeptToo) {
  for (const bool is_known : {true, false}) {
    Talk talk = talk_that_sends();
    if (is_known) {
      talk.feed(BlobUploaded{"p.png", sha256(kBefore)});
      is_something_else(talk, kAfter);
    }
    const std::string ours = talk.disk["p.png"];
    list_elsewhere(talk, kTheirs);  // in its place; ours was not listed
    talk.feed(BlobUploaded{"p.png", sha256(ours)});
    const std::string copy = conflict_copy(*parse_path("p.png"), sha256(ours)).str();
    EXPECT_THAT(talk.disk, ElementsAre(std::pair(copy, ours))) << is_known;
    talk.feed(BlobUploaded{copy, sha256(ours)});
    EXPECT_THAT(talk.replica.binary_files(), SizeIs(2)) << is_known;
    EXPECT_THAT(talk.fetches_asked, ElementsAre("p.png")) << is_known;
  }
}

TEST(Uploads, AFileThatIsEmptyByNowIsListedAtOnce) {
  Talk talk = talk_that_sends();
  is_something_else(talk, "");
  EXPECT_EQ(talk.replica.status().uploads, 0u);
  EXPECT_THAT(talk.replica.binary_files(), ElementsAre(Field(&BinaryRef::size, 0u)));
}

TEST(Uploads, AFileThatIsRenamedWhileItIsSentIsListedUnderItsNewNameAlone) {
  for (const bool is_known : {true, false}) {
    Talk talk = talk_that_sends();
    if (is_known) {
      talk.feed(BlobUploaded{"p.png", sha256(kBefore)});
      is_something_else(talk, kAfter);
    }
    const std::string bytes = talk.disk["p.png"];
    talk.disk = {{"q.png", bytes}};
    talk.feed(FileMoved{"p.png", "q.png"});
    talk.feed(FilesSettled{});
    talk.feed(BlobUploaded{"p.png", sha256(bytes)});  // it was read before
    talk.feed(BlobUploaded{"q.png", sha256(bytes)});
    const std::vector<BinaryRef> listed = talk.replica.binary_files();
    ASSERT_THAT(listed, SizeIs(1)) << is_known;
    EXPECT_EQ(listed[0].path, "q.png") << is_known;
    EXPECT_EQ(listed[0].hash, sha256(bytes).hex()) << is_known;
    EXPECT_EQ(talk.replica.status().uploads, 0u) << is_known;
    EXPECT_THAT(talk.replica.known_files(), ElementsAre("q.png")) << is_known;
  }
}

TEST(Uploads, WhatIsSentAnewSinceNobodyHadSeenItGoesOnceSomebodyWhoHadSeenItTookItAway) {
  for (const bool is_answered : {false, true}) {
    Talk talk = talk_that_sends();
    talk.feed(BlobUploaded{"p.png", sha256(kBefore)});
    const StoredUpdates with_it = talk.stored_updates;
    delete_elsewhere(talk, ClientId{(1ull << 53) - 1}, {});
    EXPECT_EQ(talk.uploads_asked.size(), 2u);
    if (is_answered) {
      talk.feed(BlobUploaded{"p.png", sha256(kBefore)});
      EXPECT_THAT(talk.replica.binary_files(), SizeIs(1));
    }
    delete_elsewhere(talk, ClientId{77}, with_it);
    if (!is_answered) talk.feed(BlobUploaded{"p.png", sha256(kBefore)});
    EXPECT_THAT(talk.replica.binary_files(), IsEmpty()) << is_answered;
    EXPECT_THAT(talk.disk, IsEmpty()) << is_answered;
    EXPECT_EQ(talk.replica.status().uploads, 0u) << is_answered;
  }
}

TEST(Uploads, ThatOneFailedWhichIsWantedNoMoreMeansNothing) {
  Talk talk = talk_that_sends();
  list_elsewhere(talk, kTheirs);
  is_something_else(talk, kAfter);
  talk.problems.clear();
  talk.feed(TransferFailed{"p.png", sha256(kBefore), "it changed before it was sent"});
  EXPECT_THAT(talk.problems, IsEmpty());
  talk.pass(60'000);
  EXPECT_THAT(talk.fetches_asked, ElementsAre("p.png"));  // and not once more
  talk.feed(TransferFailed{"p.png", sha256(kTheirs), "no network"});
  EXPECT_THAT(talk.problems, ElementsAre(HasSubstr("no network")));
  talk.pass(60'000);
  EXPECT_THAT(talk.fetches_asked, ElementsAre("p.png", "p.png"));
}

TEST(Uploads, AreTwoAtATimeAndThoseThatFailedWaitTheirTime) {
  Talk talk;
  talk.connect();
  const auto hash = [](const std::string& path) { return sha256("\xff of " + path); };
  for (const std::string path : {"c", "b", "e", "d", "a"}) talk.feed(BlobFileSeen{path, hash(path), 8});
  EXPECT_THAT(talk.uploads_asked, ElementsAre("c", "b"));
  talk.feed(TransferFailed{"c", hash("c"), "no room", /*final_failure=*/true});
  talk.feed(TransferFailed{"b", hash("b"), "no network"});
  EXPECT_THAT(talk.uploads_asked, ElementsAre("c", "b", "a", "d"));
  talk.pass(1'000);
  talk.feed(BlobUploaded{"a", hash("a")});
  EXPECT_EQ(talk.uploads_asked.back(), "b");
  EXPECT_EQ(talk.replica.status().uploads, 4u);
  talk.feed(Disconnected{});
  talk.uploads_asked.clear();
  talk.pass(60'000);
  talk.connect();
  EXPECT_THAT(talk.uploads_asked, ElementsAre("b", "d"));
  for (const std::string path : {"b", "d", "e"}) talk.feed(BlobUploaded{path, hash(path)});
  EXPECT_THAT(talk.uploads_asked, ElementsAre("b", "d", "e"));
  EXPECT_EQ(talk.replica.status().uploads, 1u);
}

TEST(Uploads, OfAFileThatIsGoneWhileItsNameWaitsForTheDiskAreOver) {
  Talk talk = talk_that_sends();
  talk.feed(BlobUploaded{"p.png", sha256(kBefore)});
  talk.hold_disk = true;
  list_elsewhere(talk, kTheirs);  // ours is to make room
  ASSERT_EQ(talk.held_actions.size(), 1u);
  const MoveFile move = std::get<MoveFile>(talk.held_actions.front());
  delete_elsewhere(talk, ClientId{77}, talk.stored_updates);
  is_something_else(talk, kAfter);
  EXPECT_EQ(talk.uploads_asked.size(), 2u);
  talk.feed(FileRefused{move.to, "not done", /*in_doubt=*/true, move.ticket});
  talk.disk.clear();
  talk.feed(FileGone{"p.png"});  // which is the answer to the upload
  talk.feed(FilesSettled{});
  EXPECT_EQ(talk.replica.status().uploads, 0u);
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.replica.status().pending_writes, 0u);
}

}  // namespace
}  // namespace diaryx::sync
