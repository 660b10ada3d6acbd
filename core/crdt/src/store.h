// The store behind a Doc: structs by client, lists by type, and the transaction that is open. Private to the engine.
//
// Invariants (checked by `check`):
// 1. Per client the structs are contiguous from clock 0 and not empty.
// 2. List links are symmetric; the leftmost item is its type's `start`, or the leftmost of its key.
// 3. A type's `length` is the sum of the visible lengths of its list items.
// 4. A type's current item of a key is the rightmost of that key's list, and the only one that may be live (but see `was_split`).
// 5. No live item lies in a deleted one.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "byte_heap.h"
#include "diaryx/base/inline_vector.h"
#include "diaryx/crdt/doc.h"
#include "item.h"
#include "key_table.h"
#include "list_index.h"
#include "shared_type.h"
#include "struct_list.h"
#include "update_out.h"
#include "update_reader.h"

namespace diaryx::crdt {

/// A gap in a list: what is new goes between `left` and `right`.
struct Gap {
  ItemRef left = ItemRef::None;
  ItemRef right = ItemRef::None;
};

/// Whether observers, undo managers and the clean-up of marks are in this build. The guest uses none of them, and leaves out what
/// transactions do for them alone.
#ifdef DX_CRDT_WITHOUT_OBSERVERS
inline constexpr bool kHasObservers = false;
#else
inline constexpr bool kHasObservers = true;
#endif

struct Listeners;
struct UndoState;
struct UndoStep;
struct UndoOptions;

class Store {
 public:
  explicit Store(const DocOptions& options);
  ~Store();

  // ---- clients ------------------------------------------------------------------------------------------------------
  ClientIndex client_index(ClientId id);  // new or known
  ClientIndex find_client(ClientId id) const;  // None if unknown
  ClientId client_id(ClientIndex client) const { return clients_[raw(client)].id; }
  uint32_t state(ClientIndex client) const { return clients_[raw(client)].structs.state(); }
  uint32_t state(ClientId id) const;
  StateVector state_vector() const;
  DeleteSet delete_set() const;

  // ---- structs ------------------------------------------------------------------------------------------------------
  Item& item(ItemRef ref) { return items_[ref]; }
  const Item& item(ItemRef ref) const { return items_[ref]; }
  /// The same where nothing near it was asked for before.
  const Item& far_item(ItemRef ref) const { return items_.far(ref); }
  ByteView content(const Item& item) const { return heap_.view(item.content, item.content_bytes); }
  /// What readers of a text see of an item; maybe nothing. Where it lies `ByteHeap::kSlack` bytes can be read.
  ByteView visible_text(const Item& item) const {
    static constexpr uint8_t kNothing[ByteHeap::kSlack] = {};
    const bool is_seen = (item.kind == ContentKind::String) & !item.deleted();
    return {is_seen ? heap_.data(item.content) : kNothing, is_seen ? item.content_bytes : 0};
  }
  /// The struct that contains the id, which is known.
  ItemRef find(LocalId id) const;
  /// The struct that begins (ends) with the id; splits an item where needed, never a collected range.
  ItemRef clean_start(LocalId id);
  ItemRef clean_end(LocalId id);
  /// Splits `left` so that it keeps `at` units (0 < at < length) and returns the right part.
  ItemRef split(ItemRef left, uint32_t at);
  /// The same where the halves can never be one item again: what stands between them stays.
  ItemRef split_for_good(ItemRef left, uint32_t at);
  /// The same for who knows where `left` stands among the structs of its client. Returns where the right part stands.
  StructList::Place split_at(StructList::Place place, ItemRef left, uint32_t at);

  // ---- types --------------------------------------------------------------------------------------------------------
  SharedType& type(TypeRef ref) { return types_[ref]; }
  const SharedType& type(TypeRef ref) const { return types_[ref]; }
  const SharedType& far_type(TypeRef ref) const { return types_.far(ref); }
  TypeRef root(std::string_view name, TypeKind kind);
  TypeRef find_root(std::string_view name) const;  // None if unknown
  /// A type that is in no document, for edits that cannot be made.
  TypeRef detached_type(TypeKind kind);
  TypeRef type_of(const Item& item) const { return static_cast<TypeRef>(item.content); }
  bool is_live(TypeRef ref) const {
    const SharedType& at = types_[ref];
    return at.is_root || (some(at.item) && !items_[at.item].deleted());
  }
  KeyTable& keys() { return keys_; }
  const KeyTable& keys() const { return keys_; }
  std::span<const TypeRef> roots() const { return roots_; }

  // ---- edits; a transaction must be open --------------------------------------------------------------------------
  /// A new item of this client in the gap. `content` is copied. Nothing is checked: the caller has asked `has_room`.
  ItemRef insert(TypeRef parent, Gap gap, KeyRef sub, ContentKind kind, uint32_t length, ByteView content);
  ItemRef insert_type(TypeRef parent, Gap gap, KeyRef sub, TypeKind kind, std::string_view name = {});
  ItemRef insert_embed(TypeRef parent, Gap gap, ByteView any);
  /// `identity` 0: a plain value, or an object that is new here.
  ItemRef insert_mark(TypeRef parent, Gap gap, KeyRef key, ByteView any, uint32_t identity);
  /// A fresh identity for an object value.
  uint32_t new_identity() { return ++last_identity_; }
  void erase(ItemRef ref);
  /// False when every text of the document is ASCII, so that units are characters.
  bool has_wide_text() const { return has_wide_text_; }
  /// True if this client can make `units` more units with `bytes` of content.
  bool has_room(uint64_t units, size_t bytes) const {
    return units < 0xffffffffu - state(own_) && heap_.has_room(bytes);
  }
  /// Adds text or values of its client to the end of `left` if an item inserted there would be merged with it anyway; false if it would not.
  bool extend_item(ItemRef left, ContentKind kind, uint32_t length, ByteView content);
  /// The same of this client.
  bool extend_own_item(ItemRef left, ContentKind kind, uint32_t length, ByteView content) {
    return some(left) && items_[left].client == own_ && extend_item(left, kind, length, content);
  }

  // ---- lists (list_ops.cpp) -----------------------------------------------------------------------------------------
  /// The gap directly right of visible unit `at` - 1: before the tombstones that follow it. Splits. `at` is at most the length.
  Gap gap_at(TypeRef type, uint32_t at);
  /// The same where something is certain to be inserted, which keeps the halves of a split item apart.
  Gap gap_to_fill(TypeRef type, uint32_t at);
  /// The item that holds visible unit `unit` and the units before it in the item; None when past the end.
  struct Found {
    ItemRef item = ItemRef::None;
    uint32_t offset = 0;
  };
  Found find_unit(TypeRef type, uint32_t unit) {
    // Nearly always it is in the item of the last edit.
    const SharedType& at = types_[type];
    const uint32_t offset = unit - at.cursor_start;
    if (some(at.cursor_item) && offset < items_[at.cursor_item].visible()) [[likely]]
      return {at.cursor_item, offset};
    return walk_to_unit(type, unit);
  }
  uint32_t start_of(ItemRef ref);
  /// Whether marks inside an erased range stay: texts keep them, lists have no use for them.
  enum class Keep : uint8_t { Nothing, Marks };
  void erase_units(TypeRef type, uint32_t at, uint32_t count, Keep keep);
  /// The gap behind the last item of all, tombstones included.
  Gap gap_at_end(TypeRef type);
  void set_cursor(TypeRef type, ItemRef ref, uint32_t start) {
    types_[type].cursor_item = ref;
    types_[type].cursor_start = start;
  }

  // ---- texts (text_ops.cpp) -------------------------------------------------------------------------------------------
  /// For a text without marks; `at` is at most the length. See TextEditor for the others.
  void insert_text(TypeRef type, uint32_t at, std::string_view utf8, uint32_t units);

  void insert_text_inheriting(TypeRef type, uint32_t at, std::string_view utf8, uint32_t units);
  /// What is beyond the end is left out. Marks that the deletion makes useless go too.
  void erase_text(TypeRef type, uint32_t at, uint32_t count);

  // ---- maps and arrays (map_ops.cpp) ----------------------------------------------------------------------------------
  ItemRef current_item(TypeRef type, std::string_view key) const;
  void set_key(TypeRef type, std::string_view key, const Any& value);
  TypeRef set_key_type(TypeRef type, std::string_view key, TypeKind kind, std::string_view name = {});
  void insert_values(TypeRef type, Gap gap, std::span<const Any> values);

  // ---- observers (events.cpp) -----------------------------------------------------------------------------------------
  Observer observe(TypeRef type, bool deep);
  void stop_observing(uint32_t number);
  /// Made at first use.
  Listeners& listeners();

  // ---- subdocuments (subdocuments.cpp) --------------------------------------------------------------------------------
  ItemRef insert_subdocument(TypeRef parent, Gap gap, KeyRef sub, const NewSubdocument& subdocument);
  Subdocument subdocument(const Item& item) const;
  std::vector<Subdocument> subdocuments() const;
  void want_subdocument(Id id, bool wanted);

  // ---- transactions (commit.cpp) ------------------------------------------------------------------------------------
  void begin(TransactionOrigin origin, std::string_view tag = {});
  /// `result` is fresh.
  void commit(Commit& result);

  // ---- undo (undo.cpp) ------------------------------------------------------------------------------------------------
  size_t track_undo(const UndoOptions& options);
  /// Null once it was stopped.
  UndoState* find_undo(size_t manager);
  void stop_undo(size_t manager);
  void forget_steps(UndoState& undo, UndoManager::Stack stack);
  Commit undo(size_t index, bool redo, UndoManager::Filter may_delete);
  void set_now(TimestampMs now) { now_ = now; }
  void leave_out_of_undo();

  // ---- updates (apply.cpp, encode.cpp) --------------------------------------------------------------------------------
  /// `owned`, if there is one, holds `bytes`, and may be emptied.
  Result<Commit> apply(ByteView bytes, Encoding encoding, TransactionOrigin origin, std::string_view tag = {},
                       Bytes* owned = nullptr);
  Bytes encode(const StateVector& known, Encoding encoding) const;
  bool has_pending() const { return !pending_update_.empty() || !pending_deletes_.empty(); }
  StateVector missing() const;
  /// A struct as an update would name it; points into the store.
  StructView view(const Item& item) const;

  // ---- looking in (snapshot.cpp, relative_position.cpp) -----------------------------------------------------------------
  const StructList& structs(ClientIndex client) const { return clients_[raw(client)].structs; }
  /// The id under which a deleted item came back; none if it did not.
  LocalId redone_as(ItemRef ref) const;
  Gc gc() const { return options_.gc; }

  bool is_empty() const;
  uint32_t transaction_count() const { return epoch_; }
  size_t struct_count() const;
  size_t memory_bytes() const;
  void check() const;
  bool was_split(const Item& item) const;

  ClientId own_client() const { return client_id(own_); }
  void set_own_client(ClientId id);
  bool own_client_is_taken() const { return own_taken_; }
  const DecodeLimits& limits() const { return options_.limits; }
  void set_limits(const DecodeLimits& limits) { options_.limits = limits; }
  bool splits_pairs() const { return options_.pairs == SurrogatePairs::Split; }

 private:
  struct Client {
    ClientId id;
    StructList structs;
    uint32_t before = 0;  // state when transaction `touched_in` began
    uint32_t touched_in = 0;  // the last transaction that added structs
    uint32_t arrival = 0;  // 1 for the client whose first struct came first, and so on
    uint32_t first_deleted = 0;  // while `deleted_` is sorted: where its first range stood
  };
  struct Deleted {
    ClientIndex client;
    uint32_t clock;
    uint32_t length;
    uint32_t end() const { return clock + length; }
  };
  struct Change {
    TypeRef type;
    KeyRef key;  // None: the list
  };
  struct Missing {
    ClientId client;
    uint32_t clock;  // the state must grow beyond it
  };

  // integrate.cpp
  void integrate(ItemRef ref);
  void find_place_among_conflicts(Item& item);
  bool find_place_among_first_writers(Item& item);
  void link(ItemRef ref);
  void append_struct(ItemRef ref);
  void append_gc(ClientIndex client, uint32_t length);
  ItemRef leftmost_of_key(const SharedType& type, KeyRef key) const;
  bool is_typed_beside(const Item& item) const;
  TypeRef make_type(ItemRef container, TypeKind kind, std::string_view name);
  /// The client is about to get structs.
  void touch(ClientIndex client) {
    Client& at = clients_[raw(client)];
    if (at.touched_in != epoch_) touch_first(client, at);
  }
  void touch_first(ClientIndex client, Client& at);
  uint32_t before(ClientIndex client) const;
  void note_change(TypeRef type, KeyRef key) {
    if (some(key) || types_[type].changed_in != epoch_) note_first_change(type, key);
  }
  void note_first_change(TypeRef type, KeyRef key);
  void note_deleted(const Item& item) { note_deleted({item.client, item.clock, item.length}); }
  void note_deleted(const Deleted& range);
  void list_changed(SharedType& type) { type.cursor_item = ItemRef::None; }
  /// The value of an Embed or Format with its key and identity before it; an object without identity gets a new one.
  Bytes with_prefix(ContentKind kind, KeyRef key, ByteView any, uint32_t identity = 0);
  void cut_content(Item& left, Item& right, uint32_t at);
  void drop_content(Item& item);

  // list_ops.cpp
  template <ItemRef (Store::*Split)(ItemRef, uint32_t)>
  Gap gap_after_split(TypeRef type, uint32_t at);
  Found walk_to_unit(TypeRef type, uint32_t unit);
  bool collects_at_once(const SharedType& type) const { return collects_at_once_ && !type.has_formatting; }
  void bury_units(TypeRef type, uint32_t at, uint32_t count);
  ItemRef bury_part(StructList::Place place, ItemRef ref, uint32_t offset, uint32_t count);
  ItemRef bury(StructList::Place place, ItemRef ref);
  void count_out(ItemRef ref, uint32_t count);
  bool is_tombstone_before(ItemRef left, const Item& item) const;
  bool is_tombstone_behind(ItemRef right, const Item& item) const;

  // apply.cpp
  static constexpr size_t kLoadedStructs = 256;  // in one update: a document that is loaded
  void take_over(DecodedUpdate& update, Bytes& bytes);
  void reserve_for(const DecodedUpdate& update);
  DeleteSet apply_deletes(const DeleteSet& deletes);
  std::optional<StructList::Place> delete_range(ClientIndex client, std::optional<StructList::Place> near,
                                                uint32_t clock, uint32_t stop);
  LocalId local(uint64_t client, uint32_t clock) const { return {find_client(ClientId{client}), clock}; }

  // integration.cpp
  class Integration;
  void apply_decoded(DecodedUpdate& update);
  static void keep_lowest(std::vector<Missing>& missing);
  std::optional<ClientId> missing_dependency(ClientIndex client, const StructView& view) const;
  ItemSlab::Added new_item(ClientIndex client, const StructView& view);
  bool integrate_plain(ClientIndex client, const StructView& view, bool is_typed);
  /// The map that an update named last.
  struct MapParent {
    uint64_t client = 0;
    uint32_t clock = 0;
    ItemRef item = ItemRef::None;
    TypeRef type = TypeRef::None;
    bool is_root = false;
    bool is_new = false;  // made in this transaction: changes inside are not told
  };
  SharedType* parent_of_first(const StructView& view, MapParent& last);
  bool integrate_first_of_key(ClientIndex client, const StructView& view, MapParent& last_parent);

  // integrate_struct.cpp
  void integrate_view(ClientIndex client, const StructView& view, uint32_t offset);
  void split_at_origins(const StructView& view);
  void store_content(Item& item, const StructView& view);
  /// The key of a struct with `kHasSub`.
  KeyRef key_of(const StructView& view) { return some(view.sub_key) ? view.sub_key : keys_.intern(view.sub()); }

  // events.cpp, subdocuments.cpp
  class EventBuilder;
  void tell_listeners(Commit& commit);
  void tell_subdocuments(Commit& commit);
  void subdocument_added(const Item& item);
  void subdocument_removed(const Item& item);

  // undo.cpp
  void capture_for_undo(UndoState& undo);
  class Scope;
  size_t undo_bytes() const;
  std::vector<ItemRef> items_of(const DeleteSet& ids);
  void keep_item(ItemRef ref, bool keep);
  ItemRef follow_redone(ItemRef ref);
  ItemRef newest_copy(ItemRef ref);
  ItemRef copy_within(ItemRef ref, TypeRef parent);
  ItemRef redo_item(UndoState& undo, ItemRef ref, const std::vector<ItemRef>& all_sorted, const DeleteSet& insertions);
  bool take_back(UndoState& undo, const UndoStep& step, UndoManager::Filter may_delete);
  UndoDeletion undo_deletion(const Item& item) const;

  // clean_up.cpp
  bool wants_clean_up() const {
    return kHasObservers && options_.marks == MarksAfterRemote::CleanUp && origin_ != TransactionOrigin::Local &&
           changed_marked_text();
  }
  bool changed_marked_text() const;
  void clean_up_marks(const std::vector<Deleted>& deleted);
  void clean_up_around(ItemRef ref);
  void clean_up_front(TypeRef ref);

  // commit.cpp
  void sort_deleted();
  void forget_long_lists();
  bool is_keystroke() const;
  void commit_keystroke(Commit& result);
  void commit_all(Commit& result);
  void encode_changes(Commit& commit);
  void describe_changes(Commit& commit);
  void collect_garbage();
  void collect(ItemRef ref);
  void merge_after_transaction();
  void merge_new_structs(Client& client);
  struct Merged {
    StructList::Place into;
    size_t count = 0;  // of the structs that are gone
  };
  Merged merge_with_lefts(Client& client, StructList::Place place);
  bool merge(ItemRef left, ItemRef right);
  /// Whether the struct can ever be merged with the one before it; most cannot.
  static bool may_join(const Item& item) {
    return item.is_gc() || (can_merge(item.kind) && item.origin == LocalId{item.client, item.clock - 1});
  }
  /// Whether it can be merged with `left`, which is that one, as both are now. Whoever wrote an update has merged it, so they nearly never
  /// can; and what they are changes only by a deletion, after which the commit looks at all again, or which merges by itself (`bury`).
  static bool may_join(const Item& left, const Item& item) {
    return left.kind == item.kind && left.deleted() == item.deleted() && may_join(item) &&
           left.right_origin == item.right_origin;
  }
  void compact_heap();

  // encode.cpp
  struct ClientFrom {
    ClientIndex client;
    uint32_t clock;
  };
  template <typename Out>
  void write_plain(Out& out, const Item& item, LocalId origin, uint32_t offset) const;
  template <typename Out>
  void write_item(Out& out, ClientId client, const Item& item) const;
  template <typename Out>
  void write_rest(Out& out, ClientId client, const Item& item, uint32_t offset) const;
  template <typename Out>
  void write_client(Out& out, const Client& client, uint32_t from) const;
  template <typename Out>
  void write_clients(Out& out, std::span<const ClientFrom> clients) const;
  template <typename Out>
  void write_all(Out& out, std::span<const ClientFrom> clients, const DeleteSet& deletes) const;
  Bytes encode_transaction(std::span<const ClientFrom> clients, const DeleteSet& deletes);
  Bytes pass_on(const DeleteSet& deletes);
  bool emits_v1() const { return static_cast<uint8_t>(options_.emit) & static_cast<uint8_t>(Emit::Updates); }
  Bytes encode_structs(std::span<const ClientFrom> clients, const DeleteSet& deletes, Encoding encoding) const;
  /// An empty place for values on their way into the store; who used it says `clear_for_next`.
  Sink& scratch() { return transaction_out_.rest(); }
  KeyRef format_key(const Item& item) const {
    KeyRef key;
    memcpy(&key, content(item).data(), 4);
    return key;
  }

  DocOptions options_;
  ItemSlab items_;
  TypeSlab types_;
  ByteHeap heap_;
  KeyTable keys_;
  std::vector<Client> clients_;
  std::vector<ClientIndex> client_order_;  // ascending by id
  mutable ClientIndex last_client_ = ClientIndex::None;
  std::vector<TypeRef> roots_;  // in order of first mention
  KeyMap root_by_name_;
  ClientIndex own_ = ClientIndex::None;
  bool own_taken_ = false;
  bool has_wide_text_ = false;
  // The last values that were joined: where the right ones begin. Appending one value after the other to an array makes one long item,
  // and values have to be walked to be found.
  struct JoinedValues {
    uint32_t content = 0;  // of the item
    uint32_t units = 0;
    uint32_t bytes = 0;
  };
  JoinedValues joined_values_;
  uint32_t scan_ = 0;  // steps of all conflict scans
  std::vector<uint32_t>
      stamps_;  // by ItemRef: the step that last saw the item; empty until somebody writes concurrently
  uint32_t last_identity_ = 0;  // of object values in Embed and Format: JavaScript compares them by identity

  // The open transaction.
  bool open_ = false;
  bool collects_at_once_ = false;  // nobody asks for deleted content again, so tombstones are made as units are deleted
  bool unsettled_ = false;  // something may be collected or merged at the end
  bool joins_new_ = false;  // among it new structs, apart from those that the two lists below name
  bool joins_deleted_ = false;  // among it old structs beside those that were deleted
  TransactionOrigin origin_ = TransactionOrigin::Local;
  std::string tag_;  // who, for undo managers
  uint32_t epoch_ = 0;  // number of the transaction
  InlineVector<ClientIndex, 2> touched_;
  uint32_t arrivals_ = 0;
  std::vector<Deleted> deleted_;
  std::vector<ItemRef> garbage_;  // deleted items that still have their content; empty where nothing is collected
  std::vector<LocalId> merge_candidates_;  // split off, or children of what was deleted
  std::vector<ItemRef> joinable_;  // new, and one with the struct before it unless something came between them
  InlineVector<Change, 1> changes_;
  // The structs of an update v1 that is applied, while nothing speaks against writing them to the event as they came: each became a
  // struct of the store as it was, none was here, waits, or was cut or joined. What deletes old structs changes none of them.
  // It lives as long as `apply`; null from the next `begin` on.
  struct AsCame {
    ByteView structs = {};
    Bytes* owned = nullptr;  // holds them, with more behind them, and may be emptied
  };
  AsCame* as_came_ = nullptr;
  OutV1 transaction_out_;  // kept, as updates and values are small and many; empty between uses

  std::unique_ptr<Listeners> listeners_;  // null while nobody listens
  std::vector<std::unique_ptr<UndoState>> undo_;  // those that were not stopped
  size_t last_manager_ = 0;  // how many there ever were
  std::map<uint32_t, LocalId> redone_;  // by ItemRef, for items with kRedone
  TimestampMs now_{0};

  // What waits for something that has not arrived.
  std::vector<Missing> missing_;  // as Yjs tells it
  std::vector<Missing> held_up_;  // what those lack that wait for others of `pending_update_`
  Bytes pending_update_;  // v2; empty when nothing waits
  DeleteSet pending_deletes_;
};

/// The way in for parts of the engine that are given a Doc.
struct DocInternals {
  static Store& store(Doc& doc) { return *doc.store_; }
  static const Store& store(const Doc& doc) { return *doc.store_; }
};

}  // namespace diaryx::crdt
