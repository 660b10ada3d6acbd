// The way to a server through an HTTP proxy, where the environment asks for one.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "diaryx/native/problem.h"
#include "diaryx/native/server_url.h"
#include "net.h"

namespace diaryx::native {

struct Proxy {
  ServerUrl url;              // always http://
  std::string authorization;  // value of Proxy-Authorization; empty: none is sent
  std::string variable;       // that names it
};

/// Looks up a variable of the environment; empty when it is not set.
using Environment = std::function<std::string(const std::string& name)>;

/// The proxy that leads to `server`, nullopt for a direct way. As most programs read it: `HTTPS_PROXY` or `HTTP_PROXY` by the server's
/// scheme, else `ALL_PROXY`; none for the hosts in `NO_PROXY` (a name also stands for all beneath it, `10.0.0.0/8` for a network, `*`
/// for all). Variables in small letters go first. The own machine is never reached through a proxy.
///
/// Errors   the variable's value is no `http://` address. The sentence does not show it: there may be a password in it.
Outcome<std::optional<Proxy>> proxy_for(const ServerUrl& server, const Environment& environment);

/// The same with the environment of this process.
Outcome<std::optional<Proxy>> proxy_for(const ServerUrl& server);

/// Has the proxy, to which `stream` is connected, connect it on to the server. Errors: what the proxy says, and what may help.
boost::asio::awaitable<Outcome<void>> pass_through(PlainStream& stream, const Proxy& proxy, const ServerUrl& server);

}  // namespace diaryx::native
