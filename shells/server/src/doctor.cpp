// `diaryx-syncd doctor`: one line for each thing that was looked at.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "client_address.h"
#include "command.h"
#include "data_folder.h"
#include "diaryx/native/sqlite.h"
#include "services.h"
#include "sqlite_schema.h"
#include "sqlite_storage.h"
#include "tls.h"

namespace diaryx::server {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLittleSpace = 1ull << 30;
constexpr uint64_t kLargeWal = 256ull << 20;
constexpr int kSoonDays = 14;

class Report {
 public:
  void ok(const std::string& what) { line("ok", what); }
  void note(const std::string& what) { line("note", what); }
  /// Works, and should be looked at.
  void warn(const std::string& what, const std::string& remedy) { line("warn", what + " -> " + remedy); }
  void bad(const std::string& what, const std::string& remedy) {
    line("bad", what + " -> " + remedy);
    well_ = false;
  }
  /// A sentence that says what to do behind a semicolon.
  void bad_sentence(const std::string& sentence, const std::string& otherwise) {
    const size_t end = sentence.find("; ");
    if (end == std::string::npos) return bad(sentence, otherwise);
    bad(sentence.substr(0, end), sentence.substr(end + 2));
  }
  bool well() const { return well_; }

 private:
  static void line(const char* kind, const std::string& text) { std::printf("%-5s %s\n", kind, text.c_str()); }
  bool well_ = true;
};

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

bool examine_folder(Report& report, const fs::path& data) {
  struct stat about{};
  if (::stat(data.c_str(), &about) != 0 || !S_ISDIR(about.st_mode)) {
    report.bad("there is no folder " + data.native(), "start the server once, or give the right --data");
    return false;
  }
  if (::access(data.c_str(), R_OK | W_OK | X_OK) != 0) {
    if (errno == EROFS) {
      report.bad("the file system of " + data.native() + " is mounted read-only",
                 "find out why in the system's log, then mount it writable");
    } else {
      report.bad("this user may not write to " + data.native(), "run as the user that owns it, or change its owner");
    }
    return false;
  }
  report.ok("the folder " + data.native() + " can be used");
  struct stat database{};
  if (::stat((data / "server.db").c_str(), &database) == 0 && (database.st_mode & 077) != 0) {
    report.warn("other users of this machine may read the database", "chmod -R go= " + data.native());
  }
  std::error_code error;
  const auto space = fs::space(data, error);
  if (!error && space.available < kLittleSpace) {
    report.bad("only " + mebibytes(space.available) + " of disk are left", "free some, or move the folder");
  } else if (!error) {
    report.ok(mebibytes(space.available) + " of disk are free");
  }
  report.note(is_in_use(data) ? "a server is running on this folder" : "no server is running on this folder");
  return true;
}

/// That what the database names is there; whether it is whole is for `verify`.
void examine_attachments(Report& report, native::Database& database, const fs::path& data) {
  for (const char* name : {"blobs", "uploads", "receiving"}) {
    std::error_code error;
    if (fs::exists(data / name, error) && !fs::is_directory(data / name, error))
      return report.bad((data / name).native() + " is not a folder", "move it away; the server makes the folder");
  }
  auto select = database.prepare("SELECT user_id, lower(hex(hash)), size_bytes FROM blobs");
  if (!select)
    return report.bad("the attachments cannot be read: " + select.error().message, "see diaryx-syncd verify");
  uint64_t all = 0;
  uint64_t gone = 0;
  while (true) {
    const auto row = select->step();
    if (!row) return report.bad("the attachments cannot be read: " + row.error().message, "see diaryx-syncd verify");
    if (!*row) break;
    ++all;
    const std::string hash = select->text(1);
    const fs::path file = data / "blobs" / select->text(0) / hash.substr(0, 2) / hash;
    std::error_code error;
    const auto size = fs::file_size(file, error);
    if (error || size != static_cast<uint64_t>(select->integer(2))) ++gone;
  }
  if (gone != 0) {
    return report.bad(std::to_string(gone) + " of " + std::to_string(all) + " attachments are missing or cut off",
                      "diaryx-syncd verify names them; copy their files from the last backup's blobs");
  }
  report.ok(std::to_string(all) + (all == 1 ? " attachment is" : " attachments are") + " there");
  const auto left = find_leftovers(database, data);
  if (left && left->files != 0) report.note(describe(*left));
}

void examine_users(Report& report, AccountStorage& accounts) {
  const auto users = wait_for<std::vector<User>>([&](auto reply) { accounts.list_users(std::move(reply)); });
  if (!users) return report.bad("the users cannot be read: " + users.error().detail, "see diaryx-syncd verify");
  if (users->empty()) return report.note("there are no users yet: the first start makes the owner and shows a link");
  const auto found = std::find_if(users->begin(), users->end(), [](const User& user) { return user.owner; });
  if (found == users->end()) {
    return report.warn("the server has no owner, so nobody may read /metrics",
                       "name one of diaryx-syncd user list: diaryx-syncd user owner " + users->front().email);
  }
  const User& owner = *found;
  const auto devices =
      wait_for<std::vector<Device>>([&](auto reply) { accounts.list_devices(owner.id, now(), std::move(reply)); });
  if (devices && devices->empty()) {
    report.warn("the owner " + owner.email + " has no device",
                "sign in with a link: diaryx-syncd user link " + owner.email);
  } else {
    report.ok(std::to_string(users->size()) + (users->size() == 1 ? " user" : " users") + "; the owner is " +
              owner.email);
  }
}

void examine_database(Report& report, const fs::path& data) {
  const std::string path = data / "server.db";
  const auto there = has_database(data);
  if (!there) return report.bad_sentence(there.error().sentence, "see diaryx-syncd verify");
  if (!*there) return report.note("there is no database yet: the first start makes it");
  auto reader = native::Database::open_reader(path);
  const auto found =
      reader ? find_damaged_page(*reader) : native::SqliteResult<std::string>(std::unexpected(reader.error()));
  if (!found || !found->empty()) {
    return report.bad("the database is damaged: " + (found ? *found : found.error().message),
                      "stop the server, keep a copy of the folder, and restore the last backup (diaryx-syncd restore)");
  }
  report.ok("the database is sound, " + mebibytes(size_of(path)));
  if (const uint64_t wal = size_of(path + "-wal"); wal > kLargeWal) {
    report.warn("the write-ahead log has " + mebibytes(wal),
                "restart the server; another program may hold the database open");
  }
  auto storage = open_data(data);
  if (!storage) return report.bad_sentence(storage.error().sentence, "see diaryx-syncd verify");
  examine_attachments(report, *reader, data);
  examine_users(report, (*storage)->accounts);
}

void examine_certificate(Report& report, const Options& options) {
  if (auto loaded = load_tls(options.tls_certificate, options.tls_key); !loaded) {
    return report.bad(loaded.error().sentence, "check --tls-certificate and --tls-key");
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(options.tls_certificate.c_str(), "re"), std::fclose);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(
      file ? PEM_read_X509(file.get(), nullptr, nullptr, nullptr) : nullptr, X509_free);
  int days = 0;
  int seconds = 0;
  if (!certificate || ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate.get())) != 1) {
    return report.warn("the certificate's end cannot be read", "look at it with openssl x509");
  }
  const std::string remedy = "renew it, then send the server SIGHUP";
  if (days < 0 || seconds < 0) return report.bad("the certificate has ended", remedy);
  if (days < kSoonDays) return report.warn("the certificate ends in " + std::to_string(days) + " days", remedy);
  report.ok("the certificate is good for " + std::to_string(days) + " days");
}

void examine_network(Report& report, const Options& options) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(options.address, error);
  if (error) return report.bad("\"" + options.address + "\" is not an address", "give --listen ADDRESS:PORT");
  if (!options.tls_certificate.empty()) {
    examine_certificate(report, options);
  } else if (!address.is_loopback() && options.trusted_proxies.empty()) {
    report.warn("others can reach this server, and tokens travel unprotected",
                "give --tls-certificate and --tls-key, or listen on 127.0.0.1 behind a proxy");
  } else {
    report.ok(address.is_loopback() ? "only this machine can reach the server"
                                    : "a proxy stands in front of the server");
  }
}

void examine_process(Report& report, const Options& options) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  constexpr uint64_t kOwnFiles = 64;
  // The server takes all that it may (server.cpp).
  if (files.rlim_max < options.max_connections + kOwnFiles) {
    report.warn("this user may open " + std::to_string(files.rlim_max) + " files, so fewer connections than " +
                    std::to_string(options.max_connections) + " are possible",
                "raise it (ulimit -Hn, LimitNOFILE=), or lower --max-connections");
  } else {
    report.ok("enough files may be open");
  }
}

}  // namespace

int examine(const Options& options) {
  Report report;
  if (examine_folder(report, options.data)) examine_database(report, options.data);
  examine_network(report, options);
  examine_process(report, options);
  return report.well() ? kExitDone : kExitFailed;
}

}  // namespace diaryx::server
