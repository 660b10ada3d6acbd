#include "guest_tools.h"

#include <gtest/gtest.h>

#include "diaryx/crdt/update.h"
#include "diaryx/sync/frame.h"

namespace diaryx::plugin {

Json command(Guest& guest, std::string_view name, const Json& params) {
  const Outcome response = guest.handle_command(Json{}.set("command", name).set("params", params).dump());
  EXPECT_TRUE(response);
  return response ? *Json::parse(*response) : Json{};
}

Json data(Guest& guest, std::string_view name, const Json& params) {
  const Json answer = command(guest, name, params);
  EXPECT_EQ(answer.bool_member("success"), true) << name << ": " << answer.dump();
  const Json* found = answer.find("data");
  return found ? *found : Json{};
}

void tell(Guest& guest, std::string_view event, std::string_view path) {
  EXPECT_TRUE(guest.on_event(Json{}.set("event_type", event).set("payload", Json{}.set("path", path)).dump()));
}

void put(std::string_view path, std::string_view text) {
  fake_host().files.insert_or_assign(std::string(path), to_bytes(as_bytes(text)));
}

std::string file(std::string_view path) {
  const auto found = fake_host().files.find(path);
  return found == fake_host().files.end() ? "(none)" : std::string(as_text(found->second));
}

Json named() { return Json{}.set("name", "precious"); }

void make_a_snapshot(Guest& guest) {
  data(guest, "SetCrdtFile", Json{}.set("path", "a.md").set("metadata", Json{}.set("title", "A")));
  data(guest, "CreateSnapshot", named());
}

std::string snapshots(Guest& guest) { return data(guest, "ListSnapshots").find("snapshots")->dump(); }

void answer_empty(Guest& guest, std::string_view doc_id) {
  const Bytes none = crdt::StateVector{}.encode();
  ASSERT_TRUE(guest.on_binary(*sync::encode_frame(doc_id, {sync::SyncStep2{sync::kEmptyUpdate}})));
  ASSERT_TRUE(guest.on_binary(*sync::encode_frame(doc_id, {sync::SyncStep1{none}})));
}

}  // namespace diaryx::plugin
