// Links between files as frontmatter writes them: `[Title](/path)`, `[Title](<a b.md>)` or a plain path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace diaryx::sync {

/// A link taken apart.
struct Link {
  std::string title;   // empty for a plain path
  std::string target;  // as written, without `<` `>` and escapes
  bool markdown = false;

  bool operator==(const Link&) const = default;
};

/// Total: what is not a Markdown link is a plain path. White space around it goes.
Link parse_link(std::string_view text);

/// The canonical workspace path that `link`, standing in file `from`, means: a workspace path without `/` in front. A target that
/// starts with `/` counts from the root, any other from the folder of `from`. Nothing if it leaves the workspace or is a URL
/// (`https://...`, `mailto:...`) or empty.
std::optional<std::string> canonical_path(const Link& link, std::string_view from);

/// `canonical_path`, or the text as it is when there is none: what metadata stores.
std::string canonicalize_reference(std::string_view text, std::string_view from);

/// True for `scheme:...` with two or more letters of scheme, and for `//host`.
bool is_url(std::string_view target);

/// `[title](/target)`, where `target` is a canonical path or a URL. In angle brackets if it holds a space or parenthesis.
std::string format_link(std::string_view target, std::string_view title);

/// The title of a path that has none: stem, `_` and `-` as spaces, first letter of each word upper-cased (ASCII).
std::string title_from_path(std::string_view path);

}  // namespace diaryx::sync
