#include "people.h"

#include <algorithm>
#include <iterator>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/testing/random.h"

namespace diaryx::testing {
namespace {

/// The start of the line behind `near`.
size_t line_start(const std::string& text, size_t near) {
  const size_t newline = text.find('\n', near);
  return newline == std::string::npos ? text.size() : newline + 1;
}

}  // namespace

std::string_view name_of(Mix mix) {
  switch (mix) {
    case Mix::Everyday: return "everyday";
    case Mix::Everything: return "everything";
    case Mix::SlowStorage: return "slow_storage";
    case Mix::Rough: return "rough";
    case Mix::Late: return "late";
    case Mix::Attachments: return "attachments";
    case Mix::Editors: return "editors";
  }
  return {};
}

void People::import_everywhere() {
  std::string text = ledger_.fresh_line();
  for (int i = 0; i < 3; ++i) text += ledger_.fresh_line(0);
  for (size_t i = 0; i < world_.size(); ++i) world_.device(i).user_writes("start.md", text);
}

void People::edit_once() {
  Random& random = world_.random();
  Device& device = world_.device(random.below(world_.size()));
  const std::vector<std::string> notes = files_of(device, ".md");
  if (mix_ >= Mix::Rough && !notes.empty() && random.chance(0.35)) return edit_roughly(device, random, notes);
  if (mix_ == Mix::Attachments && random.chance(0.7)) return edit_picture(device, random);
  if (mix_ == Mix::Editors && random.chance(0.3)) return type_in_editor(random);
  uint64_t choice = random.below(100);
  // What is typed in an editor into a note that somebody deletes meanwhile is kept in its document, and nowhere else.
  if (mix_ == Mix::Editors && ((choice >= 28 && choice < 31) || choice == 37)) choice = 99;
  if ((mix_ == Mix::Everyday || mix_ == Mix::Attachments) &&
      ((choice >= 18 && choice < 28) || (choice >= 40 && choice < 44)))
    choice = 99;
  if (notes.empty() || choice < 9) return create(device, random);
  if (choice < 13) return mix_ == Mix::Attachments ? edit_picture(device, random) : change_picture(device, random);
  if (choice < 18) return move_file(device, random, random.pick(notes));
  if (choice < 21) return rename_folder(device, random, random.pick(notes));
  if (choice < 23) return rename_case(device, random.pick(notes));
  if (choice < 25) return swap(device, random, notes);
  if (choice < 28) return reuse_name(device, random, random.pick(notes));
  if (choice < 31) return delete_file(device, random.pick(notes));
  if (choice < 37) return delete_line(device, random, random.pick(notes));
  if (choice < 38) return clear(device, random.pick(notes));
  if (choice < 40) return save_by_renaming(device, random.pick(notes));
  if (choice >= 86 && choice < 94) return edit_frontmatter(device, random, random.pick(notes));
  insert_line(device, random, random.pick(notes), choice < 44);
}

std::set<size_t> People::delete_some() {
  Random& random = world_.random();
  Device& device = world_.device(random.below(world_.size()));
  std::set<size_t> gone;
  for (int i = 0; i < 3; ++i) {
    const std::vector<std::string> notes = files_of(device, ".md");
    if (notes.size() < 2) break;
    const std::string path = random.pick(notes);
    for (const size_t marker : markers_in(*device.disk().read(path))) gone.insert(marker);
    delete_file(device, path);
  }
  return gone;
}

std::vector<std::string> People::files_of(const Device& device, std::string_view ending) {
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : device.disk().files()) {
    if (path.ends_with(ending)) paths.push_back(path);
  }
  return paths;
}

bool People::is_known(const Device& device, const std::string& path) {
  const std::string text = *device.disk().read(path);
  return !text.empty() && device.replica().known_hash(path) == sha256(text);
}

void People::create(Device& device, Random& random) {
  const std::string path = fresh_name(random, device);
  if (device.disk().has(path)) return;
  std::string text = ledger_.fresh_line();
  const std::optional<size_t> home = home_of(text);
  if (random.chance(0.4)) text = "---\ntitle: \"T\"\nupdated: 2026-01-01T00:00:00Z\n---\n" + text;
  for (uint64_t more = random.below(4); more > 0; --more) text += ledger_.fresh_line(home);
  device.user_writes(path, text);
}

void People::insert_line(Device& device, Random& random, const std::string& path, bool slowly) {
  std::string text = *device.disk().read(path);
  const size_t first = text.find('<');
  size_t at = line_start(text, random.below(text.size() + 1));
  if (first != std::string::npos) at = std::max(at, line_start(text, first));
  at = std::max(at, sync::split_frontmatter(text).head.size());
  text.insert(at, ledger_.fresh_line(home_of(text)));
  if (slowly && sync::split_frontmatter(text).head.size() < text.size() / 2) {
    // If somebody renames or writes the file between the halves, the second has no place.
    const size_t newline = text.rfind('\n', text.size() / 2);
    ledger_.forget(newline == std::string::npos ? text : text.substr(newline));
    device.user_writes_slowly(path, text);
  } else {
    device.user_writes(path, text);
  }
}

void People::type_in_editor(Random& random) {
  Editor& editor = world_.editors()[random.below(world_.editors().size())];
  if (!editor.is_open()) {
    const Device& device = world_.device(random.below(world_.size()));
    const std::vector<std::string> notes = files_of(device, ".md");
    if (!notes.empty()) editor.open(device.replica().key_of(random.pick(notes)));
    return;
  }
  const std::string text = editor.text();
  const size_t first = text.find('<');
  if (first == std::string::npos) return;  // nothing has come yet
  const size_t at = std::max(line_start(text, random.below(text.size() + 1)), line_start(text, first));
  editor.insert(Utf8Offset{static_cast<uint32_t>(at)}, ledger_.fresh_line(home_of(text)));
}

void People::delete_line(Device& device, Random& random, const std::string& path) {
  std::string text = *device.disk().read(path);
  const size_t first = text.find('<');
  const size_t begin = line_start(text, random.below(text.size() + 1));
  if (first == std::string::npos || begin <= first || begin >= text.size()) return;
  const size_t end = line_start(text, begin);
  ledger_.forget(text.substr(begin, end - begin));
  text.erase(begin, end - begin);
  device.user_writes(path, text);
}

void People::clear(Device& device, const std::string& path) {
  ledger_.forget(*device.disk().read(path));
  device.user_writes(path, "");
}

void People::save_by_renaming(Device& device, const std::string& path) {
  // As many editors do: a temporary file takes the place of the old one. The watcher sees a changed file.
  const std::string text = *device.disk().read(path);
  device.user_writes(path + ".tmp", text + ledger_.fresh_line(home_of(text)));
  const std::string fresh = *device.disk().read(path + ".tmp");
  device.user_deletes(path + ".tmp");
  device.user_writes(path, fresh);
}

void People::edit_frontmatter(Device& device, Random& random, const std::string& path) {
  static const char* const kFields[] = {"title", "mood", "place"};
  static const char* const kLists[] = {"contents", "tags"};
  const std::string text = *device.disk().read(path);
  const sync::SplitText split = sync::split_frontmatter(text);
  auto front = sync::Frontmatter::parse(split.head);
  if (!front || home_of(text) == std::nullopt) return;
  const std::string list = kLists[random.below(std::size(kLists))];
  const Json* const present = front->find(list);
  Json::Array items = present != nullptr && present->is_array() ? *present->as_array() : Json::Array();
  const uint64_t choice = random.below(10);
  if (choice < 3) {
    front->set(kFields[random.below(std::size(kFields))], Json(ledger_.fresh_value()));
  } else if (choice < 4) {
    front->remove(kFields[random.below(std::size(kFields))]);
  } else if (choice < 8) {
    const uint64_t at = random.below(items.size() + 1);
    items.insert(items.begin() + static_cast<ptrdiff_t>(at), Json(ledger_.fresh_item()));
    front->set(list, Json(items));
  } else if (choice < 9) {
    const uint64_t at = random.below(items.size() + 1);
    if (at < items.size()) {
      if (items[at].is_string()) ledger_.forget_items(*items[at].as_string());
      items.erase(items.begin() + static_cast<ptrdiff_t>(at));
    }
    if (items.empty()) {
      front->remove(list);
    } else {
      front->set(list, Json(items));
    }
  } else if (!split.head.empty()) {
    ledger_.forget_items(split.head);
    front = sync::Frontmatter();
  }
  if (front->find("updated") != nullptr) front->set("updated", Json(ledger_.fresh_date()));
  device.user_writes(path, front->text() + std::string(split.body));
}

void People::move_file(Device& device, Random& random, const std::string& path) {
  const std::string to = fresh_name(random, device);
  if (!device.disk().has(to)) device.user_renames(path, to);
}

void People::rename_case(Device& device, const std::string& path) {
  std::string to = path;
  char& first = to[to.rfind('/') == std::string::npos ? 0 : to.rfind('/') + 1];
  first = static_cast<char>(first ^ ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ? 0x20 : 0));
  if (to == path || device.disk().files().contains(to)) return;
  device.look_and_settle();  // if another file just left that name, that is told first
  const FakeDisk::Files& files = device.disk().files();
  if (files.contains(path) && !files.contains(to)) device.user_renames(path, to);
}

std::string People::folder_of(const std::string& path) { return path.substr(0, std::min(path.find('/'), path.size())); }

void People::rename_folder(Device& device, Random& random, const std::string& path) {
  const size_t slash = path.find('/');
  if (slash == std::string::npos) return;
  const std::string to = random.chance(0.5) ? "moved" : "folder" + std::to_string(next_file_++);
  const std::string folder = path.substr(0, slash);
  const FakeDisk& disk = device.disk();
  const bool is_own_place = disk.is_same_place(folder, to);
  for (const auto& [other, bytes] : disk.files()) {
    const std::string there = folder_of(other);
    // Merging folders is many moves, which are tried elsewhere.
    if (there != other && (is_own_place ? there == to : disk.is_same_place(there, to))) return;
  }
  device.user_renames_folder(folder, to);
}

void People::swap(Device& device, Random& random, const std::vector<std::string>& notes) {
  const std::string a = random.pick(notes);
  const std::string b = random.pick(notes);
  if (a == b || device.disk().has("swap.md")) return;
  const bool is_fast = random.chance(0.5) && is_known(device, a) && is_known(device, b);
  device.user_renames(a, "swap.md");
  if (!is_fast) device.look_and_settle();
  // As everywhere, nobody moves a file over one that is there: sync may have put one there in between.
  if (!device.disk().has(a)) device.user_renames(b, a);
  if (!is_fast) device.look_and_settle();
  if (!device.disk().has(b)) device.user_renames("swap.md", b);
  if (is_fast) device.look_and_settle();
}

void People::reuse_name(Device& device, Random& random, const std::string& path) {
  const std::string to = fresh_name(random, device);
  if (device.disk().has(to)) return;
  device.user_renames(path, to);
  device.look_and_settle();
  if (!device.disk().has(path)) device.user_writes(path, ledger_.fresh_line());
}

void People::delete_file(Device& device, const std::string& path) {
  ledger_.forget(*device.disk().read(path));
  device.user_deletes(path);
}

void People::change_picture(Device& device, Random& random) {
  const std::string path = "picture" + std::to_string(random.below(4)) + ".png";
  const uint64_t choice = random.below(10);
  if (choice < 7) return device.user_writes(path, "bytes " + std::to_string(random.next()));
  if (choice < 8) return device.user_deletes(path);
  device.user_renames(path, "moved/picture" + std::to_string(random.below(4)) + ".png");
}

void People::edit_picture(Device& device, Random& random) {
  const std::vector<std::string> there = files_of(device, ".png");
  const uint64_t choice = random.below(10);
  if (there.empty() || choice < 6) {
    const bool is_new = there.empty() || choice < 3;
    const std::string path = is_new ? "picture" + std::to_string(random.below(12)) + ".png" : random.pick(there);
    leave_picture(device, path);
    return device.user_writes(path, ledger_.fresh_picture(path));
  }
  const std::string path = random.pick(there);
  if (choice < 8) {
    leave_picture(device, path);
    return device.user_deletes(path);
  }
  const std::string to = "moved/picture" + std::to_string(next_file_++) + ".png";
  ledger_.rename_picture(path, to);
  device.user_renames(path, to);
}

void People::leave_picture(const Device& device, const std::string& path) {
  const std::optional<std::string> bytes = device.disk().read(path);
  if (!bytes) return;
  const bool is_noticed = device.replica().known_hash(path) == sha256(*bytes);
  ledger_.leave_picture(*bytes, is_noticed ? Ledger::Known::Yes : Ledger::Known::No);
}

std::string People::fresh_name(Random& random, const Device& device) {
  static const char* const kFolders[] = {"", "", "moved/", "deep/er/", "other/"};
  static const char* const kOdd[] = {"what?", "caf\u00e9", "cafe\u0301", "Note", "dot.", "a+b"};
  const std::string folder = kFolders[random.below(std::size(kFolders))];
  const std::string stem =
      (random.chance(0.15) ? kOdd[random.below(std::size(kOdd))] : "note") + std::to_string(next_file_++);
  const std::string name = folder + stem + ".md";
  return device.disk().can_name(name) ? name : folder + "note" + std::to_string(next_file_++) + ".md";
}

}  // namespace diaryx::testing
