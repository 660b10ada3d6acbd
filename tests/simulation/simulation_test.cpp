// Random edits on several devices over a bad network; afterwards nothing is lost, doubled or different.
//
// DX_SEED=8841 replays one seed, DX_SEEDS=10000 runs that many from DX_START (default 1).
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "diaryx/testing/world.h"

namespace diaryx::testing {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Seeds that once failed beyond the first hundred: a rename told while a move of ours was under way.
constexpr uint64_t kKeptSeeds[] = {449, 813};

std::vector<uint64_t> seeds_under_test() {
  if (const uint64_t seed = from_environment("DX_SEED", 0); seed != 0) return {seed};
  std::vector<uint64_t> seeds(std::begin(kKeptSeeds), std::end(kKeptSeeds));
  const uint64_t start = from_environment("DX_START", 1);
  for (uint64_t i = 0; i < from_environment("DX_SEEDS", 100); ++i) seeds.push_back(start + i);
  return seeds;
}

size_t occurrences(const std::string& text, const std::string& marker) {
  size_t count = 0;
  for (size_t at = text.find(marker); at != std::string::npos; at = text.find(marker, at + 1)) ++count;
  return count;
}

std::string files_with(World& world, const std::string& marker) {
  std::string found;
  for (const auto& [path, bytes] : world.device(0).disk().files()) {
    if (occurrences(bytes, marker) != 0) found += "--- " + path + "\n" + bytes;
  }
  return found;
}

/// Edits in which every line carries a marker of its own, so that a loss or a doubling shows.
class Editor {
 public:
  explicit Editor(World& world) : world_(world) {}

  void edit_once() {
    Random& random = world_.random();
    Device& device = world_.device(random.below(world_.size()));
    const std::vector<std::string> notes = notes_of(device);
    const uint64_t choice = random.below(100);
    if (notes.empty() || choice < 10) {
      device.user_writes("note" + std::to_string(next_file_++) + ".md", fresh_line());
    } else if (choice < 15) {
      device.user_writes("picture" + std::to_string(random.below(4)) + ".png",
                         "bytes " + std::to_string(random.next()));
    } else if (choice < 20) {
      device.user_renames(random.pick(notes), "moved/note" + std::to_string(next_file_++) + ".md");
    } else {
      const std::string path = random.pick(notes);
      std::string text = *device.disk().read(path);
      text.insert(line_start(text, random.below(text.size() + 1)), fresh_line());
      device.user_writes(path, text);
    }
  }

  const std::vector<std::string>& markers() const { return markers_; }

 private:
  static std::vector<std::string> notes_of(const Device& device) {
    std::vector<std::string> notes;
    for (const auto& [path, bytes] : device.disk().files()) {
      if (path.ends_with(".md")) notes.push_back(path);
    }
    return notes;
  }

  static size_t line_start(const std::string& text, size_t near) {
    const size_t newline = text.find('\n', near);
    return newline == std::string::npos ? text.size() : newline + 1;
  }

  std::string fresh_line() {
    markers_.push_back("<" + std::to_string(markers_.size()) + ">");
    return "line " + markers_.back() + " é😀\n";
  }

  World& world_;
  uint64_t next_file_ = 0;
  std::vector<std::string> markers_;
};

void run(uint64_t seed, const WorldOptions& options) {
  SCOPED_TRACE("replay: DX_SEED=" + std::to_string(seed) + " simulation_test");
  World world{seed, options};
  Editor editor{world};
  for (int i = 0; i < 120; ++i) {
    editor.edit_once();
    for (uint64_t steps = world.random().below(12); steps > 0; --steps) world.step();
    if (world.random().chance(0.05)) world.device(world.random().below(world.size())).go_offline();
    if (world.random().chance(0.05)) world.device(world.random().below(world.size())).go_online();
  }
  ASSERT_TRUE(world.run_until_quiet()) << "the devices did not come to rest";
  ASSERT_EQ(world.first_difference(), "");
  std::string all;
  for (const auto& [path, bytes] : world.device(0).disk().files()) all += bytes;
  for (const std::string& marker : editor.markers()) {
    ASSERT_EQ(occurrences(all, marker), 1u)
        << marker << (occurrences(all, marker) == 0 ? " is lost" : " is doubled in:\n" + files_with(world, marker));
  }
}

TEST(Simulation, NothingIsLostOrDoubledOnAGoodNetwork) {
  for (const uint64_t seed : seeds_under_test()) {
    run(seed, {.devices = 3});
    if (HasFatalFailure()) return;
  }
}

TEST(Simulation, NothingIsLostOrDoubledWhenEverythingFails) {
  for (const uint64_t seed : seeds_under_test()) {
    run(seed, {.devices = 3, .max_delay_ms = 60, .cut = 0.01, .device_crash = 0.004, .server_crash = 0.002});
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace diaryx::testing
