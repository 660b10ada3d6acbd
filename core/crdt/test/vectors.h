// Reads the conformance vectors: JSON lines with binary values in base64.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/any.h"

namespace diaryx::crdt {

inline std::vector<Any> read_vectors(const std::string& name) {
  std::ifstream file(std::string(DX_VECTORS) + "/" + name);
  EXPECT_TRUE(file.good()) << "cannot read the vectors in " << name;
  std::vector<Any> vectors;
  for (std::string line; std::getline(file, line);) {
    const auto parsed = Any::from_json(line, 100000);
    EXPECT_TRUE(parsed.has_value());
    if (parsed) vectors.push_back(*parsed);
  }
  return vectors;
}

inline const Any& member(const Any& object, std::string_view key) {
  static const Any kNone;
  const Any* found = object.find(key);
  return found == nullptr ? kNone : *found;
}

inline std::string text_of(const Any& value) { return value.as_string() ? *value.as_string() : std::string(); }

inline Bytes bytes_of(const Any& base64) {
  const auto bytes = from_base64(text_of(base64));
  EXPECT_TRUE(bytes.has_value());
  return bytes.value_or(Bytes{});
}

inline const Any::Array& elements(const Any& array) {
  static const Any::Array kNone;
  return array.as_array() ? *array.as_array() : kNone;
}

inline double number_of(const Any& value) { return value.as_number() ? *value.as_number() : -1; }

}  // namespace diaryx::crdt
