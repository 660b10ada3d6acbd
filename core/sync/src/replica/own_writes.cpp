#include "replica/own_writes.h"

#include <functional>
#include <utility>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/text_diff.h"

namespace diaryx::sync {
namespace {

size_t changed_bytes(std::string_view before, std::string_view after) {
  size_t changed = 0;
  for (const TextEdit& edit : diff_text(before, after)) changed += edit.erased_bytes + edit.inserted.size();
  return changed;
}

bool is_blob(const OwnWrite& write) { return write.kind == FileRecord::Kind::Blob; }

}  // namespace

// --- what is stored ---------------------------------------------------------------------------------------------

// A line for each write: 64 hex digits; of a text an `@` and the id of its file, and a `#` with its units.

Result<void> OwnWrites::restore(const std::string& path, std::string_view value) {
  while (!value.empty()) {
    const std::string_view line = value.substr(0, value.find('\n'));
    value.remove_prefix(std::min(line.size() + 1, value.size()));
    const size_t units = line.find('#');
    const bool is_text = units != std::string_view::npos;
    DX_TRY(FileRecord said, FileRecord::decode(std::string("t").append(line.substr(0, units))));
    put(path, OwnWrite{.hash = said.hash,
                       .file_id = std::move(said.file_id),
                       .units = std::string(is_text ? line.substr(units + 1) : std::string_view()),
                       .kind = is_text ? FileRecord::Kind::Text : FileRecord::Kind::Blob});
  }
  return {};
}

PersistRecord OwnWrites::record(const std::string& path) const {
  std::string value;
  for (const OwnWrite& write : of(path)) {
    if (!value.empty()) value += '\n';
    value += write.hash.hex();
    if (!write.file_id.empty()) value.append("@").append(write.file_id);
    if (!is_blob(write)) value.append("#").append(write.units);
  }
  return {std::string(kWritingPrefix).append(path), std::move(value)};
}

// --- questions --------------------------------------------------------------------------------------------------

const OwnWrites::Writes& OwnWrites::of(const std::string& path) const {
  static const Writes kNone;
  const auto writes = by_path_.find(path);
  return writes == by_path_.end() ? kNone : writes->second;
}

bool OwnWrites::is_under_way(const std::string& path) const {
  return std::ranges::any_of(of(path), &OwnWrite::is_under_way);
}

bool OwnWrites::is_fetch_under_way(const std::string& path) const {
  return std::ranges::any_of(of(path), [](const OwnWrite& write) { return write.is_under_way() && is_blob(write); });
}

bool OwnWrites::is_in_doubt(const std::string& path) const {
  return !std::ranges::all_of(of(path), &OwnWrite::is_under_way);
}

const OwnWrite* OwnWrites::find(const std::string& path, const Sha256& hash) const {
  const Writes& writes = of(path);
  const auto found = std::ranges::find(writes, hash, &OwnWrite::hash);
  return found == writes.end() ? nullptr : &*found;
}

const OwnWrite* OwnWrites::likely(const std::string& path, std::string_view base, std::string_view edited,
                                  Likeness likeness) const {
  const Writes& writes = of(path);
  if (writes.empty()) return nullptr;
  const auto compared = [likeness](std::string_view text) {
    return likeness == Likeness::OfBodies ? split_frontmatter(text).body : text;
  };
  const OwnWrite* best = nullptr;
  const std::string_view older = compared(base);
  const std::string_view newer = compared(edited);
  size_t least = changed_bytes(older, newer);
  for (const OwnWrite& write : writes) {
    if (write.text.empty()) continue;
    const std::string_view text = compared(write.text);
    const size_t changed = changed_bytes(text, newer);
    if (changed > least || (changed == least && text != older)) continue;
    best = &write;
    least = changed;
  }
  return best;
}

std::vector<std::string> OwnWrites::heads(const std::string& path, std::string_view file_id,
                                          std::string_view base) const {
  // Blocks of frontmatter are much alike, whoever writes them, so likeness does not tell of which of them an edit was made: whether
  // a field that is missing was taken out, or never was on this disk.
  const Writes& writes = of(path);
  if (writes.empty()) return {};
  std::vector<std::string> found{std::string(split_frontmatter(base).head)};
  for (const OwnWrite& write : writes) {
    if (write.file_id == file_id && !write.text.empty()) found.emplace_back(split_frontmatter(write.text).head);
  }
  return found;
}

// --- changes ----------------------------------------------------------------------------------------------------

OwnWrites::Writes OwnWrites::take(const std::string& path, Writes::const_iterator first, Writes::const_iterator last) {
  Writes taken;
  if (first == last) return taken;
  const auto there = by_path_.find(path);
  Writes left;
  for (auto write = there->second.begin(); write != there->second.end(); ++write) {
    (first <= write && write < last ? taken : left).push_back(std::move(*write));
  }
  there->second = std::move(left);
  if (there->second.empty()) by_path_.erase(there);
  return taken;
}

void OwnWrites::put(const std::string& path, OwnWrite write) { by_path_[path].push_back(std::move(write)); }

void OwnWrites::note_answer(const std::string& path, Ticket ticket) {
  const auto writes = by_path_.find(path);
  if (writes == by_path_.end()) return;
  const auto answered = std::ranges::find(writes->second, ticket, &OwnWrite::ticket);
  if (answered != writes->second.end()) answered->ticket = {};
}

bool OwnWrites::refuse(const std::string& path, Ticket ticket, bool in_doubt) {
  const Writes& writes = of(path);
  const auto refused = std::ranges::find(writes, ticket, &OwnWrite::ticket);
  if (refused == writes.end()) return false;
  const auto is_same_doubt = [&](const OwnWrite& write) {
    return !write.is_under_way() && write.hash == refused->hash;
  };
  if (!in_doubt || std::ranges::any_of(writes, is_same_doubt)) return !take(path, refused, refused + 1).empty();
  note_answer(path, ticket);
  return false;
}

bool OwnWrites::cancel_fetch(const std::string& path, const Sha256& hash) {
  const Writes& writes = of(path);
  const auto fetch = std::ranges::find_if(
      writes, [&](const OwnWrite& write) { return write.is_under_way() && is_blob(write) && write.hash == hash; });
  if (fetch == writes.end()) return false;
  take(path, fetch, fetch + 1);
  return true;
}

OwnWrites::Writes OwnWrites::note_done(const std::string& path, const Sha256& hash) {
  const Writes& writes = of(path);
  return take(path, writes.begin(), std::ranges::find(writes.rbegin(), writes.rend(), hash, &OwnWrite::hash).base());
}

bool OwnWrites::forget_doubtful(const std::string& path) {
  const auto writes = by_path_.find(path);
  if (writes == by_path_.end() || std::erase_if(writes->second, std::not_fn(&OwnWrite::is_under_way)) == 0)
    return false;
  if (writes->second.empty()) by_path_.erase(writes);
  return true;
}

void OwnWrites::move(const std::string& from, const std::string& to) {
  const auto found = by_path_.find(from);
  if (found == by_path_.end()) return;
  Writes writes = std::move(found->second);
  by_path_.erase(found);
  by_path_.insert_or_assign(to, std::move(writes));
}

}  // namespace diaryx::sync
