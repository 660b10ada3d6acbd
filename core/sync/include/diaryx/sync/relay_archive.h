// A workspace as files and back: what a snapshot holds, and the edits that an import makes.
//
// An import is ordinary forward edits on the live documents: nobody's memory is overtaken, nothing is
// doubled, concurrent changes survive. A file that is new here gets the same deterministic seed that clients make, so a
// device that imports the same file at the same time makes the same operations.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/sync/metadata.h"
#include "diaryx/sync/relay.h"

namespace diaryx::sync {
class WorkspaceDoc;
}

namespace diaryx::sync::relay {

/// The workspace document as a list of files. A copy: the document may change meanwhile.
class WorkspaceFiles {
 public:
  /// state      v1 of the workspace document.
  /// client     for the ids of new files: 32 random bits.
  /// Errors     as Doc::apply_update_v1.
  static Result<WorkspaceFiles> open(std::string_view workspace, ByteView state, ClientId client);
  WorkspaceFiles(WorkspaceFiles&&) noexcept;
  WorkspaceFiles& operator=(WorkspaceFiles&&) noexcept;
  ~WorkspaceFiles();

  /// Live text files, ascending by path.
  std::vector<std::string> texts() const;
  /// The document of a text file.
  DocId body_of(std::string_view path) const;
  /// The bytes of a text file. `body_state`: v1 of its document. Errors: as Doc::apply_update_v1.
  Result<std::string> text_of(std::string_view path, ByteView body_state) const;

  /// Live files that are not text: those listed as binaries, and attachments of old peers that were uploaded. One per path.
  std::vector<BinaryRef> binaries() const;

  // --- import -------------------------------------------------------------------------------------------------------

  struct ImportedText {
    std::string path;  // passed parse_path and is_carried
    std::string text;  // valid UTF-8
    std::string seed = {};  // the id that the text gives a file that is new; empty: found from the text

    /// What the list needs to know of it: `text` is only the head then.
    ImportedText listed() const;
  };
  /// A text file that gets another name and stays the file it is.
  struct Renamed {
    std::string from;
    std::string to;
    std::optional<std::string> text =
        {};  // what it is made to say; its edit goes to the document that it has under `from`
    std::string document = {};  // key of the one that it has under `to`, from `document_at`
  };
  struct Import {
    std::vector<ImportedText> texts;
    std::vector<Renamed> renamed = {};
    std::vector<BinaryRef> binaries;  // their blobs are stored already
    std::vector<std::string> removed =
        {};  // files to tombstone, text or binary; those that are not there are passed over
    bool replace_texts = false;  // tombstone every other live text
    bool replace_binaries = false;  // and every other binary
  };

  /// The edit that gives a text file its content.
  ServerEdit edit_body(const ImportedText& file) const;
  /// True if a file of the one name can have the other.
  bool can_rename(std::string_view from, std::string_view to) const;
  /// Which document a renamed file has then. `there`: v1 of the one that the new path names. Errors: as Doc::apply_update_v1.
  Result<std::string> document_at(const Renamed& file, ByteView there) const;
  /// The edit that takes the operations of a renamed file along: `here` is v1 of the document that it has now, `there` of the one that
  /// it has then. Errors: as Doc::apply_update_v1.
  Result<ServerEdit> edit_renamed(const Renamed& file, ByteView here, ByteView there) const;
  /// The edit of the workspace document that lists the imported files; entries that say the same already are left alone.
  ServerEdit edit_entries(const Import& import, TimestampMs now) const;

 private:
  struct Place {
    std::string file_id;
    std::string document;
  };
  /// Which file an imported one is or becomes. The same for both edits.
  Place place_of(const ImportedText& file) const;
  WorkspaceFiles(std::string workspace, std::unique_ptr<WorkspaceDoc> doc);
  void list_texts(const Import& import, TimestampMs now, ServerEdit& edit) const;
  void list_binaries(const Import& import, ServerEdit& edit) const;
  void list_renamed(const Import& import, TimestampMs now, ServerEdit& edit) const;

  std::string workspace_;
  std::unique_ptr<WorkspaceDoc> doc_;
};

}  // namespace diaryx::sync::relay
