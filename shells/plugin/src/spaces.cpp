#include "spaces.h"

#include <algorithm>

#include "diaryx/base/json.h"
#include "host.h"
#include "journal.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kKey = "sync.spaces";

bool names_a_folder(std::string_view name) {
  return name.starts_with(kUnlinked) && (name.size() == kUnlinked.size() || name[kUnlinked.size()] == ':');
}

}  // namespace

void Spaces::load() {
  numbers_.clear();
  if (const auto json = stored_json(Space(), kKey); json && json->as_object()) {
    for (const Json::Member& member : *json->as_object()) {
      const auto number = member.value.as_integer();
      if (number && *number >= 0) numbers_[member.key] = static_cast<uint64_t>(*number);
    }
  }
  if (!numbers_.empty()) return;
  if (std::string owner = Journal::owner(Space()); !owner.empty()) numbers_.emplace(std::move(owner), 0);
}

std::optional<uint64_t> Spaces::find(const std::string& name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

uint64_t Spaces::claim(const std::string& name) {
  if (const auto known = find(name)) return *known;
  uint64_t number = 0;
  for (const auto& [other, taken] : numbers_) number = std::max(number, taken + 1);
  numbers_.emplace(name, number);
  if (number > 0) write();
  return number;
}

void Spaces::share(const std::string& name, uint64_t number) {
  numbers_[std::string(name)] = number;
  write();
}

void Spaces::rename(const std::string& from, const std::string& to) {
  auto node = numbers_.extract(std::string(from));
  if (node.empty()) return;
  node.key() = to;
  numbers_.insert(std::move(node));
  write();
}

std::string Spaces::workspace_of(const std::string& folder) const {
  const auto number = find(folder);
  for (const auto& [name, taken] : numbers_) {
    if (number && taken == *number && !names_a_folder(name)) return name;
  }
  return {};
}

void Spaces::write() const {
  Json json = Json::object();
  for (const auto& [name, number] : numbers_) json.set(name, number);
  host::storage_set(kKey, as_bytes(json.dump()));
}

}  // namespace diaryx::plugin
