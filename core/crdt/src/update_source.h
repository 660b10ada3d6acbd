// Where the decoder reads each field: one stream in encoding v1, ten columns in v2.
#pragma once

#include <algorithm>
#include <bit>
#include <string_view>
#include <vector>

#include "any_codec.h"
#include "columns.h"
#include "cursor.h"
#include "diaryx/crdt/limits.h"
#include "struct_view.h"

namespace diaryx::crdt {

/// Reads without asking for the end of the input at each byte. What it cannot read it leaves to who can, and to report.
class QuickReader {
 public:
  /// At least `kRoom` bytes lie behind `at`: enough for the ids of a struct and a length.
  static constexpr size_t kRoom = 64;
  static_assert(kRoom >= 1 + 2 * (8 + 4) + 4 + 16);

  explicit QuickReader(const uint8_t* at) : at_(at) {}
  const uint8_t* at() const { return at_; }
  void skip(size_t bytes) { at_ += bytes; }

  /// Whether the next `size` bytes, which are there, are ASCII. `kPadding` bytes can be read.
  static constexpr size_t kPadding = 16;
  bool is_ascii(size_t size) const {
    if (size > kPadding) return diaryx::is_ascii({reinterpret_cast<const char*>(at_), size});
    constexpr uint64_t kHighBits = 0x8080808080808080ull;
    uint64_t words[2];
    memcpy(words, at_, sizeof words);
    // Of each word as many bytes as belong to the text; a shift by all 64 bits has to be two.
    const uint64_t first = words[0] << 4 * (8 - std::min<size_t>(size, 8)) << 4 * (8 - std::min<size_t>(size, 8));
    const size_t behind = 8 - (std::max<size_t>(size, 8) - 8);
    const uint64_t second = words[1] << 4 * behind << 4 * behind;
    return ((first | second) & kHighBits) == 0;
  }

  /// A varUint of at most four bytes; without a branch for each, as their number is hard to guess. One with more bytes than it
  /// needs is left to who notes that.
  bool var_uint(uint32_t& value) {
    uint32_t word;
    memcpy(&word, at_, 4);
    const uint32_t ends = ~word & 0x80808080u;
    if (ends == 0) [[unlikely]]
      return false;
    word &= ends ^ (ends - 1);  // up to the first byte that says it is the last
    const auto more = static_cast<uint32_t>(__builtin_ctz(ends)) / 8;
    if (word >> 8 * more == 0 && word != 0) [[unlikely]]
      return false;
    value = (word & 0x7fu) | (word & 0x7f00u) >> 1 | (word & 0x7f0000u) >> 2 | (word & 0x7f000000u) >> 3;
    at_ += more + 1;
    return true;
  }

  /// A value that holds no others, as JavaScript would write it again. The input ends at `end`.
  bool plain_any(const uint8_t* end) {
    const auto tag = static_cast<AnyTag>(*at_++);
    switch (tag) {
      case AnyTag::String: {
        uint32_t size = 0;
        if (!var_uint(size) || size > static_cast<size_t>(end - at_) || !is_ascii(size)) return false;
        at_ += size;
        return true;
      }
      case AnyTag::Integer: return plain_integer();
      case AnyTag::Float64: {
        uint64_t bits;
        memcpy(&bits, at_, 8);
        at_ += 8;
        const auto value = std::bit_cast<double>(__builtin_bswap64(bits));
        return value == value && number_tag(value) == AnyTag::Float64;
      }
      case AnyTag::Undefined:
      case AnyTag::Null:
      case AnyTag::False:
      case AnyTag::True: return true;
      default: return false;
    }
  }

  /// `known` is a client and its varint; nearly always it stands here again.
  struct Client {
    uint64_t id = 0;
    uint64_t bytes = 0;
    uint64_t mask = 0xff;
    uint32_t size = 1;
  };
  bool client(Client& known, uint64_t& id) {
    uint64_t word;
    memcpy(&word, at_, 8);
    if ((word & known.mask) != known.bytes) [[unlikely]] {
      const uint64_t ends = ~word & 0x8080808080808080ull;
      if (ends == 0) return false;
      known.size = static_cast<uint32_t>(__builtin_ctzll(ends)) / 8 + 1;
      known.mask = ends ^ (ends - 1);
      known.bytes = word & known.mask;
      known.id = 0;
      for (uint32_t i = 0; i < known.size; ++i) known.id |= uint64_t{at_[i] & 0x7fu} << (7 * i);
      const bool is_padded = known.size > 1 && at_[known.size - 1] == 0;
      if (known.id > kMaxVarUint || is_padded) return known = {}, false;
    }
    at_ += known.size;
    id = known.id;
    return true;
  }

 private:
  static_assert(std::endian::native == std::endian::little);

  /// A varInt as lib0 writes what it calls an integer.
  bool plain_integer() {
    uint64_t word;
    memcpy(&word, at_, 8);
    const uint64_t ends = ~word & 0x8080808080808080ull;
    if (ends == 0) return false;
    const uint32_t size = static_cast<uint32_t>(__builtin_ctzll(ends)) / 8 + 1;
    word &= ends ^ (ends - 1);
    if (size > 5 || (size > 1 && at_[size - 1] == 0)) return false;
    const uint64_t magnitude = (word & 0x3fu) | (word & 0x7f00u) >> 2 | (word & 0x7f0000u) >> 3 |
                               (word & 0x7f000000u) >> 4 | (word & 0x7f00000000u) >> 5;
    at_ += size;
    return magnitude <= kLargestInteger;
  }

  const uint8_t* at_;
};

class SourceV1 {
 public:
  explicit SourceV1(ByteView bytes) : in_(bytes) {}

  /// Takes the next struct if it is like most: ASCII text, or what was deleted, with a left origin. Else nothing is read.
  bool take_plain(ClientId client, StructView& view) {
    if (in_.remaining() < QuickReader::kRoom) return false;
    const uint8_t info = *in_.at();
    const auto kind = static_cast<ContentKind>(info & 0x1f);
    // Pieces and deleted ones come as they like, so there is one branch for both.
    constexpr uint32_t kPlainKinds =
        1u << static_cast<uint32_t>(ContentKind::String) | 1u << static_cast<uint32_t>(ContentKind::Deleted);
    if ((kPlainKinds >> (info & 0x1fu) & info >> 7) == 0) return false;
    QuickReader quick(in_.at() + 1);
    if (!take_id(quick, client, view.clock, view.origin_client, view.origin_clock)) return false;
    const bool has_right = (info & StructView::kHasRightOrigin) != 0;
    if (has_right && !take_id(quick, client, view.clock, view.right_client, view.right_clock)) return false;
    uint32_t length = 0;
    if (!quick.var_uint(length)) return false;
    if (kind == ContentKind::String) {
      if (length > in_.remaining() - static_cast<size_t>(quick.at() - in_.at())) return false;
      if (!quick.is_ascii(length)) return false;
      view.set_content({quick.at(), length});
      view.is_padded = true;
      quick.skip(length);
    }
    view.length = length;
    view.kind = kind;
    view.bits = info & (StructView::kHasOrigin | StructView::kHasRightOrigin);
    view.says_sub = (info & StructView::kHasSub) != 0;
    in_.read_to(quick.at());
    return true;
  }

  /// The same for the head of what most structs of maps are: values of a key with a short name, in a type that is an item. Its content
  /// is what comes next.
  bool take_entry(ClientId client, StructView& view) {
    constexpr uint8_t kEntry = static_cast<uint8_t>(ContentKind::Any) | StructView::kHasSub;
    if (in_.remaining() < QuickReader::kRoom || in_.at()[0] != kEntry || in_.at()[1] != 0) return false;
    QuickReader quick(in_.at() + 2);
    if (!take_id(quick, client, view.clock, view.origin_client, view.origin_clock)) return false;
    const uint8_t size = *quick.at();
    quick.skip(1);
    if (size > QuickReader::kPadding || !quick.is_ascii(size)) return false;
    view.set_sub(as_text({quick.at(), size}));
    view.kind = ContentKind::Any;
    view.bits = StructView::kHasSub;
    view.says_sub = true;
    view.parent_form = ParentForm::Item;
    in_.read_to(quick.at() + size);
    return true;
  }

  /// The content of such a struct, if it is what most are: one value, ASCII text, a number or a word of its own, as it would be written
  /// again. Else nothing is read.
  bool take_value(StructView& view) {
    if (in_.remaining() < QuickReader::kRoom || in_.at()[0] != 1) return false;
    const uint8_t* const value = in_.at() + 1;
    QuickReader quick(value);
    if (!quick.plain_any(in_.at() + in_.remaining())) return false;
    view.length = 1;
    view.set_content({value, static_cast<size_t>(quick.at() - value)});
    view.is_padded = true;
    in_.read_to(quick.at());
    return true;
  }

  /// Counts, first clocks, lengths of Skip, values, the delete set.
  Cursor& rest() { return in_; }
  bool ok() const { return in_.ok(); }
  Error error() const { return in_.error(); }

  uint64_t client() { return in_.var_uint(); }
  uint8_t info() { return in_.u8(); }
  WireId left_id() { return {in_.var_uint(), in_.var_clock()}; }
  WireId right_id() { return {in_.var_uint(), in_.var_clock()}; }
  bool parent_is_root() {
    const uint64_t form = in_.var_uint();
    is_odd_ |= form > 1;
    return form == 1;
  }
  std::string_view string() { return in_.var_string(); }
  std::string_view key() { return in_.var_string(); }
  uint64_t type_ref() { return in_.var_uint(); }
  uint32_t length() { return in_.var_clock(); }
  /// Nobody would write again what was just read as it stands there.
  void note_odd() { is_odd_ = true; }
  bool is_odd() const { return is_odd_ || in_.has_padding(); }
  /// Structs that the rest of the input can hold: two bytes each at least.
  uint64_t max_structs(const DecodeLimits&) const { return in_.remaining() / 2; }

 private:
  [[gnu::always_inline]] bool take_id(QuickReader& quick, ClientId client, uint32_t clock, uint64_t& id_client,
                                      uint32_t& id_clock) {
    if (!quick.client(last_client_, id_client) || !quick.var_uint(id_clock)) return false;
    return id_client != client.value() || id_clock < clock;
  }

  Cursor in_;
  QuickReader::Client last_client_;
  bool is_odd_ = false;
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

  bool take_plain(ClientId, StructView&) { return false; }
  bool take_entry(ClientId, StructView&) { return false; }
  bool take_value(StructView&) { return false; }
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
  void note_odd() {}  // it is written as v1 anyway
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
