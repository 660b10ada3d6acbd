// What is neither data nor account: the page that a sign-in link opens, the description of the API, and counters.
#include <filesystem>

#include "ask.h"
#include "openapi.h"
#include "relay_host.h"
#include "router.h"

namespace diaryx::server {
namespace {

// The token stands behind `#` in the link. Browsers send that part to nobody, so it is in no log and no Referer.
constexpr std::string_view kSignInPage = R"html(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in - Diaryx Sync</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}
code{background:#eee;padding:.2em .4em;word-break:break-all}button{font:inherit;padding:.4em 1em}</style>
<h1>Diaryx Sync</h1>
<p id="say">This link signs one device in, once.</p>
<p><button id="go">Sign in</button></p>
<script>
const say = document.getElementById('say'), go = document.getElementById('go');
go.onclick = async () => {
  go.disabled = true;
  const answer = await fetch('auth/verify', {method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({token: location.hash.slice(1), device_name: 'browser'})});
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) { say.textContent = body.error || 'That did not work. Ask for a new link.'; go.disabled = false; return; }
  go.remove();
  history.replaceState(null, '', location.pathname);
  const code = document.createElement('code');
  code.textContent = body.token;
  say.replaceChildren('Signed in as ' + body.user.email + '. The token of this device, shown once: ', code,
    '. Give it to a client: diaryx-sync link FOLDER --server ' + location.origin + ' --token TOKEN --workspace NAME');
};
</script></html>
)html";

uint64_t size_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

}  // namespace

Answer get_sign_in_page(Services&, HttpRequest&) {
  HttpResponse response = text_response(http::status::ok, std::string(kSignInPage));
  response.content_type = "text/html; charset=utf-8";
  response.headers = {{"Content-Security-Policy",
                       "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
                       "frame-ancestors 'none'"},
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
  const MetricsNow now{.connections = services.limits.open->count(),
                       .sockets = counts.connections,
                       .documents = counts.documents,
                       .awake_documents = counts.awake,
                       .away_documents = counts.away,
                       .uncommitted = counts.uncommitted,
                       .database_bytes = size_of(database),
                       .wal_bytes = size_of(database.native() + "-wal"),
                       .resident_bytes = resident_bytes(),
                       .open_files = open_files()};
  HttpResponse response = text_response(http::status::ok, format_metrics(services.metrics, now));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  co_return response;
}

}  // namespace diaryx::server
