// Who wrote what: the ids of a text's units lead to the records that brought them.
#include <algorithm>
#include <utility>

#include "diaryx/base/utf.h"
#include "diaryx/sync/head_text.h"
#include "history/history_impl.h"
#include "replica/workspace_doc.h"
#include "roots.h"

namespace diaryx::sync {
namespace {

/// A file that was renamed more often than this says of older text only when it came along.
constexpr int kMaxRenames = 64;

struct Source {
  const HistoryRecord* record = nullptr;
  Clock until;  // good up to here
};

/// The record that first brought a unit, over renames: operations that came along have their record in the old document.
Source source_of(const History& history, std::string key, crdt::Id id) {
  Source source{.until = id.clock + Length{1}};
  for (int i = 0; i < kMaxRenames; ++i) {
    const DocHistory* records = history.document(body_document(key));
    const std::optional<DocHistory::Found> found = records == nullptr ? std::nullopt : records->record_of(id);
    if (!found) return source;
    source = {.record = &records->records()[found->record],
              .until = i == 0 ? found->until : std::min(source.until, found->until)};
    if (source.record->origin != HistoryOrigin::Move || source.record->note.empty()) return source;
    key = source.record->note;
  }
  return source;
}

/// Puts the spans of one document's text together.
class Attributor {
 public:
  Attributor(const History& history, std::string document) : history_(history), document_(std::move(document)) {}

  /// Of nobody, as far as the records say.
  void add_unknown(std::string text) { add({.text = std::move(text)}); }
  /// All of it came in one record, that of the unit.
  void add_run(std::string text, crdt::Id unit) { add(attributed(std::move(text), source(unit), unit.client)); }
  /// Records follow one another inside a span of one client, so it is cut where the record changes.
  void add_text(const crdt::Text& text) {
    const std::string content = text.to_string();
    size_t at_byte = 0;
    for (const crdt::TextSpan& span : text.spans()) {
      const Clock end = span.first.clock + span.length;
      for (Clock clock = span.first.clock; clock < end;) {
        const Source source = this->source({span.first.client, clock});
        const Length length = std::min(end, source.until) - clock;
        const std::string_view rest = std::string_view(content).substr(at_byte);
        const size_t size_bytes = to_utf8(rest, Utf16Offset{length.value()}).value();
        add(attributed(std::string(rest.substr(0, size_bytes)), source, span.first.client));
        clock = clock + length;
        at_byte += size_bytes;
      }
    }
  }

  std::vector<AttributedSpan> take() { return std::move(spans_); }

 private:
  Source source(crdt::Id unit) const { return source_of(history_, document_, unit); }

  AttributedSpan attributed(std::string text, const Source& source, ClientId writer) {
    AttributedSpan part{.text = std::move(text), .device = device_of(writer)};
    if (source.record == nullptr) return part;
    part.time = source.record->time;
    part.origin = source.record->origin;
    part.sequence = source.record->sequence;
    if (part.device.id.empty()) part.device = source.record->device;
    return part;
  }

  const HistoryDevice& device_of(ClientId client) {
    const auto [place, is_new] = devices_.try_emplace(client);
    if (is_new) place->second = history_.device_of(body_document(document_), client);
    return place->second;
  }

  void add(AttributedSpan span) {
    if (span.text.empty()) return;
    const bool joins =
        !spans_.empty() && spans_.back().sequence == span.sequence && spans_.back().device == span.device;
    if (joins) {
      spans_.back().text += span.text;
    } else {
      spans_.push_back(std::move(span));
    }
  }

  const History& history_;
  std::string document_;
  std::map<ClientId, HistoryDevice> devices_;
  std::vector<AttributedSpan> spans_;
};

}  // namespace

std::optional<std::vector<AttributedSpan>> History::attribution(const std::string& path, HistoryPoint point) const {
  const std::optional<std::string> name = name_at(path, point);
  if (!name || impl_->workspace_at(point).live_binary(*name)) return std::nullopt;
  const std::optional<FileMetadata> entry = impl_->workspace_at(point).live_file(*name);
  const std::string document = impl_->workspace_at(point).document_of(*name);
  const std::unique_ptr<crdt::Doc> body = impl_->body_at(*name, point);
  Attributor spans(*this, document);
  const auto add_entry = [&] {
    if (entry) spans.add_unknown(head_without_text(*entry, *name));
  };
  if (body == nullptr) {
    add_entry();
    return spans.take();
  }
  const HeadText head(*body);
  if (!head.is_as_imported()) {
    for (HeadText::Run& run : head.runs()) spans.add_run(std::move(run.text), run.id);
  } else if (const crdt::Text imported = body->text(kHeadRoot); imported.length() != Length{0}) {
    spans.add_text(imported);
  } else {
    add_entry();
  }
  spans.add_text(body->text(kBodyRoot));
  return spans.take();
}

}  // namespace diaryx::sync
