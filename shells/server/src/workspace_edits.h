// What handlers do with a whole workspace, always through the live documents.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "diaryx/sync/relay_archive.h"
#include "http.h"
#include "services.h"

namespace diaryx::server {

template <typename T>
using OrResponse = std::expected<T, HttpResponse>;

inline constexpr std::string_view kNoWorkspace = "There is no such workspace, or it belongs to someone else.";

/// The answer for a failure of ours; `why` goes to the log.
HttpResponse workspace_failed(std::string_view why);

/// The refusal, if the workspace of the request's first argument is not the user's.
boost::asio::awaitable<std::optional<HttpResponse>> not_owned(Services& services, const HttpRequest& request);

/// Makes an edit and waits until it is stored; false if it will never be.
boost::asio::awaitable<bool> edit_document(Services& services, sync::ServerEdit change);

/// A document as it is live; loads it if needed, and ends behind everything received before. Null: the storage failed. Valid until
/// the next wait.
boost::asio::awaitable<crdt::Doc*> live_document(Services& services, DocId id);
/// The same as an update with everything in it; nothing: the storage failed.
boost::asio::awaitable<std::optional<Bytes>> live_state(Services& services, DocId id);

/// A client id that nobody has.
ClientId new_writer();

/// The workspace document as it is live; loads it if needed, and ends behind everything received before.
///
/// client   makes the ids of new files: who looks twice for one import names the same.
boost::asio::awaitable<OrResponse<relay::WorkspaceFiles>> live_files(Services& services, const std::string& workspace,
                                                                     ClientId client = new_writer());

/// Gives the text of `import.texts[index]`; nothing if it cannot be read any more. Asked in order, once for each.
using TextSource = std::function<boost::asio::awaitable<std::optional<std::string>>(size_t index)>;

/// Carries an import out as edits of the request's user. Bodies first, entries last: a file is listed only when its text is stored. The
/// documents of `import.renamed` are found here. Memory: some texts at once, however many there are.
///
/// edits   how a text of `import.texts` is reached, by its path; a text without one becomes what it is to be.
/// source  where texts are that `import.texts` only lists; null: they are in there.
boost::asio::awaitable<std::optional<HttpResponse>> apply_import(Services& services, const HttpRequest& request,
                                                                 relay::WorkspaceFiles::Import import,
                                                                 relay::UpdateOrigin origin,
                                                                 const std::map<std::string, Bytes>& edits = {},
                                                                 const TextSource& source = nullptr);

}  // namespace diaryx::server
