// A Yjs editor of one note, and its session at the server, which does what that of shells/server does (note_finder.h).
//
// The editor knows the note by the path that it had when it was opened. What it sends and is sent waits in two queues, in order.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/open_note.h"
#include "diaryx/testing/fake_server.h"
#include "diaryx/testing/random.h"

namespace diaryx::testing {

class Editor {
 public:
  Editor(FakeServer& server, uint64_t seed);

  // --- what the person does
  /// For good: a person who closes a note takes along what only this editor has.
  void open(const std::string& path) { path_ = path; }
  bool is_open() const { return !path_.empty(); }
  std::string text();
  void insert(Utf8Offset at, std::string_view line);

  // --- what the World does
  /// Connects, hands some messages on, and follows the note.
  void step(TimestampMs now);
  void told(std::string_view frame);
  /// By the server, by the network if `disconnect` is called.
  void lost();
  void disconnect(TimestampMs now);
  std::optional<sync::relay::ConnectionId> connection() const { return connection_; }
  bool quiet() const;

 private:
  // The person's side.
  void send(const sync::Message& message);
  void take(ByteView payload);
  // The session.
  void hear(ByteView payload, TimestampMs now);
  void find(ByteView payload, TimestampMs now);
  void follow(TimestampMs now);
  void move_on(sync::relay::OpenNote next, const Bytes& text, TimestampMs now);
  void to_relay(ByteView payload, TimestampMs now);
  crdt::Doc& list(TimestampMs now);

  FakeServer& server_;
  Random random_;
  crdt::Doc doc_;
  std::string path_;
  std::optional<sync::relay::ConnectionId> connection_;
  std::optional<sync::relay::OpenNote> note_;  // once it is found
  uint64_t list_seen_ = 0;
  std::deque<Bytes> to_server_;
  std::deque<Bytes> to_editor_;
};

}  // namespace diaryx::testing
