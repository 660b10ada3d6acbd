#include "said.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "diaryx/base/utf.h"

namespace diaryx::client {
namespace {

enum class LineEnds : uint8_t { Keep, Replace };

/// The character at the start of `text`; a byte that starts none is empty.
std::string_view first_character(std::string_view text) {
  const std::string_view character = text.substr(0, utf8_sequence_length(text.front()));
  return is_valid_utf8(character) ? character : std::string_view();
}

bool is_control(char32_t scalar) { return scalar < 0x20 || (scalar >= 0x7f && scalar < 0xa0); }

std::string safe(std::string_view text, LineEnds line_ends) {
  std::string out;
  while (!text.empty()) {
    const std::string_view character = first_character(text);
    const bool kept = line_ends == LineEnds::Keep && (text.front() == '\n' || text.front() == '\t');
    if (!kept && (character.empty() || is_control(scalar_at(character, 0)))) {
      out.push_back('?');
    } else {
      out.append(character);
    }
    text.remove_prefix(character.empty() ? 1 : character.size());
  }
  return out;
}

}  // namespace

std::string safe_text(std::string_view text) { return safe(text, LineEnds::Keep); }
std::string safe_line(std::string_view text) { return safe(text, LineEnds::Replace); }

std::string as_argument(std::string_view text) {
  const auto is_plain = [](char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return is_letter || static_cast<uint8_t>(c) >= 0x80 || std::string_view("/._-+:,@%=").contains(c);
  };
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string as_utf8(std::string_view text) {
  if (is_valid_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::string_view character = first_character(text);
    out.append(character.empty() ? std::string_view("\xef\xbf\xbd") : character);
    text.remove_prefix(character.empty() ? 1 : character.size());
  }
  return out;
}

void say(std::string_view text) {
  const std::string line = safe_text(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
}

void say_json(const Json& json) {
  const std::string line = as_utf8(json.dump()) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
}

bool is_all_said() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  struct stat info{};
  return ::fstat(STDOUT_FILENO, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
}

}  // namespace diaryx::client
