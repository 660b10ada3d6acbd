#include "editor.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "diaryx/base/result.h"
#include "dump.h"
#include "tagged.h"

namespace diaryx::crdt::driver {
namespace {

std::optional<Shared::Kind> kind_from(std::string_view name) {
  if (name == "text") return Shared::Kind::Text;
  if (name == "array") return Shared::Kind::Array;
  if (name == "map") return Shared::Kind::Map;
  if (name == "xml" || name == "xmlfragment") return Shared::Kind::XmlFragment;
  if (name == "xmlelement") return Shared::Kind::XmlElement;
  if (name == "xmltext") return Shared::Kind::XmlText;
  if (name == "xmlhook") return Shared::Kind::XmlHook;
  return std::nullopt;
}

bool is_count(const Any& value) {
  const double* number = value.as_number();
  return number != nullptr && *number >= 0 && *number == std::floor(*number);
}

/// What does not fit lies beyond every end, and so does the largest number that fits.
uint32_t count_of(const Any& op, std::string_view name) {
  const Any& value = member(op, name);
  return is_count(value) ? static_cast<uint32_t>(std::min(*value.as_number(), 4294967295.0)) : 0;
}

bool is_absent(const Any& value) { return value.is_undefined() || value.kind() == Any::Kind::Null; }

/// Empty, or which member of the operation is not as it has to be.
std::string wrong_member(const std::string& name, const Any& op) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const Any& attributes = member(op, "a");
  if (is_one_of({"ins", "embed", "fmt", "del", "ains"}) && !is_count(member(op, "i")))
    return "the index must be a whole number from 0 on";
  if (is_one_of({"fmt", "del"}) && !is_count(member(op, "n"))) return "the length must be a whole number from 0 on";
  if (name == "ins" && !member(op, "s").as_string()) return "the text to insert is missing";
  if (name == "fmt" && !attributes.as_object()) return "the attributes are missing";
  if (is_one_of({"ins", "embed"}) && !is_absent(attributes) && !attributes.as_object())
    return "the attributes must be an object";
  if (is_one_of({"set", "mdel", "attr", "adelattr"}) && !member(op, "k").as_string()) return "the key must be a string";
  if (name == "embed" && member(op, "v").is_undefined()) return "the value to embed is missing";
  if (name == "tx" && !member(op, "ops").as_array()) return "the operations must be a list";
  if (name != "tx" && (!is_tagged(member(op, "v")) || !is_tagged(attributes)))
    return "a tagged value is not understood";
  return {};
}

/// An origin as the tag of a transaction: its JSON, by which those and only those are equal that are the same in JavaScript. Null,
/// the origin of who names none, is the empty tag.
bool origin_from(const Any& origin, std::string& tag) {
  tag.clear();
  if (is_absent(origin)) return true;
  if (origin.as_array() || origin.as_object()) return false;
  tag = origin.to_json();
  return true;
}

constexpr const char* kWrongOrigin = "an origin must be a string, a number, true, false or null";

/// Empty, or which member of a request for undo is not as it has to be.
std::string wrong_undo_member(const Any& request) {
  const auto is_flag = [&](std::string_view name) {
    const Any& given = member(request, name);
    return is_absent(given) || given.as_bool() != nullptr;
  };
  const auto is_list = [&](std::string_view name) {
    const Any& given = member(request, name);
    return is_absent(given) || given.as_array() != nullptr;
  };
  const Any& timeout = member(request, "captureTimeout");
  if (!is_absent(timeout) && !is_count(timeout)) return "the capture timeout must be a whole number from 0 on";
  if (!is_flag("whole") || !is_flag("ignoreRemoteMapChanges")) return "an option must be true or false";
  if (!is_list("scope") || !is_list("origins")) return "scope and origins must be lists";
  return {};
}

/// Far beyond what a bench asks for; formatting beyond the end of a text fills it up with newlines.
constexpr uint32_t kMaxBeyondEnd = uint32_t{1} << 24;
constexpr const char* kFarBeyondEnd = "the range goes too far beyond the end of the text";

/// Yjs throws there, and what comes behind in a transaction or a delta is not done.
constexpr const char* kNothingToDelete = "nothing has ever been in the text that could be deleted";

/// Empty, or why it could not be done.
template <typename T>
std::string outcome(const Result<T>& result) {
  return result ? std::string() : describe(result.error());
}

Attributes attributes_from(const Any& tagged) {
  const Any plain = from_tagged(tagged);
  return plain.as_object() ? *plain.as_object() : Attributes{};
}

NewSubdocument new_subdocument(const Any& value) {
  const Any& options = member(value, "opts");
  const auto flag = [&](std::string_view name, bool otherwise) {
    const bool* given = member(options, name).as_bool();
    return given == nullptr ? otherwise : *given;
  };
  NewSubdocument made{.guid = text_of(member(value, "guid")),
                      .gc = flag("gc", true),
                      .auto_load = flag("autoLoad", false),
                      .should_load = flag("shouldLoad", true)};
  if (const Any& meta = member(options, "meta"); !meta.is_undefined()) made.meta = from_tagged(meta);
  return made;
}

/// False if a kind of type is unknown.
bool new_value(const Any& value, NewValue& made);

bool new_type(const Any& value, NewType& made) {
  const auto kind = kind_from(text_of(member(value, "k")));
  if (!kind) return false;
  made.kind = *kind;
  made.name = text_of(member(value, "name"));
  // As in Yjs, where a hook without a name cannot be written.
  if (*kind == Shared::Kind::XmlElement && !member(value, "name").as_string()) made.name = "UNDEFINED";
  const Any& init = member(value, "init");
  if (const std::string* text = init.as_string()) made.content = *text;
  if (const Any::Array* list = init.as_array()) {
    made.list.resize(list->size());
    for (size_t i = 0; i < list->size(); ++i) {
      if (!new_value((*list)[i], made.list[i])) return false;
    }
  }
  if (const Any::Object* entries = init.as_object()) {
    for (const Any::Member& entry : *entries) {
      made.entries.emplace_back(entry.key, NewValue{});
      if (!new_value(entry.value, made.entries.back().second)) return false;
    }
  }
  return true;
}

bool new_value(const Any& value, NewValue& made) {
  const std::string tag = tag_of(value);
  if (tag == "new") return new_type(value, made.emplace<NewType>());
  if (tag == "doc") {
    made = new_subdocument(value);
  } else {
    made = from_tagged(value);
  }
  return true;
}

bool is_unset(const Any::Member& attribute) { return attribute.value.is_null(); }

constexpr const char* kWrongStep = "a length in the delta must be a whole number from 0 on";
constexpr const char* kUnknownKind = "the kind of the new type is not known";

/// Operations of arrays and of XML fragments, which have the same names there.
template <typename List>
std::string edit_list(Transaction& txn, const Any& op, List list) {
  const std::string name = text_of(member(op, "op"));
  const size_t at = count_of(op, "i");
  const size_t size = list.size();
  if (name == "ains" || name == "push") {
    const Any::Array* given = member(op, "v").as_array();
    if (given == nullptr) return "the values are not a list";
    std::vector<NewValue> values(given->size());
    for (size_t i = 0; i < values.size(); ++i) {
      if (!new_value((*given)[i], values[i])) return kUnknownKind;
    }
    const std::span<const NewValue> span(values);
    return outcome(name == "push" ? list.push(txn, span) : list.insert(txn, at, span));
  }
  if (name == "del") {
    const size_t count = count_of(op, "n");
    const bool fits = at <= size && count <= size - at;
    // What is there goes before the refusal, as in Yjs.
    if (at <= size && count > 0) (void)list.erase(txn, at, std::min(count, size - at));
    return fits || count == 0 ? "" : "the range is beyond the end of the list";
  }
  return "the operation " + name + " is not known for a list";
}

/// The value that a step of a path leads to.
std::optional<Value> child(const Shared& type, const Any& step) {
  if (step.as_number()) {
    if (!is_count(step) || *step.as_number() > 4294967295.0) return std::nullopt;
    const auto at = static_cast<size_t>(*step.as_number());
    if (const auto array = type.as_array()) return array->at(at);
    if (const auto fragment = type.as_xml_fragment()) return fragment->at(at);
    return std::nullopt;
  }
  if (const auto map = type.as_map()) return map->at(text_of(step));
  if (const auto element = type.as_xml_element()) return element->attribute(text_of(step));
  if (const auto text = type.as_text()) return text->attribute(text_of(step));
  return std::nullopt;
}

}  // namespace

/// Nothing if the kind is unknown or the root is of another one.
std::optional<Shared> Editor::root(const std::string& kind, const std::string& name) {
  const auto known = kind_from(kind);
  if (!known) return std::nullopt;
  std::optional<Shared> found;
  switch (*known) {
    case Shared::Kind::Text: found = doc_.text(name); break;
    case Shared::Kind::Array: found = doc_.array(name); break;
    case Shared::Kind::Map: found = doc_.map(name); break;
    case Shared::Kind::XmlFragment: found = doc_.xml_fragment(name); break;
    case Shared::Kind::XmlElement: found = doc_.xml_element(name); break;
    case Shared::Kind::XmlText: found = doc_.xml_text(name); break;
    case Shared::Kind::XmlHook:
    case Shared::Kind::Undeclared: break;
  }
  return found && found->kind() == *known ? found : std::nullopt;
}

bool Editor::declare(const std::string& kind, const std::string& name) {
  if (!root(kind, name)) return false;
  roots_.push_back({kind, name});
  return true;
}

Any Editor::dump(bool used_only) {
  Any::Object dump;
  for (const Root& one : roots_) {
    const Shared type = *root(one.kind, one.name);
    if (!used_only || type.has_items()) dump.push_back({one.kind + ":" + one.name, dump_shared(type)});
  }
  return sorted_object(std::move(dump));
}

void Editor::observe() {
  for (const Root& one : roots_) {
    observers_.emplace_back(doc_.observe_deep(*root(one.kind, one.name)), one.kind + ":" + one.name);
  }
}

void Editor::note(const Commit& commit) {
  if (commit.changed()) {
    updates_.push_back(commit.update_v1());
    updates_v2_.push_back(commit.update_v2());
  }
  if (!commit.clean_up_v1().empty()) updates_.push_back(commit.clean_up_v1());
  const auto note_events = [this](std::span<const Notice> notices, bool is_local) {
    for (const Notice& notice : notices) {
      const auto known = std::find_if(observers_.begin(), observers_.end(),
                                      [&](const auto& one) { return one.first == notice.observer; });
      for (const Event& event : notice.events) events_.push_back(dump_event(event, known->second, is_local));
    }
  };
  note_events(commit.notices(), commit.origin() == TransactionOrigin::Local);
  note_events(commit.clean_up_notices(), true);
  for (const UndoEvent& event : commit.undo_events()) {
    constexpr const char* kKinds[] = {"added", "extended", "used", "cleared"};
    const std::string stack = event.stack == UndoManager::Stack::Undo ? "undo " : "redo ";
    stack_events_.push_back(Any::string(stack + kKinds[static_cast<size_t>(event.kind)]));
  }
}

std::string Editor::run(const Any& op) {
  const std::string name = text_of(member(op, "op"));
  std::string tag;
  if (!origin_from(member(op, "origin"), tag)) return kWrongOrigin;
  if (name == "apply") {
    const auto bytes = bytes_from(member(op, "u"));
    if (!bytes) return "the update is not base64";
    const auto commit = doc_.apply_update_v1(*bytes, TransactionOrigin::Remote, tag);
    if (!commit) return describe(commit.error());
    note(*commit);
    return {};
  }
  std::string error;
  if (run_undo(name, op, error)) return error;
  Transaction txn = doc_.transact(TransactionOrigin::Local, tag);
  error = edit(txn, op);
  note(std::move(txn).commit());
  return error;
}

std::string Editor::track_undo(const Any& request) {
  if (std::string error = wrong_undo_member(request); !error.empty()) return error;
  UndoOptions options;
  const bool* whole = member(request, "whole").as_bool();
  options.whole_document = whole != nullptr && *whole;
  if (const Any::Array* scope = member(request, "scope").as_array()) {
    for (const Any& target : *scope) {
      std::optional<Shared> found;
      if (std::string error = resolve(target, found); !error.empty()) return error;
      options.types.push_back(*found);
    }
  } else {
    for (const Root& one : roots_) options.roots.push_back(one.name);
  }
  options.capture_timeout = DurationMs{count_of(request, "captureTimeout")};
  if (const Any::Array* origins = member(request, "origins").as_array()) {
    options.tags.clear();
    for (const Any& origin : *origins) {
      if (!origin_from(origin, options.tags.emplace_back())) return kWrongOrigin;
    }
  }
  options.track_remote = true;
  const bool* ignore = member(request, "ignoreRemoteMapChanges").as_bool();
  options.ignore_remote_map_changes = ignore != nullptr && *ignore;
  undo_ = doc_.track_undo(options);
  return {};
}

/// False if the operation is none of the undo manager's.
bool Editor::run_undo(const std::string& name, const Any& op, std::string& error) {
  if (name == "um") return error = track_undo(op), true;
  if (name != "undo" && name != "redo" && name != "stopCapturing" && name != "umclear") return false;
  if (!undo_) return error = "there is no undo manager", true;
  if (name == "undo") note(undo_->undo());
  if (name == "redo") note(undo_->redo());
  if (name == "stopCapturing") undo_->stop_capturing();
  if (name == "umclear") note(undo_->clear());
  return true;
}

std::string Editor::edit(Transaction& txn, const Any& op) {
  const std::string name = text_of(member(op, "op"));
  if (std::string error = wrong_member(name, op); !error.empty()) return error;
  if (name == "tx") {
    for (const Any& inner : *member(op, "ops").as_array()) {
      if (std::string error = edit(txn, inner); !error.empty()) return error;
    }
    return {};
  }
  std::optional<Shared> found;
  if (std::string error = resolve(member(op, "t"), found); !error.empty()) return error;
  if (name == "set" || name == "attr" || name == "mdel" || name == "adelattr" || name == "clear")
    return edit_keys(txn, op, *found);
  if (const auto text = found->as_text()) return edit_text(txn, op, *text);
  if (const auto array = found->as_array()) return edit_list(txn, op, *array);
  if (const auto fragment = found->as_xml_fragment()) return edit_list(txn, op, *fragment);
  return "the operation " + name + " is not known for a map";
}

std::string Editor::resolve(const Any& target, std::optional<Shared>& found) {
  const Any::Array* path = target.as_array();
  if (path != nullptr && path->size() >= 2) found = root(text_of((*path)[0]), text_of((*path)[1]));
  if (!found) return "the target is not understood";
  for (size_t i = 2; i < path->size(); ++i) {
    const std::optional<Value> value = child(*found, (*path)[i]);
    const Shared* type = value ? std::get_if<Shared>(&*value) : nullptr;
    if (type == nullptr) return "there is no type at the target";
    found = *type;
  }
  return {};
}

std::string Editor::edit_text(Transaction& txn, const Any& op, Text text) {
  const std::string name = text_of(member(op, "op"));
  const Any& attributes = member(op, "a");
  const Utf16Offset at{count_of(op, "i")};
  const uint32_t length = text.length().value();
  if (name == "ins") {
    const std::string content = text_of(member(op, "s"));
    if (is_absent(attributes)) return outcome(text.insert(txn, at, content));
    return outcome(text.insert(txn, at, content, attributes_from(attributes)));
  }
  if (name == "embed") {
    NewValue value;
    if (!new_value(member(op, "v"), value)) return kUnknownKind;
    if (const auto* made = std::get_if<NewType>(&value)) {
      return outcome(text.insert_type(txn, at, *made, attributes_from(attributes)));
    }
    if (std::holds_alternative<NewSubdocument>(value)) return "a text takes no subdocument";
    return outcome(text.insert_embed(txn, at, std::get<Any>(value), attributes_from(attributes)));
  }
  if (name == "fmt") {
    if (at.value() > length) return {};
    const uint32_t count = count_of(op, "n");
    if (count > kMaxBeyondEnd && count - kMaxBeyondEnd > length - at.value()) return kFarBeyondEnd;
    return outcome(text.format(txn, at, Length{count}, attributes_from(attributes)));
  }
  if (name == "del") {
    if (count_of(op, "n") > 0 && !text.has_items()) return kNothingToDelete;
    return outcome(text.erase(txn, at, Length{count_of(op, "n")}));
  }
  if (name == "delta") return apply_delta(txn, member(op, "v"), text);
  return "the operation " + name + " is not known for a text";
}

std::string Editor::apply_delta(Transaction& txn, const Any& delta, Text text) {
  const Any::Array* ops = delta.as_array();
  if (ops == nullptr) return "the delta is not a list";
  std::vector<TextEdit> edits;
  bool has_items = text.has_items();
  uint64_t retained = 0;
  for (const Any& op : *ops) {
    const Attributes attributes = attributes_from(member(op, "attributes"));
    const Any& insert = member(op, "insert");
    if (const std::string* content = insert.as_string()) {
      has_items = has_items || !content->empty();
      edits.push_back(TextEdit::insert(*content, attributes));
    } else if (!insert.is_undefined()) {
      has_items = true;
      edits.push_back(TextEdit::embed_value({}, attributes));
      if (!new_value(insert, edits.back().embed)) return kUnknownKind;
    } else if (!member(op, "retain").is_undefined()) {
      if (!is_count(member(op, "retain"))) return kWrongStep;
      retained += count_of(op, "retain");
      if (retained > uint64_t{kMaxBeyondEnd} + text.length().value()) return kFarBeyondEnd;
      has_items =
          has_items || count_of(op, "retain") > 0 || !std::all_of(attributes.begin(), attributes.end(), is_unset);
      edits.push_back(TextEdit::retain(Length{count_of(op, "retain")}, attributes));
    } else if (!member(op, "delete").is_undefined()) {
      if (!is_count(member(op, "delete"))) return kWrongStep;
      if (!has_items) return kNothingToDelete;
      edits.push_back(TextEdit::erase(Length{count_of(op, "delete")}));
    }
  }
  return outcome(text.apply_delta(txn, edits));
}

std::string Editor::edit_keys(Transaction& txn, const Any& op, const Shared& target) {
  const std::string name = text_of(member(op, "op"));
  const std::string key = text_of(member(op, "k"));
  const bool sets = name == "set" || name == "attr";
  NewValue value;
  if (sets && !new_value(member(op, "v"), value)) return kUnknownKind;
  const bool is_of_map = name == "set" || name == "mdel" || name == "clear";
  if (auto map = target.as_map(); map && is_of_map) {
    if (name == "clear") return map->clear(txn), std::string();
    return sets ? outcome(map->set(txn, key, value)) : ((void)map->erase(txn, key), std::string());
  }
  if (auto element = target.as_xml_element(); element && !is_of_map) {
    return sets ? outcome(element->set_attribute(txn, key, value))
                : ((void)element->remove_attribute(txn, key), std::string());
  }
  if (auto text = target.as_text(); text && !is_of_map) {
    return sets ? outcome(text->set_attribute(txn, key, value))
                : ((void)text->remove_attribute(txn, key), std::string());
  }
  return "the operation " + name + " is not known for this type";
}

}  // namespace diaryx::crdt::driver
