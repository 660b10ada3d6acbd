#include "diaryx/sync/disk_names.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "diaryx/base/sha256.h"
#include "diaryx/sync/path.h"
#include "diaryx/sync/unicode.h"
#include "fault.h"

namespace diaryx::sync {
namespace {

constexpr std::string_view kRefusedByWindows = "<>:\"|?*";
constexpr size_t kMarkDigits = 8;
constexpr size_t kMostDigits = 64;

/// Calls `visit(prefix, component)` for each folder of a path and the path itself, outermost first.
template <typename Visit>
void for_each_prefix(std::string_view path, Visit&& visit) {
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t slash = std::min(path.find('/', begin), path.size());
    visit(path.substr(0, slash), path.substr(begin, slash - begin));
    begin = slash + 1;
  }
}

}  // namespace

std::string DiskNames::comparable(std::string_view disk_path) const {
  std::string form = traits_.normalising ? to_nfd(disk_path) : std::string(disk_path);
  return traits_.case_insensitive ? fold_case(form) : form;
}

std::string DiskNames::legal(std::string_view component) const {
  std::string name(component);
  if (!traits_.windows_names) return name;
  for (char& c : name) {
    if (kRefusedByWindows.contains(c)) c = '_';
  }
  while (name.ends_with('.') || name.ends_with(' ')) name.pop_back();
  return name;
}

std::string DiskNames::component_alias(std::string_view component, size_t digits) const {
  const std::string mark = " (name " + sha256(component).hex().substr(0, digits) + ")";
  const std::string name = legal(component);
  const std::string_view ending = extension(name);
  return std::string(stem(name)) + mark + std::string(ending);
}

DiskNames::Node& DiskNames::claim_node(std::string_view logical, std::string_view disk_parent,
                                       std::string_view component) {
  if (const auto known = nodes_.find(logical); known != nodes_.end()) return known->second;
  std::string disk = join(disk_parent, component);
  if (!DX_PLANTED(10) && (legal(component) != component || taken_.contains(comparable(disk)))) {
    // Longer marks only for a name that somebody made to look like an alias.
    for (size_t digits = kMarkDigits; digits <= kMostDigits; digits += kMarkDigits) {
      disk = join(disk_parent, component_alias(component, digits));
      if (!taken_.contains(comparable(disk))) break;
    }
  }
  taken_.insert_or_assign(comparable(disk), std::string(logical));
  return nodes_.emplace(std::string(logical), Node{std::move(disk), 0}).first->second;
}

std::string DiskNames::to_disk(std::string_view key) {
  if (!traits_.peculiar()) return std::string(key);
  if (const auto known = keys_.find(key); known != keys_.end()) return known->second;
  std::string disk;
  for_each_prefix(key, [&](std::string_view prefix, std::string_view component) {
    Node& node = claim_node(prefix, disk, component);
    ++node.uses;
    disk = node.disk;
  });
  note_name(std::string(key), disk);
  return disk;
}

void DiskNames::note_name(const std::string& key, std::string_view disk_path) {
  keys_.insert_or_assign(key, std::string(disk_path));
  if (key != disk_path) key_of_.insert_or_assign(std::string(disk_path), key);
}

std::string DiskNames::disk_name(std::string_view key) const {
  if (!traits_.peculiar()) return std::string(key);
  const auto known = keys_.find(key);
  return known == keys_.end() ? std::string(key) : known->second;
}

std::string DiskNames::to_key(std::string_view disk_path) const {
  if (!traits_.peculiar()) return std::string(disk_path);
  if (const auto known = key_of_.find(disk_path); known != key_of_.end()) return known->second;
  const auto lost = lost_.empty() ? lost_.end() : lost_.find(comparable(disk_path));
  if (lost != lost_.end() && lost->second.disk == disk_path) return lost->second.key;
  std::string key;
  for_each_prefix(disk_path, [&](std::string_view prefix, std::string_view component) {
    const std::string typed = traits_.normalising ? to_nfc(component) : std::string(component);
    const auto same = taken_.find(comparable(prefix));
    if (same == taken_.end()) {
      const bool is_lost = lost != lost_.end() && prefix == disk_path && file_name(lost->second.disk) == component;
      key = join(key, is_lost ? file_name(lost->second.key) : std::string_view(typed));
      return;
    }
    const std::string_view ours = file_name(nodes_.find(same->second)->second.disk);
    const bool same_case = traits_.normalising ? to_nfc(ours) == typed : ours == component;
    const bool is_older = comparable(ours) != comparable(component);
    key = join(key, same_case || is_older ? file_name(same->second) : std::string_view(typed));
  });
  return key;
}

std::string DiskNames::own_key(std::string_view disk_path) const {
  if (!traits_.peculiar()) return std::string(disk_path);
  std::string key = to_key(disk_path);
  const auto known = keys_.find(key);
  const bool is_elsewhere = known != keys_.end() && comparable(known->second) != comparable(disk_path);
  return is_elsewhere ? conflict_copy(WorkspacePath(key), sha256(disk_path)).str() : key;
}

bool DiskNames::is_same_place(std::string_view a, std::string_view b) const {
  return traits_.peculiar() && comparable(a) == comparable(b);
}

std::optional<std::string> DiskNames::key_of_place(std::string_view disk_path) const {
  if (!traits_.peculiar()) return std::nullopt;
  const std::string place = comparable(disk_path);
  if (const auto lost = lost_.find(place); lost != lost_.end()) return lost->second.key;
  const auto taken = taken_.find(place);
  return taken != taken_.end() && keys_.contains(taken->second) ? std::optional(taken->second) : std::nullopt;
}

std::string DiskNames::see(std::string_view disk_path) {
  if (!traits_.peculiar()) return std::string(disk_path);
  std::string key = own_key(disk_path);
  const auto known = keys_.find(key);
  if (known != keys_.end() && known->second == disk_path) return key;
  release(key);  // the same name in another form
  put(key, disk_path);
  return key;
}

void DiskNames::respell(std::string_view key, std::string_view disk_path) {
  if (!traits_.peculiar()) return;
  release(key);
  put(key, disk_path);
}

void DiskNames::put(std::string_view key, std::string_view disk_path) {
  // Folders first: where this disk spells one anew, the keys in the old spelling lose their names.
  std::vector<std::pair<std::string, std::string>> prefixes;
  for_each_prefix(key, [&](std::string_view prefix, std::string_view) { prefixes.emplace_back(prefix, ""); });
  size_t level = 0;
  size_t levels = 0;
  for_each_prefix(disk_path, [&](std::string_view, std::string_view) { ++levels; });
  if (levels != prefixes.size()) return;  // not a name that was made here
  for_each_prefix(disk_path, [&](std::string_view prefix, std::string_view) { prefixes[level++].second = prefix; });
  for (const auto& [logical, disk] : prefixes) {
    const auto taken = taken_.find(comparable(disk));
    if (taken != taken_.end() && taken->second != logical)
      give_up(std::string(taken->second), comparable(disk), disk_path);
    auto node = nodes_.find(logical);
    if (node == nodes_.end()) {
      node = nodes_.emplace(logical, Node{}).first;
    } else if (const std::string before = comparable(node->second.disk); before != comparable(disk)) {
      // A folder may be on this disk under two names: an alias, and its own since that became free.
      if (logical == key) {
        taken_.erase(before);
      } else if (std::ranges::find(node->second.older, before) == node->second.older.end()) {
        node->second.older.push_back(before);
      }
    }
    node->second.disk = disk;
    ++node->second.uses;
    taken_.insert_or_assign(comparable(disk), logical);
  }
  note_name(std::string(key), disk_path);
}

void DiskNames::give_up(const std::string& prefix, const std::string& place, std::string_view taken_path) {
  const auto is_in = [](std::string_view path, std::string_view folder) {
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
  };
  std::vector<std::string> losers;
  for (auto key = keys_.lower_bound(prefix); key != keys_.end() && key->first.starts_with(prefix); ++key) {
    if (is_in(key->first, prefix) && is_in(comparable(key->second), place)) losers.push_back(key->first);
  }
  for (const std::string& loser : losers) {
    const std::string& name = keys_.find(loser)->second;
    // Not the very name that is taken: it leads to who takes it.
    if (!is_same_place(name, taken_path)) lost_.insert_or_assign(comparable(name), Lost{name, loser});
    release(loser);
  }
  // What is left is in folders that have another name here as well, which is the one that they have from now on.
  for (auto key = keys_.lower_bound(prefix); key != keys_.end() && key->first.starts_with(prefix); ++key) {
    if (!is_in(key->first, prefix)) continue;
    size_t end = 0;
    for_each_prefix(key->first, [&](std::string_view folder, std::string_view) {
      end = std::min(key->second.find('/', end + (end == 0 ? 0 : 1)), key->second.size());
      Node& node = nodes_.find(folder)->second;
      if (is_in(comparable(node.disk), place)) node.disk = key->second.substr(0, end);
    });
  }
}

void DiskNames::restore(std::string_view key, std::string_view disk_path) {
  if (!traits_.peculiar()) return;
  release(key);
  put(key, disk_path);
}

void DiskNames::release(std::string_view key) {
  if (!traits_.peculiar()) return;
  const auto known = keys_.find(key);
  if (known == keys_.end()) return;
  for_each_prefix(std::string(known->first), [&](std::string_view prefix, std::string_view) {
    const auto node = nodes_.find(prefix);
    if (node == nodes_.end() || --node->second.uses > 0) return;
    std::vector<std::string>& names = node->second.older;
    names.push_back(comparable(node->second.disk));
    for (const std::string& name : names) {
      if (const auto taken = taken_.find(name); taken != taken_.end() && taken->second == prefix) taken_.erase(taken);
    }
    nodes_.erase(node);
  });
  if (const auto name = key_of_.find(known->second); name != key_of_.end() && name->second == known->first)
    key_of_.erase(name);
  keys_.erase(known);
}

void DiskNames::rename(std::string_view from, std::string_view to) {
  release(from);
  to_disk(to);
}

}  // namespace diaryx::sync
