// The first elements of a row.
#pragma once

#include <cstddef>

namespace diaryx {

/// Drops what is behind the first `most` elements. `resize` would do, too, but could make a row longer, and for that a guest would carry
/// the code for every kind of element.
template <typename Row>
void shorten(Row& row, size_t most) {
  while (row.size() > most) row.pop_back();
}

}  // namespace diaryx
