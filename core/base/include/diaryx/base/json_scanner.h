// The parts of a JSON text, one after another. What kind of tree is made of them is the reader's business.
#pragma once

#include <string>
#include <string_view>

namespace diaryx {

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  /// Where the next part begins; after a refusal, what was refused.
  size_t position() const { return at_; }
  bool at_end() const { return at_ == text_.size(); }
  /// The character there; NUL at the end, with which no part begins.
  char next() const { return at_end() ? '\0' : text_[at_]; }

  void skip_space() {
    while (next() == ' ' || next() == '\n' || next() == '\r' || next() == '\t') ++at_;
  }
  /// False, and nothing is taken, if something else is there.
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word);
  /// Adds what a string says to `out`, which a refusal leaves half-written. Lone surrogate escapes become U+FFFD.
  bool take_string(std::string& out);
  bool take_number(double& out);

 private:
  bool take_escape(std::string& out);
  bool take_hex4(char32_t& unit);
  size_t take_digits();

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace diaryx
