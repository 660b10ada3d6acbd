#include "idle_documents.h"

#include <utility>

namespace diaryx::sync::relay {
namespace {

/// What was edited or left just now is perhaps looked at next.
constexpr DurationMs kIdleAtLeast{1000};
/// A document stays in memory so much longer for each millisecond, so that loading again takes a small part of the time.
constexpr uint64_t kBytesWorthAMillisecond = 1024;

}  // namespace

void IdleDocuments::note(const SharedDocId& document, uint64_t size_bytes, TimestampMs now) {
  const auto [found, is_new] = documents_.try_emplace(document->view());
  Document& idle = found->second;
  bytes_ += size_bytes - std::exchange(idle.size_bytes, size_bytes);
  if (idle.since) return;
  idle.since = now;
  if (!is_new) return;
  idle.id = document;
  check_at(checks_, idle, now + before_unload_);
}

void IdleDocuments::end(const SharedDocId& document) {
  const auto found = documents_.find(document->view());
  if (found == documents_.end()) return;
  found->second.since.reset();
  bytes_ -= std::exchange(found->second.size_bytes, 0);
}

void IdleDocuments::forget(const SharedDocId& document) {
  end(document);
  documents_.erase(document->view());
}

std::optional<TimestampMs> IdleDocuments::next_moment() const {
  std::optional<TimestampMs> next;
  for (const Checks* const checks : {&checks_, &lingering_}) {
    if (!checks->empty() && (!next || checks->begin()->first < *next)) next = checks->begin()->first;
  }
  return next;
}

SharedDocId IdleDocuments::take_due(TimestampMs now) {
  SharedDocId due = take_due_of(checks_, now);
  return due != nullptr ? due : take_due_of(lingering_, now);
}

SharedDocId IdleDocuments::take_due_of(Checks& checks, TimestampMs now) {
  while (!checks.empty() && checks.begin()->first <= now) {
    Document* const idle = take_first(checks);
    if (idle == nullptr) continue;
    const DurationMs longer{static_cast<int64_t>(idle->size_bytes / kBytesWorthAMillisecond)};
    const TimestampMs due = *idle->since + before_unload_ + longer;
    if (due <= now) return take(*idle);
    check_at(lingering_, *idle, due);
  }
  return nullptr;
}

/// Many documents that are edited once and left, as by an import, must not add up until their time has come.
SharedDocId IdleDocuments::take_beyond_limit(TimestampMs now) {
  while (bytes_ > max_bytes_) {
    Checks& checks = lingering_.empty() ? checks_ : lingering_;
    if (checks.empty()) return nullptr;
    const bool is_new = &checks == &checks_ && checks.begin()->first + kIdleAtLeast > now + before_unload_;
    if (is_new) return nullptr;
    if (const Document* const idle = take_first(checks)) return take(*idle);
  }
  return nullptr;
}

void IdleDocuments::check_at(Checks& checks, Document& document, TimestampMs moment) {
  document.check = moment;
  checks.emplace(moment, document.id);
}

/// The document that is to be looked at first; null: it has been used since, and waits for its time anew.
IdleDocuments::Document* IdleDocuments::take_first(Checks& checks) {
  const auto [moment, id] = *checks.begin();
  checks.erase(checks.begin());
  const auto found = documents_.find(id->view());
  if (found == documents_.end() || found->second.check != moment) return nullptr;  // of one that was forgotten
  Document& first = found->second;
  if (!first.since) {
    documents_.erase(found);
    return nullptr;
  }
  const TimestampMs due = *first.since + before_unload_;
  if (moment >= due) return &first;
  check_at(checks_, first, due);
  return nullptr;
}

SharedDocId IdleDocuments::take(const Document& document) {
  const SharedDocId id = document.id;
  forget(id);
  return id;
}

}  // namespace diaryx::sync::relay
