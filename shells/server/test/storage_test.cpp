// What every Storage must do. Parametrised by kind, so that the next implementation runs the same tests.
#include "storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "diaryx/native/sqlite.h"
#include "memory_storage.h"
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

enum class StorageKind : uint8_t { Sqlite, Memory };

std::string kind_name(const testing::TestParamInfo<StorageKind>& info) {
  return info.param == StorageKind::Sqlite ? "Sqlite" : "Memory";
}

struct StorageContract : testing::TestWithParam<StorageKind> {
  StorageContract() {
    open();
    turn = take_over();
  }
  uint64_t take_over() {
    return *wait<uint64_t>([&](auto reply) { storage->take_over(std::move(reply)); });
  }
  /// Opens it again, as after a restart.
  void open() {
    if (GetParam() == StorageKind::Memory) {
      if (storage == nullptr) storage = std::make_unique<MemoryStorage>();
      return;
    }
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
                     .time = TimestampMs{5},
                     .epoch = turn};
    return wait<relay::Sequence>([&](auto reply) { storage->append_update(update, std::move(reply)); });
  }
  StorageResult<StoredDocument> load(const std::string& document) {
    return wait<StoredDocument>([&](auto reply) { storage->load_document(document, std::move(reply)); });
  }

  StorageResult<Session> find_session(std::string_view token, int64_t now) {
    return wait<Session>([&](auto reply) { storage->find_session(sha256(token), TimestampMs{now}, std::move(reply)); });
  }
  uint64_t epoch() {
    return *wait<uint64_t>([&](auto reply) { storage->access_epoch(std::move(reply)); });
  }
  StorageResult<void> ask_sign_in(const std::string& email, const std::string& link, const std::string& code,
                                  int64_t now, bool new_users = false) {
    const Bytes salt = {1, 2, 3};
    const NewSignIn sign_in{.email = email,
                            .link_hash = sha256(link),
                            .salt = salt,
                            .code_hash = hash_code(salt, code),
                            .now = TimestampMs{now},
                            .expires = TimestampMs{now + 900'000},
                            .new_users = new_users,
                            .max_per_hour = 3};
    return wait<void>([&](auto reply) { storage->create_sign_in(sign_in, std::move(reply)); });
  }
  StorageResult<SignedIn> redeem(SignInProof proof, const std::string& token, int64_t now, uint32_t max_devices = 0,
                                 const std::string& replace = {}) {
    Redemption redemption{.proof = std::move(proof),
                          .token = {.email = {},
                                    .token_hash = sha256(token),
                                    .device_name = "phone",
                                    .now = TimestampMs{now},
                                    .expires = TimestampMs{now + 1'000'000}},
                          .replace_device = replace,
                          .max_devices = max_devices};
    return wait<SignedIn>([&](auto reply) { storage->redeem_sign_in(std::move(redemption), std::move(reply)); });
  }

  TemporaryFolder folder;
  std::unique_ptr<Storage> storage;
  uint64_t turn = 0;
};

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

TEST_P(StorageContract, FindsATokenByItsHashUntilItExpires) {
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

TEST_P(StorageContract, GivesOneUserManyDevices) {
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

TEST_P(StorageContract, KeepsWorkspacesOfUsersApart) {
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

TEST_P(StorageContract, RemovesAWorkspaceWithItsDocuments) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  append("w", "body:w/a.md", "x");
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->remove_workspace(ann.user_id, "w", std::move(reply)); }));
  EXPECT_THAT(load("body:w/a.md")->updates, IsEmpty());
  EXPECT_EQ(append("w", "body:w/a.md", "y").error().kind, Kind::NotFound);
}

TEST_P(StorageContract, RemembersAnUploadAndItsBlob) {
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

TEST_P(StorageContract, MakesTheFirstUserTheOwner) {
  const auto make = [&](const std::string& email, int64_t now) {
    return wait<User>([&](auto reply) { storage->create_user(email, TimestampMs{now}, std::move(reply)); });
  };
  const auto ann = make("ann@x", 1);
  ASSERT_TRUE(ann);
  EXPECT_TRUE(ann->owner);
  EXPECT_FALSE(make("ben@x", 2)->owner);
  EXPECT_EQ(make("ann@x", 3).error().kind, Kind::Conflict);
  EXPECT_EQ(wait<User>([&](auto reply) { storage->find_user("ben@x", std::move(reply)); })->created, TimestampMs{2});
  EXPECT_EQ(wait<User>([&](auto reply) { storage->find_user("eve@x", std::move(reply)); }).error().kind,
            Kind::NotFound);
  const auto users = wait<std::vector<User>>([&](auto reply) { storage->list_users(std::move(reply)); });
  ASSERT_THAT(*users, SizeIs(2));
  EXPECT_EQ((*users)[0].id, ann->id);
  // A token for a known address belongs to its user; ownership is told with the session.
  EXPECT_EQ(user("ann@x").user_id, ann->id);
  EXPECT_TRUE(wait<Session>([&](auto reply) {
                storage->find_session(sha256("ann@x"), TimestampMs{1000}, std::move(reply));
              })->owner);
}

TEST_P(StorageContract, RemovesAUserWithEverything) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  append("w", "workspace:w", "x");
  const uint64_t before = epoch();
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->remove_user(ann.user_id, std::move(reply)); }));
  EXPECT_GT(epoch(), before);
  EXPECT_EQ(find_session("ann@x", 1000).error().kind, Kind::NotFound);
  EXPECT_THAT(load("workspace:w")->updates, IsEmpty());
  EXPECT_EQ(wait<void>([&](auto reply) { storage->remove_user(ann.user_id, std::move(reply)); }).error().kind,
            Kind::NotFound);
}

TEST_P(StorageContract, RenamesAndRemovesDevicesOfTheirUserOnly) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  const auto rename = [&](const Session& who) {
    return wait<void>(
        [&](auto reply) { storage->rename_device(who.user_id, ann.device_id, "desk", std::move(reply)); });
  };
  const auto remove = [&](const Session& who) {
    return wait<void>([&](auto reply) { storage->remove_device(who.user_id, ann.device_id, std::move(reply)); });
  };
  EXPECT_EQ(rename(ben).error().kind, Kind::NotFound);
  EXPECT_EQ(remove(ben).error().kind, Kind::NotFound);
  ASSERT_TRUE(rename(ann));
  EXPECT_EQ(
      (*wait<std::vector<Device>>([&](auto reply) { storage->list_devices(ann.user_id, std::move(reply)); }))[0].name,
      "desk");
  const uint64_t before = epoch();
  ASSERT_TRUE(remove(ann));
  EXPECT_GT(epoch(), before);
  EXPECT_EQ(find_session("ann@x", 1000).error().kind, Kind::NotFound);
  EXPECT_TRUE(find_session("ben@x", 1000));
}

TEST_P(StorageContract, EndsATokenAndTheDeviceThatHadNoOther) {
  const Session ann = user("ann@x");
  user("ben@x");
  const auto all = wait<std::vector<TokenEntry>>([&](auto reply) { storage->list_tokens("", std::move(reply)); });
  EXPECT_THAT(*all, SizeIs(2));
  const auto mine =
      wait<std::vector<TokenEntry>>([&](auto reply) { storage->list_tokens(ann.user_id, std::move(reply)); });
  ASSERT_THAT(*mine, SizeIs(1));
  EXPECT_EQ((*mine)[0].hash, sha256("ann@x"));
  EXPECT_EQ((*mine)[0].device_name, "laptop");
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->remove_token(sha256("ann@x"), std::move(reply)); }));
  EXPECT_THAT(*wait<std::vector<Device>>([&](auto reply) { storage->list_devices(ann.user_id, std::move(reply)); }),
              IsEmpty());
  EXPECT_EQ(wait<void>([&](auto reply) { storage->remove_token(sha256("ann@x"), std::move(reply)); }).error().kind,
            Kind::NotFound);
}

TEST_P(StorageContract, RedeemsALinkOnce) {
  user("ann@x");
  ASSERT_TRUE(ask_sign_in("ann@x", "link", "123456", 5000));
  const auto first = redeem({.link_hash = sha256("link")}, "t1", 6000);
  ASSERT_TRUE(first && first->session);
  EXPECT_EQ(first->session->email, "ann@x");
  EXPECT_TRUE(find_session("t1", 6000));
  EXPECT_EQ(redeem({.link_hash = sha256("link")}, "t2", 6000).error().kind, Kind::NotFound);
  // The code went with it.
  EXPECT_EQ(redeem({.email = "ann@x", .code = "123456"}, "t3", 6000).error().kind, Kind::NotFound);
}

TEST_P(StorageContract, RedeemsACodeForItsAddressUntilItEnds) {
  user("ann@x");
  user("ben@x");
  ASSERT_TRUE(ask_sign_in("ann@x", "link", "123456", 5000));
  EXPECT_EQ(redeem({.email = "ben@x", .code = "123456"}, "t1", 6000).error().kind, Kind::NotFound);
  EXPECT_EQ(redeem({.email = "ann@x", .code = "123456"}, "t1", 5000 + 900'000).error().kind, Kind::NotFound);
  EXPECT_TRUE(redeem({.email = "ann@x", .code = "123456"}, "t1", 6000)->session);
}

TEST_P(StorageContract, TakesFiveCodesAndNoMore) {
  user("ann@x");
  ASSERT_TRUE(ask_sign_in("ann@x", "link", "123456", 5000));
  for (uint32_t i = 0; i < kMaxCodeAttempts; ++i)
    EXPECT_EQ(redeem({.email = "ann@x", .code = "000000"}, "t", 6000).error().kind, Kind::NotFound);
  EXPECT_EQ(redeem({.email = "ann@x", .code = "123456"}, "t", 6000).error().kind, Kind::NotFound);
  // Nobody guesses a link: it stays good.
  EXPECT_TRUE(redeem({.link_hash = sha256("link")}, "t", 6000)->session);
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

TEST_P(StorageContract, LimitsHowOftenAnAddressIsAsked) {
  user("ann@x");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(ask_sign_in("ann@x", "link" + std::to_string(i), "1", 5000 + i));
  EXPECT_EQ(ask_sign_in("ann@x", "more", "1", 5010).error().kind, Kind::TooMany);
  EXPECT_TRUE(ask_sign_in("ann@x", "later", "1", 5000 + 3'700'000));
}

TEST_P(StorageContract, MakesAnAccountOnlyWhenAllowed) {
  EXPECT_EQ(ask_sign_in("new@x", "link", "1", 5000).error().kind, Kind::NotFound);
  ASSERT_TRUE(ask_sign_in("new@x", "link", "1", 5000, true));
  EXPECT_EQ(redeem({.link_hash = sha256("link")}, "t", 6000)->session->email, "new@x");
}

TEST_P(StorageContract, AsksWhichDeviceMakesRoom) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  ASSERT_TRUE(ask_sign_in("ann@x", "link", "1", 5000));
  const auto full = redeem({.link_hash = sha256("link")}, "t", 6000, 1);
  ASSERT_TRUE(full);
  EXPECT_FALSE(full->session);
  ASSERT_THAT(full->devices, SizeIs(1));
  EXPECT_EQ(full->devices[0].id, ann.device_id);
  EXPECT_EQ(redeem({.link_hash = sha256("link")}, "t", 6000, 1, ben.device_id).error().kind, Kind::Conflict);
  EXPECT_TRUE(redeem({.link_hash = sha256("link")}, "t", 6000, 1, ann.device_id)->session);
  EXPECT_EQ(find_session("ann@x", 1500).error().kind, Kind::NotFound);
}

TEST_P(StorageContract, SharesAWorkspaceOfItsOwner) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  workspace(ann, "w", "notes");
  const auto share = [&](const Session& who) {
    return wait<void>([&](auto reply) {
      storage->create_share({sha256("CODE"), "w", who.user_id, true}, TimestampMs{1}, std::move(reply));
    });
  };
  const auto find = [&] {
    return wait<Share>([&](auto reply) { storage->find_share(sha256("CODE"), std::move(reply)); });
  };
  const auto change = [&](const Session& who, bool read_only) {
    return wait<Share>(
        [&](auto reply) { storage->change_share(who.user_id, sha256("CODE"), read_only, std::move(reply)); });
  };
  EXPECT_EQ(share(ben).error().kind, Kind::NotFound);
  ASSERT_TRUE(share(ann));
  EXPECT_TRUE(find()->read_only);
  EXPECT_EQ(find()->owner_id, ann.user_id);
  EXPECT_EQ(change(ben, false).error().kind, Kind::NotFound);
  const uint64_t before = epoch();
  EXPECT_FALSE(change(ann, false)->read_only);
  EXPECT_GT(epoch(), before);
  open();
  EXPECT_FALSE(find()->read_only);
  const auto check = [&] {
    return *wait<std::vector<AccessState>>([&](auto reply) {
      storage->check_access({{AccessKey::Kind::Share, sha256("CODE")},
                             {AccessKey::Kind::Token, sha256("ann@x")},
                             {AccessKey::Kind::Token, sha256("nobody")}},
                            TimestampMs{1500}, std::move(reply));
    });
  };
  EXPECT_TRUE(check()[0].valid);
  EXPECT_TRUE(check()[1].valid);
  EXPECT_FALSE(check()[2].valid);
  const auto remove = [&](const Session& who) {
    return wait<Share>([&](auto reply) { storage->remove_share(who.user_id, sha256("CODE"), std::move(reply)); });
  };
  EXPECT_EQ(remove(ben).error().kind, Kind::NotFound);
  EXPECT_EQ(remove(ann)->workspace, "w");
  EXPECT_EQ(find().error().kind, Kind::NotFound);
  EXPECT_FALSE(check()[0].valid);
}

TEST_P(StorageContract, EndsAShareWithItsWorkspace) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  wait<void>([&](auto reply) {
    storage->create_share({sha256("CODE"), "w", ann.user_id, false}, TimestampMs{1}, std::move(reply));
  });
  const uint64_t before = epoch();
  wait<void>([&](auto reply) { storage->remove_workspace(ann.user_id, "w", std::move(reply)); });
  EXPECT_GT(epoch(), before);
  EXPECT_EQ(wait<Share>([&](auto reply) { storage->find_share(sha256("CODE"), std::move(reply)); }).error().kind,
            Kind::NotFound);
}

TEST_P(StorageContract, ForgetsWhatExpired) {
  user("ann@x");
  const uint64_t before = epoch();
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->expire_access(TimestampMs{2000}, std::move(reply)); }));
  EXPECT_GT(epoch(), before);
  EXPECT_THAT(*wait<std::vector<TokenEntry>>([&](auto reply) { storage->list_tokens("", std::move(reply)); }),
              IsEmpty());
}

TEST_P(StorageContract, PrunesOnlyOldRecordsThatASnapshotCovers) {
  workspace(user("a@b"), "w", "notes");
  append("w", "d", "one");
  const auto second = append("w", "d", "two");
  append("w", "d", "three");
  append("w", "e", "uncovered");
  const auto prune = [&](int64_t before, uint32_t most) {
    return *wait<uint64_t>([&](auto reply) { storage->prune_history(TimestampMs{before}, most, std::move(reply)); });
  };
  EXPECT_EQ(prune(100, 10), 0u);  // nothing is covered yet
  wait<void>([&](auto reply) { storage->store_snapshot("d", bytes("one+two"), *second, turn, std::move(reply)); });
  EXPECT_EQ(prune(5, 10), 0u);  // not old
  EXPECT_EQ(prune(6, 1), 1u);   // bounded
  EXPECT_EQ(prune(6, 10), 1u);
  EXPECT_EQ(prune(6, 10), 0u);
  EXPECT_EQ(load("d")->snapshot, *bytes("one+two"));
  EXPECT_THAT(load("d")->updates, ElementsAre(*bytes("three")));
  // Numbers are never given twice, however much was forgotten.
  EXPECT_GT(*append("w", "d", "four"), *second);
}

TEST_P(StorageContract, PrunesUpToAnAge) {
  workspace(user("a@b"), "w", "notes");
  std::optional<relay::Sequence> last;
  for (int64_t time = 1; time <= 20; ++time) {
    const NewUpdate update{.workspace = "w",
                           .document = time % 2 == 0 ? "even" : "odd",
                           .bytes = bytes(std::to_string(time)),
                           .user_id = "u",
                           .device_id = "d",
                           .time = TimestampMs{time},
                           .epoch = turn};
    last = *wait<relay::Sequence>([&](auto reply) { storage->append_update(update, std::move(reply)); });
  }
  for (const char* document : {"even", "odd"}) {
    wait<void>([&](auto reply) { storage->store_snapshot(document, bytes("all"), *last, turn, std::move(reply)); });
  }
  const auto prune = [&](int64_t before) {
    return *wait<uint64_t>([&](auto reply) { storage->prune_history(TimestampMs{before}, 100, std::move(reply)); });
  };
  EXPECT_EQ(prune(1), 0u);
  EXPECT_EQ(prune(8), 7u);
  EXPECT_EQ(prune(8), 0u);
  EXPECT_EQ(prune(9), 1u);
  EXPECT_EQ(prune(1000), 12u);
  EXPECT_EQ(prune(1000), 0u);
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
  wait<uint64_t>([&](auto reply) { storage->prune_history(TimestampMs{1'000'000}, 10, std::move(reply)); });
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

TEST_P(StorageContract, ForgetsBlobsThatNoWorkspaceRefersTo) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  workspace(ann, "w2", "more");
  Upload upload{.id = "up",
                .workspace = "w",
                .user_id = ann.user_id,
                .attachment_path = "a.png",
                .hash = {},
                .size_bytes = 7,
                .mime_type = "image/png",
                .part_size = 7,
                .total_parts = 1,
                .expires = TimestampMs{100}};
  for (const char* text : {"a", "b", "c"}) {
    upload.hash = sha256(text);
    ASSERT_TRUE(wait<void>([&](auto reply) { storage->finish_upload(upload, TimestampMs{50}, std::move(reply)); }));
  }
  const auto review = [&](std::optional<BlobKey> after, uint32_t limit, int64_t before) {
    return *wait<BlobReview>(
        [&](auto reply) { storage->review_blobs(after, limit, TimestampMs{before}, std::move(reply)); });
  };
  const auto forget = [&](const char* text) {
    return *wait<bool>([&](auto reply) { storage->forget_blob({ann.user_id, sha256(text)}, std::move(reply)); });
  };
  EXPECT_THAT(review({}, 10, 100).unused, IsEmpty());
  EXPECT_FALSE(forget("a"));
  // One of them is in another workspace too; then the first goes.
  upload.workspace = "w2";
  upload.hash = sha256("b");
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->adopt_blob(upload, TimestampMs{60}, std::move(reply)); }));
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->remove_workspace(ann.user_id, "w", std::move(reply)); }));
  EXPECT_THAT(review({}, 10, 50).unused, IsEmpty());  // not old
  EXPECT_THAT(review({}, 10, 51).unused,
              testing::UnorderedElementsAre(BlobKey{ann.user_id, sha256("a")}, BlobKey{ann.user_id, sha256("c")}));
  // The walk sees each blob once, whatever its steps are.
  std::vector<BlobKey> unused;
  size_t steps = 0;
  for (std::optional<BlobKey> at;; ++steps) {
    const BlobReview step = review(at, 1, 51);
    unused.insert(unused.end(), step.unused.begin(), step.unused.end());
    if (!(at = step.last)) break;
  }
  EXPECT_EQ(steps, 3u);
  EXPECT_THAT(unused, SizeIs(2));
  // In between somebody came to need one of them again.
  upload.hash = sha256("c");
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->adopt_blob(upload, TimestampMs{70}, std::move(reply)); }));
  EXPECT_TRUE(forget("a"));
  EXPECT_FALSE(forget("a"));
  EXPECT_FALSE(forget("b"));
  EXPECT_FALSE(forget("c"));
  EXPECT_EQ(wait<StorageUse>([&](auto reply) { storage->storage_use(ann.user_id, std::move(reply)); })->blob_count, 2u);
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
