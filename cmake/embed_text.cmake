# cmake -DINPUT=page.html -DOUTPUT=page.cpp -DNAME=kPage -DNAMESPACE=diaryx::plugin -DHEADER=panels.h -P embed_text.cmake
#
# Makes a C++ source that holds a page as a string_view. `@name@` alone on a line stands for the file `name` beside the
# page. Pages are ASCII: a literal is cut every few kilobytes, and a cut must not fall into a character.
get_filename_component(folder "${INPUT}" DIRECTORY)
get_filename_component(page "${INPUT}" NAME)
file(READ "${INPUT}" text)
string(REGEX MATCHALL "\n@[a-z_.]+@\n" parts "${text}")
foreach(part IN LISTS parts)
  string(REGEX REPLACE "[@\n]" "" name "${part}")
  file(READ "${folder}/${name}" content)
  string(REPLACE "@${name}@\n" "${content}" text "${text}")
endforeach()

string(REGEX MATCH "[^\t\n -~]" strange "${text}")
if(NOT strange STREQUAL "")
  message(FATAL_ERROR "${page} or a part of it has a character that is not ASCII; write it as an entity or escape")
endif()

set(pieces "")
string(LENGTH "${text}" length)
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 4000 piece)
  string(APPEND pieces "\n    R\"dx_text(${piece})dx_text\"")
  math(EXPR at "${at} + 4000")
endwhile()
file(WRITE "${OUTPUT}"
  "// Made from ${page}; do not edit.\n#include \"${HEADER}\"\n\n"
  "namespace ${NAMESPACE} {\nconst std::string_view ${NAME} =${pieces};\n}\n")
