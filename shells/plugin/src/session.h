// One workspace at work: the replica, and the hands that do what it asks for.
//
//     export ── Event ──► Replica ── Actions ──► journal first, then socket, folder, transfers
//
// Invariants
//  1. Everything to do is a member before it is done, and one action at a time is taken out. A native host that ends the
//     export in the middle loses nothing: the next export finds the rest, and `recover` answers for the one that failed.
//  2. No file is written or moved while changes are unsaved, and nothing is sent while something that was made here is
//     (`store_before`). Telling the host what others did does not wait for the storage.
//  3. A file is replaced or removed only after a look at it, in the same call, found what the replica expects.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "diaryx/base/json.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/replica.h"
#include "disk.h"
#include "envelope.h"
#include "journal.h"
#include "remote.h"

namespace diaryx::plugin {

/// Why an update was made here, for the history.
struct Origin {
  sync::HistoryOrigin kind = sync::HistoryOrigin::Local;
  std::string note = {};
};

/// What a status line wants to know.
struct SessionStatus {
  sync::ReplicaStatus replica;
  bool settled = false;  // nothing left to do anywhere
  uint64_t completed = 0;  // of the running first sync
  uint64_t total = 0;
  std::string problem;  // the last one since all was settled
};

class Session {
 public:
  struct Options {
    std::string workspace_id;
    std::string stored_as =
        {};  // the name of its part of the storage, where that is another: a folder that is lent to a share
    ClientId client;
    sync::HistoryDevice device;
    bool write_files = true;
    bool keep = true;  // false: nothing of it is stored (a guest in somebody else's workspace)
    bool alone = false;  // linked to no workspace: there is no server, and nothing elsewhere to wait for
  };

  /// stored   what the replica starts from; bad parts are logged and left out.
  Session(Options options, const Journal::Stored& stored, Disk& disk, Journal& journal);

  const std::string& workspace_id() const { return options_.workspace_id; }
  const Options& options() const { return options_; }
  const std::string& stored_as() const {
    return options_.stored_as.empty() ? options_.workspace_id : options_.stored_as;
  }
  /// This folder's own documents, shared under an id that the folder is not linked to.
  bool is_lent() const { return !options_.stored_as.empty(); }
  const sync::Replica& replica() const { return *replica_; }

  /// Starts an export: the time that holds for all of it, and answers for what an earlier one could not finish.
  void begin(TimestampMs now);
  TimestampMs now() const { return now_; }
  void feed(const sync::Event& event);
  /// Puts an update that was made here into a document: stored, and sent when there is a connection.
  void absorb(std::string_view doc, ByteView update, const Origin& origin = {}) {
    feed(sync::UpdateMade{doc, update, origin.kind, origin.note});
  }
  /// A text of the server.
  void hear(std::string_view text);
  /// The server wants its snapshot to be unpacked here before the handshake goes on.
  bool wants_snapshot() const { return !manifest_.empty(); }
  /// It goes on. problem: why there are no files of the snapshot; they come with the documents then.
  void snapshot_done(std::string_view problem);
  /// The files in front of the user: they come first, and are asked for again.
  void focus(std::vector<std::string> paths);
  const std::vector<std::string>& focused() const { return focus_; }
  /// Queues one message about a document.
  void send(std::string_view doc, const sync::Message& message);
  /// Brings a file up to date that the replica does not write by itself, unless somebody else changed it.
  void write_out(const std::string& path);
  /// Carries out a plan of the history. Returns what could not be done, as sentences.
  std::vector<std::string> restore(const sync::RestoreFiles& files);
  void connected();
  void disconnected();
  bool is_connected() const { return connected_ && !options_.alone; }

  /// Compares the whole folder with what is known. Goes on in later exports when there is much.
  void begin_scan();
  bool is_scanning() const { return scan_.has_value(); }
  /// Sees now which files are gone without a word of the host; of those that are there nothing is read.
  void notice_missing();
  /// Looks at one path and reports what is there; the caller ends the batch with `settle`. False if it could not be read.
  bool report(const std::string& path, sync::Ticket ticket = {});
  /// To be called before anything else looks at a path that `report` will be told of: a native host that lets nobody read it ends the
  /// export there, and it is looked at again later.
  void expect(const std::string& path);
  /// Ends a batch: what is gone now is deleted. When file after file goes, that is counted first when it is over.
  void settle();

  /// Does what there is to do, as far as one export may go. `remote` is null when there is no server to talk to.
  void work(const Remote* remote);
  /// Whether attachments wait for a server.
  bool has_transfers() const { return !transfers_.empty() && !scan_; }
  /// Writes whole states instead of a journal.
  void fold();

  SessionStatus status() const;
  /// The content of a file of this folder that has these bytes now.
  std::optional<Bytes> local_copy(const Sha256& hash) const;
  std::vector<EnvelopeAction> take_performed() { return std::exchange(performed_, {}); }
  /// True once after the replica asked for a new socket.
  bool take_reconnect() { return std::exchange(reconnect_wanted_, false); }

 private:
  struct Scan {
    std::vector<std::string> missing;  // known and not listed: look whether they are gone
    std::vector<std::string> present;
    size_t at = 0;  // next in `missing`, then in `present`
  };

  void run_queue();
  void read_again();
  void store_before(const sync::Action& action);
  void scan_some();
  void scan_one(Scan& scan);
  void run_transfers(const Remote& remote);

  void answer_alone(ByteView frame);
  void tell(const Json& envelope, const Json& event);
  void perform(const sync::Action& action);
  void perform_one(const sync::SendBinary& send);
  void perform_one(const sync::SendText& send);
  void perform_one(const sync::Reconnect& reconnect);
  void perform_one(const sync::ReadFile& read);
  void perform_one(const sync::WriteText& write);
  void perform_one(const sync::RemoveFile& remove);
  void perform_one(const sync::MoveFile& move);
  void perform_one(const sync::Notify& notify);
  void fetch(const Remote& remote, const sync::FetchBlob& fetch);
  void upload(const Remote& remote, const sync::UploadBlob& upload);

  // An action on the disk, as its answer names it.
  struct Asked {
    const std::string& path;
    sync::Ticket ticket;
  };
  void place(const Asked& asked, const std::optional<Sha256>& expected, ByteView bytes, const Sha256& hash);
  void refuse(const Asked& asked, std::string_view reason);
  /// Another file than expected, or none, is at `changed`.
  void refuse_changed(const Asked& asked, const std::string& changed, bool in_doubt = false);
  void transfer_failed(const std::string& path, const Sha256& hash, sync::Ticket ticket, std::string_view reason,
                       bool is_final = false);
  void answer_failed(const sync::Action& action);

  Options options_;
  Disk& disk_;  // owned by the guest
  Journal& journal_;  // owned by the guest
  std::unique_ptr<sync::Replica> replica_;
  TimestampMs now_;
  bool connected_ = false;
  std::vector<std::string> focus_;
  bool reconnect_wanted_ = false;
  std::string manifest_;  // of the server, not yet heard: the snapshot comes first
  bool no_snapshot_ = false;  // it cannot be had
  std::list<sync::Action> queue_;
  std::list<sync::Action> transfers_;
  std::optional<sync::Action> current_;  // being performed; still here in the next export only if that was cut short
  std::optional<Scan> scan_;
  uint32_t gone_in_a_row_ = 0;  // files that went, each soon after the one before
  TimestampMs last_gone_;
  std::optional<TimestampMs> settle_at_;
  std::set<std::string> unread_;  // somebody told of them, and they could not be read
  TimestampMs read_again_at_;
  bool is_copied_ = false;  // the file to be moved is at its new name, and going from the old one has not returned
  bool placing_ = false;  // what was fetched was being placed, and has not returned
  bool scan_in_doubt_ = false;  // a scan step was begun and has not returned
  sync::Progress progress_;
  std::string problem_;
  std::vector<EnvelopeAction> performed_;
};

}  // namespace diaryx::plugin
