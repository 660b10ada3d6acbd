// The column encodings of updates v2: runs of equal numbers, of equal differences, and strings in one piece.
//
// Source: lib0 0.2 (`RleEncoder`, `UintOptRleEncoder`, `IntDiffOptRleEncoder`, `StringEncoder`); docs/protocol.md.
#pragma once

#include <vector>

#include "cursor.h"
#include "sink.h"

namespace diaryx::crdt {

/// `[value][count - 1]` per run of bytes; the last run has no count and goes on for ever.
class RleReader {
 public:
  explicit RleReader(ByteView bytes) : in_(bytes) {}
  bool ok() const { return in_.ok(); }
  Error error() const { return in_.error(); }
  uint8_t read() {
    if (left_ == 0) {
      value_ = in_.u8();
      left_ = in_.at_end() ? ~uint64_t{0} : in_.var_uint() + 1;
    }
    --left_;
    return value_;
  }

 private:
  Cursor in_;
  uint64_t left_ = 0;
  uint8_t value_ = 0;
};

class RleWriter {
 public:
  void write(uint8_t value) {
    if (count_ > 0 && value == value_) {
      ++count_;
      return;
    }
    if (count_ > 0) out_.var_uint(count_ - 1);
    out_.u8(value);
    value_ = value;
    count_ = 1;
  }
  ByteView finish() { return out_.view(); }  // the count of the last run is left out

 private:
  Sink out_;
  uint64_t count_ = 0;
  uint8_t value_ = 0;
};

/// A lone number as varInt; a run as its negative (-0 too) and its length minus two.
class RunReader {
 public:
  explicit RunReader(ByteView bytes) : in_(bytes) {}
  bool ok() const { return in_.ok(); }
  Error error() const { return in_.error(); }
  uint64_t read() {
    if (left_ == 0) {
      const SignedMagnitude number = in_.var_int();
      value_ = number.magnitude;
      left_ = number.negative ? in_.var_uint() + 2 : 1;
    }
    --left_;
    return value_;
  }

 private:
  Cursor in_;
  uint64_t left_ = 0;
  uint64_t value_ = 0;
};

class RunWriter {
 public:
  void write(uint64_t value) {
    if (value == value_) {
      ++count_;
      return;
    }
    flush();
    value_ = value;
    count_ = 1;
  }
  ByteView finish() {
    flush();
    return out_.view();
  }

 private:
  void flush() {
    if (count_ == 0) return;
    out_.var_int(value_, count_ > 1);
    if (count_ > 1) out_.var_uint(count_ - 2);
    count_ = 0;
  }

  Sink out_;
  uint64_t value_ = 0;
  uint64_t count_ = 0;
};

/// Differences to the number before; twice the difference, plus one if a run of equal differences follows.
class DifferenceReader {
 public:
  explicit DifferenceReader(ByteView bytes) : in_(bytes) {}
  bool ok() const { return in_.ok(); }
  Error error() const { return in_.error(); }
  /// A clock: below 2^32.
  uint32_t read() {
    if (left_ == 0) {
      const SignedMagnitude number = in_.var_int();
      const auto encoded = static_cast<int64_t>(number.magnitude) * (number.negative ? -1 : 1);
      difference_ = encoded >> 1;  // rounds down, also below zero
      left_ = (encoded & 1) != 0 ? in_.var_uint() + 2 : 1;
    }
    --left_;
    value_ += difference_;
    if (value_ < 0 || value_ > 0xffffffff) {
      in_.fail(ErrorCode::ClockOverflow);
      value_ = 0;
      difference_ = 0;
    }
    return static_cast<uint32_t>(value_);
  }

 private:
  Cursor in_;
  uint64_t left_ = 0;
  int64_t difference_ = 0;
  int64_t value_ = 0;
};

class DifferenceWriter {
 public:
  void write(uint32_t value) {
    const int64_t difference = int64_t{value} - value_;
    value_ = value;
    if (difference == difference_) {
      ++count_;
      return;
    }
    flush();
    difference_ = difference;
    count_ = 1;
  }
  ByteView finish() {
    flush();
    return out_.view();
  }

 private:
  void flush() {
    if (count_ == 0) return;
    const int64_t encoded = difference_ * 2 + (count_ > 1 ? 1 : 0);
    out_.var_int(static_cast<uint64_t>(encoded < 0 ? -encoded : encoded), encoded < 0);
    if (count_ > 1) out_.var_uint(count_ - 2);
    count_ = 0;
  }

  Sink out_;
  int64_t value_ = 0;
  int64_t difference_ = 0;
  uint64_t count_ = 0;
};

/// All strings in one, then their lengths in UTF-16 units. A surrogate pair that is cut gives U+FFFD on both sides.
class StringReader {
 public:
  /// `scratch` owns strings that are not slices of the input.
  StringReader(ByteView bytes, std::vector<Bytes>& scratch);
  bool ok() const { return ok_ && lengths_.ok(); }
  Error error() const { return ok_ ? lengths_.error() : error_; }
  std::string_view read();

 private:
  std::vector<Bytes>& scratch_;
  std::string_view text_;
  RunReader lengths_;
  size_t at_ = 0;
  bool ascii_ = false;
  bool half_ = false;  // the low half of the character before `at_` has not been read
  bool ok_ = true;
  Error error_{};
};

class StringWriter {
 public:
  void write(std::string_view text) { write(text, utf16_length(text).value()); }
  void write(std::string_view text, uint32_t units) {
    text_.raw(text);
    lengths_.write(units);
  }
  void write_after_half(std::string_view text) {
    text_.raw("\xef\xbf\xbd");
    write(text, utf16_length(text).value() + 1);
  }
  /// Appends the column to `out`.
  void finish(Sink& out) {
    out.var_bytes(text_.view());
    out.raw(lengths_.finish());
  }

 private:
  Sink text_;
  RunWriter lengths_;
};

}  // namespace diaryx::crdt
