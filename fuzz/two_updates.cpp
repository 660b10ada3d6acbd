// Two updates from strangers, who may give one id to two different things. The first byte says where the second update begins.
//
// 1. each is accepted or refused, and refused whole   2. no order breaks an invariant   3. what a document ends with, others take,
// and where nothing waits they end with it too   4. reading the text, keys and values that came of it works
#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

void apply(Doc& doc, ByteView update) {
  const Bytes before = doc.encode_update_v1();
  const bool accepted = doc.apply_update_v1(update).has_value();
  doc.check_invariants();
  if (!accepted) DX_ASSERT(doc.encode_update_v1() == before);
}

void read(Doc& doc) {
  (void)doc.text("t").to_string();
  (void)doc.text("t").runs();
  (void)doc.array("t").to_vector();
  for (const std::string& key : doc.map("t").keys()) (void)doc.map("t").get(key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView rest{data + 1, size - 1};
  const size_t cut = data[0] * rest.size() / 256;
  const ByteView parts[] = {rest.first(cut), rest.subspan(cut)};
  for (const size_t first : {0, 1}) {
    Doc doc{{.client = ClientId{1}}};
    apply(doc, parts[first]);
    apply(doc, parts[1 - first]);
    read(doc);
    Doc other{{.client = ClientId{2}}};
    DX_ASSERT(other.apply_update_v1(doc.encode_update_v1()).has_value());
    other.check_invariants();
    // What waits goes along, and where two things have one id either may come first: more may fit there, or less.
    DX_ASSERT(other.state_vector() == doc.state_vector() || doc.has_pending());
  }
  return 0;
}
