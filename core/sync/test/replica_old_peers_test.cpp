// A replica against a server and peers of the existing kind: handshake, no receipts, metadata without a head.
#include <gtest/gtest.h>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/replica.h"

namespace diaryx::sync {
namespace {

constexpr TimestampMs kNow{1'700'000'000'000};

/// The hosted server as docs/protocol.md describes it, for one connection: a manifest, FilesReady, crdt_state, then documents.
class OldServer {
 public:
  OldServer() : replica_({.workspace_id = "ws1", .client = ClientId{77}}) {}

  crdt::Doc& doc(const std::string& id) {
    const auto found = docs_.find(id);
    if (found != docs_.end()) return found->second;
    return docs_.emplace(id, crdt::Doc({.client = ClientId{500 + docs_.size()}})).first->second;
  }

  /// What an old peer wrote: an entry and a body, no head.
  void peer_writes(const std::string& path, std::string_view metadata, std::string_view body) {
    set_entry(path, metadata);
    crdt::Doc& document = doc("body:ws1/" + path);
    crdt::Transaction txn = document.transact();
    ASSERT_TRUE(document.text("body").insert(txn, Utf16Offset{0}, body));
    relay("body:ws1/" + path, std::move(txn).commit().update_v1());
  }

  void set_entry(const std::string& path, std::string_view metadata) {
    crdt::Doc& document = doc("workspace:ws1");
    crdt::Transaction txn = document.transact();
    document.map("files").set(txn, path, crdt::Any::string(std::string(metadata)));
    relay("workspace:ws1", std::move(txn).commit().update_v1());
  }

  void connect() { feed(Connected{}); }

  void user_writes(const std::string& path, const std::string& bytes) {
    disk_[path] = bytes;
    feed(TextFileSeen{path, bytes});
    feed(FilesSettled{});
  }

  const std::map<std::string, std::string>& disk() const { return disk_; }
  const Replica& replica() const { return replica_; }
  const std::vector<std::string>& log() const { return log_; }

 private:
  void relay(const std::string& id, const Bytes& update) {
    if (open_.contains(id)) feed_frame(id, {Update{update}});
  }

  void feed(const Event& event) {
    std::vector<Action> actions;
    replica_.handle(event, kNow, actions);
    for (const Action& action : actions) perform(action);
  }

  void feed_frame(const std::string& id, std::initializer_list<Message> messages) {
    feed(BinaryReceived{*encode_frame(id, messages)});
  }

  void perform(const Action& action) {
    if (const auto* binary = std::get_if<SendBinary>(&action)) on_frame(binary->frame);
    if (const auto* text = std::get_if<SendText>(&action)) on_text(text->json);
    if (const auto* read = std::get_if<ReadFile>(&action)) {
      const std::string path = read->path;
      feed(TextFileSeen{path, disk_[path], read->ticket});
      feed(FilesSettled{});
    }
    if (const auto* write = std::get_if<WriteText>(&action)) {
      const auto old = disk_.find(write->path);
      ASSERT_EQ(old == disk_.end(), !write->expected) << write->path;
      disk_[write->path] = write->bytes;
      feed(FileWritten{write->path, sha256(write->bytes), write->ticket});
    }
  }

  void on_frame(const Bytes& bytes) {
    const Result<Frame> frame = decode_frame(bytes);
    ASSERT_TRUE(frame);
    const std::string id(frame->doc_id);
    const Result<std::vector<Message>> messages = parse_messages(frame->payload);
    ASSERT_TRUE(messages);
    log_.push_back(id + " " + std::to_string(messages->front().index()));
    if (id == "workspace:ws1" && !open_.contains(id)) {
      if (!std::exchange(manifest_sent_, true))
        feed(TextReceived{R"({"type":"file_manifest","files":[],"client_is_new":false})"});
      return;  // dropped, as the hosted server does
    }
    if (open_.insert(id).second) open(id);
    for (const Message& message : *messages) {
      if (const auto* step1 = std::get_if<SyncStep1>(&message)) {
        const Bytes update = doc(id).encode_update_v1(*crdt::StateVector::decode(step1->state_vector));
        feed_frame(id, {SyncStep2{update}});
      } else if (const auto* step2 = std::get_if<SyncStep2>(&message)) {
        ASSERT_TRUE(doc(id).apply_update_v1(step2->update));
      } else if (const auto* update = std::get_if<Update>(&message)) {
        ASSERT_TRUE(doc(id).apply_update_v1(update->update));
      }
    }
  }

  void open(const std::string& id) {
    const Bytes state_vector = doc(id).state_vector().encode();
    feed_frame(id, {SyncStep1{state_vector}});
    feed_frame(id, {Awareness{kEmptyAwareness}});
  }

  void on_text(const std::string& json) {
    const Result<ControlMessage> said = parse_control(json);
    ASSERT_TRUE(said);
    if (std::holds_alternative<ClientHello>(*said)) return;  // a type that this server does not know
    log_.push_back(json);
    if (json != R"({"type":"FilesReady"})") return;
    feed(
        TextReceived{R"({"type":"crdt_state","state":")" + to_base64(doc("workspace:ws1").encode_update_v1()) + "\"}"});
    feed(TextReceived{R"({"type":"sync_complete","files_synced":0})"});
    open_.insert("workspace:ws1");
    open("workspace:ws1");
  }

  Replica replica_;
  std::map<std::string, crdt::Doc> docs_;
  std::set<std::string> open_;
  std::map<std::string, std::string> disk_;
  std::vector<std::string> log_;
  bool manifest_sent_ = false;
};

constexpr std::string_view kOldEntry =
    R"({"filename":"a.md","title":"Old title","part_of":null,"contents":null,"attachments":[],"deleted":false,"audience":null,"description":null,"extra":{"mood":"calm"},"modified_at":1700000000000})";

TEST(ReplicaWithOldPeers, SendsNothingButSyncStep1BeforeTheHandshakeEnds) {  // T9
  OldServer server;
  server.user_writes("mine.md", "text\n");
  server.connect();
  ASSERT_GE(server.log().size(), 3u);
  EXPECT_EQ(server.log()[0], "workspace:ws1 0");
  EXPECT_EQ(server.log()[1], R"({"type":"FilesReady"})");
}

TEST(ReplicaWithOldPeers, WritesAFileFromMetadataAndBody) {
  OldServer server;
  server.peer_writes("a.md", kOldEntry, "Body\n");
  server.connect();
  ASSERT_EQ(server.disk().count("a.md"), 1u);
  EXPECT_EQ(server.disk().at("a.md"),
            "---\ntitle: Old title\nupdated: \"2023-11-14T22:13:20.000+00:00\"\nmood: calm\n---\nBody\n");
  EXPECT_TRUE(server.replica().settled());
}

TEST(ReplicaWithOldPeers, UploadsAFileThatOldPeersCanRead) {
  OldServer server;
  server.connect();
  server.user_writes("b.md", "---\ntitle: Mine\n---\n\nBody é😀\n");
  EXPECT_EQ(server.doc("body:ws1/b.md").text("body").to_string(), "\nBody é😀\n");
  const std::optional<std::string> entry = server.doc("workspace:ws1").map("files").get_string("b.md");
  ASSERT_TRUE(entry);
  const auto metadata = parse_metadata(*entry);
  ASSERT_TRUE(metadata);
  EXPECT_FALSE(metadata->repaired);
  EXPECT_EQ(metadata->value.title, "Mine");
  EXPECT_EQ(metadata->value.filename, "b.md");
  EXPECT_TRUE(server.replica().settled());  // proved by barriers, since this server sends no receipts
}

TEST(ReplicaWithOldPeers, MergesAnOldPeersMetadataEditIntoTheHead) {
  OldServer server;
  server.connect();
  server.user_writes("a.md", "---\n# kept comment\ntitle: Mine   # why\nmood: calm\n---\nBody\n");
  server.set_entry("a.md", kOldEntry);
  EXPECT_EQ(server.disk().at("a.md"), "---\n# kept comment\ntitle: Old title   # why\nmood: calm\n---\nBody\n");
}

TEST(ReplicaWithOldPeers, SeedsNothingThatTheServerHas) {  // T1
  OldServer server;
  server.peer_writes("a.md", kOldEntry, "Same body\n");
  server.user_writes("a.md",
                     "---\ntitle: Old title\nupdated: \"2023-11-14T22:13:20.000+00:00\"\nmood: calm\n---\nSame body\n");
  server.connect();
  EXPECT_EQ(server.doc("body:ws1/a.md").text("body").to_string(), "Same body\n");
  EXPECT_EQ(server.disk().size(), 1u);
}

// What an earlier plugin left on a disk: quotes, the order of `extra`, the time zone and the titles of links are its own. No conflict
// with what it wrote into the list, and nothing that is only in the file may go.
TEST(ReplicaWithOldPeers, TakesAFileThatSaysTheSameInOtherWordsForTheSame) {
  constexpr std::string_view kEntry =
      R"({"filename":"a.md","title":"Old title","part_of":"README.md","contents":["sub/b.md"],"attachments":[{"path":"p.png","source":"local","hash":"12","mime_type":"image/png","size":3,"uploaded_at":null,"deleted":false}],"deleted":false,"audience":null,"description":null,"extra":{"updated":"2023-11-14T22:13:20Z","mood":"calm","rank":3},"modified_at":1700000000000})";
  const std::string file =
      "---\ntitle: Old title # mine\npart_of: '[The root](/README.md)'\ncontents:\n- "
      "'[Second](/sub/b.md)'\nattachments:\n- p.png\n"
      "rank: 3\nupdated: 2023-11-15T00:13:20.000+02:00\nmood: calm\n---\nSame body\n";
  OldServer server;
  server.peer_writes("a.md", kEntry, "Same body\n");
  server.user_writes("a.md", file);
  server.connect();
  EXPECT_EQ(server.disk(), (std::map<std::string, std::string>{{"a.md", file}}));
  EXPECT_EQ(server.replica().file_text("a.md"), file);
  EXPECT_EQ(server.doc("body:ws1/a.md").text("body").to_string(), "Same body\n");
  EXPECT_TRUE(server.replica().settled());
}

// Snapshots of the old server have a blank line before the body that is nobody's.
TEST(ReplicaWithOldPeers, TakesAFileOutOfASnapshotForTheSame) {
  OldServer server;
  server.peer_writes("a.md", kOldEntry, "Same body\n");
  server.user_writes("a.md",
                     "---\ntitle: Old title\nmood: calm\nupdated: 2023-11-15T00:13:20.000+02:00\n---\n\nSame body\n");
  server.connect();
  const std::string file =
      "---\ntitle: Old title\nmood: calm\nupdated: 2023-11-15T00:13:20.000+02:00\n---\nSame body\n";
  EXPECT_EQ(server.disk(), (std::map<std::string, std::string>{{"a.md", file}}));
  EXPECT_EQ(server.doc("body:ws1/a.md").text("body").to_string(), "Same body\n");
  EXPECT_TRUE(server.replica().settled());
}

TEST(ReplicaWithOldPeers, KeepsBothWhereOneOfUsListedAFileWithoutFrontmatter) {
  constexpr std::string_view kOurs =
      R"({"filename":"a.md","title":null,"part_of":null,"contents":null,"attachments":[],"deleted":false,"audience":null,"description":null,"extra":{"_h":"e3b0c442","_id":"7","_t":"1"},"modified_at":1700000000000})";
  OldServer server;
  server.peer_writes("a.md", kOurs, "Same body\n");
  server.user_writes("a.md", "---\n# a comment\n---\nSame body\n");
  server.connect();
  EXPECT_EQ(server.replica().text_files().size(), 2u);
}

TEST(ReplicaWithOldPeers, KeepsBothWhenAFileSaysSomethingElse) {
  for (const std::string file :
       {"---\ntitle: Another\nmood: calm\n---\nSame body\n", "---\ntitle: Old title\nmood: calm\n---\nOther\n"}) {
    OldServer server;
    server.peer_writes("a.md", kOldEntry, "Same body\n");
    server.user_writes("a.md", file);
    server.connect();
    EXPECT_EQ(server.replica().text_files().size(), 2u) << file;
  }
}

}  // namespace
}  // namespace diaryx::sync
