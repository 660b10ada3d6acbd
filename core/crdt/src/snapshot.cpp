#include "diaryx/crdt/snapshot.h"

#include <algorithm>

#include "handle_access.h"
#include "marks.h"
#include "update_algebra.h"
#include "utf16_cutter.h"
#include "values.h"

namespace diaryx::crdt {
namespace {

/// A moment as the items of a list see it, one client after the other.
class Moment {
 public:
  explicit Moment(const Snapshot& snapshot) : snapshot_(snapshot) {}

  /// The units that are asked about next belong to `client`.
  void look_at(ClientId client) {
    if (known_ && client_ == client) return;
    known_ = true;
    client_ = client;
    state_ = snapshot_.state.get(client).value();
    deleted_ = snapshot_.deletes.ranges(client);
  }

  bool shows(uint32_t clock) const {
    if (clock >= state_) return false;
    const auto at = first_behind(clock);
    return at == deleted_.end() || at->start.value() > clock;
  }

  /// The first clock behind `clock` from which on the answer of `shows` may be another; at most `end`.
  uint32_t next_border(uint32_t clock, uint32_t end) const {
    if (state_ > clock) end = std::min(end, state_);
    const auto at = first_behind(clock);
    if (at == deleted_.end()) return end;
    return std::min(end, at->start.value() > clock ? at->start.value() : at->end().value());
  }

 private:
  /// The first deleted range that ends behind `clock`.
  std::span<const ClockRange>::iterator first_behind(uint32_t clock) const {
    return std::upper_bound(deleted_.begin(), deleted_.end(), Clock{clock},
                            [](Clock wanted, const ClockRange& range) { return wanted < range.end(); });
  }

  const Snapshot& snapshot_;
  bool known_ = false;
  ClientId client_;
  uint32_t state_ = 0;
  std::span<const ClockRange> deleted_;
};

/// Builds the runs of a text at two moments.
class RunsBuilder {
 public:
  RunsBuilder(const Store& store, const Snapshot& before, const Snapshot& after, ChangeLabel label)
      : store_(store), before_(before), after_(after), label_(label) {}

  std::vector<TextRun> build(TypeRef type) && {
    for (ItemRef ref = store_.type(type).start; some(ref); ref = store_.item(ref).right) {
      const Item& item = store_.item(ref);
      const ClientId client = store_.client_id(item.client);
      before_.look_at(client);
      after_.look_at(client);
      switch (item.kind) {
        case ContentKind::String: add_text(item); break;
        case ContentKind::Embed:
        case ContentKind::Type: add_embed(item); break;
        case ContentKind::Format: pass_mark(item); break;
        default: break;
      }
    }
    flush();
    return std::move(runs_);
  }

 private:
  void add_text(const Item& item) {
    Utf16Cutter text(as_text(store_.content(item)));
    for (uint32_t clock = item.clock; clock < item.end();) {
      const uint32_t end = std::min(after_.next_border(clock, item.end()), before_.next_border(clock, item.end()));
      const std::string piece = text.take(end - clock);
      const bool is_there = after_.shows(clock);
      const bool was_there = before_.shows(clock);
      if (is_there || was_there) {
        set_label(item, is_there, was_there);
        text_ += piece;
      }
      clock = end;
    }
  }

  void set_label(const Item& item, bool is_there, bool was_there) {
    if (!is_there) {
      mark_change(item, "removed");
    } else if (!was_there) {
      mark_change(item, "added");
    } else if (find(kLabel) != nullptr) {
      flush();
      set(kLabel, Any::null());
    }
  }

  void mark_change(const Item& item, const char* type) {
    const auto client = static_cast<double>(store_.client_id(item.client).value());
    const Any* current = find(kLabel);
    if (current != nullptr) {
      const Any* user = current->find("user");
      const Any* known = current->find("type");
      if (user != nullptr && *user == Any::number(client) && known != nullptr && *known == Any::string(type)) return;
    }
    flush();
    Any::Object label;
    if (label_ == ChangeLabel::TypeAndClient) label.push_back({"user", Any::number(client)});
    label.push_back({"type", Any::string(type)});
    set(kLabel, Any::object(std::move(label)));
  }

  void add_embed(const Item& item) {
    if (!after_.shows(item.clock) && !before_.shows(item.clock)) return;
    flush();
    TextRun& run = runs_.emplace_back();
    run.attributes = attributes_;
    if (item.kind == ContentKind::Embed) {
      run.embed = *value_at(store_, item, 0);
    } else {
      run.type = HandleAccess::make(store_, store_.type_of(item));
    }
  }

  void pass_mark(const Item& item) {
    if (!after_.shows(item.clock)) return;
    flush();
    set(store_.keys().text(mark_key(store_, item)), decode_trusted_any(as_bytes(mark_value(store_, item).any)));
  }

  void flush() {
    if (!text_.empty()) runs_.push_back({std::move(text_), {}, std::nullopt, attributes_});
    text_.clear();
  }

  const Any* find(std::string_view name) const {
    for (const Any::Member& member : attributes_) {
      if (member.key == name) return &member.value;
    }
    return nullptr;
  }

  /// As in a JavaScript Map: a known name keeps its place. Null ends an attribute.
  void set(std::string_view name, Any value) {
    const auto at =
        std::find_if(attributes_.begin(), attributes_.end(), [&](const auto& one) { return one.key == name; });
    if (value.is_null()) {
      if (at != attributes_.end()) attributes_.erase(at);
    } else if (at != attributes_.end()) {
      at->value = std::move(value);
    } else {
      attributes_.push_back({std::string(name), std::move(value)});
    }
  }

  static constexpr std::string_view kLabel = "ychange";

  const Store& store_;
  Moment before_;
  Moment after_;
  ChangeLabel label_;
  Attributes attributes_;
  std::string text_;
  std::vector<TextRun> runs_;
};

/// Hands each plain value of the item to `visit(clock, value)`, in one pass.
template <typename Visit>
void for_each_value(const Store& store, const Item& item, Visit&& visit) {
  const ByteView content = store.content(item);
  Cursor in(content);
  Utf16Cutter text(as_text(content));
  for (uint32_t clock = item.clock; clock < item.end(); ++clock) {
    switch (item.kind) {
      case ContentKind::Any: visit(clock, decode_any(in, 0xffffffffu)); break;
      case ContentKind::Json: {
        const std::string_view json = as_text(in.var_bytes());
        visit(clock, json == "undefined" ? Any{} : Any::from_json(json, 0xffffffffu).value_or(Any{}));
        break;
      }
      case ContentKind::String: visit(clock, Any::string(text.take(1))); break;
      case ContentKind::Binary:
      case ContentKind::Embed: visit(clock, *value_at(store, item, 0)); break;
      default: return;
    }
  }
}

/// The item that held the key's value at the snapshot, or None.
ItemRef item_at(const Store& store, ItemRef current, const Snapshot& snapshot) {
  const auto id_of = [&](const Item& item) { return Id{store.client_id(item.client), Clock{item.clock}}; };
  ItemRef at = current;
  while (some(at) && !snapshot.state.contains(id_of(store.item(at)))) at = store.item(at).left;
  return some(at) && snapshot.shows(id_of(store.item(at))) ? at : ItemRef::None;
}

/// The first `units` units of a struct of the store. `kept` owns what had to be cut.
StructView head_of(StructView view, uint32_t units, std::string& kept) {
  if (units >= view.length) return view;
  view.length = units;
  if (view.kind == ContentKind::String) {
    kept = Utf16Cutter(as_text(view.content())).take(units);
    view.set_content(as_bytes(kept));
  } else if (view.kind == ContentKind::Any || view.kind == ContentKind::Json) {
    view.set_content(view.content().first(element_offset(view.kind, view.content(), units)));
  }
  return view;
}

/// The structs below the state vector, and the deletions, as one update v2.
Result<Bytes> update_of(const Store& store, const Snapshot& snapshot) {
  LazyWriter<OutV2> writer;
  const std::vector<StateVector::Entry> entries(snapshot.state.begin(), snapshot.state.end());
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const uint32_t end = entry->clock.value();
    const ClientIndex client = store.find_client(entry->client);
    if (!some(client) || store.state(client) < end) return fail(ErrorCode::NotFound);
    const StructList& structs = store.structs(client);
    for (StructList::Place at = structs.first_place(); structs.is_below(at, end); at = structs.after(at)) {
      std::string kept;
      writer.write(entry->client, head_of(store.view(store.item(structs.ref(at))), end - structs.clock(at), kept), 0);
    }
  }
  return writer.finish(snapshot.deletes);
}

Result<bool> contains(const Snapshot& snapshot, ByteView update, Encoding encoding, const DecodeLimits& limits) {
  DX_TRY(const DecodedUpdate decoded, decode_update(update, encoding, limits));
  for (const ClientBlock& block : decoded.blocks) {
    if (decoded.structs[block.first + block.count - 1].end() > snapshot.state.get(block.client).value()) return false;
  }
  return snapshot.deletes.covers(decoded.deletes);
}

template <typename ReadDeletes>
Result<Snapshot> decode_with(ByteView bytes, ReadDeletes&& read_deletes) {
  Reader in(bytes);
  Snapshot snapshot;
  DX_TRY_VOID(read_deletes(in, snapshot.deletes));
  DX_TRY(snapshot.state, StateVector::decode(in));
  if (!in.at_end()) return fail(ErrorCode::TrailingBytes, in.position());
  return snapshot;
}

}  // namespace

Bytes Snapshot::encode_v1() const {
  Writer out;
  deletes.encode_v1(out);
  state.encode(out);
  return out.take();
}

Bytes Snapshot::encode_v2() const {
  Writer out;
  deletes.encode_v2(out);
  state.encode(out);
  return out.take();
}

Result<Snapshot> Snapshot::decode_v1(ByteView bytes) {
  return decode_with(bytes, [](Reader& in, DeleteSet& out) { return DeleteSet::decode_v1(in, out); });
}

Result<Snapshot> Snapshot::decode_v2(ByteView bytes) {
  return decode_with(bytes, [](Reader& in, DeleteSet& out) { return DeleteSet::decode_v2(in, out); });
}

Snapshot snapshot_of(const Doc& doc) { return {doc.state_vector(), doc.delete_set()}; }

Result<bool> snapshot_contains_v1(const Snapshot& snapshot, ByteView update, const DecodeLimits& limits) {
  return contains(snapshot, update, Encoding::V1, limits);
}

Result<bool> snapshot_contains_v2(const Snapshot& snapshot, ByteView update, const DecodeLimits& limits) {
  return contains(snapshot, update, Encoding::V2, limits);
}

std::vector<TextRun> text_at(const Text& text, const Snapshot& snapshot) {
  return text_between(text, snapshot, snapshot);
}

std::vector<TextRun> text_between(const Text& text, const Snapshot& before, const Snapshot& after, ChangeLabel label) {
  return RunsBuilder(HandleAccess::store(text), before, after, label).build(HandleAccess::type(text));
}

std::optional<Any> value_at(const Map& map, std::string_view key, const Snapshot& snapshot) {
  const Store& store = HandleAccess::store(map);
  const ItemRef at = item_at(store, store.current_item(HandleAccess::type(map), key), snapshot);
  return some(at) ? value_of(store, store.item(at)) : std::nullopt;
}

std::vector<std::pair<std::string, Any>> entries_at(const Map& map, const Snapshot& snapshot) {
  const Store& store = HandleAccess::store(map);
  std::vector<std::pair<std::string, Any>> entries;
  const SharedType& type = store.type(HandleAccess::type(map));
  for (const KeyMap::Entry& entry : type.keys.entries()) {
    const ItemRef at = item_at(store, static_cast<ItemRef>(entry.value), snapshot);
    if (!some(at)) continue;
    if (auto value = value_of(store, store.item(at))) {
      entries.emplace_back(store.keys().text(entry.key), std::move(*value));
    }
  }
  return entries;
}

std::vector<Any> values_at(const Array& array, const Snapshot& snapshot) {
  const Store& store = HandleAccess::store(array);
  std::vector<Any> values;
  Moment moment(snapshot);
  for (ItemRef ref = store.type(HandleAccess::type(array)).start; some(ref); ref = store.item(ref).right) {
    const Item& item = store.item(ref);
    moment.look_at(store.client_id(item.client));
    for_each_value(store, item, [&](uint32_t clock, Any value) {
      if (moment.shows(clock)) values.push_back(std::move(value));
    });
  }
  return values;
}

Result<Doc> doc_from_snapshot(const Doc& doc, const Snapshot& snapshot, const DocOptions& options) {
  const Store& store = DocInternals::store(doc);
  if (store.gc() == Gc::Enabled) return fail(ErrorCode::HistoryCollected);
  DX_TRY(const Bytes update, update_of(store, snapshot));
  Doc result(options);
  DocInternals::store(result).set_limits(kTrusted);  // what this document holds, another one may
  DX_TRY_VOID(result.apply_update_v2(update));
  DocInternals::store(result).set_limits(options.limits);
  return result;
}

}  // namespace diaryx::crdt
