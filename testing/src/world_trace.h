// What a replay tells with DX_TRACE set: one line for each thing that happens to a file or a document.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/sync/replica.h"

namespace diaryx::testing {

/// When every world begins.
inline constexpr TimestampMs kBegin{1'700'000'000'000};

bool is_traced();

/// Milliseconds since the world began, device, what, which.
void trace(TimestampMs now, size_t device, std::string_view what, std::string_view path, std::string_view more = {});

/// What a batch made of the documents: the entries and homes that changed, and for each text whose it is and what it says.
void trace_documents(TimestampMs now, size_t device, const sync::Replica& replica,
                     const std::vector<sync::Action>& batch, std::map<std::string, std::string>& listed);

/// A message that arrives at a device, or at the server from one.
void trace_message(TimestampMs now, size_t device, bool to_server, bool text, std::string_view bytes);

}  // namespace diaryx::testing
