// The document of one Markdown file: its frontmatter block (`head`) and the text behind it (`body`).
//
// `body` is what every Diaryx peer reads. `head` is ours: old peers ignore a root they do not know, and between our own
// devices it carries the block byte for byte. `seed` names the first import, see `seed_update`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/crdt/doc.h"

namespace diaryx::sync {

class BodyDoc {
 public:
  explicit BodyDoc(ClientId client);

  crdt::Doc& doc() { return doc_; }
  const crdt::Doc& doc() const { return doc_; }

  std::string head() const { return head_.to_string(); }
  std::string body() const { return body_.to_string(); }

  /// No operation of anybody: the only state in which a seed may be made (T1).
  bool is_virgin() const { return doc_.is_empty() && !doc_.has_pending(); }

  /// Changes the two texts by their difference. Returns the update, empty when nothing changed.
  Bytes set_text(std::string_view head, std::string_view body);

  /// The name of the first import that holds now: of concurrent ones the same everywhere. Empty if never seeded.
  std::string seed_name() const;

 private:
  crdt::Doc doc_;
  crdt::Text head_;
  crdt::Text body_;
  crdt::Map seed_;
};

/// The first import of a file as an update: the same file under the same key gives the same operations on every device,
/// so that two devices that import it at once do not double it.
Bytes seed_update(std::string_view key, std::string_view head, std::string_view body);

/// The client id of that seed, in decimal: what `seed_name` returns while it holds.
std::string seed_name(std::string_view key, std::string_view head, std::string_view body);

}  // namespace diaryx::sync
