// The frontmatter block as a body document holds it: the block that was imported, and field by field what changed since.
//
// Letters that two people type at one place stand side by side, which is right for prose and ruins `title: "A"`. So a change of
// the block is not typed into it: it is a record of the field, the list item or the comment that it changes, and what the
// records make of the block is computed, by every device alike, from what is in the document. Nobody has to repair anything.
//
// Invariants
// 1. The block shown depends on the document only, not on the order in which it came together.
// 2. An edit made of the block that is shown shows exactly the block that was written, byte for byte.
// Source: docs/decisions/0013-frontmatter-merges-by-field.md; docs/protocol.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/text.h"

namespace diaryx::sync {

/// A handle: cheap to copy, valid as long as the Doc. Made before a transaction is opened, since it names roots.
class HeadText {
 public:
  explicit HeadText(crdt::Doc& doc);

  /// The block, with both `---` lines, or empty. Total: whatever peers put into the document.
  /// Cost: a copy while no field was changed; else O(n log n) of block and records.
  std::string to_string() const;

  /// Nothing was changed since the import: every unit is in the root `head`.
  bool is_as_imported() const;

  /// A piece of the block and the unit that brought it.
  struct Run {
    std::string text;
    crdt::Id id;
  };
  std::vector<Run> runs() const;

  /// Carries an edit over that was made of an older block: `before` became `after`.
  ///
  /// shown    what is shown in place of a block that is in no document yet (rendered from metadata), else empty: what the edit
  ///          does not change then loses against anybody's change.
  /// perhaps  blocks of which it may have been made as well; nobody knows. What `after` shares with any of them was not changed, and
  ///          only what is the same in all of them can have been taken out.
  void carry(crdt::Transaction& txn, std::string_view before, std::string_view after, std::string_view shown = {},
             std::span<const std::string> perhaps = {});

  /// Makes `wanted`, a block as `split_frontmatter` cuts it, or empty, what is shown.
  void set(crdt::Transaction& txn, std::string_view wanted, std::string_view shown = {});

 private:
  crdt::Text imported_;
  crdt::Text changed_;
};

}  // namespace diaryx::sync
