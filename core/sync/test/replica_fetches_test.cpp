// Attachments that are fetched: placed and not answered, answered late, or wanted under another name by then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "diaryx/sync/metadata.h"
#include "diaryx/sync/path.h"
#include "talk.h"

namespace diaryx::sync {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const std::string kOld = "\xff old";
const std::string kTheirs = "\xff theirs";
const std::string kMine = "\xff mine";

/// Somebody else lists these bytes under a path, or gives the path up.
void set_elsewhere(Talk& talk, const std::string& path, const std::string& bytes, bool deleted = false) {
  crdt::Doc& workspace = talk.doc("workspace:ws1");
  crdt::Transaction txn = workspace.transact();
  const BinaryRef ref{.path = path,
                      .source = "local",
                      .hash = sha256(bytes).hex(),
                      .mime_type = "image/png",
                      .size = bytes.size(),
                      .deleted = deleted};
  workspace.map("binaries").set(txn, path, crdt::Any::string(format_binary_ref(ref)));
  (void)std::move(txn).commit();
}

void tell_list(Talk& talk) { talk.answer("workspace:ws1"); }

void settle(Talk& talk) {
  for (int i = 0; i < 4; ++i) talk.pass(3'000);
}

void see(Talk& talk, const std::string& path) {
  talk.feed(BlobFileSeen{path, sha256(talk.disk[path]), talk.disk[path].size()});
}

void user_writes(Talk& talk, const std::string& path, const std::string& bytes) {
  talk.disk[path] = bytes;
  see(talk, path);
  talk.feed(FilesSettled{});
}

void is_written(Talk& talk, const FetchBlob& fetch) { talk.feed(FileWritten{fetch.path, fetch.hash, fetch.ticket}); }

void is_refused(Talk& talk, const FetchBlob& fetch, bool in_doubt) {
  talk.feed(FileRefused{fetch.path, "", in_doubt, fetch.ticket});
}

/// The last fetch is done.
FetchBlob placed(Talk& talk, const std::string& bytes) {
  talk.disk[talk.fetches.back().path] = bytes;
  return talk.fetches.back();
}

/// The line is up, and "p.png" of somebody else is being fetched.
Talk talk_that_fetches() {
  Talk talk;
  talk.connect();
  set_elsewhere(talk, "p.png", kTheirs);
  tell_list(talk);
  EXPECT_THAT(talk.fetches_asked, ElementsAre("p.png"));
  return talk;
}

/// The same, while an older version is on this disk.
Talk talk_that_fetches_a_newer_version() {
  Talk talk;
  talk.connect();
  set_elsewhere(talk, "p.png", kOld);
  tell_list(talk);
  is_written(talk, placed(talk, kOld));
  set_elsewhere(talk, "p.png", kTheirs);
  tell_list(talk);
  EXPECT_THAT(talk.fetches_asked, ElementsAre("p.png", "p.png"));
  return talk;
}

std::map<std::string, std::string> listed(const Talk& talk) {
  std::map<std::string, std::string> names;
  for (const BinaryRef& ref : talk.replica.binary_files()) names.emplace(ref.path, ref.hash);
  return names;
}

enum class Ending : uint8_t { InDoubt, Crash, CrashBeforeTheListIsHere };

TEST(Fetches, ANewFileThatWasPlacedUnheardLeavesTheNameThatTheListGivesUp) {
  for (const Ending ending : {Ending::InDoubt, Ending::Crash, Ending::CrashBeforeTheListIsHere}) {
    for (const bool is_renamed : {true, false}) {
      Talk talk = talk_that_fetches();
      const FetchBlob fetch = placed(talk, kTheirs);
      const auto give_up = [&] {
        set_elsewhere(talk, "p.png", kTheirs, /*deleted=*/true);
        if (is_renamed) set_elsewhere(talk, "q.png", kTheirs);
      };
      if (ending == Ending::InDoubt) is_refused(talk, fetch, /*in_doubt=*/true);
      if (ending != Ending::CrashBeforeTheListIsHere) {
        give_up();
        tell_list(talk);
      }
      if (ending != Ending::InDoubt) {
        talk.restart();
        see(talk, "p.png");
        talk.feed(FilesSettled{});
        if (ending == Ending::CrashBeforeTheListIsHere) give_up();
        talk.connect();
      }
      settle(talk);
      if (is_renamed) {
        ASSERT_EQ(talk.fetches_asked.back(), "q.png");
        is_written(talk, placed(talk, kTheirs));
      }
      std::map<std::string, std::string> expected;
      if (is_renamed) expected["q.png"] = kTheirs;
      EXPECT_EQ(talk.disk, expected) << int(ending) << is_renamed;
      EXPECT_THAT(listed(talk), SizeIs(expected.size())) << int(ending) << is_renamed;
      EXPECT_EQ(talk.uploads_asked.size(), 0u) << int(ending) << is_renamed;
      EXPECT_FALSE(talk.stored_records.contains("writing:p.png")) << int(ending) << is_renamed;
      EXPECT_TRUE(talk.replica.settled()) << int(ending) << is_renamed;
    }
  }
}

TEST(Fetches, ANewFileThatWasPlacedUnheardAndRenamedHereIsRenamed) {
  for (const bool is_known : {true, false}) {
    Talk talk = is_known ? talk_that_fetches_a_newer_version() : talk_that_fetches();
    placed(talk, kTheirs);
    talk.restart();
    talk.disk = {{"q.png", kTheirs}};
    if (is_known) talk.feed(FileGone{"p.png"});
    see(talk, "q.png");
    talk.feed(FilesSettled{});
    talk.connect();
    settle(talk);
    EXPECT_THAT(listed(talk), ElementsAre(Pair("q.png", sha256(kTheirs).hex()))) << is_known;
    EXPECT_THAT(talk.replica.known_files(), ElementsAre("q.png")) << is_known;
    EXPECT_EQ(talk.uploads_asked.size(), 0u) << is_known;
  }
}

TEST(Fetches, WhetherAChangeWasMadeOfTheNewerVersionTellsTheAnswer) {
  for (const bool is_placed : {true, false}) {
    Talk talk = talk_that_fetches_a_newer_version();
    const FetchBlob fetch = talk.fetches.back();
    user_writes(talk, "p.png", kMine);  // over the one or the other
    if (is_placed) {
      is_written(talk, fetch);
    } else {
      is_refused(talk, fetch, /*in_doubt=*/false);
      see(talk, "p.png");
      talk.feed(FilesSettled{});
    }
    const std::string copy = conflict_copy(*parse_path("p.png"), sha256(kMine)).str();
    const std::string name = is_placed ? "p.png" : copy;
    EXPECT_THAT(talk.disk, ElementsAre(Pair(name, kMine))) << is_placed;
    EXPECT_EQ(talk.uploads_asked.size(), 1u) << is_placed;
    talk.feed(BlobUploaded{name, sha256(kMine)});
    if (is_placed) {
      EXPECT_THAT(listed(talk), ElementsAre(Pair("p.png", sha256(kMine).hex())));
      EXPECT_THAT(talk.problems, IsEmpty());
    } else {
      EXPECT_THAT(listed(talk),
                  UnorderedElementsAre(Pair("p.png", sha256(kTheirs).hex()), Pair(copy, sha256(kMine).hex())));
    }
  }
}

TEST(Fetches, AChangeThatWaitsForAnAnswerIsSentWhenTheFetchFails) {
  Talk talk = talk_that_fetches();
  const FetchBlob fetch = talk.fetches.back();
  user_writes(talk, "p.png", kMine);
  talk.feed(TransferFailed{"p.png", fetch.hash, "no network", false, fetch.ticket});
  const std::string copy = conflict_copy(*parse_path("p.png"), sha256(kMine)).str();
  EXPECT_THAT(talk.disk, ElementsAre(Pair(copy, kMine)));
  EXPECT_EQ(talk.uploads_asked.size(), 1u);
}

TEST(Fetches, TheAnswerGoesAlongWithARename) {
  for (const bool is_placed : {true, false}) {
    Talk talk = talk_that_fetches_a_newer_version();
    const FetchBlob fetch = talk.fetches.back();
    talk.disk = {{"q.png", is_placed ? kTheirs : kOld}};
    talk.feed(FileMoved{"p.png", "q.png"});
    talk.feed(FilesSettled{});
    if (is_placed) {
      is_written(talk, fetch);
    } else {
      is_refused(talk, fetch, /*in_doubt=*/false);
      talk.feed(FileGone{"p.png"});
      talk.feed(FilesSettled{});
    }
    settle(talk);
    if (!is_placed) {
      ASSERT_EQ(talk.fetches.back().path, "q.png");
      EXPECT_EQ(talk.fetches.back().expected, sha256(kOld));
      is_written(talk, placed(talk, kTheirs));
    }
    EXPECT_THAT(listed(talk), ElementsAre(Pair("q.png", sha256(kTheirs).hex()))) << is_placed;
    EXPECT_THAT(talk.replica.known_files(), ElementsAre("q.png")) << is_placed;
    EXPECT_EQ(talk.uploads_asked.size(), 0u) << is_placed;
    EXPECT_EQ(talk.replica.status().downloads + talk.replica.status().pending_writes, 0u) << is_placed;
  }
}

TEST(Fetches, OneThatIsAnsweredAfterTheEntryWasRenamedLeaves) {
  Talk talk = talk_that_fetches();
  const FetchBlob fetch = placed(talk, kTheirs);
  set_elsewhere(talk, "p.png", kTheirs, /*deleted=*/true);
  set_elsewhere(talk, "q.png", kTheirs);
  tell_list(talk);
  is_written(talk, placed(talk, kTheirs));
  is_written(talk, fetch);
  settle(talk);
  EXPECT_THAT(talk.disk, ElementsAre(Pair("q.png", kTheirs)));
  EXPECT_EQ(talk.uploads_asked.size(), 0u);
}

TEST(Fetches, IsAskedForOnceAndIsNotInDoubtWhenItFailed) {
  Talk talk = talk_that_fetches_a_newer_version();
  see(talk, "p.png");  // touched
  talk.feed(FilesSettled{});
  EXPECT_THAT(talk.fetches, SizeIs(2));
  const FetchBlob fetch = talk.fetches.back();
  talk.feed(TransferFailed{"p.png", fetch.hash, "no network", false, fetch.ticket});
  EXPECT_FALSE(talk.stored_records.contains("writing:p.png"));
  talk.pass(1'000);
  EXPECT_THAT(talk.fetches, SizeIs(3));
  is_written(talk, placed(talk, kTheirs));
  EXPECT_TRUE(talk.replica.settled());
}

}  // namespace
}  // namespace diaryx::sync
