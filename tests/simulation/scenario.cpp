#include "scenario.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "diaryx/sync/frontmatter.h"

namespace diaryx::testing {
namespace {

constexpr int kEdits = 120;
/// About twice what the worst of the first 400 runs needed.
constexpr uint64_t kMaxFramesPerEdit = 80;
constexpr uint64_t kMaxFrameBytes = 64 * 1024;
constexpr std::string_view kItem = "item-";
constexpr size_t kItemSize = 12;

size_t occurrences(const std::string& text, const std::string& marker) {
  size_t count = 0;
  for (size_t at = text.find(marker); at != std::string::npos; at = text.find(marker, at + 1)) ++count;
  return count;
}

/// `<0012>`: all of one width, since `<12>` would be a changed `<1>` to whoever compares texts.
std::string name_of(size_t marker) {
  std::string digits = std::to_string(marker);
  digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
  return "<" + digits + ">";
}

/// A word that no other line has. Lines of people differ in more than a number; a line that was deleted and one that was typed
/// in its place would be one changed line otherwise.
std::string word_of(uint64_t seed) {
  Random random(seed);
  std::string word;
  for (int i = 0; i < 7; ++i) word += static_cast<char>('a' + random.below(26));
  return word;
}

/// All markers `<n>` in a text.
std::vector<size_t> markers_in(const std::string& text) {
  std::vector<size_t> found;
  for (size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1)) {
    const size_t end = text.find('>', at);
    if (end == std::string::npos) break;
    const std::string digits = text.substr(at + 1, end - at - 1);
    if (!digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos) {
      found.push_back(std::stoul(digits));
    }
  }
  return found;
}

/// All list items `item-0012.md` in a text.
std::vector<std::string> items_in(const std::string& text) {
  std::vector<std::string> found;
  for (size_t at = text.find(kItem); at != std::string::npos; at = text.find(kItem, at + 1)) {
    found.push_back(text.substr(at, kItemSize));
  }
  return found;
}

/// People at work. Every line carries a marker of its own, so that a loss or a doubling shows; the first line of a file is
/// never deleted alone, so that it tells which file a line was typed into.
class People {
 public:
  People(World& world, Mix mix) : world_(world), mix_(mix) {}

  /// Everybody has the same file already, from a stick.
  void import_everywhere() {
    std::string text = fresh_line();
    for (int i = 0; i < 3; ++i) text += fresh_line(0);
    for (size_t i = 0; i < world_.size(); ++i) world_.device(i).user_writes("start.md", text);
  }

  void edit_once() {
    Random& random = world_.random();
    Device& device = world_.device(random.below(world_.size()));
    const std::vector<std::string> notes = files_of(device, ".md");
    if (mix_ >= Mix::Rough && !notes.empty() && random.chance(0.35)) return edit_roughly(device, random, notes);
    if (mix_ == Mix::Attachments && random.chance(0.7)) return edit_picture(device, random);
    uint64_t choice = random.below(100);
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

  /// Deletes up to three files on one device. Returns markers that must be gone for good.
  std::set<size_t> delete_some() {
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

  /// What is wrong with the files, or nothing.
  std::string complaint() const {
    std::map<size_t, std::vector<std::string>> places;
    for (const auto& [path, bytes] : world_.device(0).disk().files()) {
      for (const size_t marker : markers_in(bytes)) places[marker].push_back(path);
    }
    for (size_t marker = 0; marker < homes_.size(); ++marker) {
      const auto found = places.find(marker);
      const std::string name = name_of(marker);
      if (found == places.end()) {
        if (!deleted_.contains(marker)) return name + " is lost";
        continue;
      }
      if (found->second.size() > 1) return name + " is doubled: " + found->second[0] + ", " + found->second[1];
      // In the file that it was typed into, if that is still known by its first line.
      const size_t home = homes_[marker];
      const auto first = places.find(home);
      if (home == marker || first == places.end() || first->second[0] == found->second[0]) continue;
      return name + " was typed into the file of " + name_of(home) + ", " + first->second[0] + ", and is in " +
             found->second[0];
    }
    return {};
  }

  /// What is wrong with the attachments, or nothing.
  std::string picture_complaint() const {
    std::map<std::string, std::vector<std::string>> places;
    for (const auto& [path, bytes] : world_.device(0).disk().files()) {
      if (pictures_.contains(bytes)) places[bytes].push_back(path);
    }
    for (const auto& [bytes, picture] : pictures_) {
      const auto found = places.find(bytes);
      if (found == places.end()) {
        if (!picture.was_left) return bytes + " is lost";
        continue;
      }
      // Two devices that give a file different names at once make two of it, whichever of its contents each of them had.
      const size_t renames = renames_.contains(picture.file) ? renames_.at(picture.file) : 0;
      const std::vector<std::string>& paths = found->second;
      if (paths.size() > std::max<size_t>(renames, 1)) return bytes + " is doubled: " + paths[0] + ", " + paths[1];
      // Somebody else may have renamed it meanwhile, or changed it as well.
      if (picture.is_gone && renames == 0 && !paths[0].contains("(conflict ")) return bytes + " came back: " + paths[0];
    }
    return {};
  }

  /// What is wrong with the frontmatter, or nothing.
  std::string frontmatter_complaint() const {
    std::map<std::string, std::string> places;
    for (const auto& [path, bytes] : world_.device(0).disk().files()) {
      for (const std::string& item : items_in(bytes)) {
        const auto [place, is_first] = places.emplace(item, path);
        if (!is_first) return item + " is doubled: " + place->second + ", " + path;
      }
      if (!path.ends_with(".md")) continue;
      const auto front = sync::Frontmatter::parse(sync::split_frontmatter(bytes).head);
      if (!front) return path + ": the frontmatter is broken:\n" + bytes;
      if (front->has_repeated_key()) return path + ": a field is there twice:\n" + bytes;
      for (const sync::FrontmatterEntry& field : front->entries()) {
        const std::string* const value = field.value.as_string();
        if (value != nullptr && !values_.contains(*value)) return path + ": nobody wrote " + field.key + ": " + *value;
      }
    }
    for (const std::string& item : items_) {
      if (!places.contains(item) && !removed_items_.contains(item)) return item + " is lost";
    }
    return {};
  }

  uint64_t edits() const { return homes_.size(); }

 private:
  static std::vector<std::string> files_of(const Device& device, std::string_view ending) {
    std::vector<std::string> paths;
    for (const auto& [path, bytes] : device.disk().files()) {
      if (path.ends_with(ending)) paths.push_back(path);
    }
    return paths;
  }

  std::string fresh_line(std::optional<size_t> home = std::nullopt) {
    const size_t marker = homes_.size();
    homes_.push_back(home.value_or(marker));
    return name_of(marker) + " " + word_of(2 * marker) + "é😀" + word_of(2 * marker + 1) + "\n";
  }

  static std::optional<size_t> home_of(const std::string& text) {
    const std::vector<size_t> markers = markers_in(text);
    return markers.empty() ? std::nullopt : std::optional(markers.front());
  }

  std::string fresh_name(Random& random, const Device& device) {
    static const char* const kFolders[] = {"", "", "moved/", "deep/er/", "other/"};
    static const char* const kOdd[] = {"what?", "caf\u00e9", "cafe\u0301", "Note", "dot.", "a+b"};
    const std::string folder = kFolders[random.below(std::size(kFolders))];
    const std::string stem =
        (random.chance(0.15) ? kOdd[random.below(std::size(kOdd))] : "note") + std::to_string(next_file_++);
    const std::string name = folder + stem + ".md";
    return device.disk().can_name(name) ? name : folder + "note" + std::to_string(next_file_++) + ".md";
  }

  void create(Device& device, Random& random) {
    const std::string path = fresh_name(random, device);
    if (device.disk().has(path)) return;
    std::string text = fresh_line();
    const size_t home = homes_.size() - 1;
    if (random.chance(0.4)) text = "---\ntitle: \"T\"\nupdated: 2026-01-01T00:00:00Z\n---\n" + text;
    for (uint64_t more = random.below(4); more > 0; --more) text += fresh_line(home);
    device.user_writes(path, text);
  }

  void change_picture(Device& device, Random& random) {
    const std::string path = "picture" + std::to_string(random.below(4)) + ".png";
    const uint64_t choice = random.below(10);
    if (choice < 7) return device.user_writes(path, "bytes " + std::to_string(random.next()));
    if (choice < 8) return device.user_deletes(path);
    device.user_renames(path, "moved/picture" + std::to_string(random.below(4)) + ".png");
  }

  void edit_picture(Device& device, Random& random) {
    const std::vector<std::string> there = files_of(device, ".png");
    const uint64_t choice = random.below(10);
    if (there.empty() || choice < 6) {
      const bool is_new = there.empty() || choice < 3;
      const std::string path = is_new ? "picture" + std::to_string(random.below(12)) + ".png" : random.pick(there);
      leave_picture(device, path);
      const std::string bytes = "picture " + std::to_string(pictures_.size()) + " of " + word_of(pictures_.size());
      pictures_.emplace(bytes, Picture{.file = file_of(path)});
      return device.user_writes(path, bytes);
    }
    const std::string path = random.pick(there);
    if (choice < 8) {
      leave_picture(device, path);
      return device.user_deletes(path);
    }
    const std::string to = "moved/picture" + std::to_string(next_file_++) + ".png";
    ++renames_[file_of(path)];
    files_.emplace(to, file_of(path));
    device.user_renames(path, to);
  }

  /// The name that it had first.
  std::string file_of(const std::string& path) const {
    const size_t copy = path.find(" (conflict ");
    const std::string name = copy == std::string::npos ? path : path.substr(0, copy) + ".png";
    const auto renamed = files_.find(name);
    return renamed == files_.end() ? name : renamed->second;
  }

  void leave_picture(const Device& device, const std::string& path) {
    const std::optional<std::string> bytes = device.disk().read(path);
    if (!bytes) return;
    Picture& picture = pictures_[*bytes];
    picture.was_left = true;
    // What nobody had noticed yet may have been there or not, for all that sync knows.
    if (device.replica().known_hash(path) == sha256(*bytes)) picture.is_gone = true;
  }

  void move_file(Device& device, Random& random, const std::string& path) {
    const std::string to = fresh_name(random, device);
    if (!device.disk().has(to)) device.user_renames(path, to);
  }

  void rename_folder(Device& device, Random& random, const std::string& path) {
    const size_t slash = path.find('/');
    if (slash == std::string::npos) return;
    const std::string to = random.chance(0.5) ? "moved" : "folder" + std::to_string(next_file_++);
    for (const auto& [other, bytes] : FakeDisk::Files(device.disk().files())) {
      if (other.starts_with(to + "/")) return;  // merging folders is many moves, which are tried elsewhere
    }
    device.user_renames_folder(path.substr(0, slash), to);
  }

  void rename_case(Device& device, const std::string& path) {
    std::string to = path;
    char& first = to[to.rfind('/') == std::string::npos ? 0 : to.rfind('/') + 1];
    first = static_cast<char>(first ^ ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ? 0x20 : 0));
    if (to == path || device.disk().files().contains(to)) return;
    device.look_and_settle();  // if another file just left that name, that is told first
    const FakeDisk::Files& files = device.disk().files();
    if (files.contains(path) && !files.contains(to)) device.user_renames(path, to);
  }

  void swap(Device& device, Random& random, const std::vector<std::string>& notes) {
    const std::string a = random.pick(notes);
    const std::string b = random.pick(notes);
    if (a == b || device.disk().has("swap.md")) return;
    // Before anybody looks: then the files are known by their texts.
    const auto is_known = [&](const std::string& path) {
      const std::string text = *device.disk().read(path);
      return !text.empty() && device.replica().known_hash(path) == sha256(text);
    };
    const bool is_fast = random.chance(0.5) && is_known(a) && is_known(b);
    device.user_renames(a, "swap.md");
    if (!is_fast) device.look_and_settle();
    // As everywhere, nobody moves a file over one that is there: sync may have put one there in between.
    if (!device.disk().has(a)) device.user_renames(b, a);
    if (!is_fast) device.look_and_settle();
    if (!device.disk().has(b)) device.user_renames("swap.md", b);
    if (is_fast) device.look_and_settle();
  }

  void reuse_name(Device& device, Random& random, const std::string& path) {
    const std::string to = fresh_name(random, device);
    if (device.disk().has(to)) return;
    device.user_renames(path, to);
    device.look_and_settle();
    if (!device.disk().has(path)) device.user_writes(path, fresh_line());
  }

  void edit_roughly(Device& device, Random& random, const std::vector<std::string>& notes) {
    const std::string path = random.pick(notes);
    switch (random.below(14)) {
      case 0:
        if (const std::string name = shared_name(random); !device.disk().has(name))
          device.user_writes(name, fresh_line());
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

  /// One of a few, so that devices choose the same.
  static std::string shared_name(Random& random) {
    static const char* const kNames[] = {"plan.md", "moved/plan.md", "ideas.md", "other/ideas.md", "deep/er/todo.md"};
    return kNames[random.below(std::size(kNames))];
  }

  /// What is on the disk is known, so that before anybody looks a file is known by its text.
  static bool is_known(const Device& device, const std::string& path) {
    const std::string text = *device.disk().read(path);
    return !text.empty() && device.replica().known_hash(path) == sha256(text);
  }

  void rotate(Device& device, Random& random, const std::vector<std::string>& notes) {
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

  void move_over(Device& device, const std::string& from, const std::string& to) {
    if (from == to || !is_known(device, from) || !is_known(device, to)) return;
    forget(*device.disk().read(to));
    device.user_renames(from, to);
    device.look_and_settle();
  }

  static std::string folder_of(const std::string& path) {
    return path.substr(0, std::min(path.find('/'), path.size()));
  }

  void delete_folder(Device& device, const std::string& path) {
    const std::string folder = folder_of(path) + "/";
    for (const std::string& other : files_of(device, ".md")) {
      if (other.starts_with(folder)) delete_file(device, other);
    }
  }

  void make_anew(Device& device, Random& random, const std::string& path) {
    delete_file(device, path);
    if (random.chance(0.5)) device.look_and_settle();
    if (!device.disk().has(path)) device.user_writes(path, fresh_line());
  }

  void move_there_and_back(Device& device, Random& random, const std::string& path) {
    const std::string to = fresh_name(random, device);
    if (device.disk().has(to)) return;
    device.user_renames(path, to);
    if (random.chance(0.5)) device.look_and_settle();
    if (random.chance(0.3)) world_.step();
    if (device.disk().has(to) && !device.disk().has(path)) device.user_renames(to, path);
    device
        .look_and_settle();  // before a write of ours that was on its way comes to it: the watcher here would take that for all
  }

  void rename_folder_case(Device& device, const std::string& path) {
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

  static bool is_deleted_here(const Device& device, const std::string& path) {
    const auto entry = device.replica().metadata(path);
    return entry && entry->deleted && std::ranges::find(entry->extra, "_to", &Json::Member::key) == entry->extra.end();
  }

  void save_over_backup(Device& device, Random& random, const std::string& path) {
    const std::string text = *device.disk().read(path);
    const std::optional<size_t> home = home_of(text);
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
      device.user_writes(path, text + (home ? fresh_line(home) : fresh_line()));
      if (is_slow) device.watcher_looks();
    } else {
      forget(text);  // sync put the file there again, or heard just now that it has another name
    }
    device.user_deletes(backup);
  }

  void save_emptied(Device& device, const std::string& path) {
    const std::string text = *device.disk().read(path);
    const std::optional<size_t> home = home_of(text);
    const std::string fresh = text + (home ? fresh_line(home) : fresh_line());
    device.user_writes(path, "");
    device.watcher_looks();
    if (device.disk().read(path) == "") {
      device.user_writes(path, fresh);
    } else {
      forget(fresh);  // sync was faster than the program
    }
  }

  void change_line_ends(Device& device, const std::string& path) {
    if (&device != &world_.device(0)) return;  // two devices at once would do it twice
    std::string text;
    for (const char c : *device.disk().read(path)) {
      if (c == '\n') text += '\r';
      if (c != '\r') text += c;
    }
    device.user_writes(path, text);
  }

  void put_back(Device& device, const std::string& path) {
    // An older text of this very file, from a backup of this device. What was deleted since is typed anew; if two devices did so
    // at once it would be there twice.
    if (&device != &world_.device(0)) return;
    const std::string text = *device.disk().read(path);
    const std::optional<size_t> home = home_of(text);
    if (!home) return;
    const auto [backup, is_first] = backups_.emplace(*home, text);
    if (is_first) return;
    const std::string before = std::exchange(backup->second, text);
    const std::vector<size_t> kept = markers_in(before);
    for (const size_t marker : markers_in(text)) {
      if (std::ranges::find(kept, marker) == kept.end()) deleted_.insert(marker);
    }
    const std::vector<std::string> kept_items = items_in(before);
    for (const std::string& item : items_in(text)) {
      if (std::ranges::find(kept_items, item) == kept_items.end()) removed_items_.insert(item);
    }
    device.user_writes(path, before);
  }

  void merge_folder(Device& device, Random& random, const std::string& path) {
    const std::string folder = folder_of(path);
    if (folder == path) return;
    const std::string to = random.chance(0.5) ? "moved" : "other";
    if (to == folder) return;
    for (const std::string& other : files_of(device, ".md")) {
      const std::string name = to + other.substr(std::min(folder.size(), other.size()));
      if (other.starts_with(folder + "/") && !device.disk().has(name)) device.user_renames(other, name);
    }
  }

  std::string fresh_value() {
    std::string value = "v" + std::to_string(values_.size());
    values_.insert(value);
    return value;
  }

  std::string fresh_item() {
    std::string digits = std::to_string(items_.size());
    digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
    items_.push_back(std::string(kItem) + digits + ".md");
    return items_.back();
  }

  void edit_frontmatter(Device& device, Random& random, const std::string& path) {
    static const char* const kFields[] = {"title", "mood", "place"};
    static const char* const kLists[] = {"contents", "tags"};
    const std::string text = *device.disk().read(path);
    const sync::SplitText split = sync::split_frontmatter(text);
    auto front = sync::Frontmatter::parse(split.head);
    if (!front || home_of(text) == std::nullopt) return;
    const std::string list = kLists[random.below(std::size(kLists))];
    Json items = front->find(list) != nullptr && front->find(list)->is_array() ? *front->find(list) : Json::array();
    const uint64_t choice = random.below(10);
    if (choice < 3) {
      front->set(kFields[random.below(std::size(kFields))], Json(fresh_value()));
    } else if (choice < 4) {
      front->remove(kFields[random.below(std::size(kFields))]);
    } else if (choice < 8) {
      Json more = Json::array();
      const uint64_t at = random.below(items.as_array()->size() + 1);
      for (uint64_t i = 0; i <= items.as_array()->size(); ++i) {
        if (i == at) more.push(fresh_item());
        if (i < items.as_array()->size()) more.push((*items.as_array())[i]);
      }
      front->set(list, more);
    } else if (choice < 9) {
      Json fewer = Json::array();
      const uint64_t at = random.below(items.as_array()->size() + 1);
      for (uint64_t i = 0; i < items.as_array()->size(); ++i) {
        const Json& item = (*items.as_array())[i];
        if (i != at) fewer.push(item);
        if (i == at && item.is_string()) removed_items_.insert(*item.as_string());
      }
      if (fewer.as_array()->empty()) {
        front->remove(list);
      } else {
        front->set(list, fewer);
      }
    } else if (!split.head.empty()) {
      for (std::string& item : items_in(std::string(split.head))) removed_items_.insert(std::move(item));
      front = sync::Frontmatter();
    }
    if (front->find("updated") != nullptr) {
      const std::string day = std::to_string(10 + values_.size() % 18);
      values_.insert("2026-02-" + day + "T00:00:00Z");
      front->set("updated", Json("2026-02-" + day + "T00:00:00Z"));
    }
    device.user_writes(path, front->text() + std::string(split.body));
  }

  void forget(const std::string& text) {
    for (std::string& item : items_in(text)) removed_items_.insert(std::move(item));
    for (const size_t marker : markers_in(text)) deleted_.insert(marker);
  }

  void delete_file(Device& device, const std::string& path) {
    forget(*device.disk().read(path));
    device.user_deletes(path);
  }

  void clear(Device& device, const std::string& path) {
    forget(*device.disk().read(path));
    device.user_writes(path, "");
  }

  void delete_line(Device& device, Random& random, const std::string& path) {
    std::string text = *device.disk().read(path);
    const size_t first = text.find('<');
    const size_t begin = line_start(text, random.below(text.size() + 1));
    if (first == std::string::npos || begin <= first || begin >= text.size()) return;
    const size_t end = line_start(text, begin);
    forget(text.substr(begin, end - begin));
    text.erase(begin, end - begin);
    device.user_writes(path, text);
  }

  void save_by_renaming(Device& device, const std::string& path) {
    // As many editors do: a temporary file takes the place of the old one. The watcher sees a changed file.
    const std::string text = *device.disk().read(path);
    const std::optional<size_t> home = home_of(text);
    device.user_writes(path + ".tmp", text + (home ? fresh_line(home) : fresh_line()));
    const std::string fresh = *device.disk().read(path + ".tmp");
    device.user_deletes(path + ".tmp");
    device.user_writes(path, fresh);
  }

  void insert_line(Device& device, Random& random, const std::string& path, bool slowly) {
    std::string text = *device.disk().read(path);
    const size_t first = text.find('<');
    size_t at = line_start(text, random.below(text.size() + 1));
    if (first != std::string::npos) at = std::max(at, line_start(text, first));
    at = std::max(at, sync::split_frontmatter(text).head.size());
    text.insert(at, fresh_line(home_of(text)));
    if (slowly && sync::split_frontmatter(text).head.size() < text.size() / 2) {
      // If somebody renames or writes the file between the halves, the second has no place.
      const size_t newline = text.rfind('\n', text.size() / 2);
      forget(newline == std::string::npos ? text : text.substr(newline));
      device.user_writes_slowly(path, text);
    } else {
      device.user_writes(path, text);
    }
  }

  /// The start of the line behind `near`.
  static size_t line_start(const std::string& text, size_t near) {
    const size_t newline = text.find('\n', near);
    return newline == std::string::npos ? text.size() : newline + 1;
  }

  World& world_;
  Mix mix_;
  uint64_t next_file_ = 0;
  std::vector<size_t> homes_;  // per marker: the first marker of the file it was typed into
  std::set<size_t> deleted_;
  struct Picture {
    std::string file{};
    bool was_left = false;  // deleted, or replaced by whoever had it before them
    bool is_gone = false;  // so that it may not come back
  };
  std::map<std::string, std::string> files_;  // by a later name
  std::map<std::string, size_t> renames_;  // by file
  std::map<std::string, Picture> pictures_;  // by what is in it, which is like nothing else
  std::map<size_t, std::string> backups_;  // by the first marker of the file
  std::set<std::string> values_{"T", "2026-01-01T00:00:00Z"};  // that somebody gave a field
  std::vector<std::string> items_;
  std::set<std::string> removed_items_;
};

/// Every seed has a surrounding of its own: some faults often, some never.
WorldOptions surroundings(uint64_t seed, Network network) {
  Random random(seed * 0x9e3779b97f4a7c15ull + 1);
  WorldOptions options{.devices = 2 + random.below(3), .max_delay_ms = static_cast<int64_t>(1 + random.below(80))};
  if (random.chance(0.4)) {
    const sync::DiskTraits linux_disk{};
    const sync::DiskTraits mac{.case_insensitive = true, .normalising = true};
    const sync::DiskTraits windows{.case_insensitive = true, .windows_names = true};
    options.disks = {linux_disk, mac, windows};
  }
  if (network == Network::Good) return options;
  const auto sometimes = [&](double chance) { return random.chance(0.6) ? chance * random.chance(0.5) + chance : 0; };
  options.cut = sometimes(0.006);
  options.device_crash = sometimes(0.003);
  options.crash_in_batch = sometimes(0.004);
  options.server_crash = sometimes(0.002);
  options.slow_disk = sometimes(0.2);
  options.disk_full = sometimes(0.003);
  options.reorder = sometimes(0.1);
  options.duplicate = sometimes(0.02);
  options.backup = sometimes(0.01);
  options.rollback = sometimes(0.002);
  options.clock_jump = sometimes(0.002);
  options.late_answer = sometimes(0.1);
  options.torn_write = sometimes(0.5);
  options.torn_message = sometimes(0.3);
  return options;
}

std::string after_healing(World& world, const People& people, const std::string& when) {
  if (!world.run_until_quiet()) return when + ": the devices did not come to rest";
  if (std::string difference = world.first_difference(); !difference.empty()) return when + ": " + difference;
  if (std::string complaint = people.complaint(); !complaint.empty()) return when + ": " + complaint;
  if (std::string complaint = people.frontmatter_complaint(); !complaint.empty()) return when + ": " + complaint;
  if (std::string complaint = people.picture_complaint(); !complaint.empty()) return when + ": " + complaint;
  if (world.figures().outside_root != 0) return when + ": a path outside the root was to be touched";
  const uint64_t frames = world.figures().frames;
  for (int i = 0; i < 50; ++i) world.step();
  if (world.figures().frames != frames) return when + ": messages go on though nothing happens";
  return {};
}

}  // namespace

std::string_view name_of(Mix mix) {
  switch (mix) {
    case Mix::Everyday: return "everyday";
    case Mix::Everything: return "everything";
    case Mix::Rough: return "rough";
    case Mix::Late: return "late";
    case Mix::Attachments: return "attachments";
  }
  return {};
}

Outcome run_seed(uint64_t seed, Network network, Mix mix) {
  WorldOptions options = surroundings(seed, network);
  if (mix == Mix::Late && network == Network::Bad) options.late_move = 0.6;
  if (mix == Mix::Attachments && network == Network::Bad) options.slow_fetch = 0.5;
  World world{seed, options};
  People people{world, mix};
  Random& random = world.random();
  const auto step = [&](uint64_t count) {
    for (; count > 0; --count) world.step();
  };
  people.import_everywhere();
  if (std::string failure = after_healing(world, people, "after the import"); !failure.empty()) {
    return Outcome{.failure = std::move(failure), .figures = world.figures()};
  }
  world.set_faults(options);
  for (int i = 0; i < kEdits; ++i) {
    people.edit_once();
    step(random.below(12));
    if (random.chance(0.05)) world.device(random.below(world.size())).go_offline();
    if (random.chance(0.05)) world.device(random.below(world.size())).go_online();
  }
  Outcome outcome{.failure = after_healing(world, people, "after the edits")};
  if (outcome.failure.empty()) {
    world.set_faults(options);
    const std::set<size_t> gone = people.delete_some();
    step(40);
    outcome.failure = after_healing(world, people, "after the deletions");
    std::string all;
    for (const auto& [path, bytes] : world.device(0).disk().files()) all += bytes;
    for (const size_t marker : gone) {
      const std::string name = name_of(marker);
      if (outcome.failure.empty() && occurrences(all, name) != 0) {
        outcome.failure = "the deleted file of " + name + " came back";
      }
    }
  }
  outcome.figures = world.figures();
  outcome.edits = people.edits();
  outcome.files = world.device(0).disk().files().size();
  outcome.stored_updates = world.server().stored_updates();
  if (outcome.failure.empty() && outcome.figures.frames > kMaxFramesPerEdit * kEdits) {
    outcome.failure = std::to_string(outcome.figures.frames) + " messages for " + std::to_string(kEdits) + " edits";
  }
  if (outcome.failure.empty() && outcome.figures.largest_frame > kMaxFrameBytes) {
    outcome.failure = "a message of " + std::to_string(outcome.figures.largest_frame) + " bytes";
  }
  return outcome;
}

}  // namespace diaryx::testing
