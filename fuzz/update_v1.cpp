// An update from a stranger.
//
// 1. validate and apply agree on whether it is acceptable   2. a refused one leaves the document as it was
// 3. the accepted state, encoded, is applied by another document, which then has the same ids (the same bytes only when the update
// is one that an editor can make: with a right origin left of its origin Yjs cuts items in two ways, and so do we)
// 4. applying it again changes nothing   5. the event of a document in which something waits, which writes it anew, is the same
#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

using namespace diaryx;
using namespace diaryx::crdt;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView update{data, size};
  Doc doc{{.client = ClientId{1}}};
  (void)doc.text("body");
  const Bytes before = doc.encode_update_v1();
  const bool valid = validate_update_v1(update).has_value();
  const auto applied = doc.apply_update_v1(update);
  DX_ASSERT(applied.has_value() == valid);
  doc.check_invariants();
  const Bytes state = doc.encode_update_v1();
  if (!applied) {
    DX_ASSERT(state == before);
    return 0;
  }
  Doc other{{.client = ClientId{2}}};
  (void)other.text("body");
  DX_ASSERT(other.apply_update_v1(state).has_value());
  other.check_invariants();
  DX_ASSERT(other.state_vector() == doc.state_vector() || doc.has_pending());
  DX_ASSERT(other.state_vector().covers(doc.state_vector()));
  const auto again = doc.apply_update_v1(update);
  DX_ASSERT(again.has_value());
  DX_ASSERT(doc.encode_update_v1() == state);

  constexpr uint8_t kStranger = 0x7b;
  Doc waits{{.client = ClientId{1}}};
  (void)waits.text("body");
  DX_ASSERT(waits.apply_update_v1(Bytes{0, 1, kStranger, 1, 0, 1}).has_value());
  const auto written = waits.apply_update_v1(update);
  DX_ASSERT(written.has_value());
  const bool meets_stranger = waits.state_vector().get(ClientId{kStranger}).value() > 0;
  DX_ASSERT(meets_stranger || written->update_v1() == applied->update_v1());
  return 0;
}
