// A device that somebody else drives: calls come in as lines, results and what the plugin tells the host go out as lines.
#include <cstdio>
#include <istream>
#include <memory>
#include <set>

#include <unistd.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>

#include "commands.h"
#include "diaryx/base/base64.h"
#include "diaryx/base/json.h"
#include "diaryx/base/utf.h"
#include "host_functions.h"
#include "plugin_file.h"

namespace diaryx::host {
namespace {

namespace asio = boost::asio;
using Names = std::set<std::string, std::less<>>;

void say(const Json& line) {
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

Names names_in(const Json& list) {
  Names names;
  if (const Json::Array* entries = list.as_array()) {
    for (const Json& entry : *entries) {
      if (const std::string* name = entry.as_string()) names.insert(*name);
    }
  }
  return names;
}

class Driven {
 public:
  Driven(WorkspaceFiles files, Json context)
      : files_(std::move(files)), storage_(files_), context_(std::move(context)), socket_(io_, callbacks()) {}

  native::Outcome<void> load(ByteView wasm) {
    auto plugin = ExtismPlugin::load(wasm, host_functions(world_));
    if (!plugin) return std::unexpected(plugin.error());
    plugin_ = std::move(*plugin);
    return {};
  }

  void run() {
    say(Json{}.set("event", "ready").set("root", files_.location()).set("runtime", ExtismPlugin::runtime_version()));
    read_line();
    io_.run();
  }

 private:
  SocketCallbacks callbacks() {
    return {.connected =
                [this](const std::string& workspace_id, bool write_to_disk) {
                  tell("on_connected",
                       as_bytes(Json{}.set("workspace_id", workspace_id).set("write_to_disk", write_to_disk).dump()));
                },
            .binary = [this](ByteView frame) { tell("handle_binary_message", frame); },
            .text = [this](std::string_view text) { tell("handle_text_message", as_bytes(text)); },
            .disconnected = [this] { tell("on_disconnected", {}); }};
  }

  native::Outcome<Bytes> run(const std::string& name, ByteView input) {
    seen_.begin_call();
    return plugin_->call(name, input);
  }

  /// A call whose output nobody waits for.
  void tell(const std::string& name, ByteView input) {
    if (const auto output = run(name, input); !output) log("error", name + ": " + output.error().sentence);
  }

  void log(std::string_view level, std::string_view message) {
    say(Json{}.set("event", "log").set("level", level).set("message", message));
  }

  void read_line() {
    asio::async_read_until(input_, buffer_, '\n', [this](const boost::system::error_code& error, size_t) {
      if (error) {  // whoever drove us is gone
        tell("shutdown", as_bytes(std::string_view("{}")));
        socket_.close();
        io_.stop();
        return;
      }
      std::istream stream(&buffer_);
      std::string line;
      std::getline(stream, line);
      obey(line);
      read_line();
    });
  }

  void obey(const std::string& line) {
    const auto request = Json::parse(line);
    if (!request || !request->is_object()) return log("error", "a line on standard input is not a JSON object");
    Json answer = Json{}.set("id", request->integer_member("id").value_or(0));
    if (const auto name = request->string_member("call")) {
      call(std::string(*name), *request, answer);
    } else if (const auto path = request->string_member("edit")) {
      edit(std::string(*path), *request, answer);
    } else {
      change(*request);
      answer.set("ok", true);
    }
    say(answer);
  }

  void call(const std::string& name, const Json& request, Json& answer) {
    Bytes input;
    if (const auto text = request.string_member("text")) input.assign(text->begin(), text->end());
    if (const auto encoded = request.string_member("base64")) input = from_base64(*encoded).value_or(Bytes{});
    const auto output = run(name, input);
    answer.set("ok", output.has_value());
    if (!output) {
      answer.set("error", output.error().sentence);
    } else if (is_valid_utf8(as_text(*output))) {
      answer.set("text", as_text(*output));
    } else {
      answer.set("base64", to_base64(*output));
    }
  }

  /// What this host's own editor does: saves over the text that it opened, and over no other.
  void edit(const std::string& path, const Json& request, Json& answer) {
    const auto bytes_of = [&](std::string_view name) {
      return from_base64(request.string_member(name).value_or("")).value_or(Bytes{});
    };
    const auto opened = native::Expectation::content(sha256(bytes_of("opened")));
    const auto verdict = files_.write_over(opened, path, bytes_of("saved"));
    if (!verdict) answer.set("error", verdict.error().sentence);
    answer.set("ok", verdict.has_value()).set("done", verdict && *verdict == native::Verdict::Done);
  }

  void change(const Json& request) {
    if (const auto offline = request.bool_member("offline")) socket_.set_offline(*offline);
    if (const Json* types = request.find("deny")) permissions_.deny(names_in(*types));
    if (const Json* names = request.find("broken")) broken_ = names_in(*names);
  }

  asio::io_context io_{1};
  asio::posix::stream_descriptor input_{io_, ::dup(STDIN_FILENO)};
  asio::streambuf buffer_;
  WorkspaceFiles files_;
  SeenFiles seen_;
  PluginStorage storage_;
  Permissions permissions_;
  Json context_;
  Names broken_;
  SocketBridge socket_;
  HostWorld world_{.files = files_,
                   .seen = seen_,
                   .storage = storage_,
                   .permissions = permissions_,
                   .socket = socket_,
                   .context = context_,
                   .log = [this](std::string_view level, std::string_view message) { log(level, message); },
                   .emit = [](Json event) { say(Json{}.set("event", "emitted").set("payload", std::move(event))); },
                   .broken = broken_};
  std::unique_ptr<ExtismPlugin> plugin_;  // goes first: it calls into the rest
};

}  // namespace

int serve(const ServeArguments& arguments) {
  const auto refuse = [](const std::string& why) {
    std::fprintf(stderr, "diaryx-plugin-host: %s\n", why.c_str());
    return 1;
  };
  const auto wasm = read_plugin_file(arguments.file);
  if (!wasm) return refuse(wasm.error().sentence);
  auto files = WorkspaceFiles::open(arguments.folder);
  if (!files) return refuse(files.error().sentence);
  Json context = Json::object();
  if (!arguments.server.empty()) context.set("server_url", arguments.server);
  if (!arguments.token.empty()) context.set("auth_token", arguments.token);
  if (!arguments.device_name.empty()) context.set("device_name", arguments.device_name);
  Driven device(std::move(*files), std::move(context));
  if (const auto loaded = device.load(*wasm); !loaded) return refuse(arguments.file + ' ' + loaded.error().sentence);
  device.run();
  return 0;
}

}  // namespace diaryx::host
