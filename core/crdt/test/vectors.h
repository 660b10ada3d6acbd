// Reads the conformance vectors: JSON lines with binary values in base64.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/any.h"

namespace diaryx::crdt {

/// The file's bytes. By C's means: the C++ library of the wasm build has no file streams.
inline std::string read_file(const std::string& path) {
  std::string text;
  FILE* file = std::fopen(path.c_str(), "rb");
  EXPECT_NE(file, nullptr) << "cannot read " << path;
  if (file == nullptr) return text;
  char buffer[65536];
  for (size_t size; (size = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, size);
  std::fclose(file);
  return text;
}

inline std::vector<Any> read_vectors(const std::string& name) {
  std::istringstream file(read_file(std::string(DX_VECTORS) + "/" + name));
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
