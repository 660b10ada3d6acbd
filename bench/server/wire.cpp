#include "wire.h"

#include <optional>

#include "diaryx/crdt/update.h"

namespace diaryx::bench {
namespace {

constexpr uint8_t kSync = 0;
constexpr uint8_t kAuth = 2;
constexpr uint8_t kSyncReply = 4;  // Hocuspocus: as kSync, and asks for no question back
constexpr uint8_t kStep1 = 0;
constexpr uint8_t kStep2 = 1;
constexpr uint8_t kUpdate = 2;
constexpr uint8_t kAuthenticated = 2;
// Text without origins, and with a left one.
constexpr uint8_t kFirstLetter = 0x04;
constexpr uint8_t kNextLetter = 0x84;

Bytes front_of(const Target& target, const std::string& document) {
  const std::string name = target.prefix + document;
  Writer out;
  if (target.kind == WireKind::Hocuspocus) out.var_string(name);
  if (target.kind == WireKind::Sync2) {
    out.u8(static_cast<uint8_t>(name.size()));
    out.raw(as_bytes(name));
  }
  return out.take();
}

std::string path_of(const Target& target, const std::string& document) {
  return target.path + (target.kind == WireKind::Yjs ? document : "") + target.query;
}

}  // namespace

Seat::Seat(Loop& loop, const Target& target, const std::string& document)
    : began_(std::chrono::steady_clock::now()),
      front_(front_of(target, document)),
      socket_(loop.connect(path_of(target, document))),
      kind_(target.kind) {
  socket_.on_open = [this, token = target.token] {
    if (kind_ != WireKind::Hocuspocus) return ask();
    Writer out;
    out.raw(front_);
    out.var_uint(kAuth);
    out.var_uint(0);
    out.var_string(token);
    socket_.send(out.view());
  };
  socket_.on_message = [this](const Incoming& message) { take(message); };
}

void Seat::send_sync(uint8_t kind, ByteView bytes) {
  Writer out;
  out.raw(front_);
  out.var_uint(kSync);
  out.var_uint(kind);
  out.var_uint(bytes.size());
  socket_.send(out.view(), bytes);
}

void Seat::ask() {
  const uint8_t nothing[] = {0};
  send_sync(kStep1, nothing);
}

void Seat::send_update(ByteView update) { send_sync(kUpdate, update); }

void Seat::take(const Incoming& message) {
  if (message.bytes.size() < front_.size() + 2) return;
  Reader in(message.bytes.subspan(front_.size()));
  const auto type = in.var_uint();
  const auto kind = in.var_uint();
  if (!type || !kind) return;
  if (*type == kAuth) {
    if (kind_ == WireKind::Hocuspocus && *kind == kAuthenticated) return ask();
    give_up("the server does not let us in: " + std::string(as_text(in.rest())));
  }
  if (*type != kSync && *type != kSyncReply) return;
  if (*kind == kStep1) {
    const uint8_t nothing[] = {0, 0};
    return send_sync(kStep2, nothing);
  }
  const auto size = in.var_uint();
  if (!size) give_up("a sync message cannot be read");
  const bool answer = *kind == kStep2 && !joined_;
  joined_ |= answer;
  if (on_update) on_update({in.rest(), message.size_bytes, answer});
}

namespace {

/// The letters of an update that is one struct, made by `letter` or grown from such.
std::optional<Letters> one_struct(ByteView update) {
  Reader in(update);
  const auto clients = in.var_uint();
  const auto structs = in.var_uint();
  const auto client = in.var_uint();
  const auto clock = in.var_uint();
  const auto info = in.var_uint();
  if (!info || *clients != 1 || *structs != 1 || (*info != kFirstLetter && *info != kNextLetter)) return std::nullopt;
  if (!in.var_uint()) return std::nullopt;
  if (*info == kFirstLetter ? !in.var_string() : !in.var_uint()) return std::nullopt;
  const auto text = in.var_string();
  if (!text) return std::nullopt;
  return Letters{*client, *clock, *clock + text->size()};
}

}  // namespace

std::vector<Letters> letters_of(ByteView update) {
  if (const auto one = one_struct(update)) return {*one};
  const auto summary = crdt::summarize_update_v1(update);
  if (!summary) give_up("an update of the server cannot be read");
  std::vector<Letters> letters;
  for (const auto& [id, end] : summary->ends)
    letters.push_back({id.value(), summary->starts.get(id).value(), end.value()});
  return letters;
}

Bytes letter(uint64_t client, uint64_t clock) {
  Writer out;
  out.var_uint(1);  // clients
  out.var_uint(1);  // structs
  out.var_uint(client);
  out.var_uint(clock);
  if (clock == 0) {
    out.u8(kFirstLetter);
    out.var_uint(1);
    out.var_string("body");
  } else {
    out.u8(kNextLetter);
    out.var_uint(client);
    out.var_uint(clock - 1);
  }
  out.var_string("a");
  out.var_uint(0);  // nothing deleted
  return out.take();
}

}  // namespace diaryx::bench
