// The media type of a file by its extension, as servers and browsers expect it.
#pragma once

#include <string_view>

namespace diaryx::sync {

/// Never empty: `application/octet-stream` for what is not known. The case of the extension does not count.
std::string_view mime_type_of(std::string_view path);

}  // namespace diaryx::sync
