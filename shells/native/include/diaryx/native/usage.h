// What a person is told whose command line cannot be read.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace diaryx::native {

/// One sentence: what is wrong, what was probably meant, and which command's help to ask.
std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error);

/// "--limit takes a whole number, not \"ten\"".
std::string value_not_taken(const CLI::Option& option, const std::string& value);

bool takes_number(const CLI::Option& option);
bool is_flag(const CLI::Option& option);

}  // namespace diaryx::native
