// Links between files as frontmatter writes them: `[Title](/path)`, `[Title](<a b.md>)` or a plain path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "diaryx/base/units.h"

namespace diaryx::sync {

/// How links are written. Stored canonical paths are workspace paths without a leading `/`.
enum class LinkFormat : uint8_t {
  MarkdownRoot,      // `[Title](/notes/day.md)`, the default
  MarkdownRelative,  // `[Title](../day.md)`
  PlainRelative,     // `../day.md`
  PlainCanonical,    // `notes/day.md`
};

/// What a path that starts with neither `/` nor `./` nor `../` is relative to.
enum class Ambiguous : uint8_t {
  RelativeToFile,  // the default everywhere
  FromRoot,        // workspaces whose `link_format` is `plain_canonical`
};

/// A link taken apart.
struct Link {
  std::string title;   // empty for a plain path
  std::string target;  // as written, without `<` `>` and escapes
  bool markdown = false;

  bool operator==(const Link&) const = default;
};

/// Total: what is not a Markdown link is a plain path. White space around it goes.
Link parse_link(std::string_view text);

/// The canonical workspace path that `link`, standing in file `from`, means. Nothing if it leaves the workspace or is
/// a URL (`https://...`, `mailto:...`) or empty.
std::optional<std::string> canonical_path(const Link& link, std::string_view from,
                                          Ambiguous ambiguous = Ambiguous::RelativeToFile);

/// `canonical_path`, or the text as it is when there is none: what metadata stores.
std::string canonicalize_reference(std::string_view text, std::string_view from,
                                   Ambiguous ambiguous = Ambiguous::RelativeToFile);

/// True for `scheme:...` with two or more letters of scheme, and for `//host`.
bool is_url(std::string_view target);

/// Writes a link to canonical `target` for file `from`. URLs in angle brackets if they hold a space or parenthesis.
std::string format_link(LinkFormat format, std::string_view target, std::string_view from, std::string_view title);

/// The title of a path that has none: stem, `_` and `-` as spaces, first letter of each word upper-cased (ASCII).
std::string title_from_path(std::string_view path);

/// The file name for a title: lower-case, runs of other characters than letters and digits become `-`, `.md` behind it.
/// Letters beyond ASCII are kept as they are.
std::string file_name_from_title(std::string_view title);

/// `markdown_root`, `markdown_relative`, `plain_relative`, `plain_canonical`; nothing for another name.
std::optional<LinkFormat> parse_link_format(std::string_view name);

}  // namespace diaryx::sync
