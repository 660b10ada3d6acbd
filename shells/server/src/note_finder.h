// Which document has the text of the note that an editor names by its path.
//
// Mostly the one that the path names. A file that took a name which another file had before has a document of its own, and its entry
// in the workspace document says which (docs/decisions/0005-identity-of-a-file.md). An editor that was gone meanwhile
// may still hold the earlier note: it goes on in that one, wherever it is by now, or the texts of two notes would become one.
//
// A note that is renamed while it is open goes on in the document of its new name: nobody else looks into the old one.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "editor_wire.h"
#include "services.h"

namespace diaryx::server {

/// Loads the workspace document for whoever may open the workspace; for others, and where there is nothing to follow, the answer is
/// the document `by_path`, and the relay says what it has to say about it.
///
/// key       what the connection was let in with.
/// by_path   `body:<workspace>/<path>`; not trusted.
/// message   the first for this note, not trusted; if it is a SyncStep1, it says what the editor holds.
boost::asio::awaitable<EditorNote> find_note(Services& services, AccessKey key, std::string by_path, Bytes message);

/// An open note as the list of files has it now. If it has another document by now, all that was received in the old one is in
/// there; if that cannot be stored, the note is where it was.
boost::asio::awaitable<EditorNote> follow_note(Services& services, EditorNote note);

}  // namespace diaryx::server
