#include "diaryx/native/sqlite.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

namespace diaryx::native {
namespace {

struct Sqlite : testing::Test {
  Sqlite() {
    directory =
        std::filesystem::temp_directory_path() / ("diaryx-sqlite-" + std::to_string(::getpid()) + "-" +
                                                  testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(directory);
  }
  ~Sqlite() override { std::filesystem::remove_all(directory); }

  Database open() {
    auto database = Database::open(directory / "test.db", Durability::Full);
    EXPECT_TRUE(database.has_value()) << database.error().message;
    return std::move(*database);
  }

  std::filesystem::path directory;
};

TEST_F(Sqlite, KeepsTextBlobsAndNumbersAsTheyWere) {
  Database database = open();
  ASSERT_TRUE(database.execute("CREATE TABLE t(a INTEGER, b TEXT, c BLOB, d TEXT)"));
  auto insert = database.prepare("INSERT INTO t VALUES(?,?,?,?)");
  ASSERT_TRUE(insert);
  const Bytes blob = {0, 1, 255};
  ASSERT_TRUE(insert->bind(1, int64_t{-5}).bind(2, std::string_view("a\0b", 3)).bind(3, ByteView(blob)).run());
  auto select = database.prepare("SELECT a,b,c,d FROM t");
  ASSERT_TRUE(select);
  ASSERT_TRUE(select->step().value());
  EXPECT_EQ(select->integer(0), -5);
  EXPECT_EQ(select->text(1), std::string("a\0b", 3));
  EXPECT_EQ(select->blob(2), blob);
  EXPECT_TRUE(select->is_null(3));
  EXPECT_FALSE(select->step().value());
}

TEST_F(Sqlite, BindsAnEmptyBlobAndAnEmptyTextAsValuesNotAsNull) {
  Database database = open();
  ASSERT_TRUE(database.execute("CREATE TABLE t(a TEXT NOT NULL, b BLOB NOT NULL)"));
  auto insert = database.cached("INSERT INTO t VALUES(?,?)");
  ASSERT_TRUE(insert);
  EXPECT_TRUE((*insert)->bind(1, std::string_view()).bind(2, ByteView()).run());
}

TEST_F(Sqlite, RollsBackATransactionThatIsNotCommitted) {
  Database database = open();
  ASSERT_TRUE(database.execute("CREATE TABLE t(a)"));
  {
    auto transaction = WriteTransaction::begin(database);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database.execute("INSERT INTO t VALUES(1)"));
  }
  auto count = database.prepare("SELECT count(*) FROM t");
  ASSERT_TRUE(count->step().value());
  EXPECT_EQ(count->integer(0), 0);
}

TEST_F(Sqlite, SavepointFailsAloneInsideATransaction) {
  Database database = open();
  ASSERT_TRUE(database.execute("CREATE TABLE t(a)"));
  auto transaction = WriteTransaction::begin(database);
  ASSERT_TRUE(transaction);
  {
    auto part = Savepoint::begin(database);
    ASSERT_TRUE(part);
    ASSERT_TRUE(database.execute("INSERT INTO t VALUES(1)"));
  }
  {
    auto part = Savepoint::begin(database);
    ASSERT_TRUE(part);
    ASSERT_TRUE(database.execute("INSERT INTO t VALUES(2)"));
    ASSERT_TRUE(part->release());
  }
  ASSERT_TRUE(transaction->commit());
  auto all = database.prepare("SELECT a FROM t");
  ASSERT_TRUE(all->step().value());
  EXPECT_EQ(all->integer(0), 2);
  EXPECT_FALSE(all->step().value());
}

TEST_F(Sqlite, TellsAConstraintFromOtherErrors) {
  Database database = open();
  ASSERT_TRUE(database.execute("CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES(1)"));
  const auto twice = database.execute("INSERT INTO t VALUES(1)");
  ASSERT_FALSE(twice);
  EXPECT_TRUE(twice.error().is_constraint());
  const auto nonsense = database.execute("INSERT INTO nowhere VALUES(1)");
  ASSERT_FALSE(nonsense);
  EXPECT_FALSE(nonsense.error().is_constraint());
}

TEST_F(Sqlite, ReportsAFileThatIsNoDatabase) {
  const auto path = directory / "other.db";
  FILE* file = std::fopen(path.c_str(), "w");
  for (int i = 0; i < 100; ++i) std::fputs("this is no database at all\n", file);
  std::fclose(file);
  const auto database = Database::open(path, Durability::Full);
  ASSERT_FALSE(database);
  EXPECT_TRUE(database.error().is_damaged());
}

TEST_F(Sqlite, ReaderSeesCommitsAndCannotWrite) {
  Database writer = open();
  ASSERT_TRUE(writer.execute("CREATE TABLE t(a)"));
  auto reader = Database::open_reader(directory / "test.db");
  ASSERT_TRUE(reader);
  ASSERT_TRUE(writer.execute("INSERT INTO t VALUES(7)"));
  auto select = reader->prepare("SELECT a FROM t");
  ASSERT_TRUE(select);
  ASSERT_TRUE(select->step().value());
  EXPECT_EQ(select->integer(0), 7);
  select->reset();
  EXPECT_FALSE(reader->execute("INSERT INTO t VALUES(8)"));
}

}  // namespace
}  // namespace diaryx::native
