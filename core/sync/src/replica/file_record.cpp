#include "replica/file_record.h"

#include <algorithm>
#include <charconv>

#include "replica/workspace_doc.h"

namespace diaryx::sync {
namespace {

// One letter and 64 hex digits; then for each time that a blob was published a space, client and clock with a colon between; for a text an `@`
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
  for (const crdt::Id& id : published) {
    out.append(" ").append(std::to_string(id.client.value()));
    out.append(":").append(std::to_string(id.clock.value()));
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
  const char* at = text.data() + kHashEnd;
  const char* const end = text.data() + text.size();
  while (at != end) {
    uint64_t client = 0;
    uint32_t clock = 0;
    const auto read_client = std::from_chars(at + 1, end, client);
    if (read_client.ptr == end || *read_client.ptr != ':') return fail(ErrorCode::InvalidMessage, kHashEnd);
    const auto read_clock = std::from_chars(read_client.ptr + 1, end, clock);
    if (read_clock.ec != std::errc() || (read_clock.ptr != end && *read_clock.ptr != ' ')) {
      return fail(ErrorCode::InvalidMessage, kHashEnd);
    }
    record.published.push_back({ClientId{client}, Clock{clock}});
    at = read_clock.ptr;
  }
  return record;
}

}  // namespace diaryx::sync
