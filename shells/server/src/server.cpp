#include "server.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <algorithm>
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

#include "access_watch.h"
#include "ask.h"
#include "blob_collector.h"
#include "command.h"
#include "data_folder.h"
#include "diaryx/native/log.h"
#include "diaryx/native/random.h"
#include "diaryx/native/unique_fd.h"
#include "http_connection.h"
#include "relay_host.h"
#include "services.h"
#include "sign_in.h"
#include "socket_list.h"
#include "sqlite_storage.h"
#include "storage_watch.h"
#include "tls.h"
#include "version.h"

namespace diaryx::server {
namespace {

using asio::ip::tcp;

constexpr std::chrono::seconds kDrainTime{10};   // for requests that are under way, and the storage
constexpr std::chrono::seconds kGoodbyeTime{2};  // for sockets to answer the close
constexpr std::chrono::minutes kHousekeeping{10};
constexpr std::chrono::seconds kTlsTime{10};
constexpr uint32_t kPruneBite = 2000;
constexpr int64_t kHourMs = 3600 * 1000;
constexpr int64_t kDayMs = 24 * kHourMs;

/// What must reach the owner and no log: straight to standard error.
void tell_owner(const std::string& line) { std::fprintf(stderr, "diaryx-syncd: %s\n", line.c_str()); }

class Server {
 public:
  Server(const Options& options, Storage& storage, BlobStore& blobs, std::string lineage, uint64_t epoch,
         TlsContext tls, AddressList trusted)
      : options_(options),
        acceptor_(context_),
        signals_(context_, SIGTERM, SIGINT),
        reload_(context_, SIGHUP),
        relay_(
            context_.get_executor(), storage, metrics_, relay_options(std::move(lineage)), epoch,
            [this] { give_way(); }, now),
        access_(context_.get_executor(), storage.access, relay_, metrics_),
        limits_(options),
        sockets_(context_.get_executor()),
        collector_(storage.attachments, blobs, pool_, metrics_),
        tls_(std::move(tls)),
        services_{options_, storage, blobs,    relay_,     access_, limits_,
                  metrics_, pool_,   sockets_, collector_, {},      tell_owner} {
    limits_.trusted_proxies = std::move(trusted);
  }

  boost::system::error_code listen();
  uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void run();
  bool gave_way() const { return gave_way_; }

 private:
  static sync::RelayOptions relay_options(std::string lineage) {
    sync::RelayOptions options;
    options.lineage = std::move(lineage);
    options.server_name = kServerName;
    options.server_version = kVersion;
    options.seed = native::random_u64();
    return options;
  }

  asio::awaitable<void> accept_loop();
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<void> start_and_serve(tcp::socket socket, OpenConnections::Counted counted);
  asio::awaitable<void> reload_on_signal();
  asio::awaitable<void> drain_on_signal();
  /// Another server has the documents now: what this one holds in memory may be old.
  void give_way();
  asio::awaitable<void> keep_house();
  asio::awaitable<void> prune_history();

  const Options& options_;
  asio::io_context context_{1};
  asio::thread_pool pool_{1};
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
  asio::signal_set reload_;
  Metrics metrics_;
  RelayHost relay_;
  AccessWatch access_;
  Limits limits_;
  SocketList sockets_;
  BlobCollector collector_;
  TlsContext tls_;  // null: plain HTTP
  Services services_;
  Lifecycle life_;
  bool gave_way_ = false;
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
  services_.own_url = own_url(options_, port());
  access_.start();
  sockets_.start();
  asio::co_spawn(context_, accept_loop(), asio::detached);
  asio::co_spawn(context_, reload_on_signal(), asio::detached);
  asio::co_spawn(context_, drain_on_signal(), asio::detached);
  asio::co_spawn(context_, keep_house(), asio::detached);
  asio::co_spawn(context_, watch_storage(services_.storage, metrics_), asio::detached);
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
    if (limits_.open->count() >= options_.max_connections) {
      ++metrics_.refused_connections;
      native::log().warn("a connection was refused: {} are open", limits_.open->count());
      continue;
    }
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Server::start_and_serve(tcp::socket socket, OpenConnections::Counted counted) {
  Transport transport(std::move(socket));
  if (tls_ != nullptr) {
    transport.expires_after(kTlsTime);
    if (const auto error = co_await transport.start_tls(tls_)) {
      native::log().debug("a TLS handshake failed: {}", error.message());
      co_return;
    }
  }
  co_await serve_connection(std::move(transport), services_, life_, std::move(counted));
}

asio::awaitable<void> Server::serve(tcp::socket socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error).address();
  // Behind a proxy all connections come from the proxy; it has limits of its own.
  const std::string key = limits_.trusted_proxies.contains(peer) ? std::string("proxy") : limit_key(peer);
  auto counted = limits_.open->enter(key, key == "proxy" ? 0 : options_.max_connections_per_address);
  if (!counted) {
    ++metrics_.refused_connections;
    co_return;
  }
  try {
    co_await start_and_serve(std::move(socket), std::move(counted));
  } catch (const std::exception& error) {  // the rim: libraries may throw, one connection ends and no other
    native::log().error("a connection ended by an exception: {}", error.what());
  }
}

asio::awaitable<void> Server::reload_on_signal() {
  while (!life_.draining) {
    boost::system::error_code error;
    co_await reload_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error || life_.draining) co_return;
    if (tls_ == nullptr) continue;
    auto fresh = load_tls(options_.tls_certificate, options_.tls_key);
    if (!fresh) {
      native::log().error("the certificate stays as it was: {}", fresh.error().sentence);
      continue;
    }
    tls_ = std::move(*fresh);  // for new connections
    native::log().info("the certificate was read again");
  }
}

void Server::give_way() {
  if (std::exchange(gave_way_, true)) return;
  native::log().error("another server took over this database: stopping, so that clients find it");
  signals_.cancel();
}

asio::awaitable<void> Server::drain_on_signal() {
  boost::system::error_code error;
  const int signal = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  native::log().info("signal {}: storing what was received, then stopping", signal);
  life_.draining = true;
  access_.stop();
  reload_.cancel(error);
  acceptor_.close(error);
  relay_.drain();
  sockets_.send_strangers_away();
  asio::steady_timer timer(context_);
  const auto began = std::chrono::steady_clock::now();
  while (true) {
    const auto waited = std::chrono::steady_clock::now() - began;
    const uint32_t sockets = sockets_.count();
    const uint32_t requests = limits_.open->count() - life_.between_requests - sockets;
    const bool stored = relay_.all_stored() && collector_.is_idle();
    const bool finished = requests == 0 && stored;
    if (finished && (sockets == 0 || waited > kGoodbyeTime)) {
      native::log().info("stopped, and everything received is stored");
      break;
    }
    if (waited > kDrainTime) {
      native::log().warn("stopped after {} s: {} requests were cut off, and {}", kDrainTime.count(), requests,
                         stored ? "everything received is stored" : "not everything received is stored");
      break;
    }
    timer.expires_after(std::chrono::milliseconds(20));
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  context_.stop();
}

asio::awaitable<void> Server::keep_house() {
  asio::steady_timer timer(context_);
  const TimestampMs started = now();
  TimestampMs next_sweep = steady_now();
  while (!life_.draining) {
    const auto expired = co_await ask<std::vector<Upload>>(
        [&](auto reply) { services_.storage.attachments.expire_uploads(now(), std::move(reply)); });
    if (expired) {
      for (const Upload& upload : *expired) services_.blobs.discard_upload(upload.id);
    }
    co_await ask<void>([&](auto reply) { services_.storage.access.expire(now(), std::move(reply)); });
    co_await prune_history();
    const TimestampMs long_ago = now() + DurationMs{-int64_t{options_.blob_hours} * kHourMs};
    co_await collector_.collect(long_ago);
    // A database that was restored may know less than the folder holds, until the devices have told it what they refer to.
    if (steady_now() >= next_sweep && lineage_since(options_.data) <= long_ago) {
      next_sweep = steady_now() + DurationMs{kDayMs};
      co_await collector_.sweep(std::max(started, now() + DurationMs{-kDayMs}));
    } else {
      co_await collector_.sweep_uploads();
    }
    boost::system::error_code error;
    timer.expires_after(kHousekeeping);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

/// In bites, each a transaction of its own, so that writers wait little.
asio::awaitable<void> Server::prune_history() {
  if (options_.history_days == 0) co_return;
  const DurationMs keep{int64_t{options_.history_days} * kDayMs};
  asio::steady_timer timer(context_);
  while (!life_.draining) {
    const auto pruned = co_await ask<Pruned>(
        [&](auto reply) { services_.storage.history.prune(now(), keep, kPruneBite, std::move(reply)); });
    if (!pruned) co_return;
    metrics_.history_pruned += pruned->records;
    if (!pruned->more) co_return;
    boost::system::error_code error;
    timer.expires_after(std::chrono::milliseconds(200));
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

/// Each connection is a file, and most systems begin with 1,024 although more are allowed.
void open_as_many_files_as_allowed() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return;
  files.rlim_cur = files.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0)
    native::log().warn("only so many files may be open as before: {}", std::generic_category().message(errno));
}

/// A server without users gets its owner and one link, which is shown and not kept.
StorageResult<std::string> link_for_new_owner(const Options& options, Storage& storage, uint16_t port) {
  const auto users = wait_for<std::vector<User>>([&](auto reply) { storage.accounts.list_users(std::move(reply)); });
  if (!users) return std::unexpected(users.error());
  if (!users->empty()) return std::string();
  const auto owner =
      wait_for<User>([&](auto reply) { storage.accounts.create_user(options.owner, now(), std::move(reply)); });
  if (!owner) return std::unexpected(owner.error());
  const SignInSecrets secrets = make_sign_in(owner->email, now(), DurationMs{kDayMs});
  const auto stored =
      wait_for<void>([&](auto reply) { storage.access.create_sign_in(secrets.stored, std::move(reply)); });
  if (!stored) return std::unexpected(stored.error());
  return sign_in_link(options.base_url, own_url(options, port), secrets.token);
}

}  // namespace

int run_server(const Options& options, const std::function<void(uint16_t)>& listening) {
  open_as_many_files_as_allowed();
  const auto lock = lock_folder(options.data);
  if (!lock) return fail(kExitData, lock.error().sentence);
  auto storage = open_data(options.data);
  if (!storage) return fail(kExitData, storage.error().sentence);
  auto blobs = BlobStore::open(options.data);
  if (!blobs) return fail(kExitData, blobs.error().sentence);
  const auto epoch = wait_for<uint64_t>([&](auto reply) { (*storage)->take_over(std::move(reply)); });
  if (!epoch) return fail(kExitData, "the database cannot be written: " + epoch.error().detail);
  const auto lineage = wait_for<std::string>([&](auto reply) { (*storage)->lineage(std::move(reply)); });
  if (!lineage) return fail(kExitData, "the database cannot be read: " + lineage.error().detail);
  auto trusted = AddressList::parse(options.trusted_proxies);
  if (!trusted) return fail(kExitUsage, "--trust-proxy: " + trusted.error().sentence);
  TlsContext tls;
  if (!options.tls_certificate.empty()) {
    auto loaded = load_tls(options.tls_certificate, options.tls_key);
    if (!loaded) return fail(kExitUsage, loaded.error().sentence);
    tls = std::move(*loaded);
  }
  Server server(options, **storage, *blobs, *lineage, *epoch, std::move(tls), std::move(*trusted));
  if (const auto error = server.listen()) {
    return fail(kExitListen, "cannot listen on " + options.address + ":" + std::to_string(options.port) + ": " +
                                 error.message() + "; choose another address with --listen");
  }
  const auto link = link_for_new_owner(options, **storage, server.port());
  if (!link) return fail(kExitData, "the first user was not stored: " + link.error().detail);
  if (!link->empty()) {
    tell_owner("this server is new. Its owner is " + options.owner + "; sign in within a day with " + *link);
  }
  listening(server.port());
  native::log().info("version {} serves {} at {}:{}, lineage {}", kVersion, options.data.native(), options.address,
                     server.port(), *lineage);
  server.run();
  // Storage answers what is left while there is still an io context to answer to; nobody reads the answers.
  storage->reset();
  return server.gave_way() ? kExitFailed : kExitDone;
}

}  // namespace diaryx::server
