#include "diaryx/sync/unicode.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "diaryx/base/utf.h"
#include "unicode_tables.h"

namespace diaryx::sync {
namespace {

// Hangul syllables are computed, not listed: Unicode, section 3.12.
constexpr char32_t kSyllables = 0xac00, kLeads = 0x1100, kVowels = 0x1161, kTrails = 0x11a7;
constexpr char32_t kLeadCount = 19, kVowelCount = 21, kTrailCount = 28;
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTrailCount;

std::vector<char32_t> scalars(std::string_view text) {
  std::vector<char32_t> out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); at += utf8_sequence_length(text[at])) out.push_back(scalar_at(text, at));
  return out;
}

std::string utf8(const std::vector<char32_t>& text) {
  std::string out;
  for (const char32_t c : text) append_utf8(out, c);
  return out;
}

uint8_t combining_class(char32_t c) {
  const auto* const range = std::ranges::upper_bound(unicode::kClasses, c, {}, &unicode::ClassRange::first);
  if (range == std::begin(unicode::kClasses)) return 0;
  return std::prev(range)->last >= c ? std::prev(range)->value : 0;
}

template <typename Row, size_t N>
const Row* find_row(const Row (&table)[N], char32_t c) {
  const auto* const row = std::ranges::lower_bound(table, c, {}, &Row::code);
  return row != std::end(table) && row->code == c ? row : nullptr;
}

void decompose(char32_t c, std::vector<char32_t>& out) {
  if (c >= kSyllables && c < kSyllables + kSyllableCount) {
    const char32_t index = c - kSyllables;
    out.push_back(kLeads + index / (kVowelCount * kTrailCount));
    out.push_back(kVowels + index / kTrailCount % kVowelCount);
    if (index % kTrailCount != 0) out.push_back(kTrails + index % kTrailCount);
    return;
  }
  const auto step = [&](char32_t first, char32_t second) {
    decompose(first, out);
    if (second != 0) out.push_back(second);
  };
  if (const unicode::Narrow* row = find_row(unicode::kNarrow, c)) return step(row->first, row->second);
  if (const unicode::Wide* row = find_row(unicode::kWide, c)) return step(row->first, row->second);
  out.push_back(c);
}

std::vector<char32_t> decomposed(std::string_view text) {
  std::vector<char32_t> out;
  for (const char32_t c : scalars(text)) decompose(c, out);
  // Marks of one letter stand in the order of their classes.
  for (auto begin = out.begin(); begin != out.end();) {
    begin = std::find_if(begin, out.end(), [](char32_t c) { return combining_class(c) != 0; });
    const auto end = std::find_if(begin, out.end(), [](char32_t c) { return combining_class(c) == 0; });
    // Few, and those of one class keep their order: by insertion.
    for (auto next = begin; next != end; ++next) {
      const auto before = [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); };
      std::rotate(std::upper_bound(begin, next, *next, before), next, next + 1);
    }
    begin = end;
  }
  return out;
}

std::optional<char32_t> composed(char32_t first, char32_t second) {
  if (first >= kLeads && first < kLeads + kLeadCount && second >= kVowels && second < kVowels + kVowelCount) {
    return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTrailCount;
  }
  const bool open_syllable =
      first >= kSyllables && first < kSyllables + kSyllableCount && (first - kSyllables) % kTrailCount == 0;
  if (open_syllable && second > kTrails && second < kTrails + kTrailCount) return first + (second - kTrails);
  const auto joins = [&](const auto& row) { return row.composes && row.first == first && row.second == second; };
  if (const auto* row = std::ranges::find_if(unicode::kNarrow, joins); row != std::end(unicode::kNarrow)) {
    return row->code;
  }
  if (const auto* row = std::ranges::find_if(unicode::kWide, joins); row != std::end(unicode::kWide)) return row->code;
  return std::nullopt;
}

}  // namespace

std::string to_nfd(std::string_view text) {
  if (is_ascii(text) || !is_valid_utf8(text)) return std::string(text);
  return utf8(decomposed(text));
}

std::string to_nfc(std::string_view text) {
  if (is_ascii(text) || !is_valid_utf8(text)) return std::string(text);
  std::vector<char32_t> out;
  size_t letter = 0;  // the last starter, which marks may join
  bool has_letter = false;
  uint8_t last_class = 0;
  for (const char32_t c : decomposed(text)) {
    const uint8_t own_class = combining_class(c);
    // A mark is blocked by one of the same or a higher class between it and the letter.
    const bool adjacent = has_letter && (letter + 1 == out.size() || (last_class != 0 && last_class < own_class));
    if (adjacent) {
      if (const std::optional<char32_t> joined = composed(out[letter], c)) {
        out[letter] = *joined;
        continue;
      }
    }
    if (own_class == 0) {
      letter = out.size();
      has_letter = true;
    }
    last_class = own_class;
    out.push_back(c);
  }
  return utf8(out);
}

std::string fold_case(std::string_view text) {
  if (!is_valid_utf8(text)) return std::string(text);
  std::vector<char32_t> out = scalars(text);
  for (char32_t& c : out) {
    const auto* range = std::ranges::upper_bound(unicode::kFolds, c, {}, &unicode::FoldRange::first);
    if (range == std::begin(unicode::kFolds)) continue;
    range = std::prev(range);
    if (c <= range->last && (c - range->first) % range->step == 0) {
      c = static_cast<char32_t>(static_cast<int64_t>(c) + range->delta);
    }
  }
  return utf8(out);
}

}  // namespace diaryx::sync
