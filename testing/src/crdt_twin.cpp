#include "diaryx/testing/crdt_twin.h"

#include <algorithm>
#include <set>

#include "diaryx/base/utf.h"

namespace diaryx::testing {
namespace {

using crdt::Any;
using crdt::Id;
using Attributes = CrdtTwin::Attributes;
using Unit = CrdtTwin::Unit;
using What = CrdtTwin::Unit::What;

/// What a valid update says; the twin does not meet others.
template <typename T>
T must(Result<T> result) {
  DX_ASSERT(result.has_value());
  return *std::move(result);
}

bool counts(const Unit& unit) { return !unit.deleted && unit.what != What::Mark; }
bool is_mark(const Unit& unit) { return !unit.deleted && unit.what == What::Mark; }

const Any* find_in(const Attributes& attributes, const std::string& key) {
  for (const Any::Member& member : attributes) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Any get(const Attributes& attributes, const std::string& key) {
  const Any* found = find_in(attributes, key);
  return found == nullptr ? Any::null() : *found;
}

void erase(Attributes& attributes, const std::string& key) {
  std::erase_if(attributes, [&](const Any::Member& member) { return member.key == key; });
}

/// As a JavaScript Map: a known key keeps its place.
void put(Attributes& attributes, const std::string& key, const Any& value) {
  for (Any::Member& member : attributes) {
    if (member.key == key) return void(member.value = value);
  }
  attributes.push_back({key, value});
}

void fold(Attributes& attributes, const Unit& mark) {
  if (mark.value.is_null()) return erase(attributes, mark.mark);
  put(attributes, mark.mark, mark.value);
}

std::u16string to_utf16_units(std::string_view text) {
  std::u16string units;
  for (size_t at = 0; at < text.size(); at += utf8_sequence_length(text[at])) {
    const char32_t scalar = scalar_at(text, at);
    if (scalar >= 0x10000) units += static_cast<char16_t>(0xd7c0 + (scalar >> 10));
    units += static_cast<char16_t>(scalar >= 0x10000 ? 0xdc00 + (scalar & 0x3ff) : scalar);
  }
  return units;
}

std::string to_utf8_text(const std::u16string& units) {
  std::string text;
  for (size_t i = 0; i < units.size(); ++i) {
    char32_t scalar = units[i];
    const bool is_pair =
        scalar >= 0xd800 && scalar < 0xdc00 && i + 1 < units.size() && units[i + 1] >= 0xdc00 && units[i + 1] < 0xe000;
    if (is_pair) scalar = ((scalar - 0xd7c0) << 10) + (units[++i] - 0xdc00u);
    append_utf8(text, scalar);
  }
  return text;
}

std::vector<Unit> units_of_text(std::string_view utf8) {
  std::vector<Unit> units;
  for (const char16_t character : to_utf16_units(utf8)) {
    Unit& unit = units.emplace_back();
    unit.what = What::Character;
    unit.character = character;
  }
  return units;
}

Unit unit_of_value(const Any& value) {
  Unit unit;
  unit.what = value.as_bytes() ? What::Binary : What::Value;
  unit.value = value;
  return unit;
}

}  // namespace

// --- the store ---

CrdtTwin::Type& CrdtTwin::root(std::string_view name, Kind kind) {
  const auto known = roots_.find(name);
  if (known != roots_.end()) return *known->second;
  types_.push_back({kind, nullptr, {}, {}});
  roots_.emplace(name, &types_.back());
  return types_.back();
}

CrdtTwin::Unit* CrdtTwin::find(Id id) {
  const auto client = units_.find(id.client);
  if (client == units_.end() || id.clock.value() >= client->second.size()) return nullptr;
  return &client->second[id.clock.value()];
}

Clock CrdtTwin::next_clock(ClientId client) const {
  const auto known = units_.find(client);
  return Clock{known == units_.end() ? 0 : static_cast<uint32_t>(known->second.size())};
}

CrdtTwin::Type& CrdtTwin::new_type(Unit& unit, Kind kind) {
  types_.push_back({kind, &unit, {}, {}});
  unit.type = &types_.back();
  return types_.back();
}

bool CrdtTwin::is_ready(const Unit& unit, const std::optional<Id>& parent) const {
  const auto known = [this](const std::optional<Id>& id) { return !id || id->clock < next_clock(id->client); };
  return unit.id.clock == next_clock(unit.id.client) && known(unit.origin) && known(unit.right_origin) && known(parent);
}

/// Everything it refers to is here.
void CrdtTwin::place(Unit unit, const std::optional<Id>& parent) {
  const Unit* left = unit.origin ? find(*unit.origin) : nullptr;
  const Unit* right = unit.right_origin ? find(*unit.right_origin) : nullptr;
  const Unit* neighbour = left ? left : right;
  if (neighbour != nullptr) {
    unit.parent = neighbour->parent;
    unit.in_map = neighbour->in_map;
    unit.key = neighbour->key;
    if (right != nullptr && right->parent == nullptr) unit.parent = nullptr;
  } else if (parent) {
    unit.parent = find(*parent)->type;
  }
  if (unit.parent == nullptr) {
    unit.what = What::Gone;
    unit.deleted = true;
  }
  std::deque<Unit>& store = units_[unit.id.client];
  store.push_back(std::move(unit));
  Unit& placed = store.back();
  if (placed.type != nullptr) placed.type->container = &placed;
  if (placed.parent != nullptr) integrate(placed);
}

/// The rule that puts concurrent units into one order everywhere.
void CrdtTwin::integrate(Unit& unit) {
  std::vector<Unit*>& list = unit.in_map ? unit.parent->keys[unit.key] : unit.parent->list;
  const auto place_of = [&](const std::optional<Id>& id) {
    return static_cast<size_t>(std::find(list.begin(), list.end(), find(*id)) - list.begin());
  };
  size_t gap = unit.origin ? place_of(unit.origin) + 1 : 0;
  const size_t right = unit.right_origin ? place_of(unit.right_origin) : list.size();
  std::set<const Unit*> conflicting;
  std::set<const Unit*> before_origin;
  for (size_t at = gap; at < list.size() && at != right; ++at) {
    const Unit* other = list[at];
    before_origin.insert(other);
    conflicting.insert(other);
    if (other->origin == unit.origin) {
      if (other->id.client < unit.id.client) {
        gap = at + 1;
        conflicting.clear();
      } else if (other->right_origin == unit.right_origin) {
        break;
      }
    } else if (other->origin && before_origin.contains(find(*other->origin))) {
      if (!conflicting.contains(find(*other->origin))) {
        gap = at + 1;
        conflicting.clear();
      }
    } else {
      break;
    }
  }
  list.insert(list.begin() + static_cast<ptrdiff_t>(gap), &unit);

  const bool is_last = gap + 1 == list.size();
  if (unit.in_map && is_last && gap > 0) remove(*list[gap - 1]);  // the value that this one replaces
  const bool parent_is_gone = unit.parent->container != nullptr && unit.parent->container->deleted;
  if (parent_is_gone || (unit.in_map && !is_last)) remove(unit);
}

void CrdtTwin::remove(Unit& unit) {
  if (unit.deleted) return;
  unit.deleted = true;
  if (unit.type == nullptr) return;
  for (Unit* child : unit.type->list) remove(*child);
  for (const auto& [key, history] : unit.type->keys) remove(*history.back());
}

void CrdtTwin::integrate_what_waits() {
  for (bool again = true; again;) {
    again = false;
    for (auto& [client, waiting] : waiting_) {
      while (!waiting.empty() && waiting.begin()->first < next_clock(client)) waiting.erase(waiting.begin());
      while (!waiting.empty() && is_ready(waiting.begin()->second.unit, waiting.begin()->second.parent)) {
        Waiting next = std::move(waiting.begin()->second);
        waiting.erase(waiting.begin());
        place(std::move(next.unit), next.parent);
        again = true;
      }
    }
  }
  crdt::DeleteSet later;
  for (const auto& [client, ranges] : waiting_deletes_.clients()) {
    for (const crdt::ClockRange& range : ranges) {
      for (Clock clock = range.start; clock < range.end(); clock = clock + Length{1}) {
        if (Unit* unit = find({client, clock})) {
          remove(*unit);
        } else {
          later.add(client, clock, Length{1});
        }
      }
    }
  }
  waiting_deletes_ = std::move(later);
}

// --- updates v1 ---

class CrdtTwin::UpdateReader {
 public:
  UpdateReader(CrdtTwin& twin, ByteView update) : twin_(twin), in_(update) {}

  void read() {
    for (uint64_t blocks = number(); blocks > 0; --blocks) {
      uint64_t structs = number();
      const ClientId client{number()};
      Clock clock{static_cast<uint32_t>(number())};
      for (; structs > 0; --structs) clock = clock + read_struct({client, clock});
    }
    crdt::DeleteSet deletes;
    DX_ASSERT(crdt::DeleteSet::decode_v1(in_, deletes).has_value());
    twin_.waiting_deletes_.merge(deletes);
  }

 private:
  uint64_t number() { return must(in_.var_uint()); }
  Length length() { return Length{static_cast<uint32_t>(number())}; }
  std::string string() { return std::string(must(in_.var_string())); }
  Any any() { return must(Any::decode(in_)); }
  Any json() { return must(Any::from_json(string())); }
  Id id() {
    const ClientId client{number()};
    return {client, Clock{static_cast<uint32_t>(number())}};
  }

  Length read_struct(Id first) {
    const uint8_t info = must(in_.u8());
    const uint8_t content = info & 0x1f;
    if (content == 10) return length();  // Skip: a hole
    Unit model;
    std::optional<Id> parent;
    if (content != 0) {
      if (info & 0x80) model.origin = id();
      if (info & 0x40) model.right_origin = id();
      if ((info & 0xc0) == 0) {
        if (number() == 1) {
          model.parent = &twin_.root(string(), Kind::Array);
        } else {
          parent = id();
        }
        if (info & 0x20) {
          model.in_map = true;
          model.key = string();
        }
      }
    }
    const std::vector<Unit> units = read_content(content);
    for (size_t i = 0; i < units.size(); ++i) {
      Unit unit = units[i];
      unit.id = {first.client, first.clock + Length{static_cast<uint32_t>(i)}};
      unit.origin = model.origin;
      unit.right_origin = model.right_origin;
      unit.parent = model.parent;
      unit.in_map = model.in_map;
      unit.key = model.key;
      twin_.waiting_[first.client].try_emplace(unit.id.clock, Waiting{unit, parent});
      if (content != 0) model.origin = unit.id;  // the next one was born right of this one
    }
    return Length{static_cast<uint32_t>(units.size())};
  }

  std::vector<Unit> read_content(uint8_t content) {
    Unit unit;
    switch (content) {
      case 0:
      case 1: {
        unit.deleted = true;
        return std::vector<Unit>(length().value(), unit);
      }
      case 2: {
        std::vector<Unit> units;
        for (uint64_t count = number(); count > 0; --count) {
          const std::string text = string();
          units.push_back(unit_of_value(text == "undefined" ? Any::undefined() : must(Any::from_json(text))));
        }
        return units;
      }
      case 3: return {unit_of_value(Any::bytes(to_bytes(must(in_.var_bytes()))))};
      case 4: return units_of_text(string());
      case 5:
        unit.what = What::Embed;
        unit.value = json();
        return {unit};
      case 6:
        unit.what = What::Mark;
        unit.mark = string();
        unit.value = json();
        return {unit};
      case 7: return {read_type()};
      case 8: {
        std::vector<Unit> units;
        for (uint64_t count = number(); count > 0; --count) units.push_back(unit_of_value(any()));
        return units;
      }
      case 9:
        unit.what = What::Subdocument;
        unit.value = Any::object({{"guid", Any::string(string())}, {"options", any()}});
        return {unit};
    }
    assertion_failed("the content is one that updates have", __FILE__, __LINE__);
  }

  Unit read_type() {
    static constexpr Kind kKinds[] = {Kind::Array,       Kind::Map,     Kind::Text,   Kind::XmlElement,
                                      Kind::XmlFragment, Kind::XmlHook, Kind::XmlText};
    Unit unit;
    unit.what = What::Type;
    const Kind kind = kKinds[number()];
    if (kind == Kind::XmlElement || kind == Kind::XmlHook) (void)string();
    twin_.new_type(unit, kind).container = nullptr;  // set where the unit gets its lasting place
    return unit;
  }

  CrdtTwin& twin_;
  Reader in_;
};

void CrdtTwin::apply(ByteView update) {
  UpdateReader(*this, update).read();
  integrate_what_waits();
}

// --- local edits of lists and maps ---

CrdtTwin::Unit CrdtTwin::make(Type& parent) const {
  Unit unit;
  unit.id = {client_, next_clock(client_)};
  unit.parent = &parent;
  return unit;
}

CrdtTwin::Unit& CrdtTwin::insert_local(Type& list, size_t gap, Unit content) {
  const Unit made = make(list);
  content.id = made.id;
  content.parent = &list;
  if (gap > 0) content.origin = list.list[gap - 1]->id;
  if (gap < list.list.size()) content.right_origin = list.list[gap]->id;
  place(std::move(content), std::nullopt);
  return *list.list[gap];
}

CrdtTwin::Unit& CrdtTwin::set_local(Type& map, const std::string& key, Unit content) {
  const Unit made = make(map);
  content.id = made.id;
  content.parent = &map;
  content.in_map = true;
  content.key = key;
  if (!map.keys[key].empty()) content.origin = map.keys[key].back()->id;
  place(std::move(content), std::nullopt);
  return *map.keys[key].back();
}

/// Right behind the visible unit before `index`: left of the tombstones there.
size_t CrdtTwin::gap_before(const Type& list, size_t index) {
  size_t gap = 0;
  for (size_t at = 0; index > 0; ++at) {
    if (!counts(*list.list[at])) continue;
    gap = at + 1;
    --index;
  }
  return gap;
}

void CrdtTwin::insert(Type& list, size_t index, const std::vector<Any>& values) {
  size_t gap = gap_before(list, index);
  for (const Any& value : values) insert_local(list, gap++, unit_of_value(value));
}

void CrdtTwin::push(Type& list, const std::vector<Any>& values) {
  for (const Any& value : values) insert_local(list, list.list.size(), unit_of_value(value));
}

CrdtTwin::Type& CrdtTwin::insert_type(Type& list, size_t index, Kind kind) {
  Unit unit;
  unit.what = What::Type;
  new_type(unit, kind);
  return *insert_local(list, gap_before(list, index), std::move(unit)).type;
}

void CrdtTwin::erase(Type& list, size_t index, size_t count) {
  for (size_t at = gap_before(list, index); count > 0; ++at) {
    Unit& unit = *list.list[at];
    if (unit.deleted) continue;
    count -= counts(unit);
    remove(unit);
  }
}

void CrdtTwin::set(Type& map, const std::string& key, const Any& value) { set_local(map, key, unit_of_value(value)); }

CrdtTwin::Type& CrdtTwin::set_type(Type& map, const std::string& key, Kind kind) {
  Unit unit;
  unit.what = What::Type;
  new_type(unit, kind);
  return *set_local(map, key, std::move(unit)).type;
}

void CrdtTwin::erase_key(Type& map, const std::string& key) {
  if (const auto history = map.keys.find(key); history != map.keys.end()) remove(*history->second.back());
}

// --- local edits of texts ---

void CrdtTwin::step(const Type& text, Position& position) {
  const Unit& unit = *text.list[position.at++];
  if (is_mark(unit)) fold(position.attributes, unit);
}

CrdtTwin::Position CrdtTwin::position_at(const Type& text, size_t index) {
  Position position;
  while (position.at < text.list.size() && index > 0) {
    index -= counts(*text.list[position.at]);
    step(text, position);
  }
  return position;
}

/// Passes tombstones, and marks that say what is wanted anyway.
void CrdtTwin::minimize(const Type& text, Position& position, const Attributes& attributes) {
  while (position.at < text.list.size()) {
    const Unit& unit = *text.list[position.at];
    if (!unit.deleted && (unit.what != What::Mark || get(attributes, unit.mark) != unit.value)) return;
    step(text, position);
  }
}

void CrdtTwin::insert_mark(Type& text, Position& position, const std::string& key, const Any& value) {
  Unit unit;
  unit.what = What::Mark;
  unit.mark = key;
  unit.value = value;
  insert_local(text, position.at, std::move(unit));
  step(text, position);
}

/// Switches on what differs. Returns what it was before, to be switched back later.
Attributes CrdtTwin::insert_marks(Type& text, Position& position, const Attributes& attributes) {
  Attributes negated;
  for (const Any::Member& wanted : attributes) {
    const Any before = get(position.attributes, wanted.key);
    if (before == wanted.value) continue;
    put(negated, wanted.key, before);
    insert_mark(text, position, wanted.key, wanted.value);
  }
  return negated;
}

void CrdtTwin::insert_negated(Type& text, Position& position, Attributes negated) {
  while (position.at < text.list.size()) {
    const Unit& unit = *text.list[position.at];
    if (!unit.deleted) {
      if (unit.what != What::Mark) break;
      const Any* wanted = find_in(negated, unit.mark);
      if (wanted == nullptr || *wanted != unit.value) break;
      testing::erase(negated, unit.mark);
    }
    step(text, position);
  }
  for (const Any::Member& mark : negated) insert_mark(text, position, mark.key, mark.value);
}

void CrdtTwin::insert_content(Type& text, Position& position, std::vector<Unit> content, Attributes attributes) {
  for (const Any::Member& here : position.attributes) {
    if (find_in(attributes, here.key) == nullptr) attributes.push_back({here.key, Any::null()});
  }
  minimize(text, position, attributes);
  Attributes negated = insert_marks(text, position, attributes);
  for (Unit& unit : content) insert_local(text, position.at++, std::move(unit));
  insert_negated(text, position, std::move(negated));
}

void CrdtTwin::insert_text(Type& text, size_t index, std::string_view utf8, std::optional<Attributes> attributes) {
  if (utf8.empty()) return;
  Position position = position_at(text, index);
  if (!attributes) attributes = position.attributes;
  insert_content(text, position, units_of_text(utf8), std::move(*attributes));
}

void CrdtTwin::insert_embed(Type& text, size_t index, const Any& value, const Attributes& attributes) {
  Unit unit;
  unit.what = What::Embed;
  unit.value = value;
  Position position = position_at(text, index);
  insert_content(text, position, {unit}, attributes);
}

void CrdtTwin::format(Type& text, size_t index, size_t length, const Attributes& attributes) {
  Position position = position_at(text, index);
  if (length == 0 || position.at == text.list.size()) return;
  minimize(text, position, attributes);
  Attributes negated = insert_marks(text, position, attributes);
  while (position.at < text.list.size()) {
    Unit& unit = *text.list[position.at];
    const bool passes = unit.deleted || unit.what == What::Mark;
    if (length == 0 && (negated.empty() || !passes)) break;
    if (is_mark(unit)) {
      const Any* wanted = find_in(attributes, unit.mark);
      if (wanted == nullptr) {
        put(position.attributes, unit.mark, unit.value);
      } else {
        if (*wanted == unit.value) {
          testing::erase(negated, unit.mark);
        } else {
          if (length == 0) break;
          put(negated, unit.mark, unit.value);
        }
        remove(unit);
      }
    } else if (!unit.deleted) {
      --length;
    }
    step(text, position);
  }
  for (Unit& newline : units_of_text(std::string(length, '\n'))) insert_local(text, position.at++, newline);
  insert_negated(text, position, std::move(negated));
}

void CrdtTwin::erase_text(Type& text, size_t index, size_t length) {
  if (length == 0) return;
  Position position = position_at(text, index);
  const Attributes before = position.attributes;
  const size_t start = position.at;
  while (length > 0 && position.at < text.list.size()) {
    Unit& unit = *text.list[position.at];
    if (counts(unit)) {
      --length;
      remove(unit);
    }
    step(text, position);
  }
  if (start < text.list.size()) clean_up_gap(text, start, position.at, before, position.attributes);
}

/// Deletes the marks of a gap that no longer change anything.
void CrdtTwin::clean_up_gap(Type& text, size_t start, size_t current, const Attributes& before, Attributes& after) {
  std::map<std::string, const Unit*> last_marks;
  size_t end = start;
  for (; end < text.list.size() && !counts(*text.list[end]); ++end) {
    if (is_mark(*text.list[end])) last_marks[text.list[end]->mark] = text.list[end];
  }
  for (size_t at = start; at < end; ++at) {
    Unit& unit = *text.list[at];
    if (!is_mark(unit)) continue;
    const Any was = get(before, unit.mark);
    if (last_marks[unit.mark] != &unit || was == unit.value) {
      remove(unit);
      if (at < current && get(after, unit.mark) == unit.value && was != unit.value) {
        if (was.is_null()) {
          testing::erase(after, unit.mark);
        } else {
          put(after, unit.mark, was);
        }
      }
    } else if (at < current) {
      fold(after, unit);
    }
  }
}

// --- what is seen ---

size_t CrdtTwin::length(const Type& list) {
  return static_cast<size_t>(
      std::count_if(list.list.begin(), list.list.end(), [](const Unit* unit) { return counts(*unit); }));
}

const CrdtTwin::Unit* CrdtTwin::unit_at(const Type& list, size_t index) {
  for (const Unit* unit : list.list) {
    if (counts(*unit) && index-- == 0) return unit;
  }
  return nullptr;
}

const CrdtTwin::Unit* CrdtTwin::current(const Type& map, const std::string& key) {
  const auto history = map.keys.find(key);
  if (history == map.keys.end() || history->second.empty() || history->second.back()->deleted) return nullptr;
  return history->second.back();
}

namespace {

std::string dump_unit(const Unit& unit) {
  return unit.type != nullptr ? CrdtTwin::dump(*unit.type) : unit.value.to_json();
}

std::string dump_attributes(Attributes attributes) {
  std::sort(attributes.begin(), attributes.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return attributes.empty() ? std::string() : Any::object(std::move(attributes)).to_json();
}

std::string dump_text(const CrdtTwin::Type& text) {
  std::string dump;
  std::string run_attributes;
  std::u16string run;
  Attributes attributes;
  const auto flush = [&] {
    if (!run.empty()) dump += Any::string(to_utf8_text(run)).to_json() + run_attributes;
    run.clear();
  };
  for (const Unit* unit : text.list) {
    if (is_mark(*unit)) fold(attributes, *unit);
    if (!counts(*unit)) continue;
    if (unit->what != What::Character) {
      flush();
      dump += "<" + dump_unit(*unit) + ">" + dump_attributes(attributes);
      continue;
    }
    if (const std::string here = dump_attributes(attributes); here != run_attributes) {
      flush();
      run_attributes = here;
    }
    run += unit->character;
  }
  flush();
  return "text(" + dump + ")";
}

}  // namespace

std::string CrdtTwin::dump(const Type& type) {
  if (type.kind == Kind::Text || type.kind == Kind::XmlText) return dump_text(type);
  std::string dump;
  for (const Unit* unit : type.list) {
    if (counts(*unit)) dump += dump_unit(*unit) + ",";
  }
  for (const auto& [key, history] : type.keys) {
    if (const Unit* unit = current(type, key)) dump += Any::string(key).to_json() + ":" + dump_unit(*unit) + ",";
  }
  return (type.kind == Kind::Map ? "map(" : "list(") + dump + ")";
}

crdt::StateVector CrdtTwin::state_vector() const {
  crdt::StateVector vector;
  for (const auto& [client, units] : units_) vector.set(client, next_clock(client));
  return vector;
}

crdt::DeleteSet CrdtTwin::delete_set() const {
  crdt::DeleteSet deleted;
  for (const auto& [client, units] : units_) {
    for (const Unit& unit : units) {
      if (unit.deleted) deleted.add(client, unit.id.clock, Length{1});
    }
  }
  return deleted;
}

}  // namespace diaryx::testing
