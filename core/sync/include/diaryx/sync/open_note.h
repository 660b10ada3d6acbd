// The note that an editor has open, which it names by a path.
//
// A path is not a file (docs/decisions/0005-identity-of-a-file.md), and an editor cannot know more than the path. So what it has
// open stays the file that it was at first: renamed, it goes on in the document of the new name, and another file that takes the path
// is another note.
#pragma once

#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"

namespace diaryx::crdt {
class Doc;
}

namespace diaryx::sync::relay {

struct OpenNote {
  std::string path;
  std::string document;  // key of the one that has the text
  std::string file_id = {};  // empty: nobody has said yet which file it is

  bool operator==(const OpenNote&) const = default;
};

/// What the workspace document `list` has at a path. A path that a file left by a rename leads to that file.
OpenNote note_at(crdt::Doc& list, std::string_view path);

/// The same file by what `list` says now. It keeps its document while it is deleted, or while nobody has said which file it is.
OpenNote followed(crdt::Doc& list, OpenNote note);

/// The note of the file that its document names, since a document is one file's for ever, whatever the list says meanwhile.
/// text   v1 of the document.
OpenNote owned(OpenNote note, ByteView text);

/// False if another file has a document, so that the text of this one must not go there.
/// there   v1 of the document.
bool may_be_of(const OpenNote& note, ByteView there);

}  // namespace diaryx::sync::relay
