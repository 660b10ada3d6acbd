#include "inflate.h"

#include <array>
#include <span>

namespace diaryx::plugin {
namespace {

constexpr int kMaxCodeBits = 15;
constexpr size_t kMaxLiterals = 288;
constexpr size_t kMaxDistances = 32;

// Bits come from the low end of each byte (RFC 1951, 3.1.1).
class BitReader {
 public:
  explicit BitReader(ByteView bytes) : bytes_(bytes) {}

  Result<uint32_t> bits(int count) {
    while (held_ < count) {
      if (at_ == bytes_.size()) return fail(ErrorCode::Truncated, at_);
      buffer_ |= static_cast<uint32_t>(bytes_[at_++]) << held_;
      held_ += 8;
    }
    const uint32_t value = buffer_ & ((uint32_t{1} << count) - 1);
    buffer_ >>= count;
    held_ -= count;
    return value;
  }

  Result<ByteView> aligned_bytes(size_t size) {
    at_ -= static_cast<size_t>(held_ / 8);
    buffer_ = 0;
    held_ = 0;
    if (size > bytes_.size() - at_) return fail(ErrorCode::Truncated, at_);
    const ByteView view = bytes_.subspan(at_, size);
    at_ += size;
    return view;
  }

  size_t position() const { return at_; }

 private:
  ByteView bytes_;
  size_t at_ = 0;
  uint32_t buffer_ = 0;
  int held_ = 0;
};

// A canonical code: how many codes each length has, and the symbols in the order of their codes.
struct Huffman {
  std::array<uint16_t, kMaxCodeBits + 1> count{};
  std::array<uint16_t, kMaxLiterals> symbol{};

  // False when the lengths claim more codes than there are. Incomplete codes are legal; a missing one fails on reading.
  bool build(std::span<const uint8_t> lengths) {
    count.fill(0);
    for (const uint8_t length : lengths) ++count[length];
    count[0] = 0;
    int left = 1;
    for (int bits = 1; bits <= kMaxCodeBits; ++bits) {
      left = left * 2 - count[static_cast<size_t>(bits)];
      if (left < 0) return false;
    }
    std::array<uint16_t, kMaxCodeBits + 2> offset{};
    for (size_t bits = 1; bits <= kMaxCodeBits; ++bits)
      offset[bits + 1] = static_cast<uint16_t>(offset[bits] + count[bits]);
    for (size_t i = 0; i < lengths.size(); ++i) {
      if (lengths[i] != 0) symbol[offset[lengths[i]]++] = static_cast<uint16_t>(i);
    }
    return true;
  }

  // One bit at a time: snapshots are small and seldom, tables would cost more than they save.
  Result<uint16_t> read(BitReader& in) const {
    int code = 0;
    int first = 0;
    int index = 0;
    for (size_t bits = 1; bits <= kMaxCodeBits; ++bits) {
      DX_TRY(const uint32_t bit, in.bits(1));
      code |= static_cast<int>(bit);
      const int here = count[bits];
      if (code - here < first) return symbol[static_cast<size_t>(index + (code - first))];
      index += here;
      first = (first + here) << 1;
      code <<= 1;
    }
    return fail(ErrorCode::InvalidMessage, in.position());
  }
};

struct Codes {
  Huffman literals;
  Huffman distances;
};

constexpr std::array<uint16_t, 29> kLengthBase{3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                               31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr std::array<uint8_t, 29> kLengthExtra{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                               2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr std::array<uint16_t, 30> kDistanceBase{1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                                 33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                                 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
constexpr std::array<uint8_t, 30> kDistanceExtra{0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                                 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

Codes fixed_codes() {
  std::array<uint8_t, kMaxLiterals> lengths{};
  for (size_t i = 0; i < kMaxLiterals; ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  std::array<uint8_t, 30> distances{};
  distances.fill(5);
  Codes codes;
  codes.literals.build(lengths);
  codes.distances.build(distances);
  return codes;
}

Result<Codes> dynamic_codes(BitReader& in) {
  constexpr std::array<uint8_t, 19> kOrder{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  DX_TRY(const uint32_t literals, in.bits(5));
  DX_TRY(const uint32_t distances, in.bits(5));
  DX_TRY(const uint32_t orders, in.bits(4));
  const size_t literal_count = literals + 257;
  const size_t distance_count = distances + 1;
  if (literal_count > 286 || distance_count > 30) return fail(ErrorCode::InvalidMessage, in.position());

  std::array<uint8_t, 19> order_lengths{};
  for (size_t i = 0; i < orders + 4; ++i) {
    DX_TRY(const uint32_t length, in.bits(3));
    order_lengths[kOrder[i]] = static_cast<uint8_t>(length);
  }
  Huffman order;
  if (!order.build(order_lengths)) return fail(ErrorCode::InvalidMessage, in.position());

  std::array<uint8_t, kMaxLiterals + kMaxDistances> lengths{};
  const size_t total = literal_count + distance_count;
  for (size_t at = 0; at < total;) {
    DX_TRY(const uint16_t symbol, order.read(in));
    if (symbol < 16) {
      lengths[at++] = static_cast<uint8_t>(symbol);
      continue;
    }
    if (symbol == 16 && at == 0) return fail(ErrorCode::InvalidMessage, in.position());
    DX_TRY(const uint32_t more, in.bits(symbol == 16 ? 2 : symbol == 17 ? 3 : 7));
    const size_t repeat = more + (symbol == 18 ? 11u : 3u);
    if (repeat > total - at) return fail(ErrorCode::InvalidMessage, in.position());
    const uint8_t value = symbol == 16 ? lengths[at - 1] : uint8_t{0};
    for (size_t i = 0; i < repeat; ++i) lengths[at++] = value;
  }

  Codes codes;
  const std::span all(lengths);
  if (!codes.literals.build(all.subspan(0, literal_count)) ||
      !codes.distances.build(all.subspan(literal_count, distance_count))) {
    return fail(ErrorCode::InvalidMessage, in.position());
  }
  return codes;
}

Result<void> copy_back(BitReader& in, const Codes& codes, size_t length_symbol, Bytes& out, size_t max_bytes) {
  if (length_symbol >= kLengthBase.size()) return fail(ErrorCode::InvalidMessage, in.position());
  DX_TRY(const uint32_t more_length, in.bits(kLengthExtra[length_symbol]));
  DX_TRY(const uint16_t symbol, codes.distances.read(in));
  if (symbol >= kDistanceBase.size()) return fail(ErrorCode::InvalidMessage, in.position());
  DX_TRY(const uint32_t more_distance, in.bits(kDistanceExtra[symbol]));
  const size_t length = kLengthBase[length_symbol] + more_length;
  const size_t distance = kDistanceBase[symbol] + more_distance;
  if (distance > out.size()) return fail(ErrorCode::InvalidMessage, in.position());
  if (length > max_bytes - out.size()) return fail(ErrorCode::TooLarge, in.position());
  for (size_t i = 0; i < length; ++i) out.push_back(out[out.size() - distance]);
  return {};
}

Result<void> inflate_block(BitReader& in, const Codes& codes, Bytes& out, size_t max_bytes) {
  constexpr uint16_t kEndOfBlock = 256;
  for (;;) {
    DX_TRY(const uint16_t symbol, codes.literals.read(in));
    if (symbol == kEndOfBlock) return {};
    if (symbol < kEndOfBlock) {
      if (out.size() == max_bytes) return fail(ErrorCode::TooLarge, in.position());
      out.push_back(static_cast<uint8_t>(symbol));
    } else {
      DX_TRY_VOID(copy_back(in, codes, symbol - 257u, out, max_bytes));
    }
  }
}

Result<void> stored_block(BitReader& in, Bytes& out, size_t max_bytes) {
  DX_TRY(const ByteView header, in.aligned_bytes(4));
  const uint32_t length = header[0] | static_cast<uint32_t>(header[1]) << 8;
  const uint32_t check = header[2] | static_cast<uint32_t>(header[3]) << 8;
  if ((length ^ check) != 0xffff) return fail(ErrorCode::InvalidMessage, in.position());
  if (length > max_bytes - out.size()) return fail(ErrorCode::TooLarge, in.position());
  DX_TRY(const ByteView bytes, in.aligned_bytes(length));
  out.insert(out.end(), bytes.begin(), bytes.end());
  return {};
}

}  // namespace

Result<Bytes> inflate(ByteView packed, size_t max_bytes, Bytes out) {
  BitReader in(packed);
  for (bool last = false; !last;) {
    DX_TRY(const uint32_t final_bit, in.bits(1));
    DX_TRY(const uint32_t kind, in.bits(2));
    last = final_bit == 1;
    if (kind == 0) {
      DX_TRY_VOID(stored_block(in, out, max_bytes));
    } else if (kind == 1) {
      DX_TRY_VOID(inflate_block(in, fixed_codes(), out, max_bytes));
    } else if (kind == 2) {
      DX_TRY(const Codes codes, dynamic_codes(in));
      DX_TRY_VOID(inflate_block(in, codes, out, max_bytes));
    } else {
      return fail(ErrorCode::InvalidMessage, in.position());
    }
  }
  return out;
}

}  // namespace diaryx::plugin
