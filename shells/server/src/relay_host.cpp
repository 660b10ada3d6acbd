#include "relay_host.h"

#include <algorithm>
#include <chrono>

#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include "diaryx/native/log.h"
#include "diaryx/native/random.h"
#include "diaryx/sync/doc_id.h"
#include "services.h"

namespace diaryx::server {
namespace {

relay::StorageFailure failure_of(const StorageError& error) {
  switch (error.kind) {
    case StorageError::Kind::Full: return relay::StorageFailure::Full;
    case StorageError::Kind::Damaged: return relay::StorageFailure::Damaged;
    default: return relay::StorageFailure::Unavailable;
  }
}

}  // namespace

RelayHost::RelayHost(boost::asio::any_io_executor executor, Storage& storage, Metrics& metrics,
                     sync::RelayOptions options, uint64_t epoch, std::function<void()> superseded,
                     std::function<TimestampMs()> wall)
    : executor_(executor),
      timer_(executor),
      storage_(storage),
      metrics_(metrics),
      epoch_(epoch),
      superseded_(std::move(superseded)),
      wall_(std::move(wall)),
      relay_(std::move(options)) {}

relay::StorageFailure RelayHost::failed(const StorageError& error) {
  if (error.kind == StorageError::Kind::Superseded) superseded_();
  return failure_of(error);
}

relay::ConnectionId RelayHost::opened(std::shared_ptr<RelayPeer> peer, relay::SharedPrincipal principal,
                                      relay::Handshake handshake) {
  const relay::ConnectionId connection{next_connection_++};
  peers_.emplace(connection.value(), std::move(peer));
  handle(relay::ConnectionOpened{connection, std::move(principal), handshake});
  return connection;
}

void RelayHost::received(relay::ConnectionId connection, Bytes frame) {
  receive(relay::BinaryFrame{connection, std::move(frame)});
}

void RelayHost::received(relay::ConnectionId connection, std::string text) {
  receive(relay::TextMessage{connection, std::move(text)});
}

void RelayHost::receive(relay::Event event) {
  if (!gathers_) return handle(std::move(event));
  gathered_.push_back(std::move(event));
}

void RelayHost::take_gathered() {
  gathers_ = false;
  if (gathered_.empty()) return;
  relay_.handle(std::exchange(gathered_, {}), steady_now(), actions_);
  perform_all();
}

void RelayHost::drop_gathered() {
  gathers_ = false;
  gathered_.clear();
}

void RelayHost::closed(relay::ConnectionId connection) {
  peers_.erase(connection.value());
  handle(relay::ConnectionClosed{connection});
}

void RelayHost::revoke(const std::string& workspace, const std::string& user_id) {
  handle(relay::AccessRevoked{workspace, user_id});
}

void RelayHost::change_access(relay::ConnectionId connection, std::string workspace, relay::Access access) {
  handle(relay::AccessChanged{connection, std::move(workspace), access});
}

void RelayHost::end_access(relay::ConnectionId connection, std::string sentence) {
  handle(relay::AccessEnded{connection, std::move(sentence)});
}

void RelayHost::edit(sync::ServerEdit edit, std::function<void(bool)> done) {
  std::vector<relay::Action> actions;
  const relay::Ticket ticket = relay_.edit(std::move(edit), steady_now(), actions);
  edits_.emplace(ticket.value(), std::move(done));
  std::move(actions.begin(), actions.end(), std::back_inserter(actions_));
  perform_all();
}

void RelayHost::drain() {
  relay_.drain(steady_now(), actions_);
  perform_all();
}

void RelayHost::handle(relay::Event event) {
  if (!gathered_.empty()) take_gathered();
  relay_.handle(std::move(event), steady_now(), actions_);
  perform_all();
}

void RelayHost::perform_all() {
  // A peer that cannot send closes itself at once, which comes back here as an event: its actions join the queue.
  if (performing_) return;
  performing_ = true;
  for (size_t next = 0; next < actions_.size(); ++next) {
    relay::Action action = std::move(actions_[next]);
    std::visit([this](auto& one) { perform(one); }, action);
  }
  actions_.clear();
  performing_ = false;
  trimmer_.released(relay_.released_bytes());
  arm_timer();
}

template <typename T, typename Make>
Reply<T> RelayHost::reply(Make make_event) {
  auto home = boost::asio::prefer(executor_, boost::asio::execution::outstanding_work.tracked);
  return [this, home, make_event = std::move(make_event)](StorageResult<T> result) mutable {
    const std::lock_guard lock(arrived_mutex_);
    arrived_.emplace_back([make_event = std::move(make_event), result = std::move(result)]() mutable {
      return make_event(std::move(result));
    });
    if (arrived_.size() == 1) boost::asio::post(home, [this] { take_arrived(); });
  };
}

void RelayHost::take_arrived() {
  std::vector<Arrived> arrived;
  {
    const std::lock_guard lock(arrived_mutex_);
    arrived.swap(arrived_);
  }
  std::vector<relay::Event> events;
  events.reserve(arrived.size());
  for (Arrived& make_event : arrived) events.push_back(make_event());
  relay_.handle(std::move(events), steady_now(), actions_);
  perform_all();
}

relay::Event RelayHost::answer_access(relay::Ticket ticket, relay::ConnectionId connection,
                                      StorageResult<relay::Access> found) {
  // "I cannot tell" must not sound like "you may not": the connection is asked to come back.
  const bool unknown = !found && found.error().kind != StorageError::Kind::NotFound;
  RelayPeer* const asker = unknown ? peer(connection) : nullptr;
  if (asker != nullptr) asker->close(relay::CloseCode::TryAgainLater, "storage failed, come back");
  return relay::Authorized{ticket, found.value_or(relay::Access::Denied)};
}

void RelayHost::perform(relay::Authorize& action) {
  // Ids only, never names: two users may have a workspace of one name.
  if (!native::is_uuid(action.workspace)) {
    boost::asio::post(executor_,
                      [this, ticket = action.ticket] { handle(relay::Authorized{ticket, relay::Access::Denied}); });
    return;
  }
  if (action.principal.guest) return authorize_guest(action);
  storage_.workspaces.find(action.principal.user_id, action.workspace,
                           reply<Workspace>([this, ticket = action.ticket, connection = action.connection](
                                                StorageResult<Workspace> found) -> relay::Event {
                             if (!found) return answer_access(ticket, connection, std::unexpected(found.error()));
                             return answer_access(ticket, connection, relay::Access::ReadWrite);
                           }));
}

/// A guest may open the one workspace that its code stands for, as the share says now.
void RelayHost::authorize_guest(relay::Authorize& action) {
  storage_.access.find_share(
      sha256(action.principal.join_code),
      reply<Share>([this, ticket = action.ticket, connection = action.connection,
                    workspace = action.workspace](StorageResult<Share> found) -> relay::Event {
        if (!found) return answer_access(ticket, connection, std::unexpected(found.error()));
        if (found->workspace != workspace) return answer_access(ticket, connection, relay::Access::Denied);
        return answer_access(ticket, connection, found->read_only ? relay::Access::ReadOnly : relay::Access::ReadWrite);
      }));
}

void RelayHost::perform(relay::LoadDocument& action) {
  const std::string& name = action.document.str();
  storage_.documents.load(
      name, reply<StoredDocument>([ticket = action.ticket, name](StorageResult<StoredDocument> stored) -> relay::Event {
        if (stored) {
          return relay::DocumentLoaded{ticket, std::move(stored->snapshot), std::move(stored->updates), stored->last};
        }
        native::log().error("document {} was not loaded: {}", name, stored.error().detail);
        return relay::DocumentLoadFailed{ticket, failure_of(stored.error())};
      }));
}

void RelayHost::perform(relay::ListChanges& action) {
  storage_.documents.list_changes(
      action.workspace, action.since,
      reply<ChangedDocuments>([ticket = action.ticket,
                               workspace = action.workspace](StorageResult<ChangedDocuments> changed) -> relay::Event {
        if (changed)
          return relay::ChangesListed{ticket, changed->known, std::move(changed->documents), changed->through};
        native::log().error("what changed in workspace {} was not found: {}", workspace, changed.error().detail);
        return relay::ChangesListed{.ticket = ticket, .known = false, .documents = {}, .through = {}};
      }));
}

void RelayHost::perform(relay::AppendUpdate& action) {
  const auto parsed = sync::parse_doc_id(action.document.view());
  DX_ASSERT(parsed.has_value());  // the relay opens no other documents
  if (parsed->kind == sync::DocKind::Workspace) tell_list_watchers(parsed->workspace);
  NewUpdate update{.workspace = std::string(parsed->workspace),
                   .document = action.document.str(),
                   .bytes = std::move(action.update),
                   .user_id = std::move(action.user_id),
                   .device_id = std::move(action.device_id),
                   .origin = action.origin,
                   .time = wall_(),
                   .epoch = epoch_};
  storage_.documents.append(
      std::move(update),
      reply<relay::Sequence>([this, ticket = action.ticket](StorageResult<relay::Sequence> sequence) -> relay::Event {
        ++(sequence ? metrics_.updates_stored : metrics_.updates_not_stored);
        // One for a workspace that went says nothing of the storage.
        if (sequence || sequence.error().kind != StorageError::Kind::NotFound) metrics_.cannot_store = !sequence;
        if (sequence) return relay::UpdateStored{ticket, *sequence};
        return relay::UpdateNotStored{ticket, failed(sequence.error())};
      }));
}

void RelayHost::perform(relay::StoreSnapshot& action) {
  storage_.documents.store_snapshot(
      action.document.str(), std::move(action.state), action.through, epoch_,
      reply<void>([this, ticket = action.ticket](StorageResult<void> stored) -> relay::Event {
        if (stored) return relay::SnapshotStored{ticket};
        return relay::SnapshotNotStored{ticket, failed(stored.error())};
      }));
}

void RelayHost::perform(relay::SendBinary& action) {
  for (const relay::ConnectionId to : action.to) {
    if (RelayPeer* one = peer(to)) one->send(action.bytes);
  }
}

void RelayHost::perform(relay::SendText& action) {
  for (const relay::ConnectionId to : action.to) {
    if (RelayPeer* one = peer(to)) one->send(action.text);
  }
}

void RelayHost::perform(relay::PauseReading& action) {
  if (RelayPeer* one = peer(action.connection)) one->pause();
}

void RelayHost::perform(relay::ResumeReading& action) {
  if (RelayPeer* one = peer(action.connection)) one->resume();
}

void RelayHost::perform(relay::CloseConnection& action) {
  if (RelayPeer* one = peer(action.connection)) one->close(action.code, action.reason);
}

void RelayHost::perform(relay::EditFinished& action) {
  const auto found = edits_.find(action.ticket.value());
  DX_ASSERT(found != edits_.end());  // kept by `edit` before any action of it is performed
  auto done = std::move(found->second);
  edits_.erase(found);
  done(action.stored);
}

void RelayHost::watch_list(relay::ConnectionId connection, const std::string& workspace) {
  list_watchers_[workspace].insert(connection);
}

void RelayHost::unwatch_list(relay::ConnectionId connection, const std::string& workspace) {
  const auto watched = list_watchers_.find(workspace);
  if (watched == list_watchers_.end()) return;
  watched->second.erase(connection);
  if (watched->second.empty()) list_watchers_.erase(watched);
}

void RelayHost::tell_list_watchers(std::string_view workspace) {
  const auto watched = list_watchers_.find(workspace);
  if (watched == list_watchers_.end()) return;
  for (const relay::ConnectionId watcher : watched->second) {
    if (RelayPeer* one = peer(watcher)) one->list_changed();
  }
}

RelayPeer* RelayHost::peer(relay::ConnectionId connection) {
  const auto found = peers_.find(connection.value());
  return found == peers_.end() ? nullptr : found->second.get();
}

void RelayHost::arm_timer() {
  const auto deadline = relay_.next_deadline();
  if (deadline == armed_for_) return;
  armed_for_ = deadline;
  if (!deadline) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::chrono::milliseconds(std::max<int64_t>(0, (*deadline - steady_now()).value())));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    armed_for_.reset();
    handle(relay::DeadlineReached{});
  });
}

}  // namespace diaryx::server
