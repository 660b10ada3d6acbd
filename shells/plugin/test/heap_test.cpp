#include "heap.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <utility>
#include <vector>

namespace diaryx::plugin {
namespace {

constexpr size_t kPage = 65536;

// Memory that grows by whole pages, as that of a guest, from a place that is not aligned.
class Memory {
 public:
  static void begin(size_t most_bytes) {
    room.assign(most_bytes + 16, std::byte{0xa5});
    given = 3;
    size = given;
    most = most_bytes;
  }
  static std::span<std::byte> more(size_t bytes) {
    const size_t grown = (bytes + kPage - 1) / kPage * kPage;
    if (size + grown > most) return {};
    size += grown;
    return {room.data() + std::exchange(given, size), grown};
  }
  static inline std::vector<std::byte> room;
  static inline size_t given = 0;
  static inline size_t size = 0;
  static inline size_t most = 0;
};

struct Piece {
  std::byte* data;
  size_t size;
  std::byte mark;

  bool is_whole() const {
    return std::all_of(data, data + size, [this](std::byte byte) { return byte == mark; });
  }
};

// As a session has them: mostly small, some texts, few large ones.
size_t random_size(std::mt19937& random) {
  const uint32_t kind = random() % 1000;
  if (kind < 800) return random() % 128;
  if (kind < 990) return random() % 8192;
  return random() % 262144;
}

TEST(Heap, KeepsPiecesApartAndIsSoundAfterEachStep) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    Memory::begin(64 << 20);
    Heap heap(Memory::more);
    std::mt19937 random(seed);
    std::vector<Piece> pieces;
    for (int step = 0; step < 4000; ++step) {
      if (pieces.empty() || random() % 100 < 52) {
        const size_t size = random_size(random);
        auto* const data = static_cast<std::byte*>(heap.allocate(size));
        ASSERT_NE(data, nullptr);
        ASSERT_EQ(reinterpret_cast<uintptr_t>(data) % Heap::kGrain, 0u);
        pieces.push_back({data, size, static_cast<std::byte>(random())});
        std::memset(data, static_cast<int>(pieces.back().mark), size);
      } else {
        std::swap(pieces[random() % pieces.size()], pieces.back());
        ASSERT_TRUE(pieces.back().is_whole());
        heap.release(pieces.back().data);
        pieces.pop_back();
      }
      if (step % 16 == 0) {
        ASSERT_TRUE(heap.is_sound()) << "seed " << seed << ", step " << step;
      }
    }
    for (const Piece& piece : pieces) {
      ASSERT_TRUE(piece.is_whole());
      heap.release(piece.data);
    }
    EXPECT_TRUE(heap.is_sound());
    const size_t size = Memory::size;
    EXPECT_NE(heap.allocate(size - 1024), nullptr) << "what was given back is one piece again";
    EXPECT_EQ(Memory::size, size);
  }
}

// Documents come and go for days: what is in use swells and shrinks, and some small pieces of every tide stay for long.
TEST(Heap, DoesNotBreakIntoPiecesInALongSession) {
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    Memory::begin(256 << 20);
    Heap heap(Memory::more);
    std::mt19937 random(seed);
    std::vector<Piece> pieces;
    size_t in_use = 0;
    size_t most_in_use = 0;
    for (int step = 0; step < 600'000; ++step) {
      const bool tide_rises = step / 20'000 % 2 == 0;
      if (pieces.empty() || random() % 100 < (tide_rises ? 60u : 40u)) {
        const size_t size = random_size(random);
        auto* const data = static_cast<std::byte*>(heap.allocate(size));
        ASSERT_NE(data, nullptr);
        pieces.push_back({data, size, {}});
        in_use += size;
        most_in_use = std::max(most_in_use, in_use);
      } else {
        std::swap(pieces[random() % pieces.size()], pieces.back());
        in_use -= pieces.back().size;
        heap.release(pieces.back().data);
        pieces.pop_back();
      }
    }
    EXPECT_TRUE(heap.is_sound());
    EXPECT_LT(Memory::size, most_in_use + most_in_use / 5) << "seed " << seed;
  }
}

TEST(Heap, SaysWhenThereIsNoMore) {
  Memory::begin(5 * kPage);
  Heap heap(Memory::more);
  void* const most = heap.allocate(3 * kPage);
  ASSERT_NE(most, nullptr);
  EXPECT_EQ(heap.allocate(3 * kPage), nullptr);
  EXPECT_EQ(heap.allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(heap.allocate(SIZE_MAX - 64), nullptr);
  EXPECT_TRUE(heap.is_sound());
  heap.release(most);
  heap.release(nullptr);
  EXPECT_NE(heap.allocate(3 * kPage), nullptr);
}

}  // namespace
}  // namespace diaryx::plugin
