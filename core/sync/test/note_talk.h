// What the tests of actions on the disk share: a Talk about one note whose answers wait, and what must be everywhere in the end.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "talk.h"

namespace diaryx::sync {

/// One note, on disk and in step, and from now on the answers to writes wait.
inline Talk talk_with_note(const std::string& text) {
  Talk talk;
  talk.list("a.md", text);
  talk.connect();
  talk.answer_body("a.md");
  talk.forget();
  talk.hold_writes = true;
  return talk;
}

/// An entry of the file with this id, whose document is not named by its path.
inline std::string entry_of(const std::string& path, const std::string& id, const std::string& document) {
  FileMetadata metadata{.filename = path};
  metadata.extra.push_back({"_id", Json(id)});
  if (!document.empty()) metadata.extra.push_back({"_doc", Json(document)});
  return format_metadata(metadata);
}

inline void arrives(Talk& talk, const std::string& typed) {
  const Bytes update = talk.type("a.md", typed);
  talk.frame("body:ws1/a.md", {Update{update}});
}

/// What the server has once it was told everything.
inline std::string on_server(Talk& talk) {
  crdt::Doc& doc = talk.doc("body:ws1/a.md");
  for (const auto& [id, update] : std::exchange(talk.updates, {})) {
    if (id == "body:ws1/a.md") EXPECT_TRUE(doc.apply_update_v1(update));
  }
  return doc.text("body").to_string();
}

inline void expect_everywhere(Talk& talk, const std::string& text) {
  talk.hold_writes = false;
  talk.answer_writes();
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.replica.file_text("a.md"), text);
  EXPECT_EQ(talk.disk["a.md"], text);
  EXPECT_EQ(on_server(talk), text);
}

}  // namespace diaryx::sync
