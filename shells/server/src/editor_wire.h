// How Yjs editors see the relay: the y-websocket protocol for one document, and Hocuspocus's envelope for several.
//
// Pure: bytes in, bytes out. The relay decides as for everybody else; here its frames `[length][doc id][message]` lose or
// change what stands in front of the message, and its control messages become what the editor's protocol has for them. Editors
// name a note by its path; which document has its text is found out when they open it, and when the list of files changes (`note_finder.h`).
//
//   y-websocket    one socket is one document; a message is a frame without its front. Refusals are auth messages (tag 2), and the end
//                  of the socket: clients only write them to the console, and would let people type on.
//   Hocuspocus     `[name][type]…`, name = `<workspace>/<key>`, types 0 sync, 1 awareness, 2 auth, 3 query awareness,
//                  7 close, 8 sync status. The token comes in an auth message, once per document.
// Source: y-websocket 3.1 (src/y-websocket.js), @hocuspocus/provider 4.8 (src/types.ts, src/MessageReceiver.ts).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/sync/open_note.h"
#include "diaryx/sync/relay_types.h"

namespace diaryx::server {

namespace relay = sync::relay;

/// What one message of an editor amounts to, in order.
struct ToRelay {
  Bytes frame;
};
struct ToRelayText {
  std::string text;
};
struct ToEditor {
  Bytes message;
};
/// A message for a note that nobody on this connection has opened: find its document, say so by `located`, and hand the message
/// to that document.
struct ToFind {
  std::string by_path;  // `body:<workspace>/<path>`
  Bytes payload;
};
/// Sign in with this token, then `accepted` or `refused` for the document.
struct SignInWith {
  std::string name;
  std::string token;
};
using Heard = std::vector<std::variant<ToRelay, ToRelayText, ToEditor, ToFind, SignInWith>>;

/// A note of an editor, and where it is.
struct EditorNote {
  std::string document;  // `body:<workspace>/<key>`
  std::string workspace = {};  // empty: it stays there, whatever the list of files says
  relay::OpenNote note = {};
};

/// Bytes for the editor that may be a part of what is shared with others.
struct Told {
  relay::SharedBytes bytes;
  size_t offset = 0;
};

class EditorWire {
 public:
  virtual ~EditorWire() = default;
  /// message   not trusted, whole. What cannot be read becomes a frame that the relay refuses and counts, or nothing.
  virtual Heard hear(ByteView message) = 0;
  /// Where a note is that was asked for by `ToFind`, and again when it has moved; holds until the note is closed or refused.
  /// message   the first that goes to its document.
  virtual void located(const std::string& by_path, EditorNote note, ByteView message) = 0;
  /// Those that are open, by the documents that their paths name. Several may be in one document.
  const std::map<std::string, EditorNote, std::less<>>& notes() const { return notes_; }
  bool is_in(std::string_view document) const { return by_document_.contains(document); }
  /// What became known of an open note that stays where it is.
  void learn(const std::string& by_path, relay::OpenNote note);
  virtual std::vector<Told> tell(const relay::SharedBytes& frame) = 0;
  virtual std::vector<Told> tell(const std::string& control_text) = 0;
  /// What was told last ends the connection: there is nothing else on it that could go on.
  virtual bool is_over() const { return false; }
  /// Access was refused before the relay was asked.
  virtual Bytes refused(const std::string& name, std::string_view reason) const = 0;
  virtual Bytes accepted(const std::string& name, bool read_only) const = 0;

 protected:
  using Paths = std::multimap<std::string, std::string, std::less<>>;
  void put(const std::string& by_path, EditorNote note);
  void remove(const std::string& by_path);
  /// `notes` by their documents.
  const Paths& by_document() const { return by_document_; }

 private:
  std::map<std::string, EditorNote, std::less<>> notes_;
  Paths by_document_;
};

/// by_path   `body:<workspace>/<path>`
std::unique_ptr<EditorWire> make_yjs_wire(std::string by_path);

/// Hocuspocus's form of the frame that was told last. A frame for many sockets is told to one after another: made once, it is one
/// piece of memory for all of them, as long as any of them is still sending it.
class HocuspocusFrames {
 public:
  /// frame   of the relay; `payload` is its part behind the document's id.
  relay::SharedBytes of(const relay::SharedBytes& frame, std::string_view name, ByteView payload);

 private:
  std::weak_ptr<const Bytes> frame_;
  std::string name_;
  std::weak_ptr<const Bytes> told_;
};
/// frames   shared by all wires of a server.
std::unique_ptr<EditorWire> make_hocuspocus_wire(
    std::shared_ptr<HocuspocusFrames> frames = std::make_shared<HocuspocusFrames>());

/// Closing for good: these clients come back after every code but 4400 to 4499.
uint16_t editor_close_code(relay::CloseCode code);
inline constexpr uint16_t kEditorUnauthorized = 4401;
inline constexpr uint16_t kEditorForbidden = 4403;

}  // namespace diaryx::server
