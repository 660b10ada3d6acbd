#include "scenario.h"

#include <set>
#include <string>
#include <utility>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/testing/random.h"

namespace diaryx::testing {
namespace {

constexpr int kEdits = 120;
/// About twice what the worst of the first 400 runs needed.
constexpr uint64_t kMaxFramesPerEdit = 80;
constexpr uint64_t kMaxFrameBytes = 64 * 1024;

/// Every seed has a surrounding of its own: some faults often, some never.
WorldOptions surroundings(uint64_t seed, Network network) {
  Random random(seed * 0x9e3779b97f4a7c15ull + 1);
  WorldOptions options{.devices = 2 + random.below(3), .max_delay_ms = static_cast<int64_t>(1 + random.below(80))};
  if (random.chance(0.4)) {
    const sync::DiskTraits linux_disk{};
    const sync::DiskTraits mac{.case_insensitive = true, .normalising = true};
    const sync::DiskTraits windows{.case_insensitive = true, .windows_names = true};
    options.disks = {linux_disk, mac, windows};
  }
  if (network == Network::Good) return options;
  const auto sometimes = [&](double chance) { return random.chance(0.6) ? chance * random.chance(0.5) + chance : 0; };
  options.cut = sometimes(0.006);
  options.device_crash = sometimes(0.003);
  options.crash_in_batch = sometimes(0.004);
  options.server_crash = sometimes(0.002);
  options.slow_disk = sometimes(0.2);
  options.disk_full = sometimes(0.003);
  options.reorder = sometimes(0.1);
  options.duplicate = sometimes(0.02);
  options.backup = sometimes(0.01);
  options.rollback = sometimes(0.002);
  options.clock_jump = sometimes(0.002);
  options.late_answer = sometimes(0.1);
  options.torn_write = sometimes(0.5);
  options.torn_message = sometimes(0.3);
  return options;
}

/// What an editor shows that is not in the file which it has open.
std::string complaint_of_editors(World& world) {
  for (Editor& editor : world.editors()) {
    const std::string text = editor.text();
    for (const auto& [path, bytes] : world.device(0).disk().files()) {
      if (text.empty() || home_of(bytes) != home_of(text)) continue;
      if (sync::split_frontmatter(bytes).body != text)
        return "an editor of " + path + " shows:\n" + text + "--- file\n" + bytes;
    }
  }
  return {};
}

std::string after_healing(World& world, const People& people, const std::string& when) {
  if (!world.run_until_quiet()) return when + ": the devices did not come to rest";
  if (std::string difference = world.first_difference(); !difference.empty()) return when + ": " + difference;
  const std::string complaint = people.ledger().complaint(world.device(0).disk().files());
  if (!complaint.empty()) return when + ": " + complaint;
  if (std::string shown = complaint_of_editors(world); !shown.empty()) return when + ": " + shown;
  if (world.figures().past_deadlines != 0) return when + ": a deadline was reached and not waited for anew";
  if (world.figures().outside_root != 0) return when + ": a path outside the root was to be touched";
  const uint64_t frames = world.figures().frames;
  for (int i = 0; i < 50; ++i) world.step();
  if (world.figures().frames != frames) return when + ": messages go on though nothing happens";
  return {};
}

void edit_under_faults(World& world, People& people) {
  Random& random = world.random();
  for (int i = 0; i < kEdits; ++i) {
    people.edit_once();
    for (uint64_t steps = random.below(12); steps > 0; --steps) world.step();
    if (random.chance(0.05)) world.device(random.below(world.size())).go_offline();
    if (random.chance(0.05)) world.device(random.below(world.size())).go_online();
  }
}

std::string what_came_back(const World& world, const std::set<size_t>& gone) {
  for (const auto& [path, bytes] : world.device(0).disk().files()) {
    for (const size_t marker : markers_in(bytes)) {
      if (gone.contains(marker)) return "the deleted file of " + text_of(marker) + " came back";
    }
  }
  return {};
}

/// The first thing that does not hold, or nothing.
std::string live(World& world, People& people, const WorldOptions& options) {
  people.import_everywhere();
  if (std::string failure = after_healing(world, people, "after the import"); !failure.empty()) return failure;
  world.set_faults(options);
  edit_under_faults(world, people);
  if (std::string failure = after_healing(world, people, "after the edits"); !failure.empty()) return failure;
  world.set_faults(options);
  const std::set<size_t> gone = people.delete_some();
  for (int i = 0; i < 40; ++i) world.step();
  if (std::string failure = after_healing(world, people, "after the deletions"); !failure.empty()) return failure;
  if (std::string failure = what_came_back(world, gone); !failure.empty()) return failure;
  const WorldFigures& figures = world.figures();
  if (figures.frames > kMaxFramesPerEdit * kEdits)
    return std::to_string(figures.frames) + " messages for " + std::to_string(kEdits) + " edits";
  if (figures.largest_frame > kMaxFrameBytes) return "a message of " + std::to_string(figures.largest_frame) + " bytes";
  return {};
}

}  // namespace

Outcome run_seed(uint64_t seed, Network network, Mix mix) {
  WorldOptions options = surroundings(seed, network);
  if (mix == Mix::Late && network == Network::Bad) options.late_move = 0.6;
  if (mix == Mix::Attachments && network == Network::Bad) options.slow_fetch = 0.5;
  if (mix == Mix::Editors) options.editors = 2;
  if (mix == Mix::SlowStorage) options.slow_read = 0.5;
  World world{seed, options};
  People people{world, mix};
  std::string failure = live(world, people, options);
  return {.failure = std::move(failure),
          .figures = world.figures(),
          .edits = people.ledger().lines(),
          .files = world.device(0).disk().files().size(),
          .stored_updates = world.server().stored_updates()};
}

}  // namespace diaryx::testing
