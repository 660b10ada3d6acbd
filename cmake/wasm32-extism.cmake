# Toolchain of the preset `wasm`: an Extism guest module, compiled by clang-22 against Debian's wasi-libc and libc++-22.
#
# Three choices need a reason:
#  1. `wasm32-wasi` and not `wasm32-unknown-unknown`: only the WASI target has a C and C++ library to link. The
#     module still imports nothing from WASI; shells/plugin/src/nosys.cpp answers what the library would import.
#  2. `--no-wasm-opt`: clang runs any `wasm-opt` that it happens to find on the PATH, so the artifact would depend on
#     the machine. The optimiser is a pinned, explicit step after the link instead (cmake/wasm_guest.cmake).
#  3. `target_features` is kept by the linker because wasm-opt refuses memory.copy without it; wasm-opt drops it later.
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(DX_WASM ON)

set(CMAKE_C_COMPILER clang-22)
set(CMAKE_CXX_COMPILER clang++-22)
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
set(CMAKE_AR llvm-ar-22)
set(CMAKE_RANLIB llvm-ranlib-22)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)   # there is no `main` to link while the compiler is being tried
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_EXECUTABLE_SUFFIX .wasm)

# -Wno-deprecated: clang-22 calls the target triple deprecated, the only one this libc is built for.
# -use-lir-code-size-heurs=false: at -Oz the compiler would leave loops over bytes as they are instead of making memory.copy and
# memory.fill of them, which are both smaller and many times as fast.
set(DX_WASM_FLAGS "-Wno-deprecated -fvisibility=hidden -ffunction-sections -fdata-sections -mllvm -use-lir-code-size-heurs=false")
set(CMAKE_C_FLAGS_INIT "${DX_WASM_FLAGS}")
set(CMAKE_CXX_FLAGS_INIT "${DX_WASM_FLAGS} -fno-exceptions -fno-rtti")
# The stack comes first in memory, so that an overflow traps instead of overwriting data.
string(CONCAT CMAKE_EXE_LINKER_FLAGS_INIT
  "-Wno-unused-command-line-argument -fuse-ld=/usr/bin/wasm-ld-22 --no-wasm-opt -nostartfiles "
  "-Wl,--no-entry,--gc-sections,--strip-debug,--keep-section=target_features,--stack-first,-z,stack-size=524288")
