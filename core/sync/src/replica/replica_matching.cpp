// A rename that nobody saw: what is missing and what is new in one batch are told to be one file by their content, or by a text that
// resembles one alone.

#include <algorithm>
#include <utility>

#include "replica/replica_impl.h"
#include "replica/similarity.h"

namespace diaryx::sync {
namespace {

/// Beyond this many new files in a batch none of them is compared with the missing ones.
constexpr size_t kMaxNewcomers = 64;
/// Neighbours that a text is compared with before it counts as one of a kind.
constexpr size_t kMaxNeighbours = 64;

}  // namespace

bool Replica::Impl::adopt_rename(const std::string& to, const Sha256& hash, FileRecord::Kind kind,
                                 std::string_view bytes) {
  if (!is_free(to) && kind == FileRecord::Kind::Blob) return false;
  const std::optional<std::string> from = missing_with(hash, kind);
  if (!from) return adopt_written(to, hash, kind, bytes);
  if (const OwnWrite* const ours = own_writes_.find(*from, hash)) note_written(*from, *ours, std::string(bytes));
  const FileRecord known = *record(*from);
  gone_.erase(*from);
  rename_file(*from, to, known);
  return true;
}

std::optional<std::string> Replica::Impl::missing_with(const Sha256& hash, FileRecord::Kind kind) const {
  if (gone_.empty()) return std::nullopt;
  const auto is_missing = [&](const std::string& path, const FileRecord& known) {
    return known.kind == kind && gone_.contains(path);
  };
  if (const std::string* const path = records_.find_with(hash, is_missing)) return *path;
  // Or it got that content from a write of ours, and went before that could be noted.
  for (const auto& [path, writes] : own_writes_) {
    if (gone_.contains(path) && record(path)->kind == kind && own_writes_.find(path, hash) != nullptr) return path;
  }
  return std::nullopt;
}

bool Replica::Impl::adopt_written(const std::string& to, const Sha256& hash, FileRecord::Kind kind,
                                  std::string_view bytes) {
  // We wrote it, died before we could note that, and it was renamed.
  const bool is_blob = kind == FileRecord::Kind::Blob;
  const auto is_it = [&](const OwnWrite& write) {
    return !write.is_under_way() && write.hash == hash && write.kind == kind && (is_blob || !write.file_id.empty());
  };
  const auto from = std::ranges::find_if(own_writes_, [&](const auto& entry) {
    return record(entry.first) == nullptr && std::ranges::any_of(entry.second, is_it);
  });
  if ((bytes.empty() && !is_blob) || from == own_writes_.end()) return false;
  const std::string path = from->first;
  note_written(path, *std::ranges::find_if(from->second, is_it), std::string(bytes));
  rename_file(path, to, FileRecord(*record(path)));
  return true;
}

bool Replica::Impl::leave_to_watcher(const std::string& path, const Sha256& hash, Source source) {
  // An action of ours came upon a text that nobody told us of yet: an edit, a new file, or another one that was moved there and
  // perhaps edited. What a read of ours finds was told before, unless it is known elsewhere on this disk: a copy, or renamed.
  if (source == Source::Look && (record(path) != nullptr || !records_.has_text(hash))) return false;
  work_.wait_for_watcher(path, clock_.now() + kRenameGrace);
  return true;
}

bool Replica::Impl::wait_for_other_half(const std::string& path, std::string_view bytes) {
  // (Somebody else may have given the name to another file that is not here yet. But other bytes are no other half of a text.)
  if (workspace_.live_binary(path) || newcomers_.size() >= kMaxNewcomers || settling_ || bytes.empty()) return false;
  const Sha256 hash = hash_of(bytes);
  const bool is_missing = bytes.size() >= kMinSimilarBytes && std::ranges::any_of(gone_, [&](const auto& entry) {
                            return record(entry.first)->kind == FileRecord::Kind::Text;
                          });
  // What was under another name before is a copy, or that name is used anew.
  if (!is_missing && !records_.has_text(hash)) return false;
  newcomers_.insert_or_assign(path, Newcomer{std::string(bytes), hash});
  return true;
}

std::string Replica::Impl::last_seen_text(const std::string& path) const {
  const FileRecord& known = *record(path);
  return known.base ? *known.base : text_behind(path, known);
}

Replica::Impl::Moves Replica::Impl::moves_over() const {
  // Files of the batch whose text is that of another file before: renamed to a name that was in use, as in a swap. A file that
  // is still there was copied.
  std::map<Sha256, std::vector<std::string>> sources;
  const auto add = [&](const std::string& path) {
    const FileRecord* const known = record(path);
    if (known->kind == FileRecord::Kind::Text) sources[known->hash].push_back(path);
  };
  for (const auto& [path, gone] : gone_) {
    if (!gone.held && !is_just_moved(gone)) add(path);
  }
  for (const auto& [path, bytes] : rewritten_) add(path);
  Moves moves;
  std::set<std::string> moved;
  const auto look = [&](const std::string& to, const Sha256& hash) {
    const auto found = sources.find(hash);
    if (found == sources.end() || found->second.size() != 1) return;
    if (moved.insert(found->second.front()).second) moves.emplace(to, found->second.front());
  };
  for (const auto& [path, bytes] : rewritten_) {
    if (!bytes.empty()) look(path, hash_of(bytes));
  }
  for (const auto& [path, newcomer] : newcomers_) look(path, newcomer.hash);
  const std::set<std::string> left = close_rings(moves);
  const auto is_copy = [&](const auto& move) {
    return !gone_.contains(move.second) && !moves.contains(move.second) && !left.contains(move.second);
  };
  while (std::erase_if(moves, is_copy) != 0) {
  }
  return moves;
}

std::set<std::string> Replica::Impl::close_rings(Moves& moves) const {
  // Where the text of one place is at another and the first has a third one: the file that was put there was edited before anybody
  // looked, if that text resembles one which is nowhere else; or the first was edited and copied, if it resembles what was there.
  // Returns the places where it resembles nothing: their names are used anew.
  std::set<std::string> left;
  if (moves.size() > kMaxNewcomers) return left;
  std::set<std::string> displaced;
  for (const auto& [to, from] : moves) {
    if (record(to) != nullptr) displaced.insert(to);
  }
  for (const auto& [to, from] : moves) displaced.erase(from);
  for (const auto& [to, from] : Moves(moves)) {
    if (gone_.contains(from) || moves.contains(from)) continue;
    const std::string& now = rewritten_.find(from)->second;
    const std::string before = last_seen_text(from);
    uint32_t most = similarity_percent(before, now);
    const bool is_edit = most >= kUnrelatedPercent || before.contains(now) || now.contains(before);
    auto best = displaced.end();
    for (auto other = displaced.begin(); other != displaced.end(); ++other) {
      const uint32_t percent = similarity_percent(last_seen_text(*other), now);
      if (percent < kSimilarPercent || percent <= most) continue;
      best = other;
      most = percent;
    }
    if (best != displaced.end()) {
      moves.emplace(from, displaced.extract(best).value());
    } else if (!is_edit) {
      left.insert(from);
    }
  }
  return left;
}

void Replica::Impl::match_rewritten() {
  if (rewritten_.empty()) return;
  Moves moves = moves_over();
  const auto move = [this](const std::string& from, const std::string& to) {
    gone_.erase(from);
    newcomers_.erase(to);
    const FileRecord known = *record(from);
    const auto now = rewritten_.find(to);
    if (now != rewritten_.end() && hash_of(now->second) == known.hash) rewritten_.erase(now);  // else edited, too
    rename_file(from, to, known);
  };
  const auto is_in_use = [this](const auto& entry) { return record(entry.first) != nullptr; };
  for (const auto& [to, from] : moves) changing_hands_.insert(to);
  while (!moves.empty()) {
    auto next = std::ranges::find_if_not(moves, is_in_use);
    if (next == moves.end()) {
      // The last file of a row went nowhere, or they go round in a ring.
      const auto goes_on = [&](const auto& entry) {
        return std::ranges::count(moves, entry.first, &std::pair<const std::string, std::string>::second) != 0;
      };
      next = std::ranges::find_if_not(moves, goes_on);
      if (next != moves.end()) {
        delete_files({next->first});
      } else {
        next = moves.begin();
        // One that nothing has or had: a file that the list gave up may be on this disk still.
        const std::string aside = other_name(next->first, workspace_.new_file_id(next->first));
        std::ranges::find(moves, next->first, &std::pair<const std::string, std::string>::second)->second = aside;
        work_.mark_busy(aside);  // nothing is there, so nothing is written there
        rename_file(next->first, aside, FileRecord(*record(next->first)));
        work_.end(aside);
      }
    }
    move(std::string(next->second), std::string(next->first));
    moves.erase(next);
  }
  for (const std::string& path : std::exchange(changing_hands_, {})) {
    if (record(path) == nullptr) release_name(path);
  }
  settling_ = true;
  for (const auto& [path, bytes] : std::exchange(rewritten_, {})) {
    const auto is_it = [&, hash = hash_of(bytes)](const auto& entry) {
      return is_just_moved(entry.second) && record(entry.first)->hash == hash;
    };
    if (std::ranges::any_of(gone_, is_it)) {
      work_.wait_for_watcher(path, clock_.now() + kRenameGrace);
    } else {
      on_text_seen(path, bytes);
    }
  }
  settling_ = false;
}

bool Replica::Impl::is_just_moved(const GoneFile& gone) const {
  // By us, to where another file was, for all we knew.
  return gone.wait_until && *gone.wait_until > clock_.now() + kRenameGrace;
}

void Replica::Impl::match_newcomers() {
  const std::map<std::string, Newcomer, std::less<>> newcomers = std::exchange(newcomers_, {});
  if (newcomers.empty()) return;
  // The last known text of each missing file.
  std::map<std::string, std::string, std::less<>> texts;
  for (const auto& [path, gone] : gone_) {
    const FileRecord& known = *record(path);
    if (known.kind != FileRecord::Kind::Text || texts.size() > kMaxNewcomers) continue;
    std::string text = last_seen_text(path);
    if (sha256(text) == known.hash) texts.emplace(path, std::move(text));
  }
  struct Pair {
    std::string from;
    std::string to;
  };
  std::vector<Pair> alike;
  std::map<std::string_view, int> rivals;  // per file: pairs that are not clearly unrelated
  if (texts.size() <= kMaxNewcomers) {
    for (const auto& [from, text] : texts) {
      for (const auto& [to, newcomer] : newcomers) {
        const uint32_t percent = similarity_percent(text, newcomer.bytes);
        if (percent < kUnrelatedPercent) continue;
        ++rivals[from];
        ++rivals[to];
        if (percent >= kSimilarPercent) alike.push_back({from, to});
      }
    }
  }
  settling_ = true;
  for (const auto& [from, to] : alike) {
    if (rivals[from] != 1 || rivals[to] != 1 || is_one_of_many(from, texts.at(from))) continue;
    const FileRecord known = *record(from);
    gone_.erase(from);
    rename_file(from, to, known);
  }
  for (const auto& [path, newcomer] : newcomers) on_text_seen(path, newcomer.bytes);
  settling_ = false;
}

bool Replica::Impl::is_one_of_many(const std::string& path, std::string_view text) const {
  // Notes made from a template resemble each other, so resemblance says nothing about them.
  size_t compared = 0;
  for (const auto& [other, known] : records_) {
    if (other == path || known.kind != FileRecord::Kind::Text || gone_.contains(other)) continue;
    if (++compared > kMaxNeighbours) return false;
    if (similarity_percent(text, text_of(other)) >= kUnrelatedPercent) return true;
  }
  return false;
}

void Replica::Impl::on_files_settled() {
  names().settle();
  if (!std::exchange(scanned_, true)) forget_lost_writes();
  const bool first = std::exchange(unscanned_, false);
  match_rewritten();
  match_newcomers();
  send_deletions();
  if (!first) return;
  std::vector<std::string> waiting;  // for this
  for (const auto& [path, known] : records_) {
    if (!is_at_home(path, known)) waiting.push_back(path);
  }
  for (const std::string& path : waiting) reconcile(path);
}

}  // namespace diaryx::sync
