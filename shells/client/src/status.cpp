#include "status.h"

#include <algorithm>

#include "diaryx/sync/path.h"
#include "said.h"

namespace diaryx::client {

namespace {

/// A status names this many held files, and conflict copies; the numbers count all.
constexpr size_t kMaxListed = 1000;

struct PendingWord {
  const char* member;
  const char* singular;
  const char* plural;
};
constexpr PendingWord kPendingWords[] = {
    {"uploads", "upload", "uploads"},
    {"downloads", "download", "downloads"},
    {"writes", "file to write here", "files to write here"},
    {"unsaved_documents", "edited note that the server has not confirmed",
     "edited notes that the server has not confirmed"},
    {"unanswered_documents", "note to compare with the server", "notes to compare with the server"},
    {"unreadable_files", "file that cannot be read", "files that cannot be read"},
};

}  // namespace

bool is_conflict_copy(std::string_view path) {
  constexpr std::string_view kMark = " (conflict ";
  constexpr size_t kDigits = 8;
  const std::string_view name = sync::stem(path);
  if (name.size() < kMark.size() + kDigits + 1 || !name.ends_with(')')) return false;
  const std::string_view digits = name.substr(name.size() - kDigits - 1, kDigits);
  if (!name.substr(0, name.size() - kDigits - 1).ends_with(kMark)) return false;
  return std::all_of(digits.begin(), digits.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string describe_pending(const Json& pending) {
  std::string text;
  for (const PendingWord& word : kPendingWords) {
    const int64_t count = pending.integer_member(word.member).value_or(0);
    if (count == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::to_string(count) + " " + (count == 1 ? word.singular : word.plural);
  }
  return text.empty() ? "nothing" : text;
}

Json describe_state(const Output& said, const sync::Replica& replica, const native::DigestCache& digests,
                    int64_t last_synced_ms, size_t unreadable) {
  const sync::ReplicaStatus status = replica.status();
  uint64_t bytes = 0;
  uint64_t conflicts = 0;
  Json copies = Json::array();
  for (const auto& [path, known] : digests.entries()) {
    bytes += known.stamp.size_bytes;
    if (is_conflict_copy(path) && conflicts++ < kMaxListed) copies.push(path);
  }
  Json pending = Json::object();
  pending.set("uploads", status.uploads)
      .set("downloads", status.downloads)
      .set("writes", status.pending_writes)
      .set("unanswered_documents", status.waiting_documents)
      .set("unsaved_documents", status.unsaved_documents)
      .set("unreadable_files", uint64_t(unreadable));
  Json json = Json::object();
  json.set("state", said.last_state())
      .set("files", status.files)
      .set("bytes", bytes)
      .set("pending", std::move(pending))
      .set("conflicts", conflicts)
      .set("conflict_copies", std::move(copies))
      .set("last_synced_ms", last_synced_ms > 0 ? Json(last_synced_ms) : Json());
  if (!said.last_reason().empty()) json.set("message", said.last_reason());
  if (!said.last_problem().empty()) json.set("last_problem", said.last_problem());
  if (status.held_outgoing + status.held_incoming > 0) {
    Json list = Json::array();
    for (const sync::HeldChange& change : replica.held()) {
      if (list.as_array()->size() == kMaxListed) break;
      Json file = Json::object();
      file.set("path", change.path)
          .set("direction", change.direction == sync::HeldChange::Direction::Outgoing ? "outgoing" : "incoming")
          .set("kind", change.kind == sync::HeldChange::Kind::Deletion ? "deletion" : "truncation");
      list.push(std::move(file));
    }
    Json held = Json::object();
    held.set("outgoing", status.held_outgoing).set("incoming", status.held_incoming).set("files", std::move(list));
    json.set("held", std::move(held));
  }
  return json;
}

std::string describe_held(const sync::MassChangeHeld& held, std::string_view folder) {
  const bool here = held.direction == sync::HeldChange::Direction::Outgoing;
  std::string what;
  if (held.deletions > 0) {
    what = std::to_string(held.deletions) + " of " + std::to_string(held.files) +
           (here ? " files are missing from this folder" : " files were deleted on another device");
  }
  if (held.truncations > 0) {
    if (!what.empty()) what += " and ";
    what += std::to_string(held.truncations) + (here ? " have lost their text here" : " lost their text there");
  }
  const std::string name = as_argument(folder);
  return what + (here ? "; nothing was deleted elsewhere" : "; nothing was deleted here") +
         ". If that was meant, type: diaryx-sync release " + name + "; to bring it all back: diaryx-sync undo " + name;
}

}  // namespace diaryx::client
