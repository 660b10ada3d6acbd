// What a person is told whose command line cannot be read.
#pragma once

#include <CLI/CLI.hpp>

#include <span>
#include <string>
#include <string_view>

namespace diaryx::native {

/// One sentence: what is wrong, what was probably meant, and which command's help to ask.
std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error);

/// "; did you mean NAME?" for the one of `names` that `word` was meant to be; empty if none is near enough for that.
std::string did_you_mean(std::string_view word, std::span<const std::string> names);

/// "--limit takes a whole number, not \"ten\"".
std::string value_not_taken(const CLI::Option& option, const std::string& value);

bool takes_number(const CLI::Option& option);
bool is_flag(const CLI::Option& option);

}  // namespace diaryx::native
