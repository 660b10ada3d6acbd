// Three-way merge of text: a file changed on disk while its document changed too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diaryx/sync/text_diff.h"

namespace diaryx::sync {

/// The edits that bring what happened on disk (`base` -> `disk`) onto the document's present text `doc`
/// (`base` -> `doc` happened meanwhile).
///
/// base     the text that disk and document last shared: what was last written to, or read from, the disk.
/// Returns  edits on `doc`, under the rules of text_diff.h. Applied, they keep every insertion of both sides; they
///          delete what the disk deleted, except text that the document gained since; what both sides did alike is
///          done once. Texts inserted at one place stand side by side, the document's first; shared whole lines, or
///          one inside the other, are kept once.
/// Promises `doc == base` gives `disk`; `disk == base` and `disk == doc` give no edit.
/// Cost     two calls of `diff_text`.
std::vector<TextEdit> merge3(std::string_view base, std::string_view disk, std::string_view doc);

}  // namespace diaryx::sync
