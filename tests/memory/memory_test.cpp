// Documents are cheap: one with 1 KB of text holds at most 4 KB, counted by an allocator that sees every byte the program asks for.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "diaryx/crdt/doc.h"

namespace {

/// What is allocated right now, as asked for. The size stands in front of each block.
size_t allocated_bytes = 0;
constexpr size_t kFront = alignof(std::max_align_t);

void* allocate(size_t size) {
  auto* front = static_cast<char*>(std::malloc(size + kFront));
  if (front == nullptr) std::abort();
  *reinterpret_cast<size_t*>(front) = size;
  allocated_bytes += size;
  return front + kFront;
}

void release(void* block) noexcept {
  if (block == nullptr) return;
  char* front = static_cast<char*>(block) - kFront;
  allocated_bytes -= *reinterpret_cast<size_t*>(front);
  std::free(front);
}

}  // namespace

void* operator new(size_t size) { return allocate(size); }
void* operator new[](size_t size) { return allocate(size); }
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, size_t) noexcept { release(block); }
void operator delete[](void* block, size_t) noexcept { release(block); }

namespace diaryx::crdt {
namespace {

constexpr size_t kMaxBytesOfSmallDocument = 4096;
constexpr uint32_t kTextUnits = 1024;

void insert(Doc& doc, uint32_t at, std::string_view text) {
  Transaction txn = doc.transact();
  ASSERT_TRUE(doc.text("body").insert(txn, Utf16Offset{at}, text).has_value());
}

/// Of a document that `fill` made, per document of many: the first may set up what all share.
template <typename Fill>
size_t bytes_per_document(Fill&& fill) {
  constexpr size_t kDocuments = 64;
  std::vector<Doc> documents;
  documents.reserve(kDocuments);
  const size_t before = allocated_bytes;
  for (uint64_t i = 0; i < kDocuments; ++i) {
    documents.emplace_back(DocOptions{.client = ClientId{1000 + i}});
    fill(documents.back());
    EXPECT_EQ(documents.back().text("body").length(), Length{kTextUnits});
  }
  const size_t bytes = (allocated_bytes - before) / kDocuments;
  testing::Test::RecordProperty("bytes_per_document", static_cast<int>(bytes));
  return bytes;
}

TEST(DocumentMemory, IsSmallForATextInsertedAtOnce) {
  EXPECT_LE(bytes_per_document([](Doc& doc) { insert(doc, 0, std::string(kTextUnits, 'x')); }),
            kMaxBytesOfSmallDocument);
}

TEST(DocumentMemory, IsSmallForATextTypedLetterByLetter) {
  EXPECT_LE(bytes_per_document([](Doc& doc) {
              for (uint32_t at = 0; at < kTextUnits; ++at) insert(doc, at, "x");
            }),
            kMaxBytesOfSmallDocument);
}

TEST(DocumentMemory, IsSmallForATextThatIsLoaded) {
  Doc original({.client = ClientId{1}});
  insert(original, 0, std::string(kTextUnits, 'x'));
  const Bytes v1 = original.encode_update_v1();
  const Bytes v2 = original.encode_update_v2();
  EXPECT_LE(bytes_per_document([&](Doc& doc) { ASSERT_TRUE(doc.apply_update_v1(v1).has_value()); }),
            kMaxBytesOfSmallDocument);
  EXPECT_LE(bytes_per_document([&](Doc& doc) { ASSERT_TRUE(doc.apply_update_v2(v2).has_value()); }),
            kMaxBytesOfSmallDocument);
}

TEST(DocumentMemory, IsSmallForATextThatWasCorrected) {
  EXPECT_LE(bytes_per_document([](Doc& doc) {
              insert(doc, 0, std::string(kTextUnits, 'x'));
              for (uint32_t word = 0; word < 4; ++word) {
                Transaction txn = doc.transact();
                ASSERT_TRUE(doc.text("body").erase(txn, Utf16Offset{word * 100}, Length{5}).has_value());
                ASSERT_TRUE(doc.text("body").insert(txn, Utf16Offset{word * 100}, "words").has_value());
              }
            }),
            kMaxBytesOfSmallDocument);
}

TEST(DocumentMemory, IsGivenBack) {
  const size_t before = allocated_bytes;
  {
    Doc doc({.client = ClientId{1}});
    insert(doc, 0, std::string(kTextUnits, 'x'));
  }
  EXPECT_EQ(allocated_bytes, before);
}

}  // namespace
}  // namespace diaryx::crdt
