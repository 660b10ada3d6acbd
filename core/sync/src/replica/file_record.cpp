#include "replica/file_record.h"

namespace diaryx::sync {
namespace {

// One letter, 64 hex digits, and for a text whose document is ahead a line feed and the text.
constexpr char kTextLetter = 't';
constexpr char kUnsavedTextLetter = 'u';
constexpr char kBlobLetter = 'b';
constexpr size_t kHashEnd = 65;

}  // namespace

std::string FileRecord::encode() const {
  std::string out(1, kind == Kind::Blob ? kBlobLetter : unsaved ? kUnsavedTextLetter : kTextLetter);
  out += hash.hex();
  if (base) out.append("\n").append(*base);
  return out;
}

Result<FileRecord> FileRecord::decode(std::string_view text) {
  constexpr std::string_view kLetters{"tub"};
  if (text.size() < kHashEnd || !kLetters.contains(text[0])) return fail(ErrorCode::InvalidMessage);
  FileRecord record{.kind = text[0] == kBlobLetter ? Kind::Blob : Kind::Text, .unsaved = text[0] == kUnsavedTextLetter};
  DX_TRY(record.hash, Sha256::from_hex(text.substr(1, 64)));
  if (text.size() == kHashEnd) return record;
  if (text[kHashEnd] != '\n') return fail(ErrorCode::InvalidMessage, kHashEnd);
  record.base = text.substr(kHashEnd + 1);
  return record;
}

}  // namespace diaryx::sync
