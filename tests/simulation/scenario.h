// One seed: a world with faults, people who work in it, and what must hold afterwards.
#pragma once

#include <cstdint>
#include <string>

#include "diaryx/testing/world.h"
#include "people.h"

namespace diaryx::testing {

struct Outcome {
  std::string failure;  // empty: all held
  WorldFigures figures;
  uint64_t edits = 0;
  uint64_t files = 0;
  uint64_t stored_updates = 0;
};

enum class Network : uint8_t { Good, Bad };

/// Runs a seed: random edits of every kind under random faults, healing, then deletions under faults, and healing again.
///
/// What must hold:
/// 1. All devices end with the same files, byte for byte, and come to rest; after that nothing is sent any more.
/// 2. Every line that somebody typed and nobody deleted is there exactly once, in the file that it was typed into.
/// 3. No line is there twice, deleted or not.
/// 4. Frontmatter parses and has no field twice, each field has a value that somebody gave it, and each list item that nobody
///    removed is there exactly once.
/// 5. A file that was deleted while nobody edited it does not come back. Of pictures, in the mix of attachments: one that nobody left
///    is there, one that somebody deleted or replaced is not, unless it was renamed or in conflict, and none is there more often than
///    its file was renamed.
/// 6. Nothing outside the root is touched, and no name is written that a disk refuses.
/// 7. Messages stay bounded: in number by the edits, in size by the texts.
/// 8. A deadline that was reached is not wanted again: the next one is later, or there is none.
Outcome run_seed(uint64_t seed, Network network, Mix mix = Mix::Everyday);

}  // namespace diaryx::testing
