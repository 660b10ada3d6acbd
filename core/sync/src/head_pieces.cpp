#include "head_pieces.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "diaryx/sync/frontmatter.h"

namespace diaryx::sync {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kLineBlanks = " \t\r\n";
constexpr size_t kNone = std::string_view::npos;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kLineBlanks);
  if (begin == kNone) return {};
  return text.substr(begin, text.find_last_not_of(kLineBlanks) + 1 - begin);
}

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n') + 1);  // npos + 1 is 0
  const std::string_view taken = line.empty() ? text : line;
  text.remove_prefix(taken.size());
  return taken;
}

bool is_comment(std::string_view line) {
  const std::string_view text = trimmed(line);
  return text.empty() || text.front() == '#';
}

/// Behind a quoted text that begins here; kNone if it does not end.
size_t behind_quotes(std::string_view text) {
  const char quote = text.front();
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || text.substr(i + 1, 1) != "'") return i + 1;
      ++i;
    }
  }
  return kNone;
}

bool is_quoted(std::string_view text) { return !text.empty() && (text.front() == '"' || text.front() == '\''); }

/// Where the colon behind a key is, if the line begins a field.
size_t colon_of(std::string_view line) {
  if (line.empty() || std::string_view(" \t#:\r\n").find(line.front()) != kNone) return kNone;
  if (line.front() == '-' && (line.size() == 1 || kLineBlanks.find(line[1]) != kNone)) return kNone;
  size_t at = is_quoted(line) ? behind_quotes(line) : 0;
  for (; at < line.size(); ++at) {
    if (line[at] == ':' && (at + 1 == line.size() || kLineBlanks.find(line[at + 1]) != kNone)) return at;
  }
  return kNone;
}

std::string_view unquoted(std::string_view text) {
  return is_quoted(text) && behind_quotes(text) == text.size() ? text.substr(1, text.size() - 2) : text;
}

/// One value without the comment behind it; nothing if it is no plain or quoted text of one line.
std::optional<std::string_view> scalar_of(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  if (is_quoted(text)) {
    const size_t end = behind_quotes(text);
    if (end == kNone || (end < text.size() && !trimmed(text.substr(end)).starts_with('#'))) return std::nullopt;
    return text.substr(0, end);
  }
  if (const size_t comment = text.find(" #"); comment != kNone) text = trimmed(text.substr(0, comment));
  if (text.empty() || std::string_view("|>-?{&*!#").find(text.front()) != kNone) return std::nullopt;
  if (text.find(": ") != kNone || text.ends_with(':')) return std::nullopt;
  return text;
}

/// What the item of a block list says, and how far it is indented.
std::optional<std::string_view> item_of(std::string_view line, size_t& indent) {
  indent = line.find_first_not_of(kBlanks);
  if (indent == kNone || line[indent] != '-' || line.size() < indent + 2) return std::nullopt;
  if (kLineBlanks.find(line[indent + 1]) == kNone) return std::nullopt;
  return scalar_of(line.substr(indent + 1));
}

std::string_view last_line(std::string_view text) {
  const size_t before = text.size() < 2 ? kNone : text.rfind('\n', text.size() - 2);
  return before == kNone ? text : text.substr(before + 1);
}

std::string_view value_of_item(std::string_view text) {
  size_t indent = 0;
  return text.ends_with('\n') ? item_of(last_line(text), indent).value_or(trimmed(text)) : text;
}

struct FlowParts {
  std::string_view opening, between, closing;
};
FlowParts flow_parts(std::string_view text) {
  text.remove_prefix(text.empty() ? 0 : 1);
  const size_t first = std::min(text.find('\n'), text.size());
  const size_t second = std::min(text.find('\n', first + 1), text.size());
  const size_t middle = std::min(first + 1, second);
  return {text.substr(0, first), text.substr(middle, second - middle), text.substr(std::min(second + 1, text.size()))};
}

/// A field taken apart: its own text, and what its items are.
struct Field {
  std::string text;
  std::vector<std::string> items;
};

Field read_block_list(std::string_view lines) {
  Field field{std::string(1, kBlockList).append(take_line(lines)), {}};
  std::string item;
  size_t common = kNone;
  while (!lines.empty()) {
    const std::string_view line = take_line(lines);
    item += line;
    if (is_comment(line)) continue;
    size_t indent = 0;
    if (!item_of(line, indent) || (common != kNone && indent != common) || !line.ends_with('\n')) return {};
    common = indent;
    field.items.push_back(std::exchange(item, {}));
  }
  return item.empty() ? field : Field{};
}

Field read_flow_list(std::string_view line, size_t colon) {
  const size_t open = line.find_first_not_of(kBlanks, colon + 1);
  if (open == kNone || line[open] != '[' || !line.ends_with('\n')) return {};
  Field field;
  size_t at = std::min(line.find_first_not_of(kBlanks, open + 1), line.size());
  const std::string_view opening = line.substr(0, at);
  std::optional<std::string_view> between;
  size_t end = at;
  for (bool more = line.substr(at, 1) != "]"; more;) {
    const std::string_view rest = line.substr(at);
    const size_t behind = is_quoted(rest) ? behind_quotes(rest) : 0;
    const size_t stop = behind == kNone ? kNone : line.find_first_of(",[]{}", at + behind);
    if (stop == kNone || (line[stop] != ',' && line[stop] != ']')) return {};
    end = std::max(at, line.find_last_not_of(kBlanks, stop - 1) + 1);
    const std::string_view item = line.substr(at, end - at);
    if (item.empty() || scalar_of(item) != item) return {};
    field.items.emplace_back(item);
    more = line[stop] == ',';
    if (!more) break;
    at = std::min(line.find_first_not_of(kBlanks, stop + 1), line.size());
    const std::string_view gap = line.substr(end, at - end);
    if (between && *between != gap) return {};
    between = gap;
  }
  const std::string_view closing = line.substr(end);
  const size_t bracket = closing.find(']');
  if (bracket == kNone || !(is_comment(closing.substr(bracket + 1)))) return {};
  field.text = std::string(1, kFlowList).append(opening).append("\n");
  field.text.append(between.value_or(", ")).append("\n").append(closing);
  return field;
}

std::string joined(const Field& field) {
  std::string text(list_opening(field.text));
  for (const std::string& item : written_items(field.text, {field.items.begin(), field.items.end()})) text += item;
  return text.append(list_closing(field.text));
}

Field read_field(std::string_view lines, size_t colon) {
  std::string_view rest = lines;
  const std::string_view first = take_line(rest);
  Field field;
  if (is_comment(first.substr(colon + 1))) {
    field = read_block_list(lines);
  } else if (rest.empty()) {
    field = read_flow_list(first, colon);
  }
  if (field.text.empty() || joined(field) != lines) field = {std::string(1, kPlainField).append(lines), {}};
  return field;
}

}  // namespace

bool is_list(std::string_view field_text) { return !field_text.starts_with(kPlainField); }

std::string field_of(std::string_view key) {
  std::string field(key.substr(0, key.find('\n')));
  field.front() = kField;
  return field;
}

std::string_view list_opening(std::string_view field_text) {
  return field_text.starts_with(kFlowList) ? flow_parts(field_text).opening
                                           : field_text.substr(std::min<size_t>(1, field_text.size()));
}

std::string_view list_closing(std::string_view field_text) {
  return field_text.starts_with(kFlowList) ? flow_parts(field_text).closing : std::string_view();
}

std::vector<std::string> written_items(std::string_view field_text, const std::vector<std::string_view>& items) {
  std::vector<std::string> written;
  if (field_text.starts_with(kFlowList)) {
    for (const std::string_view item : items) {
      std::string text(written.empty() ? std::string_view() : flow_parts(field_text).between);
      const std::string_view value = value_of_item(item);
      const bool is_safe = is_quoted(value) || value.find_first_of(",[]{}") == kNone;
      text += is_safe ? std::string(value) : emit_inline(Json(std::string(value)), ValueStyle::DoubleQuoted);
      written.push_back(std::move(text));
    }
    return written;
  }
  std::optional<std::string_view> indent;
  for (const std::string_view item : items) {
    if (!item.ends_with('\n')) continue;
    const std::string_view line = last_line(item);
    indent = line.substr(0, std::min(line.find('-'), line.size()));
    break;
  }
  const std::string_view newline = field_text.ends_with("\r\n") ? "\r\n" : "\n";
  for (const std::string_view item : items) {
    std::string text;
    if (item.ends_with('\n')) {
      const std::string_view line = last_line(item);
      text = item.substr(0, item.size() - line.size());
      text.append(*indent).append(line.substr(std::min(line.find('-'), line.size())));
    } else {
      text = std::string(indent.value_or("  ")).append("- ").append(item).append(newline);
    }
    written.push_back(std::move(text));
  }
  return written;
}

std::string_view field_value(std::string_view field_text) {
  const size_t colon = colon_of(field_text.substr(std::min<size_t>(1, field_text.size())));
  if (colon == kNone) return {};
  return unquoted(scalar_of(field_text.substr(colon + 2)).value_or(std::string_view()));
}

std::vector<Piece> cut_head(std::string_view head) {
  std::vector<Piece> pieces;
  if (head.empty()) return pieces;
  std::set<std::string> taken;
  const char* const start = head.data();
  size_t at = 0;
  const auto add = [&](std::string key, std::string text) {
    const size_t bare = key.size();
    for (int again = 1; !taken.insert(key).second; ++again) key.replace(bare, kNone, '\r' + std::to_string(again));
    pieces.push_back({key, std::move(text), at});
    return key;
  };
  add(std::string(1, kOpening), std::string(take_line(head)));
  const std::string_view closing = last_line(head);
  head.remove_suffix(closing.size());

  std::string comment;
  const auto add_comment = [&](std::string_view field) {
    if (!comment.empty()) add(std::string(1, kComment).append(field), std::exchange(comment, {}));
  };
  while (!head.empty()) {
    const std::string_view line = take_line(head);
    const size_t colon = colon_of(line);
    at = static_cast<size_t>(line.data() - start);
    if (colon == kNone) {
      comment += line;
      continue;
    }
    // The lines that go on with it; comments behind the last of them belong to what follows.
    size_t size = line.size();
    for (std::string_view rest = head; !rest.empty();) {
      const std::string_view next = take_line(rest);
      if (colon_of(next) != kNone) break;
      if (!is_comment(next)) size = line.size() + (head.size() - rest.size());
    }
    head.remove_prefix(size - line.size());
    Field field = read_field({line.data(), size}, colon);
    const std::string_view name = unquoted(trimmed(line.substr(0, colon)));
    const size_t place = pieces.size();
    const std::string key = add(std::string(1, kField).append(name), std::move(field.text));
    const std::string_view bare = std::string_view(key).substr(1);
    if (!comment.empty()) {
      add_comment(bare);
      std::swap(pieces[place], pieces.back());
    }
    for (std::string& item : field.items) {
      std::string item_key = std::string(1, kItem).append(bare).append("\n").append(unquoted(value_of_item(item)));
      add(std::move(item_key), std::move(item));
    }
  }
  add_comment({});
  at = static_cast<size_t>(closing.data() - start);
  add(std::string(1, kClosing), std::string(closing));
  return pieces;
}

}  // namespace diaryx::sync
