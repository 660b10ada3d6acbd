// The relay at work over a storage that fails, is slow, or tells of damage: clear errors, no loss, recovery.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/frame.h"
#include "memory_storage.h"
#include "relay_host.h"
#include "services.h"

namespace diaryx::server {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kWorkspace = "00000000-0000-4000-8000-000000000001";

struct Peer final : RelayPeer {
  void send(const relay::SharedBytes& frame) override { frames.push_back(*frame); }
  void send(const relay::SharedText& text) override { texts.push_back(*text); }
  void close(relay::CloseCode code, const std::string&) override { closed = code; }
  void pause() override {}
  void resume() override {}

  std::vector<Bytes> frames;
  std::vector<std::string> texts;
  std::optional<relay::CloseCode> closed;
};

struct StorageFaults : testing::Test {
  StorageFaults()
      : host(context.get_executor(), storage, metrics, {}, first_turn(storage), [this] { ++superseded; }, now) {
    storage.accounts.create_user("me@x", TimestampMs{1}, [this](auto made) { user = made->id; });
    storage.workspaces.create(user, {kWorkspace, "notes"}, TimestampMs{1}, [](auto) {});
  }
  static uint64_t first_turn(Storage& storage) {
    uint64_t epoch = 0;
    storage.take_over([&epoch](auto taken) { epoch = *taken; });
    return epoch;
  }
  std::pair<std::shared_ptr<Peer>, relay::ConnectionId> connect() {
    auto peer = std::make_shared<Peer>();
    const auto id =
        host.opened(peer, relay::share({.user_id = user, .device_id = "d", .guest = false}), relay::Handshake::Lean);
    return {peer, id};
  }
  void send(relay::ConnectionId from, const sync::Message& message) {
    host.received(from, *sync::encode_frame(document, {message}));
    settle();
  }
  void settle() {
    context.restart();
    context.poll();
  }
  Bytes type(const std::string& text) {
    crdt::Text body = doc.text("body");
    crdt::Transaction txn = doc.transact();
    EXPECT_TRUE(body.insert(txn, Utf16Offset{body.length().value()}, text));
    return std::move(txn).commit().update_v1();
  }
  /// What a fresh connection is given.
  std::string text_on_server() {
    auto [peer, id] = connect();
    send(id, sync::SyncStep1{sync::kEmptyStateVector});
    crdt::Doc copy({.client = ClientId{99}});
    for (const Bytes& bytes : peer->frames) {
      for (const auto& message : *sync::parse_messages(sync::decode_frame(bytes)->payload)) {
        if (const auto* step2 = std::get_if<sync::SyncStep2>(&message))
          EXPECT_TRUE(copy.apply_update_v1(step2->update));
      }
    }
    host.closed(id);
    settle();
    return copy.text("body").to_string();
  }

  const std::string document = std::string("body:") + kWorkspace + "/a.md";
  boost::asio::io_context context;
  MemoryStorage storage;
  Metrics metrics;
  int superseded = 0;
  RelayHost host;
  std::string user;
  crdt::Doc doc{{.client = ClientId{7}}};
};

TEST_F(StorageFaults, AFullDiskIsToldAndNothingUnstoredIsShown) {
  auto [writer, from] = connect();
  send(from, sync::SyncStep1{sync::kEmptyStateVector});
  const Bytes first = type("kept ");
  send(from, sync::Update{first});
  ASSERT_THAT(writer->texts, Contains(HasSubstr("\"received\":1")));

  auto [reader, other] = connect();
  send(other, sync::SyncStep1{sync::kEmptyStateVector});
  const size_t frames_before = reader->frames.size();
  storage.line().fail_writes(1, StorageError::Kind::Full);
  const Bytes second = type("lost for now");
  send(from, sync::Update{second});
  EXPECT_THAT(writer->texts, Contains(HasSubstr("disk is full")));
  EXPECT_THAT(writer->texts, Not(Contains(HasSubstr("\"received\":2"))));
  EXPECT_EQ(writer->closed, relay::CloseCode::TryAgainLater);
  EXPECT_EQ(reader->frames.size(), frames_before);
  host.closed(from);
  host.closed(other);
  settle();
  EXPECT_EQ(text_on_server(), "kept ");

  // The device comes back and sends the difference.
  auto [again, id] = connect();
  const Bytes all = doc.encode_update_v1();
  send(id, sync::SyncStep2{all});
  EXPECT_THAT(again->texts, Contains(HasSubstr("\"saved\"")));
  EXPECT_EQ(text_on_server(), "kept lost for now");
}

TEST_F(StorageFaults, ASlowDiskDelaysPromisesAndRelaysButBreaksNone) {
  auto [writer, from] = connect();
  auto [reader, other] = connect();
  send(from, sync::SyncStep1{sync::kEmptyStateVector});
  send(other, sync::SyncStep1{sync::kEmptyStateVector});
  const size_t frames_before = reader->frames.size();
  storage.line().hold();
  const Bytes update = type("slow");
  send(from, sync::Update{update});
  EXPECT_THAT(writer->texts, Not(Contains(HasSubstr("\"saved\""))));
  EXPECT_EQ(reader->frames.size(), frames_before);
  storage.line().release();
  settle();
  EXPECT_THAT(writer->texts, Contains(HasSubstr("\"saved\"")));
  EXPECT_EQ(reader->frames.size(), frames_before + 1);
}

TEST_F(StorageFaults, ALoadThatFailsIsNeverFollowedByAStore) {
  storage.documents.append({.workspace = kWorkspace,
                            .document = document,
                            .bytes = std::make_shared<const Bytes>(type("old")),
                            .user_id = user,
                            .device_id = "d",
                            .time = TimestampMs{1},
                            .epoch = 1},
                           [](auto) {});
  for (const auto kind : {StorageError::Kind::Unavailable, StorageError::Kind::Damaged}) {
    auto [peer, id] = connect();
    host.received(id, *sync::encode_frame(document, {sync::Update{type("new")}}));
    storage.line().fail_reads(1, kind);  // access was asked about already; the next read is the document
    settle();
    EXPECT_THAT(peer->texts, Contains(HasSubstr("\"code\":\"storage\"")));
    host.closed(id);
    settle();
  }
  storage.line().fail_reads(0, StorageError::Kind::Unavailable);
  EXPECT_EQ(text_on_server(), "old");
}

TEST_F(StorageFaults, NotKnowingIsNotRefusing) {
  storage.line().fail_reads(1, StorageError::Kind::Unavailable);
  auto [peer, id] = connect();
  send(id, sync::SyncStep1{sync::kEmptyStateVector});
  EXPECT_EQ(peer->closed, relay::CloseCode::TryAgainLater);
  EXPECT_THAT(peer->frames, IsEmpty());
}

TEST_F(StorageFaults, WhoWasOvertakenStoresNothingAndSaysSo) {
  auto [writer, from] = connect();
  send(from, sync::SyncStep1{sync::kEmptyStateVector});
  storage.take_over([](auto) {});  // another server
  const Bytes update = type("too late");
  send(from, sync::Update{update});
  EXPECT_EQ(superseded, 1);
  EXPECT_EQ(writer->closed, relay::CloseCode::TryAgainLater);
  EXPECT_THAT(writer->texts, Not(Contains(HasSubstr("\"saved\""))));
  host.closed(from);
  settle();
  EXPECT_EQ(text_on_server(), "");
}

TEST_F(StorageFaults, ReadOnlyDiskServesReaders) {
  auto [writer, from] = connect();
  send(from, sync::SyncStep1{sync::kEmptyStateVector});
  send(from, sync::Update{type("there")});
  host.closed(from);
  settle();
  storage.line().fail_writes(UINT32_MAX, StorageError::Kind::Unavailable);
  EXPECT_EQ(text_on_server(), "there");
}

}  // namespace
}  // namespace diaryx::server
