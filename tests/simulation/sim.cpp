// ./dev sim: many seeds of the simulation, with figures. Exit 1 and one line that replays it on the first failure.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/json.h"
#include "scenario.h"

namespace diaryx::testing {
namespace {

struct Arguments {
  uint64_t seeds = 200;
  uint64_t start = 1;
  std::string json;
  bool go_on = false;
  std::vector<Network> networks{Network::Good, Network::Bad};
  Mix mix = Mix::Everything;
};

constexpr const char* kUsage =
    "dx_sim [--seeds N] [--start S] [--mix MIX] [--network good|bad] [--all] [--json FILE]\n"
    "  runs the seeds S to S+N-1 (1 to 200), each on a good network and once more with every fault\n"
    "  --mix everything   the default; see tests/simulation/README.md for what people and programs do in each mix\n"
    "        everyday     without folder renames, swapped names, reused names and changes of case\n"
    "        editors      as everything, without deletions; somebody types in Yjs editors\n"
    "        slow_storage as everything, and the server's storage answers questions later, in any order\n"
    "        rough        with more of what few people do\n"
    "        late         as rough, and faults answer moves and removals late\n"
    "        attachments  as everyday, mostly with pictures\n"
    "  --network          only one of the two\n"
    "  --all              goes on after a failure and prints a line for each\n"
    "  DX_TRACE=1 in the environment tells on standard error what happens\n";

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--all") {
      arguments.go_on = true;
      continue;
    }
    if (i + 1 >= argc) return false;
    const char* const value = argv[++i];
    char* end = nullptr;
    if (name == "--json") {
      arguments.json = value;
      continue;
    }
    if (name == "--mix") {
      const auto mix = std::ranges::find(kMixes, std::string_view(value), name_of);
      if (mix == kMixes.end()) return false;
      arguments.mix = *mix;
      continue;
    }
    if (name == "--network") {
      if (std::string_view(value) != "good" && std::string_view(value) != "bad") return false;
      arguments.networks = {std::string_view(value) == "good" ? Network::Good : Network::Bad};
      continue;
    }
    const uint64_t number = std::strtoull(value, &end, 10);
    if (*value == '\0' || *end != '\0') return false;
    if (name == "--seeds") {
      arguments.seeds = number;
    } else if (name == "--start") {
      arguments.start = number;
    } else {
      return false;
    }
  }
  return true;
}

/// What is summed over all runs, as the report calls it.
struct Figure {
  const char* name;
  uint64_t WorldFigures::* value;
};
constexpr Figure kFigures[] = {
    {"frames", &WorldFigures::frames},
    {"bytes", &WorldFigures::bytes},
    {"cut_connections", &WorldFigures::cuts},
    {"device_crashes", &WorldFigures::device_crashes},
    {"device_crashes_in_a_batch", &WorldFigures::crashes_in_batch},
    {"server_crashes", &WorldFigures::server_crashes},
    {"server_rollbacks", &WorldFigures::rollbacks},
    {"refused_disk_actions", &WorldFigures::refused_writes},
    {"doubtful_writes", &WorldFigures::doubtful_writes},
    {"doubtful_fetches", &WorldFigures::doubtful_fetches},
    {"cut_fetches", &WorldFigures::cut_fetches},
    {"torn_writes", &WorldFigures::torn_writes},
    {"torn_messages", &WorldFigures::torn_messages},
    {"full_disks", &WorldFigures::full_disks},
    {"clock_jumps", &WorldFigures::clock_jumps},
    {"overtaken_messages", &WorldFigures::overtaken},
    {"duplicated_messages", &WorldFigures::duplicated},
    {"paths_outside_root", &WorldFigures::outside_root},
    {"deadlines_in_the_past", &WorldFigures::past_deadlines},
};

struct Sum {
  WorldFigures figures;
  uint64_t runs = 0;
  uint64_t edits = 0;
  uint64_t most_frames = 0;
  uint64_t largest_frame_bytes = 0;

  void add(const Outcome& outcome) {
    ++runs;
    edits += outcome.edits;
    most_frames = std::max(most_frames, outcome.figures.frames);
    largest_frame_bytes = std::max(largest_frame_bytes, outcome.figures.largest_frame);
    for (const Figure& figure : kFigures) figures.*figure.value += outcome.figures.*figure.value;
  }

  Json to_json() const {
    Json json = Json::object();
    json.set("runs", runs)
        .set("edits", edits)
        .set("most_frames_in_a_run", most_frames)
        .set("largest_frame_bytes", largest_frame_bytes);
    for (const Figure& figure : kFigures) json.set(figure.name, figures.*figure.value);
    return json;
  }
};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

int run(const Arguments& arguments) {
  Sum sum;
  std::string failure;
  uint64_t failed_seed = 0;
  uint64_t failures = 0;
  for (uint64_t seed = arguments.start;
       (failure.empty() || arguments.go_on) && seed < arguments.start + arguments.seeds; ++seed) {
    for (const Network network : arguments.networks) {
      const Outcome outcome = run_seed(seed, network, arguments.mix);
      sum.add(outcome);
      if (outcome.failure.empty()) continue;
      failure = (network == Network::Good ? "on a good network, " : "with faults, ") + outcome.failure;
      failed_seed = seed;
      ++failures;
      if (arguments.go_on) {
        std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), first_line(failure).c_str());
        std::fflush(stdout);
      }
      break;
    }
  }
  Json json = sum.to_json();
  json.set("first_seed", arguments.start).set("passed", failure.empty());
  if (!failure.empty()) json.set("failed_seed", failed_seed).set("failure", failure);
  if (!arguments.json.empty()) {
    std::FILE* const file = std::fopen(arguments.json.c_str(), "w");
    if (file == nullptr) {
      std::fprintf(stderr, "dx_sim: %s cannot be written\n", arguments.json.c_str());
      return 2;
    }
    std::fprintf(file, "%s\n", json.dump().c_str());
    std::fclose(file);
  }
  if (failures != 0 && arguments.go_on) {
    std::printf("%llu of %llu seeds failed\n", static_cast<unsigned long long>(failures),
                static_cast<unsigned long long>(arguments.seeds));
    return 1;
  }
  if (!failure.empty()) {
    std::printf("seed %llu: %s\nreplay: ./dev sim --start %llu --seeds 1 --mix %s\n",
                static_cast<unsigned long long>(failed_seed), failure.c_str(),
                static_cast<unsigned long long>(failed_seed), name_of(arguments.mix).data());
    return 1;
  }
  for (const Json::Member& member : *json.as_object()) {
    std::printf("%-28s %s\n", member.key.c_str(), member.value.dump().c_str());
  }
  return 0;
}

}  // namespace
}  // namespace diaryx::testing

int main(int argc, char** argv) {
  diaryx::testing::Arguments arguments;
  if (!diaryx::testing::parse(argc, argv, arguments)) {
    std::fputs(diaryx::testing::kUsage, stderr);
    return 2;
  }
  return diaryx::testing::run(arguments);
}
