// What the panels are made of, as the build deflates it from web/panels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "diaryx/base/bytes.h"

namespace diaryx::plugin {

struct PanelPart {
  ByteView packed;  // raw deflate
  size_t size_bytes;  // unpacked
};

extern const PanelPart kPanelPage;  // everything up to the panel's own script
extern const PanelPart kHistoryScript;
extern const PanelPart kSnapshotsScript;
extern const PanelPart kPanelEnd;

}  // namespace diaryx::plugin
