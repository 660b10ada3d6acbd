// How commands end: the documented exit codes, and a failure that carries one.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "diaryx/native/problem.h"

namespace diaryx::client {

/// The numbers are a promise to scripts; README.md and `--help` show the same table.
enum class ExitCode : int {
  Done = 0,
  Failed = 1,         // the disk, the database or the system refused
  Usage = 2,          // the command line is wrong
  NotLinked = 3,      // the folder is missing or not linked
  LinkedElsewhere = 4,
  Busy = 5,           // another diaryx-sync works on the folder
  Unreachable = 6,    // the server does not answer
  Refused = 7,        // the server does not accept the token or the request
  TimedOut = 8,       // not finished in the given time
  Incomplete = 9,     // finished, but some files could not be synced
};

/// Why a command ends, for standard error. One sentence that says what to do.
struct Failure {
  ExitCode code;
  std::string sentence;
};

template <typename T>
using Attempt = std::expected<T, Failure>;

inline std::unexpected<Failure> failure(ExitCode code, std::string sentence) {
  return std::unexpected(Failure{code, std::move(sentence)});
}

inline std::unexpected<Failure> failure(native::Problem problem, ExitCode code = ExitCode::Failed) {
  return std::unexpected(Failure{code, std::move(problem.sentence)});
}

}  // namespace diaryx::client
