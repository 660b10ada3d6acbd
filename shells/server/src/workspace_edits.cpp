#include "workspace_edits.h"

#include <memory>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "ask.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/native/log.h"
#include "diaryx/native/random.h"
#include "diaryx/sync/doc_id.h"
#include "relay_host.h"

namespace diaryx::server {

using boost::asio::awaitable;
using relay::WorkspaceFiles;

HttpResponse workspace_failed(std::string_view why) {
  native::log().error("workspace: {}", why);
  return error_response(http::status::internal_server_error,
                        "The server could not read or store the workspace. Try again later.");
}

awaitable<std::optional<HttpResponse>> not_owned(Services& services, const HttpRequest& request) {
  const auto workspace = co_await ask<Workspace>([&](auto reply) {
    services.storage.workspaces.find(request.session.user_id, request.arguments[0], std::move(reply));
  });
  if (!workspace) co_return storage_response(workspace.error(), kNoWorkspace);
  co_return std::nullopt;
}

awaitable<bool> edit_document(Services& services, sync::ServerEdit change) {
  const auto stored = co_await ask<bool>([&](Reply<bool> reply) {
    auto shared = std::make_shared<Reply<bool>>(std::move(reply));
    services.relay.edit(std::move(change), [shared](bool done) { (*shared)(done); });
  });
  co_return stored && *stored;
}

ClientId new_writer() { return ClientId{native::random_u64() & 0xffff'ffffu}; }

awaitable<bool> load_document(Services& services, DocId id) {
  sync::ServerEdit nothing;
  nothing.document = std::move(id);
  co_return co_await edit_document(services, std::move(nothing));
}

awaitable<crdt::Doc*> live_document(Services& services, DocId id) {
  if (!co_await load_document(services, id)) co_return nullptr;
  co_return services.relay.find(id);
}

awaitable<std::optional<Bytes>> live_state(Services& services, DocId id) {
  if (!co_await load_document(services, id)) co_return std::nullopt;
  co_return services.relay.state(id);
}

awaitable<OrResponse<WorkspaceFiles>> live_files(Services& services, const std::string& workspace, ClientId client) {
  const auto state = co_await live_state(services, *sync::workspace_doc_id(workspace));
  if (!state) co_return std::unexpected(workspace_failed("the workspace was not loaded"));
  auto files = WorkspaceFiles::open(workspace, *state, client);
  if (!files) co_return std::unexpected(workspace_failed(describe(files.error())));
  co_return std::move(*files);
}

namespace {

/// Takes the operations of renamed files along into the documents of their new names, and notes which those are. A file whose new
/// name was taken meanwhile keeps the one it has.
awaitable<std::optional<HttpResponse>> carry_renamed(Services& services, const std::string& workspace,
                                                     const WorkspaceFiles& files,
                                                     std::vector<WorkspaceFiles::Renamed>& renamed,
                                                     const std::function<sync::ServerEdit(sync::ServerEdit)>& sign) {
  std::erase_if(renamed, [&](const auto& file) { return !files.can_rename(file.from, file.to); });
  for (WorkspaceFiles::Renamed& file : renamed) {
    const auto named = sync::body_doc_id(workspace, file.to);
    if (!named) co_return workspace_failed(describe(named.error()));
    const auto at_path = co_await live_state(services, *named);
    const auto here = co_await live_state(services, files.body_of(file.from));
    if (!at_path || !here) co_return workspace_failed("a text was not loaded");
    auto document = files.document_at(file, *at_path);
    if (!document) co_return workspace_failed(describe(document.error()));
    file.document = std::move(*document);
    const auto target = sync::body_doc_id(workspace, file.document);
    if (!target) co_return workspace_failed(describe(target.error()));
    if (*target == files.body_of(file.from)) continue;
    const auto there = co_await live_state(services, *target);
    if (!there) co_return workspace_failed("a text was not loaded");
    auto edit = files.edit_renamed(file, *here, *there);
    if (!edit) co_return workspace_failed(describe(edit.error()));
    if (!co_await edit_document(services, sign(std::move(*edit))))
      co_return workspace_failed("not every text was stored");
  }
  co_return std::nullopt;
}

/// Several at once, so that the storage commits them in groups, and no more, so that memory does not grow with the archive.
constexpr size_t kTextBytesAtOnce = 16u << 20;
constexpr size_t kTextOverheadBytes = 1024;  // of a note that is nearly empty

/// Brings every text to its document; true if all are stored.
awaitable<bool> store_texts(Services& services, const WorkspaceFiles& files, const WorkspaceFiles::Import& import,
                            const std::map<std::string, Bytes>& edits, const TextSource& source,
                            const std::function<sync::ServerEdit(sync::ServerEdit)>& sign) {
  struct Progress {
    boost::asio::steady_timer answered;
    size_t waiting_bytes = 0;
    bool failed = false;
  };
  const auto progress = std::make_shared<Progress>(Progress{boost::asio::steady_timer(
      co_await boost::asio::this_coro::executor, boost::asio::steady_timer::time_point::max())});
  const auto wait = [&]() -> awaitable<void> {
    boost::system::error_code cancelled;
    co_await progress->answered.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
  };
  for (size_t i = 0; i < import.texts.size() && !progress->failed; ++i) {
    WorkspaceFiles::ImportedText file = import.texts[i];
    if (source) {
      auto text = co_await source(i);
      if (!text) progress->failed = true;
      if (!text) break;
      file.text = std::move(*text);
    }
    const size_t size_bytes = file.text.size() + kTextOverheadBytes;
    while (progress->waiting_bytes > 0 && progress->waiting_bytes + size_bytes > kTextBytesAtOnce) co_await wait();
    sync::ServerEdit change = files.edit_body(file);
    if (const auto known = edits.find(file.path); known != edits.end()) change.update = known->second;
    progress->waiting_bytes += size_bytes;
    services.relay.edit(sign(std::move(change)), [progress, size_bytes](bool stored) {
      progress->waiting_bytes -= size_bytes;
      progress->failed = progress->failed || !stored;
      progress->answered.cancel();
    });
  }
  while (progress->waiting_bytes > 0) co_await wait();
  co_return !progress->failed;
}

}  // namespace

awaitable<std::optional<HttpResponse>> apply_import(Services& services, const HttpRequest& request,
                                                    WorkspaceFiles::Import import, relay::UpdateOrigin origin,
                                                    const std::map<std::string, Bytes>& edits,
                                                    const TextSource& source) {
  const std::string& workspace = request.arguments[0];
  const auto sign = [&request, origin](sync::ServerEdit change) {
    change.origin = origin;
    change.user_id = request.session.user_id;
    change.device_id = request.session.device_id;
    return change;
  };
  // One writer for all looks at the list: it makes the ids of new files, which text and entry have to agree about.
  const ClientId writer = new_writer();
  auto files = co_await live_files(services, workspace, writer);
  if (!files) co_return files.error();
  if (!co_await store_texts(services, *files, import, edits, source, sign))
    co_return workspace_failed("not every text was stored");
  // The list may have changed while the texts were stored.
  files = co_await live_files(services, workspace, writer);
  if (!files) co_return files.error();
  if (auto refused = co_await carry_renamed(services, workspace, *files, import.renamed, sign))
    co_return std::move(*refused);
  if (!import.renamed.empty()) files = co_await live_files(services, workspace, writer);
  if (!files) co_return files.error();
  if (!co_await edit_document(services, sign(files->edit_entries(import, now()))))
    co_return workspace_failed("the list was not stored");
  co_return std::nullopt;
}

}  // namespace diaryx::server
