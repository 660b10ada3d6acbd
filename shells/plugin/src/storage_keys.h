// Names of the documents' values in the host's key-value storage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"

namespace diaryx::plugin {

inline constexpr std::string_view kWorkspaceDoc = "workspace";
inline constexpr std::string_view kBodyPrefix = "body:";

/// The storage key of a body document. `/`, `\`, `:`, `_` and upper case are escaped, because some hosts make file names
/// of keys that fold or replace those, and two documents must not share one; a name that would get too long is hashed.
std::string body_key(std::string_view name);

/// The storage key of a document's whole state. doc: `workspace` or `body:<name>`.
std::string document_key(std::string_view doc);
/// The storage key of one chunk of a document's history.
std::string history_key(std::string_view doc, uint64_t number);

struct StoredDocument {
  std::string key;  // under which it was found
  Bytes state;
};
/// The whole state of a document as it is stored, under today's key or that of older plugins. Not checked.
std::optional<StoredDocument> read_document(std::string_view doc);

}  // namespace diaryx::plugin
