// The bytes of attachments: files under DATA/blobs, named by user and SHA-256; parts under DATA/uploads until complete.
//
// Why files and not rows: an attachment is written once, read whole or in ranges, and can be larger than memory; the
// file system does that without a copy through the database, and the database stays small to back up.
// Names are made of ids this server made and of hex digits only, never of text from a request.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "attachment_storage.h"
#include "diaryx/native/problem.h"

namespace diaryx::server {

class BlobStore {
 public:
  /// Makes the directories and removes what a crash left half written. The error is a sentence.
  static native::Outcome<BlobStore> open(const std::filesystem::path& data);

  /// For commands: the folder as it is, also while a server receives into it.
  static native::Outcome<BlobStore> open_existing(const std::filesystem::path& data);

  /// A fresh name in the same file system for something that is being received; removed by the caller or at the next start.
  std::filesystem::path temporary() const;

  /// Takes the finished file `received` as part `part` (from 1) of an upload; replaces an earlier one.
  native::Outcome<void> keep_part(const std::string& upload_id, uint32_t part,
                                  const std::filesystem::path& received) const;

  /// True if the part has come, whole.
  bool has_part(const Upload& upload, uint32_t part) const;

  struct Assembled {
    bool stored = false;
    std::vector<uint32_t> missing;  // parts that are absent or of the wrong size
    bool wrong_hash = false;  // the bytes are not the ones announced
  };
  /// Joins the parts, checks size and SHA-256, and puts the blob in its place, durable. Blocking; cost: two passes.
  /// The error is a sentence for the log.
  native::Outcome<Assembled> assemble(const Upload& upload) const;

  /// Stores a blob from memory, durable; for imports. The caller has hashed it.
  native::Outcome<void> put(const std::string& user_id, const Sha256& hash, ByteView bytes) const;
  /// The same with a file of `temporary()`, which is taken away, or left where it is if the blob is there already.
  native::Outcome<void> put_file(const std::string& user_id, const Sha256& hash, uint64_t size_bytes,
                                 const std::filesystem::path& file) const;

  std::filesystem::path blob_path(const std::string& user_id, const Sha256& hash) const;
  bool has(const std::string& user_id, const Sha256& hash, uint64_t size_bytes) const;
  /// All blobs of a user who is gone.
  void discard_user(const std::string& user_id) const;
  void discard_blob(const std::string& user_id, const Sha256& hash) const;
  void discard_upload(const std::string& upload_id) const;

  // What is there, whatever the storage knows of it. Names that this server does not give are passed over.
  /// Ids of the users who have a folder for blobs, ascending.
  std::vector<std::string> users() const;
  /// Blobs of a user whose hash begins with `first_byte`, ascending: those whose file was last written before `before`.
  std::vector<BlobKey> blobs_of(const std::string& user_id, uint8_t first_byte, TimestampMs before) const;
  /// Ids of the uploads of which parts are kept, ascending.
  std::vector<std::string> uploads() const;

 private:
  explicit BlobStore(std::filesystem::path data) : data_(std::move(data)) {}
  std::filesystem::path upload_directory(const std::string& upload_id) const;
  native::Outcome<void> place(const std::filesystem::path& finished, const std::string& user_id,
                              const Sha256& hash) const;

  std::filesystem::path data_;
};

/// The size of part `part` (from 1) of an upload: all are `part_size` but the last.
uint64_t part_size_of(const Upload& upload, uint32_t part);

}  // namespace diaryx::server
