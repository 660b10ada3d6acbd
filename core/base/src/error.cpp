#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "diaryx/base/result.h"

namespace diaryx {
namespace {

std::string_view sentence(ErrorCode code) {
  switch (code) {
    case ErrorCode::Truncated: return "the input ends too early";
    case ErrorCode::TrailingBytes: return "the input goes on after its end";
    case ErrorCode::VarUintTooLong: return "a number is longer than 53 bits";
    case ErrorCode::NumberOutOfRange: return "a number is out of range";
    case ErrorCode::InvalidUtf8: return "a text is not valid UTF-8";
    case ErrorCode::InvalidBase64: return "a value is not valid base64";
    case ErrorCode::InvalidJson: return "the text is not valid JSON";
    case ErrorCode::TooDeep: return "the input is nested too deeply";
    case ErrorCode::TooLarge: return "the input is larger than allowed";
    case ErrorCode::UnknownTag: return "the input holds an unknown kind of value";
    case ErrorCode::ClockOverflow: return "a clock is larger than a document can hold";
    case ErrorCode::BadReference: return "a change refers to one that cannot exist yet";
    case ErrorCode::OffsetOutOfRange: return "a position lies beyond the end";
    case ErrorCode::WrongType: return "a value of another kind is in this place";
    case ErrorCode::Unsupported: return "this is not supported";
    case ErrorCode::HistoryCollected:
      return "this document drops deleted content, so its past cannot be shown; keep it with garbage collection off";
    case ErrorCode::DocIdTooLong: return "the document id is longer than 255 bytes; give the file a shorter path";
    case ErrorCode::InvalidDocId: return "the document id is not a workspace or body id";
    case ErrorCode::InvalidPath: return "the path cannot be used in a workspace";
    case ErrorCode::InvalidMetadata: return "the file metadata cannot be read";
    case ErrorCode::InvalidFrontmatter: return "the frontmatter is no YAML, or has anchors, tags or the like";
    case ErrorCode::InvalidMessage: return "the message cannot be read";
    case ErrorCode::NotFound: return "there is no such thing";
    case ErrorCode::Conflict: return "something else is there";
  }
  return "unknown error";
}

}  // namespace

std::string describe(Error error) {
  std::string text{sentence(error.code)};
  if (error.position != 0) text += " (at byte " + std::to_string(error.position) + ")";
  return text;
}

#ifndef __wasm__
void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}
#endif

}  // namespace diaryx
