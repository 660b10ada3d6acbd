// The delta of texts: what was inserted and deleted, and what changed in the attributes of what stayed.
//
// Yjs may delete a mark that turns out to be redundant while it computes this. Here nothing is deleted, but such a mark counts as
// deleted in the delta, so that deltas are the same.
//
// Source: Yjs 13.6 src/types/YText.js (`YTextEvent.delta`); docs/protocol.md.
#include "event_builder.h"
#include "values.h"

namespace diaryx::crdt {
namespace {

/// The end of a text, from the right: typing at the end of a long item costs as much as what was typed. The flag says that half a
/// character comes before the view.
std::pair<std::string_view, bool> last_units(std::string_view text, uint32_t units) {
  size_t at = text.size();
  while (units > 0) {
    size_t before = at - 1;
    while ((static_cast<uint8_t>(text[before]) & 0xc0) == 0x80) --before;  // 10xxxxxx: inside a character
    const uint32_t of_character = at - before == 4 ? 2 : 1;
    if (of_character > units) return {text.substr(at), true};
    units -= of_character;
    at = before;
  }
  return {text.substr(at), false};
}

/// The delta under construction: the step that may still grow, and the attributes here.
class TextDelta {
 public:
  explicit TextDelta(const Store& store) : store_(store) {}

  void keep(uint32_t units) { grow(Doing::Retain, units); }
  void erase(uint32_t units) { grow(Doing::Delete, units); }
  void insert(std::string_view text, uint32_t units) {
    grow(Doing::Insert, units);
    text_ += text;
  }
  void insert(Value value) {
    flush();
    delta_.push_back({DeltaOp::Kind::Insert, Length{1}, {}, {}, attributes_of(store_, current_)});
    delta_.back().values.push_back(std::move(value));
  }

  void mark_added(KeyRef key, const MarkValue& value) {
    if (equal_attributes(current_.get(key), value)) {
      if (!value.is_null()) return;  // redundant
    } else {
      flush_if(Doing::Retain);
      if (equal_attributes(value, old_.get(key))) {
        changes_.erase(key);
      } else {
        changes_.set(key, value);
      }
    }
    pass(key, value);
  }
  void mark_deleted(KeyRef key, const MarkValue& value) {
    old_.set(key, value);
    const MarkValue current = current_.get(key);
    if (equal_attributes(current, value)) return;
    flush_if(Doing::Retain);
    changes_.set(key, current);
  }
  void mark_kept(KeyRef key, const MarkValue& value) {
    old_.set(key, value);
    if (const MarkValue* change = changes_.find(key)) {
      if (!equal_attributes(*change, value)) {
        flush_if(Doing::Retain);
        if (value.is_null()) {
          changes_.erase(key);
        } else {
          changes_.set(key, value);
        }
      } else if (!change->is_null()) {
        return;  // redundant
      }
    }
    pass(key, value);
  }

  Delta finish() {
    flush();
    while (!delta_.empty() && delta_.back().kind == DeltaOp::Kind::Retain && delta_.back().attributes.empty()) {
      delta_.pop_back();
    }
    return std::move(delta_);
  }

 private:
  enum class Doing : uint8_t { Nothing, Retain, Insert, Delete };

  void grow(Doing doing, uint32_t units) {
    if (doing_ != doing) flush();
    doing_ = doing;
    length_ += units;
  }
  void flush_if(Doing doing) {
    if (doing_ == doing) flush();
  }
  /// A mark that is there: what comes right of it has its attribute.
  void pass(KeyRef key, const MarkValue& value) {
    flush_if(Doing::Insert);
    current_.fold(key, value);
  }
  void flush() {
    const Length length{std::exchange(length_, 0)};
    switch (std::exchange(doing_, Doing::Nothing)) {
      case Doing::Nothing: break;
      case Doing::Delete: delta_.push_back({DeltaOp::Kind::Delete, length, {}, {}, {}}); break;
      case Doing::Retain:
        delta_.push_back({DeltaOp::Kind::Retain, length, {}, {}, attributes_of(store_, changes_)});
        break;
      case Doing::Insert:
        delta_.push_back(
            {DeltaOp::Kind::Insert, length, std::exchange(text_, {}), {}, attributes_of(store_, current_)});
        break;
    }
  }

  const Store& store_;
  Delta delta_;
  Marks current_;  // attributes here, after the transaction
  Marks old_;  // and before it
  Marks changes_;  // what changed for old content here; null: taken away
  Doing doing_ = Doing::Nothing;
  uint32_t length_ = 0;
  std::string text_;
};

}  // namespace

Delta Store::EventBuilder::text_delta(TypeRef type) {
  TextDelta delta(store_);
  // Attributes come from the left and reach to the right, so a text with marks is looked at from end to end.
  const bool has_marks = store_.types_[type].has_formatting;
  Walk walk = has_marks ? Walk{store_.types_[type].start, 0, 1} : begin_walk(type);
  if (walk.kept > 0) delta.keep(walk.kept);
  for (ItemRef ref = walk.at; some(ref) && walk.changed > 0; ref = store_.items_[ref].right) {
    const Item& item = store_.items_[ref];
    if (!has_marks && is_changed(item)) --walk.changed;
    const bool is_value = item.kind == ContentKind::Embed || item.kind == ContentKind::Type;
    if (item.kind == ContentKind::Format) {
      const KeyRef key = mark_key(store_, item);
      if (is_new(item)) {
        if (!item.deleted()) delta.mark_added(key, mark_value(store_, item));
      } else if (!item.deleted()) {
        delta.mark_kept(key, mark_value(store_, item));
      } else if (is_deleted_now(item)) {
        delta.mark_deleted(key, mark_value(store_, item));
      }
    } else if (is_value || item.kind == ContentKind::String || item.kind == ContentKind::Deleted) {
      for_each_portion(item, [&](Portion portion) {
        if (portion.fate == Fate::Kept) {
          delta.keep(portion.length);
        } else if (portion.fate == Fate::Deleted) {
          delta.erase(portion.length);
        } else if (is_value) {
          delta.insert(content_at(store_, item, 0));
        } else {
          const auto [text, leads_with_half] = last_units(as_text(store_.content(item)), portion.length);
          if (leads_with_half) delta.insert("\xef\xbf\xbd", 0);
          delta.insert(text, portion.length);
        }
      });
    }
  }
  return delta.finish();
}

}  // namespace diaryx::crdt
