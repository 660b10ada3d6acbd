// A random edit for tests of whole histories.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt {

/// One random edit of a document with everything in it that has a name or a content.
inline void edit_anything(Doc& doc, Transaction& txn, std::mt19937& random, int step) {
  Text text = doc.text("t");
  const std::string key(1 + random() % 3, static_cast<char>('a' + random() % 3));
  const uint32_t length = text.length().value();
  const Utf16Offset at{static_cast<uint32_t>(random() % (length + 1))};
  const Length some_units{std::min<uint32_t>(random() % 5, length - at.value())};
  switch (random() % 7) {
    case 0: EXPECT_TRUE(text.erase(txn, at, some_units).has_value()); break;
    case 1: doc.map("m").set(txn, key, Any::string("value " + std::to_string(step))); break;
    case 2: doc.map("m").set_map(txn, key).set(txn, "of " + key, Any::number(step)); break;
    case 3: EXPECT_TRUE(text.format(txn, at, some_units, {{key, Any::boolean(step % 2 == 0)}}).has_value()); break;
    case 4: (void)doc.xml_fragment("x").insert_element(txn, 0, key); break;
    default: EXPECT_TRUE(text.insert(txn, at, random() % 5 == 0 ? "x😀é" : "word ").has_value());
  }
}

}  // namespace diaryx::crdt
