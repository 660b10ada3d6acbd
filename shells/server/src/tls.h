// The certificate of the server.
#pragma once

#include <filesystem>
#include <memory>

#include <boost/asio/ssl/context.hpp>

#include "diaryx/native/problem.h"

namespace diaryx::server {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// certificate   PEM, the whole chain, the server's own first.
/// key           PEM, without a passphrase.
/// TLS 1.2 and 1.3. Errors: a sentence that names the file.
native::Outcome<TlsContext> load_tls(const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace diaryx::server
