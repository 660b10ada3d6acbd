// What a shell tells the replica: the socket, the disk, transfers, and commands of the user.
//
// Views in an event are read during `Replica::handle` and not kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/sha256.h"
#include "diaryx/base/units.h"
#include "diaryx/sync/history_record.h"
#include "diaryx/sync/metadata.h"
#include "diaryx/sync/ticket.h"

namespace diaryx::sync {

// --- the socket -------------------------------------------------------------------------------------------------

/// The WebSocket is open. Ends whatever connection was there before.
struct Connected {};
/// The WebSocket is gone, or could not be opened.
struct Disconnected {};
struct BinaryReceived {
  ByteView frame;  // not trusted
};
struct TextReceived {
  std::string_view json;  // not trusted
};

// --- the disk ---------------------------------------------------------------------------------------------------
//
// A shell reports a batch: first every FileMoved, then every FileGone, then what it sees, then FilesSettled. A batch is told
// whole, before anything that it leads to is done, and is understood as a whole, since one rename is two things seen. The first
// batch after start is the scan of the folder: FileGone for each of `known_files()` that is not there. Files whose
// content did not change need not be reported. A name that `is_carried` refuses is ignored.
//
// What an action of the replica came upon is reported with the ticket of that action. The watcher may not have told it yet.

/// The content of a Markdown file (`is_markdown`), as it is on disk now.
struct TextFileSeen {
  std::string_view path;  // relative, as the disk spells it
  std::string_view bytes;  // any bytes; invalid UTF-8 makes it a blob
  Ticket ticket = {};
};
/// Any other file, by its digest. The shell hashes it, the replica never holds its bytes.
struct BlobFileSeen {
  std::string_view path;
  Sha256 hash;
  uint64_t size_bytes = 0;
  Ticket ticket = {};
};
/// The file is not there (any more). Deletions count at FilesSettled, so that a rename seen as two halves is one.
struct FileGone {
  std::string_view path;
  Ticket ticket = {};
};
/// A rename that the shell knows of, or did for MoveFile: what was at `from` is at `to`, where no known file was. `to` is reported
/// as seen too if it also changed, and `from` if another file is there by now.
struct FileMoved {
  std::string_view from;
  std::string_view to;
  Ticket ticket = {};  // of the MoveFile
  bool was_copied =
      false;  // for it, by a shell that cannot rename: what was at `from` is there still, and is to be removed
};
/// End of a batch: what is gone now is deleted.
struct FilesSettled {};

// --- answers to actions -----------------------------------------------------------------------------------------
//
// However late, the answers about one file come in the order of the actions. An answer with a ticket that nobody waits for makes
// the replica look at the file.

/// WriteText or FetchBlob is done and durable: the file has this content.
struct FileWritten {
  std::string_view path;
  Sha256 hash;
  Ticket ticket = {};
};
/// RemoveFile is done: nothing is at this path.
struct FileRemoved {
  std::string_view path;
  Ticket ticket = {};
};
/// WriteText, RemoveFile, MoveFile (under `to`), ReadFile or the placing of what FetchBlob brought was not done. When the file on disk
/// was not the expected one, the shell reports what is there (TextFileSeen, BlobFileSeen, FileGone, FilesSettled) right after this.
struct FileRefused {
  std::string_view path;
  std::string_view reason;  // a sentence for people
  /// It may have been done nevertheless, for all the shell knows. False: the file was surely left alone.
  bool in_doubt = true;
  Ticket ticket = {};
};
/// The server holds the blob.
struct BlobUploaded {
  std::string_view path;
  Sha256 hash;
};
/// UploadBlob or FetchBlob failed, and nothing was placed. `final_failure`: trying again cannot help (quota, too large); else it is
/// retried.
struct TransferFailed {
  std::string_view path;
  Sha256 hash;
  std::string_view reason;
  bool final_failure = false;
  Ticket ticket = {};
};

// --- commands and time ------------------------------------------------------------------------------------------

/// These files come first in every queue.
struct FocusFiles {
  std::vector<std::string> paths;
};
/// An update that was made on this device, of a document that a host edits itself or for a command: stored, sent, and brought to
/// the files like any other. `BodyChanged` does not tell of it: whoever made it knows.
struct UpdateMade {
  std::string_view doc;  // `workspace` or `body:<key>`
  ByteView update;  // v1, not trusted
  HistoryOrigin origin = HistoryOrigin::Local;
  std::string_view note = {};
};
/// Lets the held wave of deletions and truncations happen.
struct ReleaseHeld {};
/// Puts back what the held wave took away: on this disk if it began here, on all devices if it came from elsewhere.
struct UndoHeld {};
/// One file on its way back to what it was; `plan_restore` in `history_restore.h` makes them.
struct RestoreFile {
  std::string path;
  /// The name the file has now, when it is to be called `path` again.
  std::string renamed_from;
  /// The text it had when this was planned; nothing: there was no such text file. What was typed since is kept.
  std::optional<std::string> before;
  /// The text it is to have; nothing (and no binary): it goes.
  std::optional<std::string> after;
  /// The change of the text as an update, made on the document as it was when this was planned, and the state vector of that
  /// document. Applied to the document of today it takes out exactly what was there then, and nothing that was typed since.
  /// Empty: the texts are merged instead.
  Bytes edit = {};
  Bytes edit_base = {};
  /// The same for a file that is no text.
  std::optional<BinaryRef> binary_before;
  std::optional<BinaryRef> binary_after;

  bool operator==(const RestoreFile&) const = default;
};
/// Brings files back by ordinary edits of today's documents (T20): differences to the texts wanted, tombstones and new entries.
/// Nothing that was done since the plan was made is lost: edits are merged, and a file that changed meanwhile is not removed.
struct RestoreFiles {
  std::vector<RestoreFile> files;
  std::string id;  // stands in the history as note of everything this does; not empty
};
/// `next_deadline()` has come, or the clock was set back since the last event: deadlines are told on the clock as it was.
struct DeadlineReached {};

using Event = std::variant<Connected, Disconnected, BinaryReceived, TextReceived, TextFileSeen, BlobFileSeen, FileGone,
                           FileMoved, FilesSettled, FileWritten, FileRemoved, FileRefused, BlobUploaded, TransferFailed,
                           FocusFiles, UpdateMade, ReleaseHeld, UndoHeld, RestoreFiles, DeadlineReached>;

}  // namespace diaryx::sync
