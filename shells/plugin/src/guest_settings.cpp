// What is stored of the host and of this device: config, name, link.
#include "guest.h"

#include "entropy.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kConfigKey = "sync.extism.config";
constexpr std::string_view kDeviceKey = "sync.device";
constexpr std::string_view kDeviceName = "Diaryx";
constexpr size_t kDeviceDigits = 32;

}  // namespace

void Guest::load_config() {
  const auto json = stored_json(Space(), kConfigKey);
  if (!json) return;
  config_found_ = true;
  config_ = Config::from_json(*json);
}

void Guest::load_device() {
  if (const auto json = stored_json(Space(), kDeviceKey)) {
    const auto id = json->string_member("id");
    const auto name = json->string_member("name");
    if (id && !id->empty()) {
      device_ = {std::string(*id), std::string(name.value_or(kDeviceName))};
      device_found_ = true;
      return;
    }
  }
  if (!device_.id.empty()) return;
  device_ = {fresh_bits().hex().substr(0, kDeviceDigits),
             std::string(host::runtime_context().string_member("device_name").value_or(kDeviceName))};
}

// What `init` did not find may only not have been there to be seen yet (A11): it is looked for again before anything is written
// in its place.
void Guest::find_settings() {
  if (!config_found_) {
    Config all = config_;
    load_config();
    all.fill_from(config_);
    const bool is_known = config_found_ && all == config_;
    config_ = std::move(all);
    if (!is_known) save_config();
  }
  if (device_found_) return;
  load_device();
  if (!device_found_) rename_device(device_.name);
}

void Guest::rename_device(std::string_view name) {
  if (device_.id.empty()) load_device();  // before `init`: a name without an id would not be found again
  device_.name = name;
  device_found_ = true;
  const Json stored = Json{}.set("id", device_.id).set("name", device_.name);
  host::storage_set(kDeviceKey, as_bytes(stored.dump()));
}

void Guest::save_config() {
  host::storage_set(kConfigKey, as_bytes(config_.to_json().dump()));
  config_found_ = true;
}

const Config& Guest::config() {
  if (!config_found_ && !session_) load_config();
  return config_;
}

void Guest::change_config(const Config& config) {
  const bool is_other = session_ && config.workspace_id != config_.workspace_id;
  config_ = config;
  save_config();
  if (is_other) follow_config();
  if (is_other && is_linked()) session_->begin_scan();
  reconcile();
}

const std::string& Guest::workspace() {
  static const std::string kNone;
  const std::string& id = config().workspace_id;
  return is_usable_workspace(id) ? id : kNone;
}

Endpoint Guest::endpoint(const Json& params) { return Endpoint::resolve(params, config(), host::runtime_context()); }

}  // namespace diaryx::plugin
