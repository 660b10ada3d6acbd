// The clocks that an update speaks of.
#include "diaryx/crdt/update.h"
#include "update_reader.h"

namespace diaryx::crdt {
namespace {

Result<UpdateMeta> parse_meta(ByteView update, Encoding encoding, const DecodeLimits& limits) {
  DX_TRY(const DecodedUpdate decoded, decode_update(update, encoding, limits));
  UpdateMeta meta;
  for (const ClientBlock& block : decoded.blocks) {
    const StructView& first = decoded.structs[block.first];
    const StructView& last = decoded.structs[block.first + block.count - 1];
    meta.clients.push_back({block.client, Clock{first.clock}, Clock{last.end()}});
  }
  return meta;
}

}  // namespace

Result<UpdateMeta> parse_update_meta_v1(ByteView update, const DecodeLimits& limits) {
  return parse_meta(update, Encoding::V1, limits);
}

Result<UpdateMeta> parse_update_meta_v2(ByteView update, const DecodeLimits& limits) {
  return parse_meta(update, Encoding::V2, limits);
}

}  // namespace diaryx::crdt
