// What stands between the C and C++ libraries and an operating system that is not there.
//
// Invariants
//  1. The linked module imports nothing from WASI: each import of wasi-libc that can be reached is defined here, and a
//     definition wins over an import. Hosts with and without WASI can load the module.
//  2. Nothing here pretends to succeed. A stub that said "done" for random bytes would hand out zeros as if they were
//     random; it says ENOSYS, and what the libraries make of that (a trap) is the honest outcome.
//  3. Static constructors run exactly once, whichever of the host or an export comes first.
//
// Compiled without LTO: the linker must see these symbols before it decides what to import.

#include <__config>
#include <cstddef>
#include <cstdint>

// libc++ and libc++abi print a sentence to stderr before they give up, which drags in vfprintf (13 kB) and three
// imports. In a guest nobody would read it; the trap itself reaches the host.
_LIBCPP_BEGIN_NAMESPACE_STD
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) noexcept { __builtin_trap(); }
_LIBCPP_END_NAMESPACE_STD

using Errno = std::int32_t;
using Ptr = std::int32_t;   // a pointer or size of the 32-bit module
using Wide = std::int64_t;  // offsets, times and rights

namespace {
constexpr Errno kNoSys = 52;  // __WASI_ERRNO_NOSYS
}

extern "C" {

[[noreturn]] void abort_message(const char*, ...) { __builtin_trap(); }    // libc++abi up to 19
[[noreturn]] void __abort_message(const char*, ...) { __builtin_trap(); }  // libc++abi from 20
[[noreturn]] void __cxa_pure_virtual() { __builtin_trap(); }

// wasi-libc compares byte by byte; texts are compared here more often than they are hashed.
int memcmp(const void* left, const void* right, std::size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (; size >= sizeof(Wide); size -= sizeof(Wide), a += sizeof(Wide), b += sizeof(Wide)) {
    Wide x;
    Wide y;
    __builtin_memcpy(&x, a, sizeof x);
    __builtin_memcpy(&y, b, sizeof y);
    if (x != y) break;
  }
  for (; size > 0 && *a == *b; --size, ++a, ++b) {
  }
  return size == 0 ? 0 : *a - *b;
}

// A reactor never exits, so no destructor of a static object ever runs.
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }

// Debian's compiler-rt is built with stack protectors; wasi-libc has no support for them.
[[gnu::used]] std::uintptr_t __stack_chk_guard = 0x7e11'5a3du;
[[noreturn, gnu::used]] void __stack_chk_fail() { __builtin_trap(); }

#define DX_NO_WASI(call, ...) \
  [[gnu::weak]] Errno __imported_wasi_snapshot_preview1_##call(__VA_ARGS__) { return kNoSys; }

DX_NO_WASI(args_get, Ptr, Ptr)
DX_NO_WASI(args_sizes_get, Ptr, Ptr)
DX_NO_WASI(environ_get, Ptr, Ptr)
DX_NO_WASI(environ_sizes_get, Ptr, Ptr)
DX_NO_WASI(clock_res_get, Errno, Ptr)
DX_NO_WASI(clock_time_get, Errno, Wide, Ptr)
DX_NO_WASI(random_get, Ptr, Ptr)
DX_NO_WASI(sched_yield)
DX_NO_WASI(poll_oneoff, Ptr, Ptr, Ptr, Ptr)
DX_NO_WASI(fd_close, Errno)
DX_NO_WASI(fd_read, Errno, Ptr, Ptr, Ptr)
DX_NO_WASI(fd_write, Errno, Ptr, Ptr, Ptr)
DX_NO_WASI(fd_seek, Errno, Wide, Errno, Ptr)
DX_NO_WASI(fd_fdstat_get, Errno, Ptr)
DX_NO_WASI(fd_fdstat_set_flags, Errno, Errno)
DX_NO_WASI(fd_prestat_get, Errno, Ptr)
DX_NO_WASI(fd_prestat_dir_name, Errno, Ptr, Ptr)
DX_NO_WASI(path_open, Errno, Errno, Ptr, Ptr, Errno, Wide, Wide, Errno, Ptr)
#undef DX_NO_WASI

[[noreturn, gnu::weak]] void __imported_wasi_snapshot_preview1_proc_exit(Errno) { __builtin_trap(); }

void __wasm_call_ctors();

// The reactor entry. Extism SDK 1.0.3 never calls it when WASI is off, so every export calls it as well.
__attribute__((export_name("_initialize"))) void _initialize() {
  static bool done = false;
  if (done) return;
  done = true;
  __wasm_call_ctors();
}

}  // extern "C"
