// The load generator: `bench_server_load SCENARIO --port N --wire yjs|hocuspocus|sync2 …`, one JSON line.
// bench/server/run.mjs starts the servers and knows the arguments; bench/README.md says what is asked.
#include <signal.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "scenarios.h"

namespace {

using namespace diaryx::bench;

constexpr struct {
  std::string_view name;
  void (*run)(const Ask&);
} kScenarios[] = {
    {"throughput", throughput},
    {"propagation", propagation},
    {"join", join},
    {"idle", idle},
    {"fill", fill},
    {"cold", cold},
};

WireKind wire_of(std::string_view name) {
  if (name == "yjs") return WireKind::Yjs;
  if (name == "hocuspocus") return WireKind::Hocuspocus;
  if (name == "sync2") return WireKind::Sync2;
  give_up("there is no wire " + std::string(name));
}

void read_option(Ask& ask, std::string_view name, const char* value) {
  const auto number = [value] { return std::strtoull(value, nullptr, 10); };
  const auto count = [&] { return static_cast<uint32_t>(number()); };
  if (name == "--port")
    ask.port = static_cast<uint16_t>(number());
  else if (name == "--wire")
    ask.target.kind = wire_of(value);
  else if (name == "--path")
    ask.target.path = value;
  else if (name == "--query")
    ask.target.query = value;
  else if (name == "--prefix")
    ask.target.prefix = value;
  else if (name == "--token")
    ask.target.token = value;
  else if (name == "--document")
    ask.document = value;
  else if (name == "--server")
    ask.server = static_cast<pid_t>(number());
  else if (name == "--collect")
    ask.collect = number() != 0;
  else if (name == "--documents")
    ask.documents = count();
  else if (name == "--writers")
    ask.writers = count();
  else if (name == "--readers")
    ask.readers = count();
  else if (name == "--window")
    ask.window = count();
  else if (name == "--clients")
    ask.clients = count();
  else if (name == "--size")
    ask.size_bytes = number();
  else if (name == "--rate")
    ask.rate = std::strtod(value, nullptr);
  else if (name == "--seconds")
    ask.seconds = std::strtod(value, nullptr);
  else
    give_up("there is no option " + std::string(name));
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  if (argc % 2 != 0) give_up("SCENARIO, then options with a value each");
  Ask ask;
  for (int i = 2; i + 1 < argc; i += 2) read_option(ask, argv[i], argv[i + 1]);
  for (const auto& known : kScenarios) {
    if (known.name != argv[1]) continue;
    known.run(ask);
    return 0;
  }
  give_up("there is no scenario " + std::string(argv[1]));
}
