#include "tls.h"

namespace diaryx::server {

native::Outcome<TlsContext> load_tls(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  namespace ssl = boost::asio::ssl;
  if (key.empty()) return native::problem("a certificate needs its key: give --tls-key too");
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                           ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression,
                       error);
  if (error) return native::problem("TLS cannot be set up: " + error.message());
  context->use_certificate_chain_file(certificate.native(), error);
  if (error) return native::problem("the certificate " + certificate.native() + " cannot be used: " + error.message());
  context->use_private_key_file(key.native(), ssl::context::pem, error);
  if (error)
    return native::problem("the key " + key.native() + " cannot be used with the certificate: " + error.message());
  return context;
}

}  // namespace diaryx::server
