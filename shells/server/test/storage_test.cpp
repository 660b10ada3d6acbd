// What every Storage must do. Parametrised by a maker, so that the next implementation runs the same tests.
#include "storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "diaryx/native/sqlite.h"
#include "sqlite_storage.h"
#include "temporary_folder.h"

namespace diaryx::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = StorageError::Kind;

/// Asks and waits.
template <typename T, typename Ask>
StorageResult<T> wait(Ask ask) {
  std::promise<StorageResult<T>> promise;
  auto future = promise.get_future();
  ask(Reply<T>([&promise](StorageResult<T> result) { promise.set_value(std::move(result)); }));
  return future.get();
}

relay::SharedBytes bytes(std::string_view text) { return std::make_shared<const Bytes>(to_bytes(as_bytes(text))); }

struct StorageContract : testing::Test {
  StorageContract() { open(); }
  /// Opens it again, as after a restart.
  void open() {
    storage.reset();
    auto opened = SqliteStorage::open(folder.path / "server.db");
    ASSERT_TRUE(opened.has_value()) << opened.error().sentence;
    storage = std::move(*opened);
  }
  Session user(const std::string& email) {
    const NewToken token{.email = email,
                         .token_hash = sha256(email),
                         .device_name = "laptop",
                         .now = TimestampMs{1000},
                         .expires = TimestampMs{2000}};
    return *wait<Session>([&](auto reply) { storage->create_token(token, std::move(reply)); });
  }
  Workspace workspace(const Session& session, const std::string& id, const std::string& name) {
    return *wait<Workspace>(
        [&](auto reply) { storage->create_workspace(session.user_id, {id, name}, TimestampMs{1}, std::move(reply)); });
  }
  StorageResult<relay::Sequence> append(const std::string& workspace, const std::string& document,
                                        std::string_view text) {
    NewUpdate update{.workspace = workspace,
                     .document = document,
                     .bytes = bytes(text),
                     .user_id = "u",
                     .device_id = "d",
                     .time = TimestampMs{5}};
    return wait<relay::Sequence>([&](auto reply) { storage->append_update(update, std::move(reply)); });
  }
  StorageResult<StoredDocument> load(const std::string& document) {
    return wait<StoredDocument>([&](auto reply) { storage->load_document(document, std::move(reply)); });
  }

  TemporaryFolder folder;
  std::unique_ptr<Storage> storage;
};

TEST_F(StorageContract, LoadsADocumentThatWasNeverStoredAsEmpty) {
  const auto stored = load("body:w/a.md");
  ASSERT_TRUE(stored);
  EXPECT_THAT(stored->updates, IsEmpty());
  EXPECT_THAT(stored->snapshot, IsEmpty());
  EXPECT_EQ(stored->last, relay::Sequence{0});
}

TEST_F(StorageContract, KeepsUpdatesInOrderAcrossARestart) {
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

TEST_F(StorageContract, StoresManyUpdatesThatWereAskedForAtOnceInOrder) {
  workspace(user("a@b"), "w", "notes");
  std::vector<std::promise<StorageResult<relay::Sequence>>> promises(500);
  for (size_t i = 0; i < promises.size(); ++i) {
    NewUpdate update{.workspace = "w",
                     .document = "workspace:w",
                     .bytes = bytes(std::to_string(i)),
                     .user_id = {},
                     .device_id = {},
                     .time = TimestampMs{5}};
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

TEST_F(StorageContract, LoadsFromTheSnapshotOn) {
  workspace(user("a@b"), "w", "notes");
  append("w", "d", "one");
  const auto second = append("w", "d", "two");
  append("w", "d", "three");
  ASSERT_TRUE(
      wait<void>([&](auto reply) { storage->store_snapshot("d", bytes("one+two"), *second, std::move(reply)); }));
  const auto stored = load("d");
  EXPECT_EQ(stored->snapshot, *bytes("one+two"));
  EXPECT_THAT(stored->updates, ElementsAre(*bytes("three")));
  // An older snapshot that comes late changes nothing.
  ASSERT_TRUE(wait<void>(
      [&](auto reply) { storage->store_snapshot("d", bytes("old"), relay::Sequence{1}, std::move(reply)); }));
  EXPECT_EQ(load("d")->snapshot, *bytes("one+two"));
}

TEST_F(StorageContract, RefusesUpdatesOfAWorkspaceThatIsNotThere) {
  const auto refused = append("nowhere", "body:nowhere/a.md", "x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::NotFound);
}

TEST_F(StorageContract, FindsATokenByItsHashUntilItExpires) {
  const Session made = user("a@b");
  const auto find = [&](std::string_view token, int64_t now) {
    return wait<Session>([&](auto reply) { storage->find_session(sha256(token), TimestampMs{now}, std::move(reply)); });
  };
  const auto found = find("a@b", 1999);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user_id, made.user_id);
  EXPECT_EQ(found->email, "a@b");
  EXPECT_EQ(found->device_id, made.device_id);
  EXPECT_EQ(find("a@b", 2000).error().kind, Kind::NotFound);
  EXPECT_EQ(find("other", 1999).error().kind, Kind::NotFound);
}

TEST_F(StorageContract, GivesOneUserManyDevices) {
  const Session first = user("a@b");
  const NewToken again{.email = "a@b",
                       .token_hash = sha256("t2"),
                       .device_name = "phone",
                       .now = TimestampMs{1500},
                       .expires = TimestampMs{9000}};
  const auto second = wait<Session>([&](auto reply) { storage->create_token(again, std::move(reply)); });
  ASSERT_TRUE(second);
  EXPECT_EQ(second->user_id, first.user_id);
  const auto devices =
      wait<std::vector<Device>>([&](auto reply) { storage->list_devices(first.user_id, std::move(reply)); });
  ASSERT_THAT(*devices, SizeIs(2));
  EXPECT_EQ((*devices)[0].name, "phone");
  // The same token twice is refused, and nothing of the second attempt stays.
  const auto twice = wait<Session>([&](auto reply) { storage->create_token(again, std::move(reply)); });
  EXPECT_EQ(twice.error().kind, Kind::Conflict);
  EXPECT_THAT(*wait<std::vector<Device>>([&](auto reply) { storage->list_devices(first.user_id, std::move(reply)); }),
              SizeIs(2));
}

TEST_F(StorageContract, KeepsWorkspacesOfUsersApart) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  workspace(ann, "w1", "notes");
  workspace(ben, "w2", "notes");  // the same name is fine for another user
  const auto find = [&](const Session& who, const std::string& id) {
    return wait<Workspace>([&](auto reply) { storage->find_workspace(who.user_id, id, std::move(reply)); });
  };
  EXPECT_EQ(find(ann, "w1")->name, "notes");
  EXPECT_EQ(find(ann, "w2").error().kind, Kind::NotFound);
  const auto taken = wait<Workspace>(
      [&](auto reply) { storage->create_workspace(ann.user_id, {"w3", "notes"}, TimestampMs{1}, std::move(reply)); });
  EXPECT_EQ(taken.error().kind, Kind::Conflict);
  const auto stolen =
      wait<Workspace>([&](auto reply) { storage->rename_workspace(ann.user_id, {"w2", "mine"}, std::move(reply)); });
  EXPECT_EQ(stolen.error().kind, Kind::NotFound);
  EXPECT_EQ(
      wait<void>([&](auto reply) { storage->remove_workspace(ann.user_id, "w2", std::move(reply)); }).error().kind,
      Kind::NotFound);
}

TEST_F(StorageContract, RemovesAWorkspaceWithItsDocuments) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  append("w", "body:w/a.md", "x");
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->remove_workspace(ann.user_id, "w", std::move(reply)); }));
  EXPECT_THAT(load("body:w/a.md")->updates, IsEmpty());
  EXPECT_EQ(append("w", "body:w/a.md", "y").error().kind, Kind::NotFound);
}

TEST_F(StorageContract, RemembersAnUploadAndItsBlob) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  workspace(ann, "w2", "more");
  Upload upload{.id = "up",
                .workspace = "w",
                .user_id = ann.user_id,
                .attachment_path = "a.png",
                .hash = sha256("x"),
                .size_bytes = 7,
                .mime_type = "image/png",
                .part_size = 4,
                .total_parts = 2,
                .expires = TimestampMs{100}};
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->create_upload(upload, std::move(reply)); }));
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->add_upload_part("up", 2, std::move(reply)); }));
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->add_upload_part("up", 2, std::move(reply)); }));
  const auto found = wait<Upload>([&](auto reply) { storage->find_upload("w", "up", std::move(reply)); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->hash, upload.hash);
  EXPECT_THAT(found->parts, ElementsAre(2));
  EXPECT_EQ(wait<Upload>([&](auto reply) { storage->find_upload("w2", "up", std::move(reply)); }).error().kind,
            Kind::NotFound);

  const auto blob_in = [&](const std::string& id) {
    return wait<Blob>([&](auto reply) { storage->find_blob(id, sha256("x"), std::move(reply)); });
  };
  EXPECT_EQ(blob_in("w").error().kind, Kind::NotFound);
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->finish_upload(upload, TimestampMs{50}, std::move(reply)); }));
  EXPECT_EQ(blob_in("w")->mime_type, "image/png");
  EXPECT_EQ(blob_in("w2").error().kind, Kind::NotFound);
  upload.workspace = "w2";
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->adopt_blob(upload, TimestampMs{60}, std::move(reply)); }));
  EXPECT_TRUE(blob_in("w2"));
  const auto use = wait<StorageUse>([&](auto reply) { storage->storage_use(ann.user_id, std::move(reply)); });
  EXPECT_EQ(use->used_bytes, 7u);
  EXPECT_EQ(use->blob_count, 1u);
  // Nobody adopts what another user uploaded.
  upload.user_id = user("ben@x").user_id;
  EXPECT_EQ(
      wait<void>([&](auto reply) { storage->adopt_blob(upload, TimestampMs{60}, std::move(reply)); }).error().kind,
      Kind::NotFound);

  EXPECT_THAT(
      *wait<std::vector<Upload>>([&](auto reply) { storage->expire_uploads(TimestampMs{99}, std::move(reply)); }),
      IsEmpty());
  EXPECT_THAT(
      *wait<std::vector<Upload>>([&](auto reply) { storage->expire_uploads(TimestampMs{100}, std::move(reply)); }),
      SizeIs(1));
}

TEST_F(StorageContract, AnswersABarrierAfterTheWritesBeforeIt) {
  workspace(user("a@b"), "w", "notes");
  bool stored = false;
  NewUpdate update{
      .workspace = "w", .document = "d", .bytes = bytes("x"), .user_id = {}, .device_id = {}, .time = TimestampMs{5}};
  storage->append_update(update, [&](auto result) { stored = result.has_value(); });
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->barrier(std::move(reply)); }));
  EXPECT_TRUE(stored);
}

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
    wait<relay::Sequence>([&](auto reply) {
      one.append_update({.workspace = "w",
                         .document = "d",
                         .bytes = bytes("whole"),
                         .user_id = {},
                         .device_id = {},
                         .time = TimestampMs{0}},
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
