// The bodies that are to be asked for at the next connection, whatever the server lists as changed.
//
// Invariants
// 1. A mark is stored together with what makes it necessary, so a crash forgets none. It goes when the server has all of the body
//    and we have all of the server's.
// 2. What is left over is of this run. A run that begins knows nothing of it, so once in each the whole list is looked through.
#pragma once

#include <set>
#include <string>
#include <utility>

namespace diaryx::sync {

class Unsynced {
 public:
  using Keys = std::set<std::string, std::less<>>;

  // --- marked, and stored so: it has changes that were not acknowledged, or lacks some

  bool is_marked(const std::string& key) const { return marked_.contains(key); }
  /// True if it was not, and is to be stored.
  bool mark(const std::string& key);
  void unmark(const std::string& key) { marked_.erase(key); }
  /// It was in an earlier run.
  void restore(std::string key) { marked_.insert(std::move(key)); }

  // --- while a run begins: what was stored of a body

  void on_unreadable(const std::string& key) { unreadable_.insert(key); }
  /// So far something lacks its base, or nothing does.
  void on_incomplete(const std::string& key) { incomplete_.insert(key); }
  void on_whole(const std::string& key) { incomplete_.erase(key); }
  /// Those that are to be marked for it. Forgets them.
  Keys take_damaged();

  // --- left over: asked for in this run and not answered, or not asked for when it was wanted

  void leave(const std::string& key) { left_over_.insert(key); }
  void leave(Keys&& keys) { left_over_.merge(keys); }
  void on_answered(const std::string& key) { left_over_.erase(key); }
  /// True once in a run: everything that is wanted here is to be asked for, since nobody knows what was left over before.
  bool take_first_look() { return !std::exchange(looked_through_, true); }

  /// All of both kinds. Nothing is left over any more, while marks stay.
  Keys take();

 private:
  Keys marked_;
  Keys unreadable_;
  Keys incomplete_;
  Keys left_over_;
  bool looked_through_ = false;
};

}  // namespace diaryx::sync
