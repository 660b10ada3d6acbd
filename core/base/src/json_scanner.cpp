#include "diaryx/base/json_scanner.h"

#include "diaryx/base/json.h"
#include "diaryx/base/utf.h"

namespace diaryx {

bool JsonScanner::take(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

bool JsonScanner::take_string(std::string& out) {
  if (!take('"')) return false;
  while (!at_end()) {
    const char c = text_[at_];
    if (static_cast<uint8_t>(c) < 0x20) return false;
    ++at_;
    if (c == '"') return true;
    if (c != '\\') {
      out.push_back(c);
    } else if (!take_escape(out)) {
      return false;
    }
  }
  return false;
}

bool JsonScanner::take_escape(std::string& out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (at_end()) return false;
  if (const size_t letter = kLetters.find(text_[at_]); letter != std::string_view::npos) {
    ++at_;
    out.push_back(kMeanings[letter]);
    return true;
  }
  char32_t unit = 0;
  if (!take('u') || !take_hex4(unit)) return false;
  const size_t before = at_;
  if (unit >= 0xd800 && unit < 0xdc00 && take("\\u")) {
    char32_t low = 0;
    if (!take_hex4(low)) return false;
    if (low >= 0xdc00 && low < 0xe000) {
      unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    } else {
      at_ = before;  // the next escape speaks for itself
    }
  }
  append_utf8(out, unit);
  return true;
}

bool JsonScanner::take_hex4(char32_t& unit) {
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = next();
    char32_t digit;
    if (c >= '0' && c <= '9')
      digit = static_cast<char32_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<char32_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<char32_t>(c - 'A' + 10);
    else
      return false;
    unit = unit * 16 + digit;
  }
  return true;
}

size_t JsonScanner::take_digits() {
  const size_t start = at_;
  while (next() >= '0' && next() <= '9') ++at_;
  return at_ - start;
}

bool JsonScanner::take_number(double& out) {
  const size_t start = at_;
  take('-');
  const size_t whole = at_;
  if (take_digits() == 0) return false;
  if (text_[whole] == '0' && at_ - whole > 1) return false;  // no leading zeros
  if (take('.') && take_digits() == 0) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    if (take_digits() == 0) return false;
  }
  out = parse_json_number(text_.substr(start, at_ - start));
  return true;
}

}  // namespace diaryx
