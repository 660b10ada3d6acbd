#include "replica/open_bodies.h"

#include <utility>

namespace diaryx::sync {
namespace {

constexpr DurationMs kRefusedRetry{30'000};
constexpr size_t kProgressStep = 50;

}  // namespace

bool OpenBodies::is_answered(const std::string& key) const {
  const auto found = bodies_.find(key);
  return found != bodies_.end() && found->second.link.answered();
}

bool OpenBodies::is_saved(const std::string& key) const {
  const auto found = bodies_.find(key);
  return found != bodies_.end() && found->second.link.saved();
}

bool OpenBodies::was_refused(const std::string& key) const {
  const auto found = bodies_.find(key);
  return found != bodies_.end() && found->second.was_refused;
}

std::optional<size_t> OpenBodies::take_progress(bool are_all) {
  if (answered() < told_ + (are_all ? 1 : kProgressStep)) return std::nullopt;
  return told_ = answered();
}

// --- the queue --------------------------------------------------------------------------------------------------

void OpenBodies::enqueue(const std::string& key) {
  if (!is_open(key) && queued_.insert(key).second) queue_.push_back(key);
}

void OpenBodies::enqueue_first(const std::string& key) {
  if (is_open(key)) return;
  if (!queued_.insert(key).second) std::erase(queue_, key);
  queue_.push_front(key);
}

std::optional<std::string> OpenBodies::open_next() {
  if (unanswered_.size() >= most_unanswered_ || queue_.empty()) return std::nullopt;
  std::string key = std::move(queue_.front());
  queue_.pop_front();
  queued_.erase(key);
  index(key, bodies_[key]);
  return key;
}

void OpenBodies::open_in_step(const std::string& key) {
  DX_ASSERT(!is_queued(key));
  index(key, bodies_.emplace(key, Body{.link = DocLink::in_step()}).first->second);
}

void OpenBodies::doubt(const std::string& key) {
  Body& body = bodies_.at(key);
  body.link = DocLink(DocLink::Kind::Body);
  index(key, body);
}

// --- links ------------------------------------------------------------------------------------------------------

void OpenBodies::index(const std::string& key, const Body& body) {
  const auto put = [&](Keys& keys, bool in) {
    if (in) {
      keys.insert(key);
    } else {
      keys.erase(key);
    }
  };
  put(unanswered_, !body.link.answered());
  put(unsaved_, !body.link.saved());
}

Bytes OpenBodies::ask(const std::string& key, const crdt::Doc& doc, TimestampMs now) {
  return bodies_.at(key).link.ask(doc, now);
}

Result<Bytes> OpenBodies::on_step1(const std::string& key, const crdt::Doc& doc, ByteView state_vector) {
  Body& body = bodies_.at(key);
  Result<Bytes> answer = body.link.on_step1(doc, state_vector);
  index(key, body);
  return answer;
}

Bytes OpenBodies::on_step2(const std::string& key, const crdt::Doc& doc, ByteView update) {
  Body& body = bodies_.at(key);
  body.waits_longer = false;
  Bytes lacking = body.link.on_step2(doc, update);
  index(key, body);
  return lacking;
}

Bytes OpenBodies::on_local_update(const std::string& key, ByteView update) {
  Body& body = bodies_.at(key);
  Bytes payload = body.link.on_local_update(update);
  index(key, body);
  return payload;
}

Bytes OpenBodies::ask_for_base(const std::string& key, const crdt::Doc& doc) {
  Body& body = bodies_.at(key);
  Bytes payload = body.link.ask_for_base(doc);
  index(key, body);
  return payload;
}

void OpenBodies::on_saved(const std::string& key, uint64_t received) {
  Body& body = bodies_.at(key);
  body.link.on_saved(received);
  index(key, body);
}

// --- refusals and silence ---------------------------------------------------------------------------------------

void OpenBodies::on_refused(const std::string& key) {
  Body& body = bodies_.at(key);
  body.was_refused = true;
  body.waits_longer = !body.link.answered();
}

void OpenBodies::on_dropped(const std::string& key, TimestampMs now) {
  Body& body = bodies_.at(key);
  if (body.link.answered()) body.link.start_over(now);
  body.waits_longer = true;
  index(key, body);
}

uint32_t OpenBodies::on_silence(const std::string& key) {
  Body& body = bodies_.at(key);
  body.waits_longer = false;
  return ++body.silences;
}

TimestampMs OpenBodies::asked_again_at(const std::string& key) const {
  const Body& body = bodies_.at(key);
  return body.link.asked_at() + (body.waits_longer ? kRefusedRetry : answer_timeout_);
}

std::optional<TimestampMs> OpenBodies::next_moment() const {
  std::optional<TimestampMs> next;
  for (const std::string& key : unanswered_) {
    const TimestampMs moment = asked_again_at(key);
    if (!next || moment < *next) next = moment;
  }
  return next;
}

std::vector<std::string> OpenBodies::due(TimestampMs now) const {
  std::vector<std::string> keys;
  for (const std::string& key : unanswered_) {
    if (asked_again_at(key) <= now) keys.push_back(key);
  }
  return keys;
}

OpenBodies::Keys OpenBodies::end() {
  Keys left = std::exchange(unanswered_, {});
  left.merge(std::exchange(queued_, {}));
  bodies_.clear();
  unsaved_.clear();
  queue_.clear();
  told_ = 0;
  return left;
}

}  // namespace diaryx::sync
