// What a person is told whose command line cannot be read.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace diaryx::client {

/// One sentence: what is wrong, and what was probably meant.
std::string usage_sentence(const CLI::App& app, const CLI::Error& error);

}  // namespace diaryx::client
