// Where the decoder reads each field: one stream in encoding v1, ten columns in v2.
#pragma once

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

}  // namespace diaryx::crdt
