#include "zip.h"

#include <gtest/gtest.h>

#include "diaryx/base/base64.h"
#include "diaryx/base/sha256.h"
#include "fake_host.h"
#include "inflate.h"
#include "snapshot.h"

namespace diaryx::plugin {
namespace {

Bytes hex(std::string_view digits) { return *from_hex(digits); }

Bytes with_flipped_bit(Bytes bytes, size_t bit) {
  bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  return bytes;
}

// All streams below were made by zlib 1.2.13 (Python 3.11, `zlib.compressobj(9, DEFLATED, -15)`).

constexpr std::string_view kFixed = "cbcb2f4955c843255232138b2a9149ae3c2aaa0200";
// 600 pseudo-random letters; their digest stands in the test.
constexpr std::string_view kDynamic =
    "15915992c5200c03afa2abb1988781b099b0e4f4c3fcabba24755b4aa3dae837ea29bf5c55464f27128359a99c6394f729393d67e88d18"
    "1acda1268d35f02620d9a6d7a719fb2898f4f88a35966af86d3170798e1d662f6ebc23b93010ad2b9fa9ab01c11a9a9933e317b1838504"
    "44057ad1055ff0a7249ac9511f3c362d3336776a329302b7b743c65a7d6125eca9828acf86b87fc2e0ae9f885492418996fd2dfab001d6"
    "a15cb75a5f87e76d78fca48c298b815c36423cf906dd52e7f7e612de7c80428273621bd4a0df41b7a4f6a862f85328dc2b4ca51e4408ca"
    "6b1e52a6dc4bd766a3da9d561e75e938f81e010d05c108114cb304144ba53bd213f491f5be7816849410291bfe1dea3667ffb1827b89d6"
    "b62c210f612e8db836515c374e623d5d36ce8feb10787f4a97632fdd3bca7c5695b9cee125d8cae49c3efa99abea318475cb5d91c0ef09"
    "91f641e0e67b946a60d67eadbe9afc2ba8d13c3a17f7ed71efbe5b634dd9a02b58201ac32aaf1f5572b0d5d267ed1f";

TEST(Inflate, ReadsABlockWithFixedCodes) {
  const std::string line = "note note note note diary diary diary\n";
  EXPECT_EQ(as_text(*inflate(hex(kFixed), 1000)), line + line + line);
}

TEST(Inflate, ReadsABlockWithCodesOfItsOwn) {
  const auto text = inflate(hex(kDynamic), 600);
  ASSERT_TRUE(text);
  EXPECT_EQ(sha256(*text).hex(), "c5c703183ba4718ba01b72a1789148b13e7cfb554fdb4017e4cc039657f483f3");
}

TEST(Inflate, ReadsAStoredBlock) {
  EXPECT_EQ(*inflate(hex("010200fdff4142"), 2), (Bytes{'A', 'B'}));
  EXPECT_EQ(inflate(hex("010200fdfe4142"), 2).error().code, ErrorCode::InvalidMessage);
}

TEST(Inflate, GoesOnBehindWhatIsThere) {
  const std::string page = "note note note note diary diary diary\n";
  const auto longer = inflate(hex("4b84f2f2d3c02a8ab900"), 55, to_bytes(as_bytes(page)));
  ASSERT_TRUE(longer);
  EXPECT_EQ(as_text(*longer), page + "a diary of notes\n");
}

TEST(Inflate, StopsAtTheLimit) {
  EXPECT_EQ(inflate(hex(kFixed), 113).error().code, ErrorCode::TooLarge);
  EXPECT_EQ(inflate(hex(kDynamic), 599).error().code, ErrorCode::TooLarge);
}

TEST(Inflate, RefusesEveryCutAndSurvivesEveryFlippedBit) {
  constexpr size_t kLimit = 5000;
  const Bytes whole = hex(kDynamic);
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(inflate(ByteView(whole).first(size), kLimit)) << size;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    const auto text = inflate(with_flipped_bit(whole, bit), kLimit);
    if (text) {
      EXPECT_LE(text->size(), kLimit);
    }
  }
}

TEST(Zip, ReadsWhatItWrote) {
  ZipWriter writer;
  EXPECT_TRUE(writer.add("notes/é.md", as_bytes("hello")));
  EXPECT_TRUE(writer.add("empty", {}));
  const Bytes archive = std::move(writer).finish();
  const auto entries = read_zip_directory(archive);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].name, "notes/é.md");
  EXPECT_EQ(as_text(*read_zip_entry(archive, (*entries)[0])), "hello");
  EXPECT_TRUE(read_zip_entry(archive, (*entries)[1])->empty());
}

TEST(Zip, RefusesANameThatHasNoRoom) {
  ZipWriter writer;
  EXPECT_FALSE(writer.add(std::string(70'000, 'x'), {}));
}

// Made by Python 3.11 zipfile: a.md deflated, b.bin stored.
constexpr std::string_view kForeign =
    "504b03041400000008000000215c0088590b0b0000001800000004000000612e6d64cb48cdc9c957c84027b900504b0304140000000000"
    "0000215c72fddb6c020000000200000005000000622e62696e00ff504b010214031400000008000000215c0088590b0b00000018000000"
    "040000000000000000000000800100000000612e6d64504b010214031400000000000000215c72fddb6c02000000020000000500000000"
    "0000000000000080012d000000622e62696e504b0506000000000200020065000000520000000000";

TEST(Zip, ReadsAForeignArchive) {
  const Bytes archive = hex(kForeign);
  const auto entries = read_zip_directory(archive);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ(as_text(*read_zip_entry(archive, (*entries)[0])), "hello hello hello hello\n");
  EXPECT_EQ(*read_zip_entry(archive, (*entries)[1]), (Bytes{0, 0xff}));
}

TEST(Zip, RefusesWhatIsNoArchive) {
  EXPECT_FALSE(read_zip_directory({}));
  EXPECT_FALSE(read_zip_directory(as_bytes("this is no archive at all, only some text")));
}

TEST(Zip, NeverTakesDamagedContentForGood) {
  const Bytes archive = hex(kForeign);
  const std::vector<ZipEntry> good = *read_zip_directory(archive);
  for (size_t bit = 0; bit < archive.size() * 8; ++bit) {
    const Bytes changed = with_flipped_bit(archive, bit);
    for (const ZipEntry& entry : read_zip_directory(changed).value_or(std::vector<ZipEntry>{})) {
      const auto bytes = read_zip_entry(changed, entry);
      if (!bytes) continue;
      EXPECT_TRUE(*bytes == *read_zip_entry(archive, good[0]) || *bytes == *read_zip_entry(archive, good[1])) << bit;
    }
  }
}

TEST(Snapshot, WritesWhatIsSafeAndCountsTheRest) {
  fake_host() = {};
  ZipWriter zip;
  for (const std::string_view name : {"a.md", "./b.md", "q/./././r.md", "s/./.hidden/t.md", "u/.", "v/../w.md",
                                      "x\\y.md", "x\\..\\..\\z.md", "/abs.md", "__MACOSX/a.md", "folder/"})
    ASSERT_TRUE(zip.add(name, as_bytes("text")));
  Disk disk;
  disk.set_root("/w");
  const auto unpacked = unpack_into(disk, std::move(zip).finish(), true);
  ASSERT_TRUE(unpacked);
  EXPECT_EQ(unpacked->written, 4u);
  EXPECT_EQ(unpacked->skipped, 6u);
  std::vector<std::string> names;
  for (const auto& [path, bytes] : fake_host().files) names.push_back(path);
  EXPECT_EQ(names, (std::vector<std::string>{"/w/a.md", "/w/b.md", "/w/q/r.md", "/w/x/y.md"}));
}

}  // namespace
}  // namespace diaryx::plugin
