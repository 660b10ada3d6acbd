#include "diaryx/sync/merge3.h"
#include "diaryx/base/sort.h"

#include <algorithm>

#include "text_hunks.h"

namespace diaryx::sync {
namespace {

// "Ours" is what happened on disk and is being carried over; "theirs" is what the document gained meanwhile. Both are
// edits on `base`; the result is edits on the document.

// A stretch contained in the other side's text counts as the same change only from this size on, unless it stands at
// an end of it: one typed letter is found in every paragraph.
constexpr size_t kMinSharedBytes = 8;

struct Insertion {
  size_t at;  // bytes of the document, or of one inserted text while that is being looked at
  std::string text;
};

size_t begin_of(const TextEdit& edit) { return edit.at_utf8.value(); }
size_t end_of(const TextEdit& edit) { return edit.at_utf8.value() + size_t{edit.erased_bytes}; }

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || static_cast<uint8_t>(c) >= 0x80;
}

bool has_word(std::string_view text) { return std::ranges::any_of(text, is_letter); }

// Both wrote on one line: words that stand in front and behind in both are kept once, the rest side by side.
void join_words(std::string_view theirs, std::string_view ours, size_t offset, std::vector<Insertion>& out) {
  const std::vector<std::string_view> their_words = split_words(theirs), our_words = split_words(ours);
  const size_t most = std::min(their_words.size(), our_words.size());
  size_t front = 0, front_bytes = 0;
  while (front < most && their_words[front] == our_words[front]) front_bytes += our_words[front++].size();
  if (!has_word(ours.substr(0, front_bytes))) front = front_bytes = 0;
  size_t back = 0, back_bytes = 0;
  while (back < most - front && their_words[their_words.size() - 1 - back] == our_words[our_words.size() - 1 - back])
    back_bytes += our_words[our_words.size() - 1 - back++].size();
  if (!has_word(ours.substr(ours.size() - back_bytes))) back = back_bytes = 0;
  // `wide world` and `big world`: the blank goes with our word, so that the two do not run together.
  if (back > 0 && our_words[our_words.size() - back].find_first_not_of(" \t") == std::string_view::npos)
    back_bytes -= our_words[our_words.size() - back].size();
  const std::string_view middle = ours.substr(front_bytes, ours.size() - front_bytes - back_bytes);
  if (!middle.empty()) out.push_back({offset + theirs.size() - back_bytes, std::string(middle)});
}

// Where `part` stands in `whole` as the same piece of writing: at an end of it and ending with a word, or anywhere if
// it is long enough not to be there by chance.
size_t find_same(std::string_view part, std::string_view whole) {
  constexpr size_t kNone = std::string_view::npos;
  if (part.size() >= kMinSharedBytes) return whole.find(part);
  if (part.empty() || part.size() >= whole.size()) return part == whole ? 0 : kNone;
  if (whole.starts_with(part) && !(is_letter(part.back()) && is_letter(whole[part.size()]))) return 0;
  const size_t last = whole.size() - part.size();
  return whole.ends_with(part) && !(is_letter(part.front()) && is_letter(whole[last - 1])) ? last : kNone;
}

// Adds to `out` what of `ours` has to be put into `theirs` so that both are there.
void join_piece(std::string_view theirs, std::string_view ours, size_t offset, std::vector<Insertion>& out) {
  if (ours.empty() || ours == theirs) return;
  if (theirs.empty()) {
    out.push_back({offset, std::string(ours)});
    return;
  }
  const size_t theirs_in_ours = find_same(theirs, ours);
  if (theirs_in_ours != std::string_view::npos) {
    const std::string_view before = ours.substr(0, theirs_in_ours);
    const std::string_view after = ours.substr(theirs_in_ours + theirs.size());
    if (!before.empty()) out.push_back({offset, std::string(before)});
    if (!after.empty()) out.push_back({offset + theirs.size(), std::string(after)});
    return;
  }
  if (has_word(ours) && find_same(ours, theirs) != std::string_view::npos) return;
  const bool whole_lines = theirs.find('\n') != std::string_view::npos || ours.find('\n') != std::string_view::npos;
  if (whole_lines)
    out.push_back({offset + theirs.size(), std::string(ours)});
  else
    join_words(theirs, ours, offset, out);
}

std::vector<Insertion> join_texts(std::string_view theirs, std::string_view ours) {
  std::vector<Insertion> pieces;
  if (theirs.find('\n') == std::string_view::npos || ours.find('\n') == std::string_view::npos) {
    join_piece(theirs, ours, 0, pieces);
    return pieces;
  }
  for (const Hunk& hunk : diff_lines(theirs, ours))
    join_piece(theirs.substr(hunk.old_begin, hunk.old_size()), ours.substr(hunk.new_begin, hunk.new_size()),
               hunk.old_begin, pieces);
  return pieces;
}

// True if the two changes speak about the same place, not merely about neighbouring ones.
bool collide(const TextEdit& ours, const TextEdit& theirs) {
  const size_t a = begin_of(ours), b = end_of(ours), c = begin_of(theirs), d = end_of(theirs);
  return a == c || std::max(a, c) < std::min(b, d) || (a < c && c < b) || (c < a && a < d);
}

// Where the bytes of `base` went in the document.
class Carrier {
 public:
  explicit Carrier(const std::vector<TextEdit>& theirs) : theirs_(theirs) {
    for (const TextEdit& edit : theirs_) {
      starts_.push_back(static_cast<size_t>(static_cast<int64_t>(begin_of(edit)) + shift_));
      shift_ += static_cast<int64_t>(edit.inserted.size()) - static_cast<int64_t>(edit.erased_bytes);
    }
  }

  /// The first of their edits that does not end before `base_at`.
  size_t first_at(size_t base_at) const {
    return static_cast<size_t>(
        std::ranges::lower_bound(theirs_, base_at, {}, [](const TextEdit& edit) { return end_of(edit); }) -
        theirs_.begin());
  }

  const TextEdit& edit(size_t index) const { return theirs_[index]; }
  size_t count() const { return theirs_.size(); }
  /// Where edit `index` begins in the document.
  size_t start(size_t index) const { return starts_[index]; }

  /// The place of a gap of `base`: behind what they inserted there, before what they put in place of what follows.
  size_t place(size_t base_at) const {
    size_t index = first_at(base_at);
    while (index < count() && end_of(edit(index)) == base_at) ++index;  // ends here: we stand behind it
    if (index < count() && begin_of(edit(index)) < base_at) return starts_[index] + edit(index).inserted.size();
    if (index == 0) return base_at;
    return starts_[index - 1] + edit(index - 1).inserted.size() + (base_at - end_of(edit(index - 1)));
  }

 private:
  const std::vector<TextEdit>& theirs_;
  std::vector<size_t> starts_;
  int64_t shift_ = 0;
};

struct Plan {
  std::vector<ByteEdit> erasures;  // of the document, ordered
  std::vector<Insertion> insertions;
};

// Erase what is still there of the text we deleted; what they inserted in between stays.
void plan_erasures(const TextEdit& ours, const Carrier& carrier, Plan& plan) {
  size_t at = begin_of(ours);
  const size_t end = end_of(ours);
  const auto erase = [&](size_t from, size_t to, size_t document_at) {
    if (from < to) plan.erasures.push_back({document_at, document_at + (to - from), {}});
  };
  for (size_t i = carrier.first_at(at); at < end; ++i) {
    const bool none_left = i >= carrier.count() || begin_of(carrier.edit(i)) >= end;
    const size_t stop = none_left ? end : begin_of(carrier.edit(i));
    if (at < stop) erase(at, stop, carrier.place(at));
    if (none_left) break;
    at = std::max(at, end_of(carrier.edit(i)));
  }
}

void plan_insertion(const TextEdit& ours, const Carrier& carrier, Plan& plan) {
  if (ours.inserted.empty()) return;
  for (size_t i = carrier.first_at(begin_of(ours)); i < carrier.count(); ++i) {
    const TextEdit& theirs = carrier.edit(i);
    if (begin_of(theirs) > end_of(ours)) break;
    if (theirs.inserted.empty() || !collide(ours, theirs)) continue;
    for (Insertion& piece : join_texts(theirs.inserted, ours.inserted))
      plan.insertions.push_back({carrier.start(i) + piece.at, std::move(piece.text)});
    return;
  }
  plan.insertions.push_back({carrier.place(begin_of(ours)), ours.inserted});
}

// One ordered list: an insertion inside or at the edge of an erasure becomes part of it.
std::vector<ByteEdit> weave(Plan& plan) {
  std::vector<const Insertion*> insertions;
  for (const Insertion& insertion : plan.insertions) insertions.push_back(&insertion);
  // By place, and at one place in the order of our edits, which is the order of the addresses.
  sort_compactly(insertions,
                 [](const Insertion* a, const Insertion* b) { return a->at != b->at ? a->at < b->at : a < b; });
  std::vector<ByteEdit> edits;
  auto erasure = plan.erasures.begin();
  const auto add = [&](size_t begin, size_t end, std::string text) {
    if (edits.empty() || edits.back().end != begin) {
      edits.push_back({begin, end, std::move(text)});
      return;
    }
    edits.back().end = end;  // touching: what was inserted so far stands before what is erased now, which is gone
    edits.back().inserted.append(text);
  };
  for (const Insertion* insertion : insertions) {
    for (; erasure != plan.erasures.end() && erasure->begin < insertion->at; ++erasure) {
      if (erasure->end > insertion->at) {
        add(erasure->begin, insertion->at, {});
        erasure->begin = insertion->at;
        break;
      }
      add(erasure->begin, erasure->end, {});
    }
    add(insertion->at, insertion->at, insertion->text);
  }
  for (; erasure != plan.erasures.end(); ++erasure) add(erasure->begin, erasure->end, {});
  return edits;
}

}  // namespace

std::vector<TextEdit> merge3(std::string_view base, std::string_view disk, std::string_view doc) {
  if (disk == doc || disk == base) return {};
  if (doc == base) return diff_text(base, disk);
  const std::vector<TextEdit> theirs = diff_text(base, doc);
  const Carrier carrier(theirs);
  Plan plan;
  for (const TextEdit& ours : diff_text(base, disk)) {
    plan_erasures(ours, carrier, plan);
    plan_insertion(ours, carrier, plan);
  }
  return count_utf16(doc, weave(plan));
}

}  // namespace diaryx::sync
