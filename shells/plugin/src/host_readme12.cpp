// The same for a host with nothing beyond the twelve functions of the README: notes only, and no HTTP.
//
// Files come as text. An empty text also is how a web host says that it could not read, so a file that seems empty is taken for
// one that cannot be read, unless it was emptied here.

#include <set>

#include "host.h"
#include "host_calls.h"

DX_HOST(host_read_file)

namespace diaryx::plugin::host {

bool carries_attachments() { return false; }

std::optional<Bytes> read_present_file(std::string_view path) {
  const std::string text = ask(host_read_file, one("path", path));
  if (text.empty() && !was_emptied(path)) return std::nullopt;
  return to_bytes(as_bytes(text));
}

Json runtime_context() { return Json::object(); }

HttpResponse http(const HttpRequest&) {
  constexpr std::string_view kNoHttp = "This build of the plugin sends no HTTP requests; use the full one.";
  return {.body = to_bytes(as_bytes(kNoHttp))};
}

}  // namespace diaryx::plugin::host
