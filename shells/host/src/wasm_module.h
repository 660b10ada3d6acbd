// The outside of a WebAssembly module: what it imports and exports, read without running it.
#pragma once

#include <cstdint>
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

}  // namespace diaryx::host
