#include "diaryx/sync/history_restore.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "diaryx/base/sha256.h"
#include "diaryx/base/sort.h"
#include "diaryx/sync/frontmatter.h"
#include "history/touched.h"
#include "replica/body_doc.h"
#include "roots.h"

namespace diaryx::sync {
namespace {

bool is_within(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

std::string_view without_slash(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

constexpr const char* kUnknownText = "its text is not in this device's history";

/// Files at a point with their contents, read once.
class Files {
 public:
  Files(const History& history, HistoryPoint point)
      : history_(history), point_(point), paths_(history.files_at(point)) {}
  const std::vector<std::string>& paths() const { return paths_; }
  bool has(const std::string& path) const { return std::ranges::binary_search(paths_, path); }
  std::optional<PastFile> read(const std::string& path) const {
    return has(path) ? history_.file_at(path, point_) : std::nullopt;
  }

 private:
  const History& history_;
  HistoryPoint point_;
  std::vector<std::string> paths_;  // sorted
};

class Planner {
 public:
  Planner(const History& history, HistoryPoint then, HistoryPoint now)
      : history_(history),
        then_point_(then),
        then_(history, then),
        now_point_(now),
        now_(history, now),
        touched_(touched_files(history, std::min(then, now), std::max(then, now))) {
    // Several files may have had a name one after another: what counts is whose it was then.
    for (const std::string& candidate : now_.paths()) {
      if (then_.has(candidate)) continue;
      if (std::optional<std::string> name = history.name_at(candidate, then)) present_names_.emplace(*name, candidate);
    }
  }

  /// Then or now, and no folder.
  bool is_file(const std::string& path) const { return then_.has(path) || now_.has(path); }
  bool is_text(const std::string& path) const {
    const std::optional<PastFile> file = now_.read(path);
    return file && !file->binary;
  }

  /// The file under its present name, with the content it had under whatever name.
  void one_file(const std::string& path, std::span<const size_t> hunks) {
    if (now_.has(path)) {
      const std::optional<PastFile> past = history_.file_at(path, then_point_);
      if (!past) return skip(path, "it did not exist then");
      return change(path, {}, *past, hunks);
    }
    if (!then_.has(path)) return skip(path, "there was no such file then");
    if (const std::optional<std::string> present = present_name(path))
      return skip(path, "it is called \"" + *present + "\" now; restore it under that name");
    bring_back(path);
  }

  /// Everything in the chosen folders as it was, names included.
  void everything(std::span<const std::string> chosen) {
    std::set<std::string> handled;
    for (const std::string& path : then_.paths()) {
      if (!is_chosen(path, chosen)) continue;
      if (now_.has(path)) {
        if (!touched_.contains(path)) continue;
        if (const std::optional<PastFile> past = then_.read(path)) change(path, {}, *past, {});
        continue;
      }
      const std::optional<std::string> present = present_name(path);
      const std::optional<PastFile> past = then_.read(path);
      if (present && past && !past->binary && !then_.has(*present) && !handled.contains(*present)) {
        handled.insert(*present);
        change(path, *present, *past, {});
      } else {
        bring_back(path);
      }
    }
    for (const std::string& path : now_.paths()) {
      if (!is_chosen(path, chosen) || then_.has(path) || handled.contains(path)) continue;
      if (const std::optional<std::string> old = history_.name_at(path, then_point_); old && !is_chosen(*old, chosen)) {
        skip(path, "it was moved here from \"" + *old + "\" since then, so it stays");
        continue;
      }
      take_away(path);
    }
  }

  void skip(const std::string& path, std::string reason) { plan_.skipped.push_back({path, std::move(reason)}); }

  RestorePlan take() {
    sort_compactly_by(plan_.files, &RestoreFile::path);
    return std::move(plan_);
  }

 private:
  /// What a file that was called so is called at the point the plan starts from.
  std::optional<std::string> present_name(const std::string& path) const {
    const auto found = present_names_.find(path);
    return found == present_names_.end() ? std::nullopt : std::optional(found->second);
  }

  void change(const std::string& path, const std::string& renamed_from, const PastFile& past,
              std::span<const size_t> hunks) {
    const std::optional<PastFile> present = now_.read(renamed_from.empty() ? path : renamed_from);
    if (!present) return;
    if (!past.text_known || !present->text_known) return skip(path, kUnknownText);
    if (past.binary.has_value() != present->binary.has_value())
      return skip(path, "it was another kind of file then; once this one is deleted, that one can be restored");
    RestoreFile file{.path = path, .renamed_from = renamed_from};
    if (past.binary) {
      if (past.binary->hash == present->binary->hash) return;
      file.binary_before = present->binary;
      file.binary_after = past.binary;
    } else {
      if (const size_t there = hunks.empty() ? 0 : diff_lines(past.text, present->text).size();
          !hunks.empty() && std::ranges::max(hunks) >= there) {
        return skip(path, "there is no change " + std::to_string(std::ranges::max(hunks) + 1) + " in it: it has " +
                              std::to_string(there) + " since then");
      }
      file.before = present->text;
      file.after = hunks.empty() ? past.text : turn_back(past.text, present->text, hunks);
      if (file.before == file.after && renamed_from.empty()) return;
      if (file.before != file.after) make_edit(file, renamed_from.empty() ? path : renamed_from);
    }
    plan_.files.push_back(std::move(file));
  }

  /// The same plan makes the same operations, so that two devices that go back at once do not do it twice.
  void make_edit(RestoreFile& file, const std::string& key) const {
    const std::optional<Bytes> state = history_.body_state_at(key, now_point_);
    if (!state) return;
    Sha256Hasher hasher;
    hasher.update(*state);
    hasher.update(*file.after);
    const Sha256 digest = hasher.finish();
    uint64_t client = 0;
    for (size_t i = 0; i < 4; ++i) client = (client << 8) | digest.bytes[i];
    BodyDoc body(ClientId{client}, key);
    if (!body.doc().apply_update_v1(*state) || body.doc().state_vector().get(body.writer()) != Clock{0}) return;
    file.edit_base = body.doc().state_vector().encode();
    const SplitText wanted = split_frontmatter(*file.after);
    // A head that is only shown, since an old peer wrote the file, stays out of the document.
    const std::string head = body.head();
    const bool same_head = split_frontmatter(*file.before).head == wanted.head;
    file.edit = body.set_text(same_head ? std::string_view(head) : wanted.head, wanted.body);
  }

  void bring_back(const std::string& path) {
    add_whole(path, then_.read(path), &RestoreFile::after, &RestoreFile::binary_after);
  }

  void take_away(const std::string& path) {
    add_whole(path, now_.read(path), &RestoreFile::before, &RestoreFile::binary_before);
  }

  void add_whole(const std::string& path, std::optional<PastFile> known, std::optional<std::string> RestoreFile::* text,
                 std::optional<BinaryRef> RestoreFile::* binary) {
    if (!known) return;
    if (!known->text_known) return skip(path, kUnknownText);
    RestoreFile file{.path = path};
    if (known->binary) {
      file.*binary = std::move(known->binary);
    } else {
      file.*text = std::move(known->text);
    }
    plan_.files.push_back(std::move(file));
  }

  const History& history_;
  HistoryPoint then_point_;
  Files then_;
  HistoryPoint now_point_;
  Files now_;
  std::set<std::string> touched_;  // all others are as they were
  std::map<std::string, std::string> present_names_;  // of what had another name then, by that
  RestorePlan plan_;
};

}  // namespace

bool is_chosen(std::string_view path, std::span<const std::string> chosen) {
  return chosen.empty() || std::ranges::any_of(chosen, [&](const std::string& choice) {
           return path == without_slash(choice) || is_within(path, without_slash(choice));
         });
}

RestorePlan plan_restore(const History& history, const RestoreChoice& choice, HistoryPoint now) {
  Planner planner(history, choice.point, now);
  if (choice.point < history.first()) {
    // That no file is known there does not mean that there was none.
    const std::vector<std::string> everything{{}};
    for (const std::string& path : choice.paths.empty() ? everything : choice.paths)
      planner.skip(path, "the history here begins later");
    return planner.take();
  }
  if (choice.paths.empty()) planner.everything({});
  std::vector<std::string> folders;
  for (const std::string& path : choice.paths) {
    const std::string name(without_slash(path));
    if (!choice.hunks.empty() && !planner.is_text(name)) {
      planner.skip(name, "only a text that is there has single changes");
    } else if (planner.is_file(name)) {
      planner.one_file(name, choice.hunks);
    } else {
      folders.push_back(name);
    }
  }
  if (!folders.empty()) planner.everything(folders);
  return planner.take();
}

std::vector<std::string> documents_for_restore(const History& history, const RestoreChoice& choice,
                                               std::span<const std::string> newer) {
  std::set<std::string> touched = touched_files(history, choice.point, kHistoryNow);
  for (const std::string& doc : newer) {
    if (doc.starts_with(kBodyPrefix)) touched.insert(history.path_of_document(doc));
  }
  std::set<std::string> documents;
  const auto add = [&](const std::string& path) {
    for (std::string& doc : history.documents_of(path)) documents.insert(std::move(doc));
  };
  for (const HistoryPoint point : {choice.point, kHistoryNow}) {
    for (const std::string& path : history.files_at(point)) {
      const std::vector<std::string> names = history.names_of(path);
      const bool may_differ =
          std::ranges::any_of(names, [&](const std::string& name) { return touched.contains(name); });
      if (may_differ && is_chosen(path, choice.paths)) add(path);
    }
  }
  return {documents.begin(), documents.end()};
}

std::vector<DoneRestore> done_restores(const History& history) {
  std::map<std::string, DoneRestore> by_id;
  for (const std::string& doc : history.documents()) {
    const auto& records = history.document(doc)->records();
    for (size_t i = 0; i < records.size(); ++i) {
      const HistoryRecord& record = records[i];
      if (record.origin != HistoryOrigin::Restore || record.note.empty()) continue;
      DoneRestore& done = by_id[record.note];
      if (done.id.empty()) done = {.id = record.note, .before = record.sequence - 1};
      done.before = std::min(done.before, record.sequence - 1);
      done.after = std::max(done.after, record.sequence);
      done.time = std::max(done.time, record.time);
      const auto add = [&](const std::string& path) {
        if (std::ranges::find(done.paths, path) == done.paths.end()) done.paths.push_back(path);
      };
      if (doc.starts_with(kBodyPrefix)) {
        add(history.path_of_document(doc));
      } else {
        for (const std::string& path : history.files_changed()[i]) add(path);
      }
    }
  }
  std::vector<DoneRestore> restores;
  for (auto& [id, done] : by_id) restores.push_back(std::move(done));
  sort_compactly_by(restores, &DoneRestore::after, std::greater<>());
  return restores;
}

RestorePlan plan_undo(const History& history, const DoneRestore& restore) {
  // From what the restore left to what there was before it: everything done since is merged when it is carried out.
  Planner planner(history, restore.before, restore.after);
  planner.everything(restore.paths);
  return planner.take();
}

RestoreStep step_of(const RestoreFile& file) {
  if (!file.renamed_from.empty()) return RestoreStep::Rename;
  if (!file.before && !file.binary_before) return RestoreStep::BringBack;
  if (!file.after && !file.binary_after) return RestoreStep::TakeAway;
  return RestoreStep::Change;
}

std::string_view name_of(RestoreStep step) {
  switch (step) {
    case RestoreStep::Change: return "change";
    case RestoreStep::BringBack: return "bring_back";
    case RestoreStep::TakeAway: return "take_away";
    case RestoreStep::Rename: return "rename";
  }
  return "change";
}

Json to_json(const RestorePlan& plan) {
  Json files = Json::array();
  for (const RestoreFile& file : plan.files) {
    Json hunks = Json::array();
    if (file.before && file.after) {
      for (const DiffHunk& hunk : diff_lines(*file.before, *file.after)) hunks.push(to_json(hunk));
    }
    files.push(Json::object({{"path", file.path},
                             {"step", name_of(step_of(file))},
                             {"renamed_from", file.renamed_from.empty() ? Json() : Json(file.renamed_from)},
                             {"binary", file.binary_before.has_value() || file.binary_after.has_value()},
                             {"hunks", std::move(hunks)}}));
  }
  Json skipped = Json::array();
  for (const RestoreSkip& skip : plan.skipped)
    skipped.push(Json::object({{"path", skip.path}, {"reason", skip.reason}}));
  return Json::object({{"files", std::move(files)}, {"skipped", std::move(skipped)}});
}

}  // namespace diaryx::sync
