#include "transfers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "diaryx/base/json.h"
#include "loopback_server.h"
#include "temp_folder.h"

namespace diaryx::client {
namespace {

namespace http = boost::beast::http;
using Response = native::LoopbackServer::Response;

constexpr uint64_t kPartBytes = 8 * 1024 * 1024;

Response response(http::status status, std::string body = {}) {
  Response made(status, 11);
  made.body() = std::move(body);
  return made;
}

/// A real folder, real HTTP, and a server whose answers each test decides.
class TransfersTest : public testing::Test {
 protected:
  TransfersTest()
      : root_(std::move(*native::RootFolder::open(folder_.path()))),
        disk_(root_, replica_, output_),
        server_(io_),
        http_(server_.url(), "token"),
        transfers_(
            io_, http_, root_, "ws", disk_, output_, [] { return TimestampMs{1'700'000'000'000}; },
            [this](const sync::Event& event) { on_event(event); }) {
    server_.answer = [this](const auto& request) { return answer(request); };
  }

  virtual Response answer(const native::LoopbackServer::Request& request) {
    const std::string target(request.target());
    if (target.ends_with("/uploads")) {
      plan_ = *Json::parse(request.body());
      return response(start_status_, start_body_);
    }
    if (const size_t part = target.find("/parts/"); part != std::string::npos) {
      parts_[std::stoi(target.substr(part + 7))] += request.body();
      return response(http::status::ok, R"({"ok":true})");
    }
    if (target.ends_with("/complete")) {
      ++completes_;
      if (completes_ == 1 && !first_complete_body_.empty())
        return response(http::status::conflict, first_complete_body_);
      return response(http::status::ok, R"({"ok":true,"missing_parts":null})");
    }
    const auto blob = blobs_.find(target.substr(target.rfind('/') + 1));
    if (blob == blobs_.end()) return response(http::status::not_found);
    const std::string range(request[http::field::range]);
    if (range.empty() || !knows_ranges_) return response(http::status::ok, blob->second);
    return response(http::status::partial_content, blob->second.substr(std::stoul(range.substr(6))));
  }

  void on_event(const sync::Event& event) {
    if (const auto* e = std::get_if<sync::BlobUploaded>(&event)) words_.push_back("uploaded " + std::string(e->path));
    if (const auto* e = std::get_if<sync::FileWritten>(&event)) words_.push_back("written " + std::string(e->path));
    if (const auto* e = std::get_if<sync::FileRefused>(&event)) words_.push_back("refused " + std::string(e->path));
    if (const auto* e = std::get_if<sync::BlobFileSeen>(&event)) words_.push_back("seen " + std::string(e->path));
    if (const auto* e = std::get_if<sync::TransferFailed>(&event)) {
      words_.push_back(std::string(e->final_failure ? "refused for good " : "failed ") + std::string(e->path));
      reason_ = e->reason;
    }
  }

  void upload(const std::string& path, const std::string& content) {
    transfers_.add(sync::UploadBlob{path, sha256(content), content.size(), "image/png"});
  }
  void fetch(const std::string& path, const std::string& content, std::optional<Sha256> expected = std::nullopt) {
    transfers_.add(sync::FetchBlob{path, sha256(content), content.size(), expected});
  }

  std::vector<std::string> run() {
    // A busy disk may be slow with a thousand files, but some of them it finishes.
    const auto patience = [] { return std::chrono::steady_clock::now() + std::chrono::seconds(20); };
    auto end = patience();
    for (size_t heard = 0; !transfers_.idle() && std::chrono::steady_clock::now() < end;) {
      io_.run_one_for(std::chrono::milliseconds(100));
      if (std::exchange(heard, words_.size()) != words_.size()) end = patience();
    }
    EXPECT_TRUE(transfers_.idle());
    return words_;
  }

  using Words = std::vector<std::string>;

  native::TempFolder folder_;
  native::RootFolder root_;
  sync::Replica replica_{{.workspace_id = "ws", .client = ClientId{1}}};
  Output output_{OutputStyle::Quiet};
  Disk disk_;
  boost::asio::io_context io_;
  native::LoopbackServer server_;
  native::HttpClient http_;
  Transfers transfers_;

  http::status start_status_ = http::status::ok;
  std::string start_body_ = R"({"upload_id":"u1","status":"uploading","part_size":8388608,"uploaded_parts":[]})";
  std::string first_complete_body_;
  std::map<std::string, std::string> blobs_;  // by digest
  Json plan_;
  std::map<int, std::string> parts_;
  int completes_ = 0;
  bool knows_ranges_ = true;
  Words words_;
  std::string reason_;
};

TEST_F(TransfersTest, SendsALongFileInParts) {
  std::string content(kPartBytes + 5, 'x');
  content.back() = '!';
  folder_.write("a.png", content);
  upload("a.png", content);
  EXPECT_EQ(run(), Words{"uploaded a.png"});
  EXPECT_EQ(plan_.integer_member("total_parts"), 2);
  EXPECT_EQ(plan_.string_member("hash"), sha256(content).hex());
  ASSERT_EQ(parts_.size(), 2u);
  EXPECT_EQ(parts_[1] + parts_[2], content);
}

TEST_F(TransfersTest, SendsNothingThatTheServerHas) {
  start_body_ = R"({"upload_id":null,"status":"already_exists","part_size":8388608,"uploaded_parts":[]})";
  folder_.write("a.png", "bytes");
  upload("a.png", "bytes");
  EXPECT_EQ(run(), Words{"uploaded a.png"});
  EXPECT_TRUE(parts_.empty());
}

TEST_F(TransfersTest, GoesOnWithAnUploadThatWasBegun) {
  start_body_ = R"({"upload_id":"u1","status":"uploading","part_size":2,"uploaded_parts":[1,3]})";
  folder_.write("a.png", "aabbccd");
  upload("a.png", "aabbccd");
  EXPECT_EQ(run(), Words{"uploaded a.png"});
  EXPECT_EQ(parts_, (std::map<int, std::string>{{2, "bb"}, {4, "d"}}));
}

TEST_F(TransfersTest, SendsMissingPartsAgainAndCompletesOnceMore) {
  start_body_ = R"({"upload_id":"u1","status":"uploading","part_size":2,"uploaded_parts":[]})";
  first_complete_body_ = R"({"ok":false,"missing_parts":[2,999999999]})";
  folder_.write("a.png", "aabb");
  upload("a.png", "aabb");
  EXPECT_EQ(run(), Words{"uploaded a.png"});
  EXPECT_EQ(parts_, (std::map<int, std::string>{{1, "aa"}, {2, "bbbb"}}));  // the second one twice
  EXPECT_EQ(completes_, 2);
}

TEST_F(TransfersTest, TakesAFullQuotaForFinalAndSaysSo) {
  start_status_ = http::status::payload_too_large;
  start_body_ = R"({"error":"storage_limit_exceeded","message":"Attachment storage limit exceeded"})";
  folder_.write("a.png", "bytes");
  upload("a.png", "bytes");
  EXPECT_EQ(run(), Words{"refused for good a.png"});
  EXPECT_NE(reason_.find("Attachment storage limit exceeded"), std::string::npos) << reason_;
  EXPECT_EQ(transfers_.refused_for_good(), 1u);
}

TEST_F(TransfersTest, ReportsAFileThatChangedInsteadOfSendingIt) {
  folder_.write("a.png", "newer bytes");
  upload("a.png", "older bytes");
  EXPECT_EQ(run(), (Words{"failed a.png", "seen a.png"}));
  EXPECT_TRUE(server_.seen.empty());
}

TEST_F(TransfersTest, LeavesAFileThatChangesAMomentBeforeItIsReadAgain) {
  for (const char* name : {"a.png", "b.png"}) {
    folder_.write(name, "newer bytes");
    upload(name, "older bytes");
  }
  folder_.write("c.png", "bytes");
  upload("c.png", "bytes");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run(), (Words{"uploaded c.png", "failed a.png", "seen a.png", "failed b.png", "seen b.png"}));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1'000));
}

TEST_F(TransfersTest, FetchesAndVerifies) {
  blobs_[sha256("picture").hex()] = "picture";
  fetch("x/a.png", "picture");
  EXPECT_EQ(run(), Words{"written x/a.png"});
  EXPECT_EQ(folder_.read("x/a.png"), "picture");
}

TEST_F(TransfersTest, AnswersEachOfTwoFetchesOfTheSame) {
  blobs_[sha256("bytes").hex()] = "bytes";
  fetch("a.png", "bytes");
  fetch("a.png", "bytes");
  EXPECT_EQ(run(), (Words{"written a.png", "refused a.png", "seen a.png"}));
}

TEST_F(TransfersTest, GoesOnWithADownloadWhereTheLineBroke) {
  const std::string content(300'000, 'x');
  blobs_[sha256(content).hex()] = content;
  server_.break_off_bytes = 100'000;
  fetch("a.png", content);
  EXPECT_EQ(run(), Words{"written a.png"});
  EXPECT_EQ(folder_.read("a.png"), content);
  ASSERT_EQ(server_.seen.size(), 2u);
  EXPECT_EQ(server_.seen[1][http::field::range], "bytes=200000-");
}

TEST_F(TransfersTest, LeavesADownloadForLaterWhenTheServerCannotGoOn) {
  const std::string content(300'000, 'x');
  blobs_[sha256(content).hex()] = content;
  server_.break_off_bytes = 100'000;
  knows_ranges_ = false;
  fetch("a.png", content);
  EXPECT_EQ(run(), Words{"failed a.png"});
  EXPECT_FALSE(folder_.has("a.png"));
}

TEST_F(TransfersTest, RefusesDamagedContent) {
  blobs_[sha256("picture").hex()] = "piXture";
  fetch("a.png", "picture");
  EXPECT_EQ(run(), Words{"failed a.png"});
  EXPECT_FALSE(folder_.has("a.png"));
}

TEST_F(TransfersTest, RefusesMoreThanWasAnnounced) {
  blobs_[sha256("picture").hex()] = std::string(5'000'000, 'x');
  fetch("a.png", "picture");
  EXPECT_EQ(run(), Words{"failed a.png"});
  EXPECT_FALSE(folder_.has("a.png"));
}

TEST_F(TransfersTest, LeavesAFileThatAppearedMeanwhile) {
  blobs_[sha256("picture").hex()] = "picture";
  folder_.write("a.png", "mine");
  fetch("a.png", "picture");
  EXPECT_EQ(run(), (Words{"refused a.png", "seen a.png"}));
  EXPECT_EQ(folder_.read("a.png"), "mine");
}

TEST_F(TransfersTest, CopiesWhatThisDeviceHasAlready) {
  folder_.write("a.png", "picture");
  disk_.digests().remember("a.png", root_.look("a.png")->stamp, sha256("picture"), TimestampMs{0});
  fetch("copy.png", "picture");
  EXPECT_EQ(run(), Words{"written copy.png"});
  EXPECT_EQ(folder_.read("copy.png"), "picture");
  EXPECT_TRUE(server_.seen.empty());
}

TEST_F(TransfersTest, DoesNotTrustAnOldDigestWhenItCopies) {
  folder_.write("a.png", "other bytes by now");
  disk_.digests().remember("a.png", root_.look("a.png")->stamp, sha256("picture"), TimestampMs{0});
  blobs_[sha256("picture").hex()] = "picture";
  fetch("copy.png", "picture");
  EXPECT_EQ(run(), Words{"written copy.png"});
  EXPECT_EQ(folder_.read("copy.png"), "picture");
}

TEST_F(TransfersTest, MakesAThousandEmptyFilesWithoutNesting) {
  for (int file = 0; file < 1'000; ++file) fetch("empty" + std::to_string(file) + ".bin", "");
  EXPECT_EQ(run().size(), 1'000u);
  EXPECT_TRUE(server_.seen.empty());
}

TEST_F(TransfersTest, OneMissingBlobHoldsNobodyUp) {
  blobs_[sha256("b").hex()] = "b";
  blobs_[sha256("c").hex()] = "c";
  for (const char* name : {"a", "b", "c"}) fetch(std::string(name) + ".png", name);
  auto words = run();
  std::sort(words.begin(), words.end());
  EXPECT_EQ(words, (Words{"failed a.png", "written b.png", "written c.png"}));
}

}  // namespace
}  // namespace diaryx::client
