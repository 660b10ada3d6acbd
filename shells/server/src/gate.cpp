#include "gate.h"

#include <algorithm>

#include "access_watch.h"
#include "ask.h"
#include "diaryx/native/random.h"
#include "share_code.h"

namespace diaryx::server {
namespace {

using asio::awaitable;

constexpr std::string_view kNotSignedIn = "Authentication required";
constexpr size_t kMaxTokenBytes = 512;
constexpr size_t kMaxGuestId = 64;

std::string_view as_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

HttpResponse too_often(Services& services, DurationMs wait) {
  ++services.metrics.rate_limited;
  HttpResponse response = text_response(http::status::too_many_requests, "Rate limit exceeded");
  response.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds(wait)));
  return response;
}

HttpResponse unauthorized() {
  HttpResponse response = text_response(http::status::unauthorized, std::string(kNotSignedIn));
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

/// A token or code was not good: counted against the address.
HttpResponse bad_key(Services& services, const Visitor& visitor) {
  ++services.metrics.refused_sign_ins;
  services.limits.address_refusals.take(visitor.limit_key, steady_now());
  return unauthorized();
}

std::string clean_guest_id(std::string_view given) {
  std::string id;
  for (const char c : given.substr(0, kMaxGuestId)) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    if (plain) id.push_back(c);
  }
  return id;
}

std::string query_value(const Target& target, const std::string& name) {
  const auto found = target.query.find(name);
  return found == target.query.end() ? std::string() : found->second;
}

/// The host and port that an origin names, e.g. `notes.example.org:8443`.
std::string_view host_of(std::string_view origin) {
  const size_t slashes = origin.find("://");
  return slashes == std::string_view::npos ? std::string_view() : origin.substr(slashes + 3);
}

Admission admit_user(const Session& session, const Sha256& token_hash) {
  return {.principal = {.user_id = session.user_id, .device_id = session.device_id, .guest = false},
          .key = {AccessKey::Kind::Token, token_hash},
          .workspace = {},
          .expires = session.expires,
          .read_only = false};
}

awaitable<std::expected<Admission, HttpResponse>> admit_guest(Services& services, const Visitor& visitor) {
  auto share = co_await share_of(services, visitor);
  if (!share) co_return std::unexpected(std::move(share.error()));
  if (!visitor.token.empty()) {
    // The owner who follows their own link stays the owner; anybody else is a guest, signed in or not.
    const auto session = co_await session_of(services, visitor);
    if (session && session->user_id == share->owner_id) co_return admit_user(*session, sha256(visitor.token));
  }
  // Counted once per connection, not per document.
  if (services.access.guests_of(share->workspace) >= services.options.max_guests) {
    co_return std::unexpected(
        error_response(http::status::forbidden, "This share session has as many guests as it can take. Try later."));
  }
  const std::string id = visitor.guest_id.empty() ? native::uuid_v4() : visitor.guest_id;
  co_return Admission{
      .principal = {.user_id = "guest:" + id, .device_id = {}, .guest = true, .join_code = visitor.share},
      .key = {AccessKey::Kind::Share, share->code_hash},
      .workspace = share->workspace,
      .expires = std::nullopt,
      .read_only = share->read_only};
}

/// All lines of a header, which proxies may add to instead of changing the one that came, as the one line that they stand for.
std::string joined(const http::fields& headers, std::string_view name) {
  std::string all;
  const auto [first, last] = headers.equal_range({name.data(), name.size()});
  for (auto line = first; line != last; ++line) {
    if (!all.empty()) all += ',';
    all += as_view(line->value());
  }
  return all;
}

}  // namespace

Visitor visitor_of(const Services& services, const asio::ip::address& peer, const http::fields& headers,
                   const Target& target) {
  const auto address = client_address(peer, joined(headers, "X-Forwarded-For"), services.limits.trusted_proxies);
  Visitor visitor{.address = address.to_string(),
                  .limit_key = limit_key(address),
                  .token = token_of(headers, target.raw_token),
                  .share = normal_share_code(query_value(target, "session")).value_or(""),
                  .guest_id = clean_guest_id(query_value(target, "guest_id"))};
  if (visitor.token.size() > kMaxTokenBytes) visitor.token = "too long to be one";
  return visitor;
}

std::optional<HttpResponse> refuse_flood(Services& services, const Visitor& visitor) {
  if (const auto wait = services.limits.address_requests.take(visitor.limit_key, steady_now()))
    return too_often(services, *wait);
  return std::nullopt;
}

std::optional<HttpResponse> refuse_origin(const Services& services, const http::fields& headers, http::verb method,
                                          bool upgrade) {
  const bool reads = method == http::verb::get || method == http::verb::head || method == http::verb::options;
  if (reads && !upgrade) return std::nullopt;
  const std::string_view origin = as_view(headers[http::field::origin]);
  if (origin.empty()) return std::nullopt;
  const auto& allowed = services.options.cors_origins;
  if (std::find(allowed.begin(), allowed.end(), origin) != allowed.end()) return std::nullopt;
  const std::string_view host = as_view(headers[http::field::host]);
  if (!host.empty() && host_of(origin) == host) return std::nullopt;
  return error_response(http::status::forbidden,
                        "This web page may not use the server. Its owner can allow it with --cors-origin.");
}

awaitable<std::expected<Session, HttpResponse>> session_of(Services& services, const Visitor& visitor) {
  if (visitor.token.empty()) co_return std::unexpected(unauthorized());
  if (const auto wait = services.limits.address_refusals.would_refuse(visitor.limit_key, steady_now()))
    co_return std::unexpected(too_often(services, *wait));
  // Compared by hash: the look-up's time says nothing about the token.
  const Sha256 hash = sha256(visitor.token);
  auto session =
      co_await ask<Session>([&](auto reply) { services.storage.accounts.find_session(hash, now(), std::move(reply)); });
  if (!session) {
    if (session.error().kind == StorageError::Kind::NotFound) co_return std::unexpected(bad_key(services, visitor));
    co_return std::unexpected(storage_response(session.error(), kNotSignedIn));
  }
  if (const auto wait = services.limits.user_requests.take(session->user_id, steady_now()))
    co_return std::unexpected(too_often(services, *wait));
  if (const auto wait = services.limits.token_requests.take(session->device_id, steady_now()))
    co_return std::unexpected(too_often(services, *wait));
  co_return std::move(*session);
}

awaitable<std::optional<HttpResponse>> refuse_ended(Services& services, const Sha256& token_hash) {
  const auto session = co_await ask<Session>(
      [&](auto reply) { services.storage.accounts.find_session(token_hash, now(), std::move(reply)); });
  if (session) co_return std::nullopt;
  if (session.error().kind == StorageError::Kind::NotFound) co_return unauthorized();
  co_return storage_response(session.error(), kNotSignedIn);
}

awaitable<std::expected<Share, HttpResponse>> share_of(Services& services, const Visitor& visitor) {
  if (const auto wait = services.limits.address_refusals.would_refuse(visitor.limit_key, steady_now()))
    co_return std::unexpected(too_often(services, *wait));
  auto share = co_await ask<Share>(
      [&](auto reply) { services.storage.access.find_share(sha256(visitor.share), std::move(reply)); });
  if (share) co_return std::move(*share);
  if (share.error().kind == StorageError::Kind::NotFound) co_return std::unexpected(bad_key(services, visitor));
  co_return std::unexpected(storage_response(share.error(), kNotSignedIn));
}

awaitable<std::expected<Admission, HttpResponse>> admission_of(Services& services, const Visitor& visitor) {
  if (!visitor.share.empty()) {
    auto guest = co_await admit_guest(services, visitor);
    // A code that ended does not take a good token's rights away.
    if (guest || visitor.token.empty() || guest.error().status != http::status::unauthorized) co_return guest;
  }
  const auto session = co_await session_of(services, visitor);
  if (!session) co_return std::unexpected(session.error());
  services.storage.accounts.touch_device(session->device_id, now(), [](StorageResult<void>) {});
  co_return admit_user(*session, sha256(visitor.token));
}

}  // namespace diaryx::server
