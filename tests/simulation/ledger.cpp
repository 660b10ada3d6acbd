#include "ledger.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/testing/random.h"

namespace diaryx::testing {
namespace {

constexpr std::string_view kItem = "item-";
constexpr size_t kItemSize = 12;  // of `item-0012.md`

std::string four_digits(size_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
  return digits;
}

/// A word that no other line has. Lines of people differ in more than a number; a line that was deleted and one that was typed
/// in its place would be one changed line otherwise.
std::string word_of(uint64_t seed) {
  Random random(seed);
  std::string word;
  for (int i = 0; i < 7; ++i) word += static_cast<char>('a' + random.below(26));
  return word;
}

std::vector<std::string> items_in(std::string_view text) {
  std::vector<std::string> found;
  for (size_t at = text.find(kItem); at != std::string_view::npos; at = text.find(kItem, at + 1)) {
    found.emplace_back(text.substr(at, kItemSize));
  }
  return found;
}

/// What is in `all` and not in `kept`.
template <typename T>
std::vector<T> without(std::vector<T> all, const std::vector<T>& kept) {
  std::erase_if(all, [&](const T& each) { return std::ranges::find(kept, each) != kept.end(); });
  return all;
}

}  // namespace

std::string text_of(size_t marker) { return "<" + four_digits(marker) + ">"; }

std::vector<size_t> markers_in(std::string_view text) {
  std::vector<size_t> found;
  for (size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    const size_t end = text.find('>', at);
    if (end == std::string_view::npos) break;
    const std::string digits(text.substr(at + 1, end - at - 1));
    if (!digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos) {
      found.push_back(std::stoul(digits));
    }
  }
  return found;
}

std::optional<size_t> home_of(std::string_view text) {
  const std::vector<size_t> markers = markers_in(text);
  return markers.empty() ? std::nullopt : std::optional(markers.front());
}

std::string Ledger::fresh_line(std::optional<size_t> home) {
  const size_t marker = homes_.size();
  homes_.push_back(home.value_or(marker));
  return text_of(marker) + " " + word_of(2 * marker) + "é😀" + word_of(2 * marker + 1) + "\n";
}

std::string Ledger::fresh_value() {
  std::string value = "v" + std::to_string(values_.size());
  values_.insert(value);
  return value;
}

std::string Ledger::fresh_date() {
  std::string date = "2026-02-" + std::to_string(10 + values_.size() % 18) + "T00:00:00Z";
  values_.insert(date);
  return date;
}

std::string Ledger::fresh_item() {
  items_.push_back(std::string(kItem) + four_digits(items_.size()) + ".md");
  return items_.back();
}

std::string Ledger::fresh_picture(const std::string& path) {
  std::string bytes = "picture " + std::to_string(pictures_.size()) + " of " + word_of(pictures_.size());
  pictures_.emplace(bytes, Picture{.file = first_name_of(path)});
  return bytes;
}

void Ledger::rename_picture(const std::string& from, const std::string& to) {
  const std::string file = first_name_of(from);
  ++renames_[file];
  first_names_.emplace(to, file);
}

void Ledger::leave_picture(const std::string& bytes, Known known) {
  Picture& picture = pictures_[bytes];
  picture.was_left = true;
  if (known == Known::Yes) picture.is_gone = true;
}

std::string Ledger::first_name_of(const std::string& path) const {
  const size_t copy = path.find(" (conflict ");
  const std::string name = copy == std::string::npos ? path : path.substr(0, copy) + ".png";
  const auto renamed = first_names_.find(name);
  return renamed == first_names_.end() ? name : renamed->second;
}

void Ledger::forget(std::string_view text, std::string_view kept) {
  for (const size_t marker : without(markers_in(text), markers_in(kept))) deleted_.insert(marker);
  for (std::string& item : without(items_in(text), items_in(kept))) removed_items_.insert(std::move(item));
}

void Ledger::forget_items(std::string_view text) {
  for (std::string& item : items_in(text)) removed_items_.insert(std::move(item));
}

std::string Ledger::complaint(const FakeDisk::Files& files) const {
  if (std::string complaint = complaint_of_lines(files); !complaint.empty()) return complaint;
  if (std::string complaint = complaint_of_frontmatter(files); !complaint.empty()) return complaint;
  return complaint_of_pictures(files);
}

std::string Ledger::complaint_of_lines(const FakeDisk::Files& files) const {
  std::map<size_t, std::vector<std::string>> places;
  for (const auto& [path, bytes] : files) {
    for (const size_t marker : markers_in(bytes)) places[marker].push_back(path);
  }
  for (size_t marker = 0; marker < homes_.size(); ++marker) {
    const auto found = places.find(marker);
    const std::string name = text_of(marker);
    if (found == places.end()) {
      if (!deleted_.contains(marker)) return name + " is lost";
      continue;
    }
    if (found->second.size() > 1) return name + " is doubled: " + found->second[0] + ", " + found->second[1];
    // In the file that it was typed into, if that is still known by its first line.
    const size_t home = homes_[marker];
    const auto first = places.find(home);
    if (home == marker || first == places.end() || first->second[0] == found->second[0]) continue;
    return name + " was typed into the file of " + text_of(home) + ", " + first->second[0] + ", and is in " +
           found->second[0];
  }
  return {};
}

std::string Ledger::complaint_of_frontmatter(const FakeDisk::Files& files) const {
  std::map<std::string, std::string> places;
  for (const auto& [path, bytes] : files) {
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

std::string Ledger::complaint_of_pictures(const FakeDisk::Files& files) const {
  std::map<std::string, std::vector<std::string>> places;
  for (const auto& [path, bytes] : files) {
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

}  // namespace diaryx::testing
