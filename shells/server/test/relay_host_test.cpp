// The relay at work over a storage in memory, with a wall clock that somebody sets.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "memory_storage.h"
#include "relay_host.h"

namespace diaryx::server {
namespace {

constexpr const char* kWorkspace = "6d2f2c58-6f1c-4a6e-9d3b-0f4f8a1f7a11";

class RelayHostOnAClock : public testing::Test {
 protected:
  RelayHostOnAClock() {
    options.limits.idle_before_unload = DurationMs{50};
    storage.workspaces.create("u1", {kWorkspace, "Notes"}, wall, [](StorageResult<Workspace>) {});
    storage.take_over([this](StorageResult<uint64_t> taken) { epoch = *taken; });
  }

  void edit(RelayHost& host, const char* text) {
    sync::ServerEdit edit;
    edit.document = DocId(document);
    edit.texts = {{"body", text}};
    bool stored = false;
    host.edit(std::move(edit), [&](bool done) { stored = done; });
    while (!stored && io.run_one_for(std::chrono::seconds(5)) != 0) {
    }
    ASSERT_TRUE(stored);
  }

  std::vector<TimestampMs> stored_times() {
    std::vector<TimestampMs> times;
    storage.history.load(document, UINT64_MAX, [&](StorageResult<DocumentPast> past) {
      for (const StoredRecord& record : past->records) times.push_back(record.time);
    });
    return times;
  }

  const std::string document = std::string("body:") + kWorkspace + "/a.md";
  boost::asio::io_context io;
  MemoryStorage storage;
  Metrics metrics;
  sync::RelayOptions options;
  uint64_t epoch = 0;
  TimestampMs wall{1'800'000'000'000};
};

TEST_F(RelayHostOnAClock, UnloadsWhatIsIdleWhileTheWallClockIsSetBack) {
  RelayHost host(io.get_executor(), storage, metrics, options, epoch, [] {}, [this] { return wall; });
  edit(host, "one");
  ASSERT_EQ(host.statistics().documents, 1u);
  wall = TimestampMs{wall.value() - 3'600'000};
  const auto gives_up = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (host.statistics().documents != 0 && std::chrono::steady_clock::now() < gives_up)
    io.run_one_for(std::chrono::milliseconds(100));
  EXPECT_EQ(host.statistics().documents, 0u);
}

TEST_F(RelayHostOnAClock, StoresTheTimeOfTheWall) {
  RelayHost host(io.get_executor(), storage, metrics, options, epoch, [] {}, [this] { return wall; });
  const TimestampMs before = wall;
  edit(host, "one");
  wall = TimestampMs{wall.value() - 3'600'000};  // it was wrong, and is right now
  edit(host, "two");
  EXPECT_EQ(stored_times(), (std::vector{before, wall}));
}

}  // namespace
}  // namespace diaryx::server
