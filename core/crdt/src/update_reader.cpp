#include "update_reader.h"

#include <algorithm>
#include <type_traits>

#include "any_codec.h"
#include "diaryx/base/sort.h"
#include "update_source.h"

namespace diaryx::crdt {
namespace {

// Sizes of contents have 32 bits, also of those that become longer when they are converted.
constexpr size_t kMostUpdateBytes = size_t{1} << 30;

template <typename Source>
class UpdateDecoder {
 public:
  UpdateDecoder(Source& source, const DecodeLimits& limits, DecodedUpdate& out)
      : source_(source), limits_(limits), out_(out) {}

  void run() {
    Cursor& rest = source_.rest();
    const uint64_t clients = rest.var_uint();
    for (uint64_t i = 0; i < clients && source_.ok(); ++i) block();
    if (!source_.ok()) return;
    note_form(clients);
    drop_repeated_clients();
  }

 private:
  static constexpr uint8_t kOriginBits = StructView::kHasOrigin | StructView::kHasRightOrigin;

  static constexpr uint64_t kManyStructs = 1u << 16;
  static constexpr bool kRunsStandForStructs = std::is_same_v<Source, SourceV2>;

  void fail(ErrorCode code) { source_.rest().fail(code); }

  void block() {
    Cursor& rest = source_.rest();
    const uint64_t count = rest.var_uint();
    const ClientId client{source_.client()};
    clock_ = rest.var_clock();
    if (!source_.ok()) return;
    if (count > limits_.max_structs - total_ || count > source_.max_structs(limits_)) return fail(ErrorCode::TooLarge);
    total_ += count;
    if (kRunsStandForStructs && total_ > source_.max_structs(limits_)) return fail(ErrorCode::TooLarge);
    const auto first = static_cast<uint32_t>(out_.structs.size());
    if (!kRunsStandForStructs) out_.structs.expect(first + static_cast<size_t>(count));
    for (uint64_t i = 0; i < count && source_.ok(); ++i) {
      StructView& view = out_.structs.emplace_back();
      view.clock = clock_;
      if (!source_.take_plain(client, view)) {
        read_struct(client, view);
        if (!source_.ok()) return;
      }
      if (view.length > 0xffffffffu - clock_) return fail(ErrorCode::ClockOverflow);
      clock_ += view.length;
      out_.content_bytes += view.content_size + value_prefix(view.kind);
      // An empty struct holds nothing, and a store of contiguous clocks has no place for it.
      if (view.length == 0 || (count > kManyStructs && joins_previous(first))) out_.structs.pop_back();
    }
    const auto stored = static_cast<uint32_t>(out_.structs.size()) - first;
    if (stored > 0) out_.blocks.push_back({client, first, stored});
  }

  /// Whether the structs would be written as they stand in the input. Nothing was said against it yet if each block and each struct was kept and
  /// the clients come down.
  void note_form(uint64_t clients) {
    if constexpr (std::is_same_v<Source, SourceV1>) {
      const auto goes_up = [](const ClientBlock& a, const ClientBlock& b) { return a.client <= b.client; };
      const bool is_whole = out_.blocks.size() == clients && out_.structs.size() == total_;
      if (source_.is_odd() || !is_whole || std::ranges::adjacent_find(out_.blocks, goes_up) != out_.blocks.end())
        return;
      out_.as_written_bytes = source_.rest().position();
    }
  }

  /// Collected ranges join at once in a long block: an update v2 can announce a million of them in a few bytes.
  bool joins_previous(uint32_t first) {
    if (out_.structs.size() < first + 2) return false;
    StructView& previous = out_.structs[out_.structs.size() - 2];
    const StructView& last = out_.structs.back();
    if (last.kind != ContentKind::Gc || previous.kind != ContentKind::Gc) return false;
    previous.length += last.length;
    return true;
  }

  void read_struct(ClientId client, StructView& view) {
    if (source_.take_entry(client, view)) {
      if (!source_.take_value(view)) read_content(view);
      return;
    }
    const uint8_t info = source_.info();
    view.kind = static_cast<ContentKind>(info & 0x1f);
    if (view.kind == ContentKind::Gc) {
      view.length = source_.length();
      if (info != 0) source_.note_odd();
      return;
    }
    if (view.kind == ContentKind::Skip) {
      view.length = source_.rest().var_clock();
      source_.note_odd();  // a store has none
      return;
    }
    view.bits = info & kOriginBits;
    view.says_sub = (info & StructView::kHasSub) != 0;
    if (info & StructView::kHasOrigin) read_reference(client, view, source_.left_id(), true);
    if (info & StructView::kHasRightOrigin) read_reference(client, view, source_.right_id(), false);
    if ((info & kOriginBits) == 0) read_parent(client, info, view);
    read_content(view);
  }

  void read_reference(ClientId client, StructView& view, WireId id, bool left) {
    if (id.client == client.value() && id.clock >= view.clock) return fail(ErrorCode::BadReference);
    (left ? view.origin_client : view.right_client) = id.client;
    (left ? view.origin_clock : view.right_clock) = id.clock;
  }

  void read_parent(ClientId client, uint8_t info, StructView& view) {
    if (source_.parent_is_root()) {
      view.parent_form = ParentForm::Root;
      view.set_root(source_.string());
    } else {
      view.parent_form = ParentForm::Item;
      read_reference(client, view, source_.left_id(), true);
    }
    if (info & StructView::kHasSub) {
      view.bits |= StructView::kHasSub;
      view.set_sub(source_.string());
    }
  }

  void read_content(StructView& view) {
    Cursor& rest = source_.rest();
    view.length = 1;
    switch (view.kind) {
      case ContentKind::Deleted: view.length = source_.length(); return;
      case ContentKind::Json: return read_json_elements(view);
      case ContentKind::Binary: view.set_content(rest.var_bytes()); return;
      case ContentKind::String: {
        const std::string_view text = source_.string();
        view.set_content(as_bytes(text));
        view.length = is_ascii(text) ? static_cast<uint32_t>(text.size()) : utf16_length(text).value();
        return;
      }
      case ContentKind::Embed: view.set_content(read_json_value()); return;
      case ContentKind::Format:
        view.set_name(source_.key());
        view.set_content(read_json_value());
        return;
      case ContentKind::Type: {
        const uint64_t type_ref = source_.type_ref();
        if (type_ref > static_cast<uint64_t>(TypeKind::XmlText)) return fail(ErrorCode::UnknownTag);
        view.type_kind = static_cast<TypeKind>(type_ref);
        if (has_node_name(view.type_kind)) view.set_name(source_.key());
        return;
      }
      case ContentKind::Any:
        view.length = source_.length();
        view.set_content(read_any_elements(view.length));
        return;
      case ContentKind::Doc: return read_subdocument(view);
      default: return fail(ErrorCode::UnknownTag);
    }
  }

  /// `count` values; their bytes as they are when they are canonical, which is nearly always.
  ByteView read_any_elements(uint32_t count) {
    Cursor& rest = source_.rest();
    const Cursor start = rest;
    bool canonical = true;
    for (uint32_t i = 0; i < count && rest.ok(); ++i) canonical = skip_any(rest, limits_.max_depth) && canonical;
    if (!rest.ok()) return {};
    if (canonical && !rest.has_padding()) return {start.at(), static_cast<size_t>(rest.at() - start.at())};
    source_.note_odd();
    Cursor again = start;
    Sink converted;
    for (uint32_t i = 0; i < count; ++i) encode_any(decode_any(again, limits_.max_depth), converted);
    return keep(converted);
  }

  ByteView keep(Sink& converted) {
    out_.scratch.push_back(converted.take());
    return out_.scratch.back();
  }

  /// JSON text in v1, any in v2.
  ByteView read_json_value();

  ByteView json_text_to_any(std::string_view text) {
    static constexpr uint8_t kTrue = static_cast<uint8_t>(AnyTag::True);
    static constexpr uint8_t kNull = static_cast<uint8_t>(AnyTag::Null);
    if (text == "true") return {&kTrue, 1};
    if (text == "null") return {&kNull, 1};
    Sink converted;
    if (const Result<void> read = json_to_any(text, limits_.max_depth, converted); !read) {
      fail(read.error().code);
      return {};
    }
    Sink again;
    any_to_json(converted.view(), again);
    if (as_text(again.view()) != text) source_.note_odd();
    return keep(converted);
  }

  void read_json_elements(StructView& view) {
    view.length = source_.length();
    Sink converted;
    for (uint32_t i = 0; i < view.length && source_.ok(); ++i) {
      const std::string_view text = source_.string();
      if (!source_.ok()) return;
      if (text == "undefined") {
        converted.var_string(text);
        continue;
      }
      const Result<Any> value = Any::from_json(text, limits_.max_depth);
      if (!value) return fail(value.error().code);
      const std::string again = value->to_json();
      if (again != text) source_.note_odd();
      converted.var_string(again);
    }
    view.set_content(keep(converted));
  }

  void read_subdocument(StructView& view) {
    const std::string_view guid = source_.string();
    const ByteView options = read_any_elements(1);
    if (!source_.ok()) return;
    Sink again;
    write_subdocument_options(options, again);
    if (as_text(again.view()) != as_text(options)) source_.note_odd();
    Sink both;
    both.var_string(guid);
    both.raw(options);
    view.set_content(keep(both));
  }

  /// Yjs keeps the last block of a client that comes twice.
  void drop_repeated_clients() {
    const auto goes_up = [](const ClientBlock& a, const ClientBlock& b) { return a.client <= b.client; };
    if (std::adjacent_find(out_.blocks.begin(), out_.blocks.end(), goes_up) == out_.blocks.end()) return;
    std::vector<std::pair<ClientId, uint32_t>> order;
    order.reserve(out_.blocks.size());
    for (uint32_t i = 0; i < out_.blocks.size(); ++i) order.emplace_back(out_.blocks[i].client, i);
    sort_compactly(order);
    std::vector<bool> drop(order.size());
    bool any = false;
    for (size_t i = 0; i + 1 < order.size(); ++i) {
      if (order[i].first == order[i + 1].first) drop[order[i].second] = any = true;
    }
    if (!any) return;
    InlineVector<ClientBlock, 1> kept;
    for (uint32_t i = 0; i < out_.blocks.size(); ++i) {
      if (!drop[i]) kept.push_back(out_.blocks[i]);
    }
    out_.blocks = std::move(kept);
  }

  Source& source_;
  const DecodeLimits& limits_;
  DecodedUpdate& out_;
  uint32_t clock_ = 0;
  uint64_t total_ = 0;  // structs announced so far
};

template <>
ByteView UpdateDecoder<SourceV1>::read_json_value() {
  const std::string_view text = source_.string();
  return source_.ok() ? json_text_to_any(text) : ByteView{};
}

template <>
ByteView UpdateDecoder<SourceV2>::read_json_value() {
  return read_any_elements(1);
}

template <typename Source>
Result<void> decode_with(Source& source, DecodedUpdate& out, Encoding encoding, const DecodeLimits& limits) {
  UpdateDecoder<Source>(source, limits, out).run();
  if (!source.ok()) return std::unexpected(source.error());
  Cursor& rest = source.rest();
  if (rest.remaining() > 0 && *rest.at() == 0) return {};  // no deletions, as most updates of one keystroke
  Reader deletes(ByteView{rest.at(), rest.remaining()});
  const Result<void> decoded = encoding == Encoding::V1 ? DeleteSet::decode_v1(deletes, out.deletes)
                                                        : DeleteSet::decode_v2(deletes, out.deletes);
  if (!decoded) return fail(decoded.error().code, rest.position() + decoded.error().position);
  return {};
}

}  // namespace

Result<void> decode_update(ByteView bytes, Encoding encoding, const DecodeLimits& limits, DecodedUpdate& out) {
  if (bytes.size() > std::min(limits.max_update_bytes, kMostUpdateBytes)) return fail(ErrorCode::TooLarge);
  if (encoding == Encoding::V1) {
    SourceV1 source(bytes);
    return decode_with(source, out, encoding, limits);
  }
  SourceV2 source(bytes, out.scratch);
  return decode_with(source, out, encoding, limits);
}

Result<DecodedUpdate> decode_update(ByteView bytes, Encoding encoding, const DecodeLimits& limits) {
  Result<DecodedUpdate> result(std::in_place);
  const Result<void> decoded = decode_update(bytes, encoding, limits, *result);
  if (!decoded) result = std::unexpected(decoded.error());
  return result;
}

}  // namespace diaryx::crdt
