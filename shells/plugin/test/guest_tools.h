// A guest as its host uses it: commands, events, files, and a server that has nothing.
#pragma once

#include <string>
#include <string_view>

#include "diaryx/base/json.h"
#include "fake_host.h"
#include "guest.h"

namespace diaryx::plugin {

inline constexpr std::string_view kWorkspaceA =
    R"({"workspace_id":"A","workspace_root":".","server_url":"http://s","auth_token":"t"})";
inline constexpr std::string_view kNowhere = R"({"workspace_root":"."})";

/// The whole answer, whether it succeeded or not.
Json command(Guest& guest, std::string_view name, const Json& params = Json::object());
/// What a command that must succeed gives back.
Json data(Guest& guest, std::string_view name, const Json& params = Json::object());
void tell(Guest& guest, std::string_view event, std::string_view path);

/// A file of the host; `(none)` when it is not there.
void put(std::string_view path, std::string_view text);
std::string file(std::string_view path);

/// `precious`, the parameters of a snapshot.
Json named();
void make_a_snapshot(Guest& guest);
std::string snapshots(Guest& guest);

/// A server that has nothing but what it is sent: it answers for one document.
void answer_empty(Guest& guest, std::string_view doc_id);

}  // namespace diaryx::plugin
