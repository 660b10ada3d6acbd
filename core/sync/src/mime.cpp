#include "diaryx/sync/mime.h"

#include <algorithm>
#include <string>
#include <utility>

#include "diaryx/sync/path.h"

namespace diaryx::sync {
namespace {

// What people keep beside notes. Sorted by extension.
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".avif", "image/avif"},
    {".bmp", "image/bmp"},
    {".canvas", "application/json"},
    {".css", "text/css"},
    {".csv", "text/csv"},
    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {".epub", "application/epub+zip"},
    {".flac", "audio/flac"},
    {".gif", "image/gif"},
    {".heic", "image/heic"},
    {".htm", "text/html"},
    {".html", "text/html"},
    {".jpeg", "image/jpeg"},
    {".jpg", "image/jpeg"},
    {".js", "text/javascript"},
    {".json", "application/json"},
    {".m4a", "audio/mp4"},
    {".md", "text/markdown"},
    {".mov", "video/quicktime"},
    {".mp3", "audio/mpeg"},
    {".mp4", "video/mp4"},
    {".odt", "application/vnd.oasis.opendocument.text"},
    {".ogg", "audio/ogg"},
    {".pdf", "application/pdf"},
    {".png", "image/png"},
    {".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {".svg", "image/svg+xml"},
    {".txt", "text/plain"},
    {".wav", "audio/wav"},
    {".webm", "video/webm"},
    {".webp", "image/webp"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {".xml", "application/xml"},
    {".yaml", "application/yaml"},
    {".yml", "application/yaml"},
    {".zip", "application/zip"},
};
static_assert(std::ranges::is_sorted(kTypes, {}, &std::pair<std::string_view, std::string_view>::first));

}  // namespace

std::string_view mime_type_of(std::string_view path) {
  const std::string wanted = ascii_fold(extension(path));
  const auto found =
      std::ranges::lower_bound(kTypes, std::string_view(wanted), {}, [](const auto& type) { return type.first; });
  return found != std::end(kTypes) && found->first == wanted ? found->second : "application/octet-stream";
}

}  // namespace diaryx::sync
