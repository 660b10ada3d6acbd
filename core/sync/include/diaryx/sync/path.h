// Workspace paths: how keys are written, which ones are refused, and which files are carried.
//
// A path that passed `parse_path` is safe to join to a root folder on every system: relative, no `.` or `..`, no empty
// component, no control character, no Windows device name. Names that only some file systems dislike (`a:b.md`,
// `what?.md`, a trailing dot or space, names that differ in case) are legal here: the logical name stays as the user
// wrote it, and on a disk that refuses it the file gets an alias (disk_names.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "diaryx/base/result.h"
#include "diaryx/base/sha256.h"
#include "diaryx/base/units.h"

namespace diaryx::sync {

/// The longest key: with the workspace id as a UUID, `body:<uuid>/<key>` then fits the 255 bytes of a frame's id (T26).
inline constexpr size_t kMaxKeyBytes = 213;

/// Why a path is refused. `Fine` is zero.
enum class PathProblem : uint8_t {
  Fine = 0,
  Empty,
  TooLong,
  NotUtf8,
  ControlCharacter,
  Absolute,  // starts with `/` after normalisation (only by `check_path`), or with `~/`-like roots: never guessed
  DriveLetter,  // `C:` in front
  Backslash,  // only by `check_path`: normalisation turns it into a separator
  EmptyComponent,  // `a//b`, `a/`
  DotComponent,  // `a/./b`
  ParentStep,  // `..`
  DeviceName,  // `aux.md`, `COM1`
};

/// A sentence for people that says what is wrong and what to do, e.g. "the name \"aux\" is reserved by Windows; rename it".
std::string_view describe(PathProblem problem);

/// The "sync path" of a key: `\` becomes `/`, then every leading `./` goes, then every leading `/`. Nothing else changes.
/// Total: any bytes in, any bytes out; idempotent except where stripping `/` uncovers a new `./`.
/// Source: docs/protocol.md, "Keys".
std::string normalize_key(std::string_view raw);

/// What is wrong with an already normalised path. Cost: one pass.
PathProblem check_path(std::string_view path);

/// Normalises and checks a key that a peer sent or a host named (T30). Errors: InvalidPath (the reason: `check_path`).
Result<WorkspacePath> parse_path(std::string_view raw);

/// Checks a path read from a disk, relative to the root: nothing is normalised, so that `a\b.md`, one file on Linux, is
/// refused and not taken for `a/b.md`. Errors: InvalidPath.
Result<WorkspacePath> parse_disk_path(std::string_view relative);

/// True for files that sync carries: not under `.diaryx` or `.git`, no operating-system junk (`.DS_Store`, `Thumbs.db`,
/// `desktop.ini`, `__MACOSX`), no temporary names (`*.tmp`, `*.bak`, `*.swap`). Case and the disguises of `.git` that
/// some file systems see through (trailing dots, ignorable characters, `git~1`) do not help a path in.
bool is_carried(std::string_view path);

/// Names that old peers ignore everywhere too: `*.tmp`, `*.bak`, `*.swap`.
bool is_temporary(std::string_view path);

/// True if the name ends in `.md` (any case) with something before it: the file has a body document.
bool is_markdown(std::string_view path);

/// The part after the last `/`.
std::string_view file_name(std::string_view path);

/// The file name without its last extension; a leading dot starts no extension (`.env` -> `.env`).
std::string_view stem(std::string_view path);

/// The last extension with its dot, or nothing (`a.tar.gz` -> `.gz`, `.env` -> ``).
std::string_view extension(std::string_view path);

/// The folder, without a trailing `/`; empty for the root.
std::string_view parent(std::string_view path);

/// `folder/name`, or just `name` in the root.
std::string join(std::string_view folder, std::string_view name);

/// Follows `relative` from `folder`, taking `.` and `..` and doubled slashes away. A leading `/` starts at the root.
/// Nothing if it would leave the workspace. The result is not checked otherwise.
std::optional<std::string> resolve(std::string_view folder, std::string_view relative);

/// The name for a copy kept when two contents claim one path: `note.md` -> `note (conflict 1a2b3c4d).md`, the digits
/// from the content's hash, so that every device chooses the same name. An earlier conflict mark is replaced, and the
/// stem is cut at a character boundary so that the key stays within `kMaxKeyBytes`.
WorkspacePath conflict_copy(const WorkspacePath& path, const Sha256& content);

/// Lower-cased ASCII, for finding paths that differ only in case. Not a path: never written anywhere.
std::string ascii_fold(std::string_view path);

}  // namespace diaryx::sync
