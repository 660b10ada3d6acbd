// What SQLite alone must do.
#include "storage_contract.h"

#include <sys/resource.h>

#include <array>
#include <csignal>

#include "diaryx/native/sqlite.h"

namespace diaryx::server {
namespace {

using testing::SizeIs;
using Kind = StorageError::Kind;

/// Makes the workspace "w" and takes the documents over; answers the epoch.
uint64_t begin_workspace(Storage& storage) {
  const auto session = wait<Session>([&](auto reply) {
    storage.accounts.create_token(
        {.email = "a@b", .token_hash = {}, .device_name = {}, .now = TimestampMs{0}, .expires = TimestampMs{9}},
        std::move(reply));
  });
  wait<Workspace>(
      [&](auto reply) { storage.workspaces.create(session->user_id, {"w", "n"}, TimestampMs{0}, std::move(reply)); });
  return *wait<uint64_t>([&](auto reply) { storage.take_over(std::move(reply)); });
}

TEST(SqliteStorage, RefusesARecordThatIsNotWhatWasWritten) {
  TemporaryFolder folder;
  {
    auto storage = SqliteStorage::open(folder.path / "server.db");
    ASSERT_TRUE(storage);
    auto& one = **storage;
    const uint64_t epoch = begin_workspace(one);
    wait<relay::Sequence>([&](auto reply) {
      one.documents.append({.workspace = "w",
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
  const auto loaded = wait<StoredDocument>([&](auto reply) { (*storage)->documents.load("d", std::move(reply)); });
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
    return wait<relay::Sequence>([&](auto reply) { storage.documents.append(one, std::move(reply)); });
  };
  {
    auto storage = SqliteStorage::open(path);
    ASSERT_TRUE(storage);
    const uint64_t epoch = begin_workspace(**storage);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(store(**storage, epoch, "damaged"));
    ASSERT_TRUE(store(**storage, epoch, "sound"));
    const auto snapshot = wait<void>([&](auto reply) {
      (*storage)->documents.store_snapshot("sound", bytes("of one"), relay::Sequence{3}, epoch, std::move(reply));
    });
    ASSERT_TRUE(snapshot);
  }
  {
    auto database = native::Database::open(path, native::Durability::Full);
    ASSERT_TRUE(database->execute("UPDATE updates SET data=x'00' WHERE sequence=1"));
  }
  auto storage = SqliteStorage::open(path);
  const uint64_t epoch = *wait<uint64_t>([&](auto reply) { (*storage)->take_over(std::move(reply)); });
  const auto load = [&](const std::string& document) {
    return wait<StoredDocument>([&](auto reply) { (*storage)->documents.load(document, std::move(reply)); });
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
      wait<std::vector<std::string>>([&](auto reply) { (*storage)->documents.list("w", std::move(reply)); })->size();
  ASSERT_TRUE(store(**storage, epoch, "newer"));
  const auto after =
      wait<std::vector<std::string>>([&](auto reply) { (*storage)->documents.list("w", std::move(reply)); });
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
  const uint64_t epoch = begin_workspace(*storage);
  const auto append = [&](Reply<relay::Sequence> reply) {
    storage->documents.append({.workspace = "w",
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
    storage->documents.store_snapshot("d", bytes(std::string(4u << 20, 'x')), relay::Sequence{1}, epoch,
                                      [&](auto result) { snapshot.set_value(std::move(result)); });
    append([&](auto result) { stored[2].set_value(std::move(result)); });
    for (auto& one : stored) EXPECT_TRUE(one.get_future().get());
    EXPECT_FALSE(snapshot.get_future().get());
  }
  EXPECT_THAT(wait<StoredDocument>([&](auto reply) { storage->documents.load("d", std::move(reply)); })->updates,
              SizeIs(16));
}

TEST(SqliteStorage, BringsADatabaseOfTheFirstVersionAlong) {
  TemporaryFolder folder;
  const std::string path = folder.path / "server.db";
  {
    auto storage = SqliteStorage::open(path);
    for (const char* email : {"ann@x", "ben@x"}) {
      wait<User>([&](auto reply) { (*storage)->accounts.create_user(email, TimestampMs{1}, std::move(reply)); });
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
  const auto users = wait<std::vector<User>>([&](auto reply) { (*storage)->accounts.list_users(std::move(reply)); });
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
