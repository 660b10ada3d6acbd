#include "diaryx/base/sha256.h"

#include <gtest/gtest.h>

#include <vector>

#include "sha256_blocks.h"

namespace diaryx {
namespace {

TEST(Sha256, GivesTheDigestsOfFips180) {
  EXPECT_EQ(sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')).hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotCareHowTheInputIsCut) {
  const std::string text(777, 'x');
  for (size_t piece = 1; piece < 200; ++piece) {
    Sha256Hasher hasher;
    for (size_t at = 0; at < text.size(); at += piece) hasher.update(std::string_view(text).substr(at, piece));
    ASSERT_EQ(hasher.finish(), sha256(text)) << piece;
  }
}

#if defined(__x86_64__)
TEST(Sha256, IsTheSameByTheInstructionsOfTheProcessor) {
  if (!has_sha256_instructions()) GTEST_SKIP() << "this processor has no SHA instructions";
  std::vector<uint8_t> blocks(40 * kSha256BlockBytes);
  uint32_t x = 1;
  for (uint8_t& byte : blocks) byte = static_cast<uint8_t>((x = x * 1664525 + 1013904223) >> 24);
  Sha256State portable{1, 2, 3, 4, 5, 6, 7, 8};
  Sha256State fast = portable;
  size_t at = 0;
  for (size_t count = 0; at + count <= 40; at += count++) {
    sha256_blocks_portable(portable, blocks.data() + at * kSha256BlockBytes, count);
    sha256_blocks_x86(fast, blocks.data() + at * kSha256BlockBytes, count);
    ASSERT_EQ(fast, portable) << count << " blocks at " << at;
  }
}
#endif

TEST(Sha256, ReadsItsHex) {
  EXPECT_EQ(Sha256::from_hex(sha256("abc").hex()), sha256("abc"));
  EXPECT_FALSE(Sha256::from_hex("abc"));
  EXPECT_FALSE(Sha256::from_hex(std::string(64, 'g')));
}

}  // namespace
}  // namespace diaryx
