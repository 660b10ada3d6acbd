// Where the decoder reads each field: one stream in encoding v1, ten columns in v2.
#pragma once

#include <string_view>
#include <vector>

#include "columns.h"
#include "cursor.h"
#include "diaryx/crdt/limits.h"
#include "struct_view.h"

namespace diaryx::crdt {

struct WireId {
  uint64_t client;
  uint32_t clock;
};

class SourceV1 {
 public:
  explicit SourceV1(ByteView bytes) : in_(bytes) {}

  /// Counts, first clocks, lengths of Skip, values, the delete set.
  Cursor& rest() { return in_; }
  bool ok() const { return in_.ok(); }
  Error error() const { return in_.error(); }

  uint64_t client() { return in_.var_uint(); }
  uint8_t info() { return in_.u8(); }
  WireId left_id() { return {in_.var_uint(), in_.var_clock()}; }
  WireId right_id() { return {in_.var_uint(), in_.var_clock()}; }
  bool parent_is_root() { return in_.var_uint() == 1; }
  std::string_view string() { return in_.var_string(); }
  std::string_view key() { return in_.var_string(); }
  uint64_t type_ref() { return in_.var_uint(); }
  uint32_t length() { return in_.var_clock(); }
  /// Structs that the rest of the input can hold: two bytes each at least.
  uint64_t max_structs(const DecodeLimits&) const { return in_.remaining() / 2; }

 private:
  Cursor in_;
};

class SourceV2 {
  /// Errors of a column become the error of the whole.
  template <typename Column>
  auto checked(Column& column) {
    const auto value = column.read();
    if (!column.ok()) [[unlikely]]
      rest_.fail(column.error().code);
    return value;
  }

 public:
  /// `scratch` owns what is not a slice of `bytes`.
  SourceV2(ByteView bytes, std::vector<Bytes>& scratch) : SourceV2(Columns(bytes), bytes.size(), scratch) {}

  Cursor& rest() { return rest_; }
  bool ok() const { return rest_.ok(); }
  Error error() const { return rest_.error(); }

  uint64_t client() { return checked(client_); }
  uint8_t info() { return checked(info_); }
  WireId left_id() {
    const uint64_t client = checked(client_);
    return {client, checked(left_clock_)};
  }
  WireId right_id() {
    const uint64_t client = checked(client_);
    return {client, checked(right_clock_)};
  }
  bool parent_is_root() { return checked(parent_info_) == 1; }
  std::string_view string() { return checked(string_); }
  std::string_view key() {
    const uint32_t number = checked(key_clock_);
    if (number < keys_.size()) return keys_[number];
    keys_.push_back(checked(string_));
    return keys_.back();
  }
  uint64_t type_ref() { return checked(type_ref_); }
  uint32_t length() {
    const uint64_t length = checked(length_);
    if (length > 0xffffffffu) return rest_.fail(ErrorCode::ClockOverflow), 0u;
    return static_cast<uint32_t>(length);
  }
  /// A few bytes may stand for many structs; what they cost is bounded by a multiple of the input.
  uint64_t max_structs(const DecodeLimits& limits) const {
    const uint64_t by_size = uint64_t{limits.max_structs_per_byte} * size_;
    return by_size > limits.min_struct_limit ? by_size : limits.min_struct_limit;
  }

 private:
  struct Columns {
    explicit Columns(ByteView bytes) : in(bytes) {
      (void)in.var_uint();  // feature flags; none is known
      for (ByteView& one : column) one = in.var_bytes();
    }
    Cursor in;
    ByteView column[9];
  };

  SourceV2(const Columns& columns, size_t size, std::vector<Bytes>& scratch)
      : rest_(columns.in),
        key_clock_(columns.column[0]),
        client_(columns.column[1]),
        left_clock_(columns.column[2]),
        right_clock_(columns.column[3]),
        info_(columns.column[4]),
        string_(columns.column[5], scratch),
        parent_info_(columns.column[6]),
        type_ref_(columns.column[7]),
        length_(columns.column[8]),
        size_(size) {
    if (rest_.ok() && !string_.ok()) rest_.fail(string_.error().code);
  }

  Cursor rest_;
  DifferenceReader key_clock_;
  RunReader client_;
  DifferenceReader left_clock_;
  DifferenceReader right_clock_;
  RleReader info_;
  StringReader string_;
  RleReader parent_info_;
  RunReader type_ref_;
  RunReader length_;
  std::vector<std::string_view> keys_;
  size_t size_;
};

}  // namespace diaryx::crdt
