// Document ids as they stand on the wire: `workspace:<workspace id>` and `body:<workspace id>/<key>`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "diaryx/base/result.h"
#include "diaryx/base/units.h"

namespace diaryx::sync {

/// The width of the length field of a frame. A longer id is refused, never cut (T26).
inline constexpr size_t kMaxDocIdBytes = 255;

enum class DocKind : uint8_t { Workspace, Body };

/// A document id taken apart. Both texts are views into the id that was parsed.
struct ParsedDocId {
  DocKind kind;
  std::string_view workspace;
  std::string_view key;  // empty for the workspace doc; not normalised or checked: see path.h

  bool operator==(const ParsedDocId&) const = default;
};

/// Takes an id apart. A body id is split at the first `/`; the key may contain more of them.
///
/// id       not trusted.
/// Errors   InvalidDocId: unknown prefix, an empty workspace or key, `body:` without `/`; DocIdTooLong.
Result<ParsedDocId> parse_doc_id(std::string_view id);

/// Errors: InvalidDocId for an empty id, or one with `/` or a control character in it; DocIdTooLong.
Result<DocId> workspace_doc_id(std::string_view workspace);

/// Errors: as `workspace_doc_id`, and InvalidDocId for an empty key.
Result<DocId> body_doc_id(std::string_view workspace, std::string_view key);

}  // namespace diaryx::sync
