#pragma once

#include <string_view>
#include <vector>

#include "diaryx/base/json.h"
#include "diaryx/base/result.h"
#include "diaryx/sync/frontmatter.h"

namespace diaryx::sync {

/// Reads the top-level entries of a frontmatter block.
///
/// text         the whole head; offsets of the entries count from its start.
/// begin, end   the lines between the two `---` lines.
/// Errors       as `Frontmatter::parse`.
Result<std::vector<FrontmatterEntry>> read_yaml_entries(std::string_view text, size_t begin, size_t end);

/// What a plain scalar means in the core schema: null, a boolean, a number, or the text itself. Integers that a double
/// cannot hold, and numbers with leading zeros, stay text: they are somebody's ids.
Json resolve_plain_scalar(std::string_view scalar);

}  // namespace diaryx::sync
