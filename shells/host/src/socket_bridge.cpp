#include "socket_bridge.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <boost/asio/post.hpp>

#include "diaryx/base/base64.h"
#include "diaryx/native/server_url.h"

namespace diaryx::host {
namespace {

using std::chrono::milliseconds;
constexpr double kFirstPauseMs = 1000;
constexpr double kGrowth = 1.5;
constexpr double kLongestPauseMs = 30'000;

constexpr const char* kAccepted = R"({"ok":true})";

}  // namespace

SocketBridge::SocketBridge(boost::asio::io_context& io, SocketCallbacks callbacks)
    : io_(io), callbacks_(std::move(callbacks)), timer_(io) {}

native::Outcome<std::string> SocketBridge::request(const Json& request) {
  const std::string_view type = request.string_member("type").value_or("");
  if (type == "connect") return connect(request);
  if (type == "disconnect") {
    const bool was_open = is_open_;
    target_.reset();
    drop();
    if (was_open) boost::asio::post(io_, [this] { callbacks_.disconnected(); });
    return kAccepted;
  }
  if (type != "send_binary" && type != "send_text") return native::problem("unknown request " + std::string(type));
  if (!is_open_) return native::problem("WebSocket bridge is not connected");
  if (type == "send_text") {
    socket_->send_text(std::string(request.string_member("text").value_or("")));
    return kAccepted;
  }
  auto frame = from_base64(request.string_member("data").value_or(""));
  if (!frame) return native::problem("the frame is not base64");
  socket_->send_binary(std::move(*frame));
  return kAccepted;
}

native::Outcome<std::string> SocketBridge::connect(const Json& request) {
  const auto member = [&](const char* name) { return std::string(request.string_member(name).value_or("")); };
  Target target;
  target.workspace_id = member("workspace_id");
  target.token = member("auth_token");
  target.write_to_disk = request.bool_member("write_to_disk").value_or(true);
  const std::string session = member("session_code");
  for (const std::string& part : {member("server_url"), target.workspace_id, target.token, session,
                                  std::string(target.write_to_disk ? "1" : "0")}) {
    target.key.append(part).push_back('|');
  }
  if (target_ && target_->key == target.key) return kAccepted;
  auto server = native::ServerUrl::parse(member("server_url"));
  if (!server) return std::unexpected(server.error());
  target.server = std::move(*server);
  target.path = "/sync2?workspace_id=" + native::percent_encoded(target.workspace_id);
  if (!target.token.empty()) target.path += "&token=" + native::percent_encoded(target.token);
  if (!session.empty()) target.path += "&session=" + native::percent_encoded(session);
  drop();
  attempt_ = 0;
  target_ = std::move(target);
  if (!offline_) open();
  return kAccepted;
}

void SocketBridge::set_offline(bool offline) {
  if (std::exchange(offline_, offline) == offline) return;
  if (!offline) {
    attempt_ = 0;
    if (target_) open();
    return;
  }
  const bool was_open = is_open_;
  drop();
  if (was_open) callbacks_.disconnected();
}

void SocketBridge::close() {
  target_.reset();
  drop();
}

void SocketBridge::open() {
  const Target& target = *target_;
  socket_ = std::make_unique<native::WebSocketClient>(
      io_, target.server, target.path, target.token,
      native::SocketHandlers{
          .on_open =
              [this] {
                is_open_ = true;
                attempt_ = 0;
                callbacks_.connected(target_->workspace_id, target_->write_to_disk);
              },
          .on_binary = [this](ByteView frame) { callbacks_.binary(frame); },
          .on_text = [this](std::string_view text) { callbacks_.text(text); },
          .on_closed =
              [this](const native::SocketClosed&) {
                is_open_ = false;
                callbacks_.disconnected();
                retry();
              },
      });
}

void SocketBridge::drop() {
  timer_.cancel();
  is_open_ = false;
  if (!socket_) return;
  socket_->close();
  // One of its handlers may be what calls this.
  boost::asio::post(io_, [old = std::shared_ptr<native::WebSocketClient>(std::move(socket_))] {});
}

void SocketBridge::retry() {
  if (!target_ || offline_) return;
  const double pause = std::min(kFirstPauseMs * std::pow(kGrowth, attempt_++), kLongestPauseMs);
  timer_.expires_after(milliseconds(static_cast<int64_t>(pause)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && target_ && !offline_ && !is_open_) open();
  });
}

}  // namespace diaryx::host
