// Values in the JSON of test benches: plain JSON, and objects with the member `$` for what JSON does not have.
#pragma once

#include "diaryx/crdt/any.h"

namespace diaryx::crdt::driver {

/// Tags: undef, num (NaN, Infinity, -Infinity, -0), bigint, bytes, obj (an object that itself has a member `$`).
/// `new` and `doc` are no values; see Editor.
Any from_tagged(const Any& json);
/// False if a number, bigint or base64 inside is none.
bool is_tagged(const Any& json);
Any to_tagged(const Any& value);

/// The member of that name, or undefined.
const Any& member(const Any& object, std::string_view name);
std::string text_of(const Any& value);
/// The `$` of a tagged object, else empty.
std::string tag_of(const Any& value);
/// Base64 with its padding.
Result<Bytes> bytes_from(const Any& value);
/// An object of these members, sorted by name.
Any sorted_object(Any::Object members);

}  // namespace diaryx::crdt::driver
