#include "dump.h"

#include "marks.h"
#include "tagged.h"
#include "values.h"

namespace diaryx::crdt::driver {
namespace {

Any dump_subdocument(ByteView content) {
  Cursor in(content);
  const std::string guid(as_text(in.var_bytes()));
  const Any options = decode_any(in, 1000);
  const auto option = [&](std::string_view name, Any otherwise) {
    const Any* found = options.find(name);
    return found == nullptr ? std::move(otherwise) : to_tagged(*found);
  };
  return Any::object({{"$", Any::string("doc")},
                      {"guid", Any::string(guid)},
                      {"opts", Any::object({{"autoLoad", option("autoLoad", Any::boolean(false))},
                                            {"gc", option("gc", Any::boolean(true))},
                                            {"meta", option("meta", Any::null())},
                                            {"shouldLoad", option("autoLoad", Any::boolean(false))}})}});
}

Any dump_unit(const Store& store, const Item& item, uint32_t offset) {
  if (item.kind == ContentKind::Type) {
    const TypeRef inner = store.type_of(item);
    return dump_type(store, inner, store.type(inner).kind);
  }
  if (item.kind == ContentKind::Doc) return dump_subdocument(store.content(item));
  return to_tagged(value_at(store, item, offset).value_or(Any{}));
}

Any dump_list(const Store& store, TypeRef type) {
  Any::Array items;
  for (ItemRef ref = store.type(type).start; some(ref); ref = store.item(ref).right) {
    const Item& item = store.item(ref);
    for (uint32_t offset = 0; offset < item.visible(); ++offset) items.push_back(dump_unit(store, item, offset));
  }
  return Any::array(std::move(items));
}

Any dump_entries(const Store& store, TypeRef type) {
  Any::Object entries;
  if (const auto& keys = store.type(type).keys) {
    for (const KeyMap::Entry& entry : keys->entries()) {
      const Item& item = store.item(static_cast<ItemRef>(entry.value));
      if (item.deleted()) continue;
      entries.push_back({std::string(store.keys().text(entry.key)), dump_unit(store, item, item.length - 1)});
    }
  }
  return sorted_object(std::move(entries));
}

Any dump_delta(const Store& store, TypeRef type) {
  Any::Array delta;
  Marks marks;
  std::string text;
  const auto add = [&](Any insert) {
    Any::Object op = {{"insert", std::move(insert)}};
    Any::Object attributes;
    for (const auto& [key, value] : marks.entries()) {
      attributes.push_back({std::string(store.keys().text(key)), to_tagged(decode_trusted_any(as_bytes(value.any)))});
    }
    if (!attributes.empty()) op.push_back({"attributes", sorted_object(std::move(attributes))});
    delta.push_back(Any::object(std::move(op)));
  };
  const auto flush = [&] {
    if (!text.empty()) add(Any::string(text));
    text.clear();
  };
  for (ItemRef ref = store.type(type).start; some(ref); ref = store.item(ref).right) {
    const Item& item = store.item(ref);
    if (item.deleted()) continue;
    if (item.kind == ContentKind::String) {
      text += as_text(store.content(item));
    } else if (item.kind == ContentKind::Format) {
      flush();
      marks.fold(mark_key(store, item), mark_value(store, item));
    } else if (item.kind == ContentKind::Embed || item.kind == ContentKind::Type) {
      flush();
      add(dump_unit(store, item, 0));
    }
  }
  flush();
  return Any::array(std::move(delta));
}

Any named(std::string_view kind) { return Any::string(std::string(kind)); }

}  // namespace

Any dump_type(const Store& store, TypeRef type, TypeKind as) {
  const std::string name(some(store.type(type).name) ? store.keys().text(store.type(type).name) : std::string_view{});
  switch (as) {
    case TypeKind::Text:
    case TypeKind::XmlText: {
      Any::Object dump = {{"t", named(as == TypeKind::Text ? "text" : "xmltext")},
                          {"len", Any::number(store.type(type).length)},
                          {"delta", dump_delta(store, type)}};
      Any attributes = dump_entries(store, type);
      if (!attributes.as_object()->empty()) dump.push_back({"attrs", std::move(attributes)});
      return Any::object(std::move(dump));
    }
    case TypeKind::Array: return Any::object({{"t", named("array")}, {"items", dump_list(store, type)}});
    case TypeKind::Map: return Any::object({{"t", named("map")}, {"entries", dump_entries(store, type)}});
    case TypeKind::XmlElement:
      return Any::object({{"t", named("xmlelement")},
                          {"name", Any::string(name)},
                          {"attrs", dump_entries(store, type)},
                          {"children", dump_list(store, type)}});
    case TypeKind::XmlHook:
      return Any::object(
          {{"t", named("xmlhook")}, {"name", Any::string(name)}, {"entries", dump_entries(store, type)}});
    case TypeKind::XmlFragment:
    case TypeKind::Undeclared: break;
  }
  return Any::object({{"t", named("xmlfragment")}, {"children", dump_list(store, type)}});
}

}  // namespace diaryx::crdt::driver
