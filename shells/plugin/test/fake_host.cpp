#include "fake_host.h"

namespace diaryx::plugin {

FakeHost& fake_host() {
  static FakeHost host;
  return host;
}

namespace host {
namespace {

bool is_inside(std::string_view path, std::string_view prefix) {
  return prefix == "." || prefix.empty() || path.starts_with(std::string(prefix) + '/');
}

}  // namespace

void log(Level, const std::string& message) { fake_host().logs.emplace_back(message); }

TimestampMs now() { return TimestampMs{++fake_host().clock}; }

Json runtime_context() { return fake_host().context; }

std::optional<Bytes> storage_get(std::string_view key) {
  ++fake_host().gets;
  const auto found = fake_host().storage.find(key);
  if (fake_host().is_blind || found == fake_host().storage.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

void storage_set(std::string_view key, ByteView bytes) {
  fake_host().set_keys.emplace_back(key);
  if (fake_host().is_full) return;
  fake_host().storage.insert_or_assign(std::string(key), to_bytes(bytes));
  if (fake_host().record_versions) fake_host().versions.push_back(fake_host().storage);
}

bool file_exists(std::string_view path) {
  return fake_host().files.contains(path) || fake_host().folders.contains(path);
}

std::optional<Bytes> read_present_file(std::string_view path) {
  const auto found = fake_host().files.find(path);
  if (found == fake_host().files.end() || fake_host().unreadable.contains(path)) return std::nullopt;
  return found->second;
}

std::vector<std::string> list_files(std::string_view prefix) {
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : fake_host().files) {
    if (is_inside(path, prefix)) paths.push_back(path);
  }
  for (const std::string& path : fake_host().folders) {
    if (is_inside(path, prefix)) paths.push_back(path);
  }
  return paths;
}

void write_file(std::string_view path, ByteView bytes) {
  if (!fake_host().stubborn.contains(path)) fake_host().files.insert_or_assign(std::string(path), to_bytes(bytes));
}

void delete_file(std::string_view path) {
  if (!fake_host().stubborn.contains(path)) fake_host().files.erase(std::string(path));
}

void emit_event(std::string_view event) { fake_host().events.emplace_back(event); }

HttpResponse http(const HttpRequest& request) {
  fake_host().http_requests.push_back(request);
  return fake_host().http_answer;
}

std::string ws_connect(const Connection& connection) {
  fake_host().connection = connection;
  fake_host().requests.emplace_back("connect");
  return fake_host().refusal;
}
void ws_send_binary(ByteView) { fake_host().requests.emplace_back("send_binary"); }
void ws_send_text(std::string_view text) { fake_host().requests.emplace_back(text); }
void ws_disconnect() { fake_host().requests.emplace_back("disconnect"); }

bool was_emptied(std::string_view) { return false; }
bool carries_attachments() { return true; }

bool nearly_exhausted() { return false; }

}  // namespace host
}  // namespace diaryx::plugin
