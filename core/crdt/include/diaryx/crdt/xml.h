// XML: fragments and elements with children, texts, and hooks.
//
// Source: Yjs 13.6 src/types/YXmlFragment.js, YXmlElement.js, YXmlText.js, YXmlHook.js; docs/protocol.md.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/crdt/map.h"
#include "diaryx/crdt/shared.h"
#include "diaryx/crdt/text.h"
#include "diaryx/crdt/value.h"

namespace diaryx::crdt {

/// A list of elements, texts and hooks. A handle: cheap to copy, valid as long as the Doc.
class XmlFragment : public Shared {
 public:
  size_t size() const;
  /// The child at `index`: a shared type, unless a peer wrote something else. Nothing when out of range. Cost: O(log n).
  std::optional<Value> at(size_t index) const;
  std::optional<XmlElement> get_element(size_t index) const;
  std::optional<XmlText> get_text(size_t index) const;
  std::vector<Value> children() const;
  std::optional<Shared> first_child() const;

  /// Inserts before `index`, as Array::insert. Errors: OffsetOutOfRange, WrongType, TooLarge, InvalidUtf8, TooDeep;
  /// nothing is changed then.
  Result<void> insert(Transaction& txn, size_t index, std::span<const NewValue> children);
  /// Appends after the very last item, tombstones included, as Array::push.
  Result<void> push(Transaction& txn, std::span<const NewValue> children);
  /// Puts an element, a text or a hook before `index`.
  Result<XmlElement> insert_element(Transaction& txn, size_t index, std::string_view name);
  Result<XmlText> insert_text(Transaction& txn, size_t index, std::string_view utf8 = {});
  Result<XmlHook> insert_hook(Transaction& txn, size_t index, std::string_view name);
  /// Errors: OffsetOutOfRange when the range passes the end; nothing is deleted then.
  Result<void> erase(Transaction& txn, size_t index, size_t count = 1);

  /// The children one after the other, as Yjs prints them: names of elements in lower case (letters of ASCII only; Yjs takes all of
  /// Unicode), attributes sorted, nothing escaped, a hook as `[object Object]`. For reading and for tests, not XML to be parsed.
  std::string to_string() const;

 protected:
  friend struct HandleAccess;
  XmlFragment(Store* store, uint32_t type) : Shared(store, type) {}
};

/// An element: a fragment with a name and attributes. A root element has the name UNDEFINED.
class XmlElement : public XmlFragment {
 public:
  std::string name() const;

  /// Attributes hold values of any kind, as the entries of a Map.
  std::optional<Value> attribute(std::string_view key) const;
  /// In the order in which they were first set here.
  std::vector<std::pair<std::string, Value>> attributes() const;
  /// Errors: WrongType (not live), TooLarge, InvalidUtf8, TooDeep.
  Result<void> set_attribute(Transaction& txn, std::string_view key, const NewValue& value);
  /// False if there was nothing to remove.
  bool remove_attribute(Transaction& txn, std::string_view key);

  /// The nearest sibling that is there; nothing at the border, and for a root.
  std::optional<Shared> next_sibling() const;
  std::optional<Shared> previous_sibling() const;

  /// `<name key="value">children</name>`.
  std::string to_string() const;

 private:
  friend struct HandleAccess;
  XmlElement(Store* store, uint32_t type) : XmlFragment(store, type) {}
};

/// A text among elements; its marks stand for elements around the marked text.
class XmlText : public Text {
 public:
  std::optional<Shared> next_sibling() const;
  std::optional<Shared> previous_sibling() const;

  /// The text with its marks as elements: `<bold>all</bold> of it`. `Text::to_string` has the text alone.
  std::string to_xml() const;

 private:
  friend struct HandleAccess;
  XmlText(Store* store, uint32_t type) : Text(store, type) {}
};

/// A map among elements, for something of the application. It has a name.
class XmlHook : public Map {
 public:
  std::string name() const;
  std::optional<Shared> next_sibling() const;
  std::optional<Shared> previous_sibling() const;

 private:
  friend struct HandleAccess;
  XmlHook(Store* store, uint32_t type) : Map(store, type) {}
};

/// Goes through everything in a fragment: each node before its children, children from first to last. A hook's entries are no
/// children.
///
///     XmlTreeWalker walker(doc.xml_fragment("page"));
///     while (const std::optional<Shared> node = walker.next()) ...
class XmlTreeWalker {
 public:
  explicit XmlTreeWalker(const XmlFragment& root);
  /// The next node; nothing at the end. The document must not have been changed since the walker was made.
  std::optional<Shared> next();

 private:
  Store* store_;  // owned by the Doc
  uint32_t root_;  // TypeRef
  uint32_t next_;  // ItemRef of what comes next, or None
};

}  // namespace diaryx::crdt
