// What this device puts on its disk, from the wish until it is known what is there.
//
//           put              note_answer, refuse            note_done, forget_doubtful
//   (none) ─────► under way ─────────────────────► in doubt ──────────────────────────► (none)
//
// A write whose answer says that nobody knows is in doubt, as are those of an earlier run: what is found there tells.
//
// Invariants
// 1. The writes of a path stand in the order in which they were asked for, which is the one in which they are done: where one is
//    seen to be done, those before it are over.
// 2. A path that is kept has a write.
// 3. `record(path)` stores all of it but the tickets, which end with the run, and the texts, which are long: `recall`.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/sync/action.h"
#include "replica/file_record.h"

namespace diaryx::sync {

/// Records of what is being written to disk.
inline constexpr std::string_view kWritingPrefix = "writing:";

/// A text that is put on disk, or an attachment that is fetched.
struct OwnWrite {
  Sha256 hash;
  std::string file_id{};  // of a text
  std::string units{};  // of a text, as `encode_units`
  std::string text{};  // not stored; empty if it is not known
  Ticket ticket = {};  // none: in doubt, nobody knows whether it was done
  FileRecord::Kind kind = FileRecord::Kind::Text;

  bool is_under_way() const { return ticket != Ticket{}; }
};

/// What is compared to tell of which text an edit was made.
enum class Likeness : uint8_t {
  OfTexts,
  OfBodies,  // blocks of frontmatter say nothing: see `OwnWrites::heads`
};

/// Where a function returns a bool, it says whether `record` is to be stored anew.
class OwnWrites {
 public:
  using Writes = std::vector<OwnWrite>;
  using ByPath = std::map<std::string, Writes, std::less<>>;

  /// From an earlier run. Errors: InvalidMessage.
  Result<void> restore(const std::string& path, std::string_view value);
  /// What is to be stored of a path.
  PersistRecord record(const std::string& path) const;
  /// What each write in doubt has put there, if that is `text_now(path, write)`, the text that its file has now.
  template <typename TextNow>
  void recall(TextNow text_now) {
    for (auto& [path, writes] : by_path_) {
      for (OwnWrite& write : writes) {
        if (!write.text.empty() || write.is_under_way()) continue;
        if (std::string text = text_now(path, write); sha256(text) == write.hash) write.text = std::move(text);
      }
    }
  }

  bool contains(const std::string& path) const { return by_path_.contains(path); }
  bool is_under_way(const std::string& path) const;
  bool is_fetch_under_way(const std::string& path) const;
  bool is_in_doubt(const std::string& path) const;
  /// In their order, perhaps none. Valid until something is changed, like the next three.
  const Writes& of(const std::string& path) const;
  /// With that content; null if there is none.
  const OwnWrite* find(const std::string& path, const Sha256& hash) const;
  /// The one whose text `edited` was made of, rather than of `base`; null if `base` is nearer.
  const OwnWrite* likely(const std::string& path, std::string_view base, std::string_view edited,
                         Likeness likeness = Likeness::OfTexts) const;
  /// The one in doubt of which `bytes` are the beginning: it was cut off. What its text was, where that is not known, says
  /// `text_now(write)`. Null if there is none.
  template <typename TextNow>
  const OwnWrite* torn(const std::string& path, std::string_view bytes, TextNow text_now) const {
    const Writes& writes = of(path);
    const auto found = std::ranges::find_if(writes, [&](const OwnWrite& write) {
      if (write.is_under_way() || write.kind != FileRecord::Kind::Text) return false;
      const std::string text = write.text.empty() ? text_now(write) : write.text;
      return bytes.size() < text.size() && text.starts_with(bytes);
    });
    return found == writes.end() ? nullptr : &*found;
  }
  /// The heads that this file may have there, whose text was `base` before: that one's and those that were written over it. None if
  /// nothing was.
  std::vector<std::string> heads(const std::string& path, std::string_view file_id, std::string_view base) const;

  /// Perhaps once more: the earlier attempt is in doubt still.
  void put(const std::string& path, OwnWrite write);
  /// No other answer is to come.
  void note_answer(const std::string& path, Ticket ticket);
  /// It failed; `in_doubt`: nobody knows how.
  bool refuse(const std::string& path, Ticket ticket, bool in_doubt);
  /// The fetch of this content is over, and nothing was put there.
  bool cancel_fetch(const std::string& path, const Sha256& hash);
  /// That content is there. Returns this write and those before it, which are over.
  Writes note_done(const std::string& path, const Sha256& hash);
  /// What is there is known now.
  bool forget_doubtful(const std::string& path);
  /// The file was renamed; what was to be written to `to` is forgotten.
  void move(const std::string& from, const std::string& to);

  /// By path.
  ByPath::const_iterator begin() const { return by_path_.begin(); }
  ByPath::const_iterator end() const { return by_path_.end(); }

 private:
  /// The writes from `first` to before `last` of that path, which has them.
  Writes take(const std::string& path, Writes::const_iterator first, Writes::const_iterator last);

  ByPath by_path_;
};

}  // namespace diaryx::sync
