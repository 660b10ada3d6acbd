// Documents and their past, as every Storage keeps them; and what SQLite alone must do.
#include "storage_contract.h"

#include <sys/resource.h>

#include <array>
#include <csignal>

#include "diaryx/native/sqlite.h"

namespace diaryx::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = StorageError::Kind;

TEST_P(StorageContract, LoadsADocumentThatWasNeverStoredAsEmpty) {
  const auto stored = load("body:w/a.md");
  ASSERT_TRUE(stored);
  EXPECT_THAT(stored->updates, IsEmpty());
  EXPECT_THAT(stored->snapshot, IsEmpty());
  EXPECT_EQ(stored->last, relay::Sequence{0});
}

TEST_P(StorageContract, KeepsUpdatesInOrderAcrossARestart) {
  workspace(user("a@b"), "w", "notes");
  ASSERT_TRUE(append("w", "body:w/a.md", "one"));
  ASSERT_TRUE(append("w", "body:w/b.md", "other"));
  const auto last = append("w", "body:w/a.md", "two");
  ASSERT_TRUE(last);
  open();
  const auto stored = load("body:w/a.md");
  ASSERT_TRUE(stored);
  EXPECT_THAT(stored->updates, ElementsAre(*bytes("one"), *bytes("two")));
  EXPECT_EQ(stored->last, *last);
  EXPECT_THAT(*wait<std::vector<std::string>>([&](auto reply) { storage->list_documents("w", std::move(reply)); }),
              ElementsAre("body:w/a.md", "body:w/b.md"));
}

TEST_P(StorageContract, StoresManyUpdatesThatWereAskedForAtOnceInOrder) {
  workspace(user("a@b"), "w", "notes");
  std::vector<std::promise<StorageResult<relay::Sequence>>> promises(500);
  for (size_t i = 0; i < promises.size(); ++i) {
    NewUpdate update{.workspace = "w",
                     .document = "workspace:w",
                     .bytes = bytes(std::to_string(i)),
                     .user_id = {},
                     .device_id = {},
                     .time = TimestampMs{5},
                     .epoch = turn};
    storage->append_update(std::move(update),
                           [&promise = promises[i]](auto result) { promise.set_value(std::move(result)); });
  }
  relay::Sequence before{0};
  for (auto& promise : promises) {
    const auto sequence = promise.get_future().get();
    ASSERT_TRUE(sequence);
    EXPECT_LT(before, *sequence);
    before = *sequence;
  }
  const auto stored = load("workspace:w");
  ASSERT_THAT(stored->updates, SizeIs(500));
  EXPECT_EQ(stored->updates[499], *bytes("499"));
}

TEST_P(StorageContract, LoadsFromTheSnapshotOn) {
  workspace(user("a@b"), "w", "notes");
  append("w", "d", "one");
  const auto second = append("w", "d", "two");
  append("w", "d", "three");
  ASSERT_TRUE(
      wait<void>([&](auto reply) { storage->store_snapshot("d", bytes("one+two"), *second, turn, std::move(reply)); }));
  const auto stored = load("d");
  EXPECT_EQ(stored->snapshot, *bytes("one+two"));
  EXPECT_THAT(stored->updates, ElementsAre(*bytes("three")));
  // An older snapshot that comes late changes nothing.
  ASSERT_TRUE(wait<void>(
      [&](auto reply) { storage->store_snapshot("d", bytes("old"), relay::Sequence{1}, turn, std::move(reply)); }));
  EXPECT_EQ(load("d")->snapshot, *bytes("one+two"));
}

TEST_P(StorageContract, StoresOnlyForWhoTookOverLast) {
  workspace(user("a@b"), "w", "notes");
  const auto mine = append("w", "d", "one");
  ASSERT_TRUE(mine);
  const uint64_t first = turn;
  turn = take_over();
  EXPECT_GT(turn, first);
  ASSERT_TRUE(append("w", "d", "theirs"));
  turn = first;
  EXPECT_EQ(append("w", "d", "late").error().kind, Kind::Superseded);
  EXPECT_EQ(wait<void>([&](auto reply) { storage->store_snapshot("d", bytes("late"), *mine, turn, std::move(reply)); })
                .error()
                .kind,
            Kind::Superseded);
  open();
  EXPECT_THAT(load("d")->updates, ElementsAre(*bytes("one"), *bytes("theirs")));
}

TEST_P(StorageContract, RefusesUpdatesOfAWorkspaceThatIsNotThere) {
  const auto refused = append("nowhere", "body:nowhere/a.md", "x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::NotFound);
}

TEST_P(StorageContract, RemovesAWorkspaceWithItsDocuments) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  append("w", "body:w/a.md", "x");
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->remove_workspace(ann.user_id, "w", std::move(reply)); }));
  EXPECT_THAT(load("body:w/a.md")->updates, IsEmpty());
  EXPECT_EQ(append("w", "body:w/a.md", "y").error().kind, Kind::NotFound);
}

TEST_P(StorageContract, AnswersABarrierAfterTheWritesBeforeIt) {
  workspace(user("a@b"), "w", "notes");
  bool stored = false;
  NewUpdate update{.workspace = "w",
                   .document = "d",
                   .bytes = bytes("x"),
                   .user_id = {},
                   .device_id = {},
                   .time = TimestampMs{5},
                   .epoch = turn};
  storage->append_update(update, [&](auto result) { stored = result.has_value(); });
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->barrier(std::move(reply)); }));
  EXPECT_TRUE(stored);
}

TEST_P(StorageContract, RefusingOneWriteDoesNotTouchItsNeighbours) {
  workspace(user("ann@x"), "w", "notes");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(ask_sign_in("ann@x", "link" + std::to_string(i), "1", 5000 + i));
  // Asked for together, so that they may share a transaction: too many, not found, conflict, and one that is good.
  int refused = 0;
  std::promise<StorageResult<relay::Sequence>> stored;
  storage->create_sign_in({.email = "ann@x", .now = TimestampMs{5010}, .expires = TimestampMs{6000}, .max_per_hour = 3},
                          [&](auto result) { refused += result ? 0 : 1; });
  storage->remove_token(sha256("nothing"), [&](auto result) { refused += result ? 0 : 1; });
  storage->create_user("ann@x", TimestampMs{1}, [&](auto result) { refused += result ? 0 : 1; });
  storage->append_update({.workspace = "w",
                          .document = "d",
                          .bytes = bytes("x"),
                          .user_id = {},
                          .device_id = {},
                          .time = TimestampMs{5},
                          .epoch = turn},
                         [&](auto result) { stored.set_value(std::move(result)); });
  EXPECT_TRUE(stored.get_future().get());
  EXPECT_EQ(refused, 3);
  EXPECT_THAT(load("d")->updates, SizeIs(1));
}

TEST_P(StorageContract, PrunesOnlyOldRecordsThatASnapshotCovers) {
  workspace(user("a@b"), "w", "notes");
  append("w", "d", "one");
  const auto second = append("w", "d", "two");
  append("w", "d", "three");
  append("w", "e", "uncovered");
  EXPECT_EQ(prune(100), 0u);  // nothing is covered yet
  wait<void>([&](auto reply) { storage->store_snapshot("d", bytes("one+two"), *second, turn, std::move(reply)); });
  EXPECT_EQ(prune(5), 0u);  // not old
  EXPECT_EQ(prune(6), 2u);
  EXPECT_EQ(prune(6), 0u);
  EXPECT_EQ(load("d")->snapshot, *bytes("one+two"));
  EXPECT_THAT(load("d")->updates, ElementsAre(*bytes("three")));
  // Numbers are never given twice, however much was forgotten.
  EXPECT_GT(*append("w", "d", "four"), *second);
}

TEST_P(StorageContract, PrunesUpToAnAge) {
  workspace(user("a@b"), "w", "notes");
  for (int64_t time = 1; time <= 20; ++time) append_at(time % 2 == 0 ? "even" : "odd", time);
  for (const char* document : {"even", "odd"}) cover(document);
  EXPECT_EQ(prune(1), 0u);
  EXPECT_EQ(prune(8), 7u);
  EXPECT_EQ(prune(8), 0u);
  EXPECT_EQ(prune(9), 1u);
  EXPECT_EQ(prune(1000), 12u);
  EXPECT_EQ(prune(1000), 0u);
}

TEST_P(StorageContract, PrunesInBites) {
  workspace(user("a@b"), "w", "notes");
  for (int64_t time = 1; time <= 5; ++time) append_at("d", time);
  cover("d");
  uint64_t removed = 0;
  for (int bites = 0;; ++bites) {
    ASSERT_LT(bites, 10);
    const Pruned bite = prune_once(5, 2);
    EXPECT_LE(bite.records, 2u);
    removed += bite.records;
    if (!bite.more) break;
  }
  EXPECT_EQ(removed, 4u);
}

TEST_P(StorageContract, PrunesNothingThatIsYoungerThanAskedWhateverTheClockSaid) {
  workspace(user("a@b"), "w", "notes");
  struct Case {
    const char* document;
    std::vector<int64_t> times;
    size_t left;  // when everything before 500 may go, at 1000
  };
  const std::vector<Case> cases = {
      {"right", {100, 200, 500, 600}, 2},
      {"began_in_the_past", {100, 600, 601, 10, 11, 12, 13, 602}, 7},
      {"far_ahead_for_a_while", {100, 5000, 5001, 200, 300, 600}, 3},  // those two cannot be told, and stay
      {"ahead_at_the_end", {100, 200, 5000}, 1},
      {"back_at_the_end", {600, 10, 11}, 3},
  };
  for (const Case& one : cases) {
    open_anew();
    workspace(user("a@b"), "w", "notes");
    for (const int64_t time : one.times) append_at(one.document, time);
    cover(one.document);
    prune(500);
    const auto past =
        wait<DocumentPast>([&](auto reply) { storage->load_past(one.document, 1 << 20, std::move(reply)); });
    EXPECT_EQ(past->records.size(), one.left) << one.document;
  }
}

TEST_P(StorageContract, PrunesLessWhenMoreIsToBeKept) {
  workspace(user("a@b"), "w", "notes");
  append_at("d", 100);
  append_at("d", 200);
  EXPECT_EQ(prune(300), 0u);  // old enough, but nothing covers them
  cover("d");
  EXPECT_EQ(prune(150), 1u);
}

TEST_P(StorageContract, LooksAtEverythingInPieces) {
  workspace(user("a@b"), "w", "notes");
  for (int64_t time = 1; time <= 20; ++time) append_at(time % 2 == 0 ? "even" : "odd", time);
  cover("even");
  int pieces = 0;
  for (std::optional<ReviewPlace> place = ReviewPlace{}; place; ++pieces) {
    ASSERT_LT(pieces, 100);
    const auto review = wait<StorageReview>([&](auto reply) { storage->review(*place, 1, std::move(reply)); });
    ASSERT_TRUE(review);
    EXPECT_THAT(review->damages, IsEmpty());
    place = review->next;
  }
  if (GetParam() == StorageKind::Sqlite) EXPECT_GT(pieces, 20);
}

TEST_P(StorageContract, SaysWhatChangedSinceACursor) {
  workspace(user("a@b"), "w", "notes");
  workspace(user("c@d"), "other", "notes");
  const auto changes = [&](std::optional<relay::Sequence> since) {
    return *wait<ChangedDocuments>([&](auto reply) { storage->list_changes("w", since, std::move(reply)); });
  };
  EXPECT_FALSE(changes(std::nullopt).known);
  EXPECT_TRUE(changes(relay::Sequence{0}).known);
  const relay::Sequence first = *append("w", "a", "one");
  append("w", "b", "two");
  append("w", "b", "three");
  append("other", "c", "of another workspace");
  const relay::Sequence last = *append("other", "c", "again");

  EXPECT_THAT(changes(first).documents, ElementsAre("b"));
  EXPECT_EQ(changes(first).through, last);
  EXPECT_THAT(changes(relay::Sequence{0}).documents, testing::UnorderedElementsAre("a", "b"));
  EXPECT_THAT(changes(last).documents, testing::IsEmpty());
  EXPECT_TRUE(changes(last).known);
  EXPECT_FALSE(changes(std::nullopt).known);
  EXPECT_EQ(changes(std::nullopt).through, last);
  EXPECT_FALSE(changes(relay::Sequence{last.value() + 1}).known) << "a cursor from a future that was lost";

  // Records that are gone may have held a change: whoever asks from before them is not told that there was none.
  wait<void>([&](auto reply) { storage->store_snapshot("b", bytes("two+three"), last, turn, std::move(reply)); });
  prune(1'000);
  EXPECT_FALSE(changes(first).known);
  EXPECT_TRUE(changes(last).known);
}

TEST_P(StorageContract, ShowsThePastOfADocument) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  const auto add = [&](const std::string& document, const std::string& text, int64_t time, relay::UpdateOrigin origin) {
    const NewUpdate update{.workspace = "w",
                           .document = document,
                           .bytes = bytes(text),
                           .user_id = ann.user_id,
                           .device_id = ann.device_id,
                           .origin = origin,
                           .time = TimestampMs{time},
                           .epoch = turn};
    return *wait<relay::Sequence>([&](auto reply) { storage->append_update(update, std::move(reply)); });
  };
  const auto first = add("d", "one", 10, relay::UpdateOrigin::Remote);
  const auto second = add("d", "two", 20, relay::UpdateOrigin::Restore);
  const auto other = add("e", "three", 30, relay::UpdateOrigin::Import);
  wait<void>([&](auto reply) { storage->store_snapshot("d", bytes("one"), first, turn, std::move(reply)); });
  const auto past = [&](const std::string& document, uint64_t most) {
    return wait<DocumentPast>([&](auto reply) { storage->load_past(document, most, std::move(reply)); });
  };
  const auto found = past("d", 1000);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->snapshot, *bytes("one"));
  EXPECT_EQ(found->through, first);
  const std::string name =
      wait<std::vector<Device>>([&](auto reply) { storage->list_devices(ann.user_id, std::move(reply)); })
          ->front()
          .name;
  const StoredRecord one{first, TimestampMs{10}, relay::UpdateOrigin::Remote, ann.device_id, name, *bytes("one")};
  const StoredRecord two{second, TimestampMs{20}, relay::UpdateOrigin::Restore, ann.device_id, name, *bytes("two")};
  EXPECT_THAT(found->records, ElementsAre(one, two));
  EXPECT_TRUE(past("d", 9));  // the snapshot and both records
  EXPECT_EQ(past("d", 8).error().kind, Kind::TooMany);
  EXPECT_THAT(past("unknown", 0)->records, IsEmpty());

  const auto changed = [&](relay::Sequence after, uint32_t most) {
    return *wait<std::vector<ChangedDocument>>(
        [&](auto reply) { storage->changed_documents("w", after, most, std::move(reply)); });
  };
  EXPECT_THAT(changed({}, 10), ElementsAre(ChangedDocument{"e", other}, ChangedDocument{"d", second}));
  EXPECT_THAT(changed({}, 1), ElementsAre(ChangedDocument{"e", other}));
  EXPECT_THAT(changed(second, 10), ElementsAre(ChangedDocument{"e", other}));
  EXPECT_THAT(changed(other, 10), IsEmpty());
}

TEST_P(StorageContract, KeepsItsLineage) {
  const auto lineage = [&] { return *wait<std::string>([&](auto reply) { storage->lineage(std::move(reply)); }); };
  const std::string before = lineage();
  EXPECT_FALSE(before.empty());
  open();
  EXPECT_EQ(lineage(), before);
}

INSTANTIATE_TEST_SUITE_P(Every, StorageContract, testing::Values(StorageKind::Sqlite, StorageKind::Memory), kind_name);

TEST(SqliteStorage, RefusesARecordThatIsNotWhatWasWritten) {
  TemporaryFolder folder;
  {
    auto storage = SqliteStorage::open(folder.path / "server.db");
    ASSERT_TRUE(storage);
    auto& one = **storage;
    const auto session = wait<Session>([&](auto reply) {
      one.create_token(
          {.email = "a@b", .token_hash = {}, .device_name = {}, .now = TimestampMs{0}, .expires = TimestampMs{9}},
          std::move(reply));
    });
    wait<Workspace>(
        [&](auto reply) { one.create_workspace(session->user_id, {"w", "n"}, TimestampMs{0}, std::move(reply)); });
    const uint64_t epoch = *wait<uint64_t>([&](auto reply) { one.take_over(std::move(reply)); });
    wait<relay::Sequence>([&](auto reply) {
      one.append_update({.workspace = "w",
                         .document = "d",
                         .bytes = bytes("whole"),
                         .user_id = {},
                         .device_id = {},
                         .time = TimestampMs{0},
                         .epoch = epoch},
                        std::move(reply));
    });
  }
  auto database = native::Database::open(folder.path / "server.db", native::Durability::Full);
  ASSERT_TRUE(database->execute("UPDATE updates SET data=x'00'"));
  auto storage = SqliteStorage::open(folder.path / "server.db");
  const auto loaded = wait<StoredDocument>([&](auto reply) { (*storage)->load_document("d", std::move(reply)); });
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, Kind::Damaged);
}

// A record that cannot be read is in the middle of a question, and a question that is not over holds on to what the
// database was when it was asked. Whoever asks next would be shown that: a document without what was confirmed since,
// whose next snapshot says that it has it all.
TEST(SqliteStorage, ADamagedRecordDoesNotStopTheClockForWhoAsksNext) {
  TemporaryFolder folder;
  const std::string path = folder.path / "server.db";
  const NewUpdate update{.workspace = "w",
                         .document = "damaged",
                         .bytes = bytes("whole"),
                         .user_id = {},
                         .device_id = {},
                         .time = TimestampMs{0}};
  const auto store = [&](Storage& storage, uint64_t epoch, const std::string& document) {
    NewUpdate one = update;
    one.document = document;
    one.epoch = epoch;
    return wait<relay::Sequence>([&](auto reply) { storage.append_update(one, std::move(reply)); });
  };
  const auto take_over = [](Storage& storage) {
    return *wait<uint64_t>([&](auto reply) { storage.take_over(std::move(reply)); });
  };
  {
    auto storage = SqliteStorage::open(path);
    ASSERT_TRUE(storage);
    const auto session = wait<Session>([&](auto reply) {
      (*storage)->create_token(
          {.email = "a@b", .token_hash = {}, .device_name = {}, .now = TimestampMs{0}, .expires = TimestampMs{9}},
          std::move(reply));
    });
    wait<Workspace>([&](auto reply) {
      (*storage)->create_workspace(session->user_id, {"w", "n"}, TimestampMs{0}, std::move(reply));
    });
    const uint64_t epoch = take_over(**storage);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(store(**storage, epoch, "damaged"));
    ASSERT_TRUE(store(**storage, epoch, "sound"));
    const auto snapshot = wait<void>([&](auto reply) {
      (*storage)->store_snapshot("sound", bytes("of one"), relay::Sequence{3}, epoch, std::move(reply));
    });
    ASSERT_TRUE(snapshot);
  }
  {
    auto database = native::Database::open(path, native::Durability::Full);
    ASSERT_TRUE(database->execute("UPDATE updates SET data=x'00' WHERE sequence=1"));
  }
  auto storage = SqliteStorage::open(path);
  const uint64_t epoch = take_over(**storage);
  const auto load = [&](const std::string& document) {
    return wait<StoredDocument>([&](auto reply) { (*storage)->load_document(document, std::move(reply)); });
  };
  ASSERT_FALSE(load("damaged"));
  for (const char* document : {"sound", "new"}) ASSERT_TRUE(store(**storage, epoch, document));
  EXPECT_EQ(load("new")->last, relay::Sequence{5});
  ASSERT_FALSE(load("damaged"));
  ASSERT_TRUE(store(**storage, epoch, "sound"));
  EXPECT_EQ(load("sound")->last, relay::Sequence{6});

  // The same for a snapshot.
  {
    auto database = native::Database::open(path, native::Durability::Full);
    ASSERT_TRUE(database->execute("UPDATE documents SET snapshot=x'00', snapshot_through=2 WHERE name='damaged'"));
  }
  ASSERT_FALSE(load("damaged"));
  const uint64_t before =
      wait<std::vector<std::string>>([&](auto reply) { (*storage)->list_documents("w", std::move(reply)); })->size();
  ASSERT_TRUE(store(**storage, epoch, "newer"));
  const auto after =
      wait<std::vector<std::string>>([&](auto reply) { (*storage)->list_documents("w", std::move(reply)); });
  EXPECT_EQ(after->size(), before + 1);
}

/// As a disk with little room: files may not become larger than this.
struct LittleRoom {
  explicit LittleRoom(uint64_t bytes) {
    before_signal = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before);
    rlimit small = before;
    small.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~LittleRoom() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, before_signal);
  }
  LittleRoom(const LittleRoom&) = delete;
  LittleRoom& operator=(const LittleRoom&) = delete;
  rlimit before{};
  void (*before_signal)(int) = nullptr;
};

// A snapshot only saves work later, and is the largest of what is written: there may be room for everything else.
TEST(SqliteStorage, ASnapshotForWhichThereIsNoRoomCostsNobodyElseTheirs) {
  TemporaryFolder folder;
  auto storage = std::move(*SqliteStorage::open(folder.path / "server.db"));
  const auto session = wait<Session>([&](auto reply) {
    storage->create_token(
        {.email = "a@b", .token_hash = {}, .device_name = {}, .now = TimestampMs{0}, .expires = TimestampMs{9}},
        std::move(reply));
  });
  wait<Workspace>(
      [&](auto reply) { storage->create_workspace(session->user_id, {"w", "n"}, TimestampMs{0}, std::move(reply)); });
  const uint64_t epoch = *wait<uint64_t>([&](auto reply) { storage->take_over(std::move(reply)); });
  const auto append = [&](Reply<relay::Sequence> reply) {
    storage->append_update({.workspace = "w",
                            .document = "d",
                            .bytes = bytes("whole"),
                            .user_id = {},
                            .device_id = {},
                            .time = TimestampMs{0},
                            .epoch = epoch},
                           std::move(reply));
  };
  ASSERT_TRUE(wait<relay::Sequence>(append));
  const LittleRoom room(1u << 20);
  for (int round = 0; round < 5; ++round) {
    // The first is being written while the others are asked for, which so come together.
    std::array<std::promise<StorageResult<relay::Sequence>>, 3> stored;
    std::promise<StorageResult<void>> snapshot;
    append([&](auto result) { stored[0].set_value(std::move(result)); });
    append([&](auto result) { stored[1].set_value(std::move(result)); });
    storage->store_snapshot("d", bytes(std::string(4u << 20, 'x')), relay::Sequence{1}, epoch,
                            [&](auto result) { snapshot.set_value(std::move(result)); });
    append([&](auto result) { stored[2].set_value(std::move(result)); });
    for (auto& one : stored) EXPECT_TRUE(one.get_future().get());
    EXPECT_FALSE(snapshot.get_future().get());
  }
  EXPECT_THAT(wait<StoredDocument>([&](auto reply) { storage->load_document("d", std::move(reply)); })->updates,
              SizeIs(16));
}

TEST(SqliteStorage, BringsADatabaseOfTheFirstVersionAlong) {
  TemporaryFolder folder;
  const std::string path = folder.path / "server.db";
  {
    auto storage = SqliteStorage::open(path);
    for (const char* email : {"ann@x", "ben@x"}) {
      wait<User>([&](auto reply) { (*storage)->create_user(email, TimestampMs{1}, std::move(reply)); });
    }
  }
  {
    // Back to what version 1 was.
    auto database = native::Database::open(path, native::Durability::Full);
    ASSERT_TRUE(database->execute(
        "DROP TRIGGER token_ended; DROP TRIGGER share_ended; DROP TRIGGER share_changed; DROP TRIGGER workspace_ended;"
        "DROP TABLE access; DROP TABLE writer; DROP TABLE facts; DROP TABLE shares; DROP TABLE sign_ins;"
        "ALTER TABLE users DROP COLUMN owner; PRAGMA user_version = 1;"));
  }
  auto storage = SqliteStorage::open(path);
  ASSERT_TRUE(storage) << storage.error().sentence;
  const auto users = wait<std::vector<User>>([&](auto reply) { (*storage)->list_users(std::move(reply)); });
  ASSERT_THAT(*users, SizeIs(2));
  EXPECT_NE((*users)[0].owner, (*users)[1].owner);
}

TEST(SqliteStorage, RefusesADatabaseOfANewerVersion) {
  TemporaryFolder folder;
  {
    auto database = native::Database::open(folder.path / "server.db", native::Durability::Full);
    ASSERT_TRUE(database->execute("PRAGMA user_version = 999"));
  }
  const auto storage = SqliteStorage::open(folder.path / "server.db");
  ASSERT_FALSE(storage);
  EXPECT_THAT(storage.error().sentence, testing::HasSubstr("newer version"));
}

}  // namespace
}  // namespace diaryx::server
