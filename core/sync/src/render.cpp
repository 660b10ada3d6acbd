#include "diaryx/sync/render.h"

#include <algorithm>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/links.h"
#include "diaryx/sync/path.h"

namespace diaryx::sync {
namespace {

// Keys of a file that have their own member: never written from `extra`, where careless peers put them too (T15).
// `deleted` is among them because a file that says `deleted: true` would tombstone itself when it is read.
bool is_reserved(std::string_view key) {
  constexpr std::string_view kReserved[] = {"title",       "part_of",     "contents", "audience",
                                            "description", "attachments", "updated",  "deleted"};
  return key.empty() || key.starts_with('_') || std::ranges::find(kReserved, key) != std::end(kReserved);
}

std::string link_to(const std::string& target) { return format_link(target, title_from_path(target)); }
std::string link_to_attachment(const std::string& target) { return format_link(target, file_name(target)); }

Json to_json(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push(text);
  return list;
}

std::vector<std::string> live_attachments(const FileMetadata& metadata) {
  std::vector<std::string> paths;
  for (const BinaryRef& ref : metadata.attachments)
    if (!ref.deleted) paths.push_back(ref.path);
  return paths;
}

using WriteLink = std::string (*)(const std::string& target);

Json references(const std::vector<std::string>& targets, WriteLink write) {
  Json list = Json::array();
  for (const std::string& target : targets) list.push(write(target));
  return list;
}

// References of the block in their present spelling where it still means the same, else written anew.
Json merged_references(const Json* present, std::string_view path, const std::vector<std::string>& wanted,
                       WriteLink write) {
  std::vector<std::pair<std::string, std::string>> spellings;  // meaning, spelling
  if (present != nullptr && present->is_array())
    for (const Json& item : *present->as_array())
      if (item.is_string()) spellings.emplace_back(canonicalize_reference(*item.as_string(), path), *item.as_string());
  Json list = Json::array();
  for (const std::string& target : wanted) {
    const auto same = std::ranges::find(spellings, target, &std::pair<std::string, std::string>::first);
    list.push(same != spellings.end() ? same->second : write(target));
  }
  return list;
}

void set_or_remove(Frontmatter& front, std::string_view key, const std::optional<std::string>& text) {
  if (text)
    front.set(key, *text);
  else
    front.remove(key);
}

void merge_part_of(Frontmatter& front, const FileMetadata& after, std::string_view path) {
  if (!after.part_of) {
    front.remove("part_of");
    return;
  }
  const Json* const present = front.find("part_of");
  if (present != nullptr && present->is_string() &&
      canonicalize_reference(*present->as_string(), path) == *after.part_of)
    return;
  front.set("part_of", link_to(*after.part_of));
}

void merge_lists(Frontmatter& front, const FileMetadata& before, const FileMetadata& after, std::string_view path) {
  if (before.contents != after.contents) {
    if (after.contents)
      front.set("contents", merged_references(front.find("contents"), path, *after.contents, link_to));
    else
      front.remove("contents");
  }
  if (before.audience != after.audience) {
    if (after.audience && !after.audience->empty())
      front.set("audience", to_json(*after.audience));
    else
      front.remove("audience");
  }
  const std::vector<std::string> attachments = live_attachments(after);
  if (live_attachments(before) != attachments) {
    if (attachments.empty())
      front.remove("attachments");
    else
      front.set("attachments", merged_references(front.find("attachments"), path, attachments, link_to_attachment));
  }
}

const Json* find_member(const Json::Object& object, std::string_view key) {
  const auto member = std::ranges::find(object, key, &Json::Member::key);
  return member == object.end() ? nullptr : &member->value;
}

void merge_extra(Frontmatter& front, const FileMetadata& before, const FileMetadata& after) {
  for (const Json::Member& member : before.extra)
    if (!is_reserved(member.key) && find_member(after.extra, member.key) == nullptr) front.remove(member.key);
  for (const Json::Member& member : after.extra) {
    if (is_reserved(member.key)) continue;
    const Json* const old = find_member(before.extra, member.key);
    if (old == nullptr || *old != member.value) front.set(member.key, member.value);
  }
}

void merge_updated(Frontmatter& front, const FileMetadata& before, const FileMetadata& after) {
  const Json* const present = front.find("updated");
  if (present == nullptr || before.modified_at == after.modified_at) return;
  if (parse_updated(*present) == after.modified_at) return;
  if (present->is_number())
    front.set("updated", after.modified_at.value());
  else
    front.set("updated", format_rfc3339(after.modified_at));
}

}  // namespace

std::string render_head(const FileMetadata& metadata) {
  std::string head = "---\n";
  if (metadata.title) head += emit_entry("title", *metadata.title);
  if (metadata.part_of) head += emit_entry("part_of", link_to(*metadata.part_of));
  if (metadata.contents) head += emit_entry("contents", references(*metadata.contents, link_to));
  if (metadata.audience && !metadata.audience->empty()) head += emit_entry("audience", to_json(*metadata.audience));
  if (metadata.description) head += emit_entry("description", *metadata.description);
  if (const auto attachments = live_attachments(metadata); !attachments.empty())
    head += emit_entry("attachments", references(attachments, link_to_attachment));
  head += emit_entry("updated", format_rfc3339(metadata.modified_at));
  for (const Json::Member& member : metadata.extra)
    if (!is_reserved(member.key)) head += emit_entry(member.key, member.value);
  return head + "---\n";
}

std::string render_file(const FileMetadata& metadata, std::string_view body) {
  std::string text = render_head(metadata);
  text.append(body);
  return text;
}

Result<std::string> merge_into_head(std::string_view head, std::string_view path, const FileMetadata& before,
                                    const FileMetadata& after) {
  DX_TRY(Frontmatter front, Frontmatter::parse(head));
  if (before.title != after.title) set_or_remove(front, "title", after.title);
  if (before.part_of != after.part_of) merge_part_of(front, after, path);
  merge_lists(front, before, after, path);
  if (before.description != after.description) set_or_remove(front, "description", after.description);
  merge_extra(front, before, after);
  merge_updated(front, before, after);
  return front.text();
}

}  // namespace diaryx::sync
