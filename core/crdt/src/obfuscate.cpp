// An update without what people wrote in it.
//
// Every item gets the next number i, counted over the whole update in its order, and what it holds becomes that number. The same
// key, name or value of a mark becomes the same number again, the one of the item where it was met first.
//
// Source: Yjs 13.6 `obfuscateUpdate` (src/utils/updates.js); docs/protocol.md.
#include <map>
#include <string>

#include "diaryx/crdt/update.h"
#include "update_algebra.h"

namespace diaryx::crdt {
namespace {

class Obfuscator {
 public:
  explicit Obfuscator(const ObfuscateOptions& options) : options_(options) {}

  /// The replacement is valid until the next call.
  StructView replace(StructView view) {
    if (view.kind == ContentKind::Gc || view.kind == ContentKind::Skip) return view;
    content_.clear();
    replace_content(view);
    if ((view.bits & StructView::kHasSub) != 0 && !view.sub().empty()) view.set_sub(cached(keys_, view.sub(), ""));
    ++number_;
    return view;
  }

 private:
  using Cache = std::map<std::string, std::string, std::less<>>;

  /// What was made for `known` when it was met first.
  std::string_view cached(Cache& cache, std::string_view known, std::string_view prefix) {
    auto at = cache.find(known);
    if (at == cache.end()) at = cache.emplace(std::string(known), std::string(prefix) + std::to_string(number_)).first;
    return at->second;
  }

  Any number() const { return Any::number(static_cast<double>(number_)); }

  void replace_content(StructView& view) {
    switch (view.kind) {
      case ContentKind::String: {
        text_.assign(view.length, static_cast<char>('0' + number_ % 10));
        view.set_content(as_bytes(text_));
        return;
      }
      case ContentKind::Any:
        for (uint32_t i = 0; i < view.length; ++i) encode_any(number(), content_);
        break;
      case ContentKind::Json:
        for (uint32_t i = 0; i < view.length; ++i) content_.var_string(std::to_string(number_));
        break;
      case ContentKind::Binary: content_.u8(static_cast<uint8_t>(number_)); break;
      case ContentKind::Embed: encode_any(Any::object({}), content_); break;
      case ContentKind::Doc:
        if (!options_.subdocuments) return;
        content_.var_string(std::to_string(number_));
        encode_any(Any::object({}), content_);
        break;
      case ContentKind::Format:
        if (!options_.formatting) return;
        view.set_name(cached(mark_keys_, view.name(), ""));
        view.set_content(mark_value(view.content()));
        return;
      case ContentKind::Type:
        if (!options_.xml || !has_node_name(view.type_kind)) return;
        view.set_name(cached(node_names_, view.name(), view.type_kind == TypeKind::XmlHook ? "hook-" : "node-"));
        return;
      case ContentKind::Deleted:
      case ContentKind::Gc:
      case ContentKind::Skip: return;
    }
    view.set_content(content_.view());
  }

  /// `{"i":number}`. Null stays null, it ends a mark; equal plain values give the same, and each object its own.
  ByteView mark_value(ByteView any) {
    const auto tag = static_cast<AnyTag>(any.front());
    if (tag == AnyTag::Null) return any;
    const bool is_object = tag == AnyTag::Object || tag == AnyTag::Array || tag == AnyTag::Bytes;
    if (!is_object) {
      std::string plain(as_text(any));
      const Any value = decode_trusted_any(any);
      if (value.as_number() != nullptr && *value.as_number() == 0) plain = as_text(Any::number(0).encode());  // -0 is 0
      const auto [at, is_new] = mark_values_.try_emplace(std::move(plain));
      if (is_new) at->second = as_text(Any::object({{"i", number()}}).encode());
      return as_bytes(at->second);
    }
    encode_any(Any::object({{"i", number()}}), content_);
    return content_.view();
  }

  ObfuscateOptions options_;
  uint64_t number_ = 0;
  Cache keys_;
  Cache node_names_;
  Cache mark_keys_;
  Cache mark_values_;
  Sink content_;
  std::string text_;
};

template <typename Out>
Result<Bytes> obfuscate_with(ByteView update, Encoding encoding, const ObfuscateOptions& options,
                             const DecodeLimits& limits) {
  DX_TRY(const DecodedUpdate decoded, decode_update(update, encoding, limits));
  Obfuscator obfuscator(options);
  LazyWriter<Out> writer;
  for (const ClientBlock& block : decoded.blocks) {
    for (uint32_t i = 0; i < block.count; ++i) {
      writer.write(block.client, obfuscator.replace(decoded.structs[block.first + i]), 0);
    }
  }
  return writer.finish(decoded.deletes);
}

}  // namespace

Result<Bytes> obfuscate_update_v1(ByteView update, const ObfuscateOptions& options, const DecodeLimits& limits) {
  return obfuscate_with<OutV1>(update, Encoding::V1, options, limits);
}

Result<Bytes> obfuscate_update_v2(ByteView update, const ObfuscateOptions& options, const DecodeLimits& limits) {
  return obfuscate_with<OutV2>(update, Encoding::V2, options, limits);
}

}  // namespace diaryx::crdt
