// What lists, maps and texts hold, and what can be put into them: plain values, shared types, subdocuments.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "diaryx/crdt/any.h"
#include "diaryx/crdt/shared.h"

namespace diaryx::crdt {

/// Names and values of marks, e.g. `{{"bold", Any::boolean(true)}}`; null ends an attribute.
using Attributes = Any::Object;

/// A document that a list or map of another refers to. Only its guid and options are replicated: the content is a Doc of its own,
/// which the application makes, keeps and synchronises under the guid. The engine does not own it.
struct Subdocument {
  Id id;  ///< the unit that refers to it: one guid may stand at several places
  std::string guid;
  Any options;  ///< as its writer gave them, not trusted: an object with `meta`, `autoLoad`, `gc`; unknown members are kept
  bool should_load =
      false;  ///< whether this replica wants the content; not replicated. See Doc::load and `auto_load()`

  /// What the writer attached; null if nothing.
  Any meta() const {
    const Any* found = options.find("meta");
    return found == nullptr ? Any::null() : *found;
  }
  /// Whether every replica is to load it at once.
  bool auto_load() const { return flag("autoLoad", false); }
  /// Whether it collects what is deleted: what its Doc should be made with.
  bool collects_garbage() const { return flag("gc", true); }

 private:
  bool flag(std::string_view name, bool otherwise) const {
    const Any* found = options.find(name);
    return found == nullptr || found->as_bool() == nullptr ? otherwise : *found->as_bool();
  }
};

/// One element of a list, one entry of a map, one embed of a text.
///
///     if (const Any* plain = std::get_if<Any>(&value)) ...
using Value = std::variant<Any, Shared, Subdocument>;

struct NewType;

/// A subdocument to be put into a list or map.
struct NewSubdocument {
  std::string guid;  ///< valid UTF-8; by custom a random UUID
  Any meta = Any::null();
  bool gc = true;
  bool auto_load = false;
  bool should_load = true;  ///< for this replica; the others load by themselves only with `auto_load`
};

/// What can be put into a document.
using NewValue = std::variant<Any, NewType, NewSubdocument>;

/// A shared type that does not exist yet, with its first content: a description, which makes a type each time it is inserted.
///
///     files.set(txn, "plan", NewType::map({{"title", Any::string("Plan")}, {"tags", NewType::array({})}}));
struct NewType {
  using Entries = std::vector<std::pair<std::string, NewValue>>;

  Shared::Kind kind = Shared::Kind::Map;
  std::string name;  ///< of an XmlElement or XmlHook
  std::string content;  ///< of a Text or XmlText, valid UTF-8
  std::vector<NewValue> list;  ///< of an Array, XmlFragment or XmlElement
  Entries entries;  ///< of a Map or XmlHook; attributes of a Text, XmlText or XmlElement. Written after the list

  static NewType array(std::vector<NewValue> values = {});
  static NewType map(Entries entries = {});
  static NewType text(std::string content = {});
  static NewType xml_fragment(std::vector<NewValue> children = {});
  static NewType xml_element(std::string name, Entries attributes = {}, std::vector<NewValue> children = {});
  static NewType xml_text(std::string content = {});
  static NewType xml_hook(std::string name, Entries entries = {});
};

}  // namespace diaryx::crdt
