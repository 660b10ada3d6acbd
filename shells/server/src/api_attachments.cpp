// Attachments: start, parts, complete, download.
//
// A blob is believed only after its bytes were hashed here, and it can be downloaded by every device of the
// workspace it was uploaded to, whether or not a document refers to it yet.
#include <charconv>

#include "ask.h"
#include "blob_collector.h"
#include "diaryx/native/log.h"
#include "diaryx/native/random.h"
#include "router.h"

namespace diaryx::server {
namespace {

constexpr uint64_t kDefaultPartSize = 8u << 20;
constexpr uint64_t kMaxPartSize = 32u << 20;
constexpr uint64_t kMaxParts = 100'000;
constexpr size_t kMaxPathBytes = 4096;
constexpr DurationMs kUploadLifetime{24 * 3600 * 1000};
constexpr std::string_view kNoUpload = "There is no such upload in this workspace. Start it again.";
constexpr std::string_view kNoWorkspace = "There is no such workspace, or it belongs to someone else.";

HttpResponse bad(std::string_view sentence) { return error_response(http::status::bad_request, sentence); }

bool is_header_text(std::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) return false;
  }
  return !text.empty() && text.size() <= 255 && text.find_first_not_of(' ') != std::string_view::npos;
}

boost::asio::awaitable<std::expected<Workspace, HttpResponse>> owned_workspace(Services& services,
                                                                               HttpRequest& request) {
  auto workspace = co_await ask<Workspace>([&](auto reply) {
    services.storage.workspaces.find(request.session.user_id, request.arguments[0], std::move(reply));
  });
  if (!workspace) co_return std::unexpected(storage_response(workspace.error(), kNoWorkspace));
  co_return std::move(*workspace);
}

/// The members that init and complete share.
std::expected<Upload, HttpResponse> read_announcement(const HttpRequest& request, const Json& body) {
  Upload upload;
  upload.workspace = request.arguments[0];
  upload.user_id = request.session.user_id;
  auto path = required_string(body, "attachment_path");
  if (!path) return std::unexpected(path.error());
  auto hash = required_string(body, "hash");
  if (!hash) return std::unexpected(hash.error());
  auto size = required_size(body, "size_bytes");
  if (!size) return std::unexpected(size.error());
  auto mime = required_string(body, "mime_type");
  if (!mime) return std::unexpected(mime.error());
  const auto digest = Sha256::from_hex(*hash);
  if (!digest) return std::unexpected(bad("The hash must be the SHA-256 of the file in 64 hex digits."));
  if (*size == 0) return std::unexpected(bad("An empty file needs no upload."));
  if (*size > uint64_t{1} << 50) return std::unexpected(bad("The file is too large."));
  if (!is_header_text(*mime)) return std::unexpected(bad("The mime type must be printable ASCII, e.g. image/png."));
  if (path->empty() || path->size() > kMaxPathBytes)
    return std::unexpected(bad("The attachment path is empty or too long."));
  upload.attachment_path = std::move(*path);
  upload.hash = *digest;
  upload.size_bytes = *size;
  upload.mime_type = std::move(*mime);
  return upload;
}

std::expected<void, HttpResponse> read_parts(const Json& body, Upload& upload) {
  upload.part_size = kDefaultPartSize;
  if (const Json* given = body.find("part_size"); given != nullptr && !given->is_null()) {
    auto part_size = required_size(body, "part_size");
    if (!part_size) return std::unexpected(part_size.error());
    if (*part_size == 0 || *part_size > kMaxPartSize) return std::unexpected(bad("A part has 1 byte to 32 MiB."));
    upload.part_size = *part_size;
  }
  const uint64_t parts = (upload.size_bytes + upload.part_size - 1) / upload.part_size;
  if (parts > kMaxParts) return std::unexpected(bad("That makes too many parts. Choose larger parts."));
  upload.total_parts = static_cast<uint32_t>(parts);
  if (const Json* given = body.find("total_parts"); given != nullptr && !given->is_null()) {
    auto total = required_size(body, "total_parts");
    if (!total) return std::unexpected(total.error());
    if (*total != parts) return std::unexpected(bad("The number of parts does not fit the size and the part size."));
  }
  return {};
}

HttpResponse quota_response(uint64_t used, uint64_t limit, uint64_t requested) {
  return json_response(http::status::payload_too_large, Json::object({{"error", "storage_limit_exceeded"},
                                                                      {"message", "Attachment storage limit exceeded"},
                                                                      {"used_bytes", used},
                                                                      {"limit_bytes", limit},
                                                                      {"requested_bytes", requested}}));
}

boost::asio::awaitable<std::optional<HttpResponse>> over_quota(Services& services, const Upload& upload) {
  const uint64_t limit = services.options.attachment_limit_bytes;
  if (limit == 0) co_return std::nullopt;
  const auto use =
      co_await ask<StorageUse>([&](auto reply) { services.storage.attachments.use(upload.user_id, std::move(reply)); });
  if (!use) co_return storage_response(use.error(), kNoWorkspace);
  // Every stored blob counts, referred to or not.
  if (use->used_bytes <= limit && upload.size_bytes <= limit - use->used_bytes) co_return std::nullopt;
  co_return quota_response(use->used_bytes, limit, upload.size_bytes);
}

/// What was sent of files that are not complete is on the disk, too: as much again as the limit, not without end.
boost::asio::awaitable<std::optional<HttpResponse>> over_unfinished(Services& services, const Upload& upload,
                                                                    uint32_t part) {
  const uint64_t limit = services.options.attachment_limit_bytes;
  if (limit == 0 || services.blobs.has_part(upload, part)) co_return std::nullopt;
  const auto use =
      co_await ask<StorageUse>([&](auto reply) { services.storage.attachments.use(upload.user_id, std::move(reply)); });
  if (!use) co_return storage_response(use.error(), kNoUpload);
  if (use->unfinished_bytes + part_size_of(upload, part) <= limit) co_return std::nullopt;
  co_return error_response(http::status::payload_too_large,
                           "Uploads that were begun and not completed take up " +
                               std::to_string(use->unfinished_bytes) +
                               " bytes. Complete them, or wait: they end a day after they began.");
}

Json upload_json(Json id, std::string_view status, uint64_t part_size, Json uploaded = Json::array()) {
  return Json::object({{"upload_id", std::move(id)},
                       {"status", status},
                       {"part_size", part_size},
                       {"uploaded_parts", std::move(uploaded)}});
}

Json completion_json(const Upload& upload, bool ok, Json missing) {
  const std::string hash = upload.hash.hex();
  return Json::object({{"ok", ok},
                       {"blob_hash", hash},
                       {"r2_key", "u/" + upload.user_id + "/blobs/" + hash},
                       {"missing_parts", std::move(missing)}});
}

boost::asio::awaitable<std::expected<Upload, HttpResponse>> open_upload(Services& services, HttpRequest& request) {
  auto workspace = co_await owned_workspace(services, request);
  if (!workspace) co_return std::unexpected(workspace.error());
  auto upload = co_await ask<Upload>([&](auto reply) {
    services.storage.attachments.find_upload(request.arguments[0], request.arguments[1], std::move(reply));
  });
  if (!upload) co_return std::unexpected(storage_response(upload.error(), kNoUpload));
  if (!upload->completed && upload->expires <= now()) {
    co_return std::unexpected(error_response(http::status::gone, "The upload has expired. Start it again."));
  }
  co_return std::move(*upload);
}

}  // namespace

Answer start_upload(Services& services, HttpRequest& request) {
  auto workspace = co_await owned_workspace(services, request);
  if (!workspace) co_return workspace.error();
  const auto body = json_body(request);
  if (!body) co_return body.error();
  auto upload = read_announcement(request, *body);
  if (!upload) co_return upload.error();
  if (auto parts = read_parts(*body, *upload); !parts) co_return parts.error();

  if (services.blobs.has(upload->user_id, upload->hash, upload->size_bytes)) {
    const auto adopted = co_await ask<void>(
        [&](auto reply) { services.storage.attachments.adopt_blob(*upload, now(), std::move(reply)); });
    if (adopted) co_return json_response(http::status::ok, upload_json(Json(), "already_exists", upload->part_size));
    if (adopted.error().kind != StorageError::Kind::NotFound) co_return storage_response(adopted.error(), kNoWorkspace);
  }
  if (auto refused = co_await over_quota(services, *upload)) co_return std::move(*refused);
  // Who was cut off goes on where it was, with what has really arrived.
  const auto begun = co_await ask<Upload>(
      [&](auto reply) { services.storage.attachments.resume_upload(*upload, now(), std::move(reply)); });
  if (begun) {
    Json uploaded = Json::array();
    for (const uint32_t part : begun->parts) {
      if (services.blobs.has_part(*begun, part)) uploaded.push(part);
    }
    co_return json_response(http::status::ok,
                            upload_json(begun->id, "uploading", begun->part_size, std::move(uploaded)));
  }
  if (begun.error().kind != StorageError::Kind::NotFound) co_return storage_response(begun.error(), kNoWorkspace);
  upload->id = native::uuid_v4();
  upload->expires = now() + kUploadLifetime;
  const auto created =
      co_await ask<void>([&](auto reply) { services.storage.attachments.create_upload(*upload, std::move(reply)); });
  if (!created) co_return storage_response(created.error(), kNoWorkspace);
  co_return json_response(http::status::ok, upload_json(upload->id, "uploading", upload->part_size));
}

Answer put_part(Services& services, HttpRequest& request) {
  const auto upload = co_await open_upload(services, request);
  if (!upload) co_return upload.error();
  uint32_t part = 0;
  const std::string& text = request.arguments[2];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part);
  if (error != std::errc() || end != text.data() + text.size() || part < 1 || part > upload->total_parts) {
    co_return bad("Parts are numbered from 1 to " + std::to_string(upload->total_parts) + ".");
  }
  if (request.body_size > upload->part_size) {
    co_return error_response(http::status::payload_too_large, "The part is longer than the part size of this upload.");
  }
  if (request.body_size != part_size_of(*upload, part)) {
    co_return bad("Part " + text + " must have " + std::to_string(part_size_of(*upload, part)) + " bytes.");
  }
  // Two devices may send one file together, and one of them is done first.
  const Json taken = Json::object({{"ok", true}, {"part_no", part}});
  if (upload->completed) co_return json_response(http::status::ok, taken);
  if (auto refused = co_await over_unfinished(services, *upload, part)) co_return std::move(*refused);
  if (auto kept = services.blobs.keep_part(upload->id, part, request.body_file); !kept)
    co_return file_response(kept.error());
  const auto added = co_await ask<void>(
      [&](auto reply) { services.storage.attachments.add_upload_part(upload->id, part, std::move(reply)); });
  if (!added) {
    // It ended, or its workspace went, while the part arrived.
    if (added.error().kind == StorageError::Kind::NotFound) services.blobs.discard_upload(upload->id);
    co_return storage_response(added.error(), kNoUpload);
  }
  co_return json_response(http::status::ok, taken);
}

Answer complete_upload(Services& services, HttpRequest& request) {
  const auto upload = co_await open_upload(services, request);
  if (!upload) co_return upload.error();
  const auto body = json_body(request);
  if (!body) co_return body.error();
  const auto announced = read_announcement(request, *body);
  if (!announced) co_return announced.error();
  if (announced->hash != upload->hash || announced->size_bytes != upload->size_bytes ||
      announced->attachment_path != upload->attachment_path || announced->mime_type != upload->mime_type) {
    co_return bad("Path, hash, size and mime type must be those the upload was started with.");
  }
  // A client that did not hear the first answer asks again.
  if (upload->completed) co_return json_response(http::status::ok, completion_json(*upload, true, Json()));
  if (auto refused = co_await over_quota(services, *upload)) co_return std::move(*refused);

  const auto held = co_await services.collector.hold({upload->user_id, upload->hash});
  const auto assembled =
      co_await run_on(services.pool, [&blobs = services.blobs, copy = *upload] { return blobs.assemble(copy); });
  if (!assembled || !assembled->stored) {
    // Somebody else completed it meanwhile, and the parts are gone.
    const auto again = co_await ask<Upload>(
        [&](auto reply) { services.storage.attachments.find_upload(upload->workspace, upload->id, std::move(reply)); });
    if (again && again->completed) co_return json_response(http::status::ok, completion_json(*upload, true, Json()));
  }
  if (!assembled) co_return file_response(assembled.error());
  if (assembled->wrong_hash) {
    services.blobs.discard_upload(upload->id);
    co_return bad("The bytes received do not have the announced SHA-256. Send all parts again.");
  }
  if (!assembled->stored) {
    Json missing = Json::array();
    for (const uint32_t part : assembled->missing) missing.push(part);
    co_return json_response(http::status::conflict, completion_json(*upload, false, std::move(missing)));
  }
  const auto finished = co_await ask<void>(
      [&](auto reply) { services.storage.attachments.finish_upload(*upload, now(), std::move(reply)); });
  if (!finished) co_return storage_response(finished.error(), kNoWorkspace);
  services.blobs.discard_upload(upload->id);
  co_return json_response(http::status::ok, completion_json(*upload, true, Json()));
}

Answer get_attachment(Services& services, HttpRequest& request) {
  constexpr std::string_view kNoAttachment = "There is no attachment with this hash in the workspace.";
  if (request.share) {
    if (request.share->workspace != request.arguments[0])
      co_return error_response(http::status::not_found, kNoWorkspace);
  } else if (auto workspace = co_await owned_workspace(services, request); !workspace) {
    co_return workspace.error();
  }
  // The bytes are the owner's, whoever reads them.
  const std::string& owner = request.share ? request.share->owner_id : request.session.user_id;
  const auto hash = Sha256::from_hex(request.arguments[1]);
  if (!hash) co_return error_response(http::status::not_found, kNoAttachment);
  const auto blob = co_await ask<Blob>(
      [&](auto reply) { services.storage.attachments.find_blob(request.arguments[0], *hash, std::move(reply)); });
  if (!blob) co_return storage_response(blob.error(), kNoAttachment);

  const std::string tag = '"' + hash->hex() + '"';  // these bytes and no others, for ever
  HttpResponse response;
  // Kept by the client's own cache, which asks each time whether it still may.
  response.headers = {{"ETag", tag}, {"Cache-Control", "private, no-cache"}};
  const auto known = request.headers[http::field::if_none_match];
  if (names_tag({known.data(), known.size()}, tag)) {
    response.status = http::status::not_modified;
    co_return response;
  }
  if (!services.blobs.has(owner, *hash, blob->size_bytes)) {
    native::log().error("the attachment {} of user {} is missing or cut off; see diaryx-syncd verify", hash->hex(),
                        owner);
    co_return error_response(http::status::internal_server_error,
                             "The bytes of this attachment are missing on the server. Tell its owner.");
  }
  const auto header = request.headers[http::field::range];
  const auto condition = request.headers[http::field::if_range];
  const bool resumes = condition.empty() || condition == tag;  // else what the client has a part of is something else
  const bool in_part = resumes && request.method == http::verb::get;
  const ByteRange range = in_part ? parse_range({header.data(), header.size()}, blob->size_bytes) : ByteRange();
  response.headers.emplace_back("Accept-Ranges", "bytes");
  // Somebody's file, shown by a browser, must not become a page of this server.
  response.headers.emplace_back("Content-Security-Policy", "sandbox; default-src 'none'");
  const std::string size_text = std::to_string(blob->size_bytes);
  if (range.kind == ByteRange::Kind::Unsatisfiable) {
    response.status = http::status::range_not_satisfiable;
    response.headers.emplace_back("Content-Range", "bytes */" + size_text);
    co_return response;
  }
  response.content_type = blob->mime_type;
  response.file = FileSlice{services.blobs.blob_path(owner, *hash), 0, blob->size_bytes, false};
  if (range.kind == ByteRange::Kind::Part) {
    response.status = http::status::partial_content;
    response.file->offset = range.offset;
    response.file->size_bytes = range.length;
    response.headers.emplace_back("Content-Range", "bytes " + std::to_string(range.offset) + "-" +
                                                       std::to_string(range.offset + range.length - 1) + "/" +
                                                       size_text);
  }
  co_return response;
}

}  // namespace diaryx::server
