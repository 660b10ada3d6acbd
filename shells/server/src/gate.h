// Who may come in: addresses, origins, tokens and share codes, and how often.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "http.h"
#include "services.h"
#include "socket_session.h"

namespace diaryx::server {

/// Where a request came from, and what it shows.
struct Visitor {
  std::string address;    // for the log
  std::string limit_key;
  std::string token;      // empty: none
  std::string share;      // a code, normalised; empty: none
  std::string guest_id;   // as asked for; cleaned
};

Visitor visitor_of(const Services& services, const boost::asio::ip::address& peer, const http::fields& headers,
                   const Target& target);

/// 429 if this address asks too often.
std::optional<HttpResponse> refuse_flood(Services& services, const Visitor& visitor);

/// 403 for a page of another origin that opens a socket or changes something: none of ours sends that. Programs send no
/// Origin and pass; so do pages of this server itself and those of `--cors-origin`.
std::optional<HttpResponse> refuse_origin(const Services& services, const http::fields& headers, http::verb method,
                                          bool upgrade);

/// The session of the token; 401, or 429 for an address that keeps guessing, a user or token that asks too often.
boost::asio::awaitable<std::expected<Session, HttpResponse>> session_of(Services& services, const Visitor& visitor);
/// 401 if the token of a request that was let in has ended since.
boost::asio::awaitable<std::optional<HttpResponse>> refuse_ended(Services& services, const Sha256& token_hash);
/// The share of the code; 401.
boost::asio::awaitable<std::expected<Share, HttpResponse>> share_of(Services& services, const Visitor& visitor);

/// Who may open a socket: the token's user; with a code, the user if the workspace is theirs, else a guest. 401, 403 when the
/// workspace has its most guests, 429.
boost::asio::awaitable<std::expected<Admission, HttpResponse>> admission_of(Services& services, const Visitor& visitor);

}  // namespace diaryx::server
