// Texts side by side: whole words, whole lines.
#include <algorithm>
#include <utility>

#include "diaryx/base/utf.h"
#include "diaryx/sync/history_diff.h"
#include "diaryx/sync/text_diff.h"

namespace diaryx::sync {
namespace {

/// `before[from, to)` became `text`; in bytes of `before`.
struct Change {
  size_t from;
  size_t to;
  std::string text;
};

struct Range {
  size_t from;
  size_t to;
};

/// Letters and digits that are written without blanks between words (Chinese, Japanese, Korean) are words by themselves.
constexpr char32_t kFirstIdeograph = 0x2e80;

bool is_word(std::string_view text, size_t at) {
  const auto byte = static_cast<uint8_t>(text[at]);
  if (byte < 0x80) return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
  const char32_t scalar = scalar_at(text, at);
  return scalar >= 0xaa && scalar < kFirstIdeograph && !(scalar >= 0x2000 && scalar <= 0x206f);
}

size_t start_of_previous(std::string_view text, size_t at) {
  --at;
  while (at > 0 && is_utf8_continuation(text[at])) --at;
  return at;
}

bool ends_in_word(std::string_view text) {
  return !text.empty() && is_word(text, start_of_previous(text, text.size()));
}
bool starts_with_word(std::string_view text) { return !text.empty() && is_word(text, 0); }

bool at_line_start(std::string_view text, size_t at) { return at == 0 || text[at - 1] == '\n'; }

/// Grows the range of an edit until neither of its ends is inside a word, before or afterwards.
void grow_to_words(std::string_view before, const TextEdit& edit, Range& range) {
  const std::string_view inserted = edit.inserted;
  if (starts_with_word(before.substr(range.from)) || starts_with_word(inserted)) {
    while (range.from > 0 && is_word(before, start_of_previous(before, range.from)))
      range.from = start_of_previous(before, range.from);
  }
  if (ends_in_word(before.substr(0, range.to)) || ends_in_word(inserted)) {
    while (range.to < before.size() && is_word(before, range.to)) range.to += utf8_sequence_length(before[range.to]);
  }
}

/// Grows the range of an edit until it is whole lines before and afterwards.
void grow_to_lines(std::string_view before, const TextEdit& edit, Range& range) {
  const bool ends_line = edit.inserted.empty() ? at_line_start(before, range.from) : edit.inserted.back() == '\n';
  while (!at_line_start(before, range.from)) --range.from;
  if (ends_line && at_line_start(before, range.to)) return;
  const size_t end = before.find('\n', range.to);
  range.to = end == std::string_view::npos ? before.size() : end + 1;
}

/// The changes between two texts, grown; ranges that then touch are one change.
template <typename Grow>
std::vector<Change> changes_between(std::string_view before, std::string_view after, Grow grow) {
  std::vector<Change> changes;
  size_t copied = 0;  // of `before`, into the text of the last change
  for (const TextEdit& edit : diff_text(before, after)) {
    const size_t from = edit.at_utf8.value();
    const size_t to = from + edit.erased_bytes;
    Range range{from, to};
    grow(before, edit, range);
    if (changes.empty() || range.from > changes.back().to) {
      if (!changes.empty()) changes.back().text.append(before.substr(copied, changes.back().to - copied));
      changes.push_back({range.from, range.to, {}});
      copied = range.from;
    }
    Change& change = changes.back();
    change.text.append(before.substr(copied, from - copied)).append(edit.inserted);
    change.to = std::max(change.to, range.to);
    copied = to;
  }
  if (!changes.empty()) changes.back().text.append(before.substr(copied, changes.back().to - copied));
  return changes;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const size_t size = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

size_t count_lines(std::string_view text) { return lines_of(text).size(); }

/// Changes in lines of `before`, each with the lines that stand there afterwards.
struct LineChange {
  size_t from;
  size_t to;
  std::vector<std::string> lines;
};

std::vector<LineChange> line_changes(std::string_view before, std::string_view after) {
  std::vector<LineChange> changes;
  for (const Change& change : changes_between(before, after, grow_to_lines)) {
    LineChange made{.from = count_lines(before.substr(0, change.from)), .to = 0, .lines = {}};
    made.to = made.from + count_lines(before.substr(change.from, change.to - change.from));
    for (const std::string_view line : lines_of(change.text)) made.lines.emplace_back(line);
    changes.push_back(std::move(made));
  }
  return changes;
}

/// Indices of changes that stand in one hunk: their contexts touch.
std::vector<std::pair<size_t, size_t>> hunks_of(std::span<const LineChange> changes, size_t context) {
  std::vector<std::pair<size_t, size_t>> hunks;
  for (size_t i = 0; i < changes.size(); ++i) {
    if (!hunks.empty() && changes[i].from <= changes[i - 1].to + 2 * context) {
      hunks.back().second = i + 1;
    } else {
      hunks.emplace_back(i, i + 1);
    }
  }
  return hunks;
}

std::string_view name_of(DiffKind kind) {
  return kind == DiffKind::Same ? "same" : kind == DiffKind::Removed ? "removed" : "added";
}

}  // namespace

std::vector<DiffPiece> diff_words(std::string_view before, std::string_view after) {
  std::vector<DiffPiece> pieces;
  const auto add = [&](DiffKind kind, std::string_view text) {
    if (!text.empty()) pieces.push_back({kind, std::string(text)});
  };
  size_t at = 0;
  for (const Change& change : changes_between(before, after, grow_to_words)) {
    add(DiffKind::Same, before.substr(at, change.from - at));
    add(DiffKind::Removed, before.substr(change.from, change.to - change.from));
    add(DiffKind::Added, change.text);
    at = change.to;
  }
  add(DiffKind::Same, before.substr(at));
  return pieces;
}

std::vector<DiffHunk> diff_lines(std::string_view before, std::string_view after, size_t context) {
  const std::vector<std::string_view> lines = lines_of(before);
  const std::vector<LineChange> changes = line_changes(before, after);
  std::vector<DiffHunk> hunks;
  ptrdiff_t shift = 0;  // lines that `after` is ahead so far
  for (const auto& [first, last] : hunks_of(changes, context)) {
    size_t at = changes[first].from - std::min(context, changes[first].from);
    DiffHunk hunk{.before_line = at + 1, .after_line = static_cast<size_t>(static_cast<ptrdiff_t>(at) + shift) + 1};
    const auto same_until = [&](size_t end) {
      for (; at < end; ++at) hunk.lines.push_back({DiffKind::Same, std::string(lines[at])});
    };
    for (size_t i = first; i < last; ++i) {
      same_until(changes[i].from);
      for (; at < changes[i].to; ++at) hunk.lines.push_back({DiffKind::Removed, std::string(lines[at])});
      for (const std::string& line : changes[i].lines) hunk.lines.push_back({DiffKind::Added, line});
      shift +=
          static_cast<ptrdiff_t>(changes[i].lines.size()) - static_cast<ptrdiff_t>(changes[i].to - changes[i].from);
    }
    same_until(std::min(lines.size(), at + context));
    for (const DiffLine& line : hunk.lines) {
      hunk.before_count += line.kind != DiffKind::Added;
      hunk.after_count += line.kind != DiffKind::Removed;
    }
    hunks.push_back(std::move(hunk));
  }
  return hunks;
}

std::string turn_back(std::string_view before, std::string_view after, std::span<const size_t> chosen, size_t context) {
  const std::vector<std::string_view> lines = lines_of(before);
  const std::vector<LineChange> changes = line_changes(before, after);
  const auto hunks = hunks_of(changes, context);
  std::string text;
  size_t at = 0;
  for (size_t hunk = 0; hunk < hunks.size(); ++hunk) {
    const bool back = std::ranges::find(chosen, hunk) != chosen.end();
    for (size_t i = hunks[hunk].first; i < hunks[hunk].second; ++i) {
      for (; at < changes[i].from; ++at) text += lines[at];
      if (back) {
        for (; at < changes[i].to; ++at) text += lines[at];
      } else {
        for (const std::string& line : changes[i].lines) text += line;
        at = changes[i].to;
      }
    }
  }
  for (; at < lines.size(); ++at) text += lines[at];
  return text;
}

Json to_json(std::span<const DiffPiece> pieces) {
  Json array = Json::array();
  for (const DiffPiece& piece : pieces) array.push(Json::object({{"kind", name_of(piece.kind)}, {"text", piece.text}}));
  return array;
}

Json to_json(const DiffHunk& hunk) {
  Json lines = Json::array();
  for (const DiffLine& line : hunk.lines) lines.push(Json::object({{"kind", name_of(line.kind)}, {"text", line.text}}));
  return Json::object({{"before_line", uint64_t{hunk.before_line}},
                       {"before_count", uint64_t{hunk.before_count}},
                       {"after_line", uint64_t{hunk.after_line}},
                       {"after_count", uint64_t{hunk.after_count}},
                       {"lines", std::move(lines)}});
}

}  // namespace diaryx::sync
