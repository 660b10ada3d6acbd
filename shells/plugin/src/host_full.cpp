// The three host functions that every shipped host has beside the twelve of the README: files as bytes, HTTP, and what the host
// knows about its user and workspace.

#include "diaryx/base/base64.h"
#include "host.h"
#include "host_calls.h"

DX_HOST(host_read_binary)
DX_HOST(host_http_request)
DX_HOST(host_get_runtime_context)

namespace diaryx::plugin::host {

bool carries_attachments() { return true; }

std::optional<Bytes> read_present_file(std::string_view path) {
  const std::string answer = ask(host_read_binary, one("path", path));
  // Empty text is how a web host says that it could not read; an empty file is `{"data":""}`.
  if (answer.empty()) return std::nullopt;
  return wrapped_bytes(answer);
}

Json runtime_context() {
  auto json = parsed(pdk::call(host_get_runtime_context, {}));
  return json && json->is_object() ? std::move(*json) : Json::object();
}

HttpResponse http(const HttpRequest& request) {
  Json headers = Json::object();
  for (const auto& [name, value] : request.headers) headers.set(name, value);
  Json message = Json{}.set("url", request.url).set("method", request.method).set("headers", std::move(headers));
  if (!request.body.empty()) message.set("body_base64", to_base64(request.body));

  const auto answer = parsed(ask(host_http_request, message));
  HttpResponse response;
  if (!answer) return response;
  response.status = answer->integer_member("status").value_or(0);
  if (const Json* sent = answer->find("headers"); sent && response.status >= 400)
    response.retry_after = sent->string_member("retry-after").value_or(sent->string_member("Retry-After").value_or(""));
  const auto base64 = answer->string_member("body_base64");
  auto bytes = base64 ? from_base64(*base64) : Result<Bytes>{Bytes{}};
  if (bytes && !bytes->empty()) {
    response.body = std::move(*bytes);
  } else if (const auto body = answer->string_member("body")) {
    response.body = to_bytes(as_bytes(*body));
  }
  return response;
}

}  // namespace diaryx::plugin::host
