#include "replica/doc_link.h"

#include <algorithm>

#include "diaryx/crdt/update.h"
#include "diaryx/sync/frame.h"

namespace diaryx::sync {
namespace {

Bytes payload(std::initializer_list<Message> messages) {
  Writer out;
  for (const Message& message : messages) write_message(out, message);
  return out.take();
}

}  // namespace

Bytes DocLink::ask(const crdt::Doc& doc, TimestampMs now) {
  asked_ = true;
  asked_at_ = now;
  const Bytes state_vector = doc.state_vector().encode();
  return payload({SyncStep1{state_vector}});
}

Result<Bytes> DocLink::on_step1(const crdt::Doc& doc, ByteView state_vector) {
  DX_TRY(const crdt::StateVector theirs, crdt::StateVector::decode(state_vector));
  const bool has_structs = !theirs.covers(doc.state_vector());
  const Bytes difference = doc.encode_update_v1(theirs);
  const bool first = !can_send_;
  can_send_ = true;
  if (kind_ == Kind::Workspace && first) {
    const Bytes ours = doc.state_vector().encode();
    ++sent_;
    return payload({SyncStep2{difference}, SyncStep1{ours}});
  }
  // A delete set is sent whole, so before repeating it at every reconnect, look whether the server has it.
  if (!has_structs && !answered_) {
    deletions_unsure_ = !doc.delete_set().empty();
    return Bytes{};
  }
  if (is_empty_update(difference)) return Bytes{};
  ++sent_;
  return payload({SyncStep2{difference}});
}

Bytes DocLink::on_step2(const crdt::Doc& doc, ByteView update) {
  answered_ = true;
  if (barrier_) {
    saved_ = std::max(saved_, *barrier_);
    barrier_.reset();
  }
  if (!deletions_unsure_) return {};
  deletions_unsure_ = false;
  const Result<crdt::UpdateSummary> theirs = crdt::summarize_update_v1(update);
  if (theirs && theirs->deletes.covers(doc.delete_set())) return {};
  // Our structs are known there: the difference to our own state is the bare delete set.
  const Bytes deletions = doc.encode_update_v1(doc.state_vector());
  return is_empty_update(deletions) ? Bytes{} : on_local_update(deletions);
}

Bytes DocLink::on_local_update(ByteView update) {
  if (!can_send_ || update.empty()) return {};
  ++sent_;
  return payload({Update{update}});
}

Bytes DocLink::barrier(const crdt::Doc& doc) {
  if (barrier_ || !can_send_ || !answered_ || sent_ == saved_) return {};
  barrier_ = sent_;
  const Bytes state_vector = doc.state_vector().encode();
  return payload({SyncStep1{state_vector}});
}

void DocLink::on_saved(uint64_t received) { saved_ = std::clamp(received, saved_, sent_); }

}  // namespace diaryx::sync
