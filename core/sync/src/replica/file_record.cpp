#include "replica/file_record.h"

#include <algorithm>
#include <charconv>

#include "replica/workspace_doc.h"

namespace diaryx::sync {
namespace {

// One letter and 64 hex digits; then for a published blob a space, client and clock with a colon between; for a text an `@`
// and the id of its file, and if its document is ahead a `#` with the units
// of the text, a line feed and the text.
constexpr char kTextLetter = 't';
constexpr char kUnsavedTextLetter = 'u';
constexpr char kBlobLetter = 'b';
constexpr size_t kHashEnd = 65;

}  // namespace

std::string FileRecord::encode() const {
  std::string out(1, kind == Kind::Blob ? kBlobLetter : unsaved ? kUnsavedTextLetter : kTextLetter);
  out += hash.hex();
  if (published) {
    out.append(" ").append(std::to_string(published->client.value()));
    out.append(":").append(std::to_string(published->clock.value()));
  }
  if (!file_id.empty()) out.append("@").append(file_id);
  if (base && !base_units.empty()) out.append("#").append(base_units);
  if (base) out.append("\n").append(*base);
  return out;
}

Result<FileRecord> FileRecord::decode(std::string_view text) {
  constexpr std::string_view kLetters{"tub"};
  if (text.size() < kHashEnd || !kLetters.contains(text[0])) return fail(ErrorCode::InvalidMessage);
  FileRecord record{.kind = text[0] == kBlobLetter ? Kind::Blob : Kind::Text, .unsaved = text[0] == kUnsavedTextLetter};
  DX_TRY(record.hash, Sha256::from_hex(text.substr(1, 64)));
  if (text.size() == kHashEnd) return record;
  const std::string_view rest = text.substr(kHashEnd + 1);
  if (text[kHashEnd] != ' ') {
    std::string_view line = text.substr(kHashEnd, text.find('\n') - kHashEnd);
    if (kHashEnd + line.size() < text.size()) record.base = text.substr(kHashEnd + line.size() + 1);
    if (const size_t units = line.find('#'); units != std::string_view::npos) {
      record.base_units = line.substr(units + 1);
      line = line.substr(0, units);
    }
    if (line.empty()) return record;
    record.file_id = line.substr(1);
    if (line[0] != '@' || !is_file_id(record.file_id)) return fail(ErrorCode::InvalidMessage, kHashEnd);
    return record;
  }
  const size_t colon = rest.find(':');
  if (text[kHashEnd] != ' ' || colon == std::string_view::npos) return fail(ErrorCode::InvalidMessage, kHashEnd);
  uint64_t client = 0;
  uint32_t clock = 0;
  const bool read =
      std::from_chars(rest.data(), rest.data() + colon, client).ptr == rest.data() + colon &&
      std::from_chars(rest.data() + colon + 1, rest.data() + rest.size(), clock).ptr == rest.data() + rest.size();
  if (!read) return fail(ErrorCode::InvalidMessage, kHashEnd);
  record.published = crdt::Id{ClientId{client}, Clock{clock}};
  return record;
}

}  // namespace diaryx::sync
