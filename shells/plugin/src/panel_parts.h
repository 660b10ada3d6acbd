// What the panels are made of, as the build deflates it from web/panels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "diaryx/base/bytes.h"

namespace diaryx::plugin {

struct PanelPart {
  ByteView packed;  // raw deflate; a script refers back to the page
  size_t size_bytes;  // unpacked
};

extern const PanelPart kPanelPage;  // everything up to the panel's own script
extern const PanelPart kHistoryScript;  // and the end of the page
extern const PanelPart kSnapshotsScript;

}  // namespace diaryx::plugin
