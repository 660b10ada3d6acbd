#include "replica/text_units.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "diaryx/base/sort.h"
#include "diaryx/base/utf.h"

namespace diaryx::sync {
namespace {

using Spans = std::vector<crdt::TextSpan>;

void append_span(Spans& spans, crdt::TextSpan span) {
  if (span.length == Length{0}) return;
  const bool goes_on = !spans.empty() && spans.back().first.client == span.first.client &&
                       spans.back().first.clock + spans.back().length == span.first.clock;
  if (goes_on) {
    spans.back().length = spans.back().length + span.length;
  } else {
    spans.push_back(span);
  }
}

/// The part of `spans` from unit `begin` to unit `end`.
Spans slice(const Spans& spans, uint32_t begin, uint32_t end) {
  Spans part;
  uint32_t at = 0;
  for (const crdt::TextSpan& span : spans) {
    const uint32_t from = std::max(begin, at);
    const uint32_t until = std::min(end, at + span.length.value());
    if (from < until)
      append_span(part, {{span.first.client, span.first.clock + Length{from - at}}, Length{until - from}});
    at += span.length.value();
    if (at >= end) break;
  }
  return part;
}

/// Where the visible units of a text are.
class Places {
 public:
  explicit Places(const Spans& spans) {
    uint32_t at = 0;
    for (const crdt::TextSpan& span : spans) {
      runs_.push_back({span, at});
      at += span.length.value();
    }
    sort_compactly_by(runs_, [](const Run& run) { return run.span.first; });
  }

  std::optional<uint32_t> find(crdt::Id id) const {
    const auto next = std::ranges::upper_bound(runs_, id, {}, [](const Run& run) { return run.span.first; });
    if (next == runs_.begin()) return std::nullopt;
    const Run& run = *std::prev(next);
    if (run.span.first.client != id.client || id.clock >= run.span.first.clock + run.span.length) return std::nullopt;
    return run.at + (id.clock - run.span.first.clock).value();
  }

 private:
  struct Run {
    crdt::TextSpan span;
    uint32_t at;
  };
  std::vector<Run> runs_;
};

std::optional<crdt::Id> unit_at(const Spans& spans, uint32_t index) {
  const Spans one = slice(spans, index, index + 1);
  return one.empty() ? std::nullopt : std::optional(one.front().first);
}

/// One step in the document as it is before all of them.
struct Step {
  uint32_t at;
  uint32_t erased;
  std::string_view inserted;
  size_t order;  // of steps at one place
  bool is_done = false;  // somebody else replaced the same by the same
};

/// Finds where edits of an older version have their places in a text. Edits are asked for from left to right.
class Planner {
 public:
  Planner(const crdt::Text& text, const Spans& units)
      : text_(text), units_(units), places_(text.spans()), end_(text.length().value()) {}

  /// In the order of their places.
  std::vector<Step> plan(const std::vector<TextEdit>& edits) {
    for (const TextEdit& edit : edits) {
      if (!edit.inserted.empty()) add_insertion(edit);
      add_erasure(edit);
    }
    sort_compactly(steps_, [](const Step& a, const Step& b) { return a.at != b.at ? a.at < b.at : a.order < b.order; });
    return std::move(steps_);
  }

 private:
  static uint32_t begin_of(const TextEdit& edit) { return edit.at.value(); }
  static uint32_t end_of(const TextEdit& edit) { return edit.at.value() + edit.erased.value(); }

  /// `take(place)` for each unit from `begin` to `end` of the older version that is still there.
  template <typename Take>
  void for_each_left(uint32_t begin, uint32_t end, Take take) const {
    for (const crdt::TextSpan& span : slice(units_, begin, end)) {
      for (Clock clock = span.first.clock; clock < span.first.clock + span.length; clock = clock + Length{1}) {
        if (const std::optional<uint32_t> at = places_.find({span.first.client, clock})) take(*at);
      }
    }
  }

  void add_insertion(const TextEdit& edit) {
    const uint32_t at = place_of_gap(begin_of(edit), end_of(edit));
    const std::optional<uint32_t> done = place_if_done(edit, at);
    steps_.push_back({done.value_or(at), 0, edit.inserted, steps_.size(), done.has_value()});
  }

  void add_erasure(const TextEdit& edit) {
    // What others deleted, too, is not there; what they wrote in between stays.
    for_each_left(begin_of(edit), end_of(edit), [this](uint32_t at) {
      Step* const last = steps_.empty() ? nullptr : &steps_.back();
      if (last != nullptr && last->erased != 0 && last->at + last->erased == at) {
        ++last->erased;
      } else {
        steps_.push_back({at, 1, {}, steps_.size()});
      }
    });
  }

  /// Behind what others wrote there, in front of what follows; at the end behind everything.
  uint32_t place_of_gap(uint32_t left, uint32_t right) {
    const std::optional<crdt::Id> next = unit_at(units_, right);
    if (!next) return end_;
    if (const std::optional<uint32_t> at = places_.find(*next)) return *at;
    return place_behind(left);
  }

  /// Behind the last unit in front of a gap that is still there.
  uint32_t place_behind(uint32_t left) {
    for_each_left(seen_, left, [this](uint32_t at) { behind_ = at + 1; });
    seen_ = left;
    return behind_;
  }

  /// All that it replaces was taken already, and what was put there instead is what it puts there. Who typed the same without
  /// replacing anything (a mark of a tally) typed it twice.
  std::optional<uint32_t> place_if_done(const TextEdit& edit, uint32_t at) {
    if (edit.erased == Length{0}) return std::nullopt;
    bool is_gone = true;
    for_each_left(begin_of(edit), end_of(edit), [&](uint32_t) { is_gone = false; });
    if (!is_gone) return std::nullopt;
    const uint32_t left = place_behind(begin_of(edit));
    if (at - left != utf16_length(edit.inserted).value()) return std::nullopt;
    if (!present_) present_ = text_.to_string();
    const std::string_view there = std::string_view(*present_).substr(to_utf8(*present_, Utf16Offset{left}).value());
    return there.starts_with(edit.inserted) ? std::optional(left) : std::nullopt;
  }

  const crdt::Text& text_;
  const Spans& units_;
  Places places_;
  uint32_t end_;
  uint32_t seen_ = 0;  // of the older version, by `place_behind`
  uint32_t behind_ = 0;
  std::optional<std::string> present_;
  std::vector<Step> steps_;
};

void perform(crdt::Text& text, crdt::Transaction& txn, const std::vector<Step>& steps) {
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->erased != 0) DX_ASSERT(text.erase(txn, Utf16Offset{step->at}, Length{step->erased}));
    if (!step->inserted.empty() && !step->is_done) DX_ASSERT(text.insert(txn, Utf16Offset{step->at}, step->inserted));
  }
}

/// Where what was inserted is once all steps are done, in the order of the edits.
std::vector<uint32_t> places_of_typed(const std::vector<Step>& steps) {
  std::vector<uint32_t> typed_at;
  uint32_t shift = 0;  // wraps, and back
  for (const Step& step : steps) {
    if (!step.inserted.empty()) typed_at.push_back(step.at + shift);
    shift += (step.is_done ? 0 : utf16_length(step.inserted).value()) - step.erased;
  }
  return typed_at;
}

/// What was kept of the older version, and what was typed, which is in `now` at these places; in the order of the edits.
Spans edited_version(const Spans& units, const std::vector<TextEdit>& edits, const Spans& now,
                     const std::vector<uint32_t>& typed_at) {
  Spans edited;
  const auto append = [&edited](const Spans& spans, uint32_t begin, uint32_t end) {
    for (const crdt::TextSpan& span : slice(spans, begin, end)) append_span(edited, span);
  };
  uint32_t kept = 0;
  auto at = typed_at.begin();
  for (const TextEdit& edit : edits) {
    append(units, kept, edit.at.value());
    kept = edit.at.value() + edit.erased.value();
    if (edit.inserted.empty()) continue;
    append(now, *at, *at + utf16_length(edit.inserted).value());
    ++at;
  }
  append(units, kept, UINT32_MAX);
  return edited;
}

bool read_number(std::string_view& text, char end, uint64_t& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto size = static_cast<size_t>(stop - text.data());
  if (error != std::errc{} || (size < text.size() && text[size] != end) || (size == text.size() && end != ','))
    return false;
  text.remove_prefix(std::min(size + 1, text.size()));
  return true;
}

Result<Spans> decode_spans(std::string_view text) {
  Spans spans;
  while (!text.empty()) {
    uint64_t client = 0, clock = 0, length = 0;
    if (!read_number(text, '.', client) || !read_number(text, '.', clock) || !read_number(text, ',', length) ||
        clock > UINT32_MAX || length > UINT32_MAX - clock)
      return fail(ErrorCode::InvalidMessage);
    spans.push_back({{ClientId{client}, Clock{static_cast<uint32_t>(clock)}}, Length{static_cast<uint32_t>(length)}});
  }
  return spans;
}

std::string encode_spans(const Spans& spans) {
  std::string out;
  for (const crdt::TextSpan& span : spans) {
    if (!out.empty()) out += ',';
    out += std::to_string(span.first.client.value()) + '.' + std::to_string(span.first.clock.value()) + '.' +
           std::to_string(span.length.value());
  }
  return out;
}

}  // namespace

// In front of the semicolon stood the units of the head, as long as it was merged letter by letter.
std::string encode_units(const TextUnits& units) { return ';' + encode_spans(units.body); }

Result<TextUnits> decode_units(std::string_view text) {
  const size_t middle = text.find(';');
  if (middle == std::string_view::npos) return fail(ErrorCode::InvalidMessage);
  if (const auto of_head = decode_spans(text.substr(0, middle)); !of_head) return std::unexpected(of_head.error());
  TextUnits units;
  DX_TRY(units.body, decode_spans(text.substr(middle + 1)));
  return units;
}

Length length_of(const Spans& units) {
  Length length{0};
  for (const crdt::TextSpan& span : units) length = length + span.length;
  return length;
}

Spans carry_edits(crdt::Text text, crdt::Transaction& txn, const Spans& units, const std::vector<TextEdit>& edits) {
  const std::vector<Step> steps = Planner(text, units).plan(edits);
  perform(text, txn, steps);
  return edited_version(units, edits, text.spans(), places_of_typed(steps));
}

}  // namespace diaryx::sync
