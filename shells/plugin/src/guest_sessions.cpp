// Which session is open: this folder's own, the one of a workspace that it was linked to before, or a shared one.
#include "guest.h"

#include <algorithm>

#include "diaryx/sync/path.h"
#include "entropy.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kFolderRecord = "folder";  // where the files are that the records tell of

}  // namespace

Session* Guest::folder_session() {
  if (!session_ || session_->options().keep || session_->options().write_files) return session_.get();
  return aside_.get();
}

std::string Guest::folder_name() const {
  const std::string root = disk_.root();
  return std::string(kUnlinked) + (root == "." ? std::string() : ':' + root);
}

void Guest::use_journal(uint64_t space) {
  journal_ = Journal(Space(space));
  journal_.history().set_device(device_);
}

void Guest::start_session(const Journal::Stored& stored, Session::Options options) {
  options.client = fresh_client_id();
  options.write_files = writes_files();
  options.device = device_;
  session_ = std::make_unique<Session>(std::move(options), stored, disk_, journal_);
  session_->begin(host::now());
  if (session_->options().alone) session_->connected();
}

// This folder's session from what is stored of that workspace. id: empty for a folder that is linked to none.
void Guest::open_own(std::string id) {
  session_.reset();
  if (id.empty()) id = spaces_.workspace_of(folder_name());  // unlinked, and otherwise as it was
  const bool alone = id.empty();
  if (alone) id = folder_name();
  use_journal(spaces_.claim(id));
  Journal::Stored stored = journal_.load();
  note_folder(stored);
  start_session(stored, {.workspace_id = id, .alone = alone});
}

// Which files are here is true of one folder. Opened in another one, those that are not there are not deleted files but files that
// have yet to come. A folder that only has another name by now (it was moved; or where apps are installed anew under one) still has
// most of them.
void Guest::note_folder(Journal::Stored& stored) {
  if (!disk_.has_root()) return;
  const std::string before = std::exchange(stored.records[std::string(kFolderRecord)], disk_.root());
  if (before == disk_.root()) return;
  journal_.add_record(kFolderRecord, disk_.root());
  if (before.empty()) return;
  const std::vector<std::string> present = disk_.list();
  size_t known = 0;
  size_t found = 0;
  for (const auto& [key, value] : stored.records) {
    if (!key.starts_with(sync::kFileRecordPrefix)) continue;
    ++known;
    if (std::ranges::binary_search(present, key.substr(sync::kFileRecordPrefix.size()))) ++found;
  }
  if (2 * found >= known) return;
  host::log(host::Level::Warn,
            "this workspace was in " + before + " and is opened in another folder; its files will be there too");
  std::erase_if(stored.records, [this](const auto& record) {
    if (!sync::is_about_disk(record.first)) return false;
    journal_.add_record(record.first, {});
    return true;
  });
}

void Guest::open_folder(const Disk& folder) {
  // What a folder without a name and a workspace has is for the first that is named.
  const bool is_elsewhere = session_ && (disk_.has_root() || is_linked()) && folder != disk_;
  if (is_elsewhere) {
    end_share();
    save();
  }
  disk_ = folder;
  if (!is_elsewhere) return;
  open_own(workspace());
  reconcile();
}

// The same session once more, from what it has.
void Guest::restart_session() {
  const Session::Options now = session_->options();
  start_session(present_state(), {.workspace_id = now.workspace_id, .stored_as = now.stored_as, .keep = now.keep});
}

// Brings this folder's session in line with the workspace that the config names. What a folder had before it was linked for the
// first time goes along; what belongs to another workspace stays where it is, for when it is linked again.
void Guest::follow_config() {
  end_share();
  if (!session_) {
    load_device();
    spaces_.load();
    return open_own(workspace());
  }
  save();
  const std::string own = session_->workspace_id();
  const std::string& linked = workspace();
  if (linked.empty()) {
    if (const auto space = spaces_.find(own); space && !session_->options().alone) spaces_.share(folder_name(), *space);
  } else if (own == linked) {
    if (session_->options().write_files != writes_files()) restart_session();
  } else if (session_->options().alone && !spaces_.find(linked)) {
    const Journal::Stored state = present_state();
    spaces_.rename(own, linked);
    start_session(state, {.workspace_id = linked});
  } else {
    open_own(linked);
  }
}

Journal::Stored Guest::present_state() const {
  Journal::Stored state;
  if (!session_) return state;
  state.workspace_id = session_->workspace_id();
  for (const std::string& doc : session_->replica().documents()) {
    state.updates.push_back({doc, session_->replica().document_state(doc)});
  }
  if (session_->options().keep) state.records = journal_.records();
  return state;
}

// A web host may run `init` before it knows which plugin this is; storage looks empty then. Before anything is written
// over it, a later call looks again and puts both states together. That costs a dozen reads in each call, so once nothing was found
// the first change is stored at the end of the call that brings it.
void Guest::adopt_late_state() {
  spaces_.load();
  const std::string& linked = workspace();
  Journal late(Space(spaces_.claim(linked.empty() ? session_->stored_as() : linked)));
  if (late.load().empty()) return journal_.wait_no_longer();
  host::log(host::Level::Info, "stored state was found after init");
  const Journal::Stored present = present_state();
  open_own(linked);
  for (const Journal::Update& update : present.updates) absorb(update.doc, update.bytes);
  reconcile();
  if (is_linked()) session_->begin_scan();
}

void Guest::link(const std::string& workspace_id, const Disk& folder) {
  end_share();
  save();
  const bool is_elsewhere = session_ && folder.root() != disk_.root();
  disk_ = folder;
  (void)config();
  config_.workspace_id = workspace_id;
  save_config();
  write_to_disk_ = true;
  if (is_elsewhere)
    open_own(std::string(workspace_id));
  else
    follow_config();
  session_->begin_scan();
  reconcile();
}

void Guest::unlink() {
  Config unlinked = config();
  unlinked.workspace_id.clear();
  change_config(unlinked);
  save();
}

void Guest::lend_folder(const std::string& workspace_id) {
  left_.clear();
  if (session_ && session_->workspace_id() != workspace_id && !is_linked()) end_share();
  if (is_linked() || !session_ || !session_->options().keep) return open_share(workspace_id, true);
  write_to_disk_ = true;
  if (session_->workspace_id() != workspace_id) {
    save();
    journal_.add_record(sync::kCursorRecord, {});
    start_session(present_state(), {.workspace_id = workspace_id, .stored_as = session_->workspace_id()});
  } else if (session_->options().write_files != writes_files()) {
    restart_session();
  }
  session_->begin_scan();
  if (socket_open_ && requested_.workspace_id == workspace_id) take_line();
}

void Guest::open_share(const std::string& workspace_id, bool write_files) {
  left_.clear();
  write_to_disk_ = write_files;
  if (config().workspace_id == workspace_id) {
    follow_config();
    if (write_files) session_->begin_scan();
  } else if (session_ && session_->is_lent() && session_->workspace_id() == workspace_id) {
    if (session_->options().write_files != writes_files()) restart_session();
  } else {
    save();
    if (session_ && session_->is_connected()) session_->disconnected();
    if (!aside_ && session_ && session_->options().keep) aside_ = std::move(session_);
    load_device();
    start_session({}, {.workspace_id = workspace_id, .keep = false});
  }
  if (socket_open_ && requested_.workspace_id == workspace_id) take_line();
}

// Back to this folder's own session, if another one is open.
void Guest::end_share() {
  if (session_ && session_->is_lent()) {
    if (session_->is_connected()) session_->disconnected();
    journal_.add_record(sync::kCursorRecord, {});
    save();
    open_own({});
  } else if (aside_) {
    session_ = std::move(aside_);
  } else if (session_ && !session_->options().keep) {
    session_.reset();
  }
}

void Guest::close_share() {
  disconnect();
  write_to_disk_ = true;
  end_share();
  if (is_linked()) {
    follow_config();
    session_->begin_scan();
  }
  reconcile();
}

}  // namespace diaryx::plugin
