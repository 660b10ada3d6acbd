// No decoder holds more than a stated multiple of its input: inputs made to cost as much as possible, and a counting allocator.
//
// The multiples are those of limits.h and of the headers. The peak counts everything that is allocated while one input is
// decoded and, where there is a document, applied; the constant is for small inputs (first chunks, empty tables).
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <new>

#include "counted_memory.h"
#include "diaryx/base/base64.h"
#include "diaryx/crdt/relative_position.h"
#include "diaryx/crdt/snapshot.h"
#include "diaryx/crdt/update.h"
#include "diaryx/crdt/websocket_frame.h"

namespace diaryx::crdt {
namespace {

/// Whoever writes an input: v1 updates, and lib0 values.
class Maker {
 public:
  Maker& num(uint64_t value) {
    out_.var_uint(value);
    return *this;
  }
  Maker& byte(uint8_t value) {
    out_.u8(value);
    return *this;
  }
  Maker& text(std::string_view value) {
    out_.var_string(value);
    return *this;
  }
  Maker& raw(ByteView bytes) {
    out_.raw(bytes);
    return *this;
  }
  Maker& times(uint64_t count, const std::function<void(Maker&, uint64_t)>& make) {
    for (uint64_t i = 0; i < count; ++i) make(*this, i);
    return *this;
  }
  Bytes done() { return out_.take(); }

 private:
  Writer out_;
};

constexpr uint64_t kMany = 30'000;

/// One client, `count` structs from clock 0 on, nothing deleted.
Bytes one_block(uint64_t count, const std::function<void(Maker&, uint64_t)>& make) {
  return Maker().num(1).num(count).num(1).num(0).times(count, make).num(0).done();
}

std::string key_of(uint64_t i) {
  std::string key;
  for (; i > 0; i /= 64) key += static_cast<char>('0' + i % 64);
  return key;
}

struct Input {
  const char* name;
  Bytes bytes;
};

std::vector<Input> updates_v1() {
  std::vector<Input> inputs;
  inputs.push_back({"collected ranges", one_block(kMany, [](Maker& out, uint64_t) { out.num(0).num(1); })});
  inputs.push_back(
      {"clients", Maker()
                      .num(kMany)
                      .times(kMany, [](Maker& out, uint64_t i) { out.num(1).num(kMany - i).num(0).num(0).num(1); })
                      .num(0)
                      .done()});
  inputs.push_back({"clients that wait",
                    Maker()
                        .num(2'000)
                        .times(2'000, [](Maker& out, uint64_t i) { out.num(1).num(kMany - i).num(5).num(0).num(1); })
                        .num(0)
                        .done()});
  inputs.push_back(
      {"root names", one_block(kMany, [](Maker& out, uint64_t i) { out.num(4).num(1).text(key_of(i)).text("x"); })});
  inputs.push_back({"keys", one_block(kMany, [](Maker& out, uint64_t i) {
                      out.byte(0x28).num(1).text("m").text(key_of(i)).num(1).byte(0x7e);
                    })});
  inputs.push_back({"values of one key", one_block(kMany, [](Maker& out, uint64_t i) {
                      if (i == 0) {
                        out.byte(0x28).num(1).text("m").text("k").num(1).byte(0x7e);
                      } else {
                        out.byte(0x88).num(1).num(i - 1).num(1).byte(0x7e);
                      }
                    })});
  inputs.push_back({"types in types", one_block(kMany, [](Maker& out, uint64_t i) {
                      if (i == 0) {
                        out.num(7).num(1).text("a").num(0);
                      } else {
                        out.num(7).num(0).num(1).num(i - 1).num(0);
                      }
                    })});
  inputs.push_back({"characters at the front", one_block(kMany, [](Maker& out, uint64_t i) {
                      if (i == 0) {
                        out.num(4).num(1).text("t").text("x");
                      } else {
                        out.byte(0x44).num(1).num(i - 1).text("x");
                      }
                    })});
  inputs.push_back({"marks", one_block(kMany, [](Maker& out, uint64_t i) {
                      if (i == 0) {
                        out.num(6).num(1).text("t").text("").text("{}");
                      } else {
                        out.byte(0x86).num(1).num(i - 1).text("").text("{}");
                      }
                    })});
  inputs.push_back(
      {"structs that wait", one_block(kMany, [](Maker& out, uint64_t) { out.byte(0x84).num(9).num(9).text("x"); })});
  inputs.push_back({"a value of many", one_block(1, [](Maker& out, uint64_t) {
                      out.num(8).num(1).text("a").num(1).byte(0x75).num(4 * kMany);
                      out.times(4 * kMany, [](Maker& inner, uint64_t) { inner.byte(0x7e); });
                    })});
  inputs.push_back({"values", one_block(1, [](Maker& out, uint64_t) {
                      out.num(8).num(1).text("a").num(4 * kMany);
                      out.times(4 * kMany, [](Maker& inner, uint64_t) { inner.byte(0x7e); });
                    })});
  inputs.push_back({"an embed of many", one_block(1, [](Maker& out, uint64_t) {
                      std::string json = "[0";
                      for (uint64_t i = 0; i < 2 * kMany; ++i) json += ",0";
                      out.num(5).num(1).text("t").text(json + "]");
                    })});
  inputs.push_back({"JSON values", one_block(1, [](Maker& out, uint64_t) {
                      out.num(2).num(1).text("a").num(2 * kMany);
                      out.times(2 * kMany, [](Maker& inner, uint64_t) { inner.text("0"); });
                    })});
  const std::string long_text(2 * kMany, 'x');
  inputs.push_back(
      {"deletions of every second character", Maker()
                                                  .num(1)
                                                  .num(1)
                                                  .num(1)
                                                  .num(0)
                                                  .num(4)
                                                  .num(1)
                                                  .text("t")
                                                  .text(long_text)
                                                  .num(1)
                                                  .num(1)
                                                  .num(kMany)
                                                  .times(kMany, [](Maker& out, uint64_t i) { out.num(2 * i).num(1); })
                                                  .done()});
  inputs.push_back(
      {"deletions that wait",
       Maker().num(0).num(kMany).times(kMany, [](Maker& out, uint64_t i) { out.num(i).num(1).num(0).num(1); }).done()});
  return inputs;
}

/// Updates v2 that say much in few bytes: runs of equal structs without content of their own. `padding` bytes behind the update,
/// which readers ignore, make room for more of them.
Bytes run_of_structs(uint8_t info, uint64_t count, size_t padding) {
  const auto column = [](const std::function<void(Maker&)>& make) {
    Maker maker;
    make(maker);
    return maker.done();
  };
  // The first is a struct with a root parent; the others refer to the one before them.
  const Bytes info_column = column([&](Maker& out) { out.byte(info).num(0).byte(static_cast<uint8_t>(info | 0x80)); });
  const Bytes client = column([&](Maker& out) { out.byte(0x41).num(count - 2); });  // client 1, again and again
  const Bytes left = column([&](Maker& out) { out.byte(0x00).byte(0x03).num(count - 4); });  // 0, then 1, 2, 3, …
  const Bytes strings = column([&](Maker& out) { out.text("t").byte(1); });
  const Bytes parent = column([&](Maker& out) { out.byte(1); });
  const Bytes ones = column([&](Maker& out) { out.byte(0x41).num(count - 2); });
  const Bytes zeros = column([&](Maker& out) { out.byte(0x40).num(count - 2); });
  Writer out;
  out.u8(0);
  for (const Bytes& one : {Bytes{}, client, left, Bytes{}, info_column, strings, parent, zeros, ones})
    out.var_bytes(one);
  out.var_uint(1);
  out.var_uint(count);
  out.var_uint(0);
  out.var_uint(0);
  out.raw(Bytes(padding));
  return out.take();
}

constexpr size_t kConstant = 64 * 1024;

void expect_at_most(size_t limit, const char* decoder, const char* input, const std::function<void()>& work) {
  const size_t peak = peak_of(work);
  EXPECT_LE(peak, limit) << decoder << " of " << input;
  if (std::getenv("DX_SHOW_MEMORY"))
    std::printf("%-24s %-36s %5.1f %%\n", decoder, input, 100.0 * double(peak) / double(limit));
}

TEST(MemoryBounds, HoldForUpdatesV1) {
  for (const Input& input : updates_v1()) {
    const Bytes& bytes = input.bytes;
    ASSERT_TRUE(validate_update_v1(bytes).has_value()) << input.name;
    const size_t limit = 128 * bytes.size() + kConstant;
    const auto check = [&](const char* decoder, const std::function<void()>& work) {
      expect_at_most(limit, decoder, input.name, work);
    };
    check("validate_update_v1", [&] { (void)validate_update_v1(bytes); });
    check("summarize_update_v1", [&] { (void)summarize_update_v1(bytes); });
    check("parse_update_meta_v1", [&] { (void)parse_update_meta_v1(bytes); });
    check("diff_update_v1", [&] { (void)diff_update_v1(bytes, {}); });
    check("convert_v1_to_v2", [&] { (void)convert_v1_to_v2(bytes); });
    check("obfuscate_update_v1", [&] { (void)obfuscate_update_v1(bytes); });
    check("snapshot_contains_v1", [&] { (void)snapshot_contains_v1({}, bytes); });
    check("apply_update_v1", [&] {
      Doc doc({.client = ClientId{77}});
      (void)doc.apply_update_v1(bytes);
    });
    const Bytes message = frame_of_sync(sync_update(bytes));
    check("handle_frame", [&] {
      Doc doc({.client = ClientId{77}, .emit = Emit::Nothing});
      Awareness here(ClientId{77}, TimestampMs{0});
      (void)handle_frame(doc, here, message, TimestampMs{0});
    });
    const ByteView twice[] = {bytes, bytes};
    expect_at_most(2 * limit, "merge_updates_v1", input.name, [&] { (void)merge_updates_v1(twice); });
  }
}

std::vector<Input> updates_v2() {
  std::vector<Input> inputs;
  for (Input& input : updates_v1()) {
    auto v2 = convert_v1_to_v2(input.bytes);
    EXPECT_TRUE(v2.has_value()) << input.name;
    if (v2) inputs.push_back({input.name, std::move(*v2)});
  }
  inputs.push_back({"a run of types", run_of_structs(7, uint64_t{1} << 20, 0)});
  inputs.push_back({"a run of deleted items", run_of_structs(1, uint64_t{1} << 20, 0)});
  inputs.push_back({"a padded run of types", run_of_structs(7, 1'200'000, 300'000)});
  return inputs;
}

TEST(MemoryBounds, HoldForUpdatesV2) {
  for (const Input& input : updates_v2()) {
    const Bytes& bytes = input.bytes;
    ASSERT_TRUE(parse_update_meta_v2(bytes).has_value()) << input.name;
    const size_t limit = std::max<size_t>(size_t{1280} * bytes.size(), size_t{320} << 20) + kConstant;
    const auto check = [&](const char* decoder, const std::function<void()>& work) {
      expect_at_most(limit, decoder, input.name, work);
    };
    check("parse_update_meta_v2", [&] { (void)parse_update_meta_v2(bytes); });
    check("diff_update_v2", [&] { (void)diff_update_v2(bytes, {}); });
    check("convert_v2_to_v1", [&] { (void)convert_v2_to_v1(bytes); });
    check("obfuscate_update_v2", [&] { (void)obfuscate_update_v2(bytes); });
    check("apply_update_v2", [&] {
      Doc doc({.client = ClientId{77}});
      EXPECT_TRUE(doc.apply_update_v2(bytes).has_value());
    });
  }
}

// What is refused costs no more than what is accepted: counts of billions, and runs beyond the limit.
TEST(MemoryBounds, HoldForWhatIsRefused) {
  const char* claims[] = {"01ffffffff0f0100",         "01ffffffffffffff0f0100",     "ffffffff0f01",
                          "010101000401808080800841", "01010100080101618080808010", "0101010003010161808080808020",
                          "000101ffffffff0f"};
  for (const char* hex : claims) {
    const Bytes bytes = *from_hex(hex);
    expect_at_most(kConstant, "apply_update_v1", hex, [&] {
      Doc doc({.client = ClientId{77}});
      EXPECT_FALSE(doc.apply_update_v1(bytes).has_value());
    });
  }
  for (const uint64_t count : {(1ull << 20) + 1, 2'000'000ull, 4'000'000'000ull}) {
    const Bytes bytes = run_of_structs(7, count, 0);
    expect_at_most(kConstant, "apply_update_v2", "a run that is too long", [&] {
      Doc doc({.client = ClientId{77}});
      EXPECT_EQ(doc.apply_update_v2(bytes).error().code, ErrorCode::TooLarge);
    });
  }
}

Bytes nested(uint8_t open, uint64_t depth) {
  return Maker()
      .times(depth,
             [&](Maker& out, uint64_t) {
               out.byte(open).num(1);
               if (open == 0x76) out.text("");
             })
      .byte(0x7e)
      .done();
}

TEST(MemoryBounds, HoldForValues) {
  const std::vector<Input> inputs = {
      {"an array", Maker().byte(0x75).num(132'000).times(132'000, [](Maker& out, uint64_t) { out.byte(0x7e); }).done()},
      {"an array of arrays",
       Maker().byte(0x75).num(66'000).times(66'000, [](Maker& out, uint64_t) { out.byte(0x75).num(0); }).done()},
      {"an array of small arrays", Maker()
                                       .byte(0x75)
                                       .num(66'000)
                                       .times(66'000, [](Maker& out, uint64_t) { out.byte(0x75).num(1).byte(0x7e); })
                                       .done()},
      {"an object",
       Maker().byte(0x76).num(66'000).times(66'000, [](Maker& out, uint64_t) { out.text("").byte(0x7e); }).done()},
      {"arrays in arrays", nested(0x75, 999)},
      {"objects in objects", nested(0x76, 999)},
      {"a count of billions", *from_hex("75ffffffff0f7e")},
      {"an object of billions", *from_hex("76ffffffff0f")},
  };
  for (const Input& input : inputs) {
    expect_at_most(128 * input.bytes.size() + kConstant, "Any::decode", input.name, [&] {
      Reader in(input.bytes);
      (void)Any::decode(in);
    });
  }
  const auto repeated = [](const char* open, const char* one, size_t count, const char* close) {
    std::string text = open;
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) text += ',';
      text += one;
    }
    return text + close;
  };
  for (const auto& [name, text] : {std::pair{"an array", repeated("[", "0", 66'000, "]")},
                                   {"an array of arrays", repeated("[", "[]", 66'000, "]")},
                                   {"an array of small arrays", repeated("[", "[0]", 66'000, "]")},
                                   {"an object of one key", repeated("{", "\"\":0", 66'000, "}")}}) {
    expect_at_most(128 * text.size() + kConstant, "Any::from_json", name, [&] { EXPECT_TRUE(Any::from_json(text)); });
    const Bytes update = Maker().num(1).num(5).num(1).text(text).done();
    expect_at_most(128 * update.size() + kConstant, "Awareness::apply_update", name, [&] {
      Awareness here(ClientId{77}, TimestampMs{0});
      EXPECT_TRUE(here.apply_update(update, TimestampMs{0}).has_value());
    });
  }
}

TEST(MemoryBounds, HoldForVectorsAndSets) {
  const Bytes vector =
      Maker().num(33'000).times(33'000, [](Maker& out, uint64_t i) { out.num(33'000 - i).num(1); }).done();
  const Bytes tiny = Maker().num(33'000).times(33'000, [](Maker& out, uint64_t) { out.num(1).num(1); }).done();
  for (const Bytes& bytes : {vector, tiny}) {
    expect_at_most(64 * bytes.size() + kConstant, "StateVector::decode", "clients",
                   [&] { EXPECT_TRUE(StateVector::decode(bytes).has_value()); });
  }
  const std::vector<Input> sets = {
      {"ranges",
       Maker().num(1).num(1).num(66'000).times(66'000, [](Maker& out, uint64_t i) { out.num(2 * i).num(1); }).done()},
      {"clients",
       Maker().num(33'000).times(33'000, [](Maker& out, uint64_t i) { out.num(i).num(1).num(0).num(1); }).done()},
      {"one client again and again",
       Maker().num(33'000).times(33'000, [](Maker& out, uint64_t) { out.num(1).num(1).num(0).num(1); }).done()},
      {"clients without ranges",
       Maker().num(66'000).times(66'000, [](Maker& out, uint64_t i) { out.num(i).num(0); }).done()},
  };
  for (const Input& input : sets) {
    expect_at_most(64 * input.bytes.size() + kConstant, "DeleteSet::decode_v1", input.name,
                   [&] { EXPECT_TRUE(DeleteSet::decode_v1(input.bytes).has_value()); });
    const Bytes snapshot = Maker().raw(input.bytes).raw(vector).done();
    expect_at_most(64 * snapshot.size() + kConstant, "Snapshot::decode_v1", input.name,
                   [&] { EXPECT_TRUE(Snapshot::decode_v1(snapshot).has_value()); });
    expect_at_most(64 * snapshot.size() + kConstant, "Snapshot::decode_v2", input.name,
                   [&] { (void)Snapshot::decode_v2(snapshot); });
  }
}

TEST(MemoryBounds, HoldForAwarenessAndPositions) {
  const Bytes update =
      Maker().num(9'000).times(9'000, [](Maker& out, uint64_t i) { out.num(i).num(1).text("1"); }).done();
  expect_at_most(128 * update.size() + kConstant, "Awareness::apply_update", "clients", [&] {
    Awareness here(ClientId{77}, TimestampMs{0});
    EXPECT_TRUE(here.apply_update(update, TimestampMs{0}).has_value());
  });
  const Bytes position = Maker().num(1).text(std::string(100'000, 'x')).num(0).done();
  expect_at_most(2 * position.size(), "RelativePosition::decode", "a long name",
                 [&] { EXPECT_TRUE(RelativePosition::decode(position).has_value()); });
}

}  // namespace
}  // namespace diaryx::crdt
