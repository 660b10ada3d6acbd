// What the collector takes and what it leaves, with a storage that answers when the test says so and a process that ends in between.
#include "blob_collector.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "memory_storage.h"
#include "services.h"
#include "temporary_folder.h"

namespace diaryx::server {
namespace {

namespace asio = boost::asio;

constexpr const char* kUser = "00000000-0000-4000-8000-000000000001";
constexpr const char* kUpload = "00000000-0000-4000-8000-000000000002";
constexpr const char* kLostUpload = "00000000-0000-4000-8000-000000000003";

/// One life of the server.
struct Process {
  Process(AttachmentStorage& attachments, BlobStore& blobs) : collector(attachments, blobs, pool, metrics) {}
  ~Process() { pool.join(); }

  template <typename Condition>
  void run_until(Condition condition) {
    context.restart();
    while (!condition() && context.run_one() > 0) {
    }
  }
  void run(asio::awaitable<void> work) {
    asio::co_spawn(context, std::move(work), asio::detached);
    run_until([] { return false; });
  }

  asio::io_context context;
  asio::thread_pool pool{1};
  Metrics metrics;
  BlobCollector collector;
};

struct BlobCollectorTest : testing::Test {
  BlobCollectorTest() {
    storage.workspaces.create(kUser, {"w", "notes"}, TimestampMs{1}, [](auto) {});
  }
  /// A file as the server leaves it, last written at `time`.
  BlobKey put(std::string_view text, TimestampMs time) {
    const Sha256 hash = sha256(text);
    EXPECT_TRUE(blobs->put(kUser, hash, as_bytes(text)));
    const auto at = std::chrono::sys_time(std::chrono::milliseconds(time.value()));
    std::filesystem::last_write_time(blobs->blob_path(kUser, hash), std::chrono::file_clock::from_sys(at));
    return {kUser, hash};
  }
  void record(const BlobKey& blob) {
    Upload upload{.id = kUpload, .workspace = "w", .user_id = kUser, .hash = blob.hash, .size_bytes = 1};
    storage.attachments.finish_upload(upload, TimestampMs{1}, [](auto stored) { EXPECT_TRUE(stored); });
  }
  bool is_there(const BlobKey& blob) const { return std::filesystem::exists(blobs->blob_path(kUser, blob.hash)); }

  TemporaryFolder folder;
  native::Outcome<BlobStore> blobs = BlobStore::open(folder.path);
  MemoryStorage storage;
  const TimestampMs started{1'000'000};
  const TimestampMs before_start{999'999};
};

TEST_F(BlobCollectorTest, TakesAwayAFileWhoseRecordWasRemovedByAProcessThatEndedThen) {
  const BlobKey blob = put("a", before_start);
  record(blob);
  storage.workspaces.remove(kUser, "w", [](auto) {});
  {
    Process killed(storage.attachments, *blobs);
    storage.line().hold();
    asio::co_spawn(killed.context, killed.collector.collect(started), asio::detached);
    killed.run_until([this] { return storage.line().waiting() == 1; });
    storage.line().release(1);  // which attachments are unused; forgetting one is asked for next
    storage.line().hold();
    killed.run_until([this] { return storage.line().waiting() == 1; });
    storage.line().drop_answers();  // it is forgotten, and the process ends
  }
  ASSERT_TRUE(is_there(blob));
  Process next(storage.attachments, *blobs);
  next.run(next.collector.collect(started));
  EXPECT_TRUE(is_there(blob)) << "no walk over the records finds it";
  next.run(next.collector.sweep(started));
  EXPECT_FALSE(is_there(blob));
  EXPECT_EQ(next.metrics.files_swept, 1u);
  EXPECT_TRUE(next.collector.is_idle());
}

TEST_F(BlobCollectorTest, LeavesWhatARecordNames) {
  const BlobKey named = put("a", before_start);
  record(named);
  storage.workspaces.remove(kUser, "w", [](auto) {});  // nothing refers to it: that is for `collect`, when it is old
  Process process(storage.attachments, *blobs);
  process.run(process.collector.sweep(started));
  EXPECT_TRUE(is_there(named));
}

TEST_F(BlobCollectorTest, LeavesWhatWasWrittenSinceTheStart) {
  const BlobKey fresh = put("a", started);
  Process process(storage.attachments, *blobs);
  process.run(process.collector.sweep(started));
  EXPECT_TRUE(is_there(fresh));
}

TEST_F(BlobCollectorTest, LeavesWhatSomebodyIsAboutToRecordWhateverTheClockSays) {
  const BlobKey placed = put("a", before_start);
  Process process(storage.attachments, *blobs);
  std::shared_ptr<void> held;
  process.run([&]() -> asio::awaitable<void> { held = co_await process.collector.hold(placed); }());
  process.run(process.collector.sweep(started));
  EXPECT_TRUE(is_there(placed));
  held.reset();
  process.run(process.collector.sweep(started));
  EXPECT_FALSE(is_there(placed));
}

TEST_F(BlobCollectorTest, WhoPutsAnAttachmentInItsPlaceWaitsForTheSweep) {
  const BlobKey blob = put("a", before_start);
  Process process(storage.attachments, *blobs);
  storage.line().hold();
  asio::co_spawn(process.context, process.collector.sweep(started), asio::detached);
  process.run_until([this] { return storage.line().waiting() == 1; });
  EXPECT_FALSE(process.collector.is_idle());
  bool was_there = true;
  asio::co_spawn(
      process.context,
      [&]() -> asio::awaitable<void> {
        const auto held = co_await process.collector.hold(blob);
        was_there = is_there(blob);
      },
      asio::detached);
  process.context.poll();
  EXPECT_TRUE(was_there) << "it has to wait";
  storage.line().release();
  process.run_until([] { return false; });
  EXPECT_FALSE(was_there) << "so it puts it in its place anew";
}

TEST_F(BlobCollectorTest, LeavesEverythingWhenTheStorageCannotBeAsked) {
  const BlobKey blob = put("a", before_start);
  Process process(storage.attachments, *blobs);
  storage.line().fail_reads(1, StorageError::Kind::Unavailable);
  process.run(process.collector.sweep(started));
  EXPECT_TRUE(is_there(blob));
  EXPECT_TRUE(process.collector.is_idle());
}

TEST_F(BlobCollectorTest, LeavesWhatIsNotTheServers) {
  const auto put_file = [this](const std::string& name) {
    const auto path = folder.path / "blobs" / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "x";
    return path;
  };
  const std::string hash = sha256("x").hex();
  const std::vector<std::filesystem::path> foreign = {
      put_file("notes/" + hash.substr(0, 2) + "/" + hash), put_file(std::string(kUser) + "/ff/" + hash),
      put_file(std::string(kUser) + "/" + hash.substr(0, 2) + "/read.me"), put_file("README")};
  Process process(storage.attachments, *blobs);
  process.run(process.collector.sweep(TimestampMs{INT64_MAX / 2}));
  for (const auto& path : foreign) EXPECT_TRUE(std::filesystem::exists(path)) << path;
}

TEST_F(BlobCollectorTest, TakesAwayThePartsOfUploadsThatAreGone) {
  for (const char* id : {kUpload, kLostUpload}) {
    const auto part = blobs->temporary();
    std::ofstream(part) << "x";
    ASSERT_TRUE(blobs->keep_part(id, 1, part));
  }
  storage.attachments.create_upload({.id = kUpload, .workspace = "w", .user_id = kUser},
                                    [](auto stored) { EXPECT_TRUE(stored); });
  Process process(storage.attachments, *blobs);
  process.run(process.collector.sweep_uploads());
  EXPECT_TRUE(std::filesystem::exists(folder.path / "uploads" / kUpload / "1"));
  EXPECT_FALSE(std::filesystem::exists(folder.path / "uploads" / kLostUpload));
}

}  // namespace
}  // namespace diaryx::server
