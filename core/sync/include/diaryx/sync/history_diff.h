// What is different between two points: words for panels, lines for terminals, fields of the metadata.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/json.h"
#include "diaryx/sync/history.h"

namespace diaryx::sync {

// --- texts ------------------------------------------------------------------------------------------------------

enum class DiffKind : uint8_t { Same, Removed, Added };

struct DiffPiece {
  DiffKind kind;
  std::string text;

  bool operator==(const DiffPiece&) const = default;
};

/// The whole text in pieces; changed words are whole words. Without the added pieces it is `before`, without the removed ones
/// `after`. Of two pieces at one place the removed one comes first.
std::vector<DiffPiece> diff_words(std::string_view before, std::string_view after);

struct DiffLine {
  DiffKind kind;
  std::string text;  // with its line end, if it has one

  bool operator==(const DiffLine&) const = default;
};

/// Changed lines with some unchanged ones around them.
struct DiffHunk {
  size_t before_line = 0;  // of the first line, counted from 1
  size_t after_line = 0;
  size_t before_count = 0;
  size_t after_count = 0;
  std::vector<DiffLine> lines;
};

/// The hunks that turn `before` into `after`; none when they are equal.
///
/// context  unchanged lines before and after each change.
std::vector<DiffHunk> diff_lines(std::string_view before, std::string_view after, size_t context = 3);

/// `after` with only the hunks whose index (in `diff_lines(before, after, context)`) is in `chosen` turned back to what `before` has.
/// An index that there is not is passed over.
std::string turn_back(std::string_view before, std::string_view after, std::span<const size_t> chosen,
                      size_t context = 3);

/// `[{"kind":"same"|"removed"|"added","text":...}]`
Json to_json(std::span<const DiffPiece> pieces);
Json to_json(const DiffHunk& hunk);

// --- metadata ---------------------------------------------------------------------------------------------------

enum class MetadataChange : uint8_t { Added, Modified, Deleted, Restored };

/// What the plugin's `GetVersionDiff` answers for one file.
struct FileDiff {
  std::string path;
  MetadataChange change_type = MetadataChange::Modified;
  std::optional<FileMetadata> old_metadata;
  std::optional<FileMetadata> new_metadata;
};

/// Entries of the file list that differ between two points, by path. Any difference counts, also of `modified_at`.
std::vector<FileDiff> metadata_changes(const History& history, HistoryPoint from, HistoryPoint to);

/// `path`, `change_type` (`Added`, `Modified`, `Deleted`, `Restored`), `old_metadata`, `new_metadata`.
Json to_json(const FileDiff& diff);

/// One field that differs, as JSON values; absent ones are null.
struct FieldChange {
  std::string field;  // a member of the metadata, or `extra.<key>`
  Json before;
  Json after;
};
/// Without `modified_at`, and without marks that start with `_`.
std::vector<FieldChange> field_changes(const std::optional<FileMetadata>& before,
                                       const std::optional<FileMetadata>& after);

// --- files ------------------------------------------------------------------------------------------------------

enum class FileChangeKind : uint8_t { Created, Changed, Removed, Renamed };

struct ChangedFile {
  std::string path;  // at `to`; of a removed one, at `from`
  FileChangeKind kind = FileChangeKind::Changed;
  std::string from;  // the old name of a renamed file
  bool is_binary = false;

  bool operator==(const ChangedFile&) const = default;
};

/// Files whose content or name is not the same at both points, by path. Texts of which the documents are not here count as
/// changed when their entry did.
std::vector<ChangedFile> changed_files(const History& history, HistoryPoint from, HistoryPoint to);
std::string_view name_of(FileChangeKind kind);
Json to_json(const ChangedFile& file);

}  // namespace diaryx::sync
