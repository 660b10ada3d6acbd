#include "room_doc.h"

#include "diaryx/base/result.h"
#include "diaryx/crdt/update.h"

namespace diaryx::sync::relay {
namespace {

/// An update that does nothing.
constexpr size_t kNothingBytes = 2;

}  // namespace

crdt::Doc& RoomDoc::awake() {
  DX_ASSERT(is_open());
  if (const auto* resting = std::get_if<Resting>(&state_)) {
    crdt::Doc doc({.client = resting->client});
    const bool read = doc.apply_update_v1(resting->bytes()).has_value();
    DX_ASSERT(read);  // written by `rest`
    doc.set_client(resting->client);  // which it had before: nobody else has taken it
    state_ = std::move(doc);
  }
  return std::get<crdt::Doc>(state_);
}

bool RoomDoc::can_rest() const {
  const auto* const doc = std::get_if<crdt::Doc>(&state_);
  return doc != nullptr && !doc->has_pending() && !doc->client_is_taken();
}

void RoomDoc::rest(SharedBytes perhaps) {
  if (!can_rest()) return;
  const auto& doc = std::get<crdt::Doc>(state_);
  const Bytes encoded = doc.encode_update_v1();
  // Asked for before the Doc is given up, in whose place the next one fits then.
  if (perhaps == nullptr || *perhaps != encoded)
    perhaps = std::make_shared<const Bytes>(encoded.begin(), encoded.end());
  state_ = Resting{std::move(perhaps), 0, doc.client(), nullptr};
}

void RoomDoc::rest_in(SharedBytes message, size_t offset) {
  if (!can_rest()) return;
  const auto& doc = std::get<crdt::Doc>(state_);
  auto vector = std::make_unique<const crdt::StateVector>(doc.state_vector());
  state_ = Resting{std::move(message), offset, doc.client(), std::move(vector)};
}

Bytes RoomDoc::encode(const crdt::StateVector& known) const {
  if (const auto* doc = std::get_if<crdt::Doc>(&state_)) return doc->encode_update_v1(known);
  const ByteView bytes = std::get<Resting>(state_).bytes();
  if (known.empty()) return to_bytes(bytes);
  auto diff = crdt::diff_update_v1(bytes, known);
  DX_ASSERT(diff.has_value());
  return std::move(*diff);
}

crdt::StateVector RoomDoc::state_vector() const {
  if (const auto* doc = std::get_if<crdt::Doc>(&state_)) return doc->state_vector();
  const auto& resting = std::get<Resting>(state_);
  if (resting.vector != nullptr) return *resting.vector;
  auto vector = crdt::state_vector_of_update_v1(resting.bytes());
  DX_ASSERT(vector.has_value());
  return std::move(*vector);
}

bool RoomDoc::is_empty() const {
  if (const auto* doc = std::get_if<crdt::Doc>(&state_)) return doc->is_empty() && !doc->has_pending();
  return std::get<Resting>(state_).bytes().size() <= kNothingBytes;
}

}  // namespace diaryx::sync::relay
