#include "diaryx/sync/frontmatter.h"

#include <algorithm>
#include <optional>

#include "diaryx/base/sort.h"
#include "diaryx/base/utf.h"
#include "yaml_reader.h"

namespace diaryx::sync {
namespace {

constexpr std::string_view kMarker = "---";

// The bytes of the line `---` that starts at `line`, with its newline; 0 if there is no such line.
size_t marker_size(std::string_view text, size_t line) {
  if (text.substr(line, 3) != kMarker) return 0;
  if (text.substr(line + 3, 1) == "\n") return 4;
  return text.substr(line + 3, 2) == "\r\n" ? 5 : 0;
}

struct BlockRange {
  size_t begin;  // behind the opening line
  size_t end;    // before the closing line
};

// Of a head that `split_frontmatter` cut.
BlockRange block_of(std::string_view head) {
  return {marker_size(head, 0), head.size() - (head.ends_with("\r\n") ? 5 : 4)};
}

std::string_view newline_at(std::string_view text, size_t line) {
  const size_t newline = text.find('\n', line);
  return newline != std::string_view::npos && newline > line && text[newline - 1] == '\r' ? "\r\n" : "\n";
}

bool is_one_line(std::string_view text, const FrontmatterEntry& entry) {
  return text.substr(entry.node.begin, entry.node.end - entry.node.begin).find('\n') == std::string_view::npos;
}

bool is_list(const Json& value) { return value.is_array() && !value.as_array()->empty(); }
bool is_scalar(const Json& value) { return !value.is_object() && !value.is_array(); }

std::string replaced(std::string_view text, size_t begin, size_t end, std::string_view with) {
  std::string out;
  out.reserve(text.size() + with.size());
  out.append(text.substr(0, begin)).append(with).append(text.substr(end));
  return out;
}

// A block list keeps the lines of items that stay, in their new order; new ones take the indentation of the others.
std::string rewrite_items(std::string_view text, const FrontmatterEntry& entry, const Json::Array& items) {
  const Json::Array& old_items = *entry.value.as_array();
  std::vector<bool> used(old_items.size(), false);
  const std::string_view first = text.substr(entry.items[0].begin);
  const std::string indent(first.substr(0, first.find('-')));
  const std::string_view newline = newline_at(text, entry.items[0].begin);
  std::string lines;
  for (const Json& item : items) {
    size_t same = 0;
    while (same < old_items.size() && (used[same] || old_items[same] != item)) ++same;
    if (same < old_items.size()) {
      used[same] = true;
      lines.append(text.substr(entry.items[same].begin, entry.items[same].end - entry.items[same].begin));
    } else {
      const ValueStyle quotes =
          text.substr(entry.items[0].begin + indent.size(), 3) == "- \"" ? ValueStyle::DoubleQuoted : ValueStyle::Plain;
      lines.append(indent).append("- ").append(emit_inline(item, quotes)).append(newline);
    }
  }
  return lines;
}

// The text with the new value written in the manner of the old one; nothing if the manner does not suit the value.
std::optional<std::string> in_place(std::string_view text, const FrontmatterEntry& entry, const Json& value) {
  const std::string_view newline = newline_at(text, entry.begin);
  if (entry.style == ValueStyle::BlockSequence && is_list(value))
    return replaced(text, entry.items.front().begin, entry.items.back().end,
                    rewrite_items(text, entry, *value.as_array()));
  if (entry.style == ValueStyle::None && !is_list(value))
    return replaced(text, entry.value_begin, entry.value_begin, " " + emit_inline(value));
  const bool inline_node = entry.style != ValueStyle::None && entry.style != ValueStyle::BlockScalar &&
                           entry.style != ValueStyle::BlockSequence && entry.style != ValueStyle::BlockMapping;
  if (inline_node && (is_scalar(value) || entry.style == ValueStyle::Flow || !is_list(value)))
    return replaced(text, entry.node.begin, entry.node.end, emit_inline(value, entry.style));
  if (inline_node && is_one_line(text, entry)) {
    // A scalar becomes a block list; the comment stays behind the key.
    const std::string block = emit_entry("k", value, newline);
    return replaced(
        text, entry.value_begin, entry.end,
        std::string(text.substr(entry.node.end, entry.end - entry.node.end)) + block.substr(block.find('\n') + 1));
  }
  return std::nullopt;
}

}  // namespace

SplitText split_frontmatter(std::string_view text) {
  const SplitText all_body{{}, text};
  const size_t opening = marker_size(text, 0);
  if (opening == 0) return all_body;
  // The line behind the opening never closes the block, even if it is `---` itself.
  for (size_t newline = text.find('\n', opening); newline != std::string_view::npos;
       newline = text.find('\n', newline + 1)) {
    const size_t closing = marker_size(text, newline + 1);
    if (closing != 0) return {text.substr(0, newline + 1 + closing), text.substr(newline + 1 + closing)};
  }
  return all_body;
}

Result<Frontmatter> Frontmatter::parse(std::string_view head) {
  Frontmatter front;
  if (head.empty()) return front;
  if (head.size() > kMaxFrontmatterBytes) return fail(ErrorCode::TooLarge);
  if (split_frontmatter(head).head != head) return fail(ErrorCode::InvalidFrontmatter);
  if (!is_valid_utf8(head)) return fail(ErrorCode::InvalidUtf8);
  const BlockRange block = block_of(head);
  DX_TRY(front.entries_, read_yaml_entries(head, block.begin, block.end));
  front.text_ = std::string(head);
  return front;
}

const Json* Frontmatter::find(std::string_view key) const {
  const auto entry = std::ranges::find(entries_.rbegin(), entries_.rend(), key, &FrontmatterEntry::key);
  return entry == entries_.rend() ? nullptr : &entry->value;
}

bool Frontmatter::has_repeated_key() const {
  std::vector<std::string_view> keys;
  for (const FrontmatterEntry& entry : entries_) keys.push_back(entry.key);
  sort_compactly(keys);
  return std::ranges::adjacent_find(keys) != keys.end();
}

// Takes `text` over if it reads as a block in which `key` has this value.
bool Frontmatter::try_text(std::string text, std::string_view key, const Json& value) {
  Result<Frontmatter> read = parse(text);
  if (!read) return false;
  const Json* const now = read->find(key);
  if (now == nullptr || *now != value) return false;
  *this = *std::move(read);
  return true;
}

bool Frontmatter::set(std::string_view key, const Json& value) {
  const auto last = std::ranges::find(entries_.rbegin(), entries_.rend(), key, &FrontmatterEntry::key);
  const std::string_view newline = text_.empty() ? "\n" : newline_at(text_, 0);
  const std::string lines = emit_entry(key, value, newline);
  if (last == entries_.rend()) {
    if (text_.empty()) return try_text("---\n" + lines + "---\n", key, value);
    const size_t end = block_of(text_).end;
    return try_text(replaced(text_, end, end, lines), key, value);
  }
  const FrontmatterEntry entry = *last;
  if (entry.value == value) return true;
  // Whatever the in-place edit made is read back before it counts; the plain form is the way out.
  if (std::optional<std::string> text = in_place(text_, entry, value); text && try_text(*std::move(text), key, value))
    return true;
  return try_text(replaced(text_, entry.begin, entry.end, lines), key, value);
}

std::string Frontmatter::without(std::string_view key, bool with_blank_lines) const {
  std::string text;
  size_t kept = 0;
  for (const FrontmatterEntry& entry : entries_) {
    if (entry.key != key) continue;
    text.append(text_, kept, entry.begin - kept);
    kept = entry.end;
    if (!with_blank_lines) continue;
    const size_t content = text_.find_first_not_of(" \t\r\n", kept);  // there is one, the last line
    kept = text_.rfind('\n', content) + 1;
  }
  return text.append(text_, kept);
}

void Frontmatter::remove(std::string_view key) {
  if (find(key) == nullptr) return;
  // Blank lines behind the key may count to the text in front of it once the key is gone. Then they go, too.
  for (const bool with_blank_lines : {false, true}) {
    const std::string text = without(key, with_blank_lines);
    const BlockRange block = block_of(text);
    if (block.begin >= block.end) {
      *this = Frontmatter{};
      return;
    }
    Result<Frontmatter> read = parse(text);
    if (!read || (!with_blank_lines && !says_the_same_beside(*read, key))) continue;
    *this = *std::move(read);
    return;
  }
}

bool Frontmatter::says_the_same_beside(const Frontmatter& shorter, std::string_view key) const {
  auto other = shorter.entries_.begin();
  for (const FrontmatterEntry& entry : entries_) {
    if (entry.key == key) continue;
    if (other == shorter.entries_.end() || other->value != entry.value) return false;
    ++other;
  }
  return true;
}

}  // namespace diaryx::sync
