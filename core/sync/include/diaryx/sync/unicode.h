// The forms in which file systems compare names: composed, decomposed, without case.
//
// Texts that are no valid UTF-8 are answered unchanged. Tables of Unicode 14 (tools/unicode/make_tables.py).
#pragma once

#include <string>
#include <string_view>

namespace diaryx::sync {

/// Canonical composition: `e` and an accent become `é`, as most programs type it.
std::string to_nfc(std::string_view text);
/// Canonical decomposition, as HFS+ stores names.
std::string to_nfd(std::string_view text);
/// Simple case folding, letter by letter: `É` and `é` become one. Not for showing.
std::string fold_case(std::string_view text);

}  // namespace diaryx::sync
