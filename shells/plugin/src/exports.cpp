// The exports, one line each: input from the kernel, the guest's answer back. What an export does is in guest.cpp.

#include <expected>

#include "diaryx/base/bytes.h"
#include "envelope.h"
#include "guest.h"
#include "host.h"
#include "pdk.h"

extern "C" void _initialize();

namespace diaryx::plugin {
namespace {

Guest& guest() {
  static Guest instance;  // the only global of the plugin: an instance of the module is one guest
  return instance;
}

std::int32_t answer(ByteView bytes) {
  pdk::output(bytes);
  return 0;
}

std::int32_t answer(const Outcome& outcome) {
  if (!outcome) return pdk::fail(outcome.error());
  pdk::output(std::string_view{*outcome});
  return 0;
}

std::int32_t answer(const BinaryOutcome& outcome) {
  if (!outcome) return pdk::fail(outcome.error());
  return answer(ByteView{*outcome});
}

// How much of its input an export may hold at once, in copies: as JSON and in documents, in the history, as Base64.
constexpr std::size_t kCopiesOfText = 16;
constexpr std::size_t kCopiesOfFrame = 6;
constexpr const char* kNoMemory = "The plugin has too little memory for this; nothing was done.";

std::int32_t refuse_text() {
  host::log(host::Level::Warn, kNoMemory);
  return pdk::fail(kNoMemory);
}

// Not an error: native hosts end the connection for good when a callback fails.
std::int32_t refuse_binary() {
  host::log(host::Level::Warn, kNoMemory);
  return answer(ByteView{encode_envelope({}).bytes});
}

}  // namespace

// SDK 1.0.3 never calls `_initialize` by itself when WASI is off; it does nothing the second time.
#define DX_EXPORT(name)                                                         \
  static std::int32_t name##_body();                                            \
  extern "C" __attribute__((export_name(#name))) std::int32_t name##_export() { \
    _initialize();                                                              \
    return pdk::run(name##_body);                                               \
  }                                                                             \
  [[gnu::noinline]] static std::int32_t name##_body()

#define DX_EXPORT_WITH_ROOM(name, copies, refuse)                                   \
  static std::int32_t name##_with_room();                                           \
  DX_EXPORT(name) { return pdk::has_room(copies) ? name##_with_room() : refuse(); } \
  static std::int32_t name##_with_room()
#define DX_TEXT_EXPORT(name) DX_EXPORT_WITH_ROOM(name, kCopiesOfText, refuse_text)
#define DX_BINARY_EXPORT(name) DX_EXPORT_WITH_ROOM(name, kCopiesOfFrame, refuse_binary)

// Those that take little go on when memory is short: what there is can still be asked and put away.
DX_EXPORT(manifest) { return answer(guest().manifest()); }
DX_EXPORT(shutdown) { return answer(guest().shutdown()); }
DX_EXPORT(get_config) { return answer(guest().get_config()); }
DX_EXPORT(on_disconnected) { return answer(guest().on_disconnected()); }

DX_TEXT_EXPORT(init) { return answer(guest().init(pdk::input_text())); }
DX_TEXT_EXPORT(handle_command) { return answer(guest().handle_command(pdk::input_text())); }
DX_TEXT_EXPORT(execute_typed_command) { return answer(guest().execute_typed_command(pdk::input_text())); }
DX_TEXT_EXPORT(get_component_html) { return answer(guest().component_html(pdk::input_text())); }
DX_TEXT_EXPORT(on_event) { return answer(guest().on_event(pdk::input_text())); }
DX_TEXT_EXPORT(set_config) { return answer(guest().set_config(pdk::input_text())); }

DX_BINARY_EXPORT(handle_binary_message) { return answer(guest().on_binary(pdk::input())); }
DX_BINARY_EXPORT(handle_text_message) { return answer(guest().on_text(pdk::input_text())); }
DX_BINARY_EXPORT(on_connected) { return answer(guest().on_connected(pdk::input_text())); }
DX_BINARY_EXPORT(queue_local_update) { return answer(guest().queue_local_update(pdk::input_text())); }
DX_BINARY_EXPORT(on_snapshot_imported) { return answer(guest().on_snapshot_imported()); }
DX_BINARY_EXPORT(sync_body_files) { return answer(guest().sync_body_files(pdk::input_text())); }

}  // namespace diaryx::plugin
