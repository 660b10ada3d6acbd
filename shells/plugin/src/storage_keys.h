// Names of the documents' values in the host's key-value storage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"
#include "diaryx/base/json.h"

namespace diaryx::plugin {

inline constexpr std::string_view kWorkspaceDoc = "workspace";
inline constexpr std::string_view kBodyPrefix = "body:";

/// The storage key of a body document. `/`, `\`, `:`, `_` and upper case are escaped, because some hosts make file names
/// of keys that fold or replace those, and two documents must not share one; a name that would get too long is hashed.
std::string body_key(std::string_view name);

/// The storage key of a document's whole state. doc: `workspace` or `body:<name>`.
std::string document_key(std::string_view doc);
/// The storage key of one chunk of a document's history.
std::string history_key(const std::string& doc, uint64_t number);

struct StoredDocument {
  std::string key;  // under which it was found
  Bytes state;
};

/// The part of the host's storage that holds one workspace. Number 0 is where older plugins wrote; the keys of all others have
/// `w<number>.` in front, so that a folder that is linked elsewhere and back finds what it had.
class Space {
 public:
  explicit Space(uint64_t number = 0);

  std::optional<Bytes> get(std::string_view key) const;
  void set(std::string_view key, ByteView bytes) const;
  /// The same for what nothing else says any more afterwards. False: the host did not store it.
  bool keep(std::string_view key, ByteView bytes) const;
  /// The whole state of a document as it is stored, under today's key or that of older plugins. Not checked.
  std::optional<StoredDocument> read_document(std::string_view doc) const;

 private:
  std::string prefix_;
};

/// Whether what is set now is there afterwards. Web hosts say nothing where they may not store, or cannot; native ones end the export.
bool storage_keeps();

/// The JSON under a key. What is there and cannot be read is kept under `damaged:<key>`, and the log says so.
std::optional<Json> stored_json(const Space& space, std::string_view key);
inline constexpr std::string_view kDamagedKey = "damaged:";

}  // namespace diaryx::plugin
