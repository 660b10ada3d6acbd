#include "panels.h"

#include "inflate.h"
#include "panel_parts.h"

namespace diaryx::plugin {
namespace {

std::string page_with(const PanelPart& script) {
  std::string page;
  for (const PanelPart* part : {&kPanelPage, &script, &kPanelEnd}) {
    const auto text = inflate(part->packed, part->size_bytes);
    DX_ASSERT(text && text->size() == part->size_bytes);  // packed by our own build
    page += as_text(*text);
  }
  return page;
}

}  // namespace

std::string snapshots_panel() { return page_with(kSnapshotsScript); }
std::string history_panel() { return page_with(kHistoryScript); }

}  // namespace diaryx::plugin
