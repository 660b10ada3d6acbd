// Snapshots: a workspace as a zip file, out and in, always through the live documents.
#include <fstream>
#include <set>

#include "ask.h"
#include "blob_collector.h"
#include "diaryx/base/utf.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/native/log.h"
#include "diaryx/native/random.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/mime.h"
#include "diaryx/sync/path.h"
#include "diaryx/sync/relay_archive.h"
#include "relay_host.h"
#include "router.h"
#include "workspace_edits.h"
#include "zip_archive.h"

namespace diaryx::server {
namespace {

using boost::asio::awaitable;
using relay::WorkspaceFiles;

// The comment of an entry that is about an archive and no file of the workspace.
constexpr std::string_view kNotice = "diaryx-syncd wrote this: it is about the archive";
constexpr uint64_t kTextBytesInMemory = 32u << 20;  // of one archive, in or out; the rest waits on the disk

// An archive without entries: only the end record.
constexpr std::string_view kEmptyZip{"PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22};

std::expected<bool, HttpResponse> flag(const HttpRequest& request, const std::string& name, bool otherwise) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return otherwise;
  if (found->second == "true") return true;
  if (found->second == "false") return false;
  return std::unexpected(error_response(http::status::bad_request, name + " takes true or false."));
}

/// The state of a document: live if it is in memory, else what is stored. Nothing: that is damaged.
awaitable<OrResponse<std::optional<Bytes>>> document_state(Services& services, const DocId& document) {
  if (auto live = services.relay.state(document)) co_return std::move(*live);
  const auto stored = co_await ask<StoredDocument>(
      [&](auto reply) { services.storage.documents.load(document.str(), std::move(reply)); });
  if (!stored && stored.error().kind == StorageError::Kind::Damaged) {
    native::log().error("a snapshot is made without {}: {}", document.view(), stored.error().detail);
    co_return std::nullopt;
  }
  if (!stored) co_return std::unexpected(storage_response(stored.error(), kNoWorkspace));
  crdt::Doc doc({.client = ClientId{1}});  // only read
  bool readable = stored->snapshot.empty() || doc.apply_update_v1(stored->snapshot).has_value();
  for (const Bytes& update : stored->updates) readable = readable && doc.apply_update_v1(update).has_value();
  if (readable) co_return doc.encode_update_v1();
  native::log().error("a snapshot is made without {}: what is stored of it is no update", document.view());
  co_return std::nullopt;
}

/// Moves the text of an entry to the disk; false if that cannot be.
bool spool_text(ZipEntry& entry, std::filesystem::path file) {
  entry.text_file = std::make_shared<const TemporaryFile>(std::move(file));
  std::ofstream out(entry.text_file->path(), std::ios::binary);
  out.write(entry.text.data(), static_cast<std::streamsize>(entry.text.size()));
  std::string().swap(entry.text);  // assigning an empty one would keep the memory
  return out.flush().good();
}

/// What an archive is made of, and the files of the workspace that it cannot have.
struct Collected {
  std::vector<ZipEntry> entries;
  std::set<std::string> paths;
  std::vector<std::string> missing;
};

awaitable<std::optional<HttpResponse>> collect_texts(Services& services, const WorkspaceFiles& files,
                                                     Collected& collected) {
  uint64_t memory_left = kTextBytesInMemory;
  for (const std::string& path : files.texts()) {
    collected.paths.insert(path);
    auto state = co_await document_state(services, files.body_of(path));
    if (!state) co_return std::move(state.error());
    if (!*state) {
      collected.missing.push_back(path);
      continue;
    }
    auto text = files.text_of(path, **state);
    if (!text) co_return workspace_failed(describe(text.error()));
    ZipEntry entry{path, std::move(*text), {}};
    if (entry.text.size() > memory_left) {
      if (!co_await run_on(services.pool, [&] { return spool_text(entry, services.blobs.temporary()); }))
        co_return workspace_failed("a text was not written beside the archive");
    }
    memory_left -= entry.text.size();
    collected.entries.push_back(std::move(entry));
  }
  co_return std::nullopt;
}

awaitable<void> collect_attachments(Services& services, const HttpRequest& request, const WorkspaceFiles& files,
                                    Collected& collected) {
  const std::string& user = request.session.user_id;
  for (const sync::BinaryRef& ref : files.binaries()) {
    if (!collected.paths.insert(ref.path).second) continue;
    if (ref.size == 0) {  // an empty file was never uploaded
      collected.entries.push_back({ref.path, "", {}});
      continue;
    }
    const auto hash = Sha256::from_hex(ref.hash);
    const bool here = hash && services.blobs.has(user, *hash, ref.size) && co_await ask<Blob>([&](auto reply) {
                        services.storage.attachments.find_blob(request.arguments[0], *hash, std::move(reply));
                      });
    if (here) {
      collected.entries.push_back({ref.path, "", services.blobs.blob_path(user, *hash)});
    } else {
      collected.missing.push_back(ref.path);
    }
  }
}

/// Who opens the archive is told what is not in it.
void name_what_is_missing(Collected& collected) {
  if (collected.missing.empty()) return;
  std::string path = "MISSING.txt";
  for (int i = 2; collected.paths.contains(path); ++i) path = "MISSING " + std::to_string(i) + ".txt";
  std::string text =
      "This archive is not whole. These files of the workspace are damaged on the server, or their bytes are not "
      "there:\n\n";
  for (const std::string& one : collected.missing) text += one + "\n";
  text += "\nUploading it with mode=replace would remove them from the workspace; mode=merge leaves them.\n";
  collected.entries.push_back({.path = path, .text = std::move(text), .comment = std::string(kNotice)});
}

awaitable<OrResponse<std::vector<ZipEntry>>> collect(Services& services, const HttpRequest& request, bool attachments) {
  const auto files = co_await live_files(services, request.arguments[0]);
  if (!files) co_return std::unexpected(files.error());
  Collected collected;
  if (auto refused = co_await collect_texts(services, *files, collected))
    co_return std::unexpected(std::move(*refused));
  if (attachments) co_await collect_attachments(services, request, *files, collected);
  name_what_is_missing(collected);
  // What was read from memory may be ahead of the disk: it is shown only once it is stored.
  const auto stored = co_await ask<void>([&](auto reply) { services.storage.barrier(std::move(reply)); });
  if (!stored) co_return std::unexpected(storage_response(stored.error(), kNoWorkspace));
  co_return std::move(collected.entries);
}

constexpr size_t kMaxTextBytes = 16u << 20;  // as in shells/client/src/disk.h

/// What an archive holds, sorted into texts and blobs.
struct Incoming {
  WorkspaceFiles::Import import;     // of the texts, what the list needs
  std::vector<UnpackedFile> texts;   // of `import.texts`
  std::vector<UnpackedFile> blobs;   // of `import.binaries`
};

/// Markdown becomes documents; everything else goes from the archive to the disk.
bool may_be_text(const std::string& path, uint64_t size_bytes) {
  return sync::is_markdown(path) && size_bytes <= kMaxTextBytes;
}

/// Its content; nothing if the disk failed.
std::optional<std::string> content_of(const UnpackedFile& file) {
  if (file.file == nullptr) return std::string(as_text(file.bytes));
  std::string content(file.size_bytes, '\0');
  std::ifstream in(file.file->path(), std::ios::binary);
  if (!in.read(content.data(), static_cast<std::streamsize>(content.size()))) return std::nullopt;
  return content;
}

std::unexpected<ZipRefusal> list_too_large() {
  return std::unexpected(
      ZipRefusal{ZipRefusal::Kind::TooLarge,
                 "With these files the list of the workspace would be too large. Nothing was imported. Make several "
                 "workspaces of them."});
}

/// One text after the other is in memory.
std::expected<Incoming, ZipRefusal> sort_files(std::vector<UnpackedFile> files, bool attachments) {
  Incoming incoming;
  uint64_t listed_bytes = 0;
  for (UnpackedFile& file : files) {
    if (file.comment == kNotice) continue;
    // Markdown that is not UTF-8, or too large for a document, travels as a file of bytes, as devices have it.
    if (may_be_text(file.path, file.size_bytes)) {
      auto text = content_of(file);
      if (!text) return std::unexpected(ZipRefusal{ZipRefusal::Kind::DiskFailed, "a text was not read again"});
      if (is_valid_utf8(*text)) {
        incoming.import.texts.push_back(WorkspaceFiles::ImportedText{file.path, std::move(*text)}.listed());
        listed_bytes += file.path.size() + incoming.import.texts.back().text.size();
        if (listed_bytes > relay::Limits{}.max_document_bytes) return list_too_large();
        incoming.texts.push_back(std::move(file));
        continue;
      }
    }
    if (file.file == nullptr) file.hash = sha256(file.bytes);
    if (!attachments) continue;
    sync::BinaryRef ref;
    ref.path = file.path;
    ref.source = "local";
    ref.hash = file.hash.hex();
    ref.mime_type = sync::mime_type_of(file.path);
    ref.size = file.size_bytes;
    ref.uploaded_at = now();
    incoming.import.binaries.push_back(std::move(ref));
    incoming.blobs.push_back(std::move(file));
  }
  return incoming;
}

/// A list that newcomers cannot be sent any more would end the workspace: then nothing is imported.
awaitable<std::optional<HttpResponse>> list_is_too_large(Services& services, const HttpRequest& request,
                                                         const WorkspaceFiles::Import& import) {
  const std::string& workspace = request.arguments[0];
  const auto files = co_await live_files(services, workspace);
  if (!files) co_return files.error();
  const auto before = services.relay.state(*sync::workspace_doc_id(workspace));
  uint64_t size_bytes = before ? before->size() : 0;
  for (const sync::SetEntry& entry : files->edit_entries(import, now()).entries)
    size_bytes += entry.root.size() + entry.key.size() + entry.value.size();
  if (size_bytes <= relay::Limits{}.max_document_bytes) co_return std::nullopt;
  co_return error_response(http::status::payload_too_large, list_too_large().error().sentence);
}

/// Stores the blobs and refers to them from the workspace; documents are not touched yet.
awaitable<std::optional<HttpResponse>> store_blobs(Services& services, const HttpRequest& request,
                                                   const Incoming& incoming) {
  const std::string& user = request.session.user_id;
  const uint64_t limit = services.options.attachment_limit_bytes;
  uint64_t fresh = 0;
  std::set<Sha256> counted;  // equal files are stored once
  for (const UnpackedFile& file : incoming.blobs) {
    const bool first = counted.insert(file.hash).second;
    if (first && !services.blobs.has(user, file.hash, file.size_bytes)) fresh += file.size_bytes;
  }
  if (limit != 0) {  // before anything changes
    const auto use =
        co_await ask<StorageUse>([&](auto reply) { services.storage.attachments.use(user, std::move(reply)); });
    if (!use) co_return storage_response(use.error(), kNoWorkspace);
    if (use->used_bytes > limit || fresh > limit - use->used_bytes) {
      co_return json_response(http::status::payload_too_large,
                              Json::object({{"error", "storage_limit_exceeded"},
                                            {"message", "Attachment storage limit exceeded"},
                                            {"used_bytes", use->used_bytes},
                                            {"limit_bytes", limit},
                                            {"requested_bytes", fresh}}));
    }
  }
  for (size_t i = 0; i < incoming.blobs.size(); ++i) {
    const UnpackedFile& file = incoming.blobs[i];
    const sync::BinaryRef& ref = incoming.import.binaries[i];
    if (ref.size == 0) continue;
    const Sha256& hash = file.hash;
    const auto held = co_await services.collector.hold({user, hash});
    const auto put = co_await run_on(services.pool, [&blobs = services.blobs, &user, &file] {
      return file.file != nullptr ? blobs.put_file(user, file.hash, file.size_bytes, file.file->path())
                                  : blobs.put(user, file.hash, file.bytes);
    });
    if (!put) co_return file_response(put.error());
    Upload upload;
    upload.workspace = request.arguments[0];
    upload.user_id = user;
    upload.attachment_path = ref.path;
    upload.hash = hash;
    upload.size_bytes = ref.size;
    upload.mime_type = ref.mime_type;
    const auto known = co_await ask<void>(
        [&](auto reply) { services.storage.attachments.finish_upload(upload, now(), std::move(reply)); });
    if (!known) co_return storage_response(known.error(), kNoWorkspace);
  }
  co_return std::nullopt;
}

HttpResponse archive_refused(const ZipRefusal& refusal) {
  switch (refusal.kind) {
    case ZipRefusal::Kind::TooLarge: return error_response(http::status::payload_too_large, refusal.sentence);
    case ZipRefusal::Kind::DiskFull: return error_response(http::status::insufficient_storage, refusal.sentence);
    case ZipRefusal::Kind::DiskFailed: return workspace_failed("an archive was not unpacked: " + refusal.sentence);
    default: return error_response(http::status::bad_request, refusal.sentence);
  }
}

}  // namespace

Answer get_snapshot(Services& services, HttpRequest& request) {
  if (auto refused = co_await not_owned(services, request)) co_return std::move(*refused);
  if (request.query.contains("commit_id")) {
    co_return error_response(http::status::bad_request, "This server keeps no git commits: leave commit_id out.");
  }
  const auto attachments = flag(request, "include_attachments", true);
  if (!attachments) co_return attachments.error();
  auto entries = co_await collect(services, request, *attachments);
  if (!entries) co_return entries.error();

  HttpResponse response;
  response.content_type = "application/zip";
  response.headers = {
      {"Content-Disposition", "attachment; filename=\"diaryx-snapshot-" + request.arguments[0] + ".zip\""}};
  if (entries->empty()) {
    response.body = kEmptyZip;
    co_return response;
  }
  const std::filesystem::path target = services.blobs.temporary();
  const auto written = co_await run_on(services.pool, [&target, &entries] { return write_zip(target, *entries); });
  if (!written) co_return workspace_failed(written.error().sentence);
  std::error_code error;
  const auto size = std::filesystem::file_size(target, error);
  if (error) co_return workspace_failed(error.message());
  response.file = FileSlice{target, 0, size, true};
  co_return response;
}

Answer post_snapshot(Services& services, HttpRequest& request) {
  if (auto refused = co_await not_owned(services, request)) co_return std::move(*refused);
  const auto attachments = flag(request, "include_attachments", true);
  if (!attachments) co_return attachments.error();
  const auto mode = request.query.find("mode");
  const bool replace = mode == request.query.end() || mode->second == "replace";
  // A word that is misspelt must not take away what the archive lacks.
  if (!replace && mode->second != "merge")
    co_return error_response(http::status::bad_request, "mode takes replace or merge.");

  const ZipLimits limits{services.options.snapshot_unpacked_bytes, services.options.snapshot_entries,
                         kTextBytesInMemory};
  const ZipSpool spool{.new_file = [&blobs = services.blobs] { return blobs.temporary(); },
                       .takes =
                           [left = kTextBytesInMemory](const std::string& path, uint64_t size_bytes) mutable {
                             if (!may_be_text(path, size_bytes) || size_bytes > left) return true;
                             left -= size_bytes;
                             return false;
                           }};
  auto incoming = co_await run_on(services.pool, [&]() -> std::expected<Incoming, ZipRefusal> {
    auto files = read_zip(request.body_file, limits, spool);
    if (!files) return std::unexpected(files.error());
    return sort_files(std::move(*files), *attachments);
  });
  if (!incoming) co_return archive_refused(incoming.error());
  incoming->import.replace_texts = replace;
  incoming->import.replace_binaries = replace && *attachments;
  if (auto refused = co_await list_is_too_large(services, request, incoming->import)) co_return std::move(*refused);
  if (auto refused = co_await store_blobs(services, request, *incoming)) co_return std::move(*refused);
  const TextSource source = [&](size_t index) -> awaitable<std::optional<std::string>> {
    const UnpackedFile& file = incoming->texts[index];
    if (file.file == nullptr) co_return content_of(file);
    co_return co_await run_on(services.pool, [&file] { return content_of(file); });
  };
  if (auto refused =
          co_await apply_import(services, request, incoming->import, relay::UpdateOrigin::Import, {}, source))
    co_return std::move(*refused);
  co_return json_response(http::status::ok,
                          Json::object({{"files_imported", uint64_t{incoming->import.texts.size()}}}));
}

}  // namespace diaryx::server
