#include "extism_plugin.h"

#include <cstring>
#include <utility>

#include <extism.h>

namespace diaryx::host {
namespace {

constexpr const char* kUserModule = "extism:host/user";

}  // namespace

class ExtismPlugin::Impl {
 public:
  struct Binding {
    HostFunction function;
    Impl* owner;
  };

  explicit Impl(std::vector<HostFunction> functions) {
    // Stable addresses: libextism keeps a pointer to each binding.
    for (HostFunction& function : functions) {
      bindings.push_back(std::make_unique<Binding>(std::move(function), this));
    }
  }

  ~Impl() {
    if (plugin) extism_plugin_free(plugin);
    for (ExtismFunction* function : registered) extism_function_free(function);
  }

  static void on_call(ExtismCurrentPlugin* current, const ExtismVal* inputs, ExtismSize, ExtismVal* outputs, ExtismSize,
                      void* data) {
    Binding& binding = *static_cast<Binding*>(data);
    const auto handle = static_cast<ExtismMemoryHandle>(inputs[0].v.i64);
    std::string input;
    if (handle != 0) {
      const ExtismSize size = extism_current_plugin_memory_length(current, handle);
      input.assign(reinterpret_cast<const char*>(extism_current_plugin_memory(current)) + handle, size);
    }
    const native::Outcome<std::string> answer = binding.function.run(input);
    if (!answer) {
      binding.owner->failure = binding.function.name + ": " + answer.error().sentence;
      // The C interface has no way to fail, but a result of the wrong type is a trap: the guest's call ends here.
      outputs[0].t = ExtismValType_I32;
      return;
    }
    if (answer->empty()) return;  // handle 0 means the same as an empty block
    const ExtismMemoryHandle block = extism_current_plugin_memory_alloc(current, answer->size());
    // Asked anew: the allocation may have moved the memory.
    std::memcpy(extism_current_plugin_memory(current) + block, answer->data(), answer->size());
    outputs[0].v.i64 = static_cast<int64_t>(block);
  }

  std::vector<std::unique_ptr<Binding>> bindings;
  std::vector<ExtismFunction*> registered;
  ::ExtismPlugin* plugin = nullptr;
  std::string failure;  // of the host function that ended the running call
};

ExtismPlugin::ExtismPlugin(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ExtismPlugin::~ExtismPlugin() = default;

native::Outcome<std::unique_ptr<ExtismPlugin>> ExtismPlugin::load(ByteView wasm, std::vector<HostFunction> functions) {
  auto impl = std::make_unique<Impl>(std::move(functions));
  const ExtismValType word = ExtismValType_I64;
  for (const auto& binding : impl->bindings) {
    ExtismFunction* function =
        extism_function_new(binding->function.name.c_str(), &word, 1, &word, 1, &Impl::on_call, binding.get(), nullptr);
    if (!function) return native::problem("libextism refuses the function name " + binding->function.name);
    extism_function_set_namespace(function, kUserModule);
    impl->registered.push_back(function);
  }
  std::vector<const ExtismFunction*> list(impl->registered.begin(), impl->registered.end());
  char* reason = nullptr;
  impl->plugin = extism_plugin_new(wasm.data(), wasm.size(), list.data(), list.size(), /*with_wasi=*/true, &reason);
  if (!impl->plugin) {
    const std::string text = reason ? reason : "no reason was given";
    if (reason) extism_plugin_new_error_free(reason);
    return native::problem("cannot be loaded; Extism says: " + text);
  }
  return std::unique_ptr<ExtismPlugin>(new ExtismPlugin(std::move(impl)));
}

native::Outcome<Bytes> ExtismPlugin::call(const std::string& name, ByteView input) {
  impl_->failure.clear();
  const int32_t code = extism_plugin_call(impl_->plugin, name.c_str(), input.data(), input.size());
  if (!impl_->failure.empty()) return native::problem(std::exchange(impl_->failure, {}));
  if (code != EXTISM_SUCCESS) {
    const char* text = extism_plugin_error(impl_->plugin);
    return native::problem(text ? text : "the call failed without a reason");
  }
  const uint8_t* data = extism_plugin_output_data(impl_->plugin);
  return Bytes(data, data + extism_plugin_output_length(impl_->plugin));
}

bool ExtismPlugin::has(const std::string& name) const {
  return extism_plugin_function_exists(impl_->plugin, name.c_str());
}

std::string ExtismPlugin::runtime_version() { return extism_version(); }

}  // namespace diaryx::host
