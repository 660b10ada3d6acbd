// What a process holds and has used, from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace diaryx::bench {

/// Resident now. `collect`: asks the process to collect its garbage first, and waits for it.
uint64_t resident_bytes(pid_t process, bool collect);
/// The most that was resident since `forget_peak`.
uint64_t peak_bytes(pid_t process);
void forget_peak(pid_t process);
/// Processor time of all its threads, user and system. Says more than the clock on a machine with other work.
double cpu_seconds(pid_t process);

}  // namespace diaryx::bench
