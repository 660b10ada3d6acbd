// Workspaces.
#include "sqlite_parts.h"
#include "sqlite_threads.h"

namespace diaryx::server {

using native::Database;

void SqliteWorkspaces::list(std::string user_id, Reply<std::vector<Workspace>> reply) {
  threads_.read(
      std::move(reply), [user_id = std::move(user_id)](Database& database) -> StorageResult<std::vector<Workspace>> {
        std::vector<Workspace> workspaces;
        DX_SQL(auto* select, database.cached("SELECT id, name FROM workspaces WHERE user_id=? "
                                             "ORDER BY created_ms, id"));
        select->bind(1, user_id);
        DX_SQL_VOID(select->for_each_row([&](const auto& row) { workspaces.push_back({row.text(0), row.text(1)}); }));
        return workspaces;
      });
}

void SqliteWorkspaces::find(std::string user_id, std::string id, Reply<Workspace> reply) {
  threads_.read(std::move(reply),
                [user_id = std::move(user_id), id = std::move(id)](Database& database) -> StorageResult<Workspace> {
                  DX_SQL(auto* find, database.cached("SELECT name FROM workspaces WHERE id=? AND user_id=?"));
                  DX_SQL(const bool found, find->bind(1, id).bind(2, user_id).step());
                  if (!found) return std::unexpected(not_found("no workspace " + id));
                  Workspace workspace{id, find->text(0)};
                  find->reset();
                  return workspace;
                });
}

void SqliteWorkspaces::create(std::string user_id, Workspace workspace, TimestampMs now, Reply<Workspace> reply) {
  threads_.write(std::move(reply),
                 [user_id = std::move(user_id), workspace = std::move(workspace),
                  now](Database& database) -> StorageResult<Workspace> {
                   DX_SQL(auto* insert,
                          database.cached("INSERT INTO workspaces(id, user_id, name, created_ms) VALUES(?,?,?,?)"));
                   insert->bind(1, workspace.id).bind(2, user_id).bind(3, workspace.name).bind(4, now.value());
                   if (auto inserted = insert->run(); !inserted) return std::unexpected(conflict_or(inserted.error()));
                   return workspace;
                 });
}

void SqliteWorkspaces::rename(std::string user_id, Workspace workspace, Reply<Workspace> reply) {
  threads_.write(
      std::move(reply),
      [user_id = std::move(user_id), workspace = std::move(workspace)](Database& database) -> StorageResult<Workspace> {
        DX_SQL(auto* update, database.cached("UPDATE workspaces SET name=? WHERE id=? AND user_id=?"));
        update->bind(1, workspace.name).bind(2, workspace.id).bind(3, user_id);
        if (auto updated = update->run(); !updated) return std::unexpected(conflict_or(updated.error()));
        if (database.changes() == 0) return std::unexpected(not_found("no workspace " + workspace.id));
        return workspace;
      });
}

void SqliteWorkspaces::remove(std::string user_id, std::string id, Reply<void> reply) {
  threads_.write(std::move(reply),
                 [user_id = std::move(user_id), id = std::move(id)](Database& database) -> StorageResult<void> {
                   DX_SQL(auto* remove, database.cached("DELETE FROM workspaces WHERE id=? AND user_id=?"));
                   DX_SQL_VOID(remove->bind(1, id).bind(2, user_id).run());
                   if (database.changes() == 0) return std::unexpected(not_found("no workspace " + id));
                   return {};
                 });
}

}  // namespace diaryx::server
