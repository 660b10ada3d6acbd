#include "transfers.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <optional>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "diaryx/base/json.h"
#include "diaryx/native/atomic_file.h"
#include "diaryx/native/file_hash.h"

namespace diaryx::client {
namespace asio = boost::asio;

namespace {

using native::HttpRequest;
using native::HttpResponse;
using native::Outcome;
using native::Problem;

constexpr uint64_t kPartBytes = 8 * 1024 * 1024;
constexpr int kMaxParallel = 2;
constexpr int kPartAttempts = 5;
constexpr int64_t kFirstPauseMs = 500;
constexpr int64_t kChangedPauseMs = 1'000;
constexpr uint64_t kProgressBytes = 4 * 1024 * 1024;

// `Problem::os_error` says here whether trying again can help.
constexpr int kFinal = EDQUOT;
constexpr int kChanged = ESTALE;

constexpr unsigned kTooLarge = 413;
constexpr unsigned kConflict = 409;
constexpr unsigned kBadRequest = 400;

uint64_t part_count(uint64_t size_bytes, uint64_t part_bytes) {
  return std::max<uint64_t>(1, (size_bytes + part_bytes - 1) / part_bytes);
}

std::string describe_blob(const sync::UploadBlob& action) {
  Json json = Json::object();
  json.set("entry_path", action.path)
      .set("attachment_path", action.path)
      .set("hash", action.hash.hex())
      .set("size_bytes", action.size_bytes)
      .set("mime_type", action.mime_type);
  return json.dump();
}

std::string describe_upload(const sync::UploadBlob& action) {
  Json json = *Json::parse(describe_blob(action));
  json.set("part_size", kPartBytes).set("total_parts", part_count(action.size_bytes, kPartBytes));
  return json.dump();
}

std::unexpected<Problem> refused(const HttpResponse& response, std::string_view doing) {
  std::string reason = native::reason_in(response.body);
  if (reason.empty()) reason = "HTTP " + std::to_string(response.status);
  std::string sentence = "the server refused to " + std::string(doing) + ": " + reason;
  return std::unexpected(Problem{std::move(sentence), response.status == kTooLarge ? kFinal : 0});
}

std::set<uint64_t> numbers_of(const Json* list) {
  std::set<uint64_t> numbers;
  if (list == nullptr || list->as_array() == nullptr) return numbers;
  for (const Json& entry : *list->as_array()) {
    if (const auto number = entry.as_integer(); number && *number > 0) numbers.insert(uint64_t(*number));
  }
  return numbers;
}

/// Reads one part; a short read means that the file shrank.
Outcome<std::string> read_part(int file, const std::string& path, uint64_t offset, uint64_t size_bytes) {
  std::string part(size_t(size_bytes), '\0');
  for (size_t done = 0; done < part.size();) {
    const ssize_t got = ::pread(file, part.data() + done, part.size() - done, off_t(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return native::os_problem("read", path, errno);
    if (got == 0) return std::unexpected(Problem{path + " changed while it was sent", kChanged});
    done += size_t(got);
  }
  return part;
}

asio::awaitable<void> pause_for(int64_t wait_ms) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(wait_ms));
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace

Transfers::Transfers(asio::io_context& io, native::HttpClient& http, const native::RootFolder& root,
                     std::string workspace_id, Disk& disk, Output& output, Clock clock, Disk::Tell tell)
    : io_(io),
      http_(http),
      root_(root),
      workspace_id_(std::move(workspace_id)),
      disk_(disk),
      output_(output),
      clock_(std::move(clock)),
      tell_(std::move(tell)) {}

std::string Transfers::attachments_target() const {
  return "/api/workspaces/" + native::percent_encoded(workspace_id_) + "/attachments";
}

void Transfers::add(const sync::UploadBlob& action) {
  if (!sends_.emplace(action.path, action.hash).second) return;
  uploads_.push_back(action);
  pump();
}

void Transfers::add(const sync::FetchBlob& action) {
  fetches_.push_back(action);
  pump();
}

void Transfers::pump() {
  // What a transfer throws can only be want of memory: the process ends at the rim.
  const auto rim = [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  };
  while (running_uploads_ < kMaxParallel && !uploads_.empty()) {
    ++running_uploads_;
    sync::UploadBlob next = std::move(uploads_.front());
    uploads_.pop_front();
    asio::co_spawn(io_, upload(std::move(next)), rim);
  }
  while (running_fetches_ < kMaxParallel && !fetches_.empty()) {
    ++running_fetches_;
    sync::FetchBlob next = std::move(fetches_.front());
    fetches_.pop_front();
    asio::co_spawn(io_, fetch(std::move(next)), rim);
  }
}

/// From the loop, not from within a transfer: a thousand empty files must not become a thousand nested calls.
void Transfers::pump_soon() {
  asio::post(io_, [this] { pump(); });
}

void Transfers::tell_failed(const std::string& path, const Sha256& hash, sync::Ticket ticket, const Problem& problem) {
  const bool final_failure = problem.os_error == kFinal;
  if (final_failure) refused_.emplace(path, hash);
  tell_(sync::TransferFailed{path, hash, problem.sentence, final_failure, ticket});
}

// --- up ---------------------------------------------------------------------------------------------------------

asio::awaitable<void> Transfers::upload(sync::UploadBlob action) {
  // A transfer that never waits would run inside `pump`, and the next one inside this one.
  co_await asio::post(io_, asio::use_awaitable);
  const auto file = root_.open_file(action.path);
  const auto now_there = file ? native::hash_file_at_rest(root_, action.path) : std::unexpected(file.error());
  Outcome<void> sent;
  if (!now_there) {
    sent = std::unexpected(Problem{now_there.error().sentence, now_there.error().os_error == ENOENT ? kChanged : 0});
  } else if (now_there->digest != action.hash) {
    sent = std::unexpected(Problem{action.path + " changed before it was sent", kChanged});
  } else {
    sent = co_await upload_parts(action, file->get());
  }
  --running_uploads_;
  pump_soon();
  // Somebody is at work on it. If it were read and sent again at once, that would go on until they are done.
  if (!sent && sent.error().os_error == kChanged) co_await pause_for(kChangedPauseMs);
  sends_.erase({action.path, action.hash});
  if (sent) {
    refused_.erase({action.path, action.hash});
    output_.transferred(Direction::Upload, action.path, action.size_bytes);
    tell_(sync::BlobUploaded{action.path, action.hash});
  } else {
    tell_failed(action.path, action.hash, action.ticket, sent.error());
    if (sent.error().os_error == kChanged) disk_.report_path(action.path, action.ticket, clock_(), tell_);
  }
}

asio::awaitable<Outcome<HttpResponse>> Transfers::put_part(const sync::UploadBlob& action, int file,
                                                           const std::string& target, uint64_t part_no,
                                                           uint64_t part_bytes) {
  const uint64_t offset = (part_no - 1) * part_bytes;
  int64_t wait_ms = kFirstPauseMs;
  for (int attempt = 1;; ++attempt, wait_ms *= 2) {
    auto part = read_part(file, action.path, offset, std::min(part_bytes, action.size_bytes - offset));
    if (!part) co_return std::unexpected(std::move(part.error()));
    HttpRequest request{.method = "PUT",
                        .target = target + "/parts/" + std::to_string(part_no),
                        .content_type = "application/octet-stream",
                        .body = std::move(*part)};
    auto response = co_await http_.send(std::move(request));
    const bool may_pass = !response || response->status >= 500;
    if (!may_pass || attempt == kPartAttempts) co_return response;
    co_await pause_for(wait_ms);
  }
}

asio::awaitable<Outcome<void>> Transfers::upload_parts(const sync::UploadBlob& action, int file) {
  const std::string uploads = attachments_target() + "/uploads";
  HttpRequest start{
      .method = "POST", .target = uploads, .content_type = "application/json", .body = describe_upload(action)};
  auto started = co_await http_.send(std::move(start));
  if (!started) co_return std::unexpected(std::move(started.error()));
  if (started->status != 200) co_return refused(*started, "take " + action.path);
  const auto plan = Json::parse(started->body);
  if (plan && plan->string_member("status") == "already_exists") co_return Outcome<void>{};
  const auto upload_id = plan ? plan->string_member("upload_id") : std::nullopt;
  if (!upload_id)
    co_return native::problem("the answer of " + http_.server().display() + " to an upload is not understood");

  const int64_t told_part_bytes = plan->integer_member("part_size").value_or(int64_t(kPartBytes));
  const uint64_t part_bytes = told_part_bytes > 0 ? uint64_t(told_part_bytes) : kPartBytes;
  const std::string target = uploads + "/" + native::percent_encoded(*upload_id);
  std::set<uint64_t> missing;
  for (uint64_t part_no = 1; part_no <= part_count(action.size_bytes, part_bytes); ++part_no) missing.insert(part_no);
  for (const uint64_t part_no : numbers_of(plan->find("uploaded_parts"))) missing.erase(part_no);

  for (int round = 0; round < 2; ++round) {
    for (const uint64_t part_no : missing) {
      if ((part_no - 1) * part_bytes >= std::max<uint64_t>(action.size_bytes, 1))
        continue;  // a number that is not ours
      auto put = co_await put_part(action, file, target, part_no, part_bytes);
      if (!put) co_return std::unexpected(std::move(put.error()));
      if (put->status != 200) co_return refused(*put, "take a part of " + action.path);
      output_.transfer_progress(Direction::Upload, action.path, std::min(part_no * part_bytes, action.size_bytes),
                                action.size_bytes);
    }
    HttpRequest end{.method = "POST",
                    .target = target + "/complete",
                    .content_type = "application/json",
                    .body = describe_blob(action)};
    auto ended = co_await http_.send(std::move(end));
    if (!ended) co_return std::unexpected(std::move(ended.error()));
    if (ended->status == 200) co_return Outcome<void>{};
    const auto answer = Json::parse(ended->body);
    missing = answer ? numbers_of(answer->find("missing_parts")) : std::set<uint64_t>{};
    if (ended->status == kBadRequest)
      co_return std::unexpected(Problem{action.path + " changed while it was sent", kChanged});
    if (ended->status != kConflict || missing.empty()) co_return refused(*ended, "complete " + action.path);
  }
  co_return native::problem("the server keeps missing parts of " + action.path + "; it will be sent again");
}

// --- down -------------------------------------------------------------------------------------------------------

/// Copies from a file of this device that has the content. False: none has it (any more).
bool Transfers::place_local_copy(const sync::FetchBlob& action) {
  const auto source = disk_.digests().path_of(action.hash);
  if (!source || *source == action.path) return false;
  const auto file = root_.open_file(*source);
  if (!file) return false;
  auto staged = native::StagedFile::create(root_, action.path);
  if (!staged) return false;
  std::vector<uint8_t> piece(256 * 1024);
  for (;;) {
    const ssize_t got = ::read(file->get(), piece.data(), piece.size());
    if (got < 0) return false;
    if (got == 0) break;
    if (!staged->append(ByteView(piece.data(), size_t(got)))) return false;
  }
  const auto digest = staged->finish();
  if (!digest || *digest != action.hash) return false;
  disk_.tell_placed(action.path, action.hash, action.ticket, staged->place({action.expected}), clock_(), tell_);
  return true;
}

asio::awaitable<Outcome<Sha256>> Transfers::fill_from_server(const sync::FetchBlob& action,
                                                             native::StagedFile& staged) {
  if (action.size_bytes == 0) co_return staged.finish();
  uint64_t told_bytes = 0;
  bool is_refused = false;  // by us
  const auto sink = [&](ByteView piece) -> Outcome<void> {
    Outcome<void> taken;
    if (staged.size_bytes() + piece.size() > action.size_bytes)
      taken = native::problem("the server sent more than " + action.path + " has");
    if (taken && staged.size_bytes() - told_bytes >= kProgressBytes) {
      told_bytes = staged.size_bytes();
      output_.transfer_progress(Direction::Download, action.path, told_bytes, action.size_bytes);
    }
    if (taken) taken = staged.append(piece);
    is_refused = !taken;
    return taken;
  };
  const std::string target = attachments_target() + "/" + action.hash.hex();
  for (;;) {
    const uint64_t had_bytes = staged.size_bytes();
    auto response = co_await http_.download(target, had_bytes, sink);
    const bool got_some = staged.size_bytes() != had_bytes;
    if (response && !got_some) co_return refused(*response, "give " + action.path);
    if (response) co_return staged.finish();
    // A line that breaks goes on where it broke, as long as each one brings something.
    if (is_refused || !got_some) co_return std::unexpected(std::move(response.error()));
    co_await pause_for(kFirstPauseMs);
  }
}

asio::awaitable<void> Transfers::fetch(sync::FetchBlob action) {
  co_await asio::post(io_, asio::use_awaitable);  // as in `upload`
  bool placed = place_local_copy(action);
  if (!placed) {
    auto staged = native::StagedFile::create(root_, action.path);
    Outcome<Sha256> digest = staged ? co_await fill_from_server(action, *staged) : std::unexpected(staged.error());
    if (digest && *digest != action.hash) {
      digest = native::problem("the content of " + action.path +
                               " that the server sent is damaged; it will be fetched again");
    }
    if (digest) {
      disk_.tell_placed(action.path, action.hash, action.ticket, staged->place({action.expected}), clock_(), tell_);
      output_.transferred(Direction::Download, action.path, action.size_bytes);
    } else {
      tell_failed(action.path, action.hash, action.ticket, digest.error());
    }
  }
  --running_fetches_;
  pump_soon();
}

}  // namespace diaryx::client
