// Bytes as what three strangers send to the relay, with a storage that answers late, fails and restarts.
//
// 1. one step is a byte of what happens, then its data; with bit 3 a frame or an answer waits for the next, to be handled in
// one call   2. every frame sent is checked: all that it shows must have been stored before   3. at the end everything is
// answered, and a fresh relay loads what was stored and holds the same text as the old one
#include "diaryx/sync/relay.h"

#include <deque>
#include <map>

#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "diaryx/sync/frame.h"

using namespace diaryx;
using namespace diaryx::sync;

namespace {

const DocId kBody("body:w/a.md");
constexpr uint64_t kConnections = 3;

struct Shell {
  Relay relay{
      {.lineage = "l",
       .seed = 1,
       .limits = {.max_frame_bytes = 4096, .max_held_bytes = 512, .max_bad_frames = 4, .max_resting_bytes = 64}}};
  std::deque<relay::Action> questions;  // not answered yet
  std::map<std::string, std::vector<Bytes>> log;
  uint64_t sequence = 0;
  uint64_t next_connection = 1;
  TimestampMs now{0};
  size_t appends = 0;  // in flight
  std::vector<relay::Event> gathered;  // not handled yet

  /// Whatever text a frame shows is in the log.
  void check_is_stored(ByteView bytes) {
    const auto frame = decode_frame(bytes);
    DX_ASSERT(frame.has_value());
    if (frame->doc_id != kBody.view()) return;
    crdt::Doc stored({.client = ClientId{9}});
    for (const Bytes& update : log[kBody.str()]) DX_ASSERT(stored.apply_update_v1(update).has_value());
    if (stored.has_pending()) return;  // pending updates are shown as they came, and are in no state vector
    const auto messages = parse_messages(frame->payload);
    DX_ASSERT(messages.has_value());
    for (const Message& message : *messages) {
      const auto* answer = std::get_if<SyncStep2>(&message);
      const auto* update = std::get_if<Update>(&message);
      if (answer == nullptr && update == nullptr) continue;
      const auto summary = crdt::summarize_update_v1(answer != nullptr ? answer->update : update->update);
      DX_ASSERT(summary.has_value() && summary->is_known(stored.state_vector(), stored.delete_set()));
    }
  }

  void handle(relay::Event event) {
    handle_gathered();
    std::vector<relay::Action> actions;
    relay.handle(std::move(event), now, actions);
    take(actions);
  }

  void handle_gathered() {
    if (gathered.empty()) return;
    std::vector<relay::Action> actions;
    relay.handle(std::exchange(gathered, {}), now, actions);
    take(actions);
  }

  void take(std::vector<relay::Action>& actions) {
    for (relay::Action& action : actions) {
      if (const auto* append = std::get_if<relay::AppendUpdate>(&action)) {
        DX_ASSERT(!append->update->empty());
        ++appends;
      }
      if (const auto* send = std::get_if<relay::SendBinary>(&action)) check_is_stored(*send->bytes);
      const bool question =
          !std::holds_alternative<relay::SendBinary>(action) && !std::holds_alternative<relay::SendText>(action) &&
          !std::holds_alternative<relay::PauseReading>(action) &&
          !std::holds_alternative<relay::ResumeReading>(action) && !std::holds_alternative<relay::EditFinished>(action);
      if (question) questions.push_back(std::move(action));
    }
  }

  void handle(relay::Event event, bool waits) {
    if (!waits) return handle(std::move(event));
    gathered.push_back(std::move(event));
  }

  void answer(bool well, bool waits = false) {
    if (questions.empty()) return;
    relay::Action action = std::move(questions.front());
    questions.pop_front();
    if (const auto* one = std::get_if<relay::Authorize>(&action)) {
      handle(relay::Authorized{one->ticket, well ? relay::Access::ReadWrite : relay::Access::Denied});
    } else if (const auto* load = std::get_if<relay::LoadDocument>(&action)) {
      if (well)
        return handle(relay::DocumentLoaded{load->ticket, {}, log[load->document.str()], relay::Sequence{sequence}});
      handle(relay::DocumentLoadFailed{load->ticket, relay::StorageFailure::Unavailable});
    } else if (const auto* list = std::get_if<relay::ListChanges>(&action)) {
      relay::ChangesListed listed{
          .ticket = list->ticket, .known = well && list->since, .documents = {}, .through = relay::Sequence{sequence}};
      for (const auto& [document, updates] : log) listed.documents.push_back(document);
      handle(std::move(listed));
    } else if (const auto* append = std::get_if<relay::AppendUpdate>(&action)) {
      --appends;
      if (!well) return handle(relay::UpdateNotStored{append->ticket, relay::StorageFailure::Full});
      log[append->document.str()].push_back(*append->update);
      handle(relay::UpdateStored{append->ticket, relay::Sequence{++sequence}}, waits);
    } else if (const auto* snapshot = std::get_if<relay::StoreSnapshot>(&action)) {
      handle(relay::SnapshotNotStored{snapshot->ticket, relay::StorageFailure::Unavailable});
    } else if (const auto* close = std::get_if<relay::CloseConnection>(&action)) {
      handle(relay::ConnectionClosed{close->connection});
    }
  }
};

std::string text_of(crdt::Doc& doc) { return doc.text("body").to_string(); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Shell shell;
  Reader in(ByteView{data, size});
  for (uint64_t i = 1; i <= kConnections; ++i) {
    shell.handle(relay::ConnectionOpened{relay::ConnectionId{shell.next_connection++}, relay::share({.user_id = "u"}),
                                         relay::Handshake::Lean});
  }
  while (const auto step = in.u8()) {
    const relay::ConnectionId from{1 + (*step >> 4) % kConnections};
    const bool waits = (*step & 8) != 0;
    switch (*step & 7) {
      case 0: shell.answer(true, waits); break;
      case 1: shell.answer((*step & 8) == 0); break;
      case 2: {  // a payload for the body
        const auto payload = in.var_bytes();
        if (!payload) break;
        if (auto frame = encode_frame(kBody.view(), *payload))
          shell.handle(relay::BinaryFrame{from, std::move(*frame)}, waits);
        break;
      }
      case 3: {  // a whole frame
        const auto frame = in.var_bytes();
        if (frame) shell.handle(relay::BinaryFrame{from, to_bytes(*frame)}, waits);
        break;
      }
      case 4: {
        const auto text = in.var_string();
        if (text) shell.handle(relay::TextMessage{from, std::string(*text)});
        break;
      }
      case 5: shell.handle(relay::ConnectionClosed{from}); break;
      case 6:
        shell.now = shell.now + DurationMs{6'000};
        shell.handle(relay::DeadlineReached{});
        break;
      case 7: shell.handle(relay::AccessRevoked{"w", (*step & 8) == 0 ? "u" : "x"}); break;
    }
  }
  shell.handle_gathered();
  while (!shell.questions.empty()) shell.answer(true);
  DX_ASSERT(shell.relay.quiet() && shell.appends == 0);
  if (crdt::Doc* const live = shell.relay.find(kBody)) {
    crdt::Doc restored({.client = ClientId{9}});
    for (const Bytes& update : shell.log[kBody.str()]) DX_ASSERT(restored.apply_update_v1(update).has_value());
    DX_ASSERT(text_of(restored) == text_of(*live));
    DX_ASSERT(restored.state_vector() == live->state_vector());
  }
  return 0;
}
