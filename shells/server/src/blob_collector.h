// Takes away the bytes of attachments that no workspace refers to any more, and files that no record names.
//
// Safe beside uploads: whoever puts a blob in its place holds it until the storage knows of it, and what is held is not taken; what
// is being taken can be held only afterwards, so that it is put in its place anew. Lives on the io thread.
//
// A file that no record names was left by a process that ended between a file and its record, or by a disk that refused to remove it.
// Nothing that was told to anybody depends on it.
#pragma once

#include <map>
#include <memory>
#include <set>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "attachment_storage.h"
#include "blob_store.h"
#include "metrics.h"

namespace diaryx::server {

class BlobCollector {
 public:
  BlobCollector(AttachmentStorage& storage, BlobStore& blobs, boost::asio::thread_pool& pool, Metrics& metrics)
      : storage_(storage), blobs_(blobs), pool_(pool), metrics_(metrics) {}

  /// The blob stays, until what is returned is released. Before it is looked for or put in its place.
  boost::asio::awaitable<std::shared_ptr<void>> hold(BlobKey blob);

  /// Goes on with the walk over all blobs: looks at some thousands and takes those that are unused and came before `before`.
  boost::asio::awaitable<void> collect(TimestampMs before);
  /// Looks at every file there is and takes those that no record names: blobs that were written before `before`, and the parts of
  /// uploads that the storage does not know.
  boost::asio::awaitable<void> sweep(TimestampMs before);
  /// Only the parts. Cheap: as many are looked at as uploads are not complete.
  boost::asio::awaitable<void> sweep_uploads();
  /// False while an attachment is forgotten and its file still there: whoever stops then leaves a file that nobody knows.
  bool is_idle() const { return going_.empty(); }

 private:
  boost::asio::awaitable<void> take(const BlobKey& blob);
  boost::asio::awaitable<void> take_unnamed(std::vector<BlobKey> blobs);

  AttachmentStorage& storage_;
  BlobStore& blobs_;
  boost::asio::thread_pool& pool_;
  Metrics& metrics_;
  std::optional<BlobKey> looked_at_;  // the walk goes on behind it
  std::shared_ptr<std::map<BlobKey, uint32_t>> held_ = std::make_shared<std::map<BlobKey, uint32_t>>();
  std::set<BlobKey> going_;
};

}  // namespace diaryx::server
