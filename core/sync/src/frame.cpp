#include "diaryx/sync/frame.h"

#include <algorithm>

#include "diaryx/base/utf.h"
#include "diaryx/sync/doc_id.h"

namespace diaryx::sync {
namespace {

enum Tag : uint64_t { kSync = 0, kAwareness = 1, kAuth = 2, kAwarenessQuery = 3 };
enum SyncTag : uint64_t { kStep1 = 0, kStep2 = 1, kUpdate = 2 };
constexpr uint64_t kPermissionDenied = 0;

Result<Message> read_sync(Reader& in) {
  const size_t start = in.position();
  DX_TRY(const uint64_t tag, in.var_uint());
  if (tag > kUpdate) return fail(ErrorCode::UnknownTag, start);
  DX_TRY(const ByteView content, in.var_bytes());
  if (tag == kStep1) return SyncStep1{content};
  if (tag == kStep2) return SyncStep2{content};
  return Update{content};
}

Result<Message> read_auth(Reader& in) {
  const size_t start = in.position();
  DX_TRY(const uint64_t tag, in.var_uint());
  if (tag != kPermissionDenied) return fail(ErrorCode::UnknownTag, start);
  DX_TRY(const std::string_view reason, in.var_string());
  return PermissionDenied{reason};
}

Result<Message> read_message(Reader& in) {
  const size_t start = in.position();
  DX_TRY(const uint64_t tag, in.var_uint());
  switch (tag) {
    case kSync: return read_sync(in);
    case kAwareness: {
      // Taken whole: bytes of an awareness update look like sync messages to a reader that steps through them (T6).
      DX_TRY(const ByteView update, in.var_bytes());
      return Awareness{update};
    }
    case kAuth: return read_auth(in);
    case kAwarenessQuery: return AwarenessQuery{};
    default: return fail(ErrorCode::UnknownTag, start);
  }
}

struct MessageWriter {
  Writer& out;

  void operator()(const SyncStep1& m) const { sync(kStep1, m.state_vector); }
  void operator()(const SyncStep2& m) const { sync(kStep2, m.update); }
  void operator()(const Update& m) const { sync(kUpdate, m.update); }
  void operator()(const Awareness& m) const {
    out.var_uint(kAwareness);
    out.var_bytes(m.update);
  }
  void operator()(const AwarenessQuery&) const { out.var_uint(kAwarenessQuery); }
  void operator()(const PermissionDenied& m) const {
    out.var_uint(kAuth);
    out.var_uint(kPermissionDenied);
    out.var_string(m.reason);
  }

 private:
  void sync(SyncTag tag, ByteView content) const {
    out.var_uint(kSync);
    out.var_uint(tag);
    out.var_bytes(content);
  }
};

bool carries_update(const Message& message) {
  return std::holds_alternative<SyncStep2>(message) || std::holds_alternative<Update>(message);
}

Result<void> write_doc_id(Writer& out, std::string_view doc_id) {
  if (doc_id.empty()) return fail(ErrorCode::InvalidDocId);
  if (doc_id.size() > kMaxDocIdBytes) return fail(ErrorCode::DocIdTooLong, kMaxDocIdBytes);
  out.u8(static_cast<uint8_t>(doc_id.size()));
  out.raw(as_bytes(doc_id));
  return {};
}

Result<Bytes> finish(Writer& out) {
  if (out.size() > kMaxFrameBytes) return fail(ErrorCode::TooLarge);
  return out.take();
}

}  // namespace

Result<Frame> decode_frame(ByteView bytes) {
  if (bytes.size() > kMaxFrameBytes) return fail(ErrorCode::TooLarge);
  Reader in(bytes);
  DX_TRY(const uint8_t size, in.u8());
  DX_TRY(const ByteView id, in.bytes(size));
  if (!is_valid_utf8(as_text(id))) return fail(ErrorCode::InvalidUtf8, 1);
  return Frame{as_text(id), in.rest()};
}

Result<std::vector<Message>> parse_messages(ByteView payload) {
  Reader in(payload);
  std::vector<Message> messages;
  while (!in.at_end()) {
    if (messages.size() == kMaxMessagesPerPayload) return fail(ErrorCode::TooLarge, in.position());
    DX_TRY(Message message, read_message(in));
    messages.push_back(message);
  }
  return messages;
}

void write_message(Writer& out, const Message& message) { std::visit(MessageWriter{out}, message); }

Result<Bytes> encode_frame(std::string_view doc_id, std::initializer_list<Message> messages) {
  // Old servers look at the first two bytes of a payload alone: an update further back would be neither stored nor
  // relayed.
  DX_ASSERT(messages.size() == 0 || std::none_of(messages.begin() + 1, messages.end(), carries_update));
  Writer out;
  DX_TRY_VOID(write_doc_id(out, doc_id));
  for (const Message& message : messages) write_message(out, message);
  return finish(out);
}

Result<Bytes> encode_frame(std::string_view doc_id, ByteView payload) {
  Writer out;
  out.reserve(1 + std::min(doc_id.size(), kMaxDocIdBytes) + payload.size());
  DX_TRY_VOID(write_doc_id(out, doc_id));
  out.raw(payload);
  return finish(out);
}

bool is_empty_update(ByteView update) { return std::ranges::equal(update, kEmptyUpdate); }

Result<std::vector<AwarenessEntry>> parse_awareness(ByteView update) {
  Reader in(update);
  DX_TRY(const uint64_t count, in.var_uint());
  if (count > kMaxAwarenessClients) return fail(ErrorCode::TooLarge);
  std::vector<AwarenessEntry> entries;
  for (uint64_t i = 0; i < count; ++i) {
    DX_TRY(const uint64_t client, in.var_uint());
    DX_TRY(const uint64_t clock, in.var_uint());
    DX_TRY(const std::string_view state, in.var_string());
    entries.push_back({client, clock, state});
  }
  if (!in.at_end()) return fail(ErrorCode::TrailingBytes, in.position());
  return entries;
}

}  // namespace diaryx::sync
