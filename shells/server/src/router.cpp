#include "router.h"

#include <array>
#include <optional>

namespace diaryx::server {
namespace {

constexpr uint64_t kMaxPartBytes = 32u << 20;

using http::verb;

constexpr std::array kRoutes = {
    Route{verb::get, "/", Auth::Public, BodyKind::None, 0, get_root},
    Route{verb::get, "/health", Auth::Public, BodyKind::None, 0, get_health},
    Route{verb::get, "/api/status", Auth::Public, BodyKind::None, 0, get_status},
    Route{verb::get, "/sign-in", Auth::Public, BodyKind::None, 0, get_sign_in_page},
    Route{verb::get, "/openapi.json", Auth::Public, BodyKind::None, 0, get_openapi},
    Route{verb::get, "/metrics", Auth::Owner, BodyKind::None, 0, get_metrics},
    Route{verb::post, "/auth/magic-link", Auth::Public, BodyKind::Json, 0, post_magic_link},
    Route{verb::get, "/auth/verify", Auth::Public, BodyKind::None, 0, get_verify},
    Route{verb::post, "/auth/verify", Auth::Public, BodyKind::Json, 0, post_verify},
    Route{verb::post, "/auth/verify-code", Auth::Public, BodyKind::Json, 0, post_verify_code},
    Route{verb::post, "/auth/logout", Auth::User, BodyKind::None, 0, post_logout},
    Route{verb::get, "/auth/devices", Auth::User, BodyKind::None, 0, get_devices},
    Route{verb::patch, "/auth/devices/{}", Auth::User, BodyKind::Json, 0, patch_device},
    Route{verb::delete_, "/auth/devices/{}", Auth::User, BodyKind::None, 0, delete_device},
    Route{verb::post, "/api/share/sessions", Auth::User, BodyKind::Json, 0, create_share},
    Route{verb::get, "/api/share/sessions/{}", Auth::Public, BodyKind::None, 0, get_share},
    Route{verb::patch, "/api/share/sessions/{}", Auth::User, BodyKind::Json, 0, patch_share},
    Route{verb::delete_, "/api/share/sessions/{}", Auth::User, BodyKind::None, 0, delete_share},
    Route{verb::post, "/api/sessions", Auth::User, BodyKind::Json, 0, create_share},
    Route{verb::get, "/api/sessions/{}", Auth::Public, BodyKind::None, 0, get_share},
    Route{verb::patch, "/api/sessions/{}", Auth::User, BodyKind::Json, 0, patch_share},
    Route{verb::delete_, "/api/sessions/{}", Auth::User, BodyKind::None, 0, delete_share},
    Route{verb::get, "/auth/me", Auth::User, BodyKind::None, 0, get_me},
    Route{verb::get, "/api/user/has-data", Auth::User, BodyKind::None, 0, get_has_data},
    Route{verb::get, "/api/user/storage", Auth::User, BodyKind::None, 0, get_storage_use},
    Route{verb::get, "/api/workspaces", Auth::User, BodyKind::None, 0, list_workspaces},
    Route{verb::post, "/api/workspaces", Auth::User, BodyKind::Json, 0, create_workspace},
    Route{verb::get, "/api/workspaces/{}", Auth::User, BodyKind::None, 0, get_workspace},
    Route{verb::patch, "/api/workspaces/{}", Auth::User, BodyKind::Json, 0, rename_workspace},
    Route{verb::delete_, "/api/workspaces/{}", Auth::User, BodyKind::None, 0, delete_workspace},
    Route{verb::get, "/api/workspaces/{}/snapshot", Auth::User, BodyKind::None, 0, get_snapshot},
    Route{verb::post, "/api/workspaces/{}/snapshot", Auth::User, BodyKind::Bytes, 0, post_snapshot},
    Route{verb::get, "/api/workspaces/{}/history", Auth::User, BodyKind::None, 0, get_history},
    Route{verb::get, "/api/workspaces/{}/history/{}", Auth::User, BodyKind::None, 0, get_history_point},
    Route{verb::get, "/api/workspaces/{}/history/{}/diff", Auth::User, BodyKind::None, 0, get_history_diff},
    Route{verb::post, "/api/workspaces/{}/restore", Auth::User, BodyKind::Json, 0, post_restore},
    Route{verb::post, "/api/workspaces/{}/attachments/uploads", Auth::User, BodyKind::Json, 0, start_upload},
    Route{verb::put, "/api/workspaces/{}/attachments/uploads/{}/parts/{}", Auth::User, BodyKind::Bytes, kMaxPartBytes,
          put_part},
    Route{verb::post, "/api/workspaces/{}/attachments/uploads/{}/complete", Auth::User, BodyKind::Json, 0,
          complete_upload},
    Route{verb::get, "/api/workspaces/{}/attachments/{}", Auth::UserOrGuest, BodyKind::None, 0, get_attachment},
};

std::string_view next_segment(std::string_view& rest) {
  const size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return segment;
}

std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  if (std::count(pattern.begin(), pattern.end(), '/') != std::count(path.begin(), path.end(), '/')) return std::nullopt;
  std::vector<std::string> arguments;
  while (!pattern.empty() || !path.empty()) {
    const std::string_view expected = next_segment(pattern);
    const std::string_view segment = next_segment(path);
    if (expected != "{}") {
      if (expected != segment) return std::nullopt;
      continue;
    }
    auto decoded = percent_decode(segment);
    if (!decoded || decoded->empty()) return std::nullopt;
    arguments.push_back(std::move(*decoded));
  }
  return arguments;
}

}  // namespace

std::span<const Route> all_routes() { return kRoutes; }

RouteMatch find_route(http::verb method, std::string_view path) {
  RouteMatch found;
  const auto list = [&found](http::verb one) {
    if (!found.allowed.empty()) found.allowed += ", ";
    found.allowed += std::string_view(http::to_string(one));
  };
  for (const Route& route : kRoutes) {
    auto arguments = match(route.pattern, path);
    if (!arguments) continue;
    // Whoever looks at a link before its user does must not sign in with it.
    const bool answers_head = route.method == verb::get && route.handler != get_verify;
    if (route.method == method || (method == verb::head && answers_head)) return {&route, {}, std::move(*arguments)};
    list(route.method);
    if (answers_head) list(verb::head);
  }
  return found;
}

}  // namespace diaryx::server
