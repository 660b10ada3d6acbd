#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

#include "commands.h"
#include "diaryx/base/json.h"
#include "extism_plugin.h"
#include "plugin_file.h"
#include "wasm_module.h"

namespace diaryx::host {
namespace {

constexpr const char* kUserModule = "extism:host/user";

// A manifest is asked for before anything is set up, so a function that is called all the same gives nothing.
std::vector<HostFunction> silent_functions(const WasmOutside& outside) {
  std::vector<HostFunction> functions;
  for (const WasmImport& import : outside.imports) {
    if (import.module != kUserModule) continue;
    functions.push_back({import.name, [](std::string_view) -> native::Outcome<std::string> { return ""; }});
  }
  return functions;
}

native::Outcome<Json> ask_for_manifest(ByteView wasm, const WasmOutside& outside) {
  const auto plugin = ExtismPlugin::load(wasm, silent_functions(outside));
  if (!plugin) return std::unexpected(plugin.error());
  if (!(*plugin)->has("manifest")) return native::problem("has no export \"manifest\", so it is no Diaryx plugin");
  const auto output = (*plugin)->call("manifest", {});
  if (!output) return native::problem("does not give its manifest: " + output.error().sentence);
  auto manifest = Json::parse(as_text(*output));
  if (!manifest || !manifest->is_object()) return native::problem("has a manifest that is no JSON object");
  return std::move(*manifest);
}

std::string words_of(const Json& manifest, std::string_view name) {
  std::string text;
  const Json* list = manifest.find(name);
  if (!list || !list->as_array()) return text;
  for (const Json& entry : *list->as_array()) {
    if (const std::string* word = entry.as_string()) text += (text.empty() ? "" : ", ") + *word;
  }
  return text;
}

// Whatever a plugin says of itself may hold escapes that a terminal obeys.
std::string safe(std::string text) {
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return text;
}

void line(const char* label, const std::string& text) { std::printf("%-13s %s\n", label, safe(text).c_str()); }

void print_for_people(const Json& manifest, const WasmOutside& outside, size_t size_bytes) {
  const auto text = [&](const char* name) { return std::string(manifest.string_member(name).value_or("not given")); };
  line("Plugin", text("name") + " (" + text("id") + "), version " + text("version"));
  line("About", text("description"));
  line("Size", std::to_string(size_bytes) + " bytes");
  line("Protocol", std::to_string(manifest.integer_member("protocol_version").value_or(1)));
  line("Capabilities", words_of(manifest, "capabilities"));
  const Json* ui = manifest.find("ui");
  if (ui && ui->as_array()) {
    for (const Json& entry : *ui->as_array()) {
      line("Contributes", std::string(entry.string_member("slot").value_or("?")) + ' ' +
                              std::string(entry.string_member("id").value_or("")));
    }
  }
  const Json* permissions = manifest.find("requested_permissions");
  const Json* reasons = permissions ? permissions->find("reasons") : nullptr;
  if (reasons && reasons->as_object()) {
    for (const auto& [name, reason] : *reasons->as_object()) {
      line("Asks for", name + ": " + (reason.as_string() ? *reason.as_string() : "no reason given"));
    }
  }
  line("Commands", words_of(manifest, "commands"));
  for (const WasmImport& import : outside.imports)
    line("Imports", import.module + ' ' + import.name + " (" + std::string(name_of(import.kind)) + ')');
  for (const WasmExport& entry : outside.exports) line("Exports", entry.name);
  line("Looked at by", "Extism " + ExtismPlugin::runtime_version());
}

Json as_json(const Json& manifest, const WasmOutside& outside, size_t size_bytes) {
  Json imports = Json::array();
  for (const WasmImport& import : outside.imports) {
    imports.push(Json{}.set("module", import.module).set("name", import.name).set("kind", name_of(import.kind)));
  }
  Json exports = Json::array();
  for (const WasmExport& entry : outside.exports) exports.push(entry.name);
  return Json{}
      .set("size_bytes", uint64_t{size_bytes})
      .set("manifest", manifest)
      .set("imports", std::move(imports))
      .set("exports", std::move(exports))
      .set("runtime", "Extism " + ExtismPlugin::runtime_version());
}

}  // namespace

int inspect(const InspectArguments& arguments) {
  const auto refuse = [](const std::string& why) {
    std::fprintf(stderr, "diaryx-plugin-host: %s\n", safe(why).c_str());
    return 1;
  };
  const auto wasm = read_plugin_file(arguments.file);
  if (!wasm) return refuse(wasm.error().sentence);
  const std::string cannot = arguments.file + " cannot be loaded: it ";
  const auto outside = read_outside(*wasm);
  if (!outside) return refuse(cannot + why_unreadable(*wasm, outside.error()));
  if (const auto why = why_unlinkable(*outside)) return refuse(cannot + *why);
  const auto manifest = ask_for_manifest(*wasm, *outside);
  if (!manifest) return refuse(arguments.file + ' ' + manifest.error().sentence);
  if (arguments.json) {
    std::printf("%s\n", as_json(*manifest, *outside, wasm->size()).dump().c_str());
  } else {
    print_for_people(*manifest, *outside, wasm->size());
  }
  return 0;
}

}  // namespace diaryx::host
