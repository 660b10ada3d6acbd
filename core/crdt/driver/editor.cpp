#include "editor.h"

#include "diaryx/base/base64.h"
#include "dump.h"
#include "marks.h"
#include "tagged.h"
#include "values.h"

namespace diaryx::crdt::driver {
namespace {

bool kind_from(std::string_view name, TypeKind& kind) {
  if (name == "text") return kind = TypeKind::Text, true;
  if (name == "array") return kind = TypeKind::Array, true;
  if (name == "map") return kind = TypeKind::Map, true;
  if (name == "xml" || name == "xmlfragment") return kind = TypeKind::XmlFragment, true;
  if (name == "xmlelement") return kind = TypeKind::XmlElement, true;
  if (name == "xmltext") return kind = TypeKind::XmlText, true;
  if (name == "xmlhook") return kind = TypeKind::XmlHook, true;
  return false;
}

uint32_t count_of(const Any& op, std::string_view name) {
  const double* number = member(op, name).as_number();
  return number != nullptr && *number >= 0 && *number < 4294967295.0 ? static_cast<uint32_t>(*number) : 0;
}

bool is_text(TypeKind kind) { return kind == TypeKind::Text || kind == TypeKind::XmlText; }

/// What Yjs writes for a subdocument that was made with these options.
Bytes subdocument(const Any& value) {
  Any::Object options;
  const Any& given = member(value, "opts");
  const auto is = [&](std::string_view name, bool wanted) {
    const bool* flag = member(given, name).as_bool();
    return flag != nullptr && *flag == wanted;
  };
  if (is("gc", false)) options.push_back({"gc", Any::boolean(false)});
  if (is("autoLoad", true)) options.push_back({"autoLoad", Any::boolean(true)});
  const Any& meta = member(given, "meta");
  if (!meta.is_undefined() && !meta.is_null()) options.push_back({"meta", from_tagged(meta)});
  Sink out;
  out.var_string(text_of(member(value, "guid")));
  encode_any(Any::object(std::move(options)), out);
  return out.take();
}

}  // namespace

bool Editor::declare(const std::string& kind, const std::string& name) {
  TypeKind type_kind;
  if (!kind_from(kind, type_kind)) return false;
  (void)store_.root(name, type_kind);
  roots_.push_back({kind, name});
  return true;
}

Any Editor::dump(bool used_only) const {
  Any::Object dump;
  for (const Root& root : roots_) {
    TypeKind kind = TypeKind::XmlFragment;
    (void)kind_from(root.kind, kind);
    const TypeRef type = store_.root(root.name, kind);
    if (used_only && !some(store_.type(type).start) && !store_.type(type).keys) continue;
    dump.push_back({root.kind + ":" + root.name, dump_type(store_, type, kind)});
  }
  return sorted_object(std::move(dump));
}

void Editor::note(const Commit& commit) {
  if (commit.changed()) {
    updates_.push_back(commit.update_v1());
    updates_v2_.push_back(commit.update_v2());
  }
  if (!commit.clean_up_v1().empty()) updates_.push_back(commit.clean_up_v1());
}

std::string Editor::run(const Any& op) {
  const std::string name = text_of(member(op, "op"));
  if (name == "apply") {
    const auto bytes = from_base64(text_of(member(op, "u")));
    if (!bytes) return "the update is not base64";
    const auto commit = doc_.apply_update_v1(*bytes);
    if (!commit) return describe(commit.error());
    note(*commit);
    return {};
  }
  std::string error;
  if (run_undo(name, op, error)) return error;
  const std::string tag = text_of(member(op, "origin"));
  store_.begin(TransactionOrigin::Local, tag);
  error = edit(op);
  note(store_.commit());
  return error;
}

std::string Editor::track_undo(const Any& request) {
  UndoOptions options;
  if (const Any::Array* scope = member(request, "scope").as_array()) {
    for (const Any& target : *scope) {
      if (target.as_array() == nullptr || target.as_array()->size() != 2)
        return "the scope of an undo manager is a list of roots";
      options.roots.push_back(text_of((*target.as_array())[1]));
    }
  } else {
    for (const Root& root : roots_) options.roots.push_back(root.name);
  }
  options.capture_timeout = DurationMs{count_of(request, "captureTimeout")};
  if (const Any::Array* origins = member(request, "origins").as_array()) {
    options.tags.clear();
    for (const Any& origin : *origins) options.tags.push_back(text_of(origin));
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
  if (name == "umclear") undo_->clear();
  return true;
}

std::string Editor::edit(const Any& op) {
  const std::string name = text_of(member(op, "op"));
  if (name == "tx") {
    if (const Any::Array* ops = member(op, "ops").as_array()) {
      for (const Any& inner : *ops) {
        if (std::string error = edit(inner); !error.empty()) return error;
      }
    }
    return {};
  }
  TypeRef type = TypeRef::None;
  if (std::string error = resolve(member(op, "t"), type); !error.empty()) return error;
  if (!store_.is_live(type)) return "the type was deleted";
  if (name == "set" || name == "attr" || name == "mdel" || name == "adelattr" || name == "clear")
    return edit_keys(op, type);
  if (is_text(store_.type(type).kind)) return edit_text(op, type);
  return edit_list(op, type);
}

std::string Editor::resolve(const Any& target, TypeRef& type) {
  const Any::Array* path = target.as_array();
  TypeKind kind;
  if (path == nullptr || path->size() < 2 || !kind_from(text_of((*path)[0]), kind))
    return "the target is not understood";
  type = store_.root(text_of((*path)[1]), kind);
  for (size_t i = 2; i < path->size(); ++i) {
    const Any& step = (*path)[i];
    ItemRef ref = ItemRef::None;
    if (const double* index = step.as_number()) {
      ref = store_.find_unit(type, static_cast<uint32_t>(*index)).item;
    } else {
      ref = store_.current_item(type, text_of(step));
    }
    if (!some(ref) || store_.item(ref).deleted() || store_.item(ref).kind != ContentKind::Type) {
      return "there is no type at the target";
    }
    type = store_.type_of(store_.item(ref));
  }
  return {};
}

std::string Editor::edit_text(const Any& op, TypeRef type) {
  const std::string name = text_of(member(op, "op"));
  const Any& attributes = member(op, "a");
  const auto marks = [&] {
    const Any plain = from_tagged(attributes);
    return plain.as_object() ? marks_from(store_, *plain.as_object()) : Marks{};
  };
  const uint32_t at = count_of(op, "i");
  TextEditor editor(store_, type);
  if (name == "ins") {
    const std::string text = text_of(member(op, "s"));
    if (text.empty()) return {};
    const uint32_t units = utf16_length(text).value();
    if (attributes.is_undefined()) return store_.insert_text_inheriting(type, at, text, units), std::string();
    editor.seek(at);
    (void)editor.insert({ContentKind::String, units, as_bytes(text)}, marks());
    return {};
  }
  if (name == "embed") {
    const Any& value = member(op, "v");
    editor.seek(at);
    if (tag_of(value) == "new") {
      TypeKind kind;
      if (!kind_from(text_of(member(value, "k")), kind)) return "the kind of the new type is not known";
      const std::string node = text_of(member(value, "name"));
      Marks negated;
      const ItemRef made = editor.begin_insert({ContentKind::Type, 1, {}, kind, node}, marks(), negated);
      std::string error = fill(store_.type_of(store_.item(made)), member(value, "init"));
      editor.end_insert(negated);
      return error;
    }
    if (value.is_null() || value.is_undefined()) return "null cannot be embedded";
    if (const std::string* text = value.as_string()) {  // Yjs takes it for text
      (void)editor.insert({ContentKind::String, utf16_length(*text).value(), as_bytes(*text)}, marks());
      return {};
    }
    const Bytes encoded = from_tagged(value).encode();
    (void)editor.insert({ContentKind::Embed, 1, encoded}, marks());
    return {};
  }
  if (name == "fmt") {
    if (count_of(op, "n") == 0) return {};
    editor.seek(at);
    if (!editor.at_end()) editor.format(count_of(op, "n"), marks());
    return {};
  }
  if (name == "del") {
    store_.erase_text(type, at, count_of(op, "n"));
    return {};
  }
  if (name == "delta") return apply_delta(member(op, "v"), type);
  return "the operation " + name + " is not known for a text";
}

std::string Editor::apply_delta(const Any& delta, TypeRef type) {
  TextEditor editor(store_, type);
  const Any::Array* ops = delta.as_array();
  if (ops == nullptr) return "the delta is not a list";
  for (const Any& op : *ops) {
    const Any plain = from_tagged(member(op, "attributes"));
    const Marks marks = plain.as_object() ? marks_from(store_, *plain.as_object()) : Marks{};
    const Any& insert = member(op, "insert");
    if (const std::string* text = insert.as_string()) {
      if (!text->empty())
        (void)editor.insert({ContentKind::String, utf16_length(*text).value(), as_bytes(*text)}, marks);
    } else if (tag_of(insert) == "new") {
      TypeKind kind;
      if (!kind_from(text_of(member(insert, "k")), kind)) return "the kind of the new type is not known";
      const std::string node = text_of(member(insert, "name"));
      Marks negated;
      const ItemRef made = editor.begin_insert({ContentKind::Type, 1, {}, kind, node}, marks, negated);
      std::string error = fill(store_.type_of(store_.item(made)), member(insert, "init"));
      editor.end_insert(negated);
      if (!error.empty()) return error;
    } else if (!insert.is_undefined()) {
      const Bytes encoded = from_tagged(insert).encode();
      (void)editor.insert({ContentKind::Embed, 1, encoded}, marks);
    } else if (!member(op, "retain").is_undefined()) {
      editor.format(count_of(op, "retain"), marks);
    } else {
      editor.erase(count_of(op, "delete"));
    }
  }
  return {};
}

std::string Editor::edit_list(const Any& op, TypeRef type) {
  const std::string name = text_of(member(op, "op"));
  const uint32_t at = count_of(op, "i");
  const uint32_t length = store_.type(type).length;
  if (name == "ains") {
    if (at > length) return "the index is beyond the end of the list";
    return insert_values(type, store_.gap_at(type, at), member(op, "v"));
  }
  if (name == "push") {
    // In Yjs only an array appends after its trailing tombstones.
    const bool is_array = store_.type(type).kind == TypeKind::Array;
    return insert_values(type, is_array ? store_.gap_at_end(type) : store_.gap_at(type, length), member(op, "v"));
  }
  if (name == "del") {
    const uint32_t count = count_of(op, "n");
    if (at > length) return count == 0 ? std::string() : "the range is beyond the end of the list";
    store_.erase_units(type, at, std::min(count, length - at), Store::Keep::Nothing);
    return count > length - at ? "the range is beyond the end of the list" : "";
  }
  return "the operation " + name + " is not known for a list";
}

std::string Editor::edit_keys(const Any& op, TypeRef type) {
  const std::string name = text_of(member(op, "op"));
  const std::string key = text_of(member(op, "k"));
  if (name == "set" || name == "attr") return set_key(type, key, member(op, "v"));
  if (name == "clear") {
    if (!store_.type(type).keys) return {};
    for (size_t i = 0; i < store_.type(type).keys->entries().size(); ++i) {
      store_.erase(static_cast<ItemRef>(store_.type(type).keys->entries()[i].value));
    }
    return {};
  }
  const ItemRef ref = store_.current_item(type, key);
  if (some(ref)) store_.erase(ref);
  return {};
}

std::string Editor::insert_values(TypeRef type, Gap gap, const Any& values) {
  const Any::Array* list = values.as_array();
  if (list == nullptr) return "the values are not a list";
  std::vector<Any> run;
  const auto flush = [&] {
    if (run.empty()) return;
    store_.insert_values(type, gap, run);
    gap.left = some(gap.left) ? store_.item(gap.left).right : store_.type(type).start;
    run.clear();
  };
  for (const Any& value : *list) {
    const std::string tag = tag_of(value);
    if (tag == "undef" || tag == "bigint") return "a list does not take this kind of value";
    if (tag != "new" && tag != "doc" && tag != "bytes") {
      run.push_back(from_tagged(value));
      continue;
    }
    flush();
    if (tag == "bytes") {
      gap.left = store_.insert(type, gap, KeyRef::None, ContentKind::Binary, 1, *from_tagged(value).as_bytes());
    } else if (tag == "doc") {
      gap.left = store_.insert(type, gap, KeyRef::None, ContentKind::Doc, 1, subdocument(value));
    } else {
      TypeKind kind;
      if (!kind_from(text_of(member(value, "k")), kind)) return "the kind of the new type is not known";
      gap.left = store_.insert_type(type, gap, KeyRef::None, kind, text_of(member(value, "name")));
      const TypeRef made = store_.type_of(store_.item(gap.left));
      if (std::string error = fill(made, member(value, "init")); !error.empty()) return error;
    }
  }
  flush();
  return {};
}

std::string Editor::set_key(TypeRef type, std::string_view key, const Any& value) {
  const std::string tag = tag_of(value);
  if (tag == "new") {
    TypeKind kind;
    if (!kind_from(text_of(member(value, "k")), kind)) return "the kind of the new type is not known";
    const TypeRef made = store_.set_key_type(type, key, kind, text_of(member(value, "name")));
    return fill(made, member(value, "init"));
  }
  if (tag == "doc") {
    const KeyRef sub = store_.keys().intern(key);
    const Bytes content = subdocument(value);
    (void)store_.insert(type, {store_.type(type).current(sub), ItemRef::None}, sub, ContentKind::Doc, 1, content);
    return {};
  }
  store_.set_key(type, key, from_tagged(value));
  return {};
}

/// Puts the initial content into a type that was just inserted.
std::string Editor::fill(TypeRef type, const Any& init) {
  if (const std::string* text = init.as_string()) {
    if (!text->empty()) store_.insert_text_inheriting(type, 0, *text, utf16_length(*text).value());
    return {};
  }
  if (init.as_array()) return insert_values(type, {}, init);
  if (const Any::Object* entries = init.as_object()) {
    for (const Any::Member& entry : *entries) {
      if (std::string error = set_key(type, entry.key, entry.value); !error.empty()) return error;
    }
  }
  return {};
}

}  // namespace diaryx::crdt::driver
