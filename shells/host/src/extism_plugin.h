// A plugin loaded into wasmtime by libextism, and host functions that may fail.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/native/problem.h"

namespace diaryx::host {

/// A function that the host offers to guests, of wasm type `(i64) -> i64` in the module `extism:host/user`.
///
/// run  takes the guest's input and gives its answer; empty is "nothing". A problem ends the guest's call, as in other native hosts:
///      the guest cannot catch it.
struct HostFunction {
  std::string name;
  std::function<native::Outcome<std::string>(std::string_view input)> run;
};

/// One instance. Its memory lives as long as it does, also after a call that failed. Calls come from one thread, one at a time.
class ExtismPlugin {
 public:
  /// Compiles and links; every import must be among `functions` or the Extism kernel. WASI is there for guests that want it.
  /// Errors: why not, as the end of a sentence that begins with the file's name.
  static native::Outcome<std::unique_ptr<ExtismPlugin>> load(ByteView wasm, std::vector<HostFunction> functions);
  ~ExtismPlugin();
  ExtismPlugin(const ExtismPlugin&) = delete;
  ExtismPlugin& operator=(const ExtismPlugin&) = delete;

  /// Runs an export; its output may be empty. The problem is the guest's own text, or that of the host function that ended it.
  native::Outcome<Bytes> call(const std::string& name, ByteView input);
  bool has(const std::string& name) const;

  static std::string runtime_version();

 private:
  class Impl;
  explicit ExtismPlugin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace diaryx::host
