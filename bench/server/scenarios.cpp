#include "scenarios.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/text.h"
#include "process_memory.h"

namespace diaryx::bench {
namespace {

constexpr uint64_t kFirstClient = 1000;
constexpr double kPatience = 120;  // seconds for what should take one
constexpr size_t kBacklogBytes = 64u << 10;  // a writer whose socket takes no more writes no more
using Seats = std::vector<std::unique_ptr<Seat>>;

Instant now() { return std::chrono::steady_clock::now(); }

std::string name_of(const Ask& ask, uint32_t document) { return ask.document + "-" + std::to_string(document) + ".md"; }

bool all_joined(const Seats& seats) {
  return std::all_of(seats.begin(), seats.end(), [](const auto& seat) { return seat->joined(); });
}

/// A few at a time, so that no server's queue of new connections overflows.
Seats open_seats(Loop& loop, const Ask& ask, uint32_t count, const std::function<std::string(uint32_t)>& document) {
  Seats seats;
  for (uint32_t i = 0; i < count; ++i) {
    seats.push_back(std::make_unique<Seat>(loop, ask.target, document(i)));
    if (i % 64 == 63) loop.run_until("connections", [&] { return all_joined(seats); }, kPatience);
  }
  loop.run_until("connections", [&] { return all_joined(seats); }, kPatience);
  return seats;
}

double at(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(part * static_cast<double>(sorted.size())))];
}

/// What a fresh client is given, as a document of the engine.
crdt::Doc fetch(Loop& loop, const Ask& ask, const std::string& document) {
  crdt::Doc doc({.client = ClientId{1}});
  Seat seat(loop, ask.target, document);
  seat.on_update = [&](const Update& update) {
    if (!doc.apply_update_v1(update.bytes)) give_up("an update of the server cannot be read");
  };
  loop.run_until("a fresh client", [&] { return seat.joined(); }, kPatience);
  loop.close(seat.socket());
  return doc;
}

/// One writer at one document: sends letters of its own line.
struct Pen {
  Seat* seat;
  uint64_t client;
  uint64_t sent = 0;   // letters
  uint64_t seen = 0;   // of them at the reader
};

void check_text(const crdt::Doc& doc, uint64_t client, uint64_t letters) {
  const uint64_t got = doc.state_vector().get(ClientId{client}).value();
  if (got != letters) {
    give_up("a fresh client was given " + std::to_string(got) + " of " + std::to_string(letters) + " letters of " +
            std::to_string(client));
  }
}

}  // namespace

void throughput(const Ask& ask) {
  Loop loop(ask.port);
  const uint32_t pens = ask.documents * ask.writers;
  Seats writers = open_seats(loop, ask, pens, [&](uint32_t i) { return name_of(ask, i / ask.writers); });
  Seats readers = open_seats(loop, ask, ask.documents, [&](uint32_t i) { return name_of(ask, i); });
  std::vector<Pen> all;
  for (uint32_t i = 0; i < pens; ++i) all.push_back({writers[i].get(), kFirstClient + i % ask.writers});
  bool sending = true;
  uint64_t arrived = 0;
  uint64_t under_way = 0;
  const auto fill = [&](Pen& pen) {
    while (sending && pen.sent - pen.seen < ask.window && pen.seat->socket().unsent() < kBacklogBytes) {
      pen.seat->send_update(letter(pen.client, pen.sent++));
      ++under_way;
    }
  };
  for (uint32_t document = 0; document < ask.documents; ++document) {
    readers[document]->on_update = [&, document](const Update& update) {
      for (const Letters& letters : letters_of(update.bytes)) {
        if (letters.client < kFirstClient || letters.client >= kFirstClient + ask.writers) continue;
        Pen& pen = all[document * ask.writers + (letters.client - kFirstClient)];
        if (letters.begin != pen.seen) give_up("updates came in another order, or one was lost");
        pen.seen = letters.end;
        arrived += letters.end - letters.begin;
        under_way -= letters.end - letters.begin;
        fill(pen);
      }
    };
  }
  for (Pen& pen : all) fill(pen);
  loop.run_for(ask.seconds / 4);  // warm
  const uint64_t before = arrived;
  const double cpu_before = cpu_seconds(ask.server);
  const Instant began = now();
  loop.run_for(ask.seconds);
  const double cpu_us = (cpu_seconds(ask.server) - cpu_before) * 1e6 / static_cast<double>(arrived - before);
  const double per_second = static_cast<double>(arrived - before) / milliseconds_between(began, now()) * 1000;
  sending = false;
  loop.run_until("the last updates", [&] { return under_way == 0; }, kPatience);
  for (uint32_t document = 0; document < ask.documents; document += std::max(1u, ask.documents / 10)) {
    const crdt::Doc doc = fetch(loop, ask, name_of(ask, document));
    for (uint32_t i = 0; i < ask.writers; ++i) {
      const Pen& pen = all[document * ask.writers + i];
      check_text(doc, pen.client, pen.sent);
    }
  }
  std::printf("{\"updates_per_second\":%.1f,\"cpu_us_per_update\":%.2f,\"updates\":%llu}\n", per_second, cpu_us,
              static_cast<unsigned long long>(arrived));
}

void propagation(const Ask& ask) {
  Loop loop(ask.port);
  const std::string document = name_of(ask, 0);
  Seats seats = open_seats(loop, ask, ask.writers + ask.readers, [&](uint32_t) { return document; });
  std::vector<std::vector<Instant>> sent(ask.writers);
  std::vector<double> latencies;
  for (uint32_t i = 0; i < seats.size(); ++i) {
    seats[i]->on_update = [&, i](const Update& update) {
      for (const Letters& letters : letters_of(update.bytes)) {
        const uint64_t writer = letters.client - kFirstClient;
        if (letters.client < kFirstClient || writer == i) continue;  // an echo
        for (uint64_t clock = letters.begin; clock < letters.end; ++clock)
          latencies.push_back(milliseconds_between(sent.at(writer).at(clock), now()));
      }
    };
  }
  const double cpu_before = cpu_seconds(ask.server);
  const Instant began = now();
  const double gap_ms = 1000 / (ask.rate * ask.writers);
  const uint64_t count = static_cast<uint64_t>(ask.seconds * ask.rate * ask.writers);
  uint64_t next = 0;
  const auto send_due = [&](Instant time) {
    for (; next < count && milliseconds_between(began, time) >= static_cast<double>(next) * gap_ms; ++next) {
      const uint32_t writer = static_cast<uint32_t>(next % ask.writers);
      const uint64_t clock = sent[writer].size();
      sent[writer].push_back(now());
      seats[writer]->send_update(letter(kFirstClient + writer, clock));
    }
  };
  loop.run_for(ask.seconds, send_due);
  send_due(now() + std::chrono::hours(1));
  const uint64_t expected = count * (seats.size() - 1);
  loop.run_until("the last deliveries", [&] { return latencies.size() >= expected; }, kPatience);
  const double took = milliseconds_between(began, now());
  const double cpu_us = (cpu_seconds(ask.server) - cpu_before) * 1e6 / static_cast<double>(expected);
  if (latencies.size() != expected) give_up("more deliveries came than updates were sent");
  const crdt::Doc doc = fetch(loop, ask, document);
  for (uint32_t i = 0; i < ask.writers; ++i) check_text(doc, kFirstClient + i, sent[i].size());
  std::sort(latencies.begin(), latencies.end());
  std::printf(
      "{\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"cpu_us_per_delivery\":%.2f,\"deliveries\":%"
      "llu,\"took_ms\":%.0f}\n",
      at(latencies, 0.5), at(latencies, 0.95), at(latencies, 0.99), latencies.back(), cpu_us,
      static_cast<unsigned long long>(expected), took);
}

namespace {

/// Paragraphs typed at places all over the text by a few writers, about `size_bytes` as an update, in pieces.
std::vector<Bytes> big_document(uint64_t size_bytes, uint64_t& letters) {
  uint64_t random = 88172645463325252u;
  const auto next = [&](uint64_t below) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random % below;
  };
  std::vector<Bytes> pieces;
  crdt::Doc doc({.client = ClientId{kFirstClient}});
  crdt::Text body = doc.text("body");
  uint64_t made = 0;
  letters = 0;
  while (made < size_bytes) {
    crdt::Transaction txn = doc.transact();
    for (int i = 0; i < 500; ++i) {
      std::string paragraph(80 + next(80), 'a');
      for (char& c : paragraph) c = static_cast<char>('a' + next(26));
      paragraph.back() = '\n';
      if (!body.insert(txn, Utf16Offset{static_cast<uint32_t>(next(letters + 1))}, paragraph)) give_up("no text");
      letters += paragraph.size();
    }
    pieces.push_back(std::move(txn).commit().update_v1());
    made += pieces.back().size();
  }
  return pieces;
}

}  // namespace

void join(const Ask& ask) {
  Loop loop(ask.port);
  const std::string document = name_of(ask, 0);
  uint64_t letters = 0;
  const std::vector<Bytes> pieces = big_document(ask.size_bytes, letters);
  {
    Seats first = open_seats(loop, ask, 1, [&](uint32_t) { return document; });
    for (const Bytes& piece : pieces) {
      first[0]->send_update(piece);
      loop.run_until("an upload", [&] { return first[0]->socket().unsent() == 0; }, kPatience);
    }
    // A fresh client has it all once the server does.
    for (bool there = false; !there;) {
      const crdt::Doc doc = fetch(loop, ask, document);
      there = doc.state_vector().get(ClientId{kFirstClient}).value() == letters;
      if (!there) loop.run_for(0.2);
    }
    const uint64_t held = resident_bytes(ask.server, ask.collect);
    forget_peak(ask.server);
    loop.kept_bytes = 256;
    std::vector<double> took;
    std::vector<uint64_t> sizes;
    Seats clients;
    const Instant began = now();
    for (uint32_t i = 0; i < ask.clients; ++i) {
      clients.push_back(std::make_unique<Seat>(loop, ask.target, document));
      clients.back()->on_update = [&, seat = clients.back().get()](const Update& update) {
        if (!update.is_answer) return;
        took.push_back(milliseconds_between(seat->began(), now()));
        sizes.push_back(update.size_bytes);
      };
    }
    loop.run_until("everybody's document", [&] { return took.size() == ask.clients; }, 600);
    const double all = milliseconds_between(began, now());
    const uint64_t peak = peak_bytes(ask.server);
    const auto [smallest, largest] = std::minmax_element(sizes.begin(), sizes.end());
    if (*smallest != *largest || *smallest < letters) give_up("clients were given different documents");
    for (const auto& seat : clients) loop.close(seat->socket());
    std::sort(took.begin(), took.end());
    std::printf(
        "{\"p50_ms\":%.1f,\"p95_ms\":%.1f,\"max_ms\":%.1f,\"joins_per_second\":%.1f,\"document_bytes\":%llu,"
        "\"held_bytes\":%llu,\"peak_bytes\":%llu}\n",
        at(took, 0.5), at(took, 0.95), took.back(), ask.clients / all * 1000,
        static_cast<unsigned long long>(*smallest), static_cast<unsigned long long>(held),
        static_cast<unsigned long long>(peak));
  }
}

void idle(const Ask& ask) {
  Loop loop(ask.port);
  // A server's first connections pay for what all share.
  const Seats warm = open_seats(loop, ask, 64, [&](uint32_t i) { return name_of(ask, i); });
  loop.run_for(1);
  const uint64_t before = resident_bytes(ask.server, ask.collect);
  const Seats same = open_seats(loop, ask, ask.clients, [&](uint32_t) { return name_of(ask, 0); });
  loop.run_for(1);
  const uint64_t with_connections = resident_bytes(ask.server, ask.collect);
  const auto other = [&](uint32_t i) { return ask.document + "-other-" + std::to_string(i) + ".md"; };
  const Seats others = open_seats(loop, ask, ask.documents, other);
  const std::string text(1000, 'n');
  for (uint32_t i = 0; i < ask.documents; ++i) {
    crdt::Doc doc({.client = ClientId{kFirstClient + i}});
    crdt::Transaction txn = doc.transact();
    if (!doc.text("body").insert(txn, Utf16Offset{0}, text)) give_up("no text");
    others[i]->send_update(std::move(txn).commit().update_v1());
  }
  loop.run_for(ask.seconds);  // what stores after a while has stored
  const uint64_t with_documents = resident_bytes(ask.server, ask.collect);
  const auto per = [](uint64_t more, uint64_t less, uint32_t count) {
    return (static_cast<double>(more) - static_cast<double>(less)) / count;
  };
  std::printf("{\"per_connection_bytes\":%.0f,\"per_document_bytes\":%.0f,\"resident_bytes\":%llu}\n",
              per(with_connections, before, ask.clients), per(with_documents, with_connections, ask.documents),
              static_cast<unsigned long long>(with_documents));
}

void fill(const Ask& ask) {
  constexpr uint32_t kPerConnection = 1000;  // their documents leave the server's memory when it closes
  for (uint32_t begin = 0; begin < ask.documents; begin += kPerConnection) {
    Loop loop(ask.port);
    const uint32_t end = std::min(ask.documents, begin + kPerConnection);
    uint32_t saved = 0;
    Socket& socket = loop.connect(ask.target.path + ask.target.query);
    socket.on_text = [&](std::string_view text) { saved += text.find("\"type\":\"saved\"") != std::string_view::npos; };
    socket.on_open = [&] {
      for (uint32_t i = begin; i < end; ++i) {
        crdt::Doc doc({.client = ClientId{kFirstClient + i}});
        crdt::Transaction txn = doc.transact();
        if (!doc.text("body").insert(txn, Utf16Offset{0}, "note " + std::to_string(i))) give_up("no text");
        const std::string name = ask.target.prefix + ask.document + "-" + std::to_string(i) + ".md";
        Writer frame;
        frame.u8(static_cast<uint8_t>(name.size()));
        frame.raw(as_bytes(name));
        frame.var_uint(0);
        frame.var_uint(2);
        frame.var_bytes(std::move(txn).commit().update_v1());
        socket.send(frame.view());
      }
    };
    loop.run_until("documents to be stored", [&] { return saved == end - begin; }, kPatience);
    loop.close(socket);
  }
  std::printf("{\"documents\":%u}\n", ask.documents);
}

void cold(const Ask& ask) {
  const Instant began = now();
  // Until somebody listens: the loop treats a refused connection as the end.
  while (true) {
    if (port_answers(ask.port)) break;
    if (milliseconds_between(began, now()) > kPatience * 1000) give_up("the server never listened");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  Loop loop(ask.port);
  crdt::Doc doc({.client = ClientId{1}});
  Seat seat(loop, ask.target, ask.document);
  seat.on_update = [&](const Update& update) {
    if (!doc.apply_update_v1(update.bytes)) give_up("an update of the server cannot be read");
  };
  // A server may answer with an empty document first and tell its content afterwards.
  loop.run_until("the stored document", [&] { return !doc.state_vector().empty(); }, kPatience);
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  std::printf("{\"there_at_ms\":%.3f}\n", std::chrono::duration<double, std::milli>(wall).count());
}

}  // namespace diaryx::bench
