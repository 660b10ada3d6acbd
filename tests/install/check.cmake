# cmake -DBUILD=… -DSOURCE=… -DWORK=… -DCOMPILER=… -P check.cmake: installs into a fresh folder, looks at what arrived, and builds and
# runs a project outside the tree with it.
function(run)
  execute_process(COMMAND ${ARGV} OUTPUT_VARIABLE printed ERROR_VARIABLE complaints RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\n${printed}\n${complaints}")
  endif()
  set(printed "${printed}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)

file(GLOB_RECURSE installed RELATIVE ${WORK}/prefix ${WORK}/prefix/*)
foreach(file ${installed})
  if(NOT file MATCHES "^(include/diaryx/(base|crdt)/[a-z0-9_]+\\.h|lib[^/]*/.*libdiaryx_(base|crdt)\\.a|lib.*/cmake/DiaryxCrdt/DiaryxCrdtConfig.*\\.cmake|share/doc/.*/LICENSE)$")
    message(FATAL_ERROR "${file} is installed; only public headers, two libraries and the package's files should be")
  endif()
  # Nothing may name the folders of the machine that built it.
  file(STRINGS ${WORK}/prefix/${file} leaks REGEX "${SOURCE}|ccache")
  if(leaks)
    message(FATAL_ERROR "${file} names what only the building machine has: ${leaks}")
  endif()
endforeach()

run(${CMAKE_COMMAND} -S ${SOURCE}/tests/install/outside -B ${WORK}/build -G Ninja -DCMAKE_PREFIX_PATH=${WORK}/prefix
  -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_COMPILER_LAUNCHER= -DEXAMPLE=${SOURCE}/examples/merge_two_replicas.cpp)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/outside)
if(NOT printed STREQUAL "tea 🍵 and cake!\ntea 🍵 and cake!\n")
  message(FATAL_ERROR "the program outside printed: ${printed}")
endif()
