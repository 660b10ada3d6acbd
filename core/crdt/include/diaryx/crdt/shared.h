// A handle to any shared type: what all of them have in common, and the way from "whatever is there" to its kind.
//
// Source: Yjs 13.6 src/types/AbstractType.js; docs/protocol.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "diaryx/crdt/id.h"

namespace diaryx::crdt {

class Array;
class Map;
class Store;
class Text;
class XmlElement;
class XmlFragment;
class XmlHook;
class XmlText;

/// A handle: cheap to copy, valid as long as the Doc. Text, Map, Array and the XML types are such handles with more to ask; each
/// becomes a plain Shared by itself, and `as_text()` and its like lead back.
///
///     for (const Shared& root : doc.roots()) {
///       if (const auto text = root.as_text()) show(text->to_string());
///     }
class Shared {
 public:
  /// The numbers are those of the wire. Undeclared is a root that an update mentioned and that nobody has asked for by kind: its
  /// kind is not on the wire. Ask for it with `doc.text(name)` or its like.
  enum class Kind : uint8_t {
    Array = 0,
    Map = 1,
    Text = 2,
    XmlElement = 3,
    XmlFragment = 4,
    XmlHook = 5,
    XmlText = 6,
    Undeclared = 255,
  };
  Kind kind() const;

  /// True while the type itself is part of the document (always for a root). What a handle to another one reads is empty, and what
  /// it is asked to edit answers WrongType.
  bool is_live() const;
  bool is_root() const;
  /// True if any item lies in it; what was deleted counts as long as it has its place.
  bool has_items() const;
  /// The name of a root; nothing for a type inside another.
  std::optional<std::string> root_name() const;
  /// The unit that holds the type; nothing for a root, and once the type was collected.
  std::optional<Id> id() const;
  /// The type it lies in; nothing for a root, and once the type was collected.
  std::optional<Shared> parent() const;
  /// The key it lies under in `parent()`; nothing when it is an element of a list.
  std::optional<std::string> parent_key() const;

  /// The same type by its kind. An XmlText is a Text too, an XmlElement an XmlFragment, and an XmlHook a Map, as in Yjs.
  std::optional<Array> as_array() const;
  std::optional<Map> as_map() const;
  std::optional<Text> as_text() const;
  std::optional<XmlFragment> as_xml_fragment() const;
  std::optional<XmlElement> as_xml_element() const;
  std::optional<XmlText> as_xml_text() const;
  std::optional<XmlHook> as_xml_hook() const;

  /// True for two handles to one type of one document.
  friend bool operator==(const Shared&, const Shared&) = default;

 protected:
  friend struct HandleAccess;
  Shared(Store* store, uint32_t type) : store_(store), type_(type) {}

  Store* store_;  // owned by the Doc
  uint32_t type_;  // TypeRef
};

}  // namespace diaryx::crdt
