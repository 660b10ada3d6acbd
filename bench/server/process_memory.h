// What a process holds, from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace diaryx::bench {

/// Resident now. `collect`: asks the process to collect its garbage first, and waits for it.
uint64_t resident_bytes(pid_t process, bool collect);
/// The most that was resident since `forget_peak`.
uint64_t peak_bytes(pid_t process);
void forget_peak(pid_t process);

}  // namespace diaryx::bench
