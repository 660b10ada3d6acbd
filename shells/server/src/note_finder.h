// Which document has the text of the note that an editor names by its path.
//
// Mostly the one that the path names. A file that took a name which another file had before has a document of its own, and its entry
// in the workspace document says which (docs/decisions/0005-identity-of-a-file.md). An editor that was gone meanwhile
// may still hold the earlier note: it goes on in that one, or the texts of two notes would become one.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "services.h"

namespace diaryx::server {

/// Loads the workspace document for whoever may open the workspace; for others, and where there is nothing to follow, the answer is
/// `by_path`, and the relay says what it has to say about it.
///
/// key       what the connection was let in with.
/// by_path   `body:<workspace>/<path>`; not trusted.
/// message   the first for this note, not trusted; if it is a SyncStep1, it says what the editor holds.
boost::asio::awaitable<std::string> find_note(Services& services, AccessKey key, std::string by_path, Bytes message);

}  // namespace diaryx::server
