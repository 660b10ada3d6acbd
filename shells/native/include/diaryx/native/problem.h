// The world failing, as a sentence for a person.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace diaryx::native {

/// What the world refused: a disk, a socket, a server.
///
/// `sentence` is complete English for a person, says what to do where that is known, and holds no secret.
/// `os_error` is the errno behind it, or 0 when no system call was at fault.
struct Problem {
  std::string sentence;
  int os_error = 0;
};

/// True if a disk, or what a user may take of it, is full.
bool is_full_disk(int os_error);

/// A value, or the problem that prevented it. Core code uses `Result`, whose errors are eight bytes; shells talk
/// to people, so theirs carry a sentence.
template <typename T>
using Outcome = std::expected<T, Problem>;

/// `return problem("...")` from a function that gives an Outcome.
std::unexpected<Problem> problem(std::string sentence);

/// The sentence "cannot <doing> <subject>: <what the system said>", e.g. doing "write", subject "notes/a.md".
std::unexpected<Problem> os_problem(std::string_view doing, std::string_view subject, int os_error);

}  // namespace diaryx::native
