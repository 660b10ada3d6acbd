#include "../src/wasm_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diaryx::host {
namespace {

// A module with one section: `id`, then its content with its length in front (below 128 bytes).
Bytes module_with(uint8_t id, const std::string& content) {
  const std::string text =
      std::string("\0asm\1\0\0\0", 8) + static_cast<char>(id) + static_cast<char>(content.size()) + content;
  return Bytes(text.begin(), text.end());
}

TEST(WasmModule, ReadsImportsOfEveryKind) {
  const std::string imports = std::string("\5") + "\1m\1f" + std::string("\0\x80\1", 3)  // function of type 128
                              + "\1m\1t" + std::string("\1\x70\1\2\x80\1", 6)             // table with both limits
                              + "\1m\1n" + std::string("\2\0\1", 3)  // memory with the lower one
                              + "\1m\1g" + std::string("\3\x7f\1", 3)  // mutable global
                              + "\1m\1e" + std::string("\4\0\0", 3);  // tag
  const auto outside = read_outside(module_with(2, imports));
  ASSERT_TRUE(outside);
  ASSERT_EQ(outside->imports.size(), 5u);
  EXPECT_EQ(outside->imports[0].module, "m");
  std::string kinds;
  for (const WasmImport& import : outside->imports)
    kinds += import.name + '=' + std::string(name_of(import.kind)) + ' ';
  EXPECT_EQ(kinds, "f=function t=table n=memory g=global e=tag ");
}

TEST(WasmModule, ReadsExportsAndPassesOverOtherSections) {
  Bytes module = module_with(0, "custom");
  const Bytes exports = module_with(7, std::string("\2\6memory\2\0\3run\0\5", 16));
  module.insert(module.end(), exports.begin() + 8, exports.end());
  const auto outside = read_outside(module);
  ASSERT_TRUE(outside);
  ASSERT_EQ(outside->exports.size(), 2u);
  EXPECT_EQ(outside->exports[0].name, "memory");
  EXPECT_EQ(outside->exports[1].name, "run");
  EXPECT_TRUE(outside->imports.empty());
}

TEST(WasmModule, RefusesWhatIsNoModule) {
  EXPECT_EQ(read_outside({}).error().code, ErrorCode::InvalidMessage);
  EXPECT_EQ(read_outside(as_bytes(std::string_view("#!/bin/sh\nexit"))).error().code, ErrorCode::InvalidMessage);
}

TEST(WasmModule, SaysWhyBytesAreNoModule) {
  const auto why = [](std::string_view text) {
    const auto outside = read_outside(as_bytes(text));
    return outside ? std::string("fine") : why_unreadable(as_bytes(text), outside.error());
  };
  EXPECT_EQ(why(""), "is empty");
  EXPECT_EQ(why("#!/bin/sh"), "is not a WebAssembly module");
  EXPECT_EQ(why({"\0asm", 4}), "is not a WebAssembly module");
  EXPECT_THAT(why({"\0asm\15\0\1\0", 8}), testing::StartsWith("is a WebAssembly component"));
  EXPECT_THAT(why({"\0asm\2\0\0\0", 8}), testing::HasSubstr("of a version"));
  EXPECT_THAT(why({"\0asm\1\0\0\0\2\x7f", 10}), testing::StartsWith("is damaged or cut off: "));
  EXPECT_EQ(why({"\0asm\1\0\0\0", 8}), "fine");
}

TEST(WasmModule, NamesTheImportThatNoHostOffers) {
  const auto why = [](std::string module, std::string name, WasmKind kind = WasmKind::Function) {
    return why_unlinkable({.imports = {{"extism:host/user", "host_log"}, {std::move(module), std::move(name), kind}}})
        .value_or("");
  };
  EXPECT_EQ(why("extism:host/env", "alloc"), "");
  EXPECT_EQ(why("extism:host/user", "host_hash_file"), "");
  EXPECT_EQ(why("wasi_snapshot_preview1", "fd_write"), "");
  EXPECT_EQ(why("env", "memcpy"), "imports env memcpy, and no host offers that module");
  EXPECT_THAT(why("__wbindgen_placeholder__", "__wbindgen_throw"), testing::HasSubstr("wasm-bindgen"));
  EXPECT_EQ(why("extism:host/env", "memory", WasmKind::Memory),
            "imports extism:host/env memory, a memory, and hosts offer only functions");
}

TEST(WasmModule, RefusesEveryTruncation) {
  const Bytes whole = module_with(2, std::string("\1\1m\1f\0\0", 7));
  ASSERT_TRUE(read_outside(whole));
  for (size_t size = 9; size < whole.size(); ++size) EXPECT_FALSE(read_outside(ByteView(whole).first(size))) << size;
  Bytes unknown_kind = whole;
  unknown_kind[unknown_kind.size() - 2] = 5;
  EXPECT_EQ(read_outside(unknown_kind).error().code, ErrorCode::UnknownTag);
}

TEST(WasmModule, SurvivesAnyChangeOfItsBytes) {
  const Bytes whole = module_with(2, std::string("\2\1m\1f\0\0\1m\1t\1\x70\1\2\5", 16));
  ASSERT_TRUE(read_outside(whole));
  uint32_t at = 1;
  const auto random = [&at](uint32_t below) { return ((at = at * 1664525u + 1013904223u) >> 8) % below; };
  size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes changed = whole;
    for (uint32_t changes = 1 + random(3); changes > 0; --changes)
      changed[8 + random(static_cast<uint32_t>(changed.size()) - 8)] = static_cast<uint8_t>(random(256));
    if (const auto outside = read_outside(changed)) {
      ++read;
      EXPECT_LE(outside->imports.size(), changed.size());
    }
  }
  EXPECT_GT(read, 0u);
}

}  // namespace
}  // namespace diaryx::host
