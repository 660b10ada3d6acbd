#include "diaryx/sync/head_text.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "diaryx/base/sort.h"
#include "diaryx/base/utf.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/metadata.h"
#include "head_pieces.h"
#include "roots.h"

namespace diaryx::sync {
namespace {

// A record is one insertion: its mark, its kind, the key of a piece, a border, and the text. It is deleted as a whole.
constexpr char kRecordMark = '\x1e';
constexpr char kBorder = '\x1f';
constexpr char kEscape = '\x1d';
constexpr char kEscaped = 0x20;

enum class Kind : char {
  Text = 's',  // what the piece is now
  Gone = 'd',  // a piece of the imported block that was taken out; any text of it wins
  Place = 'p',  // where it stands among its like
  Shown = 'w',  // a whole block that was only shown: imported, if none was
};

struct Record {
  Kind kind = Kind::Text;
  std::string key;
  std::string text;
  Utf16Offset at;
  Length length;
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    const bool is_special = byte == kRecordMark || byte == kBorder || byte == kEscape;
    if (is_special) out += kEscape;
    out += is_special ? static_cast<char>(byte + kEscaped) : byte;
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == kEscape && i + 1 < text.size();
    if (is_escape) ++i;
    out += is_escape ? static_cast<char>(text[i] - kEscaped) : text[i];
  }
  return out;
}

std::string written(Kind kind, std::string_view key, std::string_view text) {
  return std::string{kRecordMark, static_cast<char>(kind)} + escaped(key) + kBorder + escaped(text);
}

std::vector<Record> read_records(std::string_view all) {
  std::vector<Record> records;
  Utf16Offset at{utf16_length(all.substr(0, all.find(kRecordMark))).value()};
  all.remove_prefix(std::min(all.find(kRecordMark), all.size()));
  while (!all.empty()) {
    const std::string_view one = all.substr(0, all.find(kRecordMark, 1));
    all.remove_prefix(one.size());
    const Length length = utf16_length(one);
    const size_t border = one.find(kBorder);
    if (one.size() > 1 && border != std::string_view::npos && border > 1) {
      records.push_back({static_cast<Kind>(one[1]), unescaped(one.substr(2, border - 2)),
                         unescaped(one.substr(border + 1)), at, length});
    }
    at = Utf16Offset{at.value() + length.value()};
  }
  return records;
}

// --- places: texts of small letters that sort, with room between any two ---

constexpr uint32_t kDigits = 26;
constexpr size_t kNumberDigits = 5;
constexpr uint32_t kNumbers = kDigits * kDigits * kDigits * kDigits * kDigits;
constexpr size_t kMaxPlaceDigits = 1'000;

std::string place_of_number(uint32_t number) {
  std::string place(kNumberDigits + 1, 'n');  // none ends with an `a`: there is room in front of each
  for (size_t i = kNumberDigits; i-- > 0; number /= kDigits) place[i] = static_cast<char>('a' + number % kDigits);
  return place;
}

/// The place of the piece `index` of an imported block: there is room for as many in front.
std::string place_of_index(size_t index) {
  return place_of_number(kNumbers / 2 + static_cast<uint32_t>(std::min<size_t>(index, kNumbers / 4)));
}

std::optional<uint32_t> number_of(std::string_view place) {
  uint32_t number = 0;
  for (size_t i = 0; i < kNumberDigits; ++i) {
    number = number * kDigits + static_cast<uint32_t>(i < place.size() ? place[i] - 'a' : 0);
  }
  return number == 0 || number + 1 >= kNumbers ? std::nullopt : std::optional(number);
}

bool is_place(std::string_view text) {
  return !text.empty() && text.size() <= kMaxPlaceDigits && text.back() != 'a' &&
         std::ranges::all_of(text, [](char letter) { return letter >= 'a' && letter <= 'z'; });
}

/// A place behind `low` and in front of `high`; an empty one is no border.
std::string place_between(std::string_view low, std::string_view high) {
  if (low.empty() && high.empty()) return place_of_index(0);
  if (high.empty()) {
    if (const std::optional<uint32_t> number = number_of(low)) return place_of_number(*number + 1);
  } else if (low.empty()) {
    if (const std::optional<uint32_t> number = number_of(high)) return place_of_number(*number - 1);
  }
  std::string place;
  for (size_t i = 0;; ++i) {
    const int below = i < low.size() ? low[i] - 'a' : 0;
    const int above = i < high.size() ? high[i] - 'a' : static_cast<int>(kDigits);
    if (above - below > 1) return place + static_cast<char>('a' + (below + above) / 2);
    if (above != below) high = {};
    place += static_cast<char>('a' + below);
  }
}

// --- what the records make of the block ---

struct Element {
  std::optional<std::string> text;
  std::string place;
  bool is_imported = false;
  bool is_gone = false;
  bool is_changed = false;
  bool is_moved = false;
  size_t source = 0;  // the record it comes from, or where it begins in the imported block
};

using Elements = std::map<std::string, Element, std::less<>>;

/// Of two texts that two devices gave one piece at once, the one that is shown: of two times the later, else the larger.
bool is_ahead(std::string_view key, std::string_view text, std::string_view other) {
  if (key == "kupdated") {
    const auto time_of = [](std::string_view field) { return parse_updated(Json(std::string(field_value(field)))); };
    const std::optional<TimestampMs> time = time_of(text);
    const std::optional<TimestampMs> other_time = time_of(other);
    if (time != other_time) return time > other_time;
  }
  return text > other;
}

struct State {
  std::vector<Record> records;
  std::string imported;
  std::optional<size_t> shown;  // the record that holds it, if it was not imported
  Elements elements;

  bool is_empty() const { return imported.empty() && records.empty(); }
};

State read_state(std::string imported, std::string_view changed, std::string_view shown = {}) {
  State state{.records = read_records(changed), .imported = std::move(imported)};
  if (state.is_empty() && !shown.empty()) state.imported = shown;
  for (size_t i = 0; i < state.records.size(); ++i) {
    const Record& record = state.records[i];
    if (record.kind != Kind::Shown || (state.shown ? record.text <= state.imported : !state.imported.empty())) continue;
    state.shown = i;
    state.imported = record.text;
  }
  size_t index = 0;
  for (Piece& piece : cut_head(state.imported)) {
    state.elements.insert_or_assign(
        std::move(piece.key),
        Element{
            .text = std::move(piece.text), .place = place_of_index(index++), .is_imported = true, .source = piece.at});
  }
  for (size_t i = 0; i < state.records.size(); ++i) {
    const Record& record = state.records[i];
    if (record.key.empty()) continue;
    Element& element = state.elements[record.key];
    if (record.kind == Kind::Gone) element.is_gone = true;
    if (record.kind == Kind::Place && is_place(record.text) && (!element.is_moved || element.place < record.text)) {
      element.place = record.text;
      element.is_moved = true;
    }
    if (record.kind != Kind::Text) continue;
    if (element.is_changed && !is_ahead(record.key, record.text, *element.text)) continue;
    element.text = record.text;
    element.is_changed = true;
    element.source = i;
  }
  for (auto& [key, element] : state.elements) {
    if (element.is_gone && !element.is_changed) element.text.reset();
    if (element.place.empty()) element.place = std::string(kNumberDigits, 'z');
  }
  return state;
}

// --- the block ---

struct Part {
  std::string text;
  const Element* element = nullptr;
};

bool is_marker(std::string_view line) { return line == "---\n" || line == "---\r\n"; }

std::string text_of(const std::vector<Part>& parts) {
  std::string text;
  for (const Part& part : parts) text += part.text;
  return text;
}

class Layout {
 public:
  explicit Layout(const Elements& elements) : elements_(elements) {}

  std::vector<Part> take() {
    gather();
    for (const Placed& field : fields_) add_field(field);
    for (const auto& [key, element] : elements_) {  // comments whose field is gone, then those at the end
      if (key.front() == kComment && key.size() > 1 && element.text && !has_field(key)) add(*element.text, &element);
    }
    add_comment(std::string(1, kComment));
    if (parts_.empty()) return {};
    enclose();
    return std::move(parts_);
  }

 private:
  struct Placed {
    std::string_view place;
    std::string_view key;
    const Element* element;
    std::string text;
  };
  static bool goes_before(const Placed& a, const Placed& b) {
    return a.place != b.place ? a.place < b.place : a.key < b.key;
  }

  void gather() {
    for (const auto& [key, element] : elements_) {
      if (key.front() == kItem && element.text) items_[field_of(key)].push_back({element.place, key, &element, {}});
    }
    for (const auto& [key, element] : elements_) {
      if (key.front() == kField && element.text) fields_.push_back({element.place, key, &element, *element.text});
    }
    for (const auto& [key, items] : items_) {
      const auto field = elements_.find(key);
      if (field != elements_.end() && field->second.text) continue;
      // Taken out while somebody put something into it.
      const std::string name = key.substr(1, key.find('\r') - 1);
      const Element* const element = items.front().element;
      fields_.push_back({field != elements_.end() ? std::string_view(field->second.place) : element->place, key,
                         element, kBlockList + emit_inline(Json(name)) + ":\n"});
    }
    sort_compactly(fields_, goes_before);
  }

  bool has_field(std::string_view comment) const {
    return std::ranges::any_of(fields_, [&](const Placed& field) { return field.key.substr(1) == comment.substr(1); });
  }

  void add(std::string text, const Element* element) {
    if (!text.empty()) parts_.push_back({std::move(text), element});
  }

  void add_comment(std::string_view key) {
    const auto found = elements_.find(key);
    if (found != elements_.end() && found->second.text) add(*found->second.text, &found->second);
  }

  void add_field(const Placed& field) {
    add_comment(std::string(1, kComment).append(field.key.substr(1)));
    add(std::string(list_opening(field.text)), field.element);
    if (!is_list(field.text)) return;
    std::vector<Placed>& items = items_[std::string(field.key)];
    sort_compactly(items, goes_before);
    std::vector<std::string_view> texts;
    for (const Placed& item : items) texts.push_back(*item.element->text);
    std::vector<std::string> lines = written_items(field.text, texts);
    for (size_t i = 0; i < items.size(); ++i) add(std::move(lines[i]), items[i].element);
    add(std::string(list_closing(field.text)), field.element);
  }

  void enclose() {
    for (const char marker : {kOpening, kClosing}) {
      const auto found = elements_.find(std::string_view(&marker, 1));
      const Element* const element = found == elements_.end() ? parts_.front().element : &found->second;
      const bool is_good = found != elements_.end() && element->text && is_marker(*element->text);
      Part part{is_good ? *element->text : parts_.back().text.ends_with("\r\n") ? "---\r\n" : "---\n", element};
      parts_.insert(marker == kOpening ? parts_.begin() : parts_.end(), std::move(part));
    }
    const std::string text = text_of(parts_);
    if (split_frontmatter(text).head.size() == text.size()) return;
    // Something that no file of a device has: a line that would end the block, or one without an end.
    std::string inside;
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view line =
          rest.substr(0, rest.find('\n') == std::string_view::npos ? rest.size() : rest.find('\n') + 1);
      rest.remove_prefix(line.size());
      if (!is_marker(line)) inside.append(line);
    }
    if (!inside.empty() && !inside.ends_with('\n')) inside += '\n';
    const Element* const element = parts_.front().element;
    parts_.clear();
    if (!inside.empty()) parts_.push_back({"---\n" + inside + "---\n", element});
  }

  const Elements& elements_;
  std::map<std::string, std::vector<Placed>, std::less<>> items_;
  std::vector<Placed> fields_;
  std::vector<Part> parts_;
};

// --- an edit ---

/// Which of `pairs` stay when as few as possible are taken out so that the rest ascends.
template <typename Pair>
std::vector<bool> ascending(const std::vector<std::optional<Pair>>& pairs) {
  std::vector<size_t> tails;
  std::vector<size_t> previous(pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (!pairs[i]) continue;
    const auto place = std::ranges::lower_bound(tails, *pairs[i], {}, [&](size_t tail) { return *pairs[tail]; });
    previous[i] = place == tails.begin() ? pairs.size() : *std::prev(place);
    if (place == tails.end()) {
      tails.push_back(i);
    } else {
      *place = i;
    }
  }
  std::vector<bool> kept(pairs.size(), false);
  for (size_t i = tails.empty() ? pairs.size() : tails.back(); i < pairs.size(); i = previous[i]) kept[i] = true;
  return kept;
}

class Edit {
 public:
  Edit(State& state, std::string_view before, std::string_view after, std::span<const std::string> perhaps)
      : state_(state),
        is_exact_(std::ranges::all_of(perhaps, [&](const std::string& other) { return other == before; }) &&
                  text_of(Layout(state.elements).take()) == before),
        before_(cut_head(before)),
        after_(cut_head(after)),
        dropped_(state.records.size(), false) {
    for (const Piece& piece : before_) old_texts_.emplace(piece.key, piece.text);
    orders_.push_back(sequences(before_));
    for (const std::string& other : perhaps) {
      if (other != before) doubt(cut_head(other));
    }
  }

  void make() {
    std::set<std::string_view> wanted;
    for (const Piece& piece : after_) {
      wanted.insert(piece.key);
      change(piece);
    }
    for (auto& [key, element] : state_.elements) {
      if (!element.text || wanted.contains(key)) continue;
      const auto old = old_texts_.find(key);
      // What somebody else changed meanwhile stays.
      if (is_exact_ || (old != old_texts_.end() && *element.text == old->second)) remove(key, element);
    }
    for (const auto& [group, keys] : sequences(after_)) place(group, keys);
  }

  const std::vector<bool>& dropped() const { return dropped_; }
  const std::string& added() const { return added_; }

 private:
  using Sequences = std::map<std::string, std::vector<std::string_view>>;

  /// Of the fields, and of the items of each list: what stands in a row.
  static std::string group_of(std::string_view key) {
    return key.front() == kField ? std::string() : std::string(key.substr(0, key.find('\n')));
  }
  static Sequences sequences(const std::vector<Piece>& pieces) {
    Sequences all;
    for (const Piece& piece : pieces) {
      if (piece.key.front() == kField || piece.key.front() == kItem) all[group_of(piece.key)].push_back(piece.key);
    }
    return all;
  }

  /// The edit may have been made of this block instead: what it has in common with it is no change, and what is not the same in both
  /// was perhaps never seen as it is.
  void doubt(std::vector<Piece> block) {
    doubted_.push_back(std::move(block));
    const std::vector<Piece>& pieces = doubted_.back();
    orders_.push_back(sequences(pieces));
    std::map<std::string_view, std::string_view> texts;
    for (const Piece& piece : pieces) texts.emplace(piece.key, piece.text);
    std::set<std::string_view> kept;
    for (const Piece& piece : after_) {
      kept.insert(piece.key);
      const auto same = texts.find(piece.key);
      if (same == texts.end()) continue;
      if (same->second == piece.text) old_texts_.insert_or_assign(piece.key, piece.text);
      old_texts_.emplace(piece.key, same->second);
    }
    std::erase_if(old_texts_, [&](const auto& old) {
      const auto other = texts.find(old.first);
      return !kept.contains(old.first) && (other == texts.end() || other->second != old.second);
    });
  }

  void drop(std::string_view key, std::string_view kinds) {
    for (size_t i = 0; i < state_.records.size(); ++i) {
      const Record& record = state_.records[i];
      if (record.key == key && kinds.find(static_cast<char>(record.kind)) != std::string_view::npos) dropped_[i] = true;
    }
  }

  void change(const Piece& piece) {
    Element& element = state_.elements[piece.key];
    const auto old = old_texts_.find(piece.key);
    const bool was_there = old != old_texts_.end();
    if (element.text == piece.text || (!is_exact_ && was_there && old->second == piece.text)) return;
    // A text that this edit did not know stays beside it, as if both had been written at once.
    const bool is_known = element.text ? was_there && *element.text == old->second : !was_there;
    if (!element.text) new_.insert(piece.key);
    if (is_exact_ || is_known) {
      drop(piece.key, "sd");
      element.text = piece.text;
    }
    added_ += written(Kind::Text, piece.key, piece.text);
    if (!element.text || is_ahead(piece.key, piece.text, *element.text)) element.text = piece.text;
  }

  void remove(std::string_view key, Element& element) {
    drop(key, "sp");
    if (element.is_imported && !element.is_gone) added_ += written(Kind::Gone, key, {});
    element.text.reset();
  }

  bool same_order(const std::vector<std::string_view>& now, const std::vector<std::string_view>& before) const {
    const std::set<std::string_view> known(before.begin(), before.end());
    const std::set<std::string_view> kept(now.begin(), now.end());
    std::vector<std::string_view> one, other;
    for (const std::string_view key : now) {
      if (known.contains(key)) one.push_back(key);
    }
    for (const std::string_view key : before) {
      if (kept.contains(key)) other.push_back(key);
    }
    return one == other;
  }

  /// They stand otherwise than in each block that they may come from: of those in doubt, the ones that have most of them.
  bool is_moved(const std::string& group, const std::vector<std::string_view>& keys) const {
    const std::set<std::string_view> kept(keys.begin(), keys.end());
    std::ptrdiff_t most = 0;
    bool moved = true;
    for (const Sequences& order : orders_) {
      const auto found = order.find(group);
      const std::vector<std::string_view> before =
          found == order.end() ? std::vector<std::string_view>{} : found->second;
      const auto shared = std::ranges::count_if(before, [&](std::string_view key) { return kept.contains(key); });
      if (shared < most) continue;
      moved = (shared > most || moved) && !same_order(keys, before);
      most = shared;
    }
    return moved;
  }

  /// The next place of the group behind `low`.
  std::string next_place(std::string_view group, std::string_view low) const {
    std::string next;
    for (const auto& [key, element] : state_.elements) {
      if ((key.front() != kField && key.front() != kItem) || group_of(key) != group) continue;
      if (element.text && element.place > low && (next.empty() || element.place < next)) next = element.place;
    }
    return next;
  }

  void place(const std::string& group, const std::vector<std::string_view>& keys) {
    // Who did not move anything leaves to others where they moved it.
    const bool moves = is_exact_ || is_moved(group, keys);
    using Pair = std::pair<std::string_view, std::string_view>;
    std::vector<std::optional<Pair>> pairs;
    for (const std::string_view key : keys) {
      const auto found = state_.elements.find(key);
      const bool is_old = found->second.text && !new_.contains(key);
      pairs.push_back(is_old ? std::optional(Pair{found->second.place, key}) : std::nullopt);
    }
    std::vector<bool> kept(keys.size(), true);
    if (moves) kept = ascending(pairs);
    std::string last;
    std::string_view last_key;
    for (size_t i = 0; i < keys.size(); ++i) {
      Element& element = state_.elements.find(keys[i])->second;
      if (!element.text) continue;
      const bool stays = pairs[i] && kept[i] && (!moves || Pair{element.place, keys[i]} > Pair{last, last_key});
      if (!stays) {
        std::string high = moves ? std::string() : next_place(group_of(keys[i]), last);
        for (size_t j = i + 1; moves && high.empty() && j < keys.size(); ++j) {
          const Element& next = state_.elements.find(keys[j])->second;
          if (pairs[j] && kept[j] && next.place > last) high = next.place;
        }
        element.place = place_between(last, high);
        drop(keys[i], "p");
        added_ += written(Kind::Place, keys[i], element.place);
      }
      last = element.place;
      last_key = keys[i];
    }
  }

  State& state_;
  bool is_exact_;  // made of the block as it is
  std::vector<Piece> before_;
  std::vector<Piece> after_;
  std::vector<std::vector<Piece>> doubted_;  // views of their pieces are kept
  std::vector<Sequences> orders_;  // in which its pieces may have been
  std::map<std::string_view, std::string_view> old_texts_;
  std::set<std::string_view> new_;
  std::vector<bool> dropped_;
  std::string added_;
};

std::optional<crdt::Id> unit_at(const std::vector<crdt::TextSpan>& spans, size_t at) {
  for (const crdt::TextSpan& span : spans) {
    if (at < span.length.value())
      return crdt::Id{span.first.client, span.first.clock + Length{static_cast<uint32_t>(at)}};
    at -= span.length.value();
  }
  return std::nullopt;
}

}  // namespace

HeadText::HeadText(crdt::Doc& doc) : imported_(doc.text(kHeadRoot)), changed_(doc.text(kFieldsRoot)) {}

bool HeadText::is_as_imported() const { return changed_.length() == Length{0}; }

std::string HeadText::to_string() const {
  if (is_as_imported()) return imported_.to_string();
  return text_of(Layout(read_state(imported_.to_string(), changed_.to_string()).elements).take());
}

std::vector<HeadText::Run> HeadText::runs() const {
  const State state = read_state(imported_.to_string(), changed_.to_string());
  const std::vector<crdt::TextSpan> imported = imported_.spans();
  const std::vector<crdt::TextSpan> changed = changed_.spans();
  std::vector<Run> runs;
  for (Part& part : Layout(state.elements).take()) {
    const Element& element = *part.element;
    const bool is_record = element.is_changed || state.shown;
    const size_t record = element.is_changed ? element.source : state.shown.value_or(0);
    const std::optional<crdt::Id> id =
        is_record ? unit_at(changed, state.records[record].at.value())
                  : unit_at(imported, utf16_length(std::string_view(state.imported).substr(0, element.source)).value());
    runs.push_back({std::move(part.text), id.value_or(crdt::Id{})});
  }
  return runs;
}

void HeadText::carry(crdt::Transaction& txn, std::string_view before, std::string_view after, std::string_view shown,
                     std::span<const std::string> perhaps) {
  if (before == after) return;
  State state = read_state(imported_.to_string(), changed_.to_string(), shown);
  const bool is_first = state.records.empty() && imported_.length() == Length{0} && !shown.empty();
  Edit edit(state, before, after, perhaps);
  edit.make();
  const std::string added = (is_first ? written(Kind::Shown, {}, shown) : std::string()) + edit.added();
  // From the last to the first, so that earlier positions stay true.
  for (size_t i = state.records.size(); i-- > 0;) {
    const Record& record = state.records[i];
    if (edit.dropped()[i]) DX_ASSERT(changed_.erase(txn, record.at, record.length));
  }
  if (!added.empty()) DX_ASSERT(changed_.insert(txn, Utf16Offset{changed_.length().value()}, added));
}

void HeadText::set(crdt::Transaction& txn, std::string_view wanted, std::string_view shown) {
  const std::string now = to_string();
  carry(txn, now.empty() ? shown : std::string_view(now), wanted, shown);
}

}  // namespace diaryx::sync
