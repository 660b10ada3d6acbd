#include "editor_wire.h"

#include <algorithm>
#include <deque>

#include "diaryx/sync/control.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frame.h"

namespace diaryx::server {
namespace {

constexpr std::string_view kBodyPrefix = "body:";

relay::SharedBytes share(Bytes bytes) { return std::make_shared<const Bytes>(std::move(bytes)); }

/// A frame for the relay; nothing if the id does not fit.
void push_frame(Heard& heard, std::string_view document, ByteView payload) {
  if (auto frame = sync::encode_frame(document, payload)) heard.emplace_back(ToRelay{std::move(*frame)});
}

/// y-protocols' auth message: permission denied.
Bytes permission_denied(std::string_view reason) {
  Writer out;
  sync::write_message(out, sync::PermissionDenied{reason});
  return out.take();
}

/// A frame is `[length][document][message]`.
size_t front_size(ByteView frame) { return size_t{1} + frame.front(); }

class YjsWire final : public EditorWire {
 public:
  explicit YjsWire(std::string by_path) : by_path_(std::move(by_path)) {}

  Heard hear(ByteView message) override {
    Heard heard;
    if (const auto known = notes().find(by_path_); known != notes().end())
      push_frame(heard, known->second.document, message);
    else
      heard.emplace_back(ToFind{by_path_, to_bytes(message)});
    return heard;
  }

  void located(const std::string&, EditorNote note, ByteView) override { put(by_path_, std::move(note)); }

  std::vector<Told> tell(const relay::SharedBytes& frame) override { return {{frame, front_size(*frame)}}; }

  std::vector<Told> tell(const std::string& control_text) override {
    const auto control = sync::parse_control(control_text);
    const auto* error = control ? std::get_if<sync::DocError>(&*control) : nullptr;
    if (error == nullptr) return {};
    is_over_ = is_over_ || error->code == "unauthorized";
    return {{share(permission_denied(error->message)), 0}};
  }
  bool is_over() const override { return is_over_; }

  Bytes refused(const std::string&, std::string_view reason) const override { return permission_denied(reason); }
  Bytes accepted(const std::string&, bool) const override { return {}; }

 private:
  std::string by_path_;
  bool is_over_ = false;
};

class HocuspocusWire final : public EditorWire {
 public:
  explicit HocuspocusWire(std::shared_ptr<HocuspocusFrames> frames) : frames_(std::move(frames)) {}

  Heard hear(ByteView message) override {
    Heard heard;
    if (message.size() == 1) return heard;  // a pong
    Reader in(message);
    const auto name = in.var_string();
    const auto type = name ? in.var_uint() : Result<uint64_t>(fail(ErrorCode::Truncated, 0));
    if (!type) {
      heard.emplace_back(ToRelay{Bytes(1, 0xff)});  // counted as a frame that cannot be read
      return heard;
    }
    const std::string key(*name);
    const std::string document = std::string(kBodyPrefix) + key;
    const ByteView rest = message.subspan(in.position());
    Writer payload;
    switch (*type) {
      case kSync:
      case kAwareness:
      case kQueryAwareness:
        payload.var_uint(*type);
        payload.raw(rest);
        if (document.size() > sync::kMaxDocIdBytes) {
          heard.emplace_back(ToEditor{refused(key, "The name of this document is too long.")});
          break;
        }
        if (const auto known = notes().find(document); known != notes().end()) {
          const Bytes for_relay = payload.take();
          note_sender(known->second.document, document, for_relay);
          push_frame(heard, known->second.document, for_relay);
        } else {
          heard.emplace_back(ToFind{document, payload.take()});
        }
        break;
      case kAuth: {
        const auto kind = in.var_uint();
        const auto token = kind ? in.var_string() : Result<std::string_view>(fail(ErrorCode::Truncated, 0));
        if (token && *kind == kToken) heard.emplace_back(SignInWith{key, std::string(*token)});
        break;
      }
      case kClose: {
        const auto known = notes().find(document);
        const std::string opened = known == notes().end() ? document : known->second.document;
        forget(document);
        if (!is_in(opened)) heard.emplace_back(ToRelayText{sync::format_control(sync::Leave{opened})});
        Writer out = begin(key, kClose);
        out.var_string("provider_initiated");
        heard.emplace_back(ToEditor{out.take()});
        break;
      }
      default: break;  // stateless messages and what is not known yet
    }
    return heard;
  }

  void located(const std::string& by_path, EditorNote note, ByteView message) override {
    forget(by_path);
    receipts_.erase(note.document);  // it is opened anew
    note_sender(note.document, by_path, message);
    put(by_path, std::move(note));
  }

  std::vector<Told> tell(const relay::SharedBytes& frame) override {
    const auto decoded = sync::decode_frame(*frame);
    if (!decoded || !decoded->doc_id.starts_with(kBodyPrefix)) return {};
    std::vector<Told> told;
    for (const std::string& name : names_of(decoded->doc_id))
      told.push_back({frames_->of(frame, name, decoded->payload), 0});
    return told;
  }

  std::vector<Told> tell(const std::string& control_text) override {
    const auto control = sync::parse_control(control_text);
    if (!control) return {};
    std::vector<Told> told;
    if (const auto* error = std::get_if<sync::DocError>(&*control)) {
      const bool refusal = error->code == "unauthorized";
      for (const std::string& name : names_of(error->doc)) {
        if (refusal) told.push_back({share(refused(name, error->message)), 0});
        if (refusal || error->code == "storage") forget(std::string(kBodyPrefix) + name);  // the relay closed the note
        if (error->code == "read_only") told.push_back({share(status(name, false)), 0});
      }
    }
    if (const auto* saved = std::get_if<sync::Saved>(&*control)) tell_receipts(*saved, told);
    return told;
  }

  Bytes refused(const std::string& name, std::string_view reason) const override {
    Writer out = begin(name, kAuth);
    out.var_uint(kPermissionDenied);
    out.var_string(reason);
    return out.take();
  }

  Bytes accepted(const std::string& name, bool read_only) const override {
    Writer out = begin(name, kAuth);
    out.var_uint(kAuthenticated);
    out.var_string(read_only ? "readonly" : "read-write");
    return out.take();
  }

 private:
  static constexpr uint64_t kSync = 0;
  static constexpr uint64_t kAwareness = 1;
  static constexpr uint64_t kAuth = 2;
  static constexpr uint64_t kQueryAwareness = 3;
  static constexpr uint64_t kClose = 7;
  static constexpr uint64_t kSyncStatus = 8;
  // Inside an auth message.
  static constexpr uint64_t kToken = 0;
  static constexpr uint64_t kPermissionDenied = 1;
  static constexpr uint64_t kAuthenticated = 2;

  /// What the editor calls a document; what nobody opened by another name it calls by its own.
  std::vector<std::string> names_of(std::string_view document) const {
    const auto name = [](std::string_view id) {
      return std::string(id.starts_with(kBodyPrefix) ? id.substr(kBodyPrefix.size()) : id);
    };
    std::vector<std::string> names;
    const auto [first, last] = by_document().equal_range(document);
    for (auto known = first; known != last; ++known) names.push_back(name(known->second));
    if (names.empty()) names.push_back(name(document));
    return names;
  }
  /// The note is not open any more: where it is then is found out when it is opened again, and its receipts count from the start.
  void forget(const std::string& by_path) {
    const auto known = notes().find(by_path);
    if (known == notes().end()) return;
    const std::string document = known->second.document;
    remove(by_path);
    if (!is_in(document)) receipts_.erase(document);
  }

  /// The relay counts the updates of a document, whichever name they came by.
  void note_sender(const std::string& document, const std::string& by_path, ByteView payload) {
    const auto messages = sync::parse_messages(payload);
    if (!messages) return;
    const auto updates = std::ranges::count_if(*messages, [](const sync::Message& one) {
      return std::holds_alternative<sync::SyncStep2>(one) || std::holds_alternative<sync::Update>(one);
    });
    if (updates == 0) return;
    auto& senders = receipts_[document].senders;
    if (senders.empty() || senders.back().by_path != by_path) senders.push_back({by_path, 0});
    senders.back().updates += static_cast<uint64_t>(updates);
  }

  /// Providers count their own messages and want one answer for each.
  void tell_receipts(const sync::Saved& saved, std::vector<Told>& told) {
    const auto found = receipts_.find(saved.doc);
    if (found == receipts_.end()) return;
    Receipts& receipts = found->second;
    while (receipts.settled < saved.received && !receipts.senders.empty()) {
      Sender& sender = receipts.senders.front();
      if (notes().contains(sender.by_path))
        told.push_back({share(status(sender.by_path.substr(kBodyPrefix.size()), true)), 0});
      ++receipts.settled;
      if (--sender.updates == 0) receipts.senders.pop_front();
    }
  }

  static Writer begin(std::string_view name, uint64_t type) {
    Writer out;
    out.var_string(name);
    out.var_uint(type);
    return out;
  }
  static Bytes status(std::string_view name, bool saved) {
    Writer out = begin(name, kSyncStatus);
    out.var_uint(saved ? 1 : 0);  // a signed number there, whose first 64 values look the same
    return out.take();
  }

  std::shared_ptr<HocuspocusFrames> frames_;
  struct Sender {
    std::string by_path;
    uint64_t updates;  // in a row
  };
  struct Receipts {
    uint64_t settled = 0;  // and passed on
    std::deque<Sender> senders;  // of those that are not, in their order
  };
  std::map<std::string, Receipts> receipts_;  // by document
};

}  // namespace

void EditorWire::put(const std::string& by_path, EditorNote note) {
  remove(by_path);
  by_document_.emplace(note.document, by_path);
  notes_.emplace(by_path, std::move(note));
}

void EditorWire::remove(const std::string& by_path) {
  const auto known = notes_.find(by_path);
  if (known == notes_.end()) return;
  const auto [first, last] = by_document_.equal_range(known->second.document);
  by_document_.erase(std::find_if(first, last, [&](const auto& name) { return name.second == by_path; }));
  notes_.erase(known);
}

void EditorWire::learn(const std::string& by_path, relay::OpenNote note) {
  if (const auto known = notes_.find(by_path); known != notes_.end()) known->second.note = std::move(note);
}

std::unique_ptr<EditorWire> make_yjs_wire(std::string by_path) { return std::make_unique<YjsWire>(std::move(by_path)); }
std::unique_ptr<EditorWire> make_hocuspocus_wire(std::shared_ptr<HocuspocusFrames> frames) {
  return std::make_unique<HocuspocusWire>(std::move(frames));
}

relay::SharedBytes HocuspocusFrames::of(const relay::SharedBytes& frame, std::string_view name, ByteView payload) {
  if (frame_.lock() == frame && name_ == name) {
    if (auto told = told_.lock()) return told;
  }
  Writer out;
  out.var_string(name);
  out.raw(payload);  // its tags are Hocuspocus's types
  relay::SharedBytes told = share(out.take());
  frame_ = frame;
  name_ = name;
  told_ = told;
  return told;
}

uint16_t editor_close_code(relay::CloseCode code) {
  return code == relay::CloseCode::PolicyViolation ? kEditorForbidden : static_cast<uint16_t>(code);
}

}  // namespace diaryx::server
