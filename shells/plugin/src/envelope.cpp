#include "envelope.h"

#include <algorithm>
#include <limits>

#include "diaryx/base/shorten.h"
#include "diaryx/base/utf.h"

namespace diaryx::plugin {
namespace {

void put_le(Bytes& out, uint64_t value, int width) {
  for (int i = 0; i < width; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

uint32_t get_le(ByteView bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= static_cast<uint32_t>(bytes[i]) << (8 * i);
  return value;
}

bool fits(const EnvelopeAction& action) { return action.payload.size() <= std::numeric_limits<uint32_t>::max(); }

// 0 stays longest. Frames are what a host without a socket bridge must not lose.
int dispensability(const EnvelopeAction& action) {
  if (action.is_progress) return 2;
  return action.type == ActionType::EmitEvent ? 1 : 0;
}

std::vector<const EnvelopeAction*> chosen(const std::vector<EnvelopeAction>& actions) {
  std::vector<const EnvelopeAction*> kept;
  for (const EnvelopeAction& action : actions) {
    if (fits(action)) kept.push_back(&action);
  }
  for (int level = 2; level > 0 && kept.size() > kMaxEnvelopeActions; --level) {
    std::erase_if(kept, [&](const EnvelopeAction* action) { return dispensability(*action) >= level; });
  }
  shorten(kept, kMaxEnvelopeActions);
  return kept;
}

}  // namespace

Envelope encode_envelope(const std::vector<EnvelopeAction>& actions) {
  const auto kept = chosen(actions);
  Envelope envelope{{}, actions.size() - kept.size()};
  put_le(envelope.bytes, kept.size(), 2);
  for (const EnvelopeAction* action : kept) {
    put_le(envelope.bytes, static_cast<uint8_t>(action->type), 1);
    put_le(envelope.bytes, action->payload.size(), 4);
    envelope.bytes.insert(envelope.bytes.end(), action->payload.begin(), action->payload.end());
  }
  return envelope;
}

Result<std::vector<EnvelopeAction>> decode_envelope(ByteView bytes) {
  Reader in(bytes);
  DX_TRY(const ByteView count, in.bytes(2));
  std::vector<EnvelopeAction> actions;
  for (uint32_t left = get_le(count); left > 0; --left) {
    DX_TRY(const uint8_t type, in.u8());
    if (type > static_cast<uint8_t>(ActionType::DownloadSnapshot))
      return fail(ErrorCode::UnknownTag, in.position() - 1);
    DX_TRY(const ByteView length, in.bytes(4));
    DX_TRY(const ByteView payload, in.bytes(get_le(length)));
    const bool is_text = type == static_cast<uint8_t>(ActionType::SendText) ||
                         type == static_cast<uint8_t>(ActionType::DownloadSnapshot);
    if (is_text && !is_valid_utf8(as_text(payload)))
      return fail(ErrorCode::InvalidUtf8, in.position() - payload.size());
    actions.push_back({static_cast<ActionType>(type), to_bytes(payload)});
  }
  return actions;
}

}  // namespace diaryx::plugin
