// lib0 `any` as bytes: what contents are kept as. Private to the engine.
#pragma once

#include <cmath>

#include "cursor.h"
#include "diaryx/crdt/any.h"
#include "sink.h"

namespace diaryx::crdt {

/// Tags of the wire.
enum class AnyTag : uint8_t {
  Undefined = 127,
  Null = 126,
  Integer = 125,
  Float32 = 124,
  Float64 = 123,
  BigInt = 122,
  False = 121,
  True = 120,
  String = 119,
  Object = 118,
  Array = 117,
  Bytes = 116,
};

/// Beyond it lib0 writes a float, although the varInt could hold more.
inline constexpr uint32_t kLargestInteger = 2147483647;

/// The tag that lib0 gives to a number.
inline AnyTag number_tag(double value) {
  if (std::trunc(value) == value && std::fabs(value) <= kLargestInteger) return AnyTag::Integer;
  if (static_cast<double>(static_cast<float>(value)) == value) return AnyTag::Float32;
  return AnyTag::Float64;
}

/// Passes over one value and checks it. Returns whether its bytes are those that JavaScript would write, so that they can be
/// kept as they are.
bool skip_any(Cursor& in, uint32_t max_depth);

Any decode_any(Cursor& in, uint32_t max_depth);
void encode_any(const Any& value, Sink& out);
/// Whether decoders take what `encode_any` (or JSON) makes of a value of the application: all text is UTF-8, and at most `max_depth`
/// arrays and objects lie in each other. Errors: InvalidUtf8, TooDeep. Adds to `bytes` at least as many as `encode_any` writes.
Result<void> check_value(const Any& value, uint32_t max_depth, size_t& bytes);
/// The same for a key or a name.
Result<void> check_text(std::string_view text, size_t& bytes);
/// Also for values that came from a document, thus known to be well formed.
Any decode_trusted_any(ByteView bytes);

/// Appends `JSON.stringify` of the encoded value, a bigint as the number nearest to it.
void any_to_json(ByteView encoded, Sink& out);
/// Appends the encoding of `JSON.parse(text)`. Errors: InvalidJson, TooDeep.
Result<void> json_to_any(std::string_view text, uint32_t max_depth, Sink& out);
void append_json(const Any& value, std::string& out);
/// True for "0", "1", ... "4294967294": members with such names come first in a JavaScript object, in ascending order.
bool is_array_index(std::string_view key);

}  // namespace diaryx::crdt
