// What is on disk: a walk over a folder, and digests that are computed again only for files that changed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diaryx/base/sha256.h"
#include "diaryx/base/units.h"
#include "diaryx/native/root_folder.h"

namespace diaryx::native {

/// Says whether a path takes part. Asked for files and for folders; a folder that does not is not entered.
using PathFilter = std::function<bool(std::string_view path)>;

/// Told of every folder beneath the first, before it is listed.
using FolderVisitor = std::function<void(const std::string& path)>;

struct ScannedFile {
  std::string path;
  FileStamp stamp;
};

struct Scan {
  std::vector<ScannedFile> files;   // regular files, sorted by path (bytes)
  std::vector<std::string> others;  // links, sockets and the like: seen, not synced
  std::vector<Problem> problems;    // folders that could not be read; the walk went on without them
  std::vector<std::string> unread;  // their paths: what is beneath them is unknown, not gone
};

/// Walks `folder` (empty: the root) and everything beneath. A folder that cannot be read is reported and the rest is
/// still there. Cost: one fstatat per entry, no file is opened.
Scan scan_folder(const RootFolder& root, std::string_view folder, const PathFilter& takes_part,
                 const FolderVisitor& on_folder = {});

/// What is known about one file's content.
struct KnownFile {
  FileStamp stamp;
  Sha256 digest;
  TimestampMs hashed_at{};

  friend bool operator==(const KnownFile&, const KnownFile&) = default;
};

/// Remembers digests by stamp, so that files that did not change are not read again.
///
/// A stamp is trusted only when the file was hashed two seconds or more from its last modification: within that span a
/// second write may leave size and time unchanged (coarse clocks of file systems). A time further in the future was set by
/// a program or a wrong clock; a write takes it away.
class DigestCache {
 public:
  /// The digest if the file still has the stamp with which it was hashed and that stamp can be trusted.
  std::optional<Sha256> find(std::string_view path, const FileStamp& stamp) const;

  void remember(std::string_view path, const FileStamp& stamp, const Sha256& digest, TimestampMs now);
  void forget(std::string_view path);
  /// The file was renamed: what is known of it stays known.
  void rename(std::string_view from, std::string_view to);

  /// A file that had this content when it was last hashed, to copy from; the copy is to be verified.
  std::optional<std::string> path_of(const Sha256& digest) const;

  /// Entries in path order, to be stored; and back.
  const std::map<std::string, KnownFile, std::less<>>& entries() const { return entries_; }
  void restore(std::string path, const KnownFile& known);

 private:
  std::map<std::string, KnownFile, std::less<>> entries_;
  std::set<std::pair<Sha256, std::string>> by_digest_;
};

}  // namespace diaryx::native
