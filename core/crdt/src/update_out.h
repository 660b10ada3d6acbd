// Where the encoder writes each field: one stream in encoding v1, ten columns in v2.
#pragma once

#include "any_codec.h"
#include "columns.h"
#include "delete_set_wire.h"
#include "sink.h"
#include "struct_view.h"

namespace diaryx::crdt {

class OutV1 {
 public:
  Sink& rest() { return out_; }
  Bytes finish() { return out_.take(); }
  void deletes(const DeleteSet& set) { write_deletes_v1(out_, set); }
  void client(uint64_t client) { out_.var_uint(client); }
  void info(uint8_t info) { out_.u8(info); }
  void left_id(uint64_t client, uint32_t clock) {
    out_.written_to(put_id(out_.room(2 * kMaxVarUintBytes), {client, clock}));
  }
  void right_id(uint64_t client, uint32_t clock) { left_id(client, clock); }
  /// A struct like most: the ids that `info` speaks of, and the text that it is or its length. One look at the room is enough for all.
  void plain(uint8_t info, WireId left, WireId right, std::string_view text, uint32_t) {
    uint8_t* at = put_ids(out_.room(kPlainBytes + text.size()), info, left, right);
    at = put_var_clock(at, static_cast<uint32_t>(text.size()));
    copy_short(at, text.data(), text.size());
    out_.written_to(at + text.size());
  }
  void plain(uint8_t info, WireId left, WireId right, uint32_t length) {
    out_.written_to(put_var_clock(put_ids(out_.room(kPlainBytes), info, left, right), length));
  }
  void parent_is_root(bool root) { out_.var_uint(root ? 1 : 0); }
  void string(std::string_view text) { out_.var_string(text); }
  /// Text that begins with half a surrogate pair.
  void string_after_half(std::string_view text) {
    out_.var_uint(text.size() + 3);
    out_.raw("\xef\xbf\xbd");
    out_.raw(text);
  }
  void key(std::string_view text) { out_.var_string(text); }
  void type_ref(uint8_t ref) { out_.var_uint(ref); }
  void length(uint32_t length) { out_.var_uint(length); }
  void json_value(ByteView any) {
    json_.clear();
    // JSON has no undefined; Yjs fails here. What comes in v2 must not make a document that cannot be written in v1.
    if (any.front() == static_cast<uint8_t>(AnyTag::Undefined)) return out_.var_string("null");
    any_to_json(any, json_);
    out_.var_bytes(json_.view());
  }

 private:
  /// Most ids in a row are of one client, whose varint has five bytes.
  struct LastClient {
    uint64_t id = 0;
    uint8_t size = 1;
    uint8_t bytes[kMaxVarUintBytes] = {0};

    uint8_t* copy_to(uint8_t* at) const {
      memcpy(at, bytes, sizeof bytes);  // of a fixed size: quicker than the right one
      return at + size;
    }
    uint8_t* put(uint8_t* at, uint64_t client) {
      id = client;
      size = static_cast<uint8_t>(put_var_uint(bytes, client) - bytes);
      return copy_to(at);
    }
  };

  static constexpr size_t kPlainBytes =
      1 + 5 * kMaxVarUintBytes;  // info, two ids and a length, and what is written behind them

  [[gnu::always_inline]] uint8_t* put_id(uint8_t* at, WireId id) {
    at = id.client == last_client_.id ? last_client_.copy_to(at) : last_client_.put(at, id.client);
    return put_var_clock(at, id.clock);
  }
  // WebAssembly's engines inline nothing by themselves, and a call for each struct shows.
  [[gnu::always_inline]] uint8_t* put_ids(uint8_t* at, uint8_t info, WireId left, WireId right) {
    *at++ = info;
    if (info & StructView::kHasOrigin) at = put_id(at, left);
    if (info & StructView::kHasRightOrigin) at = put_id(at, right);
    return at;
  }

  Sink out_;
  Sink json_;
  LastClient last_client_;
};

class OutV2 {
 public:
  Sink& rest() { return rest_; }
  void client(uint64_t client) { client_.write(client); }
  void info(uint8_t info) { info_.write(info); }
  void left_id(uint64_t client, uint32_t clock) {
    client_.write(client);
    left_clock_.write(clock);
  }
  void right_id(uint64_t client, uint32_t clock) {
    client_.write(client);
    right_clock_.write(clock);
  }
  void plain(uint8_t info, WireId left, WireId right, std::string_view text, uint32_t units) {
    plain_ids(info, left, right);
    string_.write(text, units);
  }
  void plain(uint8_t info, WireId left, WireId right, uint32_t length) {
    plain_ids(info, left, right);
    length_.write(length);
  }
  void parent_is_root(bool root) { parent_info_.write(root ? 1 : 0); }
  void string(std::string_view text) { string_.write(text); }
  void string_after_half(std::string_view text) { string_.write_after_half(text); }
  /// Yjs never fills its table of keys: each key gets a number of its own and is written out.
  void key(std::string_view text) {
    key_clock_.write(next_key_++);
    string_.write(text);
  }
  void type_ref(uint8_t ref) { type_ref_.write(ref); }
  void length(uint32_t length) { length_.write(length); }
  void json_value(ByteView any) { rest_.raw(any); }
  void deletes(const DeleteSet& set) { write_deletes_v2(rest_, set); }
  Bytes finish() {
    Sink out;
    Sink strings;
    string_.finish(strings);
    out.reserve(rest_.size() + strings.size() + 256);
    out.u8(0);
    for (const ByteView column :
         {key_clock_.finish(), client_.finish(), left_clock_.finish(), right_clock_.finish(), info_.finish(),
          strings.view(), parent_info_.finish(), type_ref_.finish(), length_.finish()}) {
      out.var_bytes(column);
    }
    out.raw(rest_.view());
    return out.take();
  }

 private:
  void plain_ids(uint8_t info, WireId left, WireId right) {
    info_.write(info);
    if (info & StructView::kHasOrigin) left_id(left.client, left.clock);
    if (info & StructView::kHasRightOrigin) right_id(right.client, right.clock);
  }

  Sink rest_;
  DifferenceWriter key_clock_;
  RunWriter client_;
  DifferenceWriter left_clock_;
  DifferenceWriter right_clock_;
  RleWriter info_;
  StringWriter string_;
  RleWriter parent_info_;
  RunWriter type_ref_;
  RunWriter length_;
  uint32_t next_key_ = 0;
};

/// Writes `view` from unit `offset` on (below its length). A struct cut at its front gets its own previous unit as origin.
template <typename Out>
void write_struct(Out& out, uint64_t client, const StructView& view, uint32_t offset) {
  const auto kind = static_cast<uint8_t>(view.kind);
  if (view.kind == ContentKind::Gc) {
    out.info(kind);
    return out.length(view.length - offset);
  }
  if (view.kind == ContentKind::Skip) {
    out.info(kind);
    return out.rest().var_uint(view.length - offset);
  }
  const auto bits = static_cast<uint8_t>(view.bits | (offset > 0 ? StructView::kHasOrigin : 0));
  out.info(static_cast<uint8_t>(kind | bits));
  if (offset > 0) {
    out.left_id(client, view.clock + offset - 1);
  } else if (bits & StructView::kHasOrigin) {
    out.left_id(view.origin_client, view.origin_clock);
  }
  if (bits & StructView::kHasRightOrigin) out.right_id(view.right_client, view.right_clock);
  if ((bits & (StructView::kHasOrigin | StructView::kHasRightOrigin)) == 0) {
    out.parent_is_root(view.parent_form == ParentForm::Root);
    if (view.parent_form == ParentForm::Root) {
      out.string(view.root());
    } else {
      out.left_id(view.origin_client, view.origin_clock);
    }
    if (bits & StructView::kHasSub) out.string(view.sub());
  }
  write_content(out, view, offset);
}

template <typename Out>
void write_content(Out& out, const StructView& view, uint32_t offset) {
  const ContentTail tail = content_tail(view.kind, view.content(), view.length, offset);
  switch (view.kind) {
    case ContentKind::Deleted: return out.length(view.length - offset);
    case ContentKind::Json: {
      out.length(view.length - offset);
      Cursor in(tail.bytes);
      while (!in.at_end()) out.string(as_text(in.var_bytes()));
      return;
    }
    case ContentKind::Binary: return out.rest().var_bytes(tail.bytes);
    case ContentKind::String:
      return tail.leads_with_half ? out.string_after_half(as_text(tail.bytes)) : out.string(as_text(tail.bytes));
    case ContentKind::Embed: return out.json_value(tail.bytes);
    case ContentKind::Format: out.key(view.name()); return out.json_value(tail.bytes);
    case ContentKind::Type:
      out.type_ref(static_cast<uint8_t>(view.type_kind));
      if (has_node_name(view.type_kind)) out.key(view.name());
      return;
    case ContentKind::Any: out.length(view.length - offset); return out.rest().raw(tail.bytes);
    case ContentKind::Doc: {
      Cursor in(tail.bytes);
      out.string(as_text(in.var_bytes()));
      return write_subdocument_options(in.bytes(in.remaining()), out.rest());
    }
    case ContentKind::Gc:
    case ContentKind::Skip: return;
  }
}

}  // namespace diaryx::crdt
