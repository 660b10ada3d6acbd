# dx_wasm_guest(diaryx_sync SOURCES ... RUNTIME ... DEPENDS ...): an Extism module at <build>/diaryx_sync.wasm. RUNTIME: an object
# library of what is not to be optimised at the link. READMES_TWELVE: the check refuses host functions beyond the twelve of the README.
#
# After linking, in this order: LLVM's passes once more, wasm-opt (npm binaryen, pinned in tools/wasm), then the check that the module
# imports nothing that hosts do not offer. All are explicit steps, so that the artifact does not depend on the PATH.
find_program(DX_WASM_OPT NAMES wasm-opt PATHS "${PROJECT_SOURCE_DIR}/tools/wasm/node_modules/binaryen/bin"
             NO_DEFAULT_PATH DOC "wasm-opt of npm binaryen")
find_program(DX_NODE NAMES node DOC "runs the checks of the module")
find_program(DX_LLVM_OPT NAMES opt-22 DOC "LLVM's passes on what the linker optimised")
find_program(DX_LLC NAMES llc-22 DOC "LLVM's code generator")

# What the linker's optimiser leaves, since it looks at each function once: equal functions, arguments that could be values, and then
# variables that need no place in memory (6 of 572 kB, 2 of 226 with brotli). A third round finds nothing.
set(tidy "simplifycfg<hoist-common-insts>,simplifycfg<sink-common-insts>")
string(CONCAT round "function(${tidy}),ipsccp,globalopt,deadargelim,cgscc(argpromotion),deadargelim,"
  "function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,memcpyopt,dse,${tidy},adce)")
# A view of a literal is two constants, but the compiler does not foresee that when it weighs whether to copy the constructor, whose
# `strlen` is gone only then. By the names that Clang's own library has for them; another library is merely not made smaller (4 kB).
set(DX_GUEST_PASSES "forceattrs,always-inline,mergefunc,${round},${round},mergefunc,constmerge,globaldce")
set(DX_GUEST_INLINED
  -force-attribute=_ZNSt3__217basic_string_viewIcNS_11char_traitsIcEEEC2B9nqn220108EPKc:alwaysinline
  -force-attribute=_ZNSt3__211char_traitsIcE6lengthB9nqn220108EPKc:alwaysinline)

if(NOT DX_WASM_OPT)
  message(WARNING "wasm-opt is missing, so the module will work but be larger: run `npm ci` in tools/wasm (or ./dev setup), "
                  "then configure again")
endif()

function(dx_wasm_guest name)
  cmake_parse_arguments(DX "READMES_TWELVE" "RUNTIME" "SOURCES;DEPENDS" ${ARGN})
  set(check_options "")
  if(DX_READMES_TWELVE)
    set(check_options --readme12)
  endif()
  set(guest ${name}_wasm)  # the core has a library of the artifact's name
  dx_cold(${DX_SOURCES})
  add_executable(${guest} ${DX_SOURCES} $<TARGET_OBJECTS:${DX_RUNTIME}>)
  set_target_properties(${guest} PROPERTIES OUTPUT_NAME ${name} SUFFIX .wasm RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
  target_link_libraries(${guest} PRIVATE ${DX_DEPENDS})
  dx_flags(${guest} TRUE)
  # The linker copies a function into its callers when that makes them smaller; with its own idea of "small" they grow (25 kB), and
  # one step further than this they do, too (11 kB). A sum that is kept from one turn of a loop, or one branch, to the next costs a
  # local that is set and got, as much as the sum (3 kB).
  target_link_options(${guest} PRIVATE -Wl,-mllvm,-inline-threshold=-15 -Wl,-mllvm,-enable-pre=false -Wl,-mllvm,-disable-lsr)
  if(DX_LLVM_OPT AND DX_LLC)
    target_link_options(${guest} PRIVATE -Wl,--save-temps)
    set(file $<TARGET_FILE:${guest}>)
    separate_arguments(link_flags UNIX_COMMAND "${CMAKE_EXE_LINKER_FLAGS}")
    add_custom_command(TARGET ${guest} POST_BUILD
      COMMAND ${DX_LLVM_OPT} "-passes=${DX_GUEST_PASSES}" ${DX_GUEST_INLINED} ${file}.0.4.opt.bc -o ${file}.bc
      COMMAND ${DX_LLC} -O2 -filetype=obj -function-sections -data-sections -disable-lsr ${file}.bc -o ${file}.o
      COMMAND ${CMAKE_CXX_COMPILER} --target=${CMAKE_CXX_COMPILER_TARGET} -Wno-deprecated ${link_flags} ${file}.o
              $<TARGET_OBJECTS:${DX_RUNTIME}> -o ${file}
      COMMAND ${CMAKE_COMMAND} -E rm -f ${file}.0.0.preopt.bc ${file}.0.2.internalize.bc ${file}.0.4.opt.bc
              ${file}.0.5.precodegen.bc ${file}.lto.o ${file}.resolution.txt ${file}.bc ${file}.o
      COMMENT "Passing over ${name}.wasm again" VERBATIM COMMAND_EXPAND_LISTS)
  endif()
  # Flattened code is seen afresh by the second round (7 kB). The functions that are called most get the numbers that fit into one byte
  # (6 kB). The lowest kilobyte is the very end of the stack, which no sum of a pointer and a small offset reaches by wrapping, so
  # offsets go into the loads (3 kB). Not --ignore-implicit-traps: it saves 2 kB, and reads ahead through pointers that are not one.
  if(DX_WASM_OPT)
    add_custom_command(TARGET ${guest} POST_BUILD
      COMMAND ${DX_WASM_OPT} --low-memory-unused -Oz --flatten --rereloop -Oz -Oz --reorder-functions
              --strip-producers --strip-target-features $<TARGET_FILE:${guest}> -o $<TARGET_FILE:${guest}>
      COMMENT "Optimising ${name}.wasm" VERBATIM)
  endif()
  if(DX_NODE)
    add_custom_command(TARGET ${guest} POST_BUILD
      COMMAND ${DX_NODE} ${PROJECT_SOURCE_DIR}/tools/plugin-check.mjs ${check_options} $<TARGET_FILE:${guest}>
      COMMENT "Checking the imports of ${name}.wasm" VERBATIM)
  endif()
endfunction()
