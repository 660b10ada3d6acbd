# Toolchain of the preset `wasm-test`: programs with a `main` that Node runs under WASI, made by the compiler and against the libraries
# of the guest. Only how they are linked differs.
include("${CMAKE_CURRENT_LIST_DIR}/wasm32-extism.cmake")

string(CONCAT CMAKE_EXE_LINKER_FLAGS_INIT
  "-fuse-ld=/usr/bin/wasm-ld-22 --no-wasm-opt -Wl,--gc-sections,--strip-debug,--stack-first,-z,stack-size=524288")
