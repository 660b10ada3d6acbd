// Which handler answers which request.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "http.h"
#include "services.h"

namespace diaryx::server {

enum class Auth : uint8_t {
  Public,
  User,          // a token
  UserOrGuest,   // a token, or `session=<code>` of a share
  Owner,         // a token of the server's owner
};
enum class BodyKind : uint8_t { None, Json, Bytes };

struct Route {
  http::verb method;
  std::string_view pattern;  // `{}` stands for one segment
  Auth auth;
  BodyKind body;
  uint64_t max_body_bytes;   // for Bytes; 0: `snapshot_upload_bytes` of the options
  boost::asio::awaitable<HttpResponse> (*handler)(Services&, HttpRequest&);
};

/// The route of a request, with the segments that its `{}` stand for.
struct RouteMatch {
  const Route* route = nullptr;        // null: nothing here
  std::string allowed;                 // the path exists with these methods, as `Allow` lists them
  std::vector<std::string> arguments;  // percent-decoded
};

/// All of them, for tests and documents.
std::span<const Route> all_routes();

/// HEAD finds what GET finds, but for what GET would use up.
RouteMatch find_route(http::verb method, std::string_view path);

// Handlers, by file. Paths and bodies: shells/server/README.md and the comments in each file.
using Answer = boost::asio::awaitable<HttpResponse>;

// api_sign_in.cpp
Answer post_magic_link(Services&, HttpRequest&);
Answer get_verify(Services&, HttpRequest&);
Answer post_verify(Services&, HttpRequest&);
Answer post_verify_code(Services&, HttpRequest&);
Answer post_logout(Services&, HttpRequest&);
Answer get_devices(Services&, HttpRequest&);
Answer patch_device(Services&, HttpRequest&);
Answer delete_device(Services&, HttpRequest&);
// api_shares.cpp
Answer create_share(Services&, HttpRequest&);
Answer get_share(Services&, HttpRequest&);
Answer patch_share(Services&, HttpRequest&);
Answer delete_share(Services&, HttpRequest&);
// api_pages.cpp
Answer get_sign_in_page(Services&, HttpRequest&);
Answer get_openapi(Services&, HttpRequest&);
Answer get_metrics(Services&, HttpRequest&);
// api_account.cpp
Answer get_root(Services&, HttpRequest&);
Answer get_health(Services&, HttpRequest&);
Answer get_status(Services&, HttpRequest&);
Answer get_me(Services&, HttpRequest&);
Answer get_has_data(Services&, HttpRequest&);
Answer get_storage_use(Services&, HttpRequest&);
// api_workspaces.cpp
Answer list_workspaces(Services&, HttpRequest&);
Answer create_workspace(Services&, HttpRequest&);
Answer get_workspace(Services&, HttpRequest&);
Answer rename_workspace(Services&, HttpRequest&);
Answer delete_workspace(Services&, HttpRequest&);
// api_history.cpp
Answer get_history(Services&, HttpRequest&);
Answer get_history_point(Services&, HttpRequest&);
Answer get_history_diff(Services&, HttpRequest&);
Answer post_restore(Services&, HttpRequest&);
// api_attachments.cpp
Answer start_upload(Services&, HttpRequest&);
Answer put_part(Services&, HttpRequest&);
Answer complete_upload(Services&, HttpRequest&);
Answer get_attachment(Services&, HttpRequest&);
// api_snapshot.cpp
Answer get_snapshot(Services&, HttpRequest&);
Answer post_snapshot(Services&, HttpRequest&);

}  // namespace diaryx::server
