// `diaryx-syncd verify`
#include "verify.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include "command.h"
#include "diaryx/base/json.h"
#include "diaryx/crdt/doc.h"
#include "record_check.h"

namespace diaryx::server {
namespace {

namespace fs = std::filesystem;
using native::Database;
using native::Outcome;

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

}  // namespace

native::Outcome<Findings> look_at(Source& source, const fs::path& folder) {
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

}  // namespace diaryx::server
