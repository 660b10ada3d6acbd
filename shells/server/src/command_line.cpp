#include "command_line.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>

#include "client_address.h"
#include "diaryx/native/usage.h"
#include "sign_in.h"
#include "tls.h"

namespace diaryx::server {
namespace {

constexpr std::string_view kPrefix = "DIARYX_";
constexpr std::string_view kVariableOfClient = "DIARYX_TOKEN";  // diaryx-sync reads it

/// All but what says what to do, or where the settings are.
std::vector<CLI::Option*> settings_of(CLI::App& app) {
  return app.get_options([](const CLI::Option* option) {
    const std::string name = option->get_single_name();
    return name != "help" && name != "version" && name != "config" && name != "check-config";
  });
}

std::string trim(std::string text) {
  const char* const space = " \t\r";
  const size_t first = text.find_first_not_of(space);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::string environment_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  return std::string(kPrefix) + name;
}

struct FileValue {
  std::string value;
  int line;
};

/// Empty = fine, else the sentence.
std::string read_file(const std::string& path, std::map<std::string, FileValue>& values) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // some editors begin files with it
  std::error_code error;
  std::ifstream in(path);
  if (!in || std::filesystem::is_directory(path, error)) return "the file of settings " + path + " cannot be read";
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (number == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
    line = trim(line);
    if (line.empty() || line[0] == '#') continue;
    const size_t equals = line.find('=');
    const std::string name = equals == std::string::npos ? "" : trim(line.substr(0, equals));
    const std::string value = equals == std::string::npos ? "" : trim(line.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      return path + ", line " + std::to_string(number) + ": write the value without quotes";
    // Else `data = notes # mine` would begin another, empty server.
    if (value.find(" #") != std::string::npos || value.find("\t#") != std::string::npos)
      return path + ", line " + std::to_string(number) + ": a comment stands on a line of its own";
    if (name.empty()) return path + ", line " + std::to_string(number) + ": write name = value";
    if (!values.emplace(name, FileValue{value, number}).second)
      return path + ", line " + std::to_string(number) + ": " + name + " is set twice";
  }
  return {};
}

std::string joined(const std::vector<std::string>& values) {
  std::string all;
  for (const std::string& value : values) all += (all.empty() ? "" : ",") + value;
  return all;
}

/// Gives an option a value that did not come from the command line. Empty = fine, else the sentence.
std::string give(CLI::Option& option, const std::string& value, const std::string& where) {
  if (value.empty() && (native::takes_number(option) || native::is_flag(option)))
    return where + ": " + native::value_not_taken(option, value);
  try {
    const bool is_list = option.get_expected_max() > 1;
    size_t begin = 0;
    while (begin <= value.size()) {
      const size_t comma = is_list ? value.find(',', begin) : std::string::npos;
      const std::string one = trim(value.substr(begin, comma == std::string::npos ? comma : comma - begin));
      if (!is_list || !one.empty()) option.add_result(one);
      if (comma == std::string::npos) break;
      begin = comma + 1;
    }
    option.run_callback();
  } catch (const CLI::ConversionError&) {
    return where + ": " + native::value_not_taken(option, value);
  } catch (const CLI::Error& error) {
    return where + ": " + error.what();
  }
  return {};
}

/// `HOST:PORT`, also `[::1]:PORT`.
std::string parse_listen(const std::string& text, Options& options) {
  const std::string sentence = "--listen takes ADDRESS:PORT, e.g. 127.0.0.1:3030 (port 0 = any free port)";
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) return sentence;
  const std::string port = text.substr(colon + 1);
  if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535)
    return sentence;
  options.address = text.substr(0, colon);
  if (options.address.front() == '[' && options.address.back() == ']') {
    options.address = options.address.substr(1, options.address.size() - 2);
  }
  options.port = static_cast<uint16_t>(std::stoi(port));
  boost::system::error_code error;
  boost::asio::ip::make_address(options.address, error);
  if (error) return sentence + "; \"" + options.address + "\" is a name or no address at all";
  return {};
}

/// `scheme://host` or `scheme://host:port`, as browsers write it; anything else would never be equal to what they send.
bool is_origin(const std::string& text) {
  const size_t colon = text.find("://");
  if (colon == std::string::npos || colon == 0 || colon + 3 == text.size()) return false;
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c > ' ' && c < 0x7f && c != '"' && c != '*'; }) &&
         text.find_first_of("/?#@", colon + 3) == std::string::npos;
}

}  // namespace

void add_settings(CLI::App& app, Given& given) {
  Options& options = given.options;
  const CLI::Validator at_least_one(
      [](std::string& value) {
        const bool is_zero = value.find_first_not_of('0') == std::string::npos;
        return is_zero ? std::string("takes 1 or more") : std::string();
      },
      "");
  app.add_option("--config", given.config, "File of settings: lines of name = value, the names below without --");
  app.add_flag("--check-config", given.check_config, "Look at the settings, print them, and stop");
  app.add_option("--data", given.data, "Folder for the database and attachments; made if missing");
  app.add_option("--listen", given.listen, "ADDRESS:PORT; port 0 = any free port")->capture_default_str();
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  app.add_option("--log-format", options.log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option("--cors-origin", options.cors_origins, "Web origins that may use the API; may be repeated")
      ->delimiter(',')
      ->default_str(joined(options.cors_origins));
  app.add_option("--trust-proxy", options.trusted_proxies,
                 "Address or network of a proxy whose X-Forwarded-For is believed; may be repeated")
      ->delimiter(',');
  app.add_option("--tls-certificate", given.tls_certificate, "PEM file with the chain; read again on SIGHUP");
  app.add_option("--tls-key", given.tls_key, "PEM file with its key");
  app.add_option("--owner", options.owner, "E-mail address of the owner that a new server gets")->capture_default_str();
  app.add_option("--base-url", options.base_url, "Web app that sign-in links open; empty = a page of this server");
  app.add_flag("--open-sign-up", options.open_sign_up, "Unknown e-mail addresses may make accounts");
  app.add_option("--session-days", options.session_days, "Days until a sign-in ends")
      ->check(CLI::Range(1, 36500))
      ->capture_default_str();
  app.add_option("--link-minutes", options.link_minutes, "Minutes until a link and code end")
      ->check(CLI::Range(1, 1440))
      ->capture_default_str();
  app.add_option("--max-devices", options.max_devices, "Devices per user; 0 = no limit")->capture_default_str();
  app.add_option("--max-guests", options.max_guests, "Guests per shared workspace at once")->capture_default_str();
  app.add_option("--attachment-limit", options.attachment_limit_bytes, "Bytes of attachments per user; 0 = no limit")
      ->capture_default_str();
  app.add_option("--snapshot-upload-limit", options.snapshot_upload_bytes, "Bytes of one uploaded snapshot")
      ->capture_default_str();
  app.add_option("--socket-queue", options.socket_queue_bytes, "Bytes waiting for a slow reader before it is cut")
      ->check(at_least_one)
      ->capture_default_str();
  app.add_option("--max-connections", options.max_connections, "Connections at once")
      ->check(at_least_one)
      ->capture_default_str();
  app.add_option("--max-connections-per-address", options.max_connections_per_address,
                 "Connections at once from one address; 0 = no limit")
      ->capture_default_str();
  app.add_option("--address-requests", options.address_requests, "Requests per minute from one address; 0 = no limit")
      ->capture_default_str();
  app.add_option("--user-requests", options.user_requests, "Requests per minute of one user; 0 = no limit")
      ->capture_default_str();
  app.add_option("--token-requests", options.token_requests, "Requests per minute with one token; 0 = no limit")
      ->capture_default_str();
  app.add_option("--address-refusals", options.address_refusals,
                 "Requests per minute from one address with a token that is not good; 0 = no limit")
      ->capture_default_str();
  app.add_option("--address-sign-ins", options.address_sign_ins,
                 "Links and codes asked for or tried per hour from one address; 0 = no limit")
      ->capture_default_str();
  app.add_option("--blob-hours", options.blob_hours,
                 "Hours after its upload until an attachment that no workspace refers to may be taken away")
      ->capture_default_str();
  app.add_option("--history-days", options.history_days,
                 "Forget records older than this that a snapshot covers; 0 = keep all")
      ->capture_default_str();
}

std::string fill_in(CLI::App& app, Given& given) {
  if (given.config.empty()) {
    if (const char* path = std::getenv("DIARYX_CONFIG")) given.config = path;
  }
  std::map<std::string, FileValue> file;
  if (!given.config.empty()) {
    if (std::string wrong = read_file(given.config, file); !wrong.empty()) return wrong;
  }
  for (CLI::Option* option : settings_of(app)) {
    const std::string name = option->get_single_name();
    const auto in_file = file.find(name);
    std::string wrong;
    const std::string variable = environment_name(name);
    if (option->count() == 0) {
      if (const char* value = std::getenv(variable.c_str())) {
        wrong = give(*option, value, variable);
      } else if (in_file != file.end()) {
        wrong = give(*option, in_file->second.value, given.config + ", line " + std::to_string(in_file->second.line));
      }
    }
    if (!wrong.empty()) return wrong;
    if (in_file != file.end()) file.erase(in_file);
  }
  if (file.empty()) return {};
  const auto& [name, value] = *file.begin();
  std::vector<std::string> names;
  for (const CLI::Option* option : settings_of(app)) names.push_back(option->get_single_name());
  return given.config + ", line " + std::to_string(value.line) + ": there is no setting " + name +
         native::did_you_mean(name, names);
}

std::vector<std::string> unknown_variables(CLI::App& app) {
  std::vector<std::string> names = {environment_name("config")};
  for (const CLI::Option* option : settings_of(app)) names.push_back(environment_name(option->get_single_name()));
  std::vector<std::string> sentences;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    const std::string name(variable.substr(0, variable.find('=')));
    if (!name.starts_with(kPrefix) || name == kVariableOfClient || std::ranges::count(names, name) != 0) continue;
    sentences.push_back("the environment has " + name + ", which is no setting" + native::did_you_mean(name, names));
  }
  return sentences;
}

std::string settle(Given& given) {
  if (given.data.empty()) return "say where to keep the data, e.g. --data ./diaryx-data";
  given.options.data = given.data;
  given.options.tls_certificate = given.tls_certificate;
  given.options.tls_key = given.tls_key;
  if (std::string wrong = parse_listen(given.listen, given.options); !wrong.empty()) return wrong;
  const auto owner = normal_email(given.options.owner);
  if (!owner) return "--owner takes an e-mail address";
  given.options.owner = *owner;
  if (auto proxies = AddressList::parse(given.options.trusted_proxies); !proxies)
    return "--trust-proxy: " + proxies.error().sentence;
  for (const std::string& origin : given.options.cors_origins) {
    if (!is_origin(origin))
      return "--cors-origin: \"" + origin + "\" is not an origin; give one such as https://app.example.org";
  }
  if (const std::string& url = given.options.base_url;
      !url.empty() && (url.find("://") == std::string::npos || url.find_first_of(" \"<>?#") != std::string::npos))
    return "--base-url: \"" + url + "\" is not an address of a page; give one such as https://app.example.org";
  if (!given.tls_key.empty() && given.tls_certificate.empty())
    return "a key needs its certificate: give --tls-certificate too";
  if (!given.tls_certificate.empty()) {
    if (auto tls = load_tls(given.tls_certificate, given.tls_key); !tls) return tls.error().sentence;
  }
  return {};
}

std::string examine_data(const std::filesystem::path& data) {
  std::error_code error;
  std::filesystem::path place = std::filesystem::absolute(data, error);
  // What is not there yet is made; it needs a folder to stand in.
  while (!std::filesystem::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  if (!std::filesystem::is_directory(place, error)) return "--data: " + place.native() + " is not a folder";
  if (::access(place.c_str(), W_OK | X_OK) != 0)
    return "--data: " + place.native() + " cannot be written: " + std::generic_category().message(errno);
  return {};
}

std::string describe_settings(CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : settings_of(app)) {
    out += option->get_single_name() + " = ";
    if (option->count() == 0) {
      out += (native::is_flag(*option) ? "false" : option->get_default_str()) + "\n";
      continue;
    }
    out += joined(option->results()) + "\n";
  }
  return out;
}

}  // namespace diaryx::server
