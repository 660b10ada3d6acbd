// Vectors 07: relative positions, made before edits and resolved after them.
#include "diaryx/crdt/relative_position.h"
#include "editor.h"
#include "vectors.h"

namespace diaryx::crdt {
namespace {

/// The list that a vector names: a root, or a text inside the root map.
struct Target {
  Doc& doc;
  std::string kind;
  std::string name;
  std::string key;

  Target(Doc& in, const Any& path)
      : doc(in),
        kind(text_of(elements(path)[0])),
        name(text_of(elements(path)[1])),
        key(elements(path).size() > 2 ? text_of(elements(path)[2]) : "") {}

  Text text() const { return key.empty() ? doc.text(name) : *doc.map(name).get_text(key); }

  RelativePosition position(double index, Side side) const {
    if (kind == "array") return relative_position(doc.array(name), static_cast<size_t>(index), side);
    return relative_position(text(), Utf16Offset{static_cast<uint32_t>(index)}, side);
  }
  bool holds(const AbsolutePosition& position) const {
    return kind == "array" ? position.type == doc.array(name) : position.type == text();
  }
};

TEST(Vectors, RelativePositionsAreThoseOfYjs) {
  for (const Any& vector : read_vectors("07-snapshot-relpos-undo.jsonl")) {
    if (text_of(member(vector, "name")) != "relative-positions") continue;
    driver::Editor editor(ClientId{1}, Gc::Enabled);
    ASSERT_TRUE(editor.doc().apply_update_v1(bytes_of(member(member(vector, "before"), "v1"))).has_value());
    std::vector<RelativePosition> positions;
    for (const Any& entry : elements(member(vector, "list"))) {
      SCOPED_TRACE(entry.to_json());
      const Side side = number_of(member(entry, "assoc")) < 0 ? Side::Left : Side::Right;
      const RelativePosition position =
          Target(editor.doc(), member(entry, "t")).position(number_of(member(entry, "i")), side);
      const Bytes bytes = from_hex(text_of(member(entry, "hex"))).value_or(Bytes{});
      EXPECT_EQ(position.encode(), bytes);
      EXPECT_EQ(position.to_json().to_json(), member(entry, "json").to_json());
      const auto from_json = RelativePosition::from_json(member(entry, "json"));
      ASSERT_TRUE(from_json.has_value());
      EXPECT_TRUE(*from_json == position);
      // The bytes do not name the type where they name an item.
      const auto decoded = RelativePosition::decode(bytes);
      ASSERT_TRUE(decoded.has_value());
      EXPECT_EQ(decoded->encode(), bytes);
      positions.push_back(*decoded);
    }
    for (const Any& op : elements(member(vector, "edits"))) ASSERT_EQ(editor.run(op), "");
    EXPECT_EQ(to_base64(editor.doc().encode_update_v1()), text_of(member(member(vector, "after"), "v1")));
    const Any::Array& resolved = elements(member(vector, "resolved"));
    ASSERT_EQ(resolved.size(), positions.size());
    for (size_t i = 0; i < resolved.size(); ++i) {
      const Any& entry = elements(member(vector, "list"))[i];
      SCOPED_TRACE(entry.to_json());
      const auto place = resolve(editor.doc(), positions[i]);
      ASSERT_TRUE(place.has_value());
      EXPECT_EQ(place->index, number_of(member(resolved[i], "index")));
      EXPECT_EQ(static_cast<double>(place->assoc), number_of(member(resolved[i], "assoc")));
      EXPECT_TRUE(Target(editor.doc(), member(entry, "t")).holds(*place));
    }
    editor.doc().check_invariants();
    return;
  }
  FAIL() << "the vectors hold no relative positions";
}

}  // namespace
}  // namespace diaryx::crdt
