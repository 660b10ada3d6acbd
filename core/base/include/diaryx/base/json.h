// JSON: a small ordered tree, a total parser and a writer that prints what `JSON.stringify` prints.
//
// Our own: the core is built without exceptions, objects must keep their order, and Yjs fixes the bytes of numbers
// and strings inside embeds and formats.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "diaryx/base/result.h"

namespace diaryx {

/// Deepest nesting the parser accepts; Yjs peers send at most a few levels, some editors a few hundred.
inline constexpr size_t kMaxJsonDepth = 2000;

/// One JSON value. Numbers are doubles, as in JavaScript; integers up to 2^53 are exact.
class Json {
 public:
  struct Member;
  using Array = std::vector<Json>;
  /// In the order of the text. A repeated key keeps its first place and its last value, as in JavaScript.
  using Object = std::vector<Member>;

  Json();
  Json(std::nullptr_t);
  Json(bool value);
  Json(double value);
  Json(int value);
  Json(int64_t value);
  Json(uint64_t value);
  Json(uint32_t value);
  Json(std::string value);
  Json(std::string_view value);
  Json(const char* value);
  Json(Array value);
  Json(Object value);
  Json(const Json&);
  Json(Json&&) noexcept;
  Json& operator=(const Json&);
  Json& operator=(Json&&) noexcept;
  ~Json();

  static Json object();
  static Json object(std::initializer_list<Member> members);
  static Json array();

  /// One value and nothing but white space after it. Strict RFC 8259; lone surrogate escapes become U+FFFD.
  /// Errors: InvalidJson, TooDeep, InvalidUtf8, all with the byte offset.  Cost: one pass.
  static Result<Json> parse(std::string_view text);

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_number() const { return std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  /// The value if it is of this kind, else null.
  const bool* as_bool() const { return std::get_if<bool>(&value_); }
  const double* as_number() const { return std::get_if<double>(&value_); }
  const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  const Array* as_array() const { return std::get_if<Array>(&value_); }
  const Object* as_object() const { return std::get_if<Object>(&value_); }
  Array* as_array() { return std::get_if<Array>(&value_); }
  Object* as_object() { return std::get_if<Object>(&value_); }
  /// The number if it is an integer that a double holds exactly (|n| <= 2^53).
  std::optional<int64_t> as_integer() const;

  /// A member of an object; null when this is no object or has no such key. Cost: linear in the members.
  const Json* find(std::string_view key) const;
  Json* find(std::string_view key);
  /// The string member `key`, or nothing.
  std::optional<std::string_view> string_member(std::string_view key) const;
  std::optional<bool> bool_member(std::string_view key) const;
  std::optional<int64_t> integer_member(std::string_view key) const;
  // Nearly all keys are literals, in hundreds of places: passed as a pointer alone, they are measured in one.
  const Json* find(const char* key) const { return find(std::string_view(key)); }
  Json* find(const char* key) { return find(std::string_view(key)); }
  std::optional<std::string_view> string_member(const char* key) const { return string_member(std::string_view(key)); }
  std::optional<bool> bool_member(const char* key) const { return bool_member(std::string_view(key)); }
  std::optional<int64_t> integer_member(const char* key) const { return integer_member(std::string_view(key)); }

  /// Whether arrays and objects nest so that some value stands `levels` below this one; it stands 0 below itself.
  /// Cost: one walk at most, no deeper than `levels`.
  bool reaches(size_t levels) const;

  /// Sets a member; a value that is no object becomes one first. Returns *this, for building.
  template <typename T>
  Json& set(const char* key, T&& value) {
    return set(std::string_view(key), std::forward<T>(value));
  }
  template <typename T>
  Json& set(std::string_view key, T&& value) {
    // Trees are built in many places; a text, a number or a flag becomes a value in one, so that each of them stays small.
    using Plain = std::remove_cvref_t<T>;
    if constexpr (std::is_same_v<Plain, bool>) {
      return set_flag(key, value);
    } else if constexpr (std::is_arithmetic_v<Plain>) {
      return set_number(key, static_cast<double>(value));
    } else if constexpr (!std::is_same_v<Plain, Json> && std::is_convertible_v<T, std::string_view>) {
      return set_text(key, value);
    } else {
      return set_value(key, Json(std::forward<T>(value)));
    }
  }
  /// Removes a member if it is there.
  void remove(std::string_view key);
  /// Appends to an array; a value that is no array becomes one first.
  Json& push(Json value);

  /// Exactly `JSON.stringify`: no spaces, shortest numbers, NaN and infinities as null, -0 as 0.
  std::string dump() const;

  friend bool operator==(const Json&, const Json&);

 private:
  Json& set_flag(std::string_view key, bool value);
  Json& set_number(std::string_view key, double value);
  Json& set_text(std::string_view key, std::string_view value);
  Json& set_value(std::string_view key, Json value);

  std::variant<std::monostate, bool, double, std::string, Array, Object> value_;
};

struct Json::Member {
  std::string key;
  Json value;
  friend bool operator==(const Member&, const Member&) = default;
};

/// Appends `text` as a JSON string with its quotes. Invalid UTF-8 is not checked.
void append_json_string(std::string& out, std::string_view text);

/// Appends a number as ECMAScript prints it: shortest form that reads back, `1e+21`, `1e-7`.
void append_json_number(std::string& out, double value);
/// The double nearest to `text`, which keeps the grammar of JSON numbers. As in JavaScript, what is too large is an infinity and what
/// is too small is zero, with the sign of `text`.
double parse_json_number(std::string_view text);

}  // namespace diaryx
