#include "websocket_frames.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <openssl/sha.h>

#include "diaryx/base/base64.h"
#include "diaryx/base/utf.h"

namespace diaryx::server {
namespace {

constexpr uint8_t kLast = 0x80;      // of byte 0
constexpr uint8_t kReserved = 0x70;  // extensions, of which none were agreed on
constexpr uint8_t kMasked = 0x80;    // of byte 1
constexpr uint8_t kSize16 = 126;
constexpr uint8_t kSize64 = 127;
constexpr size_t kMaxControlBytes = 125;
constexpr size_t kMaskBytes = 4;
constexpr uint16_t kNoCode = 1005;

bool is_control(Opcode opcode) { return (static_cast<uint8_t>(opcode) & 8) != 0; }

bool is_known(uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

size_t head_bytes(uint8_t second) {
  const uint8_t size = second & 0x7f;
  return 2 + (size == kSize16 ? 2u : size == kSize64 ? 8u : 0u) + ((second & kMasked) != 0 ? kMaskBytes : 0u);
}

/// `phase`: how many bytes of the frame were unmasked before.
void unmask(std::span<uint8_t> bytes, const std::array<uint8_t, 4>& mask, uint8_t phase) {
  std::array<uint8_t, 8> turned;
  for (size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(phase + i) % 4];
  uint64_t word;
  std::memcpy(&word, turned.data(), sizeof word);
  size_t at = 0;
  for (; at + sizeof word <= bytes.size(); at += sizeof word) {
    uint64_t eight;
    std::memcpy(&eight, bytes.data() + at, sizeof eight);
    eight ^= word;
    std::memcpy(bytes.data() + at, &eight, sizeof eight);
  }
  for (; at < bytes.size(); ++at) bytes[at] ^= turned[at % 8];
}

}  // namespace

FrameReader::Held& FrameReader::held() {
  if (held_ == nullptr) held_ = std::make_unique<Held>();
  return *held_;
}

void FrameReader::forget_what_is_empty() {
  if (held_ == nullptr) return;
  if (input_.empty()) held_->kept = Bytes();
  if (held_->kept.empty() && held_->partial.empty() && held_->control.empty()) held_.reset();
}

std::expected<std::optional<WebSocketMessage>, FrameFault> FrameReader::next() {
  if (held_ != nullptr) held_->whole = Bytes();
  while (!failed_) {
    if (!in_body_) {
      if (!read_head()) break;
      if (const auto fault = check_head()) {
        failed_ = true;
        return std::unexpected(*fault);
      }
      in_body_ = true;
    }
    auto message = read_body();
    if (!message) failed_ = true;
    if (!message || *message) return message;
    if (in_body_) break;  // the input is used up
  }
  forget_what_is_empty();
  return std::nullopt;
}

/// True once the head of a frame is complete.
bool FrameReader::read_head() {
  while (true) {
    const size_t need = head_size_ < 2 ? 2 : head_bytes(head_[1]);
    if (head_size_ >= need) return true;
    const size_t take = std::min(need - head_size_, input_.size());
    if (take == 0) return false;
    std::copy_n(input_.begin(), take, head_.begin() + head_size_);
    head_size_ = static_cast<uint8_t>(head_size_ + take);
    input_ = input_.subspan(take);
  }
}

std::optional<FrameFault> FrameReader::check_head() {
  const uint8_t first = head_[0];
  const uint8_t size = head_[1] & 0x7f;
  if ((first & kReserved) != 0 || !is_known(first & 0x0f) || (head_[1] & kMasked) == 0) return FrameFault::Protocol;
  opcode_ = static_cast<Opcode>(first & 0x0f);
  last_ = (first & kLast) != 0;
  left_ = size;
  if (size >= kSize16) {
    left_ = 0;
    for (size_t i = 2; i < (size == kSize16 ? 4u : 10u); ++i) left_ = left_ << 8 | head_[i];
    // A size is written as short as it goes.
    if (left_ < (size == kSize16 ? uint64_t{kSize16} : uint64_t{65536})) return FrameFault::Protocol;
  }
  std::copy_n(head_.begin() + head_size_ - kMaskBytes, kMaskBytes, mask_.begin());
  mask_phase_ = 0;
  head_size_ = 0;
  if (is_control(opcode_)) {
    if (!last_ || left_ > kMaxControlBytes) return FrameFault::Protocol;
    return std::nullopt;
  }
  const bool begun = message_ != Opcode::Continuation;
  if (begun != (opcode_ == Opcode::Continuation)) return FrameFault::Protocol;
  const bool text = (begun ? message_ : opcode_) == Opcode::Text;
  const size_t max_bytes = text ? limits_.text_bytes : limits_.binary_bytes;
  const size_t so_far = held_ == nullptr ? 0 : held_->partial.size();
  if (left_ > max_bytes || so_far > max_bytes - left_) return FrameFault::TooLarge;
  return std::nullopt;
}

std::expected<std::optional<WebSocketMessage>, FrameFault> FrameReader::read_body() {
  const size_t take = static_cast<size_t>(std::min<uint64_t>(left_, input_.size()));
  const std::span<uint8_t> here = input_.first(take);
  input_ = input_.subspan(take);
  unmask(here, mask_, mask_phase_);
  mask_phase_ = static_cast<uint8_t>((mask_phase_ + take) % 4);
  left_ -= take;
  Bytes Held::* const part = is_control(opcode_) ? &Held::control : &Held::partial;
  const bool lies_here = left_ == 0 && last_ && (held_ == nullptr || (*held_.*part).empty());
  if (!lies_here) {
    Bytes& gathered = held().*part;
    gathered.insert(gathered.end(), here.begin(), here.end());
  }
  if (left_ != 0) return std::nullopt;
  in_body_ = false;
  if (is_control(opcode_)) {
    if (lies_here) return finish(opcode_, here);
    held().whole = std::exchange(held().control, {});
    return finish(opcode_, held().whole);
  }
  const Opcode opcode = opcode_ == Opcode::Continuation ? message_ : opcode_;
  message_ = last_ ? Opcode::Continuation : opcode;
  if (!last_) return std::nullopt;
  if (lies_here) return finish(opcode, here);
  held().whole = std::exchange(held().partial, {});
  return finish(opcode, held().whole);
}

std::expected<std::optional<WebSocketMessage>, FrameFault> FrameReader::finish(Opcode opcode, ByteView bytes) {
  if (opcode == Opcode::Text && !is_valid_utf8(as_text(bytes))) return std::unexpected(FrameFault::NotUtf8);
  return WebSocketMessage{opcode, bytes};
}

void FrameReader::keep_rest() {
  if (input_.empty()) return;
  Bytes rest(input_.begin(), input_.end());
  held().kept = std::move(rest);
  input_ = held().kept;
}

size_t write_frame_front(std::span<uint8_t, kMaxFrontBytes> out, Opcode opcode, uint64_t size_bytes) {
  out[0] = static_cast<uint8_t>(kLast | static_cast<uint8_t>(opcode));
  if (size_bytes < kSize16) {
    out[1] = static_cast<uint8_t>(size_bytes);
    return 2;
  }
  const bool wide = size_bytes > 0xffff;
  out[1] = wide ? kSize64 : kSize16;
  const size_t count = wide ? 8 : 2;
  for (size_t i = 0; i < count; ++i) out[2 + i] = static_cast<uint8_t>(size_bytes >> (8 * (count - 1 - i)));
  return 2 + count;
}

Bytes close_body(uint16_t code, std::string_view reason) {
  size_t size = std::min(reason.size(), kMaxControlBytes - 2);
  while (size > 0 && size < reason.size() && (static_cast<uint8_t>(reason[size]) & 0xc0) == 0x80) --size;
  Bytes body{static_cast<uint8_t>(code >> 8), static_cast<uint8_t>(code)};
  body.insert(body.end(), reason.begin(), reason.begin() + static_cast<ptrdiff_t>(size));
  return body;
}

uint16_t close_code_of(ByteView body) {
  if (body.empty()) return kNoCode;
  const auto wrong = static_cast<uint16_t>(FrameFault::Protocol);
  if (body.size() == 1 || !is_valid_utf8(as_text(body.subspan(2)))) return wrong;
  const auto code = static_cast<uint16_t>(body[0] << 8 | body[1]);
  const bool of_protocol = code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
  return of_protocol || (code >= 3000 && code < 5000) ? code : wrong;
}

std::optional<std::string> websocket_accept(std::string_view key) {
  constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  constexpr size_t kKeyCharacters = 24;
  const auto nonce = from_base64(key);
  if (key.size() != kKeyCharacters || !nonce || nonce->size() != 16) return std::nullopt;
  const std::string text = std::string(key) + std::string(kGuid);
  // Not by EVP, which loads all algorithms of the library for it: 1.7 MB of a server that speaks no TLS.
  SHA_CTX context;
  std::array<uint8_t, SHA_DIGEST_LENGTH> digest;
  const bool done = SHA1_Init(&context) == 1 && SHA1_Update(&context, text.data(), text.size()) == 1 &&
                    SHA1_Final(digest.data(), &context) == 1;
  if (!done) return std::nullopt;
  return to_base64(digest);
}

}  // namespace diaryx::server
