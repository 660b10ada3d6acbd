// A shell for sync::Relay in tests: answers its questions at once or when told to, and keeps what was sent to whom.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "diaryx/base/base64.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/relay.h"

namespace diaryx::sync::relay {

struct RelayBench {
  explicit RelayBench(Limits limits = {}, const std::string& lineage = {})
      : relay({.server_version = "1", .lineage = lineage, .seed = 7, .limits = limits}) {}

  // --- what the bench does by itself -------------------------------------------------------------------------------
  Access access = Access::ReadWrite;
  bool answer_authorize = true;
  bool answer_loads = true;
  bool answer_changes = true;
  bool commit_at_once = true;

  // --- what it saw --------------------------------------------------------------------------------------------------
  std::map<uint64_t, std::vector<std::string>> sent;  // per connection: hex of frames, text of texts
  std::vector<AppendUpdate> appends;  // not yet answered
  std::vector<LoadDocument> loads;
  std::vector<Authorize> authorizations;
  std::vector<ListChanges> change_questions;
  std::map<std::string, std::vector<Bytes>> log;  // stored updates per document
  std::map<std::string, uint64_t> last_of;  // sequence of the newest record per document
  std::map<std::string, Bytes> snapshots;
  std::vector<StoreSnapshot> snapshot_requests;
  std::map<uint64_t, CloseCode> closed;
  std::vector<uint64_t> paused;
  std::vector<uint64_t> resumed;
  std::vector<EditFinished> edits;
  uint64_t sequence = 0;
  TimestampMs now{1'000'000};

  ConnectionId open(uint64_t number, Handshake handshake = Handshake::Full, std::string user = "user-1",
                    bool guest = false) {
    handle(ConnectionOpened{ConnectionId{number},
                            share({.user_id = std::move(user), .device_id = "device", .guest = guest}), handshake});
    sent[number].clear();  // the hello is tested once
    return ConnectionId{number};
  }
  void frame(uint64_t from, const std::string& hex) { handle(BinaryFrame{ConnectionId{from}, bytes(hex)}); }
  void text(uint64_t from, const std::string& json) { handle(TextMessage{ConnectionId{from}, json}); }
  void close(uint64_t number) { handle(ConnectionClosed{ConnectionId{number}}); }
  void handle(Event event) {
    std::vector<Action> actions;
    relay.handle(std::move(event), now, actions);
    perform(actions);
  }
  void handle(std::vector<Event> events) {
    std::vector<Action> actions;
    relay.handle(std::move(events), now, actions);
    perform(actions);
  }
  void pass_time(int64_t ms) {
    now = now + DurationMs{ms};
    handle(DeadlineReached{});
  }
  Ticket edit(ServerEdit edit) {
    std::vector<Action> actions;
    const Ticket ticket = relay.edit(std::move(edit), now, actions);
    perform(actions);
    return ticket;
  }

  /// Answers the oldest append.
  void commit_one() {
    const AppendUpdate append = appends.front();
    appends.erase(appends.begin());
    log[append.document.str()].push_back(*append.update);
    last_of[append.document.str()] = ++sequence;
    handle(UpdateStored{append.ticket, Sequence{sequence}});
  }
  void commit_all() {
    while (!appends.empty()) commit_one();
  }
  void fail_one(StorageFailure why = StorageFailure::Full) {
    const AppendUpdate append = appends.front();
    appends.erase(appends.begin());
    handle(UpdateNotStored{append.ticket, why});
  }
  void load_one() {
    const LoadDocument load = loads.front();
    loads.erase(loads.begin());
    handle(DocumentLoaded{load.ticket, snapshots[load.document.str()], log[load.document.str()], Sequence{sequence}});
  }

  /// As the storage stands now; every document of the bench is of one workspace.
  void list_one() {
    const ListChanges question = change_questions.front();
    change_questions.erase(change_questions.begin());
    ChangesListed listed{
        .ticket = question.ticket, .known = question.since.has_value(), .documents = {}, .through = Sequence{sequence}};
    for (const auto& [document, last] : last_of) {
      if (question.since && last > question.since->value()) listed.documents.push_back(document);
    }
    handle(std::move(listed));
  }

  /// What a connection was sent since the last look.
  std::vector<std::string> take(uint64_t connection) { return std::exchange(sent[connection], {}); }

  static Bytes bytes(const std::string& hex) {
    std::string digits;
    for (const char c : hex) {
      if (c != ' ') digits.push_back(c);
    }
    return from_hex(digits).value();
  }
  /// Without spaces, to compare.
  static std::string hex(const std::string& spaced) { return to_hex(bytes(spaced)); }

  Relay relay;

 private:
  void perform(std::vector<Action>& actions) {
    for (Action& action : actions) queue_.push_back(std::move(action));
    if (performing_) return;
    performing_ = true;
    while (!queue_.empty()) {
      Action action = std::move(queue_.front());
      queue_.pop_front();
      std::visit([this](auto& one) { on(one); }, action);
    }
    performing_ = false;
  }
  void on(Authorize& action) {
    authorizations.push_back(action);
    if (answer_authorize) handle(Authorized{action.ticket, access});
  }
  void on(LoadDocument& action) {
    loads.push_back(action);
    if (answer_loads) load_one();
  }
  void on(ListChanges& action) {
    change_questions.push_back(action);
    if (answer_changes) list_one();
  }
  void on(AppendUpdate& action) {
    appends.push_back(action);
    if (commit_at_once) commit_one();
  }
  void on(StoreSnapshot& action) { snapshot_requests.push_back(action); }
  void on(SendBinary& action) {
    for (const ConnectionId to : action.to) sent[to.value()].push_back(to_hex(*action.bytes));
  }
  void on(SendText& action) {
    for (const ConnectionId to : action.to) sent[to.value()].push_back(*action.text);
  }
  void on(PauseReading& action) { paused.push_back(action.connection.value()); }
  void on(ResumeReading& action) { resumed.push_back(action.connection.value()); }
  void on(CloseConnection& action) { closed[action.connection.value()] = action.code; }
  void on(EditFinished& action) { edits.push_back(action); }

  std::deque<Action> queue_;
  bool performing_ = false;
};

// Ids of the worked examples.
inline const std::string kW = "0d 77 6f 72 6b 73 70 61 63 65 3a 77 73 31 ";  // workspace:ws1
inline const std::string kB = "13 62 6f 64 79 3a 77 73 31 2f 6e 6f 74 65 73 2f 61 2e 6d 64 ";  // body:ws1/notes/a.md
// Client 1 inserts "Hello"; then "Hello" -> "Help!".
inline const std::string kHello = "01 01 01 00 04 01 04 62 6f 64 79 05 48 65 6c 6c 6f 00";
inline const std::string kHelp = "01 01 01 05 84 01 04 02 70 21 01 01 01 03 02";
// Both as one update, as Yjs merges them.
inline const std::string kHelloThenHelp =
    "01 02 01 00 04 01 04 62 6f 64 79 05 48 65 6c 6c 6f 84 01 04 02 70 21 01 01 01 03 02";
inline const std::string kOther = "0d 62 6f 64 79 3a 77 73 31 2f 62 2e 6d 64 ";  // body:ws1/b.md
inline const std::string kBodyName = "body:ws1/notes/a.md";

inline std::string saved(const std::string& doc, int received) {
  return R"({"type":"saved","doc":")" + doc + R"(","received":)" + std::to_string(received) + "}";
}

inline std::string hex(const std::string& spaced) { return RelayBench::hex(spaced); }

/// A text that tells of an error of this kind.
inline testing::Matcher<std::string> error(const std::string& code) {
  return testing::AllOf(testing::HasSubstr("\"type\":\"error\""), testing::HasSubstr("\"code\":\"" + code + "\""));
}

/// A letter of a writer at a clock, as a message.
inline std::string letter_of(int client, int clock, size_t size = 1) {
  Writer update;
  for (const uint64_t number : {1, 1, client, clock, 4, 1}) update.var_uint(number);
  update.var_string("body");
  update.var_string(std::string(size, static_cast<char>('a' + clock % 26)));
  update.var_uint(0);
  Writer message;
  message.var_uint(0);
  message.var_uint(2);
  message.var_bytes(update.view());
  return to_hex(message.view());
}

/// Two connections that have the body open.
struct RelayPair : testing::Test {
  RelayPair() {
    bench.open(1);
    bench.open(2);
    bench.frame(1, kB + "00 00 01 00");
    bench.frame(2, kB + "00 00 01 00");
    bench.take(1);
    bench.take(2);
  }
  RelayBench bench;
};

}  // namespace diaryx::sync::relay
