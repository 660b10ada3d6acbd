#include "driver.h"

#include <cmath>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/update.h"
#include "tagged.h"

namespace diaryx::crdt::driver {
namespace {

Any::Object refuse(std::string sentence) {
  return {{"ok", Any::boolean(false)}, {"error", Any::string(std::move(sentence))}};
}

Any::Object done() { return {{"ok", Any::boolean(true)}}; }

Any::Object done_with(std::string name, Any value) {
  Any::Object answer = done();
  answer.push_back({std::move(name), std::move(value)});
  return answer;
}

Any base64(ByteView bytes) { return Any::string(to_base64(bytes)); }

/// The updates that were emitted since the last answer.
Any updates_of(Editor& editor) {
  Any::Array updates;
  for (const Bytes& update : editor.take_updates()) updates.push_back(base64(update));
  (void)editor.take_updates_v2();
  return Any::array(std::move(updates));
}

/// What an edit or an update led to: updates, and events if the document is observed.
Any::Object done_with_changes(Editor& editor) {
  Any::Object answer = done_with("us", updates_of(editor));
  if (editor.is_observing()) {
    answer.push_back({"events", Any::array(editor.take_events())});
    answer.push_back({"stacks", Any::array(editor.take_stack_events())});
  }
  return answer;
}

bool is_v2(const Any& request) {
  const double* version = member(request, "v").as_number();
  return version != nullptr && *version == 2;
}

}  // namespace

std::string Driver::answer(std::string_view line, TimestampMs now) {
  now_ = now;
  const auto request = Any::from_json(line, 4000);
  if (!request || !request->as_object()) return Any::object(refuse("the line is not a JSON object")).to_json();
  return Any::object(handle(*request)).to_json();
}

Driver::Answer Driver::handle(const Any& request) {
  const std::string command = text_of(member(request, "cmd"));
  const Any& version = member(request, "v");
  if (!version.is_undefined() && !is_v2(request) && !(version.as_number() && *version.as_number() == 1))
    return refuse("the version must be 1 or 2");
  if (command == "new") return make(request);
  if (command == "merge") return merge(request);
  if (command == "diff") return diff(request);
  if (command == "vector") return vector_of(request);
  if (command == "convert") return convert(request);
  const auto found = documents_.find(text_of(member(request, "doc")));
  if (found == documents_.end()) return refuse("there is no document of that name; make it with \"cmd\":\"new\"");
  if (command == "free") {
    documents_.erase(found);
    return done();
  }
  return with_document(command, request, *found->second);
}

Driver::Answer Driver::make(const Any& request) {
  const double* client = member(request, "client").as_number();
  if (client == nullptr || *client < 0 || *client > 9007199254740991.0 || *client != std::floor(*client))
    return refuse("the client must be a whole number up to 2^53-1");
  if (!member(request, "doc").as_string()) return refuse("the document needs a name");
  const bool* gc = member(request, "gc").as_bool();
  auto editor = std::make_unique<Editor>(ClientId{static_cast<uint64_t>(*client)},
                                         gc != nullptr && !*gc ? Gc::Disabled : Gc::Enabled);
  if (const Any::Array* roots = member(request, "roots").as_array()) {
    for (const Any& root : *roots) {
      const Any::Array* pair = root.as_array();
      if (pair == nullptr || pair->size() != 2 || !editor->declare(text_of((*pair)[0]), text_of((*pair)[1]))) {
        return refuse("a root is [kind, name] with kind text, array, map or xml, and of one kind only");
      }
    }
  }
  if (const bool* observe = member(request, "observe").as_bool(); observe != nullptr && *observe) editor->observe();
  documents_[text_of(member(request, "doc"))] = std::move(editor);
  return done();
}

Driver::Answer Driver::merge(const Any& request) {
  std::vector<Bytes> updates;
  const Any::Array* list = member(request, "us").as_array();
  if (list == nullptr) return refuse("the updates must be a list");
  for (const Any& one : *list) {
    auto bytes = bytes_from(one);
    if (!bytes) return refuse("an update is not base64");
    updates.push_back(std::move(*bytes));
  }
  const std::vector<ByteView> views(updates.begin(), updates.end());
  const auto merged = is_v2(request) ? merge_updates_v2(views) : merge_updates_v1(views);
  return merged ? done_with("u", base64(*merged)) : refuse(describe(merged.error()));
}

Driver::Answer Driver::diff(const Any& request) {
  const auto update = bytes_from(member(request, "u"));
  const auto vector = bytes_from(member(request, "sv"));
  if (!update || !vector) return refuse("the update or the state vector is not base64");
  const auto known = StateVector::decode(*vector);
  if (!known) return refuse(describe(known.error()));
  const auto result = is_v2(request) ? diff_update_v2(*update, *known) : diff_update_v1(*update, *known);
  return result ? done_with("u", base64(*result)) : refuse(describe(result.error()));
}

Driver::Answer Driver::vector_of(const Any& request) {
  const auto update = bytes_from(member(request, "u"));
  if (!update) return refuse("the update is not base64");
  const auto vector = is_v2(request) ? state_vector_of_update_v2(*update) : state_vector_of_update_v1(*update);
  return vector ? done_with("u", base64(vector->encode())) : refuse(describe(vector.error()));
}

Driver::Answer Driver::convert(const Any& request) {
  const auto update = bytes_from(member(request, "u"));
  if (!update) return refuse("the update is not base64");
  const auto result = is_v2(request) ? convert_v2_to_v1(*update) : convert_v1_to_v2(*update);
  return result ? done_with("u", base64(*result)) : refuse(describe(result.error()));
}

Driver::Answer Driver::with_document(const std::string& command, const Any& request, Editor& editor) {
  editor.doc().set_now(now_);
  if (command == "dump") return done_with("state", editor.dump());
  if (command == "sv") return done_with("u", base64(editor.doc().state_vector().encode()));
  if (command == "check") return editor.doc().check_invariants(), done();
  if (command == "apply") {
    const auto update = bytes_from(member(request, "u"));
    if (!update) return refuse("the update is not base64");
    const auto commit = is_v2(request) ? editor.doc().apply_update_v2(*update) : editor.doc().apply_update_v1(*update);
    if (!commit) return refuse(describe(commit.error()));
    editor.forget_changes();
    editor.note(*commit);
    return done_with_changes(editor);
  }
  if (command == "encode") {
    StateVector known;
    if (const Any& given = member(request, "sv"); !given.is_undefined() && given.kind() != Any::Kind::Null) {
      const auto bytes = bytes_from(member(request, "sv"));
      const auto decoded = bytes ? StateVector::decode(*bytes) : fail(ErrorCode::InvalidBase64);
      if (!decoded) return refuse(describe(decoded.error()));
      known = *decoded;
    }
    return done_with(
        "u", base64(is_v2(request) ? editor.doc().encode_update_v2(known) : editor.doc().encode_update_v1(known)));
  }
  if (command == "um") {
    const std::string error = editor.track_undo(request);
    return error.empty() ? done() : refuse(error);
  }
  if (command == "op") {
    editor.track_undo_once();
    editor.forget_changes();
    const std::string error = editor.run(member(request, "op"));
    if (error.empty()) return done_with_changes(editor);
    // As in Yjs, what came before the step that was refused is done, and peers need it.
    Answer answer = refuse(error);
    Any updates = updates_of(editor);
    if (!updates.as_array()->empty()) answer.push_back({"us", std::move(updates)});
    return answer;
  }
  return refuse("the command is not known");
}

}  // namespace diaryx::crdt::driver
