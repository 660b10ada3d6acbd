#include "columns.h"

namespace diaryx::crdt {

StringReader::StringReader(ByteView bytes, std::vector<Bytes>& scratch) : scratch_(scratch), lengths_(ByteView{}) {
  Cursor in(bytes);
  text_ = in.var_string();
  lengths_ = RunReader(in.bytes(in.remaining()));
  ok_ = in.ok();
  error_ = in.error();
  ascii_ = is_ascii(text_);
}

std::string_view StringReader::read() {
  const uint64_t units = lengths_.read();
  if (!ok()) return {};
  const std::string_view rest = text_.substr(at_);
  if (units > rest.size() + 1) {  // no text has more units than bytes; a pending half is one more
    ok_ = false;
    error_ = {ErrorCode::Truncated, static_cast<uint32_t>(at_)};
    return {};
  }
  if (ascii_ && units <= rest.size()) [[likely]] {
    at_ += static_cast<size_t>(units);
    return rest.substr(0, static_cast<size_t>(units));
  }
  if (units == 0) return {};
  const auto wanted = static_cast<uint32_t>(units - (half_ ? 1 : 0));
  const size_t size = to_utf8(rest, Utf16Offset{wanted}).value();
  const uint32_t got = utf16_length(rest.substr(0, size)).value();
  const bool cuts = got < wanted && size < rest.size();
  if (got < wanted && !cuts) {
    ok_ = false;
    error_ = {ErrorCode::Truncated, static_cast<uint32_t>(at_)};
    return {};
  }
  at_ += size + (cuts ? 4 : 0);
  if (!half_ && !cuts) return rest.substr(0, size);
  Bytes joined;
  if (half_) joined = {0xef, 0xbf, 0xbd};
  joined.insert(joined.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
  if (cuts) joined.insert(joined.end(), {0xef, 0xbf, 0xbd});
  half_ = cuts;
  scratch_.push_back(std::move(joined));
  return as_text(scratch_.back());
}

}  // namespace diaryx::crdt
