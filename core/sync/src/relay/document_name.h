// The id of a document: one piece of memory for its room and for everybody's seat at it.
#pragma once

#include <memory>
#include <string_view>

#include "diaryx/base/units.h"

namespace diaryx::sync::relay {

using SharedDocId = std::shared_ptr<const DocId>;

/// Orders by the id itself, so that the order of a container may show; a text can be looked up.
struct ById {
  using is_transparent = void;
  static std::string_view text(const SharedDocId& id) { return id->view(); }
  static std::string_view text(std::string_view id) { return id; }
  bool operator()(const auto& a, const auto& b) const { return text(a) < text(b); }
};

}  // namespace diaryx::sync::relay
