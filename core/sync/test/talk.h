// A replica whose server and disk the test plays: the server's documents, what was asked for, what was said.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/metadata.h"
#include "diaryx/sync/replica.h"

namespace diaryx::sync {

class Talk {
 public:
  explicit Talk(ReplicaOptions options = {.workspace_id = "ws1", .client = ClientId{7}})
      : replica(std::move(options)) {}

  Replica replica;
  TimestampMs now{1'700'000'000'000};

  // --- the server's documents ---------------------------------------------------------------------------------------

  crdt::Doc& doc(const std::string& id) {
    const auto found = docs_.find(id);
    if (found != docs_.end()) return found->second;
    return docs_.emplace(id, crdt::Doc({.client = ClientId{900 + docs_.size()}})).first->second;
  }
  /// A live file on the server, told to nobody.
  void list(const std::string& key, const std::string& text) {
    set_entry(key, format_metadata({.filename = key}));
    type(key, text);
  }
  Bytes set_entry(const std::string& key, const std::string& json) {
    crdt::Doc& workspace = doc("workspace:ws1");
    crdt::Transaction txn = workspace.transact();
    workspace.map("files").set(txn, key, crdt::Any::string(json));
    return std::move(txn).commit().update_v1();
  }
  /// Types at the end of a body. Returns the update.
  Bytes type(const std::string& key, const std::string& text) {
    crdt::Doc& body = doc("body:ws1/" + key);
    crdt::Text field = body.text("body");
    crdt::Transaction txn = body.transact();
    (void)field.insert(txn, Utf16Offset{field.length().value()}, text);
    return std::move(txn).commit().update_v1();
  }

  // --- the line -----------------------------------------------------------------------------------------------------

  /// Connects and answers for the workspace document. `hello` as the server says it; empty: an old server.
  void connect(const std::string& hello =
                   R"({"type":"server_hello","name":"s","version":"1","receipts":true,"lineage":"L","changes":true})") {
    feed(Connected{});
    if (!hello.empty()) feed(TextReceived{hello});
    greet("workspace:ws1");
    answer("workspace:ws1");
  }
  /// The server's SyncStep1.
  void greet(const std::string& id) {
    const Bytes state_vector = doc(id).state_vector().encode();
    frame(id, {SyncStep1{state_vector}});
  }
  /// The server's SyncStep2 with all it has.
  void answer(const std::string& id) {
    const Bytes state = doc(id).encode_update_v1();
    frame(id, {SyncStep2{state}});
  }
  void answer_body(const std::string& key) {
    greet("body:ws1/" + key);
    answer("body:ws1/" + key);
  }
  /// Answers every body that is asked for, also those that are asked for meanwhile.
  void answer_all() {
    for (size_t next = 0; next < asked.size(); ++next) answer_body(std::string(asked[next]));
  }
  void frame(const std::string& id, std::initializer_list<Message> messages) {
    feed(BinaryReceived{*encode_frame(id, messages)});
  }
  void text(const ControlMessage& message) { feed(TextReceived{format_control(message)}); }

  void feed(const Event& event) {
    std::vector<Action> actions;
    replica.handle(event, now, actions);
    for (const Action& action : actions) take(action);
  }
  void pass(int64_t ms) {
    now = now + DurationMs{ms};
    feed(DeadlineReached{});
  }
  /// The answers to writes that are being held, in order.
  void answer_writes() {
    for (const WriteText& write : std::exchange(held_writes, {})) answer(write);
  }
  void refuse_writes(bool in_doubt) {
    for (const WriteText& write : std::exchange(held_writes, {})) refuse(write, "not done", in_doubt);
  }
  /// Those that are being held, as the disk is now.
  void answer_reads() {
    hold_reads = false;
    for (const ReadFile& read : std::exchange(held_reads, {})) look(read.path, read.ticket);
  }
  void let_disk_go_on() {
    hold_disk = false;
    for (const Action& action : std::exchange(held_actions, {})) take(action);
  }
  void answer(const WriteText& write) { feed(FileWritten{write.path, sha256(write.bytes), write.ticket}); }
  void refuse(const WriteText& write, std::string_view reason, bool in_doubt) {
    feed(FileRefused{write.path, reason, in_doubt, write.ticket});
  }
  /// The replica looks at a path that nobody told it of: somebody answers what it did not ask.
  void look_at(const std::string& path) { feed(FileWritten{path, sha256("something")}); }
  void user_writes(const std::string& path, const std::string& bytes) {
    disk[path] = bytes;
    feed(TextFileSeen{path, bytes});
    feed(FilesSettled{});
  }

  /// Another run on what this one stored.
  void restart(ReplicaOptions options = {.workspace_id = "ws1", .client = ClientId{8}}) {
    replica = Replica(std::move(options));
    for (const auto& [name, update] : stored_updates) (void)replica.restore_update(name, update);
    for (const auto& [key, value] : stored_records) (void)replica.restore_record(key, value);
  }

  // --- what the replica did -----------------------------------------------------------------------------------------

  std::vector<std::string> asked;  // keys of bodies, in order
  std::vector<std::string> texts;  // control messages
  std::vector<std::pair<std::string, Bytes>> updates;  // SyncStep2 and Update, with their document
  std::vector<std::string> problems;
  std::vector<SyncState> states;
  std::map<std::string, std::string> disk;
  bool hold_writes = false;  // what is to be written is on disk at once, and answered later
  std::vector<WriteText> held_writes;
  std::vector<std::string> writes_asked;  // their paths, in order
  bool hold_disk = false;  // what is to be written, moved or removed waits until the disk goes on
  std::vector<Action> held_actions;
  bool copies = false;  // this disk cannot rename
  std::function<void()> on_move;  // what the user does before the answer
  bool hold_reads = false;
  std::vector<ReadFile> held_reads;
  std::vector<std::pair<std::string, Bytes>> stored_updates;
  std::map<std::string, std::string> stored_records;
  std::vector<std::string> uploads_asked;  // their paths, in order
  size_t lines_asked = 0;  // new ones
  std::vector<std::string> fetches_asked;  // their paths, in order
  std::vector<FetchBlob> fetches;  // which the test does and answers
  size_t frames = 0;
  size_t frame_bytes = 0;

  void forget() {
    asked.clear();
    writes_asked.clear();
    texts.clear();
    updates.clear();
    problems.clear();
    states.clear();
    frames = frame_bytes = 0;
  }

 private:
  void look(const std::string& path, Ticket ticket) {
    if (disk.contains(path)) {
      feed(TextFileSeen{path, disk[path], ticket});
    } else {
      feed(FileGone{path, ticket});
    }
    feed(FilesSettled{});
  }
  void take(const Action& action) {
    if (hold_disk && (std::holds_alternative<WriteText>(action) || std::holds_alternative<MoveFile>(action) ||
                      std::holds_alternative<RemoveFile>(action))) {
      held_actions.push_back(action);
      return;
    }
    if (const auto* binary = std::get_if<SendBinary>(&action)) take_frame(binary->frame);
    if (const auto* said = std::get_if<SendText>(&action)) texts.push_back(said->json);
    if (const auto* update = std::get_if<PersistUpdate>(&action))
      stored_updates.emplace_back(update->doc, update->update);
    if (const auto* record = std::get_if<PersistRecord>(&action)) {
      stored_records.erase(record->key);
      if (!record->value.empty()) stored_records.emplace(record->key, record->value);
    }
    if (const auto* upload = std::get_if<UploadBlob>(&action)) uploads_asked.push_back(upload->path);
    if (const auto* fetch = std::get_if<FetchBlob>(&action)) {
      fetches_asked.push_back(fetch->path);
      fetches.push_back(*fetch);
    }
    if (const auto* notify = std::get_if<Notify>(&action)) {
      if (const auto* problem = std::get_if<Problem>(&notify->notice))
        problems.push_back(problem->path + ": " + problem->message);
      if (const auto* status = std::get_if<StatusChanged>(&notify->notice)) states.push_back(status->state);
    }
    if (std::holds_alternative<Reconnect>(action)) ++lines_asked;
    if (const auto* read = std::get_if<ReadFile>(&action)) {
      if (hold_reads) {
        held_reads.push_back(*read);
      } else {
        look(read->path, read->ticket);
      }
    }
    if (const auto* write = std::get_if<WriteText>(&action)) {
      writes_asked.push_back(write->path);
      if (disk.contains(write->path) ? sha256(disk[write->path]) != write->expected : write->expected.has_value()) {
        refuse(*write, "", /*in_doubt=*/false);
        look(write->path, write->ticket);
        return;
      }
      disk[write->path] = write->bytes;
      if (hold_writes) {
        held_writes.push_back(*write);
        return;
      }
      answer(*write);
    }
    if (const auto* move = std::get_if<MoveFile>(&action)) {
      if (!disk.contains(move->from) || disk.contains(move->to)) {
        feed(FileRefused{move->to, "", /*in_doubt=*/false, move->ticket});
        return;
      }
      disk.emplace(move->to, disk.at(move->from));
      if (!copies) disk.erase(move->from);
      if (on_move) on_move();
      feed(FileMoved{move->from, move->to, move->ticket, copies});
    }
    if (const auto* removed = std::get_if<RemoveFile>(&action)) {
      if (disk.contains(removed->path) && sha256(disk[removed->path]) != removed->expected) {
        feed(FileRefused{removed->path, "", /*in_doubt=*/false, removed->ticket});
        look(removed->path, removed->ticket);
        return;
      }
      disk.erase(removed->path);
      feed(FileRemoved{removed->path, removed->ticket});
    }
  }
  void take_frame(const Bytes& bytes) {
    ++frames;
    frame_bytes += bytes.size();
    const Result<Frame> frame = decode_frame(bytes);
    const Result<ParsedDocId> id = parse_doc_id(frame->doc_id);
    const Result<std::vector<Message>> messages = parse_messages(frame->payload);
    for (const Message& message : *messages) {
      if (std::holds_alternative<SyncStep1>(message) && id->kind == DocKind::Body) asked.emplace_back(id->key);
      if (const auto* step2 = std::get_if<SyncStep2>(&message))
        updates.emplace_back(frame->doc_id, to_bytes(step2->update));
      if (const auto* update = std::get_if<Update>(&message))
        updates.emplace_back(frame->doc_id, to_bytes(update->update));
    }
  }

  std::map<std::string, crdt::Doc> docs_;
};

}  // namespace diaryx::sync
