// The slow twin of the engine: a Yjs document in plain lists, straight from the definition. Nothing is fast here and nothing is clever;
// it shares no code with core/crdt but the values (`Any`) and sets (`DeleteSet`, `StateVector`), and reads updates v1 by itself.
//
// 1. Every unit of content is an object of its own: one UTF-16 unit, one element, one map value, one mark. So nothing is ever split,
//    merged or collected, and a run is where each unit has the one before it as its left origin.
// 2. A list is a vector of units in document order, tombstones included. So is the history of each key of a map: the last one counts.
// 3. A unit that cannot be placed yet waits; whenever something was placed, all that wait are tried again.
//
// Source: Yjs 13.6 (src/structs/Item.js, src/types/YText.js); docs/protocol.md.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/crdt/any.h"
#include "diaryx/crdt/delete_set.h"
#include "diaryx/crdt/state_vector.h"

namespace diaryx::testing {

class CrdtTwin {
 public:
  using Attributes = crdt::Any::Object;
  enum class Kind : uint8_t { Array, Map, Text, XmlElement, XmlFragment, XmlHook, XmlText };

  struct Type;
  struct Unit {
    enum class What : uint8_t { Gone, Character, Value, Binary, Embed, Mark, Type, Subdocument };
    crdt::Id id;
    std::optional<crdt::Id> origin;
    std::optional<crdt::Id> right_origin;
    Type* parent = nullptr;  // null: collected by somebody, has no place
    std::string key;  // of a map; see `in_map`
    bool in_map = false;
    bool deleted = false;
    What what = What::Gone;
    char16_t character = 0;
    crdt::Any value;  // of Value, Binary, Embed, Mark, Subdocument
    std::string mark;  // name of the attribute
    Type* type = nullptr;  // of a Type
  };
  struct Type {
    Kind kind;
    Unit* container = nullptr;  // null for a root
    std::vector<Unit*> list;
    std::map<std::string, std::vector<Unit*>> keys;
  };

  explicit CrdtTwin(ClientId client) : client_(client) {}
  CrdtTwin(const CrdtTwin&) = delete;
  CrdtTwin& operator=(const CrdtTwin&) = delete;

  /// The root of that name, made if there is none.
  Type& root(std::string_view name, Kind kind);

  // Local edits, as Yjs does them. Indices are inside the list.
  void insert(Type& list, size_t index, const std::vector<crdt::Any>& values);
  void push(Type& list, const std::vector<crdt::Any>& values);
  Type& insert_type(Type& list, size_t index, Kind kind);
  void erase(Type& list, size_t index, size_t count);
  void set(Type& map, const std::string& key, const crdt::Any& value);
  Type& set_type(Type& map, const std::string& key, Kind kind);
  void erase_key(Type& map, const std::string& key);
  /// Without `attributes` those of the left neighbour are taken over.
  void insert_text(Type& text, size_t index, std::string_view utf8,
                   std::optional<Attributes> attributes = std::nullopt);
  void insert_embed(Type& text, size_t index, const crdt::Any& value, const Attributes& attributes);
  void format(Type& text, size_t index, size_t length, const Attributes& attributes);
  void erase_text(Type& text, size_t index, size_t length);

  /// Integrates a valid update v1; ends the process on one that is not.
  void apply(ByteView update);

  // What is seen.
  static size_t length(const Type& list);
  static const Unit* unit_at(const Type& list, size_t index);
  /// The current unit of the key, null if it is deleted or was never set.
  static const Unit* current(const Type& map, const std::string& key);
  /// Everything visible below the root, as one text. Runs of a text with equal attributes are one run.
  static std::string dump(const Type& type);
  crdt::StateVector state_vector() const;
  crdt::DeleteSet delete_set() const;

 private:
  struct Position {  // in a text: a gap, and the attributes there
    size_t at = 0;
    Attributes attributes;
  };
  class UpdateReader;

  Unit* find(crdt::Id id);
  Clock next_clock(ClientId client) const;
  bool is_ready(const Unit& unit, const std::optional<crdt::Id>& parent) const;
  void place(Unit unit, const std::optional<crdt::Id>& parent);
  void integrate(Unit& unit);
  void integrate_what_waits();
  void remove(Unit& unit);
  Unit make(Type& parent) const;
  Unit& insert_local(Type& list, size_t gap, Unit unit);
  Unit& set_local(Type& map, const std::string& key, Unit unit);
  Type& new_type(Unit& unit, Kind kind);
  static size_t gap_before(const Type& list, size_t index);

  static void step(const Type& text, Position& position);
  static Position position_at(const Type& text, size_t index);
  static void minimize(const Type& text, Position& position, const Attributes& attributes);
  Attributes insert_marks(Type& text, Position& position, const Attributes& attributes);
  void insert_negated(Type& text, Position& position, Attributes negated);
  void insert_mark(Type& text, Position& position, const std::string& key, const crdt::Any& value);
  void insert_content(Type& text, Position& position, std::vector<Unit> content, Attributes attributes);
  void clean_up_gap(Type& text, size_t start, size_t current, const Attributes& before, Attributes& after);

  struct Waiting {
    Unit unit;
    std::optional<crdt::Id> parent;
  };

  ClientId client_;
  std::map<ClientId, std::deque<Unit>> units_;  // per client by clock, without a hole; units never move
  std::deque<Type> types_;
  std::map<std::string, Type*, std::less<>> roots_;
  std::map<ClientId, std::map<Clock, Waiting>> waiting_;
  crdt::DeleteSet waiting_deletes_;
};

}  // namespace diaryx::testing
