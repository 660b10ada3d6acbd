// Plain values inside a document: what lib0 calls `any`, JSON plus undefined, bigint and bytes.
//
// Source: lib0 0.2 `writeAny` / `readAny` (encoding.js, decoding.js); docs/protocol.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/crdt/limits.h"

namespace diaryx::crdt {

/// A value, owned. Numbers are doubles, as in JavaScript; `bigint` is a kind of its own (64 bits). Object members keep the
/// order in which they came, and keys are not made unique.
///
///     map.set(txn, "title", Any::string("Plan"));
///     if (const std::string* title = map.get("title")->as_string()) ...
class Any {
 public:
  struct Member;
  using Array = std::vector<Any>;
  using Object = std::vector<Member>;
  enum class Kind : uint8_t { Undefined, Null, Bool, Number, BigInt, String, Bytes, Array, Object };

  Any();  ///< undefined
  Any(const Any&);
  Any(Any&&) noexcept;
  Any& operator=(const Any&);
  Any& operator=(Any&&) noexcept;
  ~Any();

  static Any undefined();
  static Any null();
  static Any boolean(bool value);
  static Any number(double value);
  static Any bigint(int64_t value);
  static Any string(std::string value);  ///< `value` is valid UTF-8
  static Any bytes(Bytes value);
  static Any array(Array value);
  static Any object(Object value);

  Kind kind() const;
  bool is_undefined() const { return kind() == Kind::Undefined; }
  bool is_null() const { return kind() == Kind::Null; }

  /// The value if it is of that kind, else null. Valid while this Any lives and is not assigned to.
  const bool* as_bool() const { return std::get_if<bool>(&value_); }
  const double* as_number() const { return std::get_if<double>(&value_); }
  const int64_t* as_bigint() const { return std::get_if<int64_t>(&value_); }
  const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  const Bytes* as_bytes() const { return std::get_if<Bytes>(&value_); }
  const Array* as_array() const { return std::get_if<Array>(&value_); }
  const Object* as_object() const { return std::get_if<Object>(&value_); }

  /// The value of the last member named `key`, or null; null as well when this is no object.
  const Any* find(std::string_view key) const;

  /// Same kind and same value, members in the same order. NaN equals NaN here; 0 and -0 differ.
  friend bool operator==(const Any& a, const Any& b);

  /// Appends the lib0 encoding: the bytes that JavaScript would write for this value.
  void encode(Writer& out) const;
  Bytes encode() const;

  /// One value from `in`. Not trusted. Errors: Truncated, VarUintTooLong, InvalidUtf8, UnknownTag, TooDeep.
  /// Memory: at most 128 bytes per byte of input; nothing is reserved for an announced count.
  static Result<Any> decode(Reader& in, uint32_t max_depth = DecodeLimits{}.max_depth);

  /// `JSON.stringify`: no spaces, ECMAScript numbers, undefined members left out, undefined elements and what JSON does not have
  /// (NaN, bytes as an object of indices, bigint as its digits) written as nearly as possible. Top-level undefined gives "undefined".
  std::string to_json() const;

  /// `JSON.parse`: later duplicates of a key replace the earlier value in its place. A lone surrogate escape becomes U+FFFD.
  /// Errors: InvalidJson, InvalidUtf8, TooDeep.  Memory: at most 128 bytes per byte of input.
  static Result<Any> from_json(std::string_view text, uint32_t max_depth = DecodeLimits{}.max_depth);

 private:
  struct Null {
    friend bool operator==(Null, Null) = default;
  };
  using Value = std::variant<std::monostate, Null, bool, double, int64_t, std::string, Bytes, Array, Object>;

  Value value_;
};

struct Any::Member {
  std::string key;
  Any value;

  friend bool operator==(const Member&, const Member&) = default;
};

// Here because a Member holds an Any and an Any may hold Members.
inline Any::Any() = default;
inline Any::Any(const Any&) = default;
inline Any::Any(Any&&) noexcept = default;
inline Any& Any::operator=(const Any&) = default;
inline Any& Any::operator=(Any&&) noexcept = default;
inline Any::~Any() = default;
inline Any::Kind Any::kind() const { return static_cast<Kind>(value_.index()); }

}  // namespace diaryx::crdt
