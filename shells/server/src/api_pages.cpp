// What is neither data nor account: the page that a sign-in link opens, the description of the API, and counters.
#include <filesystem>

#include "ask.h"
#include "openapi.h"
#include "relay_host.h"
#include "router.h"
#include "sign_in_page.h"

namespace diaryx::server {
namespace {

uint64_t size_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

}  // namespace

// The token stands behind `#` in the link. Browsers send that part to nobody, so it is in no log and no Referer.
Answer get_sign_in_page(Services&, HttpRequest&) {
  HttpResponse response = text_response(http::status::ok, std::string(kSignInPage));
  response.content_type = "text/html; charset=utf-8";
  response.headers = {{"Content-Security-Policy",
                       "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
                       "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-store"}};
  co_return response;
}

Answer get_openapi(Services&, HttpRequest&) {
  HttpResponse response = text_response(http::status::ok, std::string(kOpenApi));
  response.content_type = "application/json";
  co_return response;
}

Answer get_metrics(Services& services, HttpRequest&) {
  const sync::RelayStatistics counts = services.relay.statistics();
  const std::filesystem::path database = services.options.data / "server.db";
  std::error_code error;
  const auto space = std::filesystem::space(services.options.data, error);
  const MetricsNow now{.connections = services.limits.open->count(),
                       .sockets = counts.connections,
                       .documents = counts.documents,
                       .awake_documents = counts.awake,
                       .away_documents = counts.away,
                       .uncommitted = counts.uncommitted,
                       .database_bytes = size_of(database),
                       .wal_bytes = size_of(database.native() + "-wal"),
                       .disk_available_bytes = error ? 0 : space.available,
                       .process = process_use()};
  HttpResponse response = text_response(http::status::ok, format_metrics(services.metrics, now));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  co_return response;
}

}  // namespace diaryx::server
