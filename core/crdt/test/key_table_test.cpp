#include "key_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace diaryx::crdt {
namespace {

TEST(KeyTable, GivesEachTextOneHandle) {
  KeyTable table;
  std::map<std::string, KeyRef> known;
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = "name " + std::to_string(random() % 3000) + std::string(random() % 20, 'x');
    const auto [at, is_new] = known.try_emplace(text, KeyRef::None);
    ASSERT_EQ(some(table.find(text)), !is_new) << text;
    const KeyRef key = table.intern(text);
    if (is_new) at->second = key;
    ASSERT_EQ(key, at->second) << text;
    ASSERT_EQ(table.text(key), text);
  }
}

// Keys come in a row, as names do that were never seen; now and then an older one comes, and any of them is asked for.
TEST(KeyMap, FindsWhatWasSet) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    KeyMap map;
    std::map<uint32_t, uint32_t> model;
    uint32_t next = 1 + random() % 50;
    const uint32_t likely_older = 1 + random() % 40;
    const uint32_t steps = 10 + random() % 400;
    for (uint32_t i = 0; i < steps; ++i) {
      const uint32_t number = random() % likely_older == 0 ? 1 + random() % (next + 3) : next++;
      const auto key = static_cast<KeyRef>(number);
      if (model.contains(number) || random() % 2 == 0) {
        map.set(key, i);
      } else {
        map.add(key, i);
      }
      model[number] = i;
      const uint32_t wanted = random() % 4 == 0 ? 1 + random() % (next + 5) : number;
      const uint32_t* const found = map.find(static_cast<KeyRef>(wanted));
      ASSERT_EQ(found != nullptr, model.contains(wanted)) << seed << ", key " << wanted;
      if (found != nullptr) ASSERT_EQ(*found, model[wanted]) << seed;
    }
    ASSERT_EQ(map.entries().size(), model.size()) << seed;
    for (uint32_t number = 1; number < next + 8; ++number) {
      const uint32_t* const found = map.find(static_cast<KeyRef>(number));
      ASSERT_EQ(found != nullptr, model.contains(number)) << seed << ", key " << number;
      if (found != nullptr) ASSERT_EQ(*found, model[number]) << seed;
    }
  }
}

}  // namespace
}  // namespace diaryx::crdt
