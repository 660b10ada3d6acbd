// Snapshots, which are names for points of the history, and changes that wait for a person.

#include <algorithm>
#include <array>

#include "diaryx/base/base64.h"
#include "document_tools.h"
#include "past.h"
#include "zip.h"

namespace diaryx::plugin {
namespace {

constexpr size_t kMostHeldListed = 1000;

Json mark_json(const sync::HistoryMark& mark) {
  return Json{}
      .set("update_id", mark.point)
      .set("name", mark.is_named() ? Json{mark.name} : Json{})
      .set("time", mark.time.value());
}

std::optional<sync::HistoryMark> find_mark(Guest& guest, std::string_view name) {
  for (sync::HistoryMark& mark : guest.journal().marks()) {
    if (mark.is_named() && mark.name == name) return std::move(mark);
  }
  return std::nullopt;
}

/// The snapshot that `name` names.
std::expected<sync::HistoryMark, std::string> mark_param(Guest& guest, const Json& params) {
  if (const std::string_view why = Past::missing(guest); !why.empty()) return std::unexpected(std::string(why));
  const auto name = text_param(params, "name");
  if (!name) return std::unexpected(name.error());
  auto mark = find_mark(guest, *name);
  if (!mark) return std::unexpected("There is no snapshot called \"" + *name + "\".");
  return std::move(*mark);
}

// A new name, free and fit.
std::expected<std::string, std::string> new_name_param(Guest& guest, const Json& params, const char* parameter) {
  const auto name = text_param(params, parameter);
  if (!name) return name;
  if (!sync::check_mark_name(*name)) {
    return std::unexpected("\"" + *name +
                           "\" cannot be the name of a snapshot: a name is text of at most 200 bytes, not only "
                           "digits, with no blank at its ends.");
  }
  if (find_mark(guest, *name))
    return std::unexpected("There is a snapshot called \"" + *name +
                           "\" already; choose another name, or delete it first.");
  return name;
}

Reply list_snapshots(Guest& guest, const Json&) {
  if (const std::string_view why = Past::missing(guest); !why.empty()) return refused(why);
  std::vector<sync::HistoryMark> marks = guest.journal().marks();
  std::ranges::reverse(marks);
  Json list = Json::array();
  for (const sync::HistoryMark& mark : marks) list.push(mark_json(mark).set("automatic", !mark.is_named()));
  return Json{}.set("snapshots", std::move(list)).set("last_id", guest.journal().history().last());
}

Reply take_snapshot(Guest& guest, Past& past, const Json& params) {
  const auto name = new_name_param(guest, params, "name");
  if (!name) return refused(name.error());
  const sync::HistoryMark mark{.point = past.last(), .time = host::now(), .name = *name};
  guest.journal().add_mark(mark);
  return mark_json(mark).set("files", static_cast<uint64_t>(past.history().files_at(mark.point).size()));
}

Reply create_snapshot(Guest& guest, const Json& params) {
  if (Session* session = guest.session(); session->options().alone) {
    // Nobody told of files that were there before, and nobody looked.
    session->begin_scan();
    session->work(nullptr);
    if (session->is_scanning()) return std::unexpected("The folder is still being read; try again in a moment.");
  }
  return with_past(guest, params, take_snapshot);
}

Reply rename_snapshot(Guest& guest, const Json& params) {
  const auto mark = mark_param(guest, params);
  if (!mark) return refused(mark.error());
  const auto new_name = new_name_param(guest, params, "new_name");
  if (!new_name) return refused(new_name.error());
  sync::HistoryMark renamed = *mark;
  renamed.name = *new_name;
  guest.journal().add_mark(renamed);
  guest.journal().remove_mark(*mark);
  return Json{};
}

Reply delete_snapshot(Guest& guest, const Json& params) {
  const auto mark = mark_param(guest, params);
  if (!mark) return refused(mark.error());
  guest.journal().remove_mark(*mark);
  return Json{};
}

// The bytes of an attachment as it was: from a file here that has them, else from the server.
std::optional<Bytes> attachment(Guest& guest, const sync::BinaryRef& ref) {
  const auto hash = Sha256::from_hex(ref.hash);
  if (!hash) return std::nullopt;
  if (auto here = guest.session()->local_copy(*hash)) return here;
  const Endpoint server = guest.endpoint(Json::object());
  if (!guest.is_open() || server.server_url.empty() || server.auth_token.empty()) return std::nullopt;
  auto there = Remote(server).attachment(guest.session()->workspace_id(), *hash);
  if (!there) return std::nullopt;
  return std::move(*there);
}

Reply pack_snapshot(Guest& guest, Past& past, const Json& params) {
  const auto point = point_param(past, params, "update_id", past.last());
  if (!point) return refused(point.error());
  const bool attachments = flag_param(params, "include_attachments", true);
  ZipWriter zip;
  uint64_t files = 0;
  Json missing = Json::array();
  for (const std::string& path : past.history().files_at(*point)) {
    past.load_file(path);
    const auto file = past.history().file_at(path, *point);
    if (!file) continue;
    std::optional<Bytes> bytes;
    if (!file->binary) {
      if (file->text_known) bytes = to_bytes(as_bytes(file->text));
    } else if (attachments) {
      bytes = attachment(guest, *file->binary);
    } else {
      continue;
    }
    if (bytes && zip.add(file->path, *bytes)) {
      ++files;
    } else {
      missing.push(file->path);
    }
  }
  return Json{}
      .set("file_name", "snapshot-" + std::to_string(*point) + ".zip")
      .set("data", to_base64(std::move(zip).finish()))
      .set("files", files)
      .set("missing", std::move(missing));
}

// --- changes that wait ----------------------------------------------------------------------------------------------

Reply get_held(Guest& guest, const Json&) {
  const sync::Replica& replica = guest.session()->replica();
  const sync::ReplicaStatus status = replica.status();
  Json files = Json::array();
  for (const sync::HeldChange& change : replica.held()) {
    if (files.as_array()->size() == kMostHeldListed) break;
    files.push(
        Json{}
            .set("path", change.path)
            .set("direction", change.direction == sync::HeldChange::Direction::Outgoing ? "outgoing" : "incoming")
            .set("kind", change.kind == sync::HeldChange::Kind::Deletion ? "deletion" : "truncation"));
  }
  return Json{}
      .set("outgoing", status.held_outgoing)
      .set("incoming", status.held_incoming)
      .set("files", std::move(files));
}

template <class Answer>
Reply answer_held(Guest& guest, std::string member) {
  Session& session = *guest.session();
  const sync::ReplicaStatus status = session.replica().status();
  session.feed(Answer{});
  return Json{}.set(std::move(member), status.held_outgoing + status.held_incoming);
}

Reply release_held(Guest& guest, const Json&) { return answer_held<sync::ReleaseHeld>(guest, "released"); }
Reply undo_held(Guest& guest, const Json&) { return answer_held<sync::UndoHeld>(guest, "undone"); }

constexpr std::array kCommands{
    Command{"ListSnapshots", list_snapshots},
    Command{"CreateSnapshot", create_snapshot, Declared::Yes, Stores::Yes},
    Command{"RenameSnapshot", rename_snapshot, Declared::Yes, Stores::Yes},
    Command{"DeleteSnapshot", delete_snapshot, Declared::Yes, Stores::Yes},
    Command{"PackSnapshot", of_past<pack_snapshot>},
    Command{"GetHeldChanges", get_held},
    Command{"ReleaseHeldChanges", release_held, Declared::Yes, Stores::Yes},
    Command{"UndoHeldChanges", undo_held, Declared::Yes, Stores::Yes},
};

}  // namespace

std::span<const Command> snapshot_commands() { return kCommands; }

}  // namespace diaryx::plugin
