// Units are types: clocks, lengths, offsets, times and ids that cannot be mixed by mistake.
//
// Only the arithmetic that makes sense exists: Clock + Length -> Clock, Clock - Clock -> Length, never Clock + Clock.
// core/base/test/units_test.cpp lists the forbidden mixes.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace diaryx {

/// A number with a name. `Tag` makes the type distinct; `Rep` is what it is stored as.
template <typename Tag, typename Rep>
class Unit {
 public:
  using rep = Rep;

  constexpr Unit() = default;
  constexpr explicit Unit(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }

  friend constexpr auto operator<=>(Unit, Unit) = default;

 private:
  Rep value_ = 0;
};

/// A writer of a CRDT document: 32 random bits when made here, up to 53 bits when read.
using ClientId = Unit<struct ClientIdTag, uint64_t>;

/// Position in one client's sequence; counts UTF-16 units of text or elements. Our documents keep clocks below 2^32.
using Clock = Unit<struct ClockTag, uint32_t>;

/// A distance: of clocks, of UTF-16 units, of elements.
using Length = Unit<struct LengthTag, uint32_t>;

/// Offset into a text in UTF-16 code units: what Yjs, browsers and editors count.
using Utf16Offset = Unit<struct Utf16OffsetTag, uint32_t>;

/// Offset into a text in UTF-8 bytes: what `std::string` counts.
using Utf8Offset = Unit<struct Utf8OffsetTag, uint32_t>;

/// Unix time in milliseconds. The core is told the time, it never asks.
using TimestampMs = Unit<struct TimestampMsTag, int64_t>;

/// A span of time in milliseconds.
using DurationMs = Unit<struct DurationMsTag, int64_t>;

constexpr Clock operator+(Clock clock, Length length) { return Clock{clock.value() + length.value()}; }
constexpr Clock operator-(Clock clock, Length length) { return Clock{clock.value() - length.value()}; }
constexpr Length operator-(Clock later, Clock earlier) { return Length{later.value() - earlier.value()}; }

constexpr Length operator+(Length a, Length b) { return Length{a.value() + b.value()}; }
constexpr Length operator-(Length a, Length b) { return Length{a.value() - b.value()}; }
constexpr Length& operator+=(Length& a, Length b) { return a = a + b; }
constexpr Length& operator-=(Length& a, Length b) { return a = a - b; }

constexpr Utf16Offset operator+(Utf16Offset offset, Length length) {
  return Utf16Offset{offset.value() + length.value()};
}
constexpr Length operator-(Utf16Offset later, Utf16Offset earlier) { return Length{later.value() - earlier.value()}; }

constexpr TimestampMs operator+(TimestampMs time, DurationMs span) { return TimestampMs{time.value() + span.value()}; }
constexpr DurationMs operator-(TimestampMs later, TimestampMs earlier) {
  return DurationMs{later.value() - earlier.value()};
}
constexpr DurationMs operator+(DurationMs a, DurationMs b) { return DurationMs{a.value() + b.value()}; }

/// A text with a role. Made explicitly; compares with its own kind only.
template <typename Tag>
class Name {
 public:
  Name() = default;
  explicit Name(std::string text) : text_(std::move(text)) {}
  explicit Name(std::string_view text) : text_(text) {}
  explicit Name(const char* text) : text_(text) {}

  const std::string& str() const { return text_; }
  std::string_view view() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend auto operator<=>(const Name&, const Name&) = default;

 private:
  std::string text_;
};

/// A document on the wire: `workspace:<id>` or `body:<id>/<key>`.
using DocId = Name<struct DocIdTag>;

/// A path inside a workspace: `/` separators, relative, normalised (no leading `/` or `./`).
using WorkspacePath = Name<struct WorkspacePathTag>;

}  // namespace diaryx

template <typename Tag, typename Rep>
struct std::hash<diaryx::Unit<Tag, Rep>> {
  size_t operator()(diaryx::Unit<Tag, Rep> unit) const noexcept { return std::hash<Rep>{}(unit.value()); }
};

template <typename Tag>
struct std::hash<diaryx::Name<Tag>> {
  size_t operator()(const diaryx::Name<Tag>& name) const noexcept { return std::hash<std::string>{}(name.str()); }
};
