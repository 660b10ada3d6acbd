# The words in which every room's CMakeLists.txt is written. Flags belong to targets, never to the directory.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

set(DX_SANITIZERS "" CACHE STRING "Sanitizers for every target, a list: address;undefined or thread")
option(DX_FUZZ "Build the libFuzzer targets instead of their replays" OFF)
option(DX_BENCH "Build the benchmarks" OFF)
option(DX_WASM_TESTS "Build the tests of base and crdt as WebAssembly, for Node's WASI" OFF)

# A designated initialiser names what differs from the defaults; libstdc++ 12 uses its own deprecated helpers.
set(DX_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wextra-semi
    -Wno-missing-designated-field-initializers -Wno-deprecated-declarations -Werror)

# True when the guest is being built; shells that own sockets and disks are left out there.
if(CMAKE_SYSTEM_NAME STREQUAL "WASI")
  set(DX_WASM ON)
else()
  set(DX_WASM OFF)
endif()

# What all targets of one build share, so that no library is left out of a sanitizer.
add_library(dx_everywhere INTERFACE)
# Assertions and debug information name sources by their path in the project, the same in every clone.
target_compile_options(dx_everywhere INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(DX_SANITIZERS)
  list(JOIN DX_SANITIZERS "," dx_sanitizers)
  target_compile_options(dx_everywhere INTERFACE
    -fsanitize=${dx_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # libFuzzer's own main is linked by dx_fuzz alone.
  string(REPLACE "fuzzer-no-link," "" dx_sanitizers "${dx_sanitizers}")
  target_link_options(dx_everywhere INTERFACE -fsanitize=${dx_sanitizers})
endif()

# dx_hot(src/sha256.cpp ...), before the target: what most edits pass. The guest is compiled for size; these are compiled for speed
# there, too.
function(dx_hot)
  if(DX_WASM AND NOT DX_WASM_TESTS)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "-O2")
  endif()
endfunction()

# In the guest, all other sources: nothing is copied into its callers while one file is compiled, since only the linker sees which
# copies make the whole smaller (cmake/wasm_guest.cmake says how far it goes); 31 of 618 kB.
function(dx_cold)
  if(DX_WASM AND NOT DX_WASM_TESTS)
    foreach(source IN LISTS ARGN)
      get_source_file_property(options ${source} COMPILE_OPTIONS)
      if(NOT options)
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-mllvm;-inline-threshold=-30")
      endif()
    endforeach()
  endif()
endfunction()

function(dx_flags target pure)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:dx_everywhere>)
  target_compile_options(${target} PRIVATE ${DX_WARNINGS})
  if(pure)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>)
  endif()
endfunction()

# dx_library(crdt PURE SOURCES src/doc.cpp ... DEPENDS diaryx::base)
# PURE: built without exceptions and RTTI everywhere, natively too, so that one code is tested.
function(dx_library name)
  cmake_parse_arguments(DX "PURE" "" "SOURCES;DEPENDS" ${ARGN})
  dx_cold(${DX_SOURCES})
  add_library(diaryx_${name} STATIC ${DX_SOURCES})
  add_library(diaryx::${name} ALIAS diaryx_${name})
  target_include_directories(diaryx_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> PRIVATE src)
  target_link_libraries(diaryx_${name} PUBLIC ${DX_DEPENDS})
  dx_flags(diaryx_${name} ${DX_PURE})
endfunction()

# dx_executable(diaryx-syncd SOURCES src/main.cpp ... DEPENDS diaryx::native): lands in <build>/bin.
function(dx_executable name)
  cmake_parse_arguments(DX "PURE" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${DX_SOURCES})
  target_link_libraries(${name} PRIVATE ${DX_DEPENDS})
  dx_flags(${name} ${DX_PURE})
endfunction()

# Adds a ctest entry. Labels: `fast` (the default) or `slow`; `native` for programs of this build, which are worth
# running under sanitizers; `plugin` for what needs build/wasm as well; `e2e` for the whole house.
# Sanitizers make everything several times slower, so the time limit grows with them.
function(dx_add_test name labels timeout)
  if(NOT labels)
    set(labels fast)
  endif()
  if(NOT timeout)
    set(timeout 120)
  endif()
  if(DX_SANITIZERS)
    math(EXPR timeout "${timeout} * 5")
  endif()
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout})
endfunction()

# dx_test(base_test SOURCES test/bytes_test.cpp ... DEPENDS diaryx::base LABELS fast)
# One ctest entry per program; GoogleTest names the failing case. Tests may use exceptions, the code under test may not.
function(dx_test name)
  cmake_parse_arguments(DX "" "TIMEOUT" "SOURCES;DEPENDS;LABELS;ARGS" ${ARGN})
  if(DX_WASM_TESTS)
    dx_wasm_test(${name} SOURCES ${DX_SOURCES} DEPENDS ${DX_DEPENDS})
    return()
  endif()
  if(DX_WASM OR DX_FUZZ OR DX_BENCH)
    return()
  endif()
  find_package(GTest REQUIRED)
  add_executable(${name} ${DX_SOURCES})
  target_include_directories(${name} PRIVATE src)
  target_link_libraries(${name} PRIVATE ${DX_DEPENDS} GTest::gmock GTest::gtest_main)
  dx_flags(${name} FALSE)
  # Test sources are mostly GoogleTest's templates: optimising them costs more time than their running saves.
  target_compile_options(${name} PRIVATE -O0)
  if(NOT DX_LABELS)
    set(DX_LABELS fast)
  endif()
  dx_add_test(${name} "${DX_LABELS};native" "${DX_TIMEOUT}" ${name} ${DX_ARGS})
endfunction()

# The same program as <build>/bin/<name>.wasm; tests/wasm runs it. GoogleTest comes from its sources (Debian's libgtest-dev), without
# exceptions, RTTI and threads, which the guest's libraries do not have.
function(dx_wasm_test name)
  cmake_parse_arguments(DX "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT TARGET dx_wasm_gtest)
    set(gtest /usr/src/googletest/googletest)
    add_library(dx_wasm_gtest STATIC ${gtest}/src/gtest-all.cc ${gtest}/src/gtest_main.cc)
    target_include_directories(dx_wasm_gtest SYSTEM PUBLIC ${gtest}/include PRIVATE ${gtest})
    target_compile_definitions(dx_wasm_gtest PUBLIC GTEST_HAS_PTHREAD=0 GTEST_HAS_EXCEPTIONS=0 GTEST_HAS_RTTI=0
      GTEST_HAS_STREAM_REDIRECTION=0 GTEST_HAS_DEATH_TEST=0)
    target_compile_options(dx_wasm_gtest PRIVATE -w)
  endif()
  add_executable(${name} ${DX_SOURCES})
  target_include_directories(${name} PRIVATE src)
  target_link_libraries(${name} PRIVATE ${DX_DEPENDS} dx_wasm_gtest)
  set_target_properties(${name} PROPERTIES SUFFIX .wasm)
  dx_flags(${name} TRUE)
endfunction()

# dx_node_test(plugin_host_test FILES test/a.test.mjs ... LABELS fast;plugin TIMEOUT 60): the files run under `node --test`.
function(dx_node_test name)
  cmake_parse_arguments(DX "" "TIMEOUT" "FILES;LABELS;ENVIRONMENT" ${ARGN})
  if(DX_WASM OR DX_FUZZ OR DX_BENCH)
    return()
  endif()
  find_program(DX_NODE node REQUIRED)
  list(TRANSFORM DX_FILES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  dx_add_test(${name} "${DX_LABELS}" "${DX_TIMEOUT}" ${DX_NODE} --test ${DX_FILES})
  if(DX_ENVIRONMENT)
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "${DX_ENVIRONMENT}")
  endif()
endfunction()

# dx_fuzz(update_v1 SOURCES update_v1.cpp DEPENDS diaryx::crdt), in fuzz/
# Preset `fuzz`: bin/fuzz_update_v1, which searches. Elsewhere: the test fuzz_update_v1_replay, which runs the inputs of
# fuzz/kept/update_v1 and fuzz/corpus/update_v1 once, so that a crash once found stays fixed.
function(dx_fuzz name)
  cmake_parse_arguments(DX "" "" "SOURCES;DEPENDS" ${ARGN})
  if(DX_WASM OR DX_BENCH)
    return()
  endif()
  if(DX_FUZZ)
    add_executable(fuzz_${name} ${DX_SOURCES})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(fuzz_${name} PRIVATE ${DX_DEPENDS})
    dx_flags(fuzz_${name} FALSE)
    return()
  endif()
  add_executable(fuzz_${name}_replay ${DX_SOURCES} ${CMAKE_SOURCE_DIR}/fuzz/replay.cpp)
  target_link_libraries(fuzz_${name}_replay PRIVATE ${DX_DEPENDS})
  dx_flags(fuzz_${name}_replay FALSE)
  dx_add_test(fuzz_${name}_replay "fast;native" 120
    fuzz_${name}_replay ${CMAKE_SOURCE_DIR}/fuzz/kept/${name} ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
endfunction()

# dx_bench(apply_editing_trace SOURCES apply_editing_trace.cpp DEPENDS diaryx::crdt), in bench/: bin/bench_<name>,
# only in the preset `bench`.
function(dx_bench name)
  cmake_parse_arguments(DX "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT DX_BENCH)
    return()
  endif()
  find_package(benchmark REQUIRED)
  add_executable(bench_${name} ${DX_SOURCES})
  target_link_libraries(bench_${name} PRIVATE ${DX_DEPENDS} benchmark::benchmark)
  dx_flags(bench_${name} FALSE)
endfunction()
