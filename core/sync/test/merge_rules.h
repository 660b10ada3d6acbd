// What the tests of docs/merge-rules.md share: devices in step, that change things apart and come together again.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "diaryx/testing/world.h"

namespace diaryx::sync {

using testing::Device;
using testing::World;

using Files = std::map<std::string, std::string>;

inline constexpr const char* kLong =
    "# The garden\n\nbeans along the wall\ntomatoes in the glasshouse\npeas at the fence\nleave room for herbs\n";
inline constexpr const char* kOther = "# Travel\n\ntrains to Lisbon\nthe ferry leaves at nine\npack the blue bag\n";

/// Three devices that hold `files`.
inline World in_step(const Files& files, uint64_t seed = 11) {
  World world{seed, {.devices = 3}};
  for (const auto& [path, bytes] : files) world.device(0).user_writes(path, bytes);
  EXPECT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  return world;
}

/// Lets each device do its part alone, then brings them together again, the first one first.
inline Files together(World& world, const std::vector<std::function<void(Device&)>>& parts) {
  for (size_t i = 0; i < world.size(); ++i) world.device(i).go_offline();
  for (size_t i = 0; i < parts.size(); ++i) parts[i](world.device(i));
  for (int i = 0; i < 30; ++i) world.step_offline();
  for (size_t i = 0; i < world.size(); ++i) {
    world.device(i).go_online();
    for (int step = 0; step < 60; ++step) world.step();
  }
  EXPECT_TRUE(world.run_until_quiet()) << "devices did not come to rest";
  EXPECT_EQ(world.first_difference(), "");
  const auto& files = world.device(0).disk().files();
  return Files(files.begin(), files.end());
}

inline std::string all_text(const Files& files) {
  std::string all;
  for (const auto& [path, bytes] : files) all += bytes;
  return all;
}

inline size_t count(const std::string& text, const std::string& marker) {
  size_t found = 0;
  for (size_t at = text.find(marker); at != std::string::npos; at = text.find(marker, at + 1)) ++found;
  return found;
}

/// The one file that is not called `path`, or nothing.
inline std::string beside(const Files& files, const std::string& path) {
  if (files.size() != 2) return "there are " + std::to_string(files.size()) + " files";
  for (const auto& [name, bytes] : files) {
    if (name != path) return name.contains("(conflict ") ? bytes : "the other file is called " + name;
  }
  return "there is no " + path;
}

inline void swap_names(Device& device) {
  device.user_renames("a.md", "t.md");
  device.user_renames("b.md", "a.md");
  device.user_renames("t.md", "b.md");
}

}  // namespace diaryx::sync
