// How a benchmark program measures and what it prints: one JSON line per work, for bench/run.mjs to gather.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"

namespace diaryx::bench {

/// Says why on the error stream and ends the program with 1: a benchmark that cannot check its result reports nothing.
[[noreturn]] void give_up(const std::string& why);

/// Gives up with `what` unless `condition` holds.
inline void check(bool condition, const char* what) {
  if (!condition) give_up(std::string(what) + ": the result is wrong");
}

template <typename T>
T must(Result<T> result) {
  if (!result) give_up("the engine refused: " + describe(result.error()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Milliseconds that `run()` took.
template <typename Run>
double time_ms(Run&& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// Keeps a result from being optimised away.
template <typename T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

struct Measurement {
  std::string work;
  std::string trace = {};  // where one input holds several works with their own names; else the input's
  std::vector<double> ms = {};
  size_t edits = 0;  // what one repetition did, where that is a number of edits
  size_t bytes = 0;  // size of the result
  size_t memory_bytes = 0;  // held while the result lives
  size_t peak_bytes = 0;  // most held during the work
  std::string digest = {};  // SHA-256 of a result whose bytes other engines are expected to give as well
};

/// What the caller wants: which works (none named: all), and how often each is repeated.
struct Options {
  std::string data = "build/bench/data";
  std::string input;
  std::vector<std::string> works;
  int reps = 7;

  bool wants(std::string_view work) const;
};

/// Prints the line of one work. `build` says how the engine was built.
void print(const Options& options, const Measurement& measurement);

std::string digest(ByteView bytes);
std::string digest(std::string_view text);

}  // namespace diaryx::bench
