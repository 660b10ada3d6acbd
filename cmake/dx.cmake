# The words in which every room's CMakeLists.txt is written. Flags belong to targets, never to the directory.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

set(DX_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wextra-semi
    -Wno-deprecated-declarations  # libstdc++ 12 uses its own deprecated helpers inside std::stable_sort
    -Werror)

# True when the guest is being built; shells that own sockets and disks are left out there.
if(CMAKE_SYSTEM_NAME STREQUAL "WASI")
  set(DX_WASM ON)
else()
  set(DX_WASM OFF)
endif()

function(dx_flags target pure)
  target_compile_options(${target} PRIVATE ${DX_WARNINGS})
  if(pure)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>)
  endif()
endfunction()

# dx_library(crdt PURE SOURCES src/doc.cpp ... DEPENDS diaryx::base)
# PURE: built without exceptions and RTTI everywhere, natively too, so that one code is tested.
function(dx_library name)
  cmake_parse_arguments(DX "PURE" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(diaryx_${name} STATIC ${DX_SOURCES})
  add_library(diaryx::${name} ALIAS diaryx_${name})
  target_include_directories(diaryx_${name} PUBLIC include PRIVATE src)
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

# dx_test(base_test SOURCES test/bytes_test.cpp ... DEPENDS diaryx::base LABELS fast)
# One ctest entry per test program; GoogleTest names the failing case. Tests may use exceptions, the code under test may not.
function(dx_test name)
  cmake_parse_arguments(DX "" "TIMEOUT" "SOURCES;DEPENDS;LABELS;ARGS" ${ARGN})
  if(DX_WASM)
    return()
  endif()
  find_package(GTest REQUIRED)
  add_executable(${name} ${DX_SOURCES})
  target_include_directories(${name} PRIVATE src)
  target_link_libraries(${name} PRIVATE ${DX_DEPENDS} GTest::gmock GTest::gtest_main)
  dx_flags(${name} FALSE)
  if(NOT DX_TIMEOUT)
    set(DX_TIMEOUT 120)
  endif()
  if(NOT DX_LABELS)
    set(DX_LABELS fast)
  endif()
  add_test(NAME ${name} COMMAND ${name} ${DX_ARGS})
  set_tests_properties(${name} PROPERTIES LABELS "${DX_LABELS}" TIMEOUT ${DX_TIMEOUT})
endfunction()
