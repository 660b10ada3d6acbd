// The settings of the server: command line, environment, file, in this order.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "options.h"

namespace diaryx::server {

/// Texts as they were given, before they are looked at.
struct Given {
  Options options;
  std::string data;
  std::string listen = "127.0.0.1:3030";
  std::string config;
  std::string tls_certificate;
  std::string tls_key;
  bool check_config = false;
};

void add_settings(CLI::App& app, Given& given);

/// Fills in what the command line left out: from `DIARYX_<NAME>` in the environment, else from the file of `--config` or
/// DIARYX_CONFIG (lines `name = value`, `#` for comments, lists by commas). Empty = fine, else the sentence.
std::string fill_in(CLI::App& app, Given& given);

/// A sentence for each variable of the environment that is named like a setting and is none, with what was probably meant. They may
/// be another program's: nothing stops for them.
std::vector<std::string> unknown_variables(CLI::App& app);

/// Takes the texts apart. Empty = fine, else the sentence.
std::string settle(Given& given);

/// What stands in the way of the data folder already, which is not made here. Empty = fine, else the sentence.
std::string examine_data(const std::filesystem::path& data);

/// Every setting and its value, one a line, as the file would say it.
std::string describe_settings(CLI::App& app);

}  // namespace diaryx::server
