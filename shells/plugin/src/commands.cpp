#include "commands.h"

#include <algorithm>
#include <array>

#include "diaryx/base/base64.h"

namespace diaryx::plugin {
namespace {

struct Table {
  std::span<const Command> (*commands)();
  bool needs_session = false;  // its commands may count on one
};
constexpr std::array<Table, 9> kTables{{{config_commands},
                                        {provider_commands},
                                        {document_commands, true},
                                        {import_commands, true},
                                        {protocol_commands, true},
                                        {version_commands, true},
                                        {history_commands, true},
                                        {snapshot_commands, true},
                                        {namespace_commands}}};

constexpr int64_t kLargestByte = 255;

std::expected<Bytes, std::string> bytes_of(const Json::Array& numbers) {
  Bytes bytes;
  bytes.reserve(numbers.size());
  for (const Json& number : numbers) {
    const auto value = number.as_integer();
    if (!value || *value < 0 || *value > kLargestByte) return std::unexpected("Invalid byte in array");
    bytes.push_back(static_cast<uint8_t>(*value));
  }
  return bytes;
}

}  // namespace

std::vector<std::string_view> declared_commands() {
  std::vector<std::string_view> names;
  for (const Table& table : kTables) {
    for (const Command& command : table.commands()) {
      if (command.declared == Declared::Yes) names.push_back(command.name);
    }
  }
  return names;
}

Reply run_command(Guest& guest, std::string_view name, const Json& params) {
  for (const Table& table : kTables) {
    for (const Command& command : table.commands()) {
      if (command.name != name) continue;
      if (!command.run) return refused(std::string(name).append(" is only available in host-integrated runtimes"));
      if (table.needs_session && !guest.session()) return refused(kNotInitialized);
      if (command.stores == Stores::Yes && !storage_keeps()) return refused(kStoresNothing);
      return command.run(guest, params);
    }
  }
  return refused(std::string(kUnknownCommand).append(name));
}

Reply refused(std::string_view why) { return refused(std::string(why)); }
Reply refused(const std::string& why) { return std::unexpected(why); }
Reply refused(const char* why) { return refused(std::string(why)); }

std::expected<std::string, std::string> text_param(const Json& params, const char* name) {
  if (const auto text = params.string_member(name)) return std::string(*text);
  return std::unexpected("Missing parameter: " + std::string(name));
}

std::expected<Bytes, std::string> bytes_param(const Json& params, const char* name) {
  const Json* value = params.find(name);
  if (!value) return std::unexpected("Missing parameter: " + std::string(name));
  if (const Json::Array* numbers = value->as_array()) return bytes_of(*numbers);
  const std::string* text = value->as_string();
  if (!text) return std::unexpected("Expected base64 string or byte array");
  auto bytes = from_base64(*text);
  if (!bytes) return std::unexpected("Invalid base64: " + describe(bytes.error()));
  return std::move(*bytes);
}

std::vector<std::string> paths_param(Guest& guest, const Json& params, const char* name) {
  std::vector<std::string> paths;
  const Json* list = params.find(name);
  if (!list || !list->as_array()) return paths;
  for (const Json& entry : *list->as_array()) {
    if (const std::string* path = entry.as_string()) paths.push_back(guest.disk().to_workspace(*path));
  }
  return paths;
}

size_t limit_param(const Json& params, size_t otherwise) {
  const auto limit = params.integer_member("limit");
  return limit && *limit > 0 ? static_cast<size_t>(std::min<int64_t>(*limit, INT32_MAX)) : otherwise;
}

bool flag_param(const Json& params, const char* name, bool otherwise) {
  return params.bool_member(name).value_or(otherwise);
}

Json data_reply(ByteView bytes) { return Json{}.set("data", to_base64(bytes)); }

}  // namespace diaryx::plugin
