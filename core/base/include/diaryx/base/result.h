// Result<T>, Error and the macros that make them pleasant; DX_ASSERT for our own bugs.
//
// Three kinds of failure, three answers: bad input is a Result, our own bug is DX_ASSERT (on in release too), and the
// world failing (disk, socket) is met by shells alone, which tell the core with an event.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace diaryx {

/// What was wrong with an input. The sentence for people is made by `describe`.
enum class ErrorCode : uint16_t {
  // Reading bytes.
  Truncated = 1,       // input ended inside a value
  TrailingBytes,       // input went on after the value
  VarUintTooLong,      // more than ten bytes, or above 2^53-1
  NumberOutOfRange,    // a number that does not fit its field
  InvalidUtf8,
  InvalidBase64,
  InvalidJson,
  TooDeep,             // nesting beyond the stated limit
  TooLarge,            // beyond a stated limit of size or count
  UnknownTag,          // a tag, kind or type that the format does not have
  // CRDT.
  ClockOverflow,
  BadReference,        // a struct refers to itself or to the future of its own client
  OffsetOutOfRange,    // an index beyond the end of a text, list or item
  WrongType,           // a shared type or value of another kind is there
  Unsupported,
  HistoryCollected,    // an old state is asked for, but what was deleted since was dropped
  // Sync.
  DocIdTooLong,
  InvalidDocId,
  InvalidPath,
  InvalidMetadata,
  InvalidFrontmatter,
  InvalidMessage,
  NotFound,
  Conflict,
};

/// An error is eight bytes: what, and the byte offset where reading stopped (0 when there is no such place).
struct Error {
  ErrorCode code;
  uint32_t position = 0;

  friend bool operator==(const Error&, const Error&) = default;
};

/// One clear sentence without a full stop, e.g. "the input ends too early (at byte 12)". For shells, logs and tests.
std::string describe(Error error);

template <typename T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorCode::Truncated, in.position());`
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, size_t position = 0) {
  return std::unexpected(Error{code, static_cast<uint32_t>(position)});
}

/// Says where the broken invariant stands and ends the process. Never call it for bad input.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace diaryx

#define DX_CONCAT_INNER(a, b) a##b
#define DX_CONCAT(a, b) DX_CONCAT_INNER(a, b)

/// `DX_TRY(const uint64_t n, in.var_uint());` declares n, or returns the error.
#define DX_TRY(declaration, expression) DX_TRY_INNER(DX_CONCAT(dx_try_, __COUNTER__), declaration, expression)
#define DX_TRY_INNER(temporary, declaration, expression) \
  auto&& temporary = (expression);                       \
  if (!temporary) [[unlikely]]                           \
    return std::unexpected(temporary.error());           \
  declaration = *std::forward<decltype(temporary)>(temporary)

/// `DX_TRY_VOID(text.insert(...));` returns the error, if any.
#define DX_TRY_VOID(expression)                                         \
  do {                                                                  \
    if (auto dx_try_result = (expression); !dx_try_result) [[unlikely]] \
      return std::unexpected(dx_try_result.error());                    \
  } while (false)

/// Our own invariant, checked in release builds too. A WebAssembly guest has nobody to tell the place to, so it does not carry it.
#ifdef __wasm__
#define DX_ASSERT(condition) (static_cast<bool>(condition) ? void() : __builtin_trap())
#else
#define DX_ASSERT(condition) \
  (static_cast<bool>(condition) ? void() : ::diaryx::assertion_failed(#condition, __FILE__, __LINE__))
#endif
