#include "transport.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace diaryx::server {

boost::asio::awaitable<boost::system::error_code> Transport::start_tls(
    std::shared_ptr<boost::asio::ssl::context> context) {
  state_->context = std::move(context);
  state_->tls.emplace(state_->tcp, *state_->context);
  boost::system::error_code error;
  co_await state_->tls->async_handshake(boost::asio::ssl::stream_base::server,
                                        boost::asio::redirect_error(boost::asio::use_awaitable, error));
  co_return error;
}

}  // namespace diaryx::server
