#include "replica/unsynced.h"

#include <utility>

#include "fault.h"

namespace diaryx::sync {

bool Unsynced::mark(const std::string& key) { return !DX_PLANTED(11) && marked_.insert(key).second; }

Unsynced::Keys Unsynced::take_damaged() {
  Keys damaged = std::exchange(unreadable_, {});
  damaged.merge(incomplete_);
  incomplete_.clear();
  return damaged;
}

Unsynced::Keys Unsynced::take() {
  Keys all = std::exchange(left_over_, {});
  all.insert(marked_.begin(), marked_.end());
  return all;
}

}  // namespace diaryx::sync
