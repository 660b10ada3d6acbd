// Edits that the server makes itself: ordinary transactions on the live document, so that nobody's memory is overtaken.
#include "diaryx/sync/head_text.h"
#include "diaryx/sync/text_diff.h"
#include "machine.h"
#include "roots.h"

namespace diaryx::sync::relay {
namespace {

/// Brings a text to `wanted` by the smallest edits, so that concurrent changes elsewhere in it survive.
Result<void> reach(crdt::Transaction& txn, crdt::Text text, const std::string& wanted) {
  const std::vector<TextEdit> edits = diff_text(text.to_string(), wanted);
  // Positions count in the old text: from the last to the first they stay true.
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    if (edit->erased > Length{}) DX_TRY_VOID(text.erase(txn, edit->at, edit->erased));
    if (!edit->inserted.empty()) DX_TRY_VOID(text.insert(txn, edit->at, edit->inserted));
  }
  return {};
}

Result<crdt::Commit> perform(crdt::Doc& doc, const ServerEdit& edit) {
  const auto origin =
      edit.origin == UpdateOrigin::Restore ? crdt::TransactionOrigin::Restore : crdt::TransactionOrigin::Import;
  if (!edit.seed.empty() && doc.is_empty() && !doc.has_pending()) return doc.apply_update_v1(edit.seed, origin);
  if (!edit.update.empty()) return doc.apply_update_v1(edit.update, origin);
  std::vector<crdt::Text> texts;  // roots are declared before the transaction is opened
  for (const SetText& set : edit.texts) texts.push_back(doc.text(set.root));
  HeadText head(doc);
  std::vector<crdt::Map> maps;
  for (const SetEntry& set : edit.entries) maps.push_back(doc.map(set.root));

  crdt::Transaction txn = doc.transact(origin);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (edit.texts[i].root == kHeadRoot) {
      head.set(txn, edit.texts[i].value);
    } else {
      DX_TRY_VOID(reach(txn, texts[i], edit.texts[i].value));
    }
  }
  for (size_t i = 0; i < maps.size(); ++i) {
    const SetEntry& set = edit.entries[i];
    if (maps[i].get_string(set.key) == set.value) continue;
    maps[i].set(txn, set.key, crdt::Any::string(set.value));
  }
  return std::move(txn).commit();
}

}  // namespace

Ticket Machine::edit(ServerEdit edit, TimestampMs now, std::vector<Action>& out) {
  now_ = now;
  out_ = &out;
  const Ticket ticket = next_ticket();
  Room& edited = room_for(std::make_shared<const DocId>(edit.document));
  PendingEdit pending{ticket, std::move(edit)};
  if (edited.life == Life::Open) {
    apply_edit(edited, std::move(pending));
    finish_append();
    settle_awoken();
    end_idle(edited);  // whoever asked looks at it next
    note_if_idle(edited);
  } else {
    edited.edits.push_back(std::move(pending));
  }
  unload_beyond_limit();
  out_ = nullptr;
  return ticket;
}

void Machine::apply_edit(Room& room, PendingEdit pending) {
  const ServerEdit& edit = pending.edit;
  const bool loads_only = edit.seed.empty() && edit.update.empty() && edit.texts.empty() && edit.entries.empty();
  if (loads_only) return send(room, EditFinished{pending.ticket, true});
  crdt::Doc& doc = work_on(room);
  if (doc.client_is_taken()) doc.set_client(next_client());
  const auto commit = perform(doc, edit);
  if (!commit) {
    // Refused input of the server's own (a text that is not UTF-8): the caller checks before, so nothing was stored.
    out_->push_back(EditFinished{pending.ticket, false});
    return;
  }
  if (commit->changed()) {
    auto stored = std::make_shared<const Bytes>(commit->update_v1());
    note_growth(room, stored->size());
    append(room, std::move(stored), ConnectionId{}, edit.user_id, edit.device_id, edit.origin);
    room.manifest.reset();
    room.answer.reset();
  }
  send(room, EditFinished{pending.ticket, true});
}

}  // namespace diaryx::sync::relay
