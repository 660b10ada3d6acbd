// Attachments over HTTP: up in parts, down through a verified temporary file, two of each at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "diaryx/native/http_client.h"
#include "diaryx/sync/action.h"
#include "disk.h"
#include "output.h"

namespace diaryx::client {

/// Everything ends in an event of event.h: BlobUploaded, FileWritten, FileRefused or TransferFailed. To send what is
/// being sent already is harmless; each fetch has an answer of its own, since its ticket is waited for. One bad or huge file holds
/// nobody up for longer than its own slot.
class Transfers {
 public:
  using Clock = std::function<TimestampMs()>;

  Transfers(boost::asio::io_context& io, native::HttpClient& http, const native::RootFolder& root,
            std::string workspace_id, Disk& disk, Output& output, Clock clock, Disk::Tell tell);

  void add(const sync::UploadBlob& action);
  void add(const sync::FetchBlob& action);

  bool idle() const { return sends_.empty() && fetches_.empty() && running_fetches_ == 0; }
  /// Files that the server will not take, whatever we do: too large, over the quota.
  size_t refused_for_good() const { return refused_.size(); }

 private:
  using Key = std::pair<std::string, Sha256>;

  void pump();
  void pump_soon();
  boost::asio::awaitable<void> upload(sync::UploadBlob action);
  boost::asio::awaitable<native::Outcome<void>> upload_parts(const sync::UploadBlob& action, int file);
  boost::asio::awaitable<native::Outcome<native::HttpResponse>> put_part(const sync::UploadBlob& action, int file,
                                                                         const std::string& target, uint64_t part_no,
                                                                         uint64_t part_bytes);
  boost::asio::awaitable<void> fetch(sync::FetchBlob action);
  boost::asio::awaitable<native::Outcome<Sha256>> fill_from_server(const sync::FetchBlob& action,
                                                                   native::StagedFile& staged);
  bool place_local_copy(const sync::FetchBlob& action);
  void tell_failed(const std::string& path, const Sha256& hash, sync::Ticket ticket, const native::Problem& problem);
  std::string attachments_target() const;

  boost::asio::io_context& io_;
  native::HttpClient& http_;
  const native::RootFolder& root_;
  std::string workspace_id_;
  Disk& disk_;
  Output& output_;
  Clock clock_;
  Disk::Tell tell_;
  std::deque<sync::UploadBlob> uploads_;
  std::deque<sync::FetchBlob> fetches_;
  std::set<Key> sends_;  // waiting or running
  int running_uploads_ = 0;
  int running_fetches_ = 0;
  std::set<Key> refused_;
};

}  // namespace diaryx::client
