#include "replica/doc_link.h"

#include <algorithm>
#include <utility>

#include "diaryx/crdt/update.h"
#include "diaryx/sync/frame.h"
#include "fault.h"

namespace diaryx::sync {
namespace {

Bytes payload(std::initializer_list<Message> messages) {
  Writer out;
  for (const Message& message : messages) write_message(out, message);
  return out.take();
}

}  // namespace

DocLink DocLink::in_step() {
  DocLink link(Kind::Body);
  link.asked_ = link.can_send_ = link.answered_ = true;
  return link;
}

void DocLink::start_over(TimestampMs now) {
  *this = DocLink(kind_);
  asked_ = true;
  asked_at_ = now;
}

Bytes DocLink::ask(const crdt::Doc& doc, TimestampMs now) {
  asked_ = true;
  asked_at_ = now;
  const Bytes state_vector = doc.state_vector().encode();
  return payload({SyncStep1{state_vector}});
}

Result<Bytes> DocLink::on_step1(const crdt::Doc& doc, ByteView state_vector) {
  DX_TRY(crdt::StateVector theirs, crdt::StateVector::decode(state_vector));
  if (kind_ == Kind::Body && !answered_) {
    their_vector_ = std::move(theirs);
    return Bytes{};
  }
  const Bytes difference = doc.encode_update_v1(theirs);
  const bool first = !can_send_;
  can_send_ = true;
  if (kind_ == Kind::Workspace && first) {
    const Bytes ours = doc.state_vector().encode();
    ++sent_;
    return payload({SyncStep2{difference}, SyncStep1{ours}});
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
  if (!their_vector_) return {};
  const crdt::StateVector theirs = *std::exchange(their_vector_, std::nullopt);
  can_send_ = true;
  if (theirs.covers(doc.state_vector())) {
    // A delete set is sent whole, so before repeating it at every reconnect, look whether the server has it.
    const Result<crdt::UpdateSummary> known = crdt::summarize_update_v1(update);
    if (DX_PLANTED(4) || (known && known->deletes.covers(doc.delete_set()))) return {};
  }
  const Bytes difference = doc.encode_update_v1(theirs);
  if (is_empty_update(difference) || DX_PLANTED(5)) return {};
  ++sent_;
  return payload({SyncStep2{difference}});
}

Bytes DocLink::on_local_update(ByteView update) {
  if (!can_send_ || update.empty()) return {};
  ++sent_;
  return payload({Update{update}});
}

Bytes DocLink::barrier(const crdt::Doc& doc) {
  if (!wants_barrier()) return {};
  barrier_ = sent_;
  const Bytes state_vector = doc.state_vector().encode();
  return payload({SyncStep1{state_vector}});
}

void DocLink::on_saved(uint64_t received) { saved_ = std::clamp(received, saved_, sent_); }

}  // namespace diaryx::sync
