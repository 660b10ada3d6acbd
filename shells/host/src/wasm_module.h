// The outside of a WebAssembly module: what it imports and exports, read without running it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diaryx/base/bytes.h"

namespace diaryx::host {

enum class WasmKind : uint8_t { Function, Table, Memory, Global, Tag };
std::string_view name_of(WasmKind kind);

struct WasmImport {
  std::string module;
  std::string name;
  WasmKind kind = WasmKind::Function;
};

struct WasmExport {
  std::string name;
  WasmKind kind = WasmKind::Function;
};

struct WasmOutside {
  std::vector<WasmImport> imports;
  std::vector<WasmExport> exports;
};

/// wasm  a binary module, not trusted.
/// Errors  InvalidMessage (not a module), Truncated, VarUintTooLong, NumberOutOfRange, InvalidUtf8, UnknownTag.
/// Source  WebAssembly core specification 2.0, section 5.5.
Result<WasmOutside> read_outside(ByteView wasm);

/// Why these bytes are no module that a host could load, as the end of a sentence that begins with the file's name.
/// error   of `read_outside`.
std::string why_unreadable(ByteView wasm, const Error& error);

/// Why no Diaryx host links a module with this outside, the same way; nothing when that is no reason. A host resolves all imports or
/// refuses the module.
std::optional<std::string> why_unlinkable(const WasmOutside& outside);

}  // namespace diaryx::host
