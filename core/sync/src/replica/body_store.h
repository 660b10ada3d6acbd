// All body documents of a replica: a few loaded, the others parked as bytes.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "replica/body_doc.h"

namespace diaryx::sync {

class BodyStore {
 public:
  /// Documents kept loaded; the one used longest ago is parked first.
  static constexpr size_t kMaxLoaded = 64;

  explicit BodyStore(ClientId client) : client_(client) {}

  bool contains(const std::string& key) const { return slots_.find(key) != slots_.end(); }

  /// The document, made if there is none. The reference is good until the next call that names another key.
  BodyDoc& open(const std::string& key) const;
  // In the guest a view that is made for a call is twice as long as the call; so for what is called from everywhere.

  /// Whole state, `00 00` for an unknown key.
  Bytes state(const std::string& key) const;

  /// Keys of documents that hold something.
  std::vector<std::string> keys() const;

 private:
  struct Slot {
    std::unique_ptr<BodyDoc> doc;  // null while parked
    Bytes parked;
  };

  ClientId client_;
  // Loading and parking change no content, so readers may do it.
  mutable std::map<std::string, Slot, std::less<>> slots_;
  mutable std::list<std::string> loaded_;
};

}  // namespace diaryx::sync
