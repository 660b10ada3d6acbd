// The server's HTTP side: workspaces, attachments and snapshots.
//
// Invariants
//  1. Whatever comes from outside (ids, names, hashes) is percent-encoded before it stands in a URL.
//  2. A native host ends the running export on every status of 400 and above. Callers have finished what they were
//     changing before they come here, and can be asked again.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config.h"
#include "diaryx/base/bytes.h"
#include "diaryx/base/sha256.h"
#include "host.h"

namespace diaryx::plugin {

/// A failed request: `HTTP 404: no such workspace`. Status 0: there was no answer.
struct HttpError {
  int64_t status = 0;
  std::string text;
  /// True when asking again cannot help: too large, out of quota. Whoever is not known today (401, 403, 404) may be tomorrow: signed
  /// in again, invited again.
  bool is_final() const;
};
/// The error that an answer stands for.
HttpError failure_of(const host::HttpResponse& response);
template <typename T>
using Answer = std::expected<T, HttpError>;

struct RemoteWorkspace {
  std::string id;
  std::string name;
};

class Remote {
 public:
  /// share   the code of a share, for a guest of it; empty: a member asks.
  explicit Remote(Endpoint endpoint, std::string share = {})
      : endpoint_(std::move(endpoint)), share_(std::move(share)) {}

  Answer<std::vector<RemoteWorkspace>> workspaces() const;
  Answer<RemoteWorkspace> workspace(const std::string& id) const;
  Answer<RemoteWorkspace> create_workspace(const std::string& name) const;

  /// The bytes of an attachment; a digest that does not match is an error.
  Answer<Bytes> attachment(const std::string& workspace_id, const Sha256& hash) const;
  /// Returns once the server holds the bytes. In parts of at most 8 MiB; a known digest costs one request.
  Answer<void> upload(const std::string& workspace_id, const std::string& path, const Sha256& hash,
                      std::string_view mime_type, ByteView bytes) const;

  Answer<Bytes> download_snapshot(const std::string& workspace_id, bool with_attachments) const;
  /// mode   `replace` or `merge`.
  Answer<void> upload_snapshot(const std::string& workspace_id, std::string_view mode, bool with_attachments,
                               ByteView zip) const;

  /// One request, whatever the server answers.
  host::HttpResponse ask(std::string_view method, const std::string& path, std::string_view content_type,
                         Bytes body) const;

 private:
  Answer<Bytes> send(std::string_view method, const std::string& path, std::string_view content_type, Bytes body) const;
  std::string workspace_path(const std::string& workspace_id) const;

  Endpoint endpoint_;
  std::string share_;
};

}  // namespace diaryx::plugin
