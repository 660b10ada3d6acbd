// The YAML that people write into frontmatter, and nothing else: a reader of lines, by recursive descent.
//
// Invariants
// 1. Between two calls the reader stands either at the start of a line or inside the line whose rest is the value.
// 2. A value that was read ends at the start of a line (block) or at the value's last byte (flow, quoted, plain).
// 3. Depth and the number of values are bounded, and each byte is looked at a bounded number of times.
#include "yaml_reader.h"

#include <algorithm>

#include "diaryx/base/utf.h"

namespace diaryx::sync {
namespace {

constexpr std::string_view kBlanks = " \t";

class YamlReader {
 public:
  YamlReader(std::string_view text, size_t begin, size_t end) : text_(text.substr(0, end)), at_(begin) {}

  Result<std::vector<FrontmatterEntry>> entries() {
    std::vector<FrontmatterEntry> entries;
    for (size_t line = next_content(at_); line < text_.size(); line = next_content(at_)) {
      at_ = line;
      if (indent_at(line) != 0 || is_document_marker(line)) return broken();
      FrontmatterEntry entry;
      entry.begin = line;
      DX_TRY(entry.key, read_key());
      entry.value_begin = at_;
      node_ = {};
      items_.clear();
      DX_TRY(entry.value, read_value_after_key(0, 1));
      entry.node = node_;
      entry.style = style_;
      entry.items = style_ == ValueStyle::BlockSequence ? items_ : std::vector<TextRange>{};
      entry.end = at_;
      if (!entry.items.empty()) entry.items.back().end = at_;
      entries.push_back(std::move(entry));
    }
    return entries;
  }

 private:
  // ---- Lines ----

  char peek(size_t at) const { return at < text_.size() ? text_[at] : '\n'; }
  bool at_line_end(size_t at) const { return peek(at) == '\n' || (peek(at) == '\r' && peek(at + 1) == '\n'); }
  bool is_separator(size_t at) const { return peek(at) == ' ' || peek(at) == '\t' || at_line_end(at); }

  size_t line_end(size_t at) const { return std::min(text_.find('\n', at), text_.size()); }
  size_t next_line(size_t at) const { return std::min(line_end(at) + 1, text_.size()); }
  size_t skip_blanks(size_t at) const { return std::min(text_.find_first_not_of(kBlanks, at), text_.size()); }
  size_t indent_at(size_t line) const { return std::min(text_.find_first_not_of(' ', line), text_.size()) - line; }
  /// The content of a line without its newline.
  std::string_view line_text(size_t line) const {
    std::string_view content = text_.substr(line, line_end(line) - line);
    if (content.ends_with('\r')) content.remove_suffix(1);
    return content;
  }

  /// The start of the next line that is neither blank nor a comment; the end if there is none.
  size_t next_content(size_t line) const {
    while (line < text_.size()) {
      const size_t first = skip_blanks(line);
      if (first < text_.size() && !at_line_end(first) && text_[first] != '#') break;
      line = next_line(line);
    }
    return line;
  }

  std::unexpected<Error> broken() const { return broken(at_); }
  std::unexpected<Error> broken(size_t at) const { return fail(ErrorCode::InvalidFrontmatter, at); }

  /// Behind an inline value: only blanks and a comment may follow. Goes to the next line.
  Result<void> finish_line() {
    const size_t rest = skip_blanks(at_);
    if (rest < text_.size() && !at_line_end(rest)) {
      if (text_[rest] != '#' || rest == at_) return broken(rest);
    }
    at_ = next_line(rest);
    return {};
  }

  bool is_document_marker(size_t line) const {
    const std::string_view start = text_.substr(line, 3);
    return (start == "---" || start == "...") && is_separator(line + 3);
  }

  bool is_dash(size_t at) const { return peek(at) == '-' && is_separator(at + 1); }

  Result<void> count_value() {
    if (++values_ > kMaxYamlValues) return fail(ErrorCode::TooLarge, at_);
    return {};
  }

  // ---- Keys ----

  /// Reads `key:` at the present place and stops behind the colon.
  Result<std::string> read_key() {
    const size_t colon = find_key_end(at_);
    if (colon == std::string_view::npos) return broken();
    std::string key;
    if (text_[at_] == '"' || text_[at_] == '\'') {
      DX_TRY(key, read_quoted());
    } else {
      std::string_view plain = text_.substr(at_, colon - at_);
      while (!plain.empty() && kBlanks.find(plain.back()) != std::string_view::npos) plain.remove_suffix(1);
      key = std::string(plain);
    }
    at_ = colon + 1;
    return key;
  }

  /// The colon of a `key:` that starts at `at`, on this line; npos if there is no key.
  size_t find_key_end(size_t at) const {
    constexpr size_t kNone = std::string_view::npos;
    const size_t end = line_end(at);
    if (peek(at) == '"' || peek(at) == '\'') {
      const size_t close = find_closing_quote(at);
      if (close == kNone || close > end) return kNone;
      const size_t colon = skip_blanks(close + 1);
      return peek(colon) == ':' && colon < end && is_separator(colon + 1) ? colon : kNone;
    }
    if (!can_start_plain(at, false)) return kNone;
    for (size_t i = at; i < end; ++i) {
      if (text_[i] == ':' && is_separator(i + 1)) return i == at ? kNone : i;
      if (text_[i] == '#' && i > at && kBlanks.find(text_[i - 1]) != std::string_view::npos) return kNone;
    }
    return kNone;
  }

  size_t find_closing_quote(size_t open) const {
    const char quote = text_[open];
    for (size_t i = open + 1; i < text_.size(); ++i) {
      if (quote == '"' && text_[i] == '\\')
        ++i;
      else if (quote == '\'' && text_[i] == '\'' && peek(i + 1) == '\'')
        ++i;
      else if (text_[i] == quote)
        return i;
    }
    return std::string_view::npos;
  }

  bool can_start_plain(size_t at, bool in_flow) const {
    const char c = peek(at);
    if (c == '-' || c == '?' || c == ':') {
      const bool safe_next = !is_separator(at + 1);
      return safe_next && !(in_flow && std::string_view(",[]{}").find(peek(at + 1)) != std::string_view::npos);
    }
    return std::string_view(",[]{}#&*!|>'\"%@` \t\n\r").find(c) == std::string_view::npos;
  }

  // ---- Block values ----

  /// The value behind `key:`; `indent` is the key's column. Stops at the start of the line after the value.
  Result<Json> read_value_after_key(size_t indent, size_t depth) {
    const size_t first = skip_blanks(at_);
    const bool comment = peek(first) == '#' && first > at_;
    if (!at_line_end(first) && !comment) {
      at_ = first;
      if (is_dash(first)) return broken(first);
      return read_inline_value(indent, depth);
    }
    const size_t behind_key = at_;
    at_ = next_line(first);
    const size_t line = next_content(at_);
    const size_t inner = line < text_.size() ? indent_at(line) : 0;
    const bool has_block = line < text_.size() && (inner > indent || (inner == indent && is_dash(line + inner)));
    if (has_block) {
      at_ = line + inner;
      return read_block(line, inner, indent, depth);
    }
    if (depth == 1) node_ = {behind_key, behind_key}, style_ = ValueStyle::None;
    DX_TRY_VOID(count_value());
    return Json(nullptr);
  }

  /// A block value that starts at the present place, in column `column` of `line`; its parent stands at `parent`.
  Result<Json> read_block(size_t line, size_t column, size_t parent, size_t depth) {
    if (depth > kMaxYamlDepth) return fail(ErrorCode::TooDeep, at_);
    if (peek(at_) == '\t') return broken();  // a tab is no indentation
    if (is_dash(at_)) return read_sequence(line, column, depth);
    if (find_key_end(at_) != std::string_view::npos) return read_mapping(line, column, depth);
    return read_inline_value(parent, depth);
  }

  Result<Json> read_sequence(size_t line, size_t column, size_t depth) {
    Json list = Json::array();
    const size_t begin = line;
    std::vector<TextRange> items;
    for (;;) {
      DX_TRY_VOID(count_value());
      if (!items.empty()) items.back().end = line;
      items.push_back({line, line});
      DX_TRY(Json item, read_item(line, column, depth));
      list.push(std::move(item));
      const size_t next = next_content(at_);
      if (next >= text_.size() || indent_at(next) < column) break;
      if (indent_at(next) > column) return broken(next);
      if (!is_dash(next + column)) break;
      line = next;
      at_ = next + column;
    }
    if (depth == 1) {
      node_ = {begin, at_};
      style_ = ValueStyle::BlockSequence;
      items_ = std::move(items);
    }
    return list;
  }

  /// One `- item`; stands on the dash.
  Result<Json> read_item(size_t line, size_t column, size_t depth) {
    const size_t first = skip_blanks(at_ + 1);
    const bool comment = peek(first) == '#' && first > at_ + 1;
    if (at_line_end(first) || comment) {
      at_ = next_line(first);
      const size_t next = next_content(at_);
      if (next >= text_.size() || indent_at(next) <= column) return Json(nullptr);
      at_ = next + indent_at(next);
      return read_block(next, indent_at(next), column, depth + 1);
    }
    at_ = first;
    return read_block(line, first - line, column, depth + 1);
  }

  Result<Json> read_mapping(size_t line, size_t column, size_t depth) {
    Json map = Json::object();
    const size_t begin = line;
    for (;;) {
      DX_TRY_VOID(count_value());
      DX_TRY(std::string key, read_key());
      DX_TRY(Json value, read_value_after_key(column, depth + 1));
      map.set(std::move(key), std::move(value));
      const size_t next = next_content(at_);
      if (next >= text_.size() || indent_at(next) < column) break;
      if (indent_at(next) > column) return broken(next);
      if (is_dash(next + column)) break;  // belongs to a sequence around this map; the caller decides
      at_ = next + column;
    }
    if (depth == 1) node_ = {begin, at_}, style_ = ValueStyle::BlockMapping;
    return map;
  }

  // ---- Values that start on a line ----

  Result<Json> read_inline_value(size_t parent, size_t depth) {
    if (depth > kMaxYamlDepth) return fail(ErrorCode::TooDeep, at_);
    DX_TRY_VOID(count_value());
    const size_t begin = at_;
    const char c = peek(at_);
    ValueStyle style = ValueStyle::Plain;
    Json value;
    if (c == '|' || c == '>') {
      DX_TRY(std::string scalar, read_block_scalar(parent));
      if (depth == 1) node_ = {begin, at_}, style_ = ValueStyle::BlockScalar;
      return Json(std::move(scalar));
    }
    if (c == '"' || c == '\'') {
      style = c == '"' ? ValueStyle::DoubleQuoted : ValueStyle::SingleQuoted;
      DX_TRY(value, read_quoted());
    } else if (c == '[' || c == '{') {
      style = ValueStyle::Flow;
      DX_TRY(value, read_flow(depth));
    } else {
      if (!can_start_plain(at_, false)) return broken();
      DX_TRY(value, read_plain_lines(parent));
    }
    if (depth == 1) node_ = {begin, at_}, style_ = style;
    DX_TRY_VOID(finish_line());
    return value;
  }

  /// Lines of a text that is folded: one newline is a space.
  static void append_breaks(std::string& text, size_t breaks) {
    text.append(breaks == 1 ? 1 : breaks - 1, breaks == 1 ? ' ' : '\n');
  }

  /// A plain scalar, with the deeper lines that continue it. Stops behind its last letter.
  Result<Json> read_plain_lines(size_t parent) {
    DX_TRY(std::string scalar, read_plain_line(false));
    bool folded = false;
    for (;;) {
      if (const size_t rest = skip_blanks(at_); !at_line_end(rest) || rest >= text_.size()) break;
      size_t line = next_line(at_), breaks = 1;
      while (line < text_.size() && at_line_end(skip_blanks(line))) line = next_line(line), ++breaks;
      if (line >= text_.size() || indent_at(line) <= parent) break;
      const size_t first = skip_blanks(line);
      if (text_[first] == '#') break;
      at_ = first;
      DX_TRY(const std::string more, read_plain_line(false));
      append_breaks(scalar, breaks);
      scalar.append(more);
      folded = true;
    }
    return folded ? Json(std::move(scalar)) : resolve_plain_scalar(scalar);
  }

  /// The part of a plain scalar on this line. A key inside it (`a: b: c`) is an error.
  Result<std::string> read_plain_line(bool in_flow) {
    const size_t begin = at_;
    size_t end = begin, i = begin;
    for (; i < text_.size() && !at_line_end(i); ++i) {
      const char c = text_[i];
      if (c == '#' && i > begin && kBlanks.find(text_[i - 1]) != std::string_view::npos) break;
      if (in_flow && std::string_view(",[]{}").find(c) != std::string_view::npos) break;
      if (c == ':' &&
          (is_separator(i + 1) || (in_flow && std::string_view(",[]{}").find(peek(i + 1)) != std::string_view::npos))) {
        if (!in_flow) return broken(i);
        break;
      }
      if (kBlanks.find(c) == std::string_view::npos) end = i + 1;
    }
    at_ = end;
    return std::string(text_.substr(begin, end - begin));
  }

  // ---- Quoted scalars ----

  /// Stands on the opening quote, stops behind the closing one. May run over several lines, which are folded.
  Result<std::string> read_quoted() {
    const size_t close = find_closing_quote(at_);
    if (close == std::string_view::npos) return broken();
    const bool escapes = text_[at_] == '"';
    std::string out;
    size_t i = at_ + 1;
    size_t keep = 0;  // blanks before a newline go, unless they were escaped
    while (i < close) {
      if (at_line_end(i)) {
        DX_TRY(i, fold_quoted_line(i, close, out, keep));
      } else if (escapes && text_[i] == '\\') {
        DX_TRY(i, read_escape(i, close, out));
        keep = out.size();
      } else {
        if (!escapes && text_[i] == '\'') ++i;  // '' stands for one
        out.push_back(text_[i++]);
        if (kBlanks.find(out.back()) == std::string_view::npos) keep = out.size();
      }
    }
    at_ = close + 1;
    return out;
  }

  Result<size_t> fold_quoted_line(size_t i, size_t close, std::string& out, size_t& keep) const {
    out.resize(keep);
    size_t breaks = 0;
    while (i < close && at_line_end(i)) {
      i = skip_blanks(next_line(i));
      ++breaks;
    }
    append_breaks(out, breaks);
    keep = out.size();
    return std::min(i, close);
  }

  Result<size_t> read_escape(size_t i, size_t close, std::string& out) const {
    const char c = peek(i + 1);
    if (at_line_end(i + 1)) {  // the newline is joined away, with the blanks after it; blank lines behind it are not
      i = skip_blanks(next_line(i + 1));
      for (; i < close && at_line_end(i); i = skip_blanks(next_line(i))) out.push_back('\n');
      return std::min(i, close);
    }
    constexpr std::string_view kNames = "0abtnvfre \"/\\\t";
    constexpr std::string_view kMeans{"\0\a\b\t\n\v\f\r\x1b \"/\\\t", 14};
    if (const size_t found = kNames.find(c); found != std::string_view::npos) {
      out.push_back(kMeans[found]);
      return i + 2;
    }
    if (c == 'N' || c == '_' || c == 'L' || c == 'P') {
      append_utf8(out, c == 'N' ? 0x85 : c == '_' ? 0xa0 : c == 'L' ? 0x2028 : 0x2029);
      return i + 2;
    }
    const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0 || i + 2 + digits > close) return broken(i);
    DX_TRY(char32_t scalar, read_hex(i + 2, digits));
    i += 2 + digits;
    if (scalar >= 0xd800 && scalar < 0xdc00 && i + 6 <= close && text_.substr(i, 2) == "\\u") {
      DX_TRY(const char32_t low, read_hex(i + 2, 4));  // JSON writes pairs, and JSON is YAML
      if (low >= 0xdc00 && low < 0xe000) {
        scalar = 0x10000 + ((scalar - 0xd800) << 10) + (low - 0xdc00);
        i += 6;
      }
    }
    append_utf8(out, scalar);
    return i;
  }

  Result<char32_t> read_hex(size_t at, size_t digits) const {
    char32_t number = 0;
    for (size_t i = at; i < at + digits; ++i) {
      const size_t digit =
          std::string_view("0123456789abcdef")
              .find(text_[i] >= 'A' && text_[i] <= 'F' ? static_cast<char>(text_[i] - 'A' + 'a') : text_[i]);
      if (digit == std::string_view::npos) return broken(i);
      number = number * 16 + static_cast<char32_t>(digit);
    }
    return number;
  }

  // ---- Block scalars ----

  struct BlockHeader {
    bool folded = false;
    char chomp = ' ';     // `-` strip, `+` keep, ` ` clip
    size_t indent = 0;    // explicit, relative to the parent; 0: find it
  };

  Result<BlockHeader> read_block_header() {
    BlockHeader header;
    header.folded = text_[at_++] == '>';
    for (int i = 0; i < 2; ++i) {
      const char c = peek(at_);
      if (c == '-' || c == '+')
        header.chomp = c, ++at_;
      else if (c >= '1' && c <= '9')
        header.indent = static_cast<size_t>(c - '0'), ++at_;
    }
    DX_TRY_VOID(finish_line());
    return header;
  }

  Result<std::string> read_block_scalar(size_t parent) {
    DX_TRY(const BlockHeader header, read_block_header());
    size_t indent = header.indent == 0 ? 0 : parent + header.indent;
    std::vector<std::string_view> lines;
    size_t end = at_;  // behind the last line that is not blank
    size_t filled = 0;
    for (size_t line = at_; line < text_.size(); line = next_line(line)) {
      const std::string_view content = line_text(line);
      const size_t column = std::min(content.find_first_not_of(' '), content.size());
      if (column == content.size()) {  // nothing but spaces: those beyond the indentation are text
        const bool has_text = indent > 0 && content.size() > indent;
        lines.push_back(has_text ? content.substr(indent) : std::string_view{});
        if (has_text) filled = lines.size(), end = next_line(line);
        continue;
      }
      if (indent == 0) indent = std::max(column, parent + 1);
      if (column < indent) {
        if (column > parent) return broken(line);
        break;
      }
      lines.push_back(content.substr(indent));
      filled = lines.size();
      end = next_line(line);
    }
    const size_t trailing = lines.size() - filled;
    lines.resize(filled);
    at_ = end;
    if (header.chomp == '+')
      for (size_t i = 0; i < trailing; ++i) at_ = next_line(at_);
    std::string out = header.folded ? fold_lines(lines) : join_lines(lines);
    if (header.chomp == '+')
      out.append((filled > 0 ? 1 : 0) + trailing, '\n');
    else if (header.chomp == ' ' && filled > 0)
      out.push_back('\n');
    return out;
  }

  static std::string join_lines(const std::vector<std::string_view>& lines) {
    std::string out;
    for (size_t i = 0; i < lines.size(); ++i) {
      if (i > 0) out.push_back('\n');
      out.append(lines[i]);
    }
    return out;
  }

  // A newline between two lines of text becomes a space; blank lines stay as newlines; around indented lines all stay.
  static std::string fold_lines(const std::vector<std::string_view>& lines) {
    std::string out;
    const auto is_indented = [](std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); };
    bool previous_is_text = false;
    size_t breaks = 0;
    for (size_t i = 0; i < lines.size(); ++i) {
      if (i > 0) ++breaks;
      if (lines[i].empty()) continue;
      const bool text = !is_indented(lines[i]);
      if (out.empty() && breaks == i)
        out.append(breaks, '\n');  // leading blank lines
      else if (text && previous_is_text && breaks == 1)
        out.push_back(' ');
      else
        out.append(text && previous_is_text ? breaks - 1 : breaks, '\n');
      out.append(lines[i]);
      previous_is_text = text;
      breaks = 0;
    }
    return out;
  }

  // ---- Flow collections ----

  /// Goes over blanks, newlines and comments inside brackets.
  void skip_flow_space() {
    for (;;) {
      const size_t before = at_;
      at_ = skip_blanks(at_);
      if (at_ >= text_.size()) return;
      if (at_line_end(at_))
        at_ = next_line(at_);
      else if (text_[at_] == '#' && (at_ > before || text_[at_ - 1] == '\n'))
        at_ = line_end(at_);
      else
        return;
    }
  }

  Result<Json> read_flow(size_t depth) {
    if (depth > kMaxYamlDepth) return fail(ErrorCode::TooDeep, at_);
    const bool is_map = text_[at_] == '{';
    const char close = is_map ? '}' : ']';
    ++at_;
    Json out = is_map ? Json::object() : Json::array();
    for (;;) {
      skip_flow_space();
      if (at_ >= text_.size()) return broken();
      if (text_[at_] == close) break;
      DX_TRY_VOID(is_map ? read_flow_pair(out, depth) : read_flow_item(out, depth));
      skip_flow_space();
      if (peek(at_) == ',')
        ++at_;
      else if (peek(at_) != close || at_ >= text_.size())
        return broken();
    }
    ++at_;
    return out;
  }

  Result<void> read_flow_item(Json& list, size_t depth) {
    DX_TRY(Json item, read_flow_value(depth));
    list.push(std::move(item));
    return {};
  }

  Result<void> read_flow_pair(Json& map, size_t depth) {
    const bool quoted = peek(at_) == '"' || peek(at_) == '\'';
    std::string key;
    if (quoted) {
      DX_TRY(key, read_quoted());
    } else {
      if (!can_start_plain(at_, true)) return broken();
      DX_TRY(key, read_plain_line(true));
    }
    skip_flow_space();
    Json value;
    if (peek(at_) == ':' && at_ < text_.size()) {
      // Behind a quoted key the value may follow at once, as in JSON; behind a plain one `:x` is no colon.
      if (!quoted && !is_separator(at_ + 1) && std::string_view(",[]{}").find(peek(at_ + 1)) == std::string_view::npos)
        return broken();
      ++at_;
      skip_flow_space();
      if (peek(at_) != ',' && peek(at_) != '}') {
        DX_TRY(value, read_flow_value(depth));
      }
    }
    map.set(std::move(key), std::move(value));
    return count_value();
  }

  Result<Json> read_flow_value(size_t depth) {
    DX_TRY_VOID(count_value());
    if (at_ >= text_.size()) return broken();
    const char c = text_[at_];
    if (c == '[' || c == '{') return read_flow(depth + 1);
    if (c == '"' || c == '\'') {
      DX_TRY(std::string quoted, read_quoted());
      return Json(std::move(quoted));
    }
    if (!can_start_plain(at_, true)) return broken();
    DX_TRY(std::string scalar, read_plain_line(true));
    bool folded = false;
    for (;;) {  // a plain scalar may go on in the next line, but not behind a comment
      const size_t before = at_;
      skip_flow_space();
      const std::string_view between = text_.substr(before, at_ - before);
      const auto breaks = static_cast<size_t>(std::ranges::count(between, '\n'));
      if (breaks == 0 || between.contains('#') || !can_start_plain(at_, true)) {
        at_ = before;
        break;
      }
      DX_TRY(const std::string more, read_plain_line(true));
      append_breaks(scalar, breaks);
      scalar.append(more);
      folded = true;
    }
    return folded ? Json(std::move(scalar)) : resolve_plain_scalar(scalar);
  }

  std::string_view text_;
  size_t at_;
  size_t values_ = 0;
  // Of the top-level value that was read last.
  TextRange node_;
  ValueStyle style_ = ValueStyle::None;
  std::vector<TextRange> items_;
};

// Control characters are no YAML, and a lone carriage return would be a newline to some readers and none to others.
size_t find_forbidden(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const bool lone_return = byte == '\r' && (i + 1 >= text.size() || text[i + 1] != '\n');
    if (lone_return || (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f) return i;
  }
  return std::string_view::npos;
}

}  // namespace

Result<std::vector<FrontmatterEntry>> read_yaml_entries(std::string_view text, size_t begin, size_t end) {
  const size_t forbidden = find_forbidden(text);
  if (forbidden != std::string_view::npos) return fail(ErrorCode::InvalidFrontmatter, forbidden);
  return YamlReader(text, begin, end).entries();
}

}  // namespace diaryx::sync
