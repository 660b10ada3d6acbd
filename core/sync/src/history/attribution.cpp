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

}  // namespace

std::optional<std::vector<AttributedSpan>> History::attribution(const std::string& path, HistoryPoint point) const {
  const std::optional<std::string> name = name_at(path, point);
  if (!name || impl_->workspace_at(point).live_binary(*name)) return std::nullopt;
  const std::optional<FileMetadata> entry = impl_->workspace_at(point).live_file(*name);
  const std::string document = impl_->workspace_at(point).document_of(*name);
  const std::unique_ptr<crdt::Doc> body = impl_->body_at(*name, point);
  std::vector<AttributedSpan> spans;
  const auto append = [&](AttributedSpan span) {
    if (span.text.empty()) return;
    const bool joins = !spans.empty() && spans.back().sequence == span.sequence && spans.back().device == span.device;
    if (joins) {
      spans.back().text += span.text;
    } else {
      spans.push_back(std::move(span));
    }
  };
  // A first import is made under an id of its own, the same on every device; who listed the file imported it.
  const std::optional<std::string> seed =
      body == nullptr ? std::nullopt : body->map(kSeedRoot).get_string(kSeedClientKey);
  std::map<ClientId, HistoryDevice> devices;
  const auto find_device = [&](ClientId client) {
    HistoryDevice device = device_of(body_document(document), client);
    if (!device.id.empty() || seed != std::to_string(client.value())) return device;
    const auto importer = impl_->pass().first_writer.find(*name);
    return importer == impl_->pass().first_writer.end() ? device : device_of(kWorkspaceName, importer->second);
  };
  const auto device_of_span = [&](ClientId client) {
    const auto [place, is_new] = devices.try_emplace(client);
    if (is_new) place->second = find_device(client);
    return place->second;
  };
  const auto attributed = [&](std::string text, const Source& source, ClientId writer) {
    AttributedSpan part{.text = std::move(text), .device = device_of_span(writer)};
    if (source.record != nullptr) {
      part.time = source.record->time;
      part.origin = source.record->origin;
      part.sequence = source.record->sequence;
      if (part.device.id.empty()) part.device = source.record->device;
    }
    return part;
  };
  const auto append_text = [&](const crdt::Text& text) {
    const std::string content = text.to_string();
    size_t at_byte = 0;
    // Records follow one another inside a span of one client, so it is cut where the record changes.
    for (const crdt::TextSpan& span : text.spans()) {
      Clock clock = span.first.clock;
      const Clock end = clock + span.length;
      while (clock < end) {
        const Source source = source_of(*this, document, {span.first.client, clock});
        const Clock until = std::min(end, source.until);
        const std::string_view rest = std::string_view(content).substr(at_byte);
        const size_t end_byte = at_byte + to_utf8(rest, Utf16Offset{(until - clock).value()}).value();
        append(attributed(content.substr(at_byte, end_byte - at_byte), source, span.first.client));
        clock = until;
        at_byte = end_byte;
      }
    }
  };
  if (body == nullptr) {
    if (entry) append({.text = head_without_text(*entry, *name)});
    return spans;
  }
  const HeadText head(*body);
  if (!head.is_as_imported()) {
    for (HeadText::Run& run : head.runs())
      append(attributed(std::move(run.text), source_of(*this, document, run.id), run.id.client));
  } else if (const crdt::Text imported = body->text(kHeadRoot); imported.length() != Length{0}) {
    append_text(imported);
  } else if (entry) {
    append({.text = head_without_text(*entry, *name)});
  }
  append_text(body->text(kBodyRoot));
  return spans;
}

}  // namespace diaryx::sync
