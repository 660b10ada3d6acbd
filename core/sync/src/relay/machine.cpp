// Dispatch, and what concerns a connection as a whole.
#include "machine.h"

#include <algorithm>
#include <array>

#include "diaryx/sync/control.h"

namespace diaryx::sync::relay {
namespace {

constexpr std::array<std::string_view, 5> kRefusalCodes = {"unauthorized", "invalid", "too_large", "read_only",
                                                           "storage"};
/// Reasons of a close frame have at most 123 bytes.
constexpr size_t kMaxReasonBytes = 120;
constexpr std::string_view kRestarting = "the server is restarting";
/// Events that come together may be about many documents.
constexpr size_t kAwakeAtOnce = 64;

/// False for presence alone, and for what cannot be read.
bool needs_document(ByteView payload) {
  const auto messages = parse_messages(payload);
  return messages && std::ranges::any_of(*messages, asks_of_document);
}

}  // namespace

/// The text of an error message; also used by commits.cpp.
SharedText error_text(std::string_view document, Refusal refusal, std::string_view sentence) {
  const DocError error{.doc = std::string(document),
                       .code = std::string(kRefusalCodes[static_cast<size_t>(refusal)]),
                       .message = std::string(sentence)};
  return std::make_shared<const std::string>(format_control(error));
}

Machine::Machine(RelayOptions options)
    : options_(std::move(options)),
      change_questions_(options_.lineage),
      idle_(options_.limits.idle_before_unload, options_.limits.max_idle_bytes),
      awake_(options_.limits.max_resting_bytes) {}

void Machine::handle(Event event, TimestampMs now, std::vector<Action>& out) {
  now_ = now;
  out_ = &out;
  std::visit([this](auto& one) { on(one); }, event);
  finish_append();
  settle_awoken();
  unload_beyond_limit();
  out_ = nullptr;
}

void Machine::handle(std::vector<Event>& events, TimestampMs now, std::vector<Action>& out) {
  now_ = now;
  out_ = &out;
  gathers_ = true;
  for (Event& event : events) {
    // What is stored waits for one another and for nothing else: what may end or begin a seat comes after it. So does an
    // append for more of the same sender.
    if (!std::holds_alternative<UpdateStored>(event)) send_settled();
    const auto* frame = std::get_if<BinaryFrame>(&event);
    if (frame == nullptr || frame->connection != open_append_.from) finish_append();
    if (awake_.unsettled() >= kAwakeAtOnce) settle_awoken();
    std::visit([this](auto& one) { on(one); }, event);
  }
  finish_append();
  gathers_ = false;
  send_settled();
  settle_awoken();
  unload_beyond_limit();
  out_ = nullptr;
}

RelayStatistics Machine::statistics() const {
  RelayStatistics counts{connections_.size(), 0, 0, 0, append_rooms_.size()};
  for (const auto& [id, one] : rooms_) {
    ++(one->life == Life::Away ? counts.away : counts.documents);
    counts.awake += one->doc.is_open() && !one->doc.rests();
  }
  return counts;
}

Connection* Machine::connection(ConnectionId id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : &found->second;
}

Room* Machine::room(std::string_view document) {
  const auto found = rooms_.find(document);
  return found == rooms_.end() ? nullptr : found->second.get();
}

size_t Machine::members(const DocId& document) {
  Room* const found = room(document.view());
  return found != nullptr ? found->members.size() : 0;
}

crdt::Doc* Machine::find(const DocId& document) {
  Room* const found = room(document.view());
  return found != nullptr && found->doc.is_open() ? &work_on(*found) : nullptr;
}

std::optional<Bytes> Machine::state(const DocId& document) {
  Room* const found = room(document.view());
  if (found == nullptr || !found->doc.is_open()) return std::nullopt;
  return found->doc.encode();
}

void Machine::on(ConnectionOpened& event) {
  Connection& connection = connections_[event.connection];
  connection.id = event.connection;
  connection.principal = std::move(event.principal);
  connection.handshake = event.handshake;
  const ServerHello hello{.name = options_.server_name,
                          .version = options_.server_version,
                          .receipts = true,
                          .lineage = options_.lineage,
                          .changes = !options_.lineage.empty()};
  out_->push_back(SendText{{event.connection}, std::make_shared<const std::string>(format_control(hello))});
  if (draining_) close(connection, CloseCode::GoingAway, std::string(kRestarting));  // let in just before
}

void Machine::on(BinaryFrame& event) {
  Connection* const from = connection(event.connection);
  if (from == nullptr || from->closing) return;
  if (event.bytes.size() > options_.limits.max_frame_bytes) {
    refuse(*from, "", Refusal::TooLarge, "A message is larger than this server takes.");
    return close(*from, CloseCode::MessageTooBig, "a message is too large");
  }
  const auto frame = decode_frame(event.bytes);
  if (!frame) {
    refuse(*from, "", Refusal::Invalid, "A frame could not be read: " + describe(frame.error()) + ".");
    return count_bad_frame(*from);
  }
  const auto parsed = parse_doc_id(frame->doc_id);
  if (!parsed) {
    refuse(*from, frame->doc_id, Refusal::Invalid, "This is not a document id: workspace:<id> or body:<id>/<path>.");
    return count_bad_frame(*from);
  }
  take_payload(*from, frame->doc_id, *parsed, frame->payload);
}

void Machine::take_payload(Connection& connection, std::string_view document, const ParsedDocId& parsed,
                           ByteView payload) {
  const auto found = connection.seats.find(document);
  if (found == connection.seats.end()) return start_seat(connection, document, parsed, payload);
  Seat& seat = found->second;
  switch (seat.state) {
    case Seat::State::Waiting: seat.hold(to_bytes(payload)); return hold(connection, held_size(payload));
    case Seat::State::Handshake:  // the frame is dropped, and the manifest repeated
      return send_manifest(connection, *room(document));
    case Seat::State::Open: {
      Room& open = *room(document);
      DX_ASSERT(open.life != Life::Failed);
      const bool goes_on = open.life == Life::Open || (open.life == Life::Away && !needs_document(payload));
      if (goes_on) return take_messages(connection, seat, open, payload);
      if (open.life == Life::Away) start_loading(open);
      seat.hold(to_bytes(payload));
      return hold(connection, held_size(payload));
    }
  }
}

void Machine::on(TextMessage& event) {
  Connection* const from = connection(event.connection);
  if (from == nullptr || from->closing) return;
  if (event.text.size() > options_.limits.max_text_bytes) {
    refuse(*from, "", Refusal::TooLarge, "A control message is larger than this server takes.");
    return close(*from, CloseCode::MessageTooBig, "a control message is too large");
  }
  const auto message = parse_control(event.text);
  if (!message) return;  // old servers ignore what they cannot read, and clients count on it
  if (std::holds_alternative<FilesReady>(*message)) return files_ready(*from);
  if (const auto* hello = std::get_if<ClientHello>(&*message)) {
    // Before the first frame: what is open already was opened with a handshake.
    if (!hello->handshake && from->handshake == Handshake::Full && from->seats.empty())
      from->handshake = Handshake::Lean;
    return;
  }
  if (const auto* wanted = std::get_if<ChangesWanted>(&*message)) return follow(*from, *wanted);
  if (const auto* leave_one = std::get_if<Leave>(&*message)) return leave(*from, leave_one->doc);
  if (const auto* save = std::get_if<Save>(&*message)) {
    const auto seat = from->seats.find(std::string_view(save->doc));
    if (seat == from->seats.end() || seat->second.state != Seat::State::Open) return;
    // Every record is stored already.
    Room& asked = *room(save->doc);
    if (is_worth_a_snapshot(asked)) store_snapshot(asked);
  }
}

void Machine::on(ConnectionClosed& event) {
  Connection* const gone = connection(event.connection);
  if (gone == nullptr) return;
  gone->closing = true;
  while (!gone->seats.empty()) leave(*gone, gone->seats.begin()->first->view());
  connections_.erase(event.connection);
}

void Machine::refuse(Connection& connection, std::string_view document, Refusal refusal, std::string_view sentence) {
  if (connection.closing) return;
  out_->push_back(SendText{{connection.id}, error_text(document, refusal, sentence)});
}

void Machine::count_bad_frame(Connection& connection) {
  if (++connection.bad_frames < options_.limits.max_bad_frames) return;
  close(connection, CloseCode::PolicyViolation, "too many messages that could not be read");
}

void Machine::close(Connection& connection, CloseCode code, std::string reason) {
  if (connection.closing) return;
  connection.closing = true;
  reason.resize(std::min(reason.size(), kMaxReasonBytes));
  out_->push_back(CloseConnection{connection.id, code, std::move(reason)});
}

void Machine::drain(TimestampMs now, std::vector<Action>& out) {
  now_ = now;
  out_ = &out;
  draining_ = true;
  for (auto& [id, connection] : connections_) close(connection, CloseCode::GoingAway, std::string(kRestarting));
  out_ = nullptr;
}

}  // namespace diaryx::sync::relay
