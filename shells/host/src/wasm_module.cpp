#include "wasm_module.h"

#include <algorithm>
#include <array>

namespace diaryx::host {
namespace {

constexpr std::array<uint8_t, 8> kHead{0x00, 'a', 's', 'm', 0x01, 0x00, 0x00, 0x00};
constexpr uint8_t kImports = 2;
constexpr uint8_t kExports = 7;
constexpr uint8_t kLastKind = 4;

Result<WasmKind> read_kind(Reader& in) {
  DX_TRY(const uint8_t kind, in.u8());
  if (kind > kLastKind) return fail(ErrorCode::UnknownTag, in.position());
  return WasmKind{kind};
}

// Bit 0 of the flags: there is an upper bound, too.
Result<void> skip_limits(Reader& in) {
  DX_TRY(const uint8_t flags, in.u8());
  DX_TRY_VOID(in.var_uint());
  if (flags & 1) DX_TRY_VOID(in.var_uint());
  return {};
}

Result<void> skip_type(Reader& in, WasmKind kind) {
  switch (kind) {
    case WasmKind::Function: DX_TRY_VOID(in.var_uint()); return {};
    case WasmKind::Table: DX_TRY_VOID(in.u8()); return skip_limits(in);
    case WasmKind::Memory: return skip_limits(in);
    case WasmKind::Global: DX_TRY_VOID(in.bytes(2)); return {};
    case WasmKind::Tag:
      DX_TRY_VOID(in.u8());
      DX_TRY_VOID(in.var_uint());
      return {};
  }
  return {};
}

Result<void> read_imports(Reader in, std::vector<WasmImport>& imports) {
  DX_TRY(const uint64_t count, in.var_uint());
  for (uint64_t i = 0; i < count; ++i) {
    DX_TRY(const std::string_view module, in.var_string());
    DX_TRY(const std::string_view name, in.var_string());
    DX_TRY(const WasmKind kind, read_kind(in));
    DX_TRY_VOID(skip_type(in, kind));
    imports.push_back({std::string(module), std::string(name), kind});
  }
  return {};
}

Result<void> read_exports(Reader in, std::vector<WasmExport>& exports) {
  DX_TRY(const uint64_t count, in.var_uint());
  for (uint64_t i = 0; i < count; ++i) {
    DX_TRY(const std::string_view name, in.var_string());
    DX_TRY(const WasmKind kind, read_kind(in));
    DX_TRY_VOID(in.var_uint());
    exports.push_back({std::string(name), kind});
  }
  return {};
}

}  // namespace

std::string_view name_of(WasmKind kind) {
  constexpr std::array<std::string_view, kLastKind + 1> names{"function", "table", "memory", "global", "tag"};
  return names[static_cast<size_t>(kind)];
}

Result<WasmOutside> read_outside(ByteView wasm) {
  Reader in(wasm);
  const auto head = in.bytes(kHead.size());
  if (!head || !std::ranges::equal(*head, kHead)) return fail(ErrorCode::InvalidMessage, 0);
  WasmOutside outside;
  while (!in.at_end()) {
    DX_TRY(const uint8_t section, in.u8());
    DX_TRY(const ByteView content, in.var_bytes());
    if (section == kImports) DX_TRY_VOID(read_imports(Reader(content), outside.imports));
    if (section == kExports) DX_TRY_VOID(read_exports(Reader(content), outside.exports));
  }
  return outside;
}

std::string why_unreadable(ByteView wasm, const Error& error) {
  constexpr std::array<uint8_t, 4> kMagic{0x00, 'a', 's', 'm'};
  constexpr size_t kLayer = 6;  // of the version: 0 is a module, 1 a component
  if (wasm.empty()) return "is empty";
  if (wasm.size() < kHead.size() || !std::ranges::equal(wasm.first(kMagic.size()), kMagic))
    return "is not a WebAssembly module";
  if (wasm[kLayer] == 1)
    return "is a WebAssembly component, and hosts load plain modules; build it without componentizing it";
  if (!std::ranges::equal(wasm.first(kHead.size()), kHead))
    return "is of a version of WebAssembly that hosts do not know";
  return "is damaged or cut off: " + describe(error);
}

std::optional<std::string> why_unlinkable(const WasmOutside& outside) {
  for (const WasmImport& import : outside.imports) {
    const std::string what = "imports " + import.module + ' ' + import.name;
    if (import.name.starts_with("__wbindgen"))
      return what + ": it is an artifact of wasm-bindgen, a stale or foreign file; build it anew";
    const bool is_offered = import.module == "extism:host/env" || import.module == "extism:host/user" ||
                            import.module == "wasi_snapshot_preview1";
    if (!is_offered) return what + ", and no host offers that module";
    if (import.kind != WasmKind::Function)
      return what + ", a " + std::string(name_of(import.kind)) + ", and hosts offer only functions";
  }
  return std::nullopt;
}

}  // namespace diaryx::host
