// `diaryx-syncd restore`
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "backup_folder.h"
#include "command.h"
#include "data_folder.h"
#include "verify.h"

namespace diaryx::server {
namespace {

namespace fs = std::filesystem;
using native::Database;
using native::Durability;
using native::Outcome;
using native::problem;

// Beside a database, when whoever wrote it did not close it.
constexpr auto kCompanions = {"-wal", "-shm", "-journal"};

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

/// Makes a copy of a backup's database one to go on with, under a new lineage.
Outcome<void> make_ready(const fs::path& copied, bool sign_out) {
  DX_DB(auto database, Database::open(copied, Durability::Full));
  if (auto ready = prepare_schema(database, EmptyDatabase::Refused); !ready)
    return problem("the database of the backup " + ready.error().sentence);
  auto changed = database.execute(
      "UPDATE facts SET value=lower(hex(randomblob(16))) WHERE name='lineage'; "
      "DELETE FROM sign_ins; DELETE FROM uploads;");
  if (changed && sign_out) changed = database.execute("DELETE FROM tokens; DELETE FROM shares;");
  if (changed) changed = database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!changed && changed.error().is_full()) return not_written(copied, ENOSPC);
  if (!changed) return database_problem(changed.error());
  return {};
}

/// Gives a finished database its name.
Outcome<void> put_in_place(const fs::path& finished, const fs::path& data) {
  std::error_code error;
  // What is left of a database that went would be taken for the log of this one.
  for (const char* suffix : kCompanions) {
    const fs::path old = (data / "server.db").native() + suffix;
    fs::remove(old, error);
    if (error) return native::os_problem("remove", old.native(), error.value());
  }
  if (auto forgotten = forget_lineage(data); !forgotten) return forgotten;
  fs::rename(finished, data / "server.db", error);
  if (error) return native::os_problem("place", finished.native(), error.value());
  return sync_path(data);
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
  for (const char* suffix : kCompanions) fs::remove(unfinished.native() + suffix, error);
  if (auto copied = copy_whole(arguments.from / "server.db", unfinished); !copied) return copied;
  if (auto ready = make_ready(unfinished, arguments.sign_out); !ready) return ready;
  if (auto synced = sync_path(unfinished); !synced) return synced;
  return put_in_place(unfinished, arguments.data);
}

}  // namespace

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
