// The YAML block in front of a Markdown file: where it ends, what it says, and how to change one key of it.
//
// Invariants
// 1. head + body is the file, byte for byte.
// 2. A change touches the bytes of one key and nothing else: comments, order, quoting, indentation and line endings of
//    the rest are the user's.
// 3. What cannot be understood is reported and left as it is, never rewritten.
// Source: docs/protocol.md, "Files"; YAML 1.2 core schema for values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/json.h"
#include "diaryx/base/result.h"

namespace diaryx::sync {

/// Blocks beyond this are carried as text and not read.
inline constexpr size_t kMaxFrontmatterBytes = 1u << 20;
/// Deepest nesting of lists and maps that is read.
inline constexpr size_t kMaxYamlDepth = 32;
/// Most values, at all levels together, that are read.
inline constexpr size_t kMaxYamlValues = 10'000;

/// A file's text cut in two. `head` is the block with both `---` lines and the last newline, or empty; both are views.
struct SplitText {
  std::string_view head;
  std::string_view body;
};

/// There is a block if the text starts with `---\n` or `---\r\n` and, after at least one further line, a line `---` ends
/// with its newline. The body starts right after it; a leading blank line belongs to the body (T16, T25). Total.
SplitText split_frontmatter(std::string_view text);

/// How a value is written. `None`: nothing stands behind the colon.
enum class ValueStyle : uint8_t {
  None,
  Plain,
  SingleQuoted,
  DoubleQuoted,
  BlockScalar,
  Flow,
  BlockSequence,
  BlockMapping
};

/// Bytes of `Frontmatter::text()`.
struct TextRange {
  size_t begin = 0;
  size_t end = 0;
};

/// One top-level key of a block. Offsets count bytes in `Frontmatter::text()`.
struct FrontmatterEntry {
  std::string key;
  Json value;
  ValueStyle style = ValueStyle::None;
  size_t begin = 0;  // start of the key's line
  size_t value_begin = 0;  // just behind the colon
  TextRange node;  // the value itself, without the comment behind it
  size_t end = 0;  // behind the newline of the value's last line; comments and blank lines after it are out
  std::vector<TextRange> items;  // of a block sequence: whole lines, comments between two items with the first
};

/// A block taken apart without losing a byte.
class Frontmatter {
 public:
  /// An empty block: no keys, no text.
  Frontmatter() = default;

  /// head     a block as `split_frontmatter` cuts it, or empty; not trusted.
  /// Reads    plain, quoted and block scalars, block and flow lists and maps, comments; a repeated key counts last.
  /// Errors   InvalidFrontmatter with the byte where reading stopped: not a map, anchors, aliases, tags, complex keys,
  ///          several documents, tabs as indentation, or plainly broken; InvalidUtf8, TooDeep, TooLarge.
  static Result<Frontmatter> parse(std::string_view head);

  const std::string& text() const { return text_; }
  bool empty() const { return entries_.empty(); }
  const std::vector<FrontmatterEntry>& entries() const { return entries_; }
  /// The value of the last entry with this key, or null.
  const Json* find(std::string_view key) const;
  /// Two entries with one key: old peers cannot read such a block.
  bool has_repeated_key() const;

  /// Gives `key` this value: in place where the key stands (comment behind it, style of the list and quoting kept where
  /// the new value allows), else as a new last key. The same value again changes nothing.
  /// Returns false, with nothing changed, if the block could not be read back with this value: a key or text that is
  /// not UTF-8, nesting beyond `kMaxYamlDepth`, a block beyond `kMaxFrontmatterBytes`, a number that is not finite.
  bool set(std::string_view key, const Json& value);

  /// Takes out all entries of `key` with their lines, and blank lines behind them that would count to the text in front.
  /// A block without any line left becomes empty text.
  void remove(std::string_view key);

 private:
  bool try_text(std::string text, std::string_view key, const Json& value);
  std::string without(std::string_view key, bool with_blank_lines) const;
  bool says_the_same_beside(const Frontmatter& shorter, std::string_view key) const;

  std::string text_;
  std::vector<FrontmatterEntry> entries_;
};

/// `key: value` as block lines, newline included; maps inside lists and lists inside maps are written nested.
/// newline  `\n` or `\r\n`.
std::string emit_entry(std::string_view key, const Json& value, std::string_view newline = "\n");

/// A value on one line that reads back as exactly this value: strings plain when that is safe, else quoted with escapes
/// (T19); lists and maps in flow style.
///
/// style  `SingleQuoted` and `DoubleQuoted` ask for those quotes around a string, other styles ask for nothing.
std::string emit_inline(const Json& value, ValueStyle style = ValueStyle::Plain);

}  // namespace diaryx::sync
