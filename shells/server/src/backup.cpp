// `diaryx-syncd backup|verify|restore`
//
// A backup is a folder: `server.db` (one consistent copy), `blobs/` as in the data folder, `backup.json` written last, so a
// folder without it is not a backup. The database is copied first and the attachments that it names after it: a blob is
// in its place before it is recorded, and blobs never change, so a later copy of them is the same.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "command.h"
#include "data_folder.h"
#include "diaryx/base/json.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/native/file_hash.h"
#include "diaryx/native/problem.h"
#include "diaryx/native/sqlite.h"
#include "diaryx/native/unique_fd.h"
#include "diaryx/sync/metadata.h"
#include "record_check.h"
#include "services.h"
#include "sqlite_schema.h"
#include "version.h"

namespace diaryx::server {
namespace {

namespace fs = std::filesystem;
using native::Database;
using native::Durability;
using native::Outcome;
using native::problem;
using native::UniqueFd;

constexpr const char* kManifest = "backup.json";

std::unexpected<native::Problem> database_problem(const native::SqliteError& error,
                                                  const std::string& name = "the database") {
  return problem(name + " cannot be read: " + error.message + (error.is_damaged() ? "; see diaryx-syncd doctor" : ""));
}

#define DX_DB(declaration, expression) DX_DB_INNER(DX_CONCAT(dx_db_, __COUNTER__), declaration, expression)
#define DX_DB_INNER(temporary, declaration, expression) \
  auto&& temporary = (expression);                      \
  if (!temporary) [[unlikely]]                          \
    return database_problem(temporary.error());         \
  declaration = *std::forward<decltype(temporary)>(temporary)

std::unexpected<native::Problem> no_server_in(const fs::path& folder) {
  return problem("there is no server.db in " + folder.native() + "; give the folder of a server or of a backup");
}

/// The database of a server or of a backup, with the tables of this version or with none of ours.
struct Source {
  Database database;
  Schema::Kind tables;
};
Outcome<Source> open_source(const fs::path& folder) {
  const fs::path path = folder / "server.db";
  std::error_code error;
  if (!fs::exists(path, error)) return no_server_in(folder);
  const std::string name = "the database " + path.native();
  auto database = Database::open_reader(path);
  if (!database) return database_problem(database.error(), name);
  const auto schema = look_at_schema(*database);
  if (!schema) return database_problem(schema.error(), name);
  if (schema->kind == Schema::Kind::Newer) return problem(name + " " + std::string(kMadeByNewer));
  return Source{std::move(*database), schema->kind};
}

Outcome<void> make_empty_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return native::os_problem("make the folder", folder.native(), error.value());
  if (!fs::is_empty(folder, error) || error)
    return problem("the folder " + folder.native() + " is not empty; name a new one");
  return {};
}

Outcome<void> sync_path(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return native::os_problem("sync", path.native(), errno);
  return {};
}

Outcome<Sha256> hash_of_file(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return native::os_problem("read", path.native(), errno);
  return native::hash_descriptor(fd.get(), path.native());
}

struct BlobRow {
  std::string user;
  Sha256 hash;
  uint64_t size_bytes;
  fs::path below(const fs::path& root) const {
    const std::string name = hash.hex();
    return root / "blobs" / user / name.substr(0, 2) / name;
  }
};

Outcome<std::vector<BlobRow>> blobs_in(Database& database) {
  std::vector<BlobRow> rows;
  DX_DB(auto select, database.prepare("SELECT user_id, hash, size_bytes FROM blobs ORDER BY user_id, hash"));
  while (true) {
    DX_DB(const bool row, select.step());
    if (!row) return rows;
    BlobRow blob{select.text(0), {}, static_cast<uint64_t>(select.integer(2))};
    const ByteView hash = select.blob_view(1);
    if (hash.size() == blob.hash.bytes.size()) std::copy(hash.begin(), hash.end(), blob.hash.bytes.begin());
    rows.push_back(std::move(blob));
  }
}

/// Nobody tries these commands again by itself.
std::unexpected<native::Problem> not_written(const fs::path& path, int code) {
  if (code != ENOSPC && code != EDQUOT) return native::os_problem("write", path.native(), code);
  return problem("the disk of " + path.parent_path().native() + " is full; free some space, or name another folder");
}

/// Over what an earlier run left half way.
Outcome<void> copy_whole(const fs::path& from, const fs::path& to) {
  const UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return native::os_problem("read", from.native(), errno);
  const UniqueFd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!out) return not_written(to, errno);
  std::vector<char> piece(256u << 10);
  while (true) {
    const ssize_t got = ::read(in.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return native::os_problem("read", from.native(), errno);
    for (ssize_t done = 0; done < got;) {
      const ssize_t written = ::write(out.get(), piece.data() + done, static_cast<size_t>(got - done));
      if (written < 0 && errno != EINTR) return not_written(to, errno);
      if (written > 0) done += written;
    }
    if (got > 0) continue;
    if (::fsync(out.get()) != 0) return not_written(to, errno);
    return {};
  }
}

/// Copies the blobs and checks each copy against its name.
Outcome<void> copy_blobs(const std::vector<BlobRow>& blobs, const fs::path& from, const fs::path& to) {
  for (const BlobRow& blob : blobs) {
    const fs::path target = blob.below(to);
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    if (error) return not_written(target, error.value());
    if (auto copied = copy_whole(blob.below(from), target); !copied) return copied;
    const auto hash = hash_of_file(target);
    if (!hash) return std::unexpected(hash.error());
    if (*hash != blob.hash)
      return problem("the attachment " + target.native() + " is damaged; see diaryx-syncd verify");
  }
  return {};
}

Outcome<std::string> lineage_of(Database& database) {
  DX_DB(auto find, database.prepare("SELECT value FROM facts WHERE name='lineage'"));
  DX_DB(const bool found, find.step());
  return found ? find.text(0) : std::string();
}

Outcome<void> write_manifest(const fs::path& target, const std::string& lineage, const std::vector<BlobRow>& blobs) {
  const auto hash = hash_of_file(target / "server.db");
  if (!hash) return std::unexpected(hash.error());
  uint64_t blob_bytes = 0;
  for (const BlobRow& blob : blobs) blob_bytes += blob.size_bytes;
  const Json manifest = Json::object({{"format", 1},
                                      {"made_at", sync::format_rfc3339(now())},
                                      {"made_by", std::string("diaryx-syncd ") + std::string(kVersion)},
                                      {"lineage", lineage},
                                      {"database_sha256", hash->hex()},
                                      {"blobs", uint64_t{blobs.size()}},
                                      {"blob_bytes", blob_bytes}});
  const fs::path path = target / kManifest;
  {
    std::ofstream out(path, std::ios::binary);
    out << manifest.dump() << '\n';
    if (!out.flush()) return not_written(path, errno);
  }
  if (auto synced = sync_path(path); !synced) return synced;
  return sync_path(target);
}

Outcome<void> copy_database(Database& source, const std::string& copied) {
  std::error_code ignored;
  fs::remove(copied, ignored);
  DX_DB(auto copy, source.prepare("VACUUM INTO ?"));
  if (auto done = copy.bind(1, copied).run(); !done)
    return done.error().is_full() ? not_written(copied, ENOSPC) : database_problem(done.error());
  if (::chmod(copied.c_str(), 0600) != 0) return native::os_problem("protect", copied, errno);
  return sync_path(copied);
}

/// True if the database does not name an attachment any more that it named when it was copied.
Outcome<bool> any_went(Database& source, const std::vector<BlobRow>& blobs) {
  DX_DB(auto find, source.prepare("SELECT 1 FROM blobs WHERE user_id=? AND hash=?"));
  for (const BlobRow& blob : blobs) {
    DX_DB(const bool found, find.bind(1, blob.user).bind(2, ByteView(blob.hash.bytes)).step());
    if (!found) return true;
    find.reset();
  }
  return false;
}

Outcome<std::vector<BlobRow>> copy_everything(Database& source, const fs::path& data, const fs::path& target) {
  constexpr int kTries = 5;
  if (auto made = make_empty_folder(target); !made) return std::unexpected(made.error());
  const std::string copied = target / "server.db";
  for (int left = kTries - 1;; --left) {
    if (auto done = copy_database(source, copied); !done) return std::unexpected(done.error());
    DX_DB(auto database, Database::open_reader(copied));
    auto blobs = blobs_in(database);
    if (!blobs) return blobs;
    if (auto done = copy_blobs(*blobs, data, target); !done) {
      // Attachments that nothing refers to go at any time: then the database is copied once more, without them.
      const auto went = any_went(source, *blobs);
      if (left > 0 && went && *went) continue;
      return std::unexpected(done.error());
    }
    const auto lineage = lineage_of(database);
    if (!lineage) return std::unexpected(lineage.error());
    if (auto written = write_manifest(target, *lineage, *blobs); !written) return std::unexpected(written.error());
    return blobs;
  }
}

/// What `verify` finds; each line is a sentence.
struct Findings {
  uint64_t documents = 0;
  uint64_t records = 0;
  uint64_t blobs = 0;
  std::vector<std::string> damages;
  Leftovers leftovers;
};

Outcome<void> verify_database(Database& database, Findings& findings) {
  DX_DB(auto integrity, database.prepare("PRAGMA integrity_check"));
  while (true) {
    DX_DB(const bool row, integrity.step());
    if (!row) break;
    if (integrity.text(0) != "ok") findings.damages.push_back("the database: " + integrity.text(0));
  }
  DX_DB(auto keys, database.prepare("PRAGMA foreign_key_check"));
  while (true) {
    DX_DB(const bool row, keys.step());
    if (!row) return {};
    findings.damages.push_back("the database: a row of " + keys.text(0) + " belongs to nothing");
  }
}

/// One document: what is stored must be what was written, and must be readable as updates.
Outcome<void> verify_document(Database& database, int64_t id, const std::string& name, Findings& findings) {
  crdt::Doc doc({.client = ClientId{1}});
  const auto look = [&](ByteView bytes, int64_t check, const std::string& what) {
    if (record_check(bytes) != check) {
      findings.damages.push_back(what + " of " + name + " is not what was written");
    } else if (!doc.apply_update_v1(bytes)) {
      findings.damages.push_back(what + " of " + name + " cannot be read");
    }
  };
  DX_DB(auto find, database.prepare("SELECT snapshot, snapshot_check, snapshot_through FROM documents WHERE id=?"));
  DX_DB(const bool found, find.bind(1, id).step());
  if (found && !find.is_null(0)) look(find.blob_view(0), find.integer(1), "the snapshot");
  DX_DB(auto select,
        database.prepare("SELECT sequence, data, data_check FROM updates WHERE document_id=? ORDER BY sequence"));
  select.bind(1, id);
  while (true) {
    DX_DB(const bool row, select.step());
    if (!row) return {};
    ++findings.records;
    look(select.blob_view(1), select.integer(2), "record " + std::to_string(select.integer(0)));
  }
}

Outcome<void> verify_documents(Database& database, Findings& findings) {
  DX_DB(auto select, database.prepare("SELECT id, name FROM documents ORDER BY id"));
  while (true) {
    DX_DB(const bool row, select.step());
    if (!row) return {};
    ++findings.documents;
    if (auto done = verify_document(database, select.integer(0), select.text(1), findings); !done) return done;
  }
}

void verify_blobs(const std::vector<BlobRow>& blobs, const fs::path& folder, Findings& findings) {
  for (const BlobRow& blob : blobs) {
    ++findings.blobs;
    const fs::path path = blob.below(folder);
    const auto hash = hash_of_file(path);
    if (!hash) {
      findings.damages.push_back("the attachment " + path.native() + " is missing or cannot be read");
    } else if (*hash != blob.hash) {
      findings.damages.push_back("the attachment " + path.native() + " has other bytes than its name says");
    }
  }
}

/// A backup's own description, when there is one.
Outcome<void> verify_manifest(const fs::path& folder, Findings& findings) {
  std::ifstream in(folder / kManifest, std::ios::binary);
  if (!in) return {};  // a data folder
  std::ostringstream text;
  text << in.rdbuf();
  const auto manifest = Json::parse(text.str());
  const auto expected = manifest ? manifest->string_member("database_sha256") : std::nullopt;
  const auto hash = hash_of_file(folder / "server.db");
  if (!hash) return std::unexpected(hash.error());
  if (!expected || *expected != hash->hex()) {
    findings.damages.push_back("the database of this backup is not the one that was made");
  }
  return {};
}

Outcome<Findings> look_at(Source& source, const fs::path& folder) {
  Findings findings;
  if (auto done = verify_manifest(folder, findings); !done) return std::unexpected(done.error());
  if (source.tables != Schema::Kind::Ours) {
    findings.damages.push_back("the database " + std::string(kNotOurs));
    return findings;
  }
  Database& database = source.database;
  // One moment of the database, while a server may go on writing.
  if (auto begun = database.execute("BEGIN"); !begun) return database_problem(begun.error());
  if (auto done = verify_database(database, findings); !done) return std::unexpected(done.error());
  if (auto done = verify_documents(database, findings); !done) return std::unexpected(done.error());
  const auto blobs = blobs_in(database);
  if (!blobs) return std::unexpected(blobs.error());
  verify_blobs(*blobs, folder, findings);
  const auto lineage = lineage_of(database);
  if (!lineage) return std::unexpected(lineage.error());
  if (const std::string remembered = remembered_lineage(folder); !remembered.empty() && remembered != *lineage)
    findings.damages.push_back("the database is not the database that this folder had");
  if (auto ended = database.execute("ROLLBACK"); !ended) return database_problem(ended.error());
  DX_DB(findings.leftovers, find_leftovers(database, folder));
  return findings;
}

/// What a restore reads: a finished backup, while nobody uses the folder that it is for.
Outcome<Source> open_backup(const RestoreArguments& arguments) {
  std::error_code error;
  if (is_in_use(arguments.data))
    return problem("a diaryx-syncd is running on " + arguments.data.native() +
                   "; stop it, or restore into a new folder");
  if (!fs::exists(arguments.from / kManifest, error))
    return problem(arguments.from.native() + " is not a finished backup: it has no backup.json");
  return open_source(arguments.from);
}

Outcome<void> bring_back(Source& source, const RestoreArguments& arguments) {
  std::error_code error;
  if (fs::exists(arguments.data / "server.db", error)) {
    return problem("there is a server in " + arguments.data.native() + " already; restore into a new folder");
  }
  const auto found = look_at(source, arguments.from);
  if (!found) return std::unexpected(found.error());
  if (!found->damages.empty()) return problem("the backup is damaged: " + found->damages.front());
  fs::create_directories(arguments.data, error);
  if (error) return native::os_problem("make the folder", arguments.data.native(), error.value());
  const auto blobs = blobs_in(source.database);
  if (!blobs) return std::unexpected(blobs.error());
  if (auto done = copy_blobs(*blobs, arguments.from, arguments.data); !done) return done;
  // Under another name until it is whole: a server that starts too early must not find half of it.
  const fs::path unfinished = arguments.data / "restoring.db";
  for (const char* suffix : {"-wal", "-shm", "-journal"}) fs::remove(unfinished.native() + suffix, error);
  if (auto copied = copy_whole(arguments.from / "server.db", unfinished); !copied) return copied;
  {
    DX_DB(auto database, Database::open(unfinished, Durability::Full));
    if (auto ready = prepare_schema(database, EmptyDatabase::Refused); !ready)
      return problem("the database of the backup " + ready.error().sentence);
    auto changed = database.execute(
        "UPDATE facts SET value=lower(hex(randomblob(16))) WHERE name='lineage'; "
        "DELETE FROM sign_ins; DELETE FROM uploads;");
    if (changed && arguments.sign_out) changed = database.execute("DELETE FROM tokens; DELETE FROM shares;");
    if (changed) changed = database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    if (!changed && changed.error().is_full()) return not_written(unfinished, ENOSPC);
    if (!changed) return database_problem(changed.error());
  }
  if (auto synced = sync_path(unfinished); !synced) return synced;
  // What is left of a database that went would be taken for the log of this one.
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    const fs::path old = (arguments.data / "server.db").native() + suffix;
    fs::remove(old, error);
    if (error) return native::os_problem("remove", old.native(), error.value());
  }
  if (auto forgotten = forget_lineage(arguments.data); !forgotten) return forgotten;
  fs::rename(unfinished, arguments.data / "server.db", error);
  if (error) return native::os_problem("place", unfinished.native(), error.value());
  return sync_path(arguments.data);
}

}  // namespace

int back_up(const fs::path& data, const fs::path& target) {
  auto source = open_source(data);
  if (!source) return fail(kExitData, source.error().sentence);
  if (source->tables != Schema::Kind::Ours) {
    return fail(kExitData, "the database " + (data / "server.db").native() + " " + std::string(kNotOurs) +
                               std::string(kRestoreOrBeginAnew));
  }
  const auto blobs = copy_everything(source->database, data, target);
  if (!blobs) return fail(kExitFailed, blobs.error().sentence);
  std::printf("backed up to %s: the database and %zu attachments\n", target.c_str(), blobs->size());
  return kExitDone;
}

int verify(const fs::path& folder) {
  auto source = open_source(folder);
  if (!source) return fail(kExitData, source.error().sentence);
  const auto found = look_at(*source, folder);
  if (!found) return fail(kExitData, found.error().sentence);
  for (const std::string& damage : found->damages) std::printf("damaged: %s\n", damage.c_str());
  std::printf("%llu documents, %llu records, %llu attachments: %s\n", static_cast<unsigned long long>(found->documents),
              static_cast<unsigned long long>(found->records), static_cast<unsigned long long>(found->blobs),
              found->damages.empty() ? "all is as it was written" : "see above");
  if (found->leftovers.files != 0) std::printf("note: %s\n", describe(found->leftovers).c_str());
  return found->damages.empty() ? kExitDone : kExitFailed;
}

int restore(const RestoreArguments& arguments) {
  auto source = open_backup(arguments);
  if (!source) return fail(kExitData, source.error().sentence);
  const auto done = bring_back(*source, arguments);
  if (!done) return fail(kExitFailed, done.error().sentence);
  std::printf("restored to %s%s\n", arguments.data.c_str(),
              arguments.sign_out
                  ? "; everybody signs in again"
                  : "; tokens and shares that were ended after the backup are good again (--sign-out ends all)");
  return kExitDone;
}

}  // namespace diaryx::server
