// What every Storage must do, whatever it is made of: the fixture that its tests share. The next implementation runs them too.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "memory_storage.h"
#include "sqlite_storage.h"
#include "storage.h"
#include "temporary_folder.h"

namespace diaryx::server {

/// Asks and waits.
template <typename T, typename Ask>
StorageResult<T> wait(Ask ask) {
  std::promise<StorageResult<T>> promise;
  auto future = promise.get_future();
  ask(Reply<T>([&promise](StorageResult<T> result) { promise.set_value(std::move(result)); }));
  return future.get();
}

inline relay::SharedBytes bytes(std::string_view text) {
  return std::make_shared<const Bytes>(to_bytes(as_bytes(text)));
}

enum class StorageKind : uint8_t { Sqlite, Memory };

inline std::string kind_name(const testing::TestParamInfo<StorageKind>& info) {
  return info.param == StorageKind::Sqlite ? "Sqlite" : "Memory";
}

struct StorageContract : testing::TestWithParam<StorageKind> {
  StorageContract() {
    open();
    turn = take_over();
  }
  void open_anew() {
    storage.reset();
    std::filesystem::remove(folder.path / "server.db");
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
    return *wait<Session>([&](auto reply) { storage->accounts.create_token(token, std::move(reply)); });
  }
  Workspace workspace(const Session& session, const std::string& id, const std::string& name) {
    return *wait<Workspace>(
        [&](auto reply) { storage->workspaces.create(session.user_id, {id, name}, TimestampMs{1}, std::move(reply)); });
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
    return wait<relay::Sequence>([&](auto reply) { storage->documents.append(update, std::move(reply)); });
  }
  void append_at(const std::string& document, int64_t time) {
    const NewUpdate update{.workspace = "w",
                           .document = document,
                           .bytes = bytes(std::to_string(time)),
                           .user_id = "u",
                           .device_id = "d",
                           .time = TimestampMs{time},
                           .epoch = turn};
    last = *wait<relay::Sequence>([&](auto reply) { storage->documents.append(update, std::move(reply)); });
  }
  /// A snapshot of everything that `append_at` stored.
  void cover(const std::string& document) {
    wait<void>(
        [&](auto reply) { storage->documents.store_snapshot(document, bytes("all"), last, turn, std::move(reply)); });
  }
  /// What is older than `before`, at 1000.
  Pruned prune_once(int64_t before, uint32_t most) {
    return *wait<Pruned>([&](auto reply) {
      storage->history.prune(TimestampMs{1000}, DurationMs{1000 - before}, most, std::move(reply));
    });
  }
  uint64_t prune(int64_t before) {
    uint64_t records = 0;
    for (Pruned bite{.more = true}; bite.more; records += bite.records) bite = prune_once(before, 2);
    return records;
  }
  StorageResult<StoredDocument> load(const std::string& document) {
    return wait<StoredDocument>([&](auto reply) { storage->documents.load(document, std::move(reply)); });
  }

  StorageResult<Session> find_session(std::string_view token, int64_t now) {
    return wait<Session>(
        [&](auto reply) { storage->accounts.find_session(sha256(token), TimestampMs{now}, std::move(reply)); });
  }
  uint64_t epoch() {
    return *wait<uint64_t>([&](auto reply) { storage->access.epoch(std::move(reply)); });
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
    return wait<void>([&](auto reply) { storage->access.create_sign_in(sign_in, std::move(reply)); });
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
    return wait<SignedIn>([&](auto reply) { storage->access.redeem_sign_in(std::move(redemption), std::move(reply)); });
  }

  TemporaryFolder folder;
  std::unique_ptr<Storage> storage;
  uint64_t turn = 0;
  relay::Sequence last;  // of `append_at`
};

}  // namespace diaryx::server
