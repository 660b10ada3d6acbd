// WebSocket frames as a server meets them (RFC 6455): reading what a client sends, and the front of what is sent to it.
//
// Pure: bytes in, messages out.
//
// Invariants
//  1. A message is handed out whole, unmasked, and never larger than the limit of its kind, beyond which it is refused at the
//     head of the frame that goes over it; nothing is reserved for what has not come.
//  2. A frame that lies in the input whole is handed out where it lies; only what is incomplete is copied.
//  3. After a refusal the reader says nothing more: the connection is to be closed with its code.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"

namespace diaryx::server {

enum class Opcode : uint8_t { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

struct WebSocketMessage {
  Opcode opcode;  // never Continuation
  ByteView bytes;  // valid until the next call of the reader
};

/// Close codes for what cannot be read.
enum class FrameFault : uint16_t { Protocol = 1002, NotUtf8 = 1007, TooLarge = 1009 };

/// The largest message of each kind.
struct MessageLimits {
  size_t binary_bytes;
  size_t text_bytes;
};

class FrameReader {
 public:
  explicit FrameReader(MessageLimits limits) : limits_(limits) {}
  void set_limits(MessageLimits limits) { limits_ = limits; }

  /// Gives it bytes from the client, which it unmasks in place; they stay where they are until `next` answers with nothing,
  /// or `keep_rest` was called.
  void feed(std::span<uint8_t> input) { input_ = input; }

  /// The next whole message, control frames between its fragments included; nothing: more bytes are needed.
  std::expected<std::optional<WebSocketMessage>, FrameFault> next();

  /// Copies what was fed and not read yet, so that the fed bytes may go.
  void keep_rest();

  /// True if a new reader would go on in the same way: nothing was fed that is not read, and no message or frame has begun.
  bool is_between_frames() const {
    return !failed_ && !in_body_ && head_size_ == 0 && input_.empty() && held_ == nullptr &&
           message_ == Opcode::Continuation;
  }

 private:
  /// What does not lie in the input.
  struct Held {
    Bytes kept;  // what the input points into after `keep_rest`
    Bytes partial;  // of the message that is being read, as far as it came
    Bytes control;  // the same of a control frame
    Bytes whole;  // what was handed out last, if it had to be copied
  };

  Held& held();
  void forget_what_is_empty();
  bool read_head();
  std::optional<FrameFault> check_head();
  std::expected<std::optional<WebSocketMessage>, FrameFault> read_body();
  std::expected<std::optional<WebSocketMessage>, FrameFault> finish(Opcode opcode, ByteView bytes);

  MessageLimits limits_;
  std::span<uint8_t> input_;
  std::unique_ptr<Held> held_;  // a quiet connection has none
  std::array<uint8_t, 14> head_{};
  uint8_t head_size_ = 0;
  bool in_body_ = false;
  bool failed_ = false;
  // Of the frame whose body is being read.
  Opcode opcode_ = Opcode::Continuation;
  bool last_ = false;
  uint64_t left_ = 0;
  std::array<uint8_t, 4> mask_{};
  uint8_t mask_phase_ = 0;
  Opcode message_ = Opcode::Continuation;  // of the fragments so far; Continuation: there are none
};

/// The front of an unmasked, unfragmented frame.
inline constexpr size_t kMaxFrontBytes = 10;
size_t write_frame_front(std::span<uint8_t, kMaxFrontBytes> out, Opcode opcode, uint64_t size_bytes);

/// The body of a close frame: code and reason, which is cut to what fits, at a character.
Bytes close_body(uint16_t code, std::string_view reason);
/// The code of a close frame's body: 1005 if it names none, 1002 if it names one that may not be sent.
uint16_t close_code_of(ByteView body);

/// The answer to `Sec-WebSocket-Key`; nothing if it is not 16 bytes in base64.
std::optional<std::string> websocket_accept(std::string_view key);

}  // namespace diaryx::server
