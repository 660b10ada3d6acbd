#include "world_trace.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/frame.h"

namespace diaryx::testing {
namespace {

constexpr std::string_view kBodyPrefix = "body:";

void trace_list(TimestampMs now, size_t device, crdt::Doc& workspace, std::map<std::string, std::string>& listed) {
  for (const std::string root : {"files", "homes"}) {
    const crdt::Map map = workspace.map(root);
    for (const std::string& key : map.keys()) {
      const std::string value = map.get_string(key).value_or(std::string());
      std::string& before = listed[root + ":" + key];
      if (before == value) continue;
      before = value;
      // Of an entry, what it says about the file; not its head.
      std::string said;
      for (const std::string name : {"\"deleted\":", "\"_id\":", "\"_doc\":", "\"_to\":"}) {
        const size_t at = value.find(name);
        if (at != std::string::npos)
          said += " " + value.substr(at, std::min(value.find_first_of(",}", at) - at, size_t{60}));
      }
      trace(now, device, root == "files" ? "lists" : "homes", key, root == "files" ? said : value);
    }
  }
}

}  // namespace

bool is_traced() {
  static const bool wanted = std::getenv("DX_TRACE") != nullptr;
  return wanted;
}

void trace(TimestampMs now, size_t device, std::string_view what, std::string_view path, std::string_view more) {
  if (!is_traced()) return;
  std::string line(more);  // one line each
  std::ranges::replace(line, '\n', '|');
  std::fprintf(stderr, "%lld %zu %-9.*s %.*s %s\n", static_cast<long long>((now - kBegin).value()), device,
               static_cast<int>(what.size()), what.data(), static_cast<int>(path.size()), path.data(), line.c_str());
}

void trace_documents(TimestampMs now, size_t device, const sync::Replica& replica,
                     const std::vector<sync::Action>& batch, std::map<std::string, std::string>& listed) {
  if (!is_traced()) return;
  std::set<std::string> documents;
  for (const sync::Action& action : batch) {
    if (const auto* update = std::get_if<sync::PersistUpdate>(&action)) documents.insert(update->doc);
  }
  for (const std::string& name : documents) {
    crdt::Doc doc({.client = ClientId{1}});
    if (!doc.apply_update_v1(replica.document_state(name))) continue;
    if (!name.starts_with(kBodyPrefix)) {
      trace_list(now, device, doc, listed);
      continue;
    }
    std::string notes;
    const crdt::Map seed = doc.map("seed");
    for (const std::string& key : seed.keys()) {
      notes += key == "client" ? "" : key == "file" ? " " + seed.get_string(key).value_or("") : " " + key;
    }
    trace(now, device, "document", std::string_view(name).substr(kBodyPrefix.size()),
          notes + " = " + doc.text("body").to_string());
  }
}

void trace_message(TimestampMs now, size_t device, bool to_server, bool text, std::string_view bytes) {
  if (!is_traced()) return;
  const std::string_view what = to_server ? "tells" : "hears";
  if (text) return trace(now, device, what, bytes);
  const Result<sync::Frame> frame = sync::decode_frame(as_bytes(bytes));
  const Result<std::vector<sync::Message>> messages =
      frame ? sync::parse_messages(frame->payload) : std::unexpected(frame.error());
  if (!messages) return trace(now, device, what, "half a message");
  std::string kinds;
  for (const sync::Message& message : *messages) {
    kinds += std::holds_alternative<sync::SyncStep1>(message) ? " step1" : "";
    const auto* step2 = std::get_if<sync::SyncStep2>(&message);
    const auto* update = std::get_if<sync::Update>(&message);
    if (step2 == nullptr && update == nullptr) continue;
    crdt::Doc doc({.client = ClientId{1}});
    const bool read = doc.apply_update_v1(step2 != nullptr ? step2->update : update->update).has_value();
    kinds += std::string(step2 != nullptr ? " step2" : " update") + (read ? "" : " (bad)") +
             (doc.has_pending() ? " (of more)" : "");
    kinds += " " + doc.map("seed").get_string("file").value_or("") + " = " + doc.text("body").to_string();
  }
  trace(now, device, what, frame->doc_id, kinds);
}

}  // namespace diaryx::testing
