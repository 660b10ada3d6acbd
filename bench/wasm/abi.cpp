// The engine as a WebAssembly module of its own: a small C interface over the public headers. It imports nothing.
//
// 1. Bytes go in through one buffer (`dx_buffer(size)` says where it lies and makes room) and come out through another
//    (`dx_output()`; its size is what the call returned). Nothing is passed as a JavaScript object.
// 2. A document is a number from 1 on. Its types are reached through slots that the caller numbers: `dx_root` and `dx_open_map` put a
//    type into a slot, edits name the slot.
// 3. An edit outside `dx_begin` ... `dx_commit` is a transaction of its own. It returns the size of the update event in the output
//    (0 when the document emits none); -1 means refused, and nothing has changed.
//
// bench/peers/node/diaryx.mjs is the other side of this interface.
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

#define DX_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {

using namespace diaryx;
using namespace diaryx::crdt;

constexpr int32_t kRefused = -1;
enum class Kind : uint32_t { Text, Map, Array };

struct OpenDoc {
  Doc doc;
  std::vector<std::variant<std::monostate, Text, Map, Array>> slots;
  std::optional<Transaction> open = {};

  template <typename Type>
  Type& at(uint32_t slot) {
    DX_ASSERT(slot < slots.size() && std::holds_alternative<Type>(slots[slot]));
    return *std::get_if<Type>(&slots[slot]);
  }
  template <typename Type>
  void put(uint32_t slot, Type type) {
    if (slot >= slots.size()) slots.resize(slot + 1);
    slots[slot] = type;
  }
};

// The one instance's state; a module is single-threaded.
std::vector<std::unique_ptr<OpenDoc>> documents;
std::vector<uint8_t> buffer;
Bytes output_bytes;
std::string output_text;
ByteView output;  // of one of the two

OpenDoc& at(uint32_t doc) {
  DX_ASSERT(doc - 1 < documents.size() && documents[doc - 1]);
  return *documents[doc - 1];
}

ByteView input(uint32_t offset, uint32_t size) { return ByteView(buffer).subspan(offset, size); }
std::string_view input_text(uint32_t offset, uint32_t size) { return as_text(input(offset, size)); }

int32_t answer(Bytes bytes) {
  output_text = {};
  output_bytes = std::move(bytes);
  output = output_bytes;
  return static_cast<int32_t>(output.size());
}

int32_t answer(std::string text) {
  output_bytes = {};
  output_text = std::move(text);
  output = as_bytes(output_text);
  return static_cast<int32_t>(output.size());
}

int32_t answer(Result<Bytes> result) { return result ? answer(std::move(*result)) : kRefused; }

int32_t answer(const Commit& commit) {
  const Bytes& update = commit.update_v1();
  output_bytes.assign(update.begin(), update.end());
  output = output_bytes;
  return static_cast<int32_t>(update.size());
}

/// Runs `change(txn)` in the open transaction, or in one of its own. `change` says whether the engine accepted.
template <typename Change>
int32_t edit(OpenDoc& doc, Change&& change) {
  if (doc.open) return change(*doc.open) ? 0 : kRefused;
  Transaction txn = doc.doc.transact();
  if (!change(txn)) return kRefused;
  return answer(std::move(txn).commit());
}

/// A value as lib0 writes it, from the input.
std::optional<Any> value_at(Reader& in) {
  Result<Any> value = Any::decode(in);
  if (!value) return std::nullopt;
  return std::move(*value);
}

}  // namespace

/// Where the caller writes its input; at least `size` bytes. What was there may be gone.
DX_EXPORT(dx_buffer) uint8_t* dx_buffer(uint32_t size) {
  if (buffer.size() < size) buffer = std::vector<uint8_t>(size);
  return buffer.data();
}

DX_EXPORT(dx_output) const uint8_t* dx_output() { return output.data(); }

/// `emits` is 1 for a document whose edits and received updates give update events.
DX_EXPORT(dx_create) uint32_t dx_create(double client, uint32_t emits) {
  const DocOptions options{.client = ClientId{static_cast<uint64_t>(client)},
                           .emit = emits ? Emit::Updates : Emit::Nothing};
  auto doc = std::make_unique<OpenDoc>(OpenDoc{Doc(options), {}});
  for (size_t i = 0; i < documents.size(); ++i) {
    if (documents[i]) continue;
    documents[i] = std::move(doc);
    return static_cast<uint32_t>(i + 1);
  }
  documents.push_back(std::move(doc));
  return static_cast<uint32_t>(documents.size());
}

DX_EXPORT(dx_free) void dx_free(uint32_t doc) { documents[doc - 1].reset(); }

/// Puts the root whose name is the input into `slot`.
DX_EXPORT(dx_root) void dx_root(uint32_t doc, Kind kind, uint32_t name_size, uint32_t slot) {
  OpenDoc& open = at(doc);
  const std::string_view name = input_text(0, name_size);
  if (kind == Kind::Text) open.put(slot, open.doc.text(name));
  if (kind == Kind::Map) open.put(slot, open.doc.map(name));
  if (kind == Kind::Array) open.put(slot, open.doc.array(name));
}

DX_EXPORT(dx_begin) void dx_begin(uint32_t doc) { at(doc).open.emplace(at(doc).doc.transact()); }

DX_EXPORT(dx_commit) int32_t dx_commit(uint32_t doc) {
  const Commit commit = std::move(*at(doc).open).commit();
  at(doc).open.reset();
  return answer(commit);
}

DX_EXPORT(dx_text_insert) int32_t dx_text_insert(uint32_t doc, uint32_t slot, uint32_t position, uint32_t size) {
  OpenDoc& open = at(doc);
  return edit(open, [&](Transaction& txn) {
    return open.at<Text>(slot).insert(txn, Utf16Offset{position}, input_text(0, size)).has_value();
  });
}

DX_EXPORT(dx_text_erase) int32_t dx_text_erase(uint32_t doc, uint32_t slot, uint32_t position, uint32_t length) {
  OpenDoc& open = at(doc);
  return edit(open, [&](Transaction& txn) {
    return open.at<Text>(slot).erase(txn, Utf16Offset{position}, Length{length}).has_value();
  });
}

/// `count` edits in one call, each a transaction of its own unless one is open: the input has `count` times position, deleted,
/// inserted bytes (u32 each), then all inserted bytes. Deletes first, then inserts. The output has, one after the other, u32 size and
/// bytes of each update event. -1: an edit was refused, the ones before it are done.
DX_EXPORT(dx_text_batch) int32_t dx_text_batch(uint32_t doc, uint32_t slot, uint32_t count) {
  OpenDoc& open = at(doc);
  Text& text = open.at<Text>(slot);
  Bytes events;
  const auto apply = [&](auto&& change) {
    if (open.open) return change(*open.open);
    Transaction txn = open.doc.transact();
    if (!change(txn)) return false;
    const Commit commit = std::move(txn).commit();
    const Bytes& update = commit.update_v1();
    if (!update.empty()) {
      const auto size = static_cast<uint32_t>(update.size());
      const auto* size_bytes = reinterpret_cast<const uint8_t*>(&size);
      events.insert(events.end(), size_bytes, size_bytes + sizeof size);
      events.insert(events.end(), update.begin(), update.end());
    }
    return true;
  };
  size_t bytes_at = size_t{12} * count;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t head[3];
    std::memcpy(head, buffer.data() + size_t{12} * i, sizeof head);
    const auto [position, deleted, size] = head;
    if (deleted != 0 &&
        !apply([&](Transaction& txn) { return text.erase(txn, Utf16Offset{position}, Length{deleted}).has_value(); }))
      return kRefused;
    const std::string_view inserted = input_text(static_cast<uint32_t>(bytes_at), size);
    if (size != 0 &&
        !apply([&](Transaction& txn) { return text.insert(txn, Utf16Offset{position}, inserted).has_value(); }))
      return kRefused;
    bytes_at += size;
  }
  return answer(std::move(events));
}

/// The visible text, UTF-8.
DX_EXPORT(dx_text_read) int32_t dx_text_read(uint32_t doc, uint32_t slot) {
  return answer(at(doc).at<Text>(slot).to_string());
}

DX_EXPORT(dx_text_length) uint32_t dx_text_length(uint32_t doc, uint32_t slot) {
  return at(doc).at<Text>(slot).length().value();
}

/// The input is the key, then one lib0 value.
DX_EXPORT(dx_map_set) int32_t dx_map_set(uint32_t doc, uint32_t slot, uint32_t key_size, uint32_t size) {
  OpenDoc& open = at(doc);
  Reader in(input(key_size, size - key_size));
  const std::optional<Any> value = value_at(in);
  if (!value) return kRefused;
  return edit(open, [&](Transaction& txn) {
    open.at<Map>(slot).set(txn, input_text(0, key_size), *value);
    return true;
  });
}

/// Puts a new map at the key; the rest of the input is its entries, each a lib0 string and a lib0 value.
DX_EXPORT(dx_map_set_map) int32_t dx_map_set_map(uint32_t doc, uint32_t slot, uint32_t key_size, uint32_t size) {
  OpenDoc& open = at(doc);
  return edit(open, [&](Transaction& txn) {
    Map map = open.at<Map>(slot).set_map(txn, input_text(0, key_size));
    Reader in(input(key_size, size - key_size));
    while (!in.at_end()) {
      const Result<std::string_view> name = in.var_string();
      if (!name) return false;
      const std::optional<Any> value = value_at(in);
      if (!value) return false;
      map.set(txn, *name, *value);
    }
    return true;
  });
}

/// Puts the map at the key into `into`; -1 when there is none.
DX_EXPORT(dx_open_map) int32_t dx_open_map(uint32_t doc, uint32_t slot, uint32_t key_size, uint32_t into) {
  OpenDoc& open = at(doc);
  const std::optional<Map> map = open.at<Map>(slot).get_map(input_text(0, key_size));
  if (!map) return kRefused;
  open.put(into, *map);
  return 0;
}

/// The lib0 value at the key; -1 when there is none.
DX_EXPORT(dx_map_get) int32_t dx_map_get(uint32_t doc, uint32_t slot, uint32_t key_size) {
  const std::optional<Any> value = at(doc).at<Map>(slot).get(input_text(0, key_size));
  return value ? answer(value->encode()) : kRefused;
}

DX_EXPORT(dx_map_size) uint32_t dx_map_size(uint32_t doc, uint32_t slot) {
  return static_cast<uint32_t>(at(doc).at<Map>(slot).size());
}

/// The input is lib0 values, one after the other.
DX_EXPORT(dx_array_insert) int32_t dx_array_insert(uint32_t doc, uint32_t slot, uint32_t index, uint32_t size) {
  OpenDoc& open = at(doc);
  std::vector<Any> values;
  Reader in(input(0, size));
  while (!in.at_end()) {
    std::optional<Any> value = value_at(in);
    if (!value) return kRefused;
    values.push_back(std::move(*value));
  }
  return edit(open, [&](Transaction& txn) { return open.at<Array>(slot).insert(txn, index, values).has_value(); });
}

DX_EXPORT(dx_array_size) uint32_t dx_array_size(uint32_t doc, uint32_t slot) {
  return static_cast<uint32_t>(at(doc).at<Array>(slot).size());
}

/// The input is an update. The output is the update event of what was new.
DX_EXPORT(dx_apply_v1) int32_t dx_apply_v1(uint32_t doc, uint32_t size) {
  const Result<Commit> commit = at(doc).doc.apply_update_v1(input(0, size));
  return commit ? answer(*commit) : kRefused;
}

/// The same for a large update: the buffer is given back, so the caller asks for it again.
DX_EXPORT(dx_take_v1) int32_t dx_take_v1(uint32_t doc, uint32_t size) {
  Bytes update = std::exchange(buffer, {});
  update.resize(size);
  Result<Commit> commit = at(doc).doc.take_update_v1(std::move(update));
  return commit ? answer(std::move(*commit).update_v1()) : kRefused;
}

DX_EXPORT(dx_apply_v2) int32_t dx_apply_v2(uint32_t doc, uint32_t size) {
  const Result<Commit> commit = at(doc).doc.apply_update_v2(input(0, size));
  return commit ? answer(*commit) : kRefused;
}

/// The input is what the peer knows: an encoded state vector, or nothing.
DX_EXPORT(dx_encode_v1) int32_t dx_encode_v1(uint32_t doc, uint32_t vector_size) {
  if (vector_size == 0) return answer(at(doc).doc.encode_update_v1());
  const Result<StateVector> known = StateVector::decode(input(0, vector_size));
  return known ? answer(at(doc).doc.encode_update_v1(*known)) : kRefused;
}

DX_EXPORT(dx_encode_v2) int32_t dx_encode_v2(uint32_t doc, uint32_t vector_size) {
  if (vector_size == 0) return answer(at(doc).doc.encode_update_v2());
  const Result<StateVector> known = StateVector::decode(input(0, vector_size));
  return known ? answer(at(doc).doc.encode_update_v2(*known)) : kRefused;
}

DX_EXPORT(dx_state_vector) int32_t dx_state_vector(uint32_t doc) { return answer(at(doc).doc.state_vector().encode()); }

/// The input is `count` sizes (u32), then the updates.
DX_EXPORT(dx_merge_v1) int32_t dx_merge_v1(uint32_t count) {
  std::vector<ByteView> updates;
  updates.reserve(count);
  size_t start = size_t{4} * count;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t size;
    std::memcpy(&size, buffer.data() + size_t{4} * i, sizeof size);
    updates.push_back(ByteView(buffer).subspan(start, size));
    start += size;
  }
  return answer(merge_updates_v1(updates));
}

/// The input is an update, then an encoded state vector.
DX_EXPORT(dx_diff_v1) int32_t dx_diff_v1(uint32_t update_size, uint32_t vector_size) {
  const Result<StateVector> known = StateVector::decode(input(update_size, vector_size));
  return known ? answer(diff_update_v1(input(0, update_size), *known)) : kRefused;
}

/// Bytes that the document says it holds.
DX_EXPORT(dx_memory) uint32_t dx_memory(uint32_t doc) { return static_cast<uint32_t>(at(doc).doc.memory_bytes()); }
