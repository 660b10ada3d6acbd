#include "workspace_edits.h"

#include <map>
#include <memory>

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
    services.storage.find_workspace(request.session.user_id, request.arguments[0], std::move(reply));
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

awaitable<crdt::Doc*> live_document(Services& services, DocId id) {
  sync::ServerEdit nothing;  // loads the document
  nothing.document = id;
  if (!co_await edit_document(services, std::move(nothing))) co_return nullptr;
  co_return services.relay.find(id);
}

awaitable<OrResponse<WorkspaceFiles>> live_files(Services& services, const std::string& workspace) {
  const crdt::Doc* const doc = co_await live_document(services, *sync::workspace_doc_id(workspace));
  if (doc == nullptr) co_return std::unexpected(workspace_failed("the workspace was not loaded"));
  auto files = WorkspaceFiles::open(workspace, doc->encode_update_v1(), ClientId{native::random_u64() & 0xffff'ffffu});
  if (!files) co_return std::unexpected(workspace_failed(describe(files.error())));
  co_return std::move(*files);
}

awaitable<std::optional<HttpResponse>> apply_import(Services& services, const HttpRequest& request,
                                                    const WorkspaceFiles::Import& import, relay::UpdateOrigin origin,
                                                    const std::map<std::string, Bytes>& edits) {
  const std::string& workspace = request.arguments[0];
  const auto sign = [&request, origin](sync::ServerEdit change) {
    change.origin = origin;
    change.user_id = request.session.user_id;
    change.device_id = request.session.device_id;
    return change;
  };
  auto files = co_await live_files(services, workspace);
  if (!files) co_return files.error();
  // All at once, so that the storage commits them in groups; the count comes back to this coroutine.
  const auto& texts = import.texts;
  const auto stored = co_await ask<size_t>([&](Reply<size_t> reply) {
    struct Tally {
      Reply<size_t> reply;
      size_t waiting;
      size_t stored = 0;
    };
    auto tally = std::make_shared<Tally>(Tally{std::move(reply), texts.size() + 1});
    const auto count = [tally](bool done) {
      tally->stored += done ? 1 : 0;
      if (--tally->waiting == 0) tally->reply(tally->stored);
    };
    for (const auto& file : texts) {
      sync::ServerEdit change = files->edit_body(file);
      if (const auto known = edits.find(file.path); known != edits.end()) change.update = known->second;
      services.relay.edit(sign(std::move(change)), count);
    }
    count(true);  // so that an archive without text answers too
  });
  if (!stored || *stored != texts.size() + 1) co_return workspace_failed("not every text was stored");
  // The list may have changed while the texts were stored.
  files = co_await live_files(services, workspace);
  if (!files) co_return files.error();
  if (!co_await edit_document(services, sign(files->edit_entries(import, now()))))
    co_return workspace_failed("the list was not stored");
  co_return std::nullopt;
}

}  // namespace diaryx::server
