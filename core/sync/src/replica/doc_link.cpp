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

/// What do you have that is not in `doc`?
Bytes question(const crdt::Doc& doc) {
  const Bytes state_vector = doc.state_vector().encode();
  return payload({SyncStep1{state_vector}});
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
  return question(doc);
}

Result<Bytes> DocLink::on_step1(const crdt::Doc& doc, ByteView state_vector) {
  DX_TRY(crdt::StateVector theirs, crdt::StateVector::decode(state_vector));
  if (kind_ == Kind::Body && !answered_) {
    their_vector_ = std::move(theirs);
    return Bytes{};
  }
  const bool first = !std::exchange(can_send_, true);
  // What is deleted since the first answer was sent as it was done. Said again it would never end with a server that asks back each time.
  if (!first && theirs.covers(doc.state_vector())) return Bytes{};
  const Bytes difference = doc.encode_update_v1(theirs);
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
  note_lacking(doc);
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

bool DocLink::note_lacking(const crdt::Doc& doc) {
  Bytes lacking = doc.has_pending() ? doc.missing().encode() : Bytes();
  const bool is_news = !lacking.empty() && lacking != lacking_;
  lacking_ = std::move(lacking);
  return is_news;
}

Bytes DocLink::ask_for_base(const crdt::Doc& doc) {
  // A barrier that is under way asks for the same. Else this is one that proves nothing new.
  if (!answered_ || !note_lacking(doc) || barrier_) return {};
  barrier_ = saved_;
  return question(doc);
}

Bytes DocLink::barrier(const crdt::Doc& doc) {
  if (!wants_barrier()) return {};
  barrier_ = sent_;
  return question(doc);
}

void DocLink::on_saved(uint64_t received) { saved_ = std::clamp(received, saved_, sent_); }

}  // namespace diaryx::sync
