// What is said to people and to scripts: a terminal obeys nothing that stands in a name or a text, and JSON is UTF-8 whatever
// bytes a file is called by.
#pragma once

#include <string>
#include <string_view>

#include "diaryx/base/json.h"

namespace diaryx::client {

/// For a terminal: every control character, C1 ones as well, and every byte that is no UTF-8 becomes `?`. Line ends and tabs stay.
std::string safe_text(std::string_view text);
/// The same in one line: line ends and tabs become `?`, too.
std::string safe_line(std::string_view text);
/// One word of a command that is to be typed: quoted for a shell where a blank, a quote or the like would tear it apart.
std::string as_argument(std::string_view text);
/// For JSON: every byte that is no UTF-8 becomes U+FFFD.
std::string as_utf8(std::string_view text);

/// A line, or several, to standard output.
void say(std::string_view text);
/// One object in one line to standard output.
void say_json(const Json& json);

/// False if something that was said did not get out, for want of space or because of a fault. A reader that left is no fault: it
/// wanted no more.
bool is_all_said();

}  // namespace diaryx::client
