// What the two sets of host functions share: a request as JSON, an answer read leniently.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"
#include "diaryx/base/json.h"
#include "pdk.h"

#define DX_HOST(name) \
  extern "C" __attribute__((import_module("extism:host/user"), import_name(#name))) std::uint64_t name(std::uint64_t);

namespace diaryx::plugin::host {

std::string ask(pdk::UserFunction function, const Json& request);
/// `{"<name>":"<value>"}`
Json one(std::string_view name, std::string_view value);
/// `begun`, an object without its end, and a last member that holds bytes: without a tree, since they may be many.
std::string with_base64(std::string begun, std::string_view name, ByteView bytes);
/// Nothing for an empty answer and for what is no JSON.
std::optional<Json> parsed(std::string_view text);
/// `{"data":"<base64>"}`, or the base64 alone, quoted or bare.
std::optional<Bytes> wrapped_bytes(std::string_view answer);

}  // namespace diaryx::plugin::host
