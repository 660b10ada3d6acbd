// Takes a text apart at UTF-16 offsets, from front to back. Private to the engine.
#pragma once

#include <string>
#include <string_view>

#include "diaryx/base/utf.h"

namespace diaryx::crdt {

/// A cut inside a surrogate pair leaves U+FFFD on both sides, as a split item of Yjs does. Cost: one pass over the text,
/// however many cuts there are.
class Utf16Cutter {
 public:
  /// `text` is valid UTF-8 and outlives the cutter.
  explicit Utf16Cutter(std::string_view text) : rest_(text) {}

  /// The next `units` units; fewer at the end.
  std::string take(uint32_t units) {
    std::string taken;
    if (units > 0 && half_) {
      taken = kHalf;
      half_ = false;
      --units;
    }
    const std::string_view whole = rest_.substr(0, to_utf8(rest_, Utf16Offset{units}).value());
    taken += whole;
    rest_.remove_prefix(whole.size());
    if (utf16_length(whole).value() < units && !rest_.empty()) {
      taken += kHalf;
      rest_.remove_prefix(utf8_sequence_length(rest_.front()));
      half_ = true;
    }
    return taken;
  }

 private:
  static constexpr std::string_view kHalf = "\xef\xbf\xbd";

  std::string_view rest_;
  bool half_ = false;  // the low half of the character before `rest_` is still to come
};

}  // namespace diaryx::crdt
