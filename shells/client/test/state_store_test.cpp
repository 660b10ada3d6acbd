#include "state_store.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "sql.h"
#include "temp_folder.h"

namespace diaryx::client {
namespace {

constexpr TimestampMs kNow{1'700'000'000'000};

sync::Replica new_replica(uint32_t client) { return sync::Replica({.workspace_id = "ws", .client = ClientId{client}}); }

/// The actions of a replica that joins an empty workspace and takes in one note; made by the real core.
std::vector<sync::Action> some_work(sync::Replica& replica) {
  const auto frame = [](std::string_view doc, Bytes payload) {
    Bytes bytes{uint8_t(doc.size())};
    bytes.insert(bytes.end(), doc.begin(), doc.end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
  };
  std::vector<sync::Action> actions;
  const auto handle = [&](const sync::Event& event) { replica.handle(event, kNow, actions); };
  handle(sync::TextFileSeen{"a.md", "hello"});
  handle(sync::FilesSettled{});
  handle(sync::Connected{});
  const Bytes empty_answer{0, 1, 2, 0, 0};
  handle(sync::BinaryReceived{frame("workspace:ws", empty_answer)});
  handle(sync::TextFileSeen{"a.md", "hello"});
  handle(sync::FilesSettled{});
  handle(sync::BinaryReceived{frame("body:ws/a.md", empty_answer)});
  handle(sync::TextFileSeen{"a.md", "hello"});
  handle(sync::FilesSettled{});
  return actions;
}

class StateStoreTest : public testing::Test {
 protected:
  StateStore open() {
    auto store = StateStore::open(folder_ / "state.db");
    EXPECT_TRUE(store) << store.error().sentence;
    return std::move(*store);
  }

  native::TempFolder folder_;
};

TEST_F(StateStoreTest, BringsAReplicaBackAsItWas) {
  sync::Replica first = new_replica(1);
  const auto actions = some_work(first);
  ASSERT_EQ(first.file_text("a.md"), "hello");
  ASSERT_TRUE(open().persist(actions, kNow));

  sync::Replica second = new_replica(2);
  const auto damaged = open().restore(second);
  ASSERT_TRUE(damaged);
  EXPECT_TRUE(damaged->empty());
  EXPECT_EQ(second.file_text("a.md"), "hello");
  EXPECT_EQ(second.known_hash("a.md"), sha256("hello"));
  EXPECT_EQ(second.document_state("workspace"), first.document_state("workspace"));
  EXPECT_EQ(second.document_state("body:a.md"), first.document_state("body:a.md"));
}

TEST_F(StateStoreTest, SetsADamagedRowAsideAndKeepsTheOthers) {
  sync::Replica first = new_replica(1);
  {
    StateStore store = open();
    ASSERT_TRUE(store.persist(some_work(first), kNow));
    std::vector<sync::Action> broken;
    broken.push_back(sync::PersistUpdate{"body:b.md", Bytes{1, 2, 3}});
    ASSERT_TRUE(store.persist(broken, kNow));
  }
  for (int run = 0; run < 2; ++run) {
    sync::Replica again = new_replica(2);
    const auto damaged = open().restore(again);
    ASSERT_TRUE(damaged);
    EXPECT_EQ(damaged->size(), run == 0 ? 1u : 0u);
    EXPECT_EQ(again.file_text("a.md"), "hello");
  }
}

TEST_F(StateStoreTest, RemovesARecordWithAnEmptyValue) {
  sync::Replica replica = new_replica(1);
  {
    StateStore store = open();
    ASSERT_TRUE(store.persist(some_work(replica), kNow));
    std::vector<sync::Action> removal;
    removal.push_back(sync::PersistRecord{"file:a.md", ""});
    ASSERT_TRUE(store.persist(removal, kNow));
  }
  sync::Replica again = new_replica(2);
  ASSERT_TRUE(open().restore(again));
  EXPECT_TRUE(again.known_files().empty());
}

TEST_F(StateStoreTest, FoldsALongLogIntoOneState) {
  sync::Replica replica = new_replica(1);
  StateStore store = open();
  ASSERT_TRUE(store.persist(some_work(replica), kNow));
  std::vector<sync::Action> actions;
  for (int edit = 0; edit < 400; ++edit) {
    actions.clear();
    const std::string text = "hello " + std::to_string(edit);
    replica.handle(sync::TextFileSeen{"a.md", text}, kNow, actions);
    replica.handle(sync::FilesSettled{}, kNow, actions);
    ASSERT_TRUE(store.persist(actions, kNow));
    ASSERT_TRUE(store.compact(replica));
  }
  auto database = native::Database::open_reader(folder_ / "state.db");
  ASSERT_TRUE(database);
  auto count = database->prepare("SELECT count(*) FROM updates WHERE doc = 'body:a.md'");
  ASSERT_TRUE(*count->step());
  EXPECT_LT(count->integer(0), 300);
  sync::Replica again = new_replica(2);
  ASSERT_TRUE(store.restore(again));
  EXPECT_EQ(again.file_text("a.md"), "hello 399");
}

TEST_F(StateStoreTest, KeepsDigestsAndForgetsThoseOfRemovedFiles) {
  const native::FileStamp stamp{.device = ~uint64_t{0}, .inode = 2, .size_bytes = 3, .modified_ns = 4, .changed_ns = 5};
  native::DigestCache cache;
  cache.remember("a.png", stamp, sha256("a"), kNow);
  cache.remember("b.png", stamp, sha256("b"), kNow);
  StateStore store = open();
  ASSERT_TRUE(store.save_digests(cache));
  cache.forget("b.png");
  ASSERT_TRUE(store.save_digests(cache));
  native::DigestCache again;
  ASSERT_TRUE(open().restore_digests(again));
  EXPECT_EQ(again.entries(), cache.entries());
}

TEST_F(StateStoreTest, ShowsTheLastStatusToAnotherReader) {
  EXPECT_FALSE(read_status(folder_ / "state.db")->has_value());
  StateStore store = open();
  EXPECT_FALSE(read_status(folder_ / "state.db")->has_value());
  ASSERT_TRUE(store.save_status("{\"state\":\"syncing\"}"));
  ASSERT_TRUE(store.save_status("{\"state\":\"synced\"}"));
  EXPECT_EQ(*read_status(folder_ / "state.db"), "{\"state\":\"synced\"}");
}

TEST_F(StateStoreTest, SaysThatADatabaseIsNotOne) {
  folder_.write("state.db", std::string(8192, 'x'));
  const auto store = StateStore::open(folder_ / "state.db");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().sentence.find("unlink the folder and link it again"), std::string::npos)
      << store.error().sentence;
}

struct FailureCase {
  native::SqliteError error;
  const char* sentence;
};

TEST(StoreFailure, SaysWhatToDo) {
  constexpr int kBusy = 5, kReadError = 10 | (1 << 8), kNoIndex = 10 | (19 << 8), kFull = 13, kCannotOpen = 14;
  for (const FailureCase& one : {
           FailureCase{{kFull, "database or disk is full"}, "the disk is full"},
           FailureCase{{kNoIndex, "disk I/O error", ENOSPC}, "the disk is full"},
           FailureCase{{kCannotOpen, "unable to open database file", EACCES}, "Permission denied; give this user"},
           FailureCase{{kCannotOpen, "unable to open database file", EROFS}, "mount it for writing"},
           FailureCase{{kCannotOpen, "unable to open database file", ENOENT}, "mount its file system for writing"},
           FailureCase{{kBusy, "database is locked"}, "end it and try again"},
           FailureCase{{kReadError, "disk I/O error", EIO}, "Input/output error"},
       }) {
    const std::string sentence = store_failure(one.error).error().sentence;
    EXPECT_NE(sentence.find(one.sentence), std::string::npos) << sentence;
  }
}

TEST(ReadStatus, TakesOnlyAMissingStateForNone) {
  const native::TempFolder temp;
  const auto none = read_status(temp / "state.db");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  temp.write("new.db", "");  // made a moment ago, by a program that starts
  const auto new_one = read_status(temp / "new.db");
  ASSERT_TRUE(new_one) << new_one.error().sentence;
  EXPECT_FALSE(*new_one);
  std::filesystem::create_directory(temp / "state.db");
  EXPECT_FALSE(read_status(temp / "state.db"));
}

}  // namespace
}  // namespace diaryx::client
