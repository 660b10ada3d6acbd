// Vectors 01 to 05: scripts of edits, and concurrent clients.
#include <algorithm>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "editor.h"
#include "vectors.h"

namespace diaryx::crdt {
namespace {

using driver::Editor;

/// Members of objects in one order, and what a copy of a subdocument does not have left out.
Any normalized(const Any& value) {
  if (const Any::Array* array = value.as_array()) {
    Any::Array result;
    for (const Any& element : *array) result.push_back(normalized(element));
    return Any::array(std::move(result));
  }
  const Any::Object* object = value.as_object();
  if (object == nullptr) return value;
  Any::Object result;
  for (const Any::Member& entry : *object) {
    if (entry.key != "shouldLoad") result.push_back({entry.key, normalized(entry.value)});
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return Any::object(std::move(result));
}

std::string comparable(const Any& value) { return normalized(value).to_json(); }

std::unique_ptr<Editor> editor_for(const Any& vector, double client) {
  const bool* gc = member(vector, "gc").as_bool();
  auto editor = std::make_unique<Editor>(ClientId{static_cast<uint64_t>(client)},
                                         gc != nullptr && !*gc ? Gc::Disabled : Gc::Enabled);
  for (const Any& root : elements(member(vector, "roots"))) {
    EXPECT_TRUE(editor->declare(text_of(elements(root)[0]), text_of(elements(root)[1])));
  }
  return editor;
}

std::vector<std::string> base64_of(const std::vector<Bytes>& updates) {
  std::vector<std::string> result;
  for (const Bytes& update : updates) result.push_back(to_base64(update));
  return result;
}

std::vector<std::string> texts_of(const Any& list) {
  std::vector<std::string> result;
  for (const Any& one : elements(list)) result.push_back(text_of(one));
  return result;
}

/// `oldValue` of a key that was added is undefined in the vectors, and so it is here.
std::string events_of(const Any& step) { return comparable(Any::array(elements(member(step, "events")))); }

bool has_undo(const Any& vector) {
  const Any::Array& steps = elements(member(vector, "steps"));
  return std::any_of(steps.begin(), steps.end(),
                     [](const Any& step) { return text_of(member(member(step, "op"), "op")) == "um"; });
}

void check_script(const Any& vector) {
  const std::unique_ptr<Editor> editor = editor_for(vector, number_of(member(vector, "client")));
  editor->observe();
  // Scripts that the random sessions left say what is written only.
  const bool tells_events = member(vector, "final").find("state") != nullptr;
  size_t number = 0;
  for (const Any& step : elements(member(vector, "steps"))) {
    SCOPED_TRACE("step " + std::to_string(number++) + ": " + member(step, "op").to_json());
    ASSERT_EQ(editor->run(member(step, "op")), "");
    editor->doc().check_invariants();
    const std::string events = comparable(Any::array(editor->take_events()));
    if (tells_events) ASSERT_EQ(events, events_of(step));
    ASSERT_EQ(base64_of(editor->take_updates()), texts_of(member(step, "updatesV1")));
    ASSERT_EQ(base64_of(editor->take_updates_v2()), texts_of(member(step, "updatesV2")));
    if (step.find("state") != nullptr) ASSERT_EQ(comparable(editor->dump(true)), comparable(member(step, "state")));
  }
  const Any& end = member(vector, "final");
  EXPECT_EQ(to_base64(editor->doc().encode_update_v1()), text_of(member(end, "v1")));
  EXPECT_EQ(to_base64(editor->doc().state_vector().encode()), text_of(member(end, "sv")));
  if (has_undo(vector)) return;  // an undo manager keeps contents that a copy collects
  // A copy made from the bytes is the same document.
  const std::unique_ptr<Editor> copy = editor_for(vector, 4242);
  ASSERT_TRUE(copy->doc().apply_update_v1(editor->doc().encode_update_v1()).has_value());
  copy->doc().check_invariants();
  EXPECT_EQ(to_base64(copy->doc().encode_update_v1()), text_of(member(end, "v1")));
  if (end.find("state") != nullptr) EXPECT_EQ(comparable(copy->dump()), comparable(member(end, "state")));
  EXPECT_EQ(to_base64(copy->doc().encode_update_v2()), text_of(member(end, "v2")));
  const std::unique_ptr<Editor> copy_v2 = editor_for(vector, 4242);
  ASSERT_TRUE(copy_v2->doc().apply_update_v2(bytes_of(member(end, "v2"))).has_value());
  copy_v2->doc().check_invariants();
  EXPECT_EQ(to_base64(copy_v2->doc().encode_update_v1()), text_of(member(end, "v1")));
}

void check_input(const Any& vector) {
  const std::unique_ptr<Editor> editor = editor_for(vector, 4242);
  ASSERT_TRUE(editor->doc().apply_update_v1(bytes_of(member(vector, "inputV1"))).has_value());
  editor->doc().check_invariants();
  const Any& end = member(vector, "final");
  if (end.is_undefined()) return;
  EXPECT_EQ(to_base64(editor->doc().encode_update_v1()), text_of(member(end, "v1")));
  EXPECT_EQ(to_base64(editor->doc().encode_update_v2()), text_of(member(end, "v2")));
  EXPECT_EQ(comparable(editor->dump()), comparable(member(end, "state")));
}

void check_concurrent(const Any& vector) {
  struct Writer {
    std::unique_ptr<Editor> editor;
    std::vector<Bytes> updates;
  };
  const Bytes base = bytes_of(member(member(vector, "base"), "update"));
  std::vector<Writer> writers;
  for (const Any& client : elements(member(vector, "clients"))) {
    Writer writer{editor_for(vector, number_of(member(client, "client"))), {}};
    ASSERT_TRUE(writer.editor->doc().apply_update_v1(base).has_value());
    for (const Any& op : elements(member(client, "ops"))) {
      SCOPED_TRACE(op.to_json());
      ASSERT_EQ(writer.editor->run(op), "");
      for (Bytes& update : writer.editor->take_updates()) writer.updates.push_back(std::move(update));
    }
    ASSERT_EQ(base64_of(writer.updates), texts_of(member(client, "updates")));
    writers.push_back(std::move(writer));
  }
  std::vector<size_t> order;
  for (size_t i = 0; i < writers.size(); ++i) order.push_back(i);
  const bool* converges = member(vector, "converged").as_bool();
  const Any::Array& order0 = elements(member(member(vector, "order0"), "order"));
  do {
    const std::unique_ptr<Editor> receiver = editor_for(vector, 4242);
    ASSERT_TRUE(receiver->doc().apply_update_v1(base).has_value());
    for (const size_t writer : order) {
      for (const Bytes& update : writers[writer].updates) {
        ASSERT_TRUE(receiver->doc().apply_update_v1(update).has_value());
        ASSERT_TRUE(receiver->doc().apply_update_v1(update).has_value());  // twice is once
        receiver->doc().check_invariants();
      }
    }
    if (converges == nullptr || *converges) {
      ASSERT_EQ(comparable(receiver->dump()), comparable(member(vector, "expected")));
    }
    bool is_order0 = order0.size() == order.size();
    for (size_t i = 0; i < order0.size() && is_order0; ++i)
      is_order0 = number_of(order0[i]) == static_cast<double>(order[i]);
    if (is_order0) {
      EXPECT_EQ(to_base64(receiver->doc().encode_update_v1()), text_of(member(member(vector, "order0"), "v1")));
      EXPECT_EQ(to_base64(receiver->doc().encode_update_v2()), text_of(member(member(vector, "order0"), "v2")));
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

void check_file(const std::string& file) {
  for (const Any& vector : read_vectors(file)) {
    SCOPED_TRACE(file + " " + text_of(member(vector, "name")));
    if (vector.find("steps") == nullptr && file.starts_with("07")) continue;  // snapshots and relative positions
    if (vector.find("clients") != nullptr) {
      check_concurrent(vector);
    } else if (vector.find("inputV1") != nullptr) {
      check_input(vector);
    } else {
      check_script(vector);
    }
  }
}

TEST(Vectors, ContentTypesAreWrittenAsInYjs) { check_file("01-content-types.jsonl"); }
TEST(Vectors, ConcurrentEditsConvergeAsInYjs) { check_file("02-concurrent.jsonl"); }
TEST(Vectors, FormattingIsWrittenAsInYjs) { check_file("03-formatting.jsonl"); }
TEST(Vectors, NestedTypesAreWrittenAsInYjs) { check_file("04-nested.jsonl"); }
TEST(Vectors, UndoWritesAsInYjs) { check_file("07-snapshot-relpos-undo.jsonl"); }
TEST(Vectors, WhatRandomSessionsFoundIsWrittenAsInYjs) { check_file("11-found.jsonl"); }
TEST(Vectors, XmlIsWrittenAsInYjs) { check_file("05-xml.jsonl"); }

}  // namespace
}  // namespace diaryx::crdt
