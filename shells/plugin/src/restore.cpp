#include "restore.h"

#include <set>

#include "diaryx/sync/head_text.h"
#include "diaryx/sync/history_diff.h"
#include "document_tools.h"
#include "entropy.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kJoinedRecord = "joined";
constexpr size_t kIdDigits = 32;

std::string new_id() { return fresh_bits().hex().substr(0, kIdDigits); }

std::string past_text(const std::optional<Bytes>& state, std::string_view root) {
  return state ? document_of(*state).text(root).to_string() : std::string();
}

std::string past_head(const std::optional<Bytes>& state) {
  if (!state) return {};
  crdt::Doc doc = document_of(*state);
  return sync::HeadText(doc).to_string();
}

void restore_document(Guest& guest, const sync::History& history, const std::string& path, sync::HistoryPoint point,
                      const std::string& id) {
  const Origin origin{sync::HistoryOrigin::Restore, id};
  const auto state = history.body_state_at(path, point);
  const auto edit_body = [&](crdt::Doc& doc, crdt::Transaction& txn) {
    sync::HeadText(doc).set(txn, past_head(state));
    replace_text(doc.text("body"), txn, past_text(state, "body"));
  };
  if (state) edit_document(*guest.session(), std::string(kBodyPrefix) + path, edit_body, origin);
  std::optional<sync::FileMetadata> entry = history.metadata_at(path, point);
  if (!entry) {
    entry = history.metadata_at(path, sync::kHistoryNow);
    if (!entry) return;
    entry->deleted = true;
  }
  const auto edit_entry = [&](crdt::Doc& doc, crdt::Transaction& txn) { set_entry(doc, txn, path, *entry); };
  edit_document(*guest.session(), kWorkspaceDoc, edit_entry, origin);
}

}  // namespace

Restored carry_out(Guest& guest, const sync::History& history, const sync::RestoreChoice& choice,
                   const sync::RestorePlan& plan) {
  Restored restored;
  const bool has_files = guest.session()->options().write_files;
  if (has_files && guest.journal().records().contains(std::string(kJoinedRecord))) {
    if (plan.files.empty()) return restored;
    restored.id = new_id();
    restored.problems = guest.session()->restore({.files = plan.files, .id = restored.id});
    return restored;
  }
  if (choice.point < history.first()) return restored;
  std::set<std::string> paths;
  for (const sync::RestoreFile& file : plan.files) paths.insert(file.path);
  for (const sync::FileDiff& diff : sync::metadata_changes(history, choice.point, sync::kHistoryNow)) {
    if (sync::is_chosen(diff.path, choice.paths)) paths.insert(diff.path);
  }
  if (paths.empty()) return restored;
  if (!choice.hunks.empty()) {
    restored.problems.emplace_back("A single change can be brought back once this workspace has met its server.");
    return restored;
  }
  restored.id = new_id();
  for (const std::string& path : paths) restore_document(guest, history, path, choice.point, restored.id);
  return restored;
}

}  // namespace diaryx::plugin
