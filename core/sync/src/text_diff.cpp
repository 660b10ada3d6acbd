#include "diaryx/sync/text_diff.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "diaryx/base/result.h"
#include "diaryx/base/sort.h"
#include "diaryx/base/utf.h"
#include "sequence_diff.h"
#include "text_hunks.h"

namespace diaryx::sync {
namespace {

struct Texts {
  std::string_view before;
  std::string_view after;
};

// Beyond this many bytes on one side, a changed stretch of lines is not looked into: whoever pastes a megabyte of new
// lines changed them all.
constexpr size_t kMaxRefinedBytes = 1u << 20;
// Inside one changed word, equal runs of fewer characters are chance: `cat` -> `bar` is one change.
constexpr size_t kMinEqualCharacters = 8;
// Between two changed words, equal runs of fewer characters (a space, a comma) are not worth an edit of their own.
constexpr size_t kMinEqualBetweenWords = 3;

bool is_boundary(std::string_view text, size_t at) { return at >= text.size() || !is_utf8_continuation(text[at]); }

void trim(const Texts& texts, Hunk& hunk) {
  size_t prefix = 0;
  const size_t most = std::min(hunk.old_size(), hunk.new_size());
  while (prefix < most && texts.before[hunk.old_begin + prefix] == texts.after[hunk.new_begin + prefix]) ++prefix;
  // Both texts agree before the cut, so that it suffices to look at one of them, unless one ends there (T2).
  while (prefix > 0 &&
         (!is_boundary(texts.before, hunk.old_begin + prefix) || !is_boundary(texts.after, hunk.new_begin + prefix)))
    --prefix;
  size_t suffix = 0;
  while (suffix < most - prefix && texts.before[hunk.old_end - suffix - 1] == texts.after[hunk.new_end - suffix - 1])
    ++suffix;
  while (suffix > 0 &&
         (!is_boundary(texts.before, hunk.old_end - suffix) || !is_boundary(texts.after, hunk.new_end - suffix)))
    --suffix;
  hunk = {hunk.old_begin + prefix, hunk.old_end - suffix, hunk.new_begin + prefix, hunk.new_end - suffix};
}

using Tokens = std::vector<std::string_view>;

size_t character_size(std::string_view text, size_t at) {
  size_t size = std::min<size_t>(utf8_sequence_length(text[at]), text.size() - at);
  for (size_t i = 1; i < size; ++i)
    if (!is_utf8_continuation(text[at + i])) size = i;  // not UTF-8: one character per stray byte
  return size;
}

Tokens split_characters(std::string_view text) {
  Tokens characters;
  for (size_t at = 0; at < text.size();) {
    const size_t size = character_size(text, at);
    characters.push_back(text.substr(at, size));
    at += size;
  }
  return characters;
}

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return !is_utf8_continuation(c); }));
}

enum class CharKind : uint8_t { Word, Space, Single };

// A word is a run without white space, so that `[a](b.md)` or `<x>` is one. Scripts that write without spaces (from
// U+2E80 on, which takes in emoji too) are compared character by character.
CharKind kind_of(std::string_view character) {
  const auto lead = static_cast<uint8_t>(character[0]);
  if (lead == ' ' || lead == '\t') return CharKind::Space;
  return lead == '\n' || lead == '\r' || lead >= 0xe3 ? CharKind::Single : CharKind::Word;
}

struct Symbols {
  std::vector<uint32_t> before;
  std::vector<uint32_t> after;
  uint32_t count = 0;
};

// Equal tokens get equal numbers. Sorted, not hashed: a stranger chooses the text, and could choose colliding lines.
Symbols number_tokens(const Tokens& before, const Tokens& after) {
  std::vector<uint32_t> order(before.size() + after.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto token = [&](uint32_t i) { return i < before.size() ? before[i] : after[i - before.size()]; };
  sort_compactly(order, [&](uint32_t a, uint32_t b) {
    const std::string_view left = token(a), right = token(b);
    return left.size() != right.size() ? left.size() < right.size() : left < right;
  });
  Symbols symbols{std::vector<uint32_t>(before.size()), std::vector<uint32_t>(after.size()), 0};
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && token(order[i]) != token(order[i - 1])) ++symbols.count;
    if (order[i] < before.size())
      symbols.before[order[i]] = symbols.count;
    else
      symbols.after[order[i] - before.size()] = symbols.count;
  }
  ++symbols.count;
  return symbols;
}

std::vector<size_t> offsets_of(const Tokens& tokens, size_t begin) {
  std::vector<size_t> offsets{begin};
  for (const std::string_view token : tokens) offsets.push_back(offsets.back() + token.size());
  return offsets;
}

template <typename Split>
std::vector<Hunk> diff_tokens(const Texts& texts, const Hunk& within, Split split) {
  const Tokens before = split(texts.before.substr(within.old_begin, within.old_size()));
  const Tokens after = split(texts.after.substr(within.new_begin, within.new_size()));
  const Symbols symbols = number_tokens(before, after);
  const std::vector<size_t> old_at = offsets_of(before, within.old_begin);
  const std::vector<size_t> new_at = offsets_of(after, within.new_begin);
  std::vector<Hunk> hunks;
  for (const ChangedRange& r : diff_sequences(symbols.before, symbols.after, symbols.count))
    hunks.push_back({old_at[r.old_begin], old_at[r.old_end], new_at[r.new_begin], new_at[r.new_end]});
  return hunks;
}

// Joins neighbours for which `keep_apart(equal text between them)` is false.
template <typename KeepApart>
std::vector<Hunk> join_close(const Texts& texts, const std::vector<Hunk>& hunks, KeepApart keep_apart) {
  std::vector<Hunk> joined;
  for (const Hunk& hunk : hunks) {
    if (!joined.empty()) {
      const size_t end = joined.back().old_end;
      if (!keep_apart(texts.before.substr(end, hunk.old_begin - end))) {
        joined.back().old_end = hunk.old_end;
        joined.back().new_end = hunk.new_end;
        continue;
      }
    }
    joined.push_back(hunk);
  }
  return joined;
}

// How good a place between two characters is for an edit to begin.
int place_quality(std::string_view text, size_t at) {
  if (at == 0 || text[at - 1] == '\n') return 3;
  if (text[at - 1] == ' ' || text[at - 1] == '\t') return 2;
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           static_cast<uint8_t>(c) >= 0x80;
  };
  return at < text.size() && is_letter(text[at - 1]) && is_letter(text[at]) ? 0 : 1;
}

// What was typed behind or in front of a word that stays whole, perhaps many words and lines; or what was taken from there.
// Nothing if the word only happens to begin alike: `Ice is cold` is no `I` that went on.
std::optional<Hunk> what_goes_on(const Texts& texts, const Hunk& hunk) {
  const bool is_longer = hunk.old_size() < hunk.new_size();
  const std::string_view before = texts.before.substr(hunk.old_begin, hunk.old_size());
  const std::string_view after = texts.after.substr(hunk.new_begin, hunk.new_size());
  const std::string_view part = is_longer ? before : after;
  const std::string_view whole = is_longer ? after : before;
  if (whole.starts_with(part) && place_quality(whole, part.size()) > 0)
    return Hunk{hunk.old_begin + part.size(), hunk.old_end, hunk.new_begin + part.size(), hunk.new_end};
  if (whole.ends_with(part) && place_quality(whole, whole.size() - part.size()) > 0)
    return Hunk{hunk.old_begin, hunk.old_end - part.size(), hunk.new_begin, hunk.new_end - part.size()};
  return std::nullopt;
}

// Cuts a changed word down to its changed letters, if it is still the same word: letters were only added (`Plans` from
// `Plan`) or only taken, or most of a long word is the same. `cat` to `bar` is another word.
Hunk narrowed(const Texts& texts, const Hunk& hunk) {
  if (const std::optional<Hunk> rest = what_goes_on(texts, hunk)) return *rest;
  const std::string_view before = texts.before.substr(hunk.old_begin, hunk.old_size());
  const std::string_view after = texts.after.substr(hunk.new_begin, hunk.new_size());
  if (before.find_first_of(" \t\r\n") != before.npos || after.find_first_of(" \t\r\n") != after.npos) return hunk;
  Hunk inner = hunk;
  trim(texts, inner);
  if (inner.old_size() == 0 || inner.new_size() == 0) return inner;
  const size_t shared = hunk.old_size() - inner.old_size();
  return shared >= kMinEqualCharacters && 3 * shared > 2 * std::min(before.size(), after.size()) ? inner : hunk;
}

void refine_word(const Texts& texts, const Hunk& hunk, std::vector<Hunk>& out) {
  if (hunk.old_size() >= kMinEqualCharacters && hunk.new_size() >= kMinEqualCharacters) {
    // A long changed stretch may hold long equal ones without a space around them: a URL, a table, a base64 block.
    // One over the end of a line is as long as its longest part.
    const auto is_long = [](std::string_view equal) {
      return std::ranges::any_of(split_lines(equal),
                                 [](std::string_view line) { return count_characters(line) >= kMinEqualCharacters; });
    };
    auto parts = join_close(texts, diff_tokens(texts, hunk, split_characters), is_long);
    if (parts.size() > 1) {
      // A short one at an end is chance as well: a line `<12>` that was put before `<06>` does not share the `<` of that one.
      Hunk& first = parts.front();
      if (!is_long(texts.before.substr(hunk.old_begin, first.old_begin - hunk.old_begin)))
        first.old_begin = hunk.old_begin, first.new_begin = hunk.new_begin;
      Hunk& last = parts.back();
      if (!is_long(texts.before.substr(last.old_end, hunk.old_end - last.old_end)))
        last.old_end = hunk.old_end, last.new_end = hunk.new_end;
      for (const Hunk& part : parts) {
        Hunk inner = part;
        trim(texts, inner);
        const bool one_sided = inner.old_size() == 0 || inner.new_size() == 0;  // then it moves to where it is whole
        out.push_back(one_sided ? inner : part);
      }
      return;
    }
  }
  out.push_back(narrowed(texts, hunk));
}

bool is_blank(std::string_view token) { return token.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// Takes equal whole tokens off both ends.
Hunk trim_tokens(const Texts& texts, Hunk hunk) {
  const Tokens before = split_words(texts.before.substr(hunk.old_begin, hunk.old_size()));
  const Tokens after = split_words(texts.after.substr(hunk.new_begin, hunk.new_size()));
  const size_t most = std::min(before.size(), after.size());
  size_t front = 0, back = 0;
  while (front < most && before[front] == after[front]) {
    hunk.old_begin += before[front].size();
    hunk.new_begin += before[front++].size();
  }
  while (back < most - front && before[before.size() - 1 - back] == after[after.size() - 1 - back]) {
    hunk.old_end -= before[before.size() - 1 - back].size();
    hunk.new_end -= before[before.size() - 1 - back++].size();
  }
  return hunk;
}

struct Words {
  Tokens tokens;
  std::vector<size_t> begins;  // byte offsets in the whole text
};

Words words_without_blanks(std::string_view text, size_t begin, size_t size) {
  Words words;
  for (const std::string_view token : split_words(text.substr(begin, size))) {
    if (is_blank(token)) continue;
    words.tokens.push_back(token);
    words.begins.push_back(static_cast<size_t>(token.data() - text.data()));
  }
  return words;
}

// Words are matched without the blanks between them; a blank never holds two texts together, so that a paragraph that
// was wrapped anew is a few changed blanks and no moved words. Then the stretches between matched words are compared.
std::vector<Hunk> diff_words(const Texts& texts, const Hunk& within) {
  const Words before = words_without_blanks(texts.before, within.old_begin, within.old_size());
  const Words after = words_without_blanks(texts.after, within.new_begin, within.new_size());
  const Symbols symbols = number_tokens(before.tokens, after.tokens);
  std::vector<Hunk> hunks;
  size_t old_at = within.old_begin, new_at = within.new_begin;
  const auto add_between = [&](size_t old_until, size_t new_until) {
    if (texts.before.substr(old_at, old_until - old_at) == texts.after.substr(new_at, new_until - new_at)) return;
    hunks.push_back(trim_tokens(texts, {old_at, old_until, new_at, new_until}));
  };
  size_t old_word = 0, new_word = 0;
  const auto match_until = [&](size_t end) {
    for (; old_word < end; ++old_word, ++new_word) {
      add_between(before.begins[old_word], after.begins[new_word]);
      old_at = before.begins[old_word] + before.tokens[old_word].size();
      new_at = after.begins[new_word] + after.tokens[new_word].size();
    }
  };
  for (const ChangedRange& range : diff_sequences(symbols.before, symbols.after, symbols.count)) {
    match_until(range.old_begin);
    old_word = range.old_end;
    new_word = range.new_end;
  }
  match_until(before.tokens.size());
  add_between(within.old_end, within.new_end);
  return hunks;
}

void refine_lines(const Texts& texts, const Hunk& hunk, std::vector<Hunk>& out) {
  const bool one_sided = hunk.old_size() == 0 || hunk.new_size() == 0;
  if (one_sided || hunk.old_size() > kMaxRefinedBytes || hunk.new_size() > kMaxRefinedBytes) {
    out.push_back(hunk);
    return;
  }
  const auto is_worth_keeping = [](std::string_view equal) {
    return count_characters(equal) >= kMinEqualBetweenWords || equal.find('\n') != std::string_view::npos;
  };
  for (const Hunk& part : join_close(texts, diff_words(texts, hunk), is_worth_keeping)) refine_word(texts, part, out);
}

// Grows a hunk to whole lines: a line compared from its middle on would match another one's end.
void widen_to_lines(const Texts& texts, Hunk& hunk) {
  while (hunk.old_begin > 0 && texts.before[hunk.old_begin - 1] != '\n') --hunk.old_begin, --hunk.new_begin;
  if (hunk.old_end > hunk.old_begin && hunk.new_end > hunk.new_begin && texts.before[hunk.old_end - 1] == '\n' &&
      texts.after[hunk.new_end - 1] == '\n')
    return;
  while (hunk.old_end < texts.before.size()) {
    ++hunk.new_end;
    if (texts.before[hunk.old_end++] == '\n') return;
  }
}

// An insertion of `b> <` after `<` is the same as one of `<b> ` before it. The second form keeps the word whole when
// somebody else writes at that place too, so pure insertions and deletions move to the best place that means the same.
size_t slide_distance(std::string_view text, size_t lowest, size_t begin, size_t end) {
  constexpr size_t kFurthest = 256;
  size_t best = 0;
  int best_quality = place_quality(text, begin);
  for (size_t step = 1; step <= kFurthest && step + lowest <= begin && text[begin - step] == text[end - step]; ++step) {
    if (is_utf8_continuation(text[begin - step]) || is_utf8_continuation(text[end - step])) continue;
    const int quality = place_quality(text, begin - step);
    if (quality > best_quality) best = step, best_quality = quality;
  }
  return best;
}

void slide_hunks(const Texts& texts, std::vector<Hunk>& hunks) {
  size_t old_lowest = 0, new_lowest = 0;  // one character behind the edit before, so that the two stay two
  for (Hunk& hunk : hunks) {
    size_t distance = 0;
    if (hunk.old_size() == 0)
      distance = slide_distance(texts.after, new_lowest, hunk.new_begin, hunk.new_end);
    else if (hunk.new_size() == 0)
      distance = slide_distance(texts.before, old_lowest, hunk.old_begin, hunk.old_end);
    hunk = {hunk.old_begin - distance, hunk.old_end - distance, hunk.new_begin - distance, hunk.new_end - distance};
    old_lowest = hunk.old_end + 1;
    new_lowest = hunk.new_end + 1;
  }
}

std::vector<Hunk> find_hunks(const Texts& texts) {
  Hunk whole{0, texts.before.size(), 0, texts.after.size()};
  trim(texts, whole);
  std::vector<Hunk> hunks;
  if (whole.old_size() == 0 && whole.new_size() == 0) return hunks;
  // One insertion or deletion, if it is one in lines, too: `<2>` that became `<29>`, `<2>` and `<3>` looks like one insertion
  // in the middle of two lines, and would tear them when somebody else deletes `<2>`.
  const bool one_sided = whole.old_size() == 0 || whole.new_size() == 0;
  if (one_sided) {
    hunks.push_back(whole);
    slide_hunks(texts, hunks);
    const Hunk& slid = hunks.front();
    const bool is_old = slid.new_size() == 0;
    const std::string_view text = is_old ? texts.before : texts.after;
    const size_t begin = is_old ? slid.old_begin : slid.new_begin;
    const size_t end = is_old ? slid.old_end : slid.new_end;
    const bool of_lines = (begin == 0 || text[begin - 1] == '\n') && text[end - 1] == '\n';
    if (of_lines || !text.substr(begin, end - begin).contains('\n')) return hunks;
    hunks.clear();
  }
  {
    widen_to_lines(texts, whole);
    for (const Hunk& lines : diff_tokens(texts, whole, split_lines)) refine_lines(texts, lines, hunks);
  }
  std::erase_if(hunks, [](const Hunk& hunk) { return hunk.old_size() == 0 && hunk.new_size() == 0; });
  slide_hunks(texts, hunks);
  return hunks;
}

}  // namespace

Tokens split_lines(std::string_view text) {
  Tokens lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t newline = text.find('\n', begin);
    const size_t end = newline == std::string_view::npos ? text.size() : newline + 1;
    lines.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return lines;
}

Tokens split_words(std::string_view text) {
  Tokens words;
  size_t begin = 0;
  CharKind open = CharKind::Single;
  for (size_t at = 0; at < text.size();) {
    const size_t size = character_size(text, at);
    const CharKind kind = kind_of(text.substr(at, size));
    if (at > begin && (kind != open || kind == CharKind::Single)) {
      words.push_back(text.substr(begin, at - begin));
      begin = at;
    }
    open = kind;
    at += size;
  }
  if (begin < text.size()) words.push_back(text.substr(begin));
  return words;
}

std::vector<Hunk> diff_lines(std::string_view before, std::string_view after) {
  return diff_tokens({before, after}, {0, before.size(), 0, after.size()}, split_lines);
}

std::vector<TextEdit> count_utf16(std::string_view text, std::vector<ByteEdit> edits) {
  std::vector<TextEdit> counted;
  size_t done = 0;
  Utf16Offset at;
  for (ByteEdit& edit : edits) {
    if (edit.begin == edit.end && edit.inserted.empty()) continue;
    at = at + utf16_length(text.substr(done, edit.begin - done));
    const Length erased = utf16_length(text.substr(edit.begin, edit.end - edit.begin));
    counted.push_back({at, erased, Utf8Offset{static_cast<uint32_t>(edit.begin)},
                       static_cast<uint32_t>(edit.end - edit.begin), std::move(edit.inserted)});
    at = at + erased;
    done = edit.end;
  }
  return counted;
}

std::vector<TextEdit> diff_text(std::string_view before, std::string_view after) {
  std::vector<ByteEdit> edits;
  for (const Hunk& hunk : find_hunks({before, after}))
    edits.push_back({hunk.old_begin, hunk.old_end, std::string(after.substr(hunk.new_begin, hunk.new_size()))});
  return count_utf16(before, std::move(edits));
}

std::string apply_edits(std::string_view text, std::span<const TextEdit> edits) {
  std::string result;
  size_t taken = 0;
  for (const TextEdit& edit : edits) {
    DX_ASSERT(edit.at_utf8.value() >= taken && edit.at_utf8.value() + size_t{edit.erased_bytes} <= text.size());
    result.append(text.substr(taken, edit.at_utf8.value() - taken));
    result.append(edit.inserted);
    taken = edit.at_utf8.value() + size_t{edit.erased_bytes};
  }
  result.append(text.substr(taken));
  return result;
}

}  // namespace diaryx::sync
