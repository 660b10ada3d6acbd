#include "pdk.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

// `u32` answers of the kernel are widened bytes.
#define DX_KERNEL(name) extern "C" __attribute__((import_module("extism:host/env"), import_name(#name)))
DX_KERNEL(input_length) std::uint64_t kernel_input_length();
DX_KERNEL(input_load_u8) std::uint32_t kernel_input_load_u8(std::uint64_t);
DX_KERNEL(input_load_u64) std::uint64_t kernel_input_load_u64(std::uint64_t);
DX_KERNEL(alloc) std::uint64_t kernel_alloc(std::uint64_t);
DX_KERNEL(free) void kernel_free(std::uint64_t);
DX_KERNEL(length) std::uint64_t kernel_length(std::uint64_t);
DX_KERNEL(load_u8) std::uint32_t kernel_load_u8(std::uint64_t);
DX_KERNEL(load_u64) std::uint64_t kernel_load_u64(std::uint64_t);
DX_KERNEL(store_u8) void kernel_store_u8(std::uint64_t, std::uint32_t);
DX_KERNEL(store_u64) void kernel_store_u64(std::uint64_t, std::uint64_t);
DX_KERNEL(output_set) void kernel_output_set(std::uint64_t, std::uint64_t);
DX_KERNEL(error_set) void kernel_error_set(std::uint64_t);
#undef DX_KERNEL

namespace diaryx::plugin::pdk {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

std::uint32_t g_blocks = 0;

// Fills `to` from the source behind the two loads. The kernel refuses a word that reaches past the end, so the tail
// goes by byte. Both sides are little-endian.
template <auto LoadWord, auto LoadByte>
void copy_in(std::uint64_t from, std::uint8_t* to, std::size_t size) {
  std::size_t at = 0;
  for (; size - at >= kWord; at += kWord) {
    const std::uint64_t word = LoadWord(from + at);
    std::memcpy(to + at, &word, kWord);
  }
  for (; at < size; ++at) to[at] = static_cast<std::uint8_t>(LoadByte(from + at));
}

// The mark of the running export: a block that holds a number which no other call has used.
struct Mark {
  std::uint64_t handle;
  std::uint64_t value;
};

Mark g_mark{0, 0x6469'6172'7978'0000};

bool is_alive(const Mark& mark) {
  // After a trap the handle may name a block of the new call, its input for one; the value tells.
  return mark.handle != 0 && kernel_length(mark.handle) == kWord && kernel_load_u64(mark.handle) == mark.value;
}

bool g_was_cut_short = false;  // the call before this one trapped
std::uintptr_t g_first_stack = 0;

__asm__(".globaltype __stack_pointer, i32\n");

inline std::uintptr_t stack_pointer() {
  std::uintptr_t value = 0;
  __asm__ volatile("global.get __stack_pointer\n\tlocal.set %0" : "=r"(value));
  return value;
}

inline void set_stack_pointer(std::uintptr_t value) {
  __asm__ volatile("local.get %0\n\tglobal.set __stack_pointer" : : "r"(value) : "memory");
}

[[gnu::noinline]] bool enter() {
  if (is_alive(g_mark)) return false;
  g_was_cut_short = g_mark.handle != 0;
  g_blocks = 1;
  g_mark = {kernel_alloc(kWord), g_mark.value + 1};
  kernel_store_u64(g_mark.handle, g_mark.value);
  return true;
}

[[gnu::noinline]] void leave() {
  kernel_free(g_mark.handle);
  g_mark.handle = 0;
}

[[gnu::noinline]] std::int32_t refuse_entry() { return fail("the plugin is busy: an earlier call has not returned"); }

struct Block {
  std::uint64_t handle;
  std::uint64_t size;
};

Block copy_out(const void* from, std::size_t size) {
  if (size == 0) return {0, 0};
  ++g_blocks;
  const Block block{kernel_alloc(size), size};
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  std::size_t at = 0;
  for (; size - at >= kWord; at += kWord) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, kWord);
    kernel_store_u64(block.handle + at, word);
  }
  for (; at < size; ++at) kernel_store_u8(block.handle + at, bytes[at]);
  return block;
}

template <class Container>
Container read_input() {
  Container out;
  out.resize(static_cast<std::size_t>(kernel_input_length()));
  copy_in<kernel_input_load_u64, kernel_input_load_u8>(0, reinterpret_cast<std::uint8_t*>(out.data()), out.size());
  return out;
}

}  // namespace

Bytes input() { return read_input<Bytes>(); }

std::string input_text() { return read_input<std::string>(); }

void output(ByteView bytes) {
  const Block block = copy_out(bytes.data(), bytes.size());
  if (block.size != 0) kernel_output_set(block.handle, block.size);
}

void output(std::string_view text) {
  output(ByteView{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::int32_t fail(std::string_view message) {
  kernel_error_set(copy_out(message.data(), message.size()).handle);
  return 1;
}

std::string call(UserFunction function, std::string_view argument) {
  const Block in = copy_out(argument.data(), argument.size());
  const std::uint64_t answer = function(in.handle);
  if (in.handle != 0) kernel_free(in.handle);
  if (answer == 0) return {};
  ++g_blocks;
  std::string text(static_cast<std::size_t>(kernel_length(answer)), '\0');
  copy_in<kernel_load_u64, kernel_load_u8>(answer, reinterpret_cast<std::uint8_t*>(text.data()), text.size());
  kernel_free(answer);
  return text;
}

// Neither this function nor the exports that call it may have a frame: after a trap the stack pointer moves below their
// feet. So everything is in globals, and what needs a frame is a call.
[[gnu::noinline]] std::int32_t run(std::int32_t (*body)()) {
  if (g_first_stack == 0) g_first_stack = stack_pointer();
  if (!enter()) return refuse_entry();
  if (g_was_cut_short) set_stack_pointer(g_first_stack);
  const std::int32_t code = body();
  leave();
  return code;
}

bool has_room(std::size_t times) {
  constexpr std::uint64_t kReserve = std::uint64_t{1} << 20;
  constexpr std::uint64_t kMost = std::uint64_t{64} << 20;  // nonsense of that size is refused with one copy
  const std::uint64_t input = kernel_input_length();
  const std::uint64_t wanted = input + std::min(input * times, kMost) + kReserve;
  if (wanted > std::numeric_limits<std::uint32_t>::max()) return false;
  void* const room = std::malloc(static_cast<std::size_t>(wanted));
  __asm__ volatile("" : : "r"(room) : "memory");  // or the compiler would take both calls away
  std::free(room);
  return room != nullptr;
}

std::uint32_t blocks_used() { return g_blocks; }

}  // namespace diaryx::plugin::pdk
