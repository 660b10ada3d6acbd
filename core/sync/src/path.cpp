#include "diaryx/sync/path.h"

#include <algorithm>
#include <array>
#include <vector>

#include "diaryx/base/utf.h"

namespace diaryx::sync {
namespace {

constexpr char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_folded(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) { return fold(x) == y; });
}

bool ends_with_folded(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && equal_folded(text.substr(text.size() - lower.size()), lower);
}

// Calls `visit` with each component until it returns false.
template <typename Visit>
bool all_components(std::string_view path, Visit visit) {
  for (size_t begin = 0;;) {
    const size_t slash = path.find('/', begin);
    if (!visit(path.substr(begin, slash == std::string_view::npos ? slash : slash - begin))) return false;
    if (slash == std::string_view::npos) return true;
    begin = slash + 1;
  }
}

bool is_control(std::string_view text, size_t at) {
  const auto byte = static_cast<uint8_t>(text[at]);
  if (byte < 0x20 || byte == 0x7f) return true;
  // U+0080 to U+009F, the second block of control characters, is c2 80 to c2 9f.
  return byte == 0xc2 && at + 1 < text.size() && static_cast<uint8_t>(text[at + 1]) < 0xa0;
}

// Windows takes these names for devices in every folder, whatever extension or trailing spaces follow.
bool is_device_name(std::string_view component) {
  std::string_view name = component.substr(0, component.find('.'));
  while (name.ends_with(' ')) name.remove_suffix(1);
  constexpr std::array<std::string_view, 6> kFixed{"con", "prn", "aux", "nul", "conin$", "conout$"};
  if (std::any_of(kFixed.begin(), kFixed.end(), [&](auto fixed) { return equal_folded(name, fixed); })) return true;
  if (name.size() < 4 || (!equal_folded(name.substr(0, 3), "com") && !equal_folded(name.substr(0, 3), "lpt")))
    return false;
  const std::string_view digit = name.substr(3);
  if (digit.size() == 1) return digit[0] >= '1' && digit[0] <= '9';
  return digit == "\u00b9" || digit == "\u00b2" || digit == "\u00b3";  // superscript digits count as digits there
}

PathProblem check_component(std::string_view component) {
  if (component.empty()) return PathProblem::EmptyComponent;
  if (component == ".") return PathProblem::DotComponent;
  if (component == "..") return PathProblem::ParentStep;
  // Windows drops trailing dots and spaces, so that `.. ` and `...` may climb there.
  if (component.find_first_not_of(". ") == std::string_view::npos) return PathProblem::ParentStep;
  if (is_device_name(component)) return PathProblem::DeviceName;
  return PathProblem::Fine;
}

// Characters that some file systems leave out when they compare names.
bool is_ignorable(char32_t c) {
  return (c >= 0x200c && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x206a && c <= 0x206f) || c == 0xfeff;
}

// A component as the most forgiving file system would compare it.
std::string undisguised(std::string_view component) {
  std::string plain;
  for (size_t at = 0; at < component.size();) {
    const size_t size = std::min<size_t>(utf8_sequence_length(component[at]), component.size() - at);
    const std::string_view character = component.substr(at, size);
    at += size;
    if (size > 1 && is_valid_utf8(character) && is_ignorable(scalar_at(character, 0))) continue;
    for (const char c : character) plain.push_back(fold(c));
  }
  while (plain.ends_with('.') || plain.ends_with(' ')) plain.pop_back();
  return plain;
}

bool is_private_folder(std::string_view component) {
  const std::string plain = undisguised(component);
  return plain == ".diaryx" || plain == ".git" || plain == "git~1" || plain == "diaryx~1" || plain == "__macosx";
}

bool is_junk_name(std::string_view name) {
  return equal_folded(name, ".ds_store") || equal_folded(name, "thumbs.db") || equal_folded(name, "desktop.ini");
}

// ` (conflict 1a2b3c4d)` at the end of a stem, if it is there.
std::string_view without_conflict_mark(std::string_view name_stem) {
  constexpr std::string_view kOpening = " (conflict ";
  constexpr size_t kDigits = 8;
  if (name_stem.size() <= kOpening.size() + kDigits + 1 || name_stem.back() != ')') return name_stem;
  const size_t begin = name_stem.size() - (kOpening.size() + kDigits + 1);
  if (name_stem.substr(begin, kOpening.size()) != kOpening) return name_stem;
  const std::string_view digits = name_stem.substr(begin + kOpening.size(), kDigits);
  return digits.find_first_not_of("0123456789abcdef") == std::string_view::npos ? name_stem.substr(0, begin)
                                                                                : name_stem;
}

std::vector<std::string_view> split_components(std::string_view path) {
  std::vector<std::string_view> parts;
  if (path.empty()) return parts;
  all_components(path, [&](std::string_view part) {
    parts.push_back(part);
    return true;
  });
  return parts;
}

}  // namespace

std::string_view describe(PathProblem problem) {
  switch (problem) {
    case PathProblem::Fine: return "the path is fine";
    case PathProblem::Empty: return "the path is empty; give the file a name";
    case PathProblem::TooLong: return "the path is longer than 213 bytes; shorten the file or folder names";
    case PathProblem::NotUtf8: return "the name is not valid UTF-8; rename the file";
    case PathProblem::ControlCharacter: return "the name holds a control character; rename the file";
    case PathProblem::Absolute: return "the path is absolute; use one relative to the workspace folder";
    case PathProblem::DriveLetter:
      return "the path starts with a drive letter; use one relative to the workspace folder";
    case PathProblem::Backslash: return "the name holds a backslash, which is a separator elsewhere; rename the file";
    case PathProblem::EmptyComponent: return "the path has an empty folder or file name; remove the doubled slash";
    case PathProblem::DotComponent: return "the path holds a \".\" step; remove it";
    case PathProblem::ParentStep: return "the path holds a \"..\" step, which could leave the workspace; remove it";
    case PathProblem::DeviceName: return "the name is reserved for a device by Windows; rename the file";
  }
  return "the path is not usable";
}

std::string normalize_key(std::string_view raw) {
  std::string key(raw);
  std::replace(key.begin(), key.end(), '\\', '/');
  size_t begin = 0;
  while (std::string_view(key).substr(begin).starts_with("./")) begin += 2;
  while (begin < key.size() && key[begin] == '/') ++begin;
  return key.substr(begin);
}

PathProblem check_path(std::string_view path) {
  if (path.empty()) return PathProblem::Empty;
  if (path.size() > kMaxKeyBytes) return PathProblem::TooLong;
  if (!is_valid_utf8(path)) return PathProblem::NotUtf8;
  for (size_t i = 0; i < path.size(); ++i)
    if (is_control(path, i)) return PathProblem::ControlCharacter;
  if (path.find('\\') != std::string_view::npos) return PathProblem::Backslash;
  if (path[0] == '/') return PathProblem::Absolute;
  if (path.size() >= 2 && path[1] == ':' && fold(path[0]) >= 'a' && fold(path[0]) <= 'z')
    return PathProblem::DriveLetter;
  PathProblem problem = PathProblem::Fine;
  all_components(path, [&](std::string_view component) {
    problem = check_component(component);
    return problem == PathProblem::Fine;
  });
  return problem;
}

Result<WorkspacePath> parse_path(std::string_view raw) {
  // Normalising only shortens, by what leads; looking first keeps the work on a hostile key of megabytes small.
  if (raw.size() > 4 * kMaxKeyBytes) return fail(ErrorCode::InvalidPath);
  return parse_disk_path(normalize_key(raw));
}

Result<WorkspacePath> parse_disk_path(std::string_view relative) {
  if (check_path(relative) != PathProblem::Fine) return fail(ErrorCode::InvalidPath);
  return WorkspacePath{relative};
}

bool is_carried(std::string_view path) {
  if (path.empty() || is_temporary(path) || is_junk_name(file_name(path))) return false;
  return all_components(path, [](std::string_view component) { return !is_private_folder(component); });
}

bool is_temporary(std::string_view path) {
  return ends_with_folded(path, ".tmp") || ends_with_folded(path, ".bak") || ends_with_folded(path, ".swap");
}

bool is_markdown(std::string_view path) {
  const std::string_view name = file_name(path);
  return name.size() > 3 && ends_with_folded(name, ".md");
}

std::string_view file_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view stem(std::string_view path) {
  const std::string_view name = file_name(path);
  return name.substr(0, name.size() - extension(name).size());
}

std::string_view extension(std::string_view path) {
  const std::string_view name = file_name(path);
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view{} : name.substr(dot);
}

std::string_view parent(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string join(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  std::string path(folder);
  path.push_back('/');
  path.append(name);
  return path;
}

std::optional<std::string> resolve(std::string_view folder, std::string_view relative) {
  std::vector<std::string_view> parts;
  if (!relative.starts_with('/')) parts = split_components(folder);
  const bool stayed_inside = all_components(relative, [&](std::string_view part) {
    if (part.empty() || part == ".") return true;
    if (part != "..") {
      parts.push_back(part);
      return true;
    }
    if (parts.empty()) return false;
    parts.pop_back();
    return true;
  });
  if (!stayed_inside) return std::nullopt;
  std::string path;
  for (const std::string_view part : parts) {
    if (!path.empty()) path.push_back('/');
    path.append(part);
  }
  return path;
}

WorkspacePath conflict_copy(const WorkspacePath& path, const Sha256& content) {
  const std::string_view folder = parent(path.view());
  const std::string_view ending = extension(path.view());
  std::string_view name_stem = without_conflict_mark(stem(path.view()));
  const std::string mark = " (conflict " + content.hex().substr(0, 8) + ")";
  const size_t taken = (folder.empty() ? 0 : folder.size() + 1) + mark.size() + ending.size();
  const size_t room = kMaxKeyBytes > taken ? kMaxKeyBytes - taken : 1;
  if (name_stem.size() > room) {
    size_t cut = room;
    while (cut > 0 && is_utf8_continuation(name_stem[cut])) --cut;
    name_stem = name_stem.substr(0, cut);
  }
  return WorkspacePath{join(folder, std::string(name_stem) + mark + std::string(ending))};
}

std::string ascii_fold(std::string_view path) {
  std::string folded(path);
  for (char& c : folded) c = fold(c);
  return folded;
}

}  // namespace diaryx::sync
