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
  const Places places(text.spans());
  const uint32_t end = text.length().value();
  // Behind the last unit in front of a gap that is still there; gaps are asked for from left to right.
  uint32_t seen = 0;
  uint32_t behind = 0;
  const auto place_behind = [&](uint32_t left) {
    for (const crdt::TextSpan& span : slice(units, seen, left)) {
      for (Clock clock = span.first.clock; clock < span.first.clock + span.length; clock = clock + Length{1}) {
        if (const std::optional<uint32_t> at = places.find({span.first.client, clock})) behind = *at + 1;
      }
    }
    seen = left;
    return behind;
  };
  const auto place_of_gap = [&](uint32_t left, uint32_t right) -> uint32_t {
    // Behind what others wrote there, in front of what follows; at the end behind everything.
    const std::optional<crdt::Id> next = unit_at(units, right);
    if (!next) return end;
    if (const std::optional<uint32_t> at = places.find(*next)) return *at;
    return place_behind(left);
  };

  std::optional<std::string> present;
  const auto is_gone = [&](uint32_t from, uint32_t to) {
    for (const crdt::TextSpan& span : slice(units, from, to)) {
      for (Clock clock = span.first.clock; clock < span.first.clock + span.length; clock = clock + Length{1}) {
        if (places.find({span.first.client, clock})) return false;
      }
    }
    return true;
  };
  // All that it replaces was taken already, and what was put there instead is what it puts there. Who typed the same without
  // replacing anything (a mark of a tally) typed it twice.
  const auto done_at = [&](const TextEdit& edit, uint32_t at) -> std::optional<uint32_t> {
    const uint32_t begin = edit.at.value();
    const uint32_t length = utf16_length(edit.inserted).value();
    if (edit.erased == Length{0} || !is_gone(begin, begin + edit.erased.value())) return std::nullopt;
    const uint32_t left = place_behind(begin);
    if (at - left != length) return std::nullopt;
    if (!present) present = text.to_string();
    const std::string_view there = std::string_view(*present).substr(to_utf8(*present, Utf16Offset{left}).value());
    return there.starts_with(edit.inserted) ? std::optional(left) : std::nullopt;
  };

  std::vector<Step> steps;
  for (const TextEdit& edit : edits) {
    const uint32_t begin = edit.at.value();
    const uint32_t until = begin + edit.erased.value();
    if (!edit.inserted.empty()) {
      const uint32_t at = place_of_gap(begin, until);
      const std::optional<uint32_t> done = done_at(edit, at);
      steps.push_back({done.value_or(at), 0, edit.inserted, steps.size(), done.has_value()});
    }
    for (const crdt::TextSpan& span : slice(units, begin, until)) {
      // What others deleted, too, is not there; what they wrote in between stays.
      for (Clock clock = span.first.clock; clock < span.first.clock + span.length; clock = clock + Length{1}) {
        const std::optional<uint32_t> at = places.find({span.first.client, clock});
        if (!at) continue;
        Step* const last = steps.empty() ? nullptr : &steps.back();
        if (last != nullptr && last->erased != 0 && last->at + last->erased == *at) {
          ++last->erased;
        } else {
          steps.push_back({*at, 1, {}, steps.size()});
        }
      }
    }
  }
  sort_compactly(steps, [](const Step& a, const Step& b) { return a.at != b.at ? a.at < b.at : a.order < b.order; });
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->erased != 0) DX_ASSERT(text.erase(txn, Utf16Offset{step->at}, Length{step->erased}));
    if (!step->inserted.empty() && !step->is_done) DX_ASSERT(text.insert(txn, Utf16Offset{step->at}, step->inserted));
  }

  // The edited version: what was kept of the older one, and what was typed, in the order of the edits.
  const Spans now = text.spans();
  std::vector<uint32_t> typed_at(edits.size());
  size_t next_typed = 0;
  uint32_t shift = 0;  // wraps, and back
  for (const Step& step : steps) {
    if (!step.inserted.empty()) typed_at[next_typed++] = step.at + shift;
    shift += (step.is_done ? 0 : utf16_length(step.inserted).value()) - step.erased;
  }
  Spans edited;
  uint32_t kept = 0;
  next_typed = 0;
  for (const TextEdit& edit : edits) {
    for (const crdt::TextSpan& span : slice(units, kept, edit.at.value())) append_span(edited, span);
    kept = edit.at.value() + edit.erased.value();
    if (edit.inserted.empty()) continue;
    const uint32_t at = typed_at[next_typed++];
    for (const crdt::TextSpan& span : slice(now, at, at + utf16_length(edit.inserted).value()))
      append_span(edited, span);
  }
  for (const crdt::TextSpan& span : slice(units, kept, UINT32_MAX)) append_span(edited, span);
  return edited;
}

}  // namespace diaryx::sync
