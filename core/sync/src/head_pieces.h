// A frontmatter block cut into what is merged on its own: its two `---` lines, comments, fields, and the items of lists.
//
// Lines are looked at, not YAML: every text can be cut, and put together again it is the same text, byte for byte.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace diaryx::sync {

/// What `key` of a piece begins with.
inline constexpr char kOpening = '<';
inline constexpr char kClosing = '>';
inline constexpr char kComment = 'c';  // and the field behind it, or nothing: the lines in front of that
inline constexpr char kField = 'k';  // and its name
inline constexpr char kItem = 'i';  // and the field, a newline, and what the item says

/// How the text of a field begins.
inline constexpr char kPlainField = 'a';  // all its lines
inline constexpr char kBlockList = 'b';  // the line in front of the items; a field without a value is such a list
inline constexpr char kFlowList =
    'f';  // what is in front of the items, what is between them, and what is behind, in three lines

struct Piece {
  std::string key;  // no other piece of the block has it
  std::string text;
  size_t at = 0;  // where its field, or it itself, begins in the block
};

/// The pieces in their order, the items of a list behind its field. Total; nothing for an empty text.
std::vector<Piece> cut_head(std::string_view head);

/// The field of an item, as its key; of a comment the field behind it.
std::string field_of(std::string_view key);

bool is_list(std::string_view field_text);

/// The items of a list as they stand in the block, in the form of `field_text`, which they had not before perhaps: each with what is
/// in front of it. Before them comes `list_opening`, behind them `list_closing`.
std::vector<std::string> written_items(std::string_view field_text, const std::vector<std::string_view>& items);
std::string_view list_opening(std::string_view field_text);
std::string_view list_closing(std::string_view field_text);

/// What stands behind the colon of a field on one line, without quotes and comment.
std::string_view field_value(std::string_view field_text);

}  // namespace diaryx::sync
