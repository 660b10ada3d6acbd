// What few people do, and what programs do that save in odd ways: `Mix::Rough`.

#include <algorithm>
#include <iterator>
#include <utility>

#include "diaryx/testing/random.h"
#include "people.h"

namespace diaryx::testing {
namespace {

/// One of a few, so that devices choose the same.
std::string shared_name(Random& random) {
  static const char* const kNames[] = {"plan.md", "moved/plan.md", "ideas.md", "other/ideas.md", "deep/er/todo.md"};
  return kNames[random.below(std::size(kNames))];
}

bool is_deleted_here(const Device& device, const std::string& path) {
  const auto entry = device.replica().metadata(path);
  return entry && entry->deleted && std::ranges::find(entry->extra, "_to", &Json::Member::key) == entry->extra.end();
}

}  // namespace

void People::edit_roughly(Device& device, Random& random, const std::vector<std::string>& notes) {
  const std::string path = random.pick(notes);
  switch (random.below(14)) {
    case 0:
      if (const std::string name = shared_name(random); !device.disk().has(name))
        device.user_writes(name, ledger_.fresh_line());
      return;
    case 1:
    case 2:
      if (const std::string name = shared_name(random); !device.disk().has(name)) device.user_renames(path, name);
      return;
    case 3: return rotate(device, random, notes);
    case 4: return move_over(device, path, random.pick(notes));
    case 5: return delete_folder(device, path);
    case 6: return make_anew(device, random, path);
    case 7: return move_there_and_back(device, random, path);
    case 8: return rename_folder_case(device, path);
    case 9: return save_over_backup(device, random, path);
    case 10: return save_emptied(device, path);
    case 11: return change_line_ends(device, path);
    case 12: return put_back(device, path);
    default: return merge_folder(device, random, path);
  }
}

void People::rotate(Device& device, Random& random, const std::vector<std::string>& notes) {
  const std::string a = random.pick(notes);
  const std::string b = random.pick(notes);
  const std::string c = random.pick(notes);
  if (a == b || b == c || a == c || device.disk().has("swap.md")) return;
  const bool is_fast = random.chance(0.5) && is_known(device, a) && is_known(device, b) && is_known(device, c);
  const std::pair<std::string, std::string> moves[] = {{a, "swap.md"}, {b, a}, {c, b}, {"swap.md", c}};
  for (const auto& [from, to] : moves) {
    if (device.disk().has(from) && !device.disk().has(to)) device.user_renames(from, to);
    if (!is_fast) device.look_and_settle();
  }
  if (is_fast) device.look_and_settle();
}

void People::move_over(Device& device, const std::string& from, const std::string& to) {
  if (from == to || !is_known(device, from) || !is_known(device, to)) return;
  ledger_.forget(*device.disk().read(to));
  device.user_renames(from, to);
  device.look_and_settle();
}

void People::delete_folder(Device& device, const std::string& path) {
  const std::string folder = folder_of(path) + "/";
  for (const std::string& other : files_of(device, ".md")) {
    if (other.starts_with(folder)) delete_file(device, other);
  }
}

void People::make_anew(Device& device, Random& random, const std::string& path) {
  delete_file(device, path);
  if (random.chance(0.5)) device.look_and_settle();
  if (!device.disk().has(path)) device.user_writes(path, ledger_.fresh_line());
}

void People::move_there_and_back(Device& device, Random& random, const std::string& path) {
  const std::string to = fresh_name(random, device);
  if (device.disk().has(to)) return;
  device.user_renames(path, to);
  if (random.chance(0.5)) device.look_and_settle();
  if (random.chance(0.3)) world_.step();
  if (device.disk().has(to) && !device.disk().has(path)) device.user_renames(to, path);
  // Before a write of ours that was on its way comes to it: the watcher here would take that for all.
  device.look_and_settle();
}

void People::rename_folder_case(Device& device, const std::string& path) {
  const std::string folder = folder_of(path);
  if (folder == path) return;
  std::string to = folder;
  to[0] = static_cast<char>(to[0] ^ 0x20);
  device.look_and_settle();
  for (const auto& [other, bytes] : device.disk().files()) {
    if (other.starts_with(to + "/")) return;
  }
  device.user_renames_folder(folder, to);
}

void People::merge_folder(Device& device, Random& random, const std::string& path) {
  const std::string folder = folder_of(path);
  if (folder == path) return;
  const std::string to = random.chance(0.5) ? "moved" : "other";
  if (to == folder) return;
  for (const std::string& other : files_of(device, ".md")) {
    const std::string name = to + other.substr(std::min(folder.size(), other.size()));
    if (other.starts_with(folder + "/") && !device.disk().has(name)) device.user_renames(other, name);
  }
}

void People::save_over_backup(Device& device, Random& random, const std::string& path) {
  const std::string text = *device.disk().read(path);
  const std::string backup = path + ".bak";
  device.user_renames(path, backup);
  // Seen between the two steps, it is a deletion and a new file, which goes on as the same one if the list has it here.
  // (A name that is an alias, or in the form that its disk keeps, is nobody's once its file is gone.)
  const auto is_plain = [](char c) { return c > 0; };
  const bool has_own_name = std::ranges::all_of(path, is_plain) && device.replica().key_of(path) == path;
  const bool is_slow = random.chance(0.3) && has_own_name && device.replica().file_text(path) == text;
  if (is_slow) device.watcher_looks();
  const bool goes_on = !is_slow || is_deleted_here(device, path);
  if (goes_on && !device.disk().has(path)) {
    device.user_writes(path, text + ledger_.fresh_line(home_of(text)));
    if (is_slow) device.watcher_looks();
  } else {
    ledger_.forget(text);  // sync put the file there again, or heard just now that it has another name
  }
  device.user_deletes(backup);
}

void People::save_emptied(Device& device, const std::string& path) {
  const std::string text = *device.disk().read(path);
  const std::string fresh = text + ledger_.fresh_line(home_of(text));
  device.user_writes(path, "");
  device.watcher_looks();
  if (device.disk().read(path) == "") {
    device.user_writes(path, fresh);
  } else {
    ledger_.forget(fresh);  // sync was faster than the program
  }
}

void People::change_line_ends(Device& device, const std::string& path) {
  if (&device != &world_.device(0)) return;  // two devices at once would do it twice
  std::string text;
  for (const char c : *device.disk().read(path)) {
    if (c == '\n') text += '\r';
    if (c != '\r') text += c;
  }
  device.user_writes(path, text);
}

void People::put_back(Device& device, const std::string& path) {
  // An older text of this very file, from a backup of this device. What was deleted since is typed anew; if two devices did so
  // at once it would be there twice.
  if (&device != &world_.device(0)) return;
  const std::string text = *device.disk().read(path);
  const std::optional<size_t> home = home_of(text);
  if (!home) return;
  const auto [backup, is_first] = backups_.emplace(*home, text);
  if (is_first) return;
  const std::string before = std::exchange(backup->second, text);
  ledger_.forget(text, before);
  device.user_writes(path, before);
}

}  // namespace diaryx::testing
