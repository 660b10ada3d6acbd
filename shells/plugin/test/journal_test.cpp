#include "journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/replica.h"
#include "fake_host.h"

namespace diaryx::plugin {
namespace {

constexpr TimestampMs kNow{1'700'000'000'000};

Bytes typed(uint64_t client, std::string_view text) {
  crdt::Doc doc({.client = ClientId{client}});
  crdt::Transaction txn = doc.transact();
  EXPECT_TRUE(doc.text("body").insert(txn, Utf16Offset{0}, text));
  return std::move(txn).commit().update_v1();
}

std::string body_of(const Journal::Stored& stored, std::string_view name) {
  crdt::Doc doc({.client = ClientId{99}});
  for (const Journal::Update& update : stored.updates) {
    if (update.doc == name) EXPECT_TRUE(doc.apply_update_v1(update.bytes));
  }
  return doc.text("body").to_string();
}

sync::Replica replica_of(const Journal::Stored& stored) {
  sync::Replica replica({.workspace_id = "w", .client = ClientId{5}});
  for (const Journal::Update& update : stored.updates) EXPECT_TRUE(replica.restore_update(update.doc, update.bytes));
  return replica;
}

TEST(Journal, FindsNothingInAnEmptyStorage) {
  fake_host() = {};
  Journal journal;
  EXPECT_TRUE(journal.load().empty());
  EXPECT_FALSE(journal.has_stored());
  EXPECT_TRUE(fake_host().set_keys.empty());
}

// A hole would leave what comes after it waiting for good: nobody else has what was made here.
TEST(Journal, StoresWithTheNextEntryWhatTheHostDidNotKeep) {
  fake_host() = {};
  crdt::Doc doc({.client = ClientId{1}});
  const auto type = [&](std::string_view text) {
    crdt::Transaction txn = doc.transact();
    EXPECT_TRUE(doc.text("body").insert(txn, Utf16Offset{0}, text));
    return std::move(txn).commit().update_v1();
  };
  Journal journal;
  (void)journal.load();
  fake_host().is_full = true;
  journal.add_update({"body:a.md", type("hello ")}, kNow);
  journal.flush();
  fake_host().is_full = false;
  journal.add_update({"body:a.md", type("you, ")}, kNow);
  journal.flush();
  Journal again;
  EXPECT_EQ(body_of(again.load(), "body:a.md"), "you, hello ");
}

TEST(Journal, StoresOneFlushInOneStep) {
  fake_host() = {};
  Journal journal;
  (void)journal.load();
  journal.add_update({"body:a.md", typed(1, "hello")}, kNow);
  journal.add_record("joined", "1");
  EXPECT_TRUE(fake_host().set_keys.empty());
  journal.flush();
  EXPECT_EQ(fake_host().set_keys.size(), 1u);
  journal.flush();
  EXPECT_EQ(fake_host().set_keys.size(), 1u);

  Journal again;
  const Journal::Stored stored = again.load();
  EXPECT_EQ(body_of(stored, "body:a.md"), "hello");
  EXPECT_EQ(stored.records.at("joined"), "1");
}

TEST(Journal, LetsWhatOthersDidWaitTwoSecondsAndNothingThatWasMadeHere) {
  fake_host() = {};
  Journal journal;
  (void)journal.load();
  const auto sets = [] { return fake_host().set_keys.size(); };
  journal.add_update({"body:a.md", typed(1, "theirs"), sync::HistoryOrigin::Remote}, kNow);
  journal.flush_soon(kNow);
  journal.flush_made_here();
  journal.flush_soon(kNow + DurationMs{1'999});
  EXPECT_EQ(sets(), 0u);
  journal.flush_soon(kNow + DurationMs{2'000});
  EXPECT_EQ(sets(), 1u);

  journal.add_update({"body:a.md", typed(2, "ours"), sync::HistoryOrigin::Local}, kNow);
  journal.flush_made_here();
  EXPECT_EQ(sets(), 2u);
  journal.add_update({"body:a.md", typed(3, "theirs"), sync::HistoryOrigin::Remote}, kNow);
  journal.flush_soon(kNow);
  journal.flush_soon(kNow + DurationMs{-5'000});  // the clock was set back
  EXPECT_EQ(sets(), 3u);
}

TEST(Journal, ForgetsARecordThatWasRemoved) {
  fake_host() = {};
  Journal journal;
  (void)journal.load();
  journal.add_record("a", std::string("\0\xff", 2));
  journal.add_record("b", "2");
  journal.flush();
  journal.add_record("b", "");
  journal.flush();
  const Journal::Stored stored = Journal{}.load();
  EXPECT_EQ(stored.records, (std::map<std::string, std::string>{{"a", std::string("\0\xff", 2)}}));
}

TEST(Journal, FoldsIntoWholeStates) {
  fake_host() = {};
  Journal journal;
  (void)journal.load();
  journal.add_update({"body:Notes/a_b.md", typed(1, "hello")}, kNow);
  journal.add_record("joined", "1");
  journal.flush();
  journal.compact(replica_of(Journal{}.load()), "w", kNow);
  EXPECT_TRUE(fake_host().storage.contains("workspace_crdt"));
  EXPECT_TRUE(fake_host().storage.contains("body:%4Eotes%2Fa%5Fb.md"));
  EXPECT_TRUE(fake_host().storage.at("sync.journal.0").empty());

  Journal again;
  const Journal::Stored stored = again.load();
  EXPECT_EQ(stored.workspace_id, "w");
  EXPECT_EQ(body_of(stored, "body:Notes/a_b.md"), "hello");
  EXPECT_EQ(stored.records.at("joined"), "1");

  const size_t sets = fake_host().set_keys.size();
  again.compact(replica_of(stored), "w", kNow);
  EXPECT_EQ(fake_host().set_keys.size(), sets) << "nothing changed, so nothing is written";
}

// The host dies after any number of writes: what was flushed is there in every case.
TEST(Journal, LosesNothingWhereverAFoldIsCutShort) {
  fake_host() = {};
  Journal journal;
  (void)journal.load();
  journal.add_update({"body:a.md", typed(1, "one")}, kNow);
  journal.add_record("r", "1");
  journal.flush();
  journal.compact(replica_of(Journal{}.load()), "w", kNow);
  journal.add_update({"body:b.md", typed(2, "two")}, kNow);
  journal.add_record("r", "2");
  journal.flush();
  const auto before = fake_host().storage;
  const size_t first = fake_host().set_keys.size();
  journal.compact(replica_of(Journal{}.load()), "w", kNow);
  const auto after = fake_host().storage;
  const std::vector<std::string> keys(fake_host().set_keys.begin() + static_cast<ptrdiff_t>(first),
                                      fake_host().set_keys.end());
  ASSERT_GE(keys.size(), 4u);
  for (size_t written = 0; written <= keys.size(); ++written) {
    fake_host().storage = before;
    for (size_t i = 0; i < written; ++i) fake_host().storage[keys[i]] = after.at(keys[i]);
    const Journal::Stored stored = Journal{}.load();
    EXPECT_EQ(body_of(stored, "body:a.md"), "one") << written;
    EXPECT_EQ(body_of(stored, "body:b.md"), "two") << written;
    EXPECT_EQ(stored.records.at("r"), "2") << written;
  }
}

TEST(Journal, ReadsWhatOlderPluginsStored) {
  fake_host() = {};
  fake_host().storage["workspace_crdt"] = {0, 0};
  fake_host().storage["body_doc_manifest"] = to_bytes(as_bytes(R"(["notes/a.md"])"));
  fake_host().storage["body:notes/a.md"] = typed(1, "old");
  EXPECT_EQ(body_of(Journal{}.load(), "body:notes/a.md"), "old");
}

TEST(Journal, KeepsWhatItCannotReadAside) {
  fake_host() = {};
  fake_host().storage["workspace_crdt"] = {7, 7, 7};
  Journal journal;
  const Journal::Stored stored = journal.load();
  journal.compact(replica_of(stored), "w", kNow);
  EXPECT_EQ(fake_host().storage.at("damaged:workspace_crdt"), (Bytes{7, 7, 7}));
}

TEST(Journal, UsesTheWholePartOfATornEntry) {
  fake_host() = {};
  Journal journal;
  (void)journal.load();
  journal.add_record("a", "1");
  journal.add_record("b", "2");
  journal.flush();
  fake_host().storage["sync.journal.0"].pop_back();
  EXPECT_EQ(Journal{}.load().records, (std::map<std::string, std::string>{{"a", "1"}}));
}

TEST(Journal, DoesNotFollowAStorageThatHasSomethingForEveryKey) {
  fake_host() = {};
  for (int i = 0; i < 1000; ++i) fake_host().storage["sync.journal." + std::to_string(i)] = {0, 0};
  Journal journal;
  EXPECT_TRUE(journal.load().empty());
  EXPECT_LT(fake_host().logs.size(), 100u);
}

TEST(BodyKey, IsDifferentForDifferentNamesOnHostsThatReplaceOrFold) {
  EXPECT_EQ(body_key("note.md"), "body:note.md");
  EXPECT_NE(body_key("a/b.md"), body_key("a_b.md"));
  EXPECT_NE(body_key("A.md"), body_key("a.md"));
  EXPECT_LE(body_key(std::string(213, 'A')).size(), 120u);
}

}  // namespace
}  // namespace diaryx::plugin
