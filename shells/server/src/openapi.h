// The description of the API that is served at /openapi.json: shells/server/openapi.json, put in by the build.
#pragma once

#include <string_view>

namespace diaryx::server {

extern const std::string_view kOpenApi;

}  // namespace diaryx::server
