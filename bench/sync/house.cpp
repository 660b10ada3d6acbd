#include "house.h"

#include <ctime>
#include <utility>

namespace diaryx::bench {

namespace relay = sync::relay;

namespace {

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

struct House::Device {
  Device(uint64_t client, sync::DiskTraits traits)
      : replica({.workspace_id = "bench", .client = ClientId{client}, .disk = traits}) {}
  sync::Replica replica;
  std::map<std::string, std::string> disk;
  uint64_t connection = 0;
};

House::House(size_t devices, sync::DiskTraits disk)
    : relay_({.server_version = "bench", .lineage = "bench", .seed = 1}) {
  for (size_t i = 0; i < devices; ++i) devices_.push_back(std::make_unique<Device>(1000 + i, disk));
}
House::~House() = default;

const sync::Replica& House::replica(size_t device) const { return devices_[device]->replica; }
const std::map<std::string, std::string>& House::disk(size_t device) const { return devices_[device]->disk; }

bool House::in_step() const {
  for (const auto& device : devices_) {
    if (!device->replica.settled()) return false;
  }
  return true;
}

void House::write(size_t device, const std::string& path, std::string text) {
  std::string& file = devices_[device]->disk[path];
  file = std::move(text);
  feed(device, sync::TextFileSeen{path, file});
}

void House::move(size_t device, const std::string& from, const std::string& to) {
  auto file = devices_[device]->disk.extract(from);
  file.key() = to;
  devices_[device]->disk.insert(std::move(file));
  feed(device, sync::FileMoved{from, to});
}

void House::move_unseen(size_t device, const std::string& from, const std::string& to) {
  std::map<std::string, std::string>& disk = devices_[device]->disk;
  std::string text = std::move(disk.at(from));
  disk.erase(from);
  feed(device, sync::FileGone{from});
  write(device, to, std::move(text));
}

void House::settle(size_t device) { feed(device, sync::FilesSettled{}); }

void House::connect(size_t device) {
  Device& one = *devices_[device];
  one.connection = next_connection_++;
  device_of_.emplace(one.connection, device);
  feed_server(relay::ConnectionOpened{relay::ConnectionId{one.connection},
                                      relay::share({.user_id = "user", .device_id = "device"})});
  feed(device, sync::Connected{});
}

void House::disconnect(size_t device) {
  Device& one = *devices_[device];
  device_of_.erase(one.connection);
  feed_server(relay::ConnectionClosed{relay::ConnectionId{one.connection}});
  one.connection = 0;
  feed(device, sync::Disconnected{});
}

void House::run() {
  while (!work_.empty()) {
    const std::function<void()> next = std::move(work_.front());
    work_.pop_front();
    next();
  }
}

void House::pass(int64_t ms) {
  now_ = now_ + DurationMs{ms};
  for (size_t i = 0; i < devices_.size(); ++i) {
    const auto deadline = devices_[i]->replica.next_deadline();
    if (deadline && *deadline <= now_) feed(i, sync::DeadlineReached{});
  }
  if (const auto deadline = relay_.next_deadline(); deadline && *deadline <= now_)
    feed_server(relay::DeadlineReached{});
  run();
}

void House::feed(size_t device, const sync::Event& event) {
  std::vector<sync::Action> actions;
  const double before = cpu_seconds();
  devices_[device]->replica.handle(event, now_, actions);
  (void)devices_[device]->replica.next_deadline();  // every shell asks
  device_seconds_ += cpu_seconds() - before;
  for (sync::Action& action : actions) perform(device, action);
}

void House::perform(size_t device, sync::Action& action) {
  Device& one = *devices_[device];
  if (auto* binary = std::get_if<sync::SendBinary>(&action)) {
    send({device, true, false, std::string(as_text(binary->frame))});
  } else if (auto* text = std::get_if<sync::SendText>(&action)) {
    send({device, true, true, std::move(text->json)});
  } else if (auto* write = std::get_if<sync::WriteText>(&action)) {
    const Sha256 hash = sha256(write->bytes);
    one.disk[write->path] = std::move(write->bytes);
    work_.push_back([this, device, path = write->path, hash, ticket = write->ticket] {
      feed(device, sync::FileWritten{path, hash, ticket});
    });
  } else if (auto* read = std::get_if<sync::ReadFile>(&action)) {
    work_.push_back([this, device, path = read->path, ticket = read->ticket] {
      feed(device, sync::TextFileSeen{path, devices_[device]->disk[path], ticket});
      feed(device, sync::FilesSettled{});
    });
  } else if (auto* moved = std::get_if<sync::MoveFile>(&action)) {
    auto file = one.disk.extract(moved->from);
    file.key() = moved->to;
    one.disk.insert(std::move(file));
    work_.push_back([this, device, from = moved->from, to = moved->to, ticket = moved->ticket] {
      feed(device, sync::FileMoved{from, to, ticket});
    });
  } else if (auto* removed = std::get_if<sync::RemoveFile>(&action)) {
    one.disk.erase(removed->path);
    work_.push_back([this, device, path = removed->path, ticket = removed->ticket] {
      feed(device, sync::FileRemoved{path, ticket});
    });
  }
}

void House::send(Message message) {
  ++traffic_.frames;
  traffic_.bytes += message.bytes.size();
  const uint64_t connection = devices_[message.device]->connection;
  work_.push_back([this, connection, message = std::move(message)] {
    if (connection == 0 || devices_[message.device]->connection != connection) return;  // of an earlier line
    if (message.to_server && message.text) {
      feed_server(relay::TextMessage{relay::ConnectionId{connection}, message.bytes});
    } else if (message.to_server) {
      feed_server(relay::BinaryFrame{relay::ConnectionId{connection}, to_bytes(as_bytes(message.bytes))});
    } else if (message.text) {
      feed(message.device, sync::TextReceived{message.bytes});
    } else {
      feed(message.device, sync::BinaryReceived{as_bytes(message.bytes)});
    }
  });
}

void House::feed_server(relay::Event event) {
  std::vector<relay::Action> actions;
  const double before = cpu_seconds();
  relay_.handle(std::move(event), now_, actions);
  server_seconds_ += cpu_seconds() - before;
  for (relay::Action& action : actions) perform_server(action);
}

void House::perform_server(relay::Action& action) {
  const auto answer = [this](relay::Event event) {
    work_.push_back([this, event = std::move(event)] { feed_server(event); });
  };
  if (const auto* authorize = std::get_if<relay::Authorize>(&action)) {
    answer(relay::Authorized{authorize->ticket, relay::Access::ReadWrite});
  } else if (const auto* load = std::get_if<relay::LoadDocument>(&action)) {
    answer(relay::DocumentLoaded{
        .ticket = load->ticket, .updates = log_[load->document.str()], .last = relay::Sequence{sequence_}});
  } else if (const auto* list = std::get_if<relay::ListChanges>(&action)) {
    // The real storage walks its records by sequence; a map by document would cost what it is not to cost.
    relay::ChangesListed listed{
        .ticket = list->ticket, .known = list->since.has_value(), .through = relay::Sequence{sequence_}};
    if (list->since && list->since->value() < sequence_) {
      for (const auto& [document, last] : last_of_) {
        if (last > list->since->value()) listed.documents.push_back(document);
      }
    }
    answer(std::move(listed));
  } else if (const auto* append = std::get_if<relay::AppendUpdate>(&action)) {
    log_[append->document.str()].push_back(*append->update);
    last_of_[append->document.str()] = ++sequence_;
    answer(relay::UpdateStored{append->ticket, relay::Sequence{sequence_}});
  } else if (const auto* snapshot = std::get_if<relay::StoreSnapshot>(&action)) {
    answer(relay::SnapshotStored{snapshot->ticket});
  } else if (const auto* binary = std::get_if<relay::SendBinary>(&action)) {
    for (const relay::ConnectionId to : binary->to) {
      if (const auto device = device_of_.find(to.value()); device != device_of_.end())
        send({device->second, false, false, std::string(as_text(*binary->bytes))});
    }
  } else if (const auto* text = std::get_if<relay::SendText>(&action)) {
    for (const relay::ConnectionId to : text->to) {
      if (const auto device = device_of_.find(to.value()); device != device_of_.end())
        send({device->second, false, true, *text->text});
    }
  }
}

}  // namespace diaryx::bench
