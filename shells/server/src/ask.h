// Brings a storage reply home: `co_await ask<Workspace>([&](auto reply) { workspaces.find(user, id, std::move(reply)); })`.
#pragma once

#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage_result.h"

namespace diaryx::server {

namespace asio = boost::asio;

/// Calls `start(Reply<T>)` and continues the coroutine on its own executor with the answer, whichever thread gave it.
template <typename T, typename Start>
asio::awaitable<StorageResult<T>> ask(Start start) {
  auto initiate = [&start]<typename Handler>(Handler handler) {
    auto home = asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked);
    start(Reply<T>([handler = std::move(handler), home](StorageResult<T> result) mutable {
      asio::post(home, [handler = std::move(handler), result = std::move(result)]() mutable {
        std::move(handler)(std::move(result));
      });
    }));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(StorageResult<T>)>(initiate,
                                                                                                 asio::use_awaitable);
}

/// Runs `work` on `pool` and continues the coroutine where it was. For work that would hold up the sockets.
template <typename Pool, typename Work>
auto run_on(Pool& pool, Work work) -> asio::awaitable<decltype(work())> {
  using Value = decltype(work());
  auto initiate = [&pool, &work]<typename Handler>(Handler handler) {
    auto home = asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked);
    asio::post(pool, [handler = std::move(handler), home, work = std::move(work)]() mutable {
      Value value = work();
      asio::post(home, [handler = std::move(handler), value = std::move(value)]() mutable {
        std::move(handler)(std::move(value));
      });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Value)>(initiate, asio::use_awaitable);
}

}  // namespace diaryx::server
