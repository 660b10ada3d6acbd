// Which operations a text on disk is made of, so that an edit of it finds its place in a document that went on meanwhile.
//
// Comparing texts can only guess what the others did: one line that was deleted and one that was typed look like one line that
// was changed. The ids of the letters say it exactly.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/crdt/text.h"
#include "diaryx/sync/text_diff.h"

namespace diaryx::sync {

/// The visible units of the body of a document at some moment, in order. (A head is merged by field, not letter by letter.)
struct TextUnits {
  std::vector<crdt::TextSpan> body;

  bool operator==(const TextUnits&) const = default;
};

/// One line of printable characters.
std::string encode_units(const TextUnits& units);
/// Errors: InvalidMessage.
Result<TextUnits> decode_units(std::string_view text);

/// Carries edits that were made of an older version of `text` into it.
///
/// units    that version, unit by unit; `edits` count in it.
/// Returns  the units of the edited version, without what others did since.
/// Cost     one pass over the units, and a search for each that is touched.
std::vector<crdt::TextSpan> carry_edits(crdt::Text text, crdt::Transaction& txn,
                                        const std::vector<crdt::TextSpan>& units, const std::vector<TextEdit>& edits);

/// How many UTF-16 units that are.
Length length_of(const std::vector<crdt::TextSpan>& units);

}  // namespace diaryx::sync
