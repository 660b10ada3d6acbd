#include "diaryx/testing/fake_server.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace diaryx::testing {

namespace relay = sync::relay;

namespace {

constexpr DurationMs kMoment{20};
constexpr uint64_t kMostReadSteps = 10;

}  // namespace

FakeServer::FakeServer(uint64_t seed, Deliver deliver, Closed closed)
    : seed_(seed),
      deliver_(std::move(deliver)),
      closed_(std::move(closed)),
      read_random_(seed * 0x9e3779b97f4a7c15ull + 3) {
  crash();
}

void FakeServer::crash() {
  waiting_.clear();
  reads_.clear();
  answers_.clear();
  ++list_changes_;
  sync::RelayOptions options{.lineage = "lineage" + std::to_string(lineages_), .seed = seed_ + ++starts_};
  // Nobody can tell how long documents stay in memory. Every other server has them there for a moment only.
  if (starts_ % 2 == 0) options.limits.idle_before_unload = kMoment;
  relay_ = std::make_unique<sync::Relay>(std::move(options));
}

void FakeServer::roll_back() {
  log_ = *backup_;
  ++lineages_;  // as the server's command does
  crash();
}

relay::ConnectionId FakeServer::connect(std::string user, TimestampMs now, relay::Handshake handshake) {
  const relay::ConnectionId id{next_connection_++};
  feed(relay::ConnectionOpened{.connection = id,
                               .principal = relay::share({.user_id = std::move(user), .device_id = "device"}),
                               .handshake = handshake},
       now);
  return id;
}

void FakeServer::disconnect(relay::ConnectionId connection, TimestampMs now) {
  feed(relay::ConnectionClosed{connection}, now);
}

void FakeServer::receive(relay::ConnectionId connection, bool text, const std::string& bytes, TimestampMs now) {
  if (text) {
    feed(relay::TextMessage{connection, bytes}, now);
  } else {
    feed(relay::BinaryFrame{connection, to_bytes(as_bytes(bytes))}, now);
  }
}

void FakeServer::commit(TimestampMs now) {
  std::deque<Waiting> batch = std::exchange(waiting_, {});
  for (Waiting& waiting : batch) {
    last_of_[waiting.document] = next_sequence_;
    log_[waiting.document].push_back(std::move(waiting.update));
    feed(relay::UpdateStored{waiting.ticket, relay::Sequence{next_sequence_++}}, now);
  }
}

void FakeServer::answer_reads(TimestampMs now) {
  std::deque<Read> due;
  for (Read& read : reads_) --read.steps;
  const auto waits = std::ranges::stable_partition(reads_, [](const Read& read) { return read.steps > 0; });
  std::ranges::move(waits, std::back_inserter(due));
  reads_.erase(waits.begin(), waits.end());
  for (Read& read : due) feed(std::move(read.answer), now);
}

void FakeServer::answer_read(relay::Event answer) {
  if (slow_read_ > 0 && read_random_.chance(slow_read_)) {
    reads_.push_back({1 + static_cast<int>(read_random_.below(kMostReadSteps)), std::move(answer)});
  } else {
    answers_.push_back(std::move(answer));
  }
}

void FakeServer::tick(TimestampMs now) {
  const std::optional<TimestampMs> deadline = relay_->next_deadline();
  if (deadline && *deadline <= now) feed(relay::DeadlineReached{}, now);
}

size_t FakeServer::stored_updates() const {
  size_t count = 0;
  for (const auto& [document, updates] : log_) count += updates.size();
  return count;
}

void FakeServer::feed(relay::Event event, TimestampMs now) {
  answers_.push_back(std::move(event));
  take_answers(now);
}

void FakeServer::edit(sync::ServerEdit edit, TimestampMs now) {
  std::vector<relay::Action> actions;
  relay_->edit(std::move(edit), now, actions);
  for (relay::Action& action : actions) perform(action);
  take_answers(now);
}

crdt::Doc& FakeServer::live(const DocId& document, TimestampMs now) {
  sync::ServerEdit nothing;
  nothing.document = document;
  edit(std::move(nothing), now);
  for (Read& read : std::exchange(reads_, {})) feed(std::move(read.answer), now);
  crdt::Doc* const found = relay_->find(document);
  DX_ASSERT(found != nullptr);
  return *found;
}

void FakeServer::take_answers(TimestampMs now) {
  if (feeding_) return;
  feeding_ = true;
  while (!answers_.empty()) {
    relay::Event next = std::move(answers_.front());
    answers_.pop_front();
    std::vector<relay::Action> actions;
    relay_->handle(std::move(next), now, actions);
    for (relay::Action& action : actions) perform(action);
  }
  feeding_ = false;
}

relay::ChangesListed FakeServer::list_changes(const relay::ListChanges& question) const {
  relay::ChangesListed listed{.ticket = question.ticket,
                              .known = question.since.has_value(),
                              .documents = {},
                              .through = relay::Sequence{next_sequence_ - 1}};
  for (const auto& [document, last] : last_of_) {
    if (question.since && last > question.since->value()) listed.documents.push_back(document);
  }
  return listed;
}

void FakeServer::perform(relay::Action& action) {
  if (const auto* authorize = std::get_if<relay::Authorize>(&action)) {
    answer_read(relay::Authorized{authorize->ticket, relay::Access::ReadWrite});
  } else if (const auto* load = std::get_if<relay::LoadDocument>(&action)) {
    answer_read(relay::DocumentLoaded{
        .ticket = load->ticket, .updates = log_[load->document.str()], .last = relay::Sequence{next_sequence_ - 1}});
  } else if (const auto* list = std::get_if<relay::ListChanges>(&action)) {
    answer_read(list_changes(*list));
  } else if (const auto* append = std::get_if<relay::AppendUpdate>(&action)) {
    waiting_.push_back({append->ticket, append->document.str(), *append->update});
    if (append->document.view().starts_with("workspace:")) ++list_changes_;
  } else if (const auto* snapshot = std::get_if<relay::StoreSnapshot>(&action)) {
    answers_.push_back(relay::SnapshotStored{snapshot->ticket});  // the log alone is kept: it says the same
  } else if (const auto* binary = std::get_if<relay::SendBinary>(&action)) {
    for (const relay::ConnectionId to : binary->to) deliver_(to, false, std::string(as_text(*binary->bytes)));
  } else if (const auto* text = std::get_if<relay::SendText>(&action)) {
    for (const relay::ConnectionId to : text->to) deliver_(to, true, *text->text);
  } else if (const auto* close = std::get_if<relay::CloseConnection>(&action)) {
    closed_(close->connection);
  }
}

}  // namespace diaryx::testing
