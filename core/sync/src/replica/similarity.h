// Whether one text is an edited form of another. For telling a rename with an edit from a deletion and a new file.
#pragma once

#include <cstdint>
#include <string_view>

namespace diaryx::sync {

/// Texts shorter than this share too much by chance.
inline constexpr size_t kMinSimilarBytes = 32;
/// Per cent of the longer text that both must share, and that no third text may reach.
inline constexpr uint32_t kSimilarPercent = 60;
inline constexpr uint32_t kUnrelatedPercent = 40;

/// How much of the longer text is in both, in order: 0 (nothing) to 100 (equal). 0 when one of them is too short to tell.
/// Of texts with several lines at least half of that has to be whole lines.
/// Cost: as `diff_text`, but only when their lengths and lines leave the possibility of `kUnrelatedPercent`.
uint32_t similarity_percent(std::string_view a, std::string_view b);

}  // namespace diaryx::sync
