// What the guest asks of its host, in the guest's own types. One implementation talks to Extism (host.cpp), another
// stands in for a host in the native tests (test/fake_host.h).
//
// Invariants
//  1. Answers are read leniently: an absent, empty or odd answer becomes "nothing", never a trap.
//  2. "Nothing" is not "empty": a web host answers a failed read with an empty text, so files are read as binary, whose
//     failure can be told from an empty file.
//  3. A native host that fails ends the running export. Callers hold no half-changed state when they call, and ask whether a
//     file is there before they read it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/json.h"
#include "diaryx/base/units.h"

namespace diaryx::plugin::host {

enum class Level : uint8_t { Debug, Info, Warn, Error };

void log(Level level, const std::string& message);
/// Most messages are literals: a string is made of them in one place.
inline void log(Level level, const char* message) { log(level, std::string(message)); }

/// The host's clock; the last known time when the host has no answer.
TimestampMs now();

/// The host's context object, `{}` when there is none. Every member is optional, in both spellings.
Json runtime_context();

/// The bytes under `key`, or nothing when absent or empty.
std::optional<Bytes> storage_get(std::string_view key);
void storage_set(std::string_view key, ByteView bytes);

bool file_exists(std::string_view path);
/// The exact bytes of a file that is known to be there (a native host traps otherwise), or nothing when it cannot be read.
std::optional<Bytes> read_present_file(std::string_view path);
/// Every path under `prefix`, in no order; native hosts list folders too (`without_folders` in paths.h drops them).
std::vector<std::string> list_files(std::string_view prefix);
/// Text goes as text, other bytes as base64.
void write_file(std::string_view path, ByteView bytes);
/// The last content of this file was written here and is nothing.
bool was_emptied(std::string_view path);
/// False in the build for hosts that neither give files as bytes nor send HTTP requests: attachments stay where they are then.
bool carries_attachments();
/// The file must exist: a native host traps otherwise.
void delete_file(std::string_view path);

/// event   JSON.
void emit_event(std::string_view event);

struct HttpRequest {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  Bytes body;
};
struct HttpResponse {
  int64_t status = 0;  // 0: no answer, the reason is in `body`
  Bytes body;
  std::string retry_after;  // seconds or a date, when the server is busy or has had enough
};
HttpResponse http(const HttpRequest& request);

struct Connection {
  std::string server_url;  // as for HTTP
  std::string workspace_id;
  std::string auth_token;
  std::string session_code;  // empty: none
  bool write_to_disk = true;

  friend bool operator==(const Connection&, const Connection&) = default;
};
/// Asks the host to open the socket. Empty when it agreed, else its reason.
std::string ws_connect(const Connection& connection);
/// Queues a frame. That the host agreed does not mean that it was delivered.
void ws_send_binary(ByteView frame);
void ws_send_text(std::string_view text);
void ws_disconnect();

/// True when this export has called the host so often that the JavaScript SDKs are near their limit of blocks.
bool nearly_exhausted();

}  // namespace diaryx::plugin::host
