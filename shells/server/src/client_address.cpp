#include "client_address.h"

#include <algorithm>
#include <charconv>

namespace diaryx::server {
namespace {

using boost::asio::ip::address;

/// An IPv4 address in IPv6 clothes is the IPv4 address.
address plain(const address& any) {
  if (any.is_v6() && any.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, any.to_v6());
  }
  return any;
}

std::vector<unsigned char> bytes_of(const address& any) {
  const address one = plain(any);
  if (one.is_v4()) {
    const auto bytes = one.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = one.to_v6().to_bytes();
  return {bytes.begin(), bytes.end()};
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

native::Outcome<AddressList> AddressList::parse(const std::vector<std::string>& entries) {
  AddressList list;
  for (const std::string& entry : entries) {
    const size_t slash = entry.find('/');
    boost::system::error_code error;
    const address base = boost::asio::ip::make_address(entry.substr(0, slash), error);
    const auto refused = [&entry] {
      return native::problem("\"" + entry + "\" is not an address or network; give one such as 10.0.0.0/8 or ::1");
    };
    if (error) return refused();
    Network network{bytes_of(base), 0};
    network.prefix_bits = static_cast<unsigned>(network.bytes.size() * 8);
    if (slash != std::string::npos) {
      const char* const begin = entry.data() + slash + 1;
      const char* const end = entry.data() + entry.size();
      unsigned bits = 0;
      const auto [stop, wrong] = std::from_chars(begin, end, bits);
      if (wrong != std::errc() || stop != end || begin == end || bits > network.prefix_bits) return refused();
      network.prefix_bits = bits;
    }
    list.networks_.push_back(std::move(network));
  }
  return list;
}

bool AddressList::contains(const address& one) const {
  const auto bytes = bytes_of(one);
  return std::any_of(networks_.begin(), networks_.end(), [&bytes](const Network& network) {
    if (network.bytes.size() != bytes.size()) return false;
    for (unsigned bit = 0; bit < network.prefix_bits; ++bit) {
      const auto mask = static_cast<unsigned char>(0x80u >> (bit % 8));
      if ((network.bytes[bit / 8] & mask) != (bytes[bit / 8] & mask)) return false;
    }
    return true;
  });
}

address client_address(const address& peer, std::string_view forwarded_for, const AddressList& trusted) {
  address current = plain(peer);
  while (trusted.contains(current) && !forwarded_for.empty()) {
    const size_t comma = forwarded_for.rfind(',');
    const std::string_view last =
        trim(comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1));
    boost::system::error_code error;
    const address next = boost::asio::ip::make_address(std::string(last), error);
    if (error) break;
    current = plain(next);
    forwarded_for = comma == std::string_view::npos ? std::string_view() : forwarded_for.substr(0, comma);
  }
  return current;
}

std::string limit_key(const address& any) {
  const address one = plain(any);
  if (one.is_v4()) return one.to_string();
  auto bytes = one.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace diaryx::server
