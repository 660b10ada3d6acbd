// Where a request came from, when proxies may stand in between.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "diaryx/native/problem.h"

namespace diaryx::server {

/// Addresses and networks (`10.0.0.0/8`, `::1`).
class AddressList {
 public:
  /// Errors: a sentence that names the entry that is neither.
  static native::Outcome<AddressList> parse(const std::vector<std::string>& entries);
  bool contains(const boost::asio::ip::address& address) const;

 private:
  struct Network {
    std::vector<unsigned char> bytes;
    unsigned prefix_bits;
  };
  std::vector<Network> networks_;
};

/// The address that a request is counted for. `X-Forwarded-For` is believed only from a trusted peer, and then from its end:
/// each trusted proxy vouches for the entry that it appended. What is not an address ends the search.
boost::asio::ip::address client_address(const boost::asio::ip::address& peer, std::string_view forwarded_for,
                                        const AddressList& trusted);

/// What limits count by: an IPv4 address, or the /64 that an IPv6 host chooses from at will.
std::string limit_key(const boost::asio::ip::address& address);

}  // namespace diaryx::server
