// An update v2 from a stranger, for a document that already holds something of the client ids that fuzzers like.
//
// 1. a refused one leaves the document as it was   2. the accepted state, encoded in v1 and in v2, gives two other documents that
// are equal and know the same ids (a stranger may have a map value split, and Yjs deletes only its last part: then a document
// that meets it whole deletes more)   3. applying it again changes nothing   4. the functions without a document agree on what is acceptable
#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/snapshot.h"
#include "diaryx/crdt/update.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

Doc inhabited_doc() {
  Doc doc{{.client = ClientId{1}}};
  Transaction txn = doc.transact();
  DX_ASSERT(doc.text("t")
                .insert(txn, Utf16Offset{0},
                        "a\xF0\x9F\x8C\xB1"
                        "bc")
                .has_value());
  doc.map("m").set(txn, "k", Any::number(1));
  (void)std::move(txn).commit();
  return doc;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView update{data, size};
  Doc doc = inhabited_doc();
  const Bytes before = doc.encode_update_v1();
  const auto applied = doc.apply_update_v2(update);
  doc.check_invariants();
  DX_ASSERT(parse_update_meta_v2(update).has_value() == applied.has_value());
  DX_ASSERT(snapshot_contains_v2({}, update).has_value() == applied.has_value());
  const Bytes state = doc.encode_update_v1();
  if (!applied) {
    DX_ASSERT(state == before);
    return 0;
  }
  Doc by_v1{{.client = ClientId{2}}};
  DX_ASSERT(by_v1.apply_update_v1(state).has_value());
  by_v1.check_invariants();
  // What waits goes along, and where two things have one id either may come first: more may fit there, or less.
  DX_ASSERT(by_v1.state_vector() == doc.state_vector() || doc.has_pending());
  Doc by_v2{{.client = ClientId{3}, .limits = {.min_struct_limit = 0xffffffff}}};
  DX_ASSERT(by_v2.apply_update_v2(doc.encode_update_v2()).has_value());
  by_v2.check_invariants();
  DX_ASSERT(by_v2.encode_update_v1() == by_v1.encode_update_v1());
  DX_ASSERT(doc.apply_update_v2(update).has_value());
  doc.check_invariants();
  DX_ASSERT(doc.encode_update_v1() == state);
  return 0;
}
