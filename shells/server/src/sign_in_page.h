// The page that a sign-in link opens: sign_in_page.html, put in by the build.
#pragma once

#include <string_view>

namespace diaryx::server {

extern const std::string_view kSignInPage;

}  // namespace diaryx::server
