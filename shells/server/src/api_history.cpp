// What happened in a workspace, what a file was at a point, and going back: edits like any other (docs/history.md).
#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

#include "ask.h"
#include "diaryx/sync/history_diff.h"
#include "diaryx/sync/history_restore.h"
#include "diaryx/sync/history_timeline.h"
#include "diaryx/sync/metadata.h"
#include "diaryx/sync/path.h"
#include "past.h"
#include "router.h"

namespace diaryx::server {
namespace {

using boost::asio::awaitable;

constexpr size_t kUsualCount = 20;
constexpr size_t kMaxCount = 100;
constexpr uint32_t kRecentDocuments = 200;
constexpr uint32_t kAllDocuments = 1'000'000;

HttpResponse bad(std::string_view sentence) { return error_response(http::status::bad_request, sentence); }

std::optional<uint64_t> whole_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// A member of the query, checked; empty if it is not there.
OrResponse<std::string> path_of(const HttpRequest& request) {
  const auto given = request.query.find("path");
  if (given == request.query.end() || given->second.empty()) return std::string();
  if (sync::check_path(given->second) != sync::PathProblem::Fine)
    return std::unexpected(bad("The path is not one that a file of a workspace can have."));
  return given->second;
}

OrResponse<sync::HistoryPoint> point_of(std::string_view text) {
  if (text == "now") return sync::kHistoryNow;
  const auto point = whole_number(text);
  if (!point) return std::unexpected(bad("A point is a number from the history, or now."));
  return *point;
}

/// A stretch of work, with the members that clients of the hosted server read.
Json group_json(const sync::TimelineGroup& group, bool is_damaged) {
  Json json = sync::to_json(group);
  const std::string id = std::to_string(group.last);
  const std::string files = group.files.empty()       ? std::string("the list of files")
                            : group.files.size() == 1 ? group.files[0]
                                                      : std::to_string(group.files.size()) + " files";
  const std::string who = group.device.name.empty() ? std::string("another device") : group.device.name;
  json.set("id", id);
  json.set("short_id", id);
  json.set("message", files + ", " + who + (is_damaged ? ": a part is damaged on this server" : ""));
  json.set("timestamp", sync::format_rfc3339(group.until));
  json.set("file_count", uint64_t{group.files.size()});
  if (is_damaged) json.set("damaged", true);
  return json;
}

/// The stretches of work, newest first. One with a damaged record says so; a damaged record that is in none is one of its own.
Json list_of(std::vector<sync::TimelineGroup> groups, const Past& past, size_t count) {
  std::set<sync::HistoryPoint> damaged;  // by the last point of a group
  for (const LostRecord& lost : past.lost()) {
    const std::string file = past.file_of(lost);
    const auto found = std::ranges::find_if(groups, [&](const sync::TimelineGroup& group) {
      return group.first <= lost.point && lost.point <= group.last &&
             std::ranges::find(group.files, file) != group.files.end();
    });
    damaged.insert(found == groups.end() ? lost.point : found->last);
    if (found != groups.end()) continue;
    sync::TimelineGroup own{.first = lost.point, .last = lost.point, .from = lost.time, .until = lost.time};
    own.origin = sync::HistoryOrigin::Remote;
    own.device = lost.device;
    if (!file.empty()) own.files = {file};
    groups.insert(std::ranges::lower_bound(groups, own.last, std::greater(), &sync::TimelineGroup::last), own);
  }
  if (groups.size() > count) groups.resize(count);
  Json list = Json::array();
  for (const sync::TimelineGroup& group : groups) list.push(group_json(group, damaged.contains(group.last)));
  return list;
}

Json file_json(const sync::PastFile& file) {
  Json json = Json::object({{"path", file.path}});
  if (file.binary) {
    json.set("hash", file.binary->hash);
    json.set("size", file.binary->size);
    json.set("mime_type", file.binary->mime_type);
  } else {
    json.set("text", file.text);
  }
  return json;
}

/// The refusal, if something that was asked for is damaged.
OrResponse<void> refuse_damage(const std::string& sentence) {
  if (sentence.empty()) return {};
  return std::unexpected(error_response(http::status::internal_server_error, sentence));
}

/// The file at a point, when its text is known.
awaitable<OrResponse<sync::PastFile>> file_at(Past& past, const std::string& path, sync::HistoryPoint point) {
  if (auto loaded = co_await past.load_file(path); !loaded) co_return std::unexpected(loaded.error());
  if (auto whole = refuse_damage(past.damage_at(point)); !whole) co_return std::unexpected(whole.error());
  auto file = past.history().file_at(path, point);
  if (file && file->text_known) co_return std::move(*file);
  const auto documents = past.history().documents_of(path);
  if (auto whole = refuse_damage(past.damage_at(point, documents)); file && !whole)
    co_return std::unexpected(whole.error());
  co_return std::unexpected(error_response(http::status::not_found, "There was no such file then."));
}

struct Wish {
  sync::RestoreChoice choice;
  bool only_look = false;
};

OrResponse<Wish> read_wish(const HttpRequest& request) {
  const auto body = json_body(request);
  if (!body) return std::unexpected(body.error());
  Wish wish;
  std::optional<uint64_t> point;
  if (const auto number = body->integer_member("point"); number && *number >= 0) point = static_cast<uint64_t>(*number);
  if (const auto text = body->string_member("commit_id")) point = whole_number(*text);
  if (!point) return std::unexpected(bad("Say where to go back to: \"point\", a number from the history."));
  wish.choice.point = *point;
  if (const Json* paths = body->find("paths"); paths != nullptr && !paths->is_null()) {
    const Json::Array* const list = paths->as_array();
    // None of them is not all of them.
    if (list == nullptr || list->empty())
      return std::unexpected(bad("\"paths\" is a list of files and folders; leave it out for everything."));
    for (const Json& path : *list) {
      const std::string* const text = path.as_string();
      if (text == nullptr || sync::check_path(*text) != sync::PathProblem::Fine)
        return std::unexpected(bad("\"paths\" has something that is not the path of a file or folder."));
      wish.choice.paths.emplace_back(*text);
    }
  }
  if (const Json* hunks = body->find("hunks"); hunks != nullptr && !hunks->is_null()) {
    const Json::Array* const list = hunks->as_array();
    if (list == nullptr || list->empty() || wish.choice.paths.size() != 1) {
      return std::unexpected(
          bad("\"hunks\" is a list of numbers, for one file in \"paths\"; leave it out for the whole file."));
    }
    for (const Json& hunk : *list) {
      const auto number = hunk.as_integer();
      if (!number || *number < 0) return std::unexpected(bad("\"hunks\" has something that is not a number from 0."));
      wish.choice.hunks.push_back(static_cast<size_t>(*number));
    }
  }
  if (const Json* given = body->find("dry_run"); given != nullptr && !given->is_null() && !given->is_bool())
    return std::unexpected(bad("\"dry_run\" must be true or false."));
  wish.only_look = body->bool_member("dry_run").value_or(false);
  return wish;
}

/// The plan as an import of the files it changes. Files whose bytes are not here any more leave the plan.
///
/// A text that has another name now is renamed back, unless that name is taken: then it comes back as a new file under its old name.
awaitable<OrResponse<relay::WorkspaceFiles::Import>> import_of(Services& services, const HttpRequest& request,
                                                               const relay::WorkspaceFiles& files,
                                                               sync::RestorePlan& plan) {
  relay::WorkspaceFiles::Import import;
  std::vector<sync::RestoreFile> kept;
  for (sync::RestoreFile& file : plan.files) {
    if (file.binary_after && file.binary_after->size != 0) {
      const auto hash = Sha256::from_hex(file.binary_after->hash);
      const auto blob = co_await ask<Blob>([&](auto reply) {
        services.storage.attachments.find_blob(request.arguments[0], hash.value_or(Sha256{}), std::move(reply));
      });
      if (!blob && blob.error().kind != StorageError::Kind::NotFound)
        co_return std::unexpected(storage_response(blob.error(), kNoWorkspace));
      if (!blob) {
        plan.skipped.push_back({file.path, "its bytes are not on this server any more"});
        continue;
      }
    }
    const bool is_text = file.before && file.after;
    if (!file.renamed_from.empty() && is_text && files.can_rename(file.renamed_from, file.path)) {
      const bool changes = file.before != file.after;
      if (changes) import.texts.push_back({file.renamed_from, *file.after});
      import.renamed.push_back({file.renamed_from, file.path, changes ? file.after : std::nullopt});
      kept.push_back(std::move(file));
      continue;
    }
    if (file.after) import.texts.push_back({file.path, *file.after});
    if (file.binary_after) import.binaries.push_back(*file.binary_after);
    if (!file.after && !file.binary_after) import.removed.push_back(file.path);
    if (!file.renamed_from.empty()) import.removed.push_back(file.renamed_from);
    kept.push_back(std::move(file));
  }
  plan.files = std::move(kept);
  co_return import;
}

}  // namespace

Answer get_history(Services& services, HttpRequest& request) {
  if (auto refused = co_await not_owned(services, request)) co_return std::move(*refused);
  const auto path = path_of(request);
  if (!path) co_return path.error();
  size_t count = kUsualCount;
  if (const auto given = request.query.find("count"); given != request.query.end()) {
    const auto number = whole_number(given->second);
    if (!number || *number == 0) co_return bad("count takes a number from 1 to 100.");
    count = static_cast<size_t>(std::min<uint64_t>(*number, kMaxCount));
  }
  Past past(services, request.arguments[0]);
  sync::HistoryPoint known_from = sync::kHistoryStart;
  if (!path->empty()) {
    if (auto loaded = co_await past.load_file(*path); !loaded) co_return loaded.error();
  } else {
    auto recent = co_await past.changed_since(sync::kHistoryStart, kRecentDocuments);
    if (!recent) co_return recent.error();
    std::vector<std::string> names = {"workspace"};
    for (const ChangedDocument& one : *recent) names.push_back(one.name);
    // What is older than the oldest of these may have happened in a document that is not here.
    if (recent->size() == kRecentDocuments) known_from = recent->back().last.value();
    if (auto loaded = co_await past.load(std::move(names)); !loaded) co_return loaded.error();
  }
  auto groups = co_await run_on(services.pool, [&] {
    return path->empty() ? sync::timeline(past.history(), {}, count)
                         : sync::file_timeline(past.history(), *path, {}, count);
  });
  std::erase_if(groups, [&](const sync::TimelineGroup& group) { return group.last < known_from; });
  co_return json_response(http::status::ok, list_of(std::move(groups), past, count));
}

Answer get_history_point(Services& services, HttpRequest& request) {
  if (auto refused = co_await not_owned(services, request)) co_return std::move(*refused);
  const auto point = point_of(request.arguments[1]);
  if (!point) co_return point.error();
  const auto path = path_of(request);
  if (!path) co_return path.error();
  Past past(services, request.arguments[0]);
  if (path->empty()) {
    if (auto loaded = co_await past.load({"workspace"}); !loaded) co_return loaded.error();
    if (auto whole = refuse_damage(past.damage_at(*point)); !whole) co_return whole.error();
    Json files = Json::array();
    for (std::string& file : past.history().files_at(*point)) files.push(std::move(file));
    co_return json_response(http::status::ok, Json::object({{"files", std::move(files)}}));
  }
  const auto file = co_await file_at(past, *path, *point);
  if (!file) co_return file.error();
  co_return json_response(http::status::ok, file_json(*file));
}

Answer get_history_diff(Services& services, HttpRequest& request) {
  if (auto refused = co_await not_owned(services, request)) co_return std::move(*refused);
  const auto from = point_of(request.arguments[1]);
  if (!from) co_return from.error();
  const auto given = request.query.find("to");
  const auto to = point_of(given == request.query.end() ? std::string_view("now") : std::string_view(given->second));
  if (!to) co_return to.error();
  const auto path = path_of(request);
  if (!path) co_return path.error();
  if (path->empty()) co_return bad("Say which file: ?path=notes/a.md");
  Past past(services, request.arguments[0]);
  // A file that was made or taken away in between is compared with nothing.
  const auto before = co_await file_at(past, *path, *from);
  const auto after = co_await file_at(past, *path, *to);
  for (const auto* side : {&before, &after}) {
    if (!*side && side->error().status != http::status::not_found) co_return side->error();
  }
  if (!before && !after) co_return before.error();
  const std::string none;
  const auto hunks = co_await run_on(
      services.pool, [&] { return sync::diff_lines(before ? before->text : none, after ? after->text : none); });
  Json list = Json::array();
  for (const sync::DiffHunk& hunk : hunks) list.push(sync::to_json(hunk));
  co_return json_response(http::status::ok, Json::object({{"path", *path}, {"hunks", std::move(list)}}));
}

Answer post_restore(Services& services, HttpRequest& request) {
  if (auto refused = co_await not_owned(services, request)) co_return std::move(*refused);
  auto wish = read_wish(request);
  if (!wish) co_return wish.error();
  Past past(services, request.arguments[0]);
  if (auto loaded = co_await past.load({"workspace"}); !loaded) co_return loaded.error();
  // Half a list of files would take away what only seems to have come later.
  for (const sync::HistoryPoint point : {wish->choice.point, sync::kHistoryNow}) {
    if (auto whole = refuse_damage(past.damage_at(point)); !whole) co_return whole.error();
  }
  const auto changed = co_await past.changed_since(wish->choice.point, kAllDocuments);
  if (!changed) co_return changed.error();
  std::vector<std::string> newer;
  for (const ChangedDocument& one : *changed) newer.push_back(one.name);
  auto wanted = sync::documents_for_restore(past.history(), wish->choice, newer);
  if (auto loaded = co_await past.load(std::move(wanted)); !loaded) co_return loaded.error();
  auto plan = co_await run_on(services.pool, [&] { return sync::plan_restore(past.history(), wish->choice); });
  for (sync::RestoreSkip& skip : plan.skipped) {
    for (const sync::HistoryPoint point : {wish->choice.point, sync::kHistoryNow}) {
      auto damage = past.damage_at(point, past.history().documents_of(skip.path));
      if (!damage.empty()) skip.reason = std::move(damage);
    }
  }
  const auto files = co_await live_files(services, request.arguments[0]);
  if (!files) co_return files.error();
  auto import = co_await import_of(services, request, *files, plan);
  if (!import) co_return import.error();
  // Each edit belongs to the document that the file has now.
  std::map<std::string, Bytes> edits;
  for (const sync::RestoreFile& file : plan.files) {
    const bool is_renamed =
        std::ranges::find(import->renamed, file.path, &relay::WorkspaceFiles::Renamed::to) != import->renamed.end();
    if (!file.edit.empty() && (file.renamed_from.empty() || is_renamed))
      edits.emplace(is_renamed ? file.renamed_from : file.path, file.edit);
  }
  if (!wish->only_look && !plan.files.empty()) {
    if (auto refused =
            co_await apply_import(services, request, std::move(*import), relay::UpdateOrigin::Restore, edits))
      co_return std::move(*refused);
  }
  Json answer = sync::to_json(plan);
  answer.set("restored_from", std::to_string(wish->choice.point));
  answer.set("file_count", uint64_t{plan.files.size()});
  answer.set("dry_run", wish->only_look);
  co_return json_response(http::status::ok, answer);
}

}  // namespace diaryx::server
