// The Extism kernel as a guest sees it: bytes in, bytes out, one call to a host function.
//
// Kernel memory is separate from ours. Every eight bytes cost one call into the host, so copies go by `u64` and only
// the tail goes by byte; sending increments instead of whole states is what keeps the plugin fast, nothing here can.
//
// Invariants
//  1. No kernel handle outlives the export during which it was made: the kernel releases all of them between calls.
//  2. Handle 0 is the empty string, in both directions.
//  3. The JavaScript SDKs hand out at most 32,768 blocks per guest call (a freed block is not reused). `blocks_used()`
//     lets long jobs stop in time and go on in the next call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"

namespace diaryx::plugin::pdk {

/// A function of the module `extism:host/user`: kernel handle of the argument in, kernel handle of the answer out.
using UserFunction = std::uint64_t (*)(std::uint64_t);

/// The whole input of the running export. Not trusted.
Bytes input();

/// The same, for exports that take text; UTF-8 is not checked here.
std::string input_text();

/// Makes `bytes` the output of the running export. Empty output is legal and sets nothing.
void output(ByteView bytes);
void output(std::string_view text);

/// Makes `message` the error of the running export and returns the code that the export must return.
std::int32_t fail(std::string_view message);

/// Calls a host function. Returns its answer, empty when the host answered with handle 0.
///
/// A native host that fails does not return: the whole guest call traps. Callers hold no half-changed state here.
std::string call(UserFunction function, std::string_view argument);

/// Runs the body of an export, unless another export is still running in this instance: a host that calls back into its
/// own plugin from a host function gets an error.
///
/// An export that trapped never gets to its end. It is told from one that still runs by a kernel block: the kernel
/// releases all blocks when a call starts, so the mark of a dead call is gone. What the dead call left on the stack is
/// taken back as well, or some thousand failed host calls would use it up.
std::int32_t run(std::int32_t (*body)());

/// Whether there is memory for `times` as much as the input holds, and a reserve. An allocation that fails ends the export in the
/// middle of what it does, so exports that may need much ask first and refuse in order. What was asked for is kept by the heap.
bool has_room(std::size_t times);

/// Kernel blocks taken since the running export began.
std::uint32_t blocks_used();

}  // namespace diaryx::plugin::pdk
