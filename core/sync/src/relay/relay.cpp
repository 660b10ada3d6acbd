// The public face of the machine.
#include "diaryx/sync/relay.h"

#include "machine.h"

namespace diaryx::sync {

Relay::Relay(RelayOptions options) : machine_(std::make_unique<relay::Machine>(std::move(options))) {}
Relay::~Relay() = default;
Relay::Relay(Relay&&) noexcept = default;
Relay& Relay::operator=(Relay&&) noexcept = default;

void Relay::handle(relay::Event event, TimestampMs now, std::vector<relay::Action>& out) {
  machine_->handle(std::move(event), now, out);
}
void Relay::handle(std::vector<relay::Event> events, TimestampMs now, std::vector<relay::Action>& out) {
  machine_->handle(events, now, out);
}
relay::Ticket Relay::edit(ServerEdit edit, TimestampMs now, std::vector<relay::Action>& out) {
  return machine_->edit(std::move(edit), now, out);
}
crdt::Doc* Relay::find(const DocId& document) const { return machine_->find(document); }
std::optional<Bytes> Relay::state(const DocId& document) const { return machine_->state(document); }
size_t Relay::members(const DocId& document) const { return machine_->members(document); }
std::optional<TimestampMs> Relay::next_deadline() const { return machine_->next_deadline(); }
void Relay::drain(TimestampMs now, std::vector<relay::Action>& out) { machine_->drain(now, out); }
bool Relay::quiet() const { return machine_->quiet(); }
RelayStatistics Relay::statistics() const { return machine_->statistics(); }
uint64_t Relay::released_bytes() const { return machine_->released_bytes(); }

}  // namespace diaryx::sync
