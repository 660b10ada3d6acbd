// Files from metadata: the text of an entry that only an old peer wrote, and an old peer's edit brought into a head.
#pragma once

#include <string>
#include <string_view>

#include "diaryx/base/result.h"
#include "diaryx/sync/metadata.h"

namespace diaryx::sync {

/// The block with both `---` lines, in the key order old peers use: title, part_of, contents, audience, description,
/// attachments, updated, then `extra` in its own order without names that stand above and names with `_` in front (T15).
///
/// Links are written from the root, `[Title](/path)`.
/// Returns  never empty: `updated` is always written, in UTC.
std::string render_head(const FileMetadata& metadata);

/// `render_head` and the body behind it, verbatim: no blank line is added (T16).
std::string render_file(const FileMetadata& metadata, std::string_view body);

/// Brings the change `before` -> `after` of an entry into the block that the file has: only keys that differ are
/// touched (T18), a link that still means the same keeps its spelling (T17), and `updated` follows only if the file
/// has that key. The titles of links that stay are kept.
///
/// head     the present block, as `split_frontmatter` cuts it; may be empty.
/// path     where the file is, since links in it may be relative.
/// Errors   as `Frontmatter::parse`: the head is then to be left alone.
Result<std::string> merge_into_head(std::string_view head, std::string_view path, const FileMetadata& before,
                                    const FileMetadata& after);

}  // namespace diaryx::sync
