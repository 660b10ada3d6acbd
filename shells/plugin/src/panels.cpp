#include "panels.h"

#include "inflate.h"
#include "panel_parts.h"

namespace diaryx::plugin {
namespace {

std::string page_with(const PanelPart& script) {
  Bytes page;
  for (const PanelPart* part : {&kPanelPage, &script}) {
    const size_t size_bytes = page.size() + part->size_bytes;
    auto longer = inflate(part->packed, size_bytes, std::move(page));
    DX_ASSERT(longer && longer->size() == size_bytes);  // packed by our own build
    page = std::move(*longer);
  }
  return std::string(as_text(page));
}

}  // namespace

std::string snapshots_panel() { return page_with(kSnapshotsScript); }
std::string history_panel() { return page_with(kHistoryScript); }

}  // namespace diaryx::plugin
