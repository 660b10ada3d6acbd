#include "session.h"

#include <algorithm>
#include <iterator>

#include "diaryx/base/shorten.h"
#include "diaryx/sync/path.h"
#include "host.h"
#include "notices.h"
#include "spaces.h"

namespace diaryx::plugin {
namespace {

// Hosts tell of one deleted file at a time. The first few are passed on at once; if more follow, a wave is only seen when
// they are counted together.
constexpr uint32_t kFewFiles = 4;
constexpr DurationMs kInARow{2'000};
constexpr DurationMs kQuiet{700};
constexpr DurationMs kReadAgain{30'000};
constexpr size_t kNamedAtOnce = 20;  // of the files that cannot be synced

bool is_transfer(const sync::Action& action) {
  return std::holds_alternative<sync::FetchBlob>(action) || std::holds_alternative<sync::UploadBlob>(action);
}

}  // namespace

Session::Session(Options options, const Journal::Stored& stored, Disk& disk, Journal& journal)
    : options_(std::move(options)), disk_(disk), journal_(journal) {
  // The name of an unlinked folder is its path, which no id of a document can hold; its documents travel nowhere.
  replica_ = std::make_unique<sync::Replica>(
      sync::ReplicaOptions{.workspace_id = options_.alone ? std::string(kUnlinked) : options_.workspace_id,
                           .client = options_.client,
                           .device = options_.device,
                           .write_files = options_.write_files});
  for (const Journal::Update& update : stored.updates) {
    if (const auto done = replica_->restore_update(update.doc, update.bytes); !done) {
      host::log(host::Level::Warn, "stored document " + update.doc + " was left out: " + describe(done.error()));
    }
  }
  for (const auto& [key, value] : stored.records) {
    if (const auto done = replica_->restore_record(key, value); !done) {
      host::log(host::Level::Warn, "stored record " + key + " was left out: " + describe(done.error()));
    }
  }
}

void Session::begin(TimestampMs now) {
  now_ = now;
  performed_.clear();  // an envelope tells of its own export
  if (current_) answer_failed(*std::exchange(current_, std::nullopt));
  if (wants_snapshot()) {
    // The host ended the export (native ones do for every status from 400 on), and with it the connection: a new one, without it.
    no_snapshot_ = reconnect_wanted_ = true;
    manifest_.clear();
    queue_.emplace_back(sync::Notify{sync::Problem{{}, "the host ended the download of the snapshot"}});
  }
  if (scan_in_doubt_ && scan_) ++scan_->at;
  scan_in_doubt_ = false;
  if (settle_at_ && *settle_at_ <= now_) {
    settle_at_.reset();
    feed(sync::FilesSettled{});
  }
}

void Session::feed(const sync::Event& event) {
  std::vector<sync::Action> actions;
  replica_->handle(event, now_, actions);
  for (sync::Action& action : actions) {
    if (const auto* update = std::get_if<sync::PersistUpdate>(&action)) {
      if (options_.keep) journal_.add_update(*update, now_);
    } else if (const auto* record = std::get_if<sync::PersistRecord>(&action)) {
      if (options_.keep) journal_.add_record(record->key, record->value);
    } else if (is_transfer(action)) {
      if (!options_.alone) transfers_.push_back(std::move(action));
    } else {
      queue_.push_back(std::move(action));
    }
  }
}

std::vector<std::string> Session::restore(const sync::RestoreFiles& files) {
  const size_t before = queue_.size();
  feed(files);
  std::vector<std::string> problems;
  for (auto action = std::next(queue_.begin(), static_cast<ptrdiff_t>(before)); action != queue_.end(); ++action) {
    const auto* notify = std::get_if<sync::Notify>(&*action);
    const auto* problem = notify ? std::get_if<sync::Problem>(&notify->notice) : nullptr;
    if (problem) problems.push_back(text_of(*problem));
  }
  return problems;
}

void Session::connected() {
  connected_ = true;
  read_again_at_ = now_;
  feed(sync::Connected{});
}

void Session::disconnected() {
  connected_ = false;
  manifest_.clear();
  // What waits for the old socket would reach the new one out of order; the next handshake says it all, and uploads are asked for again.
  const auto is_of_the_line = [](const sync::Action& action) {
    return std::holds_alternative<sync::SendBinary>(action) || std::holds_alternative<sync::SendText>(action) ||
           std::holds_alternative<sync::UploadBlob>(action);
  };
  for (std::list<sync::Action>* waiting : {&queue_, &transfers_}) std::erase_if(*waiting, is_of_the_line);
  feed(sync::Disconnected{});
}

void Session::begin_scan() {
  // Nobody has said where the files are, and the host's own directory is none of them.
  if (!disk_.has_root()) return host::log(host::Level::Warn, "no folder is open; no file is looked for");
  const std::vector<std::string> known = replica_->known_files();
  Scan scan;
  std::vector<std::string> unusable;
  scan.present = disk_.list(&unusable);
  shorten(unusable, kNamedAtOnce);
  for (const std::string& path : unusable)
    feed(sync::TextFileSeen{path, {}});  // which says what is wrong with the path
  if (scan.present.empty() && !known.empty()) {
    // Hosts answer "nothing" when they cannot or may not look. Better to miss a deletion than to spread one.
    host::log(host::Level::Warn, "the host lists no files at all; nothing is taken for deleted");
  } else {
    std::ranges::set_difference(known, scan.present, std::back_inserter(scan.missing));
  }
  scan_ = std::move(scan);
}

void Session::notice_missing() {
  if (!scan_) {
    begin_scan();
    if (scan_) scan_->present.clear();
  }
  work(nullptr);
}

void Session::expect(const std::string& path) {
  if (is_ours(path) && unread_.insert(path).second) read_again_at_ = now_ + kReadAgain;
}

bool Session::report(const std::string& path, sync::Ticket ticket) {
  if (!is_ours(path)) return false;
  expect(path);
  const Look look = disk_.look(path);
  if (look.state != Look::State::Unreadable) unread_.erase(path);
  switch (look.state) {
    case Look::State::Missing:
      gone_in_a_row_ = now_ <= last_gone_ + kInARow ? gone_in_a_row_ + 1 : 1;
      last_gone_ = now_;
      if (gone_in_a_row_ > kFewFiles) settle_at_ = now_ + kQuiet;
      feed(sync::FileGone{path, ticket});
      return true;
    case Look::State::Unreadable:
      host::log(host::Level::Warn, "cannot read " + path + "; it is left as it is until it can be read");
      return false;
    case Look::State::Read: break;
  }
  if (sync::is_markdown(path)) {
    feed(sync::TextFileSeen{path, as_text(look.bytes), ticket});
  } else {
    feed(sync::BlobFileSeen{path, sha256(look.bytes), look.bytes.size(), ticket});
  }
  return true;
}

void Session::settle() {
  if (!settle_at_) feed(sync::FilesSettled{});
}

// Nobody tells of a file twice. One that makes the host end this export too is given up.
void Session::read_again() {
  if (unread_.empty() || now_ < read_again_at_) return;
  read_again_at_ = now_ + kReadAgain;
  for (const std::string& path : std::set<std::string>(unread_)) {
    unread_.erase(path);
    const Look look = disk_.look(path);
    if (look.state == Look::State::Unreadable) unread_.insert(path);
    if (look.state == Look::State::Read) report(path);
  }
  settle();
}

void Session::work(const Remote* remote) {
  read_again();
  run_queue();
  while (scan_ && !host::nearly_exhausted()) scan_some();
  run_queue();
  if (const auto deadline = replica_->next_deadline(); deadline && *deadline <= now_) {
    feed(sync::DeadlineReached{});
    run_queue();
  }
  if (remote && !scan_) run_transfers(*remote);
  if (options_.keep) {
    journal_.flush_soon(now_);
    if (journal_.wants_compaction() && !host::nearly_exhausted()) fold();
  }
}

void Session::fold() {
  if (options_.keep) journal_.compact(*replica_, stored_as(), now_);
}

void Session::store_before(const sync::Action& action) {
  if (std::holds_alternative<sync::Notify>(action)) return;
  const bool is_sent =
      std::holds_alternative<sync::SendBinary>(action) || std::holds_alternative<sync::SendText>(action);
  is_sent ? journal_.flush_made_here() : journal_.flush();
}

void Session::run_queue() {
  while (!queue_.empty() && !host::nearly_exhausted()) {
    if (options_.keep) store_before(queue_.front());
    current_ = std::move(queue_.front());
    queue_.pop_front();
    perform(*current_);
    current_.reset();
  }
}

void Session::scan_some() {
  if (scan_->at < scan_->missing.size() + scan_->present.size()) {
    scan_in_doubt_ = true;
    scan_one(*scan_);
    scan_in_doubt_ = false;
    ++scan_->at;
    return;
  }
  scan_.reset();
  feed(sync::FilesSettled{});
}

void Session::scan_one(Scan& scan) {
  if (scan.at < scan.missing.size()) {
    const std::string& path = scan.missing[scan.at];
    // Some hosts do not list every kind of file, so not listed is not yet gone.
    if (!disk_.exists(path)) feed(sync::FileGone{path});
    return;
  }
  const std::string& path = scan.present[scan.at - scan.missing.size()];
  const Look look = disk_.look(path);
  if (look.state != Look::State::Read || look.hash() == replica_->known_hash(path)) return;
  if (sync::is_markdown(path)) {
    feed(sync::TextFileSeen{path, as_text(look.bytes)});
  } else {
    feed(sync::BlobFileSeen{path, *look.hash(), look.bytes.size()});
  }
}

SessionStatus Session::status() const {
  SessionStatus status{
      .replica = replica_->status(), .completed = progress_.completed, .total = progress_.total, .problem = problem_};
  status.settled =
      is_connected() && replica_->settled() && queue_.empty() && transfers_.empty() && !scan_ && !settle_at_;
  return status;
}

}  // namespace diaryx::plugin
