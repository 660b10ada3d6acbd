#include "config.h"

#include <algorithm>
#include <array>

#include "diaryx/sync/doc_id.h"

namespace diaryx::plugin {
namespace {

struct Field {
  std::string_view name;
  std::string Config::* member;
};

constexpr std::array<Field, 3> kFields{{
    {"server_url", &Config::server_url},
    {"auth_token", &Config::auth_token},
    {"workspace_id", &Config::workspace_id},
}};

std::string_view text_of(const Json& object, std::string_view key) {
  return trimmed(object.string_member(key).value_or(std::string_view{}));
}

bool drop_ending(std::string_view& text, std::string_view ending) {
  if (!text.ends_with(ending)) return false;
  text.remove_suffix(ending.size());
  return true;
}

}  // namespace

Config Config::from_json(const Json& object) {
  Config config;
  config.patch(object);
  return config;
}

Json Config::to_json() const {
  Json object = Json::object();
  for (const Field& field : kFields) object.set(std::string(field.name), text_or_null(this->*field.member));
  return object;
}

Json Config::to_public_json() const {
  return Json{}.set("server_url", text_or_null(server_url)).set("workspace_id", text_or_null(workspace_id));
}

void Config::patch(const Json& object) {
  for (const Field& field : kFields) {
    const Json* value = object.find(field.name);
    if (!value) continue;
    if (value->is_null()) (this->*field.member).clear();
    if (const std::string* text = value->as_string()) this->*field.member = trimmed(*text);
  }
}

void Config::fill_from(const Config& other) {
  for (const Field& field : kFields) {
    if ((this->*field.member).empty()) this->*field.member = other.*field.member;
  }
}

Endpoint Endpoint::resolve(const Json& params, const Config& config, const Json& context) {
  const auto first = [&](std::string_view name, const std::string& stored) {
    std::string_view text = text_of(params, name);
    if (text.empty()) text = trimmed(stored);
    if (text.empty()) text = text_of(context, name);
    return text;
  };
  return {normalised_server(first("server_url", config.server_url)),
          std::string(first("auth_token", config.auth_token))};
}

const char* Endpoint::missing() const {
  if (server_url.empty()) return "Sync server URL is not configured";
  if (auth_token.empty()) return "Sign in to enable sync";
  return "";
}

bool is_usable_workspace(std::string_view id) { return sync::workspace_doc_id(id).has_value(); }

Json text_or_null(std::string_view text) { return text.empty() ? Json{} : Json{text}; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string normalised_server(std::string_view url) {
  std::string_view base = trimmed(url);
  while (drop_ending(base, "/") || drop_ending(base, "/sync2") || drop_ending(base, "/sync")) {
  }
  return std::string(base);
}

std::string socket_server(std::string_view url) {
  const std::string_view scheme = url.substr(0, url.find("://"));
  const auto is = [&](std::string_view name) {
    return std::ranges::equal(scheme, name, {}, [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  };
  if (is("http")) return "ws" + std::string(url.substr(scheme.size()));
  if (is("https")) return "wss" + std::string(url.substr(scheme.size()));
  return std::string(url);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

}  // namespace diaryx::plugin
