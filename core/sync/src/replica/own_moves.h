// The moves of files on this disk that the replica asked for and that were not answered yet.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "diaryx/sync/action.h"

namespace diaryx::sync {

struct OwnMove {
  std::string from;
  std::string disk_from;  // its name on this disk, which it has still if it is not moved
  Ticket ticket;
  std::optional<Sha256> copy =
      {};  // of a conflict, what is in it: it has no record until it is found under its new name
  bool is_in_doubt = false;  // it was not done, or it was: a look at where the file was tells
};

/// Every question costs a logarithm of their number: a renamed folder moves all its files at once.
class OwnMoves {
 public:
  /// Null if no move leads to this key. Valid until that move is over.
  const OwnMove* find(const std::string& to) const;
  bool contains(const std::string& to) const { return find(to) != nullptr; }
  /// The file of this key is leaving it.
  bool is_leaving(const std::string& from) const { return by_source_.contains(from); }
  /// The key that it is moved to; null if it is not moved.
  const std::string* target_of(const std::string& from) const;
  /// The same, of a move that nobody knows to be done.
  const std::string* doubted_target(const std::string& from) const;
  /// The keys of the files that are leaving this name on disk.
  std::vector<std::string> leaving_place(const std::string& disk_from) const;

  /// Nobody knows whether that move was done. There must be one.
  void doubt(const std::string& to);
  /// In place of a move that led there.
  void put(const std::string& to, OwnMove move);
  /// The move that led there is over. There must be one.
  OwnMove take(const std::string& to);

 private:
  using Targets = std::map<std::string, std::set<std::string>, std::less<>>;

  std::map<std::string, OwnMove, std::less<>> by_target_;
  Targets by_source_;
  Targets by_place_;
};

}  // namespace diaryx::sync
