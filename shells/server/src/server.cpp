#include "server.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "ask.h"
#include "diaryx/native/log.h"
#include "diaryx/native/random.h"
#include "diaryx/native/unique_fd.h"
#include "http_connection.h"
#include "relay_host.h"
#include "services.h"
#include "sqlite_storage.h"
#include "version.h"

namespace diaryx::server {
namespace {

using asio::ip::tcp;

constexpr std::chrono::seconds kDrainTime{10};   // for the storage
constexpr std::chrono::seconds kGoodbyeTime{2};  // for clients to answer the close, once all is stored
constexpr std::chrono::minutes kHousekeeping{10};

class Server {
 public:
  Server(const Options& options, Storage& storage, BlobStore& blobs)
      : options_(options),
        acceptor_(context_),
        signals_(context_, SIGTERM, SIGINT),
        relay_(context_.get_executor(), storage, relay_options()),
        services_{options_, storage, blobs, relay_, pool_} {}

  boost::system::error_code listen();
  uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void run();

 private:
  static sync::RelayOptions relay_options() {
    sync::RelayOptions options;
    options.server_name = kServerName;
    options.server_version = kVersion;
    options.seed = native::random_u64();
    return options;
  }

  asio::awaitable<void> accept_loop();
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<void> drain_on_signal();
  asio::awaitable<void> keep_house();

  const Options& options_;
  asio::io_context context_{1};
  asio::thread_pool pool_{1};
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
  RelayHost relay_;
  Services services_;
  Lifecycle life_;
};

boost::system::error_code Server::listen() {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options_.address, error);
  if (error) return error;
  const tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (error) return error;
  acceptor_.bind(endpoint, error);
  if (error) return error;
  acceptor_.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

void Server::run() {
  asio::co_spawn(context_, accept_loop(), asio::detached);
  asio::co_spawn(context_, drain_on_signal(), asio::detached);
  asio::co_spawn(context_, keep_house(), asio::detached);
  context_.run();
  pool_.join();
}

asio::awaitable<void> Server::accept_loop() {
  asio::steady_timer pause(context_);
  while (!life_.draining) {
    boost::system::error_code error;
    tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (life_.draining) co_return;
    if (error) {
      // Out of descriptors, mostly: trying again at once would spin.
      native::log().warn("a connection was not accepted: {}", error.message());
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    if (life_.connections >= options_.max_connections) {
      native::log().warn("a connection was refused: {} are open", life_.connections);
      continue;
    }
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Server::serve(tcp::socket socket) {
  ++life_.connections;
  try {
    co_await serve_connection(boost::beast::tcp_stream(std::move(socket)), services_, life_);
  } catch (const std::exception& error) {  // the rim: libraries may throw, one connection ends and no other
    native::log().error("a connection ended by an exception: {}", error.what());
  }
  --life_.connections;
}

asio::awaitable<void> Server::drain_on_signal() {
  boost::system::error_code error;
  const int signal = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  native::log().info("signal {}: storing what was received, then stopping", signal);
  life_.draining = true;
  acceptor_.close(error);
  relay_.drain();
  asio::steady_timer timer(context_);
  const auto began = std::chrono::steady_clock::now();
  while (true) {
    const auto waited = std::chrono::steady_clock::now() - began;
    const bool nobody = relay_.all_gone() && life_.connections == life_.between_requests;
    if (waited > kDrainTime || (relay_.all_stored() && (nobody || waited > kGoodbyeTime))) break;
    timer.expires_after(std::chrono::milliseconds(20));
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  context_.stop();
}

asio::awaitable<void> Server::keep_house() {
  asio::steady_timer timer(context_);
  while (!life_.draining) {
    const auto expired = co_await ask<std::vector<Upload>>(
        [&](auto reply) { services_.storage.expire_uploads(now(), std::move(reply)); });
    if (expired) {
      for (const Upload& upload : *expired) services_.blobs.discard_upload(upload.id);
    }
    boost::system::error_code error;
    timer.expires_after(kHousekeeping);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

/// Two servers on one folder would overtake each other's memory. The lock ends with the process, however that ends.
native::Outcome<native::UniqueFd> lock_folder(const std::filesystem::path& data) {
  std::error_code error;
  std::filesystem::create_directories(data, error);
  if (error) return native::os_problem("make the folder", data.native(), error.value());
  native::UniqueFd lock(::open((data / "server.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return native::os_problem("lock", data.native(), errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return native::problem("another diaryx-syncd is running on " + data.native() + "; stop it, or give another --data");
  }
  return lock;
}

int fail(ExitCode code, const std::string& sentence) {
  std::fprintf(stderr, "diaryx-syncd: %s\n", sentence.c_str());
  return code;
}

}  // namespace

int run_server(const Options& options, const std::function<void(uint16_t)>& listening) {
  const auto lock = lock_folder(options.data);
  if (!lock) return fail(kExitData, lock.error().sentence);
  auto blobs = BlobStore::open(options.data);
  if (!blobs) return fail(kExitData, blobs.error().sentence);
  auto storage = SqliteStorage::open(options.data / "server.db");
  if (!storage) return fail(kExitData, storage.error().sentence);
  Server server(options, **storage, *blobs);
  if (const auto error = server.listen()) {
    return fail(kExitListen, "cannot listen on " + options.address + ":" + std::to_string(options.port) + ": " +
                                 error.message() + "; choose another address with --listen");
  }
  listening(server.port());
  server.run();
  // Storage answers what is left while there is still an io context to answer to; nobody reads the answers.
  storage->reset();
  return kExitDone;
}

}  // namespace diaryx::server
