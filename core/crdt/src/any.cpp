// The value type and its lib0 encoding.
#include "diaryx/crdt/any.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "any_codec.h"

namespace diaryx::crdt {
namespace {

constexpr uint64_t kNan = 0x7ff8000000000000ull;

uint8_t* put_big_endian(uint8_t* at, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) *at++ = static_cast<uint8_t>(value >> (8 * i));
  return at;
}

uint64_t get_big_endian(Cursor& in, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | in.u8();
  return value;
}

constexpr size_t kMostNumberBytes = 9;  // with the tag

uint8_t* put_number(uint8_t* at, double value) {
  const AnyTag tag = number_tag(value);
  *at++ = static_cast<uint8_t>(tag);
  switch (tag) {
    case AnyTag::Integer: return put_var_int(at, static_cast<uint64_t>(std::fabs(value)), std::signbit(value));
    case AnyTag::Float32: return put_big_endian(at, std::bit_cast<uint32_t>(static_cast<float>(value)), 4);
    default: return put_big_endian(at, std::isnan(value) ? kNan : std::bit_cast<uint64_t>(value), 8);
  }
}

double read_integer(Cursor& in) {
  const SignedMagnitude number = in.var_int();
  const auto magnitude = static_cast<double>(number.magnitude);
  return number.negative ? -magnitude : magnitude;
}

double read_number(AnyTag tag, Cursor& in) {
  if (tag == AnyTag::Integer) return read_integer(in);
  if (tag == AnyTag::Float32) return std::bit_cast<float>(static_cast<uint32_t>(get_big_endian(in, 4)));
  return std::bit_cast<double>(get_big_endian(in, 8));
}

bool is_canonical_number(AnyTag tag, Cursor& in) {
  const uint8_t* from = in.at();
  const double value = read_number(tag, in);
  if (!in.ok() || number_tag(value) != tag) return false;
  uint8_t again[kMostNumberBytes];
  const auto size = static_cast<size_t>(put_number(again, value) - again);
  return size == 1 + static_cast<size_t>(in.at() - from) && memcmp(again + 1, from, size - 1) == 0;
}

bool skip_number(AnyTag tag, Cursor& in) {
  // Small integers are nearly all numbers in documents.
  if (tag == AnyTag::Integer && in.remaining() > 0 && *in.at() < 0x80) return in.u8(), true;
  return is_canonical_number(tag, in);
}

}  // namespace

Any Any::undefined() { return {}; }
Any Any::null() {
  Any any;
  any.value_ = Null{};
  return any;
}
Any Any::boolean(bool value) {
  Any any;
  any.value_ = value;
  return any;
}
Any Any::number(double value) {
  Any any;
  any.value_ = value;
  return any;
}
Any Any::bigint(int64_t value) {
  Any any;
  any.value_ = value;
  return any;
}
Any Any::string(std::string value) {
  Any any;
  any.value_ = std::move(value);
  return any;
}
Any Any::bytes(Bytes value) {
  Any any;
  any.value_ = std::move(value);
  return any;
}
Any Any::array(Array value) {
  Any any;
  any.value_ = std::move(value);
  return any;
}
Any Any::object(Object value) {
  Any any;
  any.value_ = std::move(value);
  return any;
}

const Any* Any::find(std::string_view key) const {
  const Object* members = as_object();
  if (members == nullptr) return nullptr;
  for (auto member = members->rbegin(); member != members->rend(); ++member) {
    if (member->key == key) return &member->value;
  }
  return nullptr;
}

bool operator==(const Any& a, const Any& b) {
  const double* x = a.as_number();
  const double* y = b.as_number();
  if (x != nullptr && y != nullptr) {
    return (std::isnan(*x) && std::isnan(*y)) || std::bit_cast<uint64_t>(*x) == std::bit_cast<uint64_t>(*y);
  }
  return a.value_ == b.value_;
}

bool skip_any(Cursor& in, uint32_t max_depth) {
  const auto tag = static_cast<AnyTag>(in.u8());
  if (!in.ok()) return false;
  switch (tag) {
    case AnyTag::Undefined:
    case AnyTag::Null:
    case AnyTag::False:
    case AnyTag::True: return true;
    case AnyTag::Integer:
    case AnyTag::Float32:
    case AnyTag::Float64: return skip_number(tag, in);
    case AnyTag::BigInt: (void)in.bytes(8); return true;
    case AnyTag::String: (void)in.var_string(); return true;
    case AnyTag::Bytes: (void)in.var_bytes(); return true;
    case AnyTag::Array:
    case AnyTag::Object: {
      if (max_depth == 0) return in.fail(ErrorCode::TooDeep), false;
      bool canonical = true;
      for (uint64_t left = in.var_uint(); left > 0 && in.ok(); --left) {
        if (tag == AnyTag::Object) (void)in.var_string();
        canonical = skip_any(in, max_depth - 1) && canonical;
      }
      return canonical;
    }
  }
  in.fail(ErrorCode::UnknownTag);
  return false;
}

Any decode_any(Cursor& in, uint32_t max_depth) {
  const auto tag = static_cast<AnyTag>(in.u8());
  if (!in.ok()) return {};
  switch (tag) {
    case AnyTag::Undefined: return {};
    case AnyTag::Null: return Any::null();
    case AnyTag::False: return Any::boolean(false);
    case AnyTag::True: return Any::boolean(true);
    case AnyTag::Integer:
    case AnyTag::Float32:
    case AnyTag::Float64: return Any::number(read_number(tag, in));
    case AnyTag::BigInt: return Any::bigint(static_cast<int64_t>(get_big_endian(in, 8)));
    case AnyTag::String: return Any::string(std::string(in.var_string()));
    case AnyTag::Bytes: return Any::bytes(to_bytes(in.var_bytes()));
    case AnyTag::Array: {
      if (max_depth == 0) return in.fail(ErrorCode::TooDeep), Any{};
      Any::Array elements;  // not reserved: the count is only announced
      for (uint64_t left = in.var_uint(); left > 0 && in.ok(); --left)
        elements.push_back(decode_any(in, max_depth - 1));
      return Any::array(std::move(elements));
    }
    case AnyTag::Object: {
      if (max_depth == 0) return in.fail(ErrorCode::TooDeep), Any{};
      Any::Object members;
      for (uint64_t left = in.var_uint(); left > 0 && in.ok(); --left) {
        std::string key(in.var_string());
        members.push_back({std::move(key), decode_any(in, max_depth - 1)});
      }
      return Any::object(std::move(members));
    }
  }
  in.fail(ErrorCode::UnknownTag);
  return {};
}

Any decode_trusted_any(ByteView bytes) {
  Cursor in(bytes);
  return decode_any(in, 0xffffffffu);
}

Result<void> check_value(const Any& value, uint32_t max_depth, size_t& bytes) {
  bytes += 1 + kMaxVarUintBytes;  // the tag, and a number, a size or a count
  switch (value.kind()) {
    case Any::Kind::String: return check_text(*value.as_string(), bytes);
    case Any::Kind::Bytes:
      if (max_depth == 0) return fail(ErrorCode::TooDeep);  // in JSON they are an object
      bytes += value.as_bytes()->size();
      return {};
    case Any::Kind::Array:
      if (max_depth == 0) return fail(ErrorCode::TooDeep);
      for (const Any& element : *value.as_array()) DX_TRY_VOID(check_value(element, max_depth - 1, bytes));
      return {};
    case Any::Kind::Object:
      if (max_depth == 0) return fail(ErrorCode::TooDeep);
      for (const Any::Member& member : *value.as_object()) {
        DX_TRY_VOID(check_text(member.key, bytes));
        DX_TRY_VOID(check_value(member.value, max_depth - 1, bytes));
      }
      return {};
    default: return {};
  }
}

Result<void> check_text(std::string_view text, size_t& bytes) {
  bytes += kMaxVarUintBytes + text.size();
  if (!is_valid_utf8(text)) return fail(ErrorCode::InvalidUtf8);
  return {};
}

void encode_any(const Any& value, Sink& out) {
  switch (value.kind()) {
    case Any::Kind::Undefined: return out.u8(static_cast<uint8_t>(AnyTag::Undefined));
    case Any::Kind::Null: return out.u8(static_cast<uint8_t>(AnyTag::Null));
    case Any::Kind::Bool: return out.u8(static_cast<uint8_t>(*value.as_bool() ? AnyTag::True : AnyTag::False));
    case Any::Kind::Number: return out.written_to(put_number(out.room(kMostNumberBytes), *value.as_number()));
    case Any::Kind::BigInt:
      out.u8(static_cast<uint8_t>(AnyTag::BigInt));
      return out.written_to(put_big_endian(out.room(8), static_cast<uint64_t>(*value.as_bigint()), 8));
    case Any::Kind::String: out.u8(static_cast<uint8_t>(AnyTag::String)); return out.var_string(*value.as_string());
    case Any::Kind::Bytes: out.u8(static_cast<uint8_t>(AnyTag::Bytes)); return out.var_bytes(*value.as_bytes());
    case Any::Kind::Array:
      out.u8(static_cast<uint8_t>(AnyTag::Array));
      out.var_uint(value.as_array()->size());
      for (const Any& element : *value.as_array()) encode_any(element, out);
      return;
    case Any::Kind::Object:
      out.u8(static_cast<uint8_t>(AnyTag::Object));
      out.var_uint(value.as_object()->size());
      for (const Any::Member& member : *value.as_object()) {
        out.var_string(member.key);
        encode_any(member.value, out);
      }
      return;
  }
}

void Any::encode(Writer& out) const {
  Sink sink;
  encode_any(*this, sink);
  out.raw(sink.view());
}

Bytes Any::encode() const {
  Sink sink;
  encode_any(*this, sink);
  return sink.take();
}

Result<Any> Any::decode(Reader& in, uint32_t max_depth) {
  Cursor cursor(in.rest());
  Any value = decode_any(cursor, max_depth);
  if (!cursor.ok()) return fail(cursor.error().code, in.position() + cursor.error().position);
  DX_TRY_VOID(in.bytes(cursor.position()));
  return value;
}

}  // namespace diaryx::crdt
