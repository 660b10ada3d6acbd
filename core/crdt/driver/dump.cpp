#include "dump.h"

#include "tagged.h"

namespace diaryx::crdt::driver {
namespace {

/// As deep as the lines that the driver reads; updates may nest types as deep as they are long.
constexpr uint32_t kMaxDepth = 4000;

Any dump_shared_at(const Shared& shared, uint32_t depth);

Any named(std::string_view kind) { return Any::string(std::string(kind)); }

Any dump_subdocument(const Subdocument& subdocument) {
  const auto option = [&](std::string_view name, Any otherwise) {
    const Any* found = subdocument.options.find(name);
    return found == nullptr ? std::move(otherwise) : to_tagged(*found);
  };
  return Any::object({{"$", named("doc")},
                      {"guid", Any::string(subdocument.guid)},
                      {"opts", Any::object({{"autoLoad", option("autoLoad", Any::boolean(false))},
                                            {"gc", option("gc", Any::boolean(true))},
                                            {"meta", option("meta", Any::null())},
                                            {"shouldLoad", Any::boolean(subdocument.should_load)}})}});
}

Any dump_value(const Value& value, uint32_t depth = 0) {
  if (const Shared* shared = std::get_if<Shared>(&value)) return dump_shared_at(*shared, depth + 1);
  if (const Subdocument* subdocument = std::get_if<Subdocument>(&value)) return dump_subdocument(*subdocument);
  return to_tagged(std::get<Any>(value));
}

Any dump_list(const std::vector<Value>& values, uint32_t depth = 0) {
  Any::Array items;
  for (const Value& value : values) items.push_back(dump_value(value, depth));
  return Any::array(std::move(items));
}

Any dump_entries(const std::vector<std::pair<std::string, Value>>& entries, uint32_t depth) {
  Any::Object members;
  for (const auto& [key, value] : entries) members.push_back({key, dump_value(value, depth)});
  return sorted_object(std::move(members));
}

Any dump_attributes(const Attributes& attributes) {
  Any::Object members;
  for (const auto& [key, value] : attributes) members.push_back({key, to_tagged(value)});
  return sorted_object(std::move(members));
}

Any dump_op(const DeltaOp& op) {
  const Any length = Any::number(op.length.value());
  if (op.kind == DeltaOp::Kind::Delete) return Any::object({{"delete", length}});
  Any::Object members;
  if (op.kind == DeltaOp::Kind::Retain) {
    members.push_back({"retain", length});
  } else if (!op.text.empty()) {
    members.push_back({"insert", Any::string(op.text)});
  } else {
    members.push_back({"insert", dump_list(op.values)});
  }
  if (!op.attributes.empty()) members.push_back({"attributes", dump_attributes(op.attributes)});
  return Any::object(std::move(members));
}

Any dump_text(const Text& text, bool is_xml, uint32_t depth) {
  Any::Array delta;
  for (const TextRun& run : text.runs()) {
    Any insert = run.is_text() ? Any::string(run.text)
                 : run.type    ? dump_shared_at(*run.type, depth + 1)
                               : to_tagged(run.embed);
    Any::Object op = {{"insert", std::move(insert)}};
    if (!run.attributes.empty()) op.push_back({"attributes", dump_attributes(run.attributes)});
    delta.push_back(Any::object(std::move(op)));
  }
  Any::Object dump = {{"t", named(is_xml ? "xmltext" : "text")},
                      {"len", Any::number(text.length().value())},
                      {"delta", Any::array(std::move(delta))}};
  Any attributes = dump_entries(text.attributes(), depth);
  if (!attributes.as_object()->empty()) dump.push_back({"attrs", std::move(attributes)});
  return Any::object(std::move(dump));
}

Any dump_shared_at(const Shared& shared, uint32_t depth) {
  if (depth > kMaxDepth) return Any::object({{"t", named("deeper")}});
  if (const auto text = shared.as_text()) return dump_text(*text, shared.kind() == Shared::Kind::XmlText, depth);
  if (const auto array = shared.as_array())
    return Any::object({{"t", named("array")}, {"items", dump_list(array->values(), depth)}});
  if (const auto hook = shared.as_xml_hook()) {
    return Any::object({{"t", named("xmlhook")},
                        {"name", Any::string(hook->name())},
                        {"entries", dump_entries(hook->entries(), depth)}});
  }
  if (const auto map = shared.as_map())
    return Any::object({{"t", named("map")}, {"entries", dump_entries(map->entries(), depth)}});
  if (const auto element = shared.as_xml_element()) {
    return Any::object({{"t", named("xmlelement")},
                        {"name", Any::string(element->name())},
                        {"attrs", dump_entries(element->attributes(), depth)},
                        {"children", dump_list(element->children(), depth)}});
  }
  if (const auto fragment = shared.as_xml_fragment())
    return Any::object({{"t", named("xmlfragment")}, {"children", dump_list(fragment->children(), depth)}});
  return Any::object({{"t", named("undeclared")}});
}

}  // namespace

Any dump_shared(const Shared& shared) { return dump_shared_at(shared, 0); }

Any dump_event(const Event& event, const std::string& root, bool is_local) {
  Any::Array path;
  for (const PathStep& step : event.path) {
    const uint32_t* index = std::get_if<uint32_t>(&step);
    path.push_back(index != nullptr ? Any::number(*index) : Any::string(std::get<std::string>(step)));
  }
  const bool is_text = event.target.as_text().has_value();
  Any::Array delta;
  for (const DeltaOp& op : event.delta) {
    Any::Object dumped = *dump_op(op).as_object();
    // An embed of a text stands alone, not in a list.
    if (is_text && !op.values.empty()) dumped.front().value = dump_value(op.values.front());
    delta.push_back(Any::object(std::move(dumped)));
  }
  Any::Array keys;
  for (const KeyChange& change : event.keys) {
    constexpr std::string_view kActions[] = {"add", "update", "delete"};
    keys.push_back(Any::object({{"key", Any::string(change.key)},
                                {"action", named(kActions[static_cast<size_t>(change.action)])},
                                {"oldValue", dump_value(change.old_value.value_or(Any::undefined()))}}));
  }
  return Any::object({{"root", Any::string(root)},
                      {"path", Any::array(std::move(path))},
                      {"local", Any::boolean(is_local)},
                      {"delta", Any::array(std::move(delta))},
                      {"keys", Any::array(std::move(keys))}});
}

}  // namespace diaryx::crdt::driver
