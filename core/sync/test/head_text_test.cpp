// What two devices make of one frontmatter block, field by field.
#include "diaryx/sync/head_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "diaryx/sync/frontmatter.h"

namespace diaryx::sync {
namespace {

constexpr const char* kBlock =
    "---\n"
    "# top comment\n"
    "title: \"Start\"   # why\n"
    "tags:\n"
    "  - x\n"
    "  - y\n"
    "contents:\n"
    "  - '[One](/one.md)'\n"
    "  - \"[Two](/two.md)\"   # second\n"
    "  - '[Three](/three.md)'\n"
    "attachments: [a.png, b.png]\n"
    "date: 2026-01-01\n"
    "summary: |\n"
    "  first\n"
    "\n"
    "  second\n"
    "other: 1\n"
    "empty:\n"
    "# the end\n"
    "---\n";

class Device {
 public:
  explicit Device(uint64_t client) : doc_({.client = ClientId{client}}), head_(doc_) {}

  std::string head() const { return head_.to_string(); }
  crdt::Doc& doc() { return doc_; }
  void import(const std::string& head) {
    crdt::Doc seed({.client = ClientId{1}});
    crdt::Transaction txn = seed.transact();
    ASSERT_TRUE(seed.text("head").insert(txn, Utf16Offset{0}, head));
    take(std::move(txn).commit().update_v1());
  }
  Bytes set(const std::string& head, const std::string& shown = {}) {
    crdt::Transaction txn = doc_.transact();
    head_.set(txn, head, shown);
    return std::move(txn).commit().update_v1();
  }
  Bytes carry(const std::string& before, const std::string& after, const std::vector<std::string>& perhaps = {}) {
    crdt::Transaction txn = doc_.transact();
    head_.carry(txn, before, after, {}, perhaps);
    return std::move(txn).commit().update_v1();
  }
  void take(const Bytes& update) {
    if (!update.empty()) ASSERT_TRUE(doc_.apply_update_v1(update));  // empty: nothing was changed
  }
  void take(Device& other) { take(other.doc_.encode_update_v1()); }

 private:
  crdt::Doc doc_;
  HeadText head_;
};

/// What becomes of two edits of `base`, on both devices and whoever has the larger id.
std::string merged(const std::string& base, const std::string& one, const std::string& other) {
  std::set<std::string> results;
  for (const bool swapped : {false, true}) {
    Device a(swapped ? 12 : 11), b(swapped ? 11 : 12);
    if (!base.empty()) a.import(base);
    if (!base.empty()) b.import(base);
    a.set(one);
    EXPECT_EQ(a.head(), one);
    b.set(other);
    EXPECT_EQ(b.head(), other);
    const Bytes of_b = b.doc().encode_update_v1();
    b.take(a);
    a.take(of_b);
    results.insert(a.head());
    results.insert(b.head());
    EXPECT_TRUE(a.head().empty() || split_frontmatter(a.head()).head == a.head()) << a.head();
  }
  EXPECT_EQ(results.size(), 1u);
  return *results.begin();
}

std::string with(std::string text, std::string_view what, std::string_view by) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

std::string block(std::string_view inside) { return "---\n" + std::string(inside) + "---\n"; }

TEST(HeadText, ShowsWhatWasWrittenByteForByte) {
  const std::vector<std::string> blocks = {
      kBlock,
      "",
      block("a: 1\n"),
      block("title: a\ntitle: b\nx: 1\n"),
      block("\ttitle: a\nx: 1\n"),
      block("title: [bad\n  : x\n"),
      "---\r\ntitle: a\r\nlist:\r\n- b\r\n# c\r\n- d\r\nk: 1\r\n---\r\n",
      block("list: [ a , b ]\nother: [a,b,  c]\nlast: [ a,b ] # x\nnone: [ ]\none: [\"a, b\", 'it''s']\n"),
      block("list:\n- a\n- a\n- a\nmap:\n  - a: 1\n  - b: 2\n"),
      block("\n\n# only a comment\n"),
      block("---\n"),
      block("? complex\n: v\nlong: >-\n  folded\n\n  text\n\n\"quoted: key\": 1\n"),
      block("list:\n  # first\n  - a\n\n  - b # c\n  # last\nnext: \x1e\x1f\x1d\n"),
      block("x: {a: 1, b: [2]}\ny: [[1], 2]\nz: [a,]\nw: [a: b]\nv: [\"a\n"),
      block("no field\n- item\nkey: v\n"),
  };
  for (const std::string& base : blocks) {
    for (const std::string& next : blocks) {
      Device device(7);
      if (!base.empty()) device.import(base);
      for (const std::string& text : {base, next, base, next}) {
        device.set(text);
        ASSERT_EQ(device.head(), text) << "after " << base;
      }
    }
  }
}

TEST(HeadText, EachFieldIsMergedOnItsOwn) {
  const std::string one = with(kBlock, "\"Start\"", "\"From A\"");
  std::string other = with(with(kBlock, "2026-01-01", "2026-02-02"), "empty:", "empty: no");
  EXPECT_EQ(merged(kBlock, one, other), with(other, "\"Start\"", "\"From A\""));
  EXPECT_EQ(merged(kBlock, with(kBlock, "# why", "# why A"), with(kBlock, "# top comment", "# top comment B")),
            with(with(kBlock, "# why", "# why A"), "# top comment", "# top comment B"));
}

TEST(HeadText, OneFieldChangedOnTwoDevicesHasOneOfTheValues) {
  EXPECT_EQ(merged(kBlock, with(kBlock, "\"Start\"", "\"From A\""), with(kBlock, "\"Start\"", "\"From B\"")),
            with(kBlock, "\"Start\"", "\"From B\""));
  const std::string same = with(kBlock, "\"Start\"", "\"New\"");
  EXPECT_EQ(merged(kBlock, same, same), same);
  EXPECT_EQ(merged(kBlock, with(kBlock, "  first", "  FIRST"), with(kBlock, "  second", "  second B\n  third B")),
            with(kBlock, "  second", "  second B\n  third B"));
  EXPECT_EQ(merged(block("a: 1\n"), block("a: 1\nmood: good\n"), block("a: 1\nmood: bad\n")),
            block("a: 1\nmood: good\n"));
}

TEST(HeadText, OfTwoTimesInUpdatedTheLaterStays) {
  const auto at = [](const char* time) { return block("title: x\nupdated: " + std::string(time) + "\n"); };
  EXPECT_EQ(merged(at("2026-11-25T10:00:00Z"), at("2026-11-26T11:22:33Z"), at("2026-11-27T08:09:10Z")),
            at("2026-11-27T08:09:10Z"));
  EXPECT_EQ(merged(at("2026-11-25T10:00:00Z"), at("2026-11-26T23:30:00-05:00"), at("2026-11-27T01:00:00Z")),
            at("2026-11-26T23:30:00-05:00"));
  EXPECT_EQ(merged(at("1"), at("999"), at("1000")), at("1000"));
}

TEST(HeadText, ListsAreOrderedSets) {
  std::string one = with(kBlock, "  - '[One](/one.md)'\n", "  - '[One](/one.md)'\n  - '[NewA](/na.md)'\n");
  std::string other = with(kBlock, "  - \"[Two](/two.md)\"   # second\n", "");
  other = with(other, "  - '[Three](/three.md)'\n", "  - '[Three](/three.md)'\n  - '[NewB](/nb.md)'\n");
  EXPECT_EQ(merged(kBlock, one, other),
            with(other, "  - '[One](/one.md)'\n", "  - '[One](/one.md)'\n  - '[NewA](/na.md)'\n"));
  EXPECT_EQ(
      merged(kBlock, with(kBlock, "a.png, b.png", "a.png, b.png, c.png"), with(kBlock, "a.png, b.png", "b.png, d.png")),
      with(kBlock, "a.png, b.png", "b.png, c.png, d.png"));
  const std::string both = block("contents:\n- a.md\n- b.md\n");
  EXPECT_EQ(merged(block("contents:\n- a.md\n"), both, both), both);
  EXPECT_EQ(merged(block("contents: []\n"), block("contents:\n- x.md\n"), block("contents:\n- y.md\n")),
            block("contents:\n- x.md\n- y.md\n"));
  EXPECT_EQ(merged(block("contents: []\n"), block("contents:\n- x.md\n"), block("contents: [y.md]\n")),
            block("contents:\n- x.md\n- y.md\n"));
  EXPECT_EQ(merged(block("l: [a]\n"), block("l: [a, \"b, c\"] # why\n"), block("l:\n  # of old\n  - a\n  - 'd'\n")),
            block("l: [a, \"b, c\", 'd'] # why\n"));
  EXPECT_EQ(merged(block("a: 1\n"), block("a: 1\ntags:\n- x\n"), block("a: 1\ntags:\n  - x\n  - y\n")),
            block("a: 1\ntags:\n- x\n- y\n"));
  EXPECT_EQ(merged(block("l:\n- a\n- b\n- c\n"), block("l:\n- c\n- a\n- b\n"), block("l:\n- a\n- b\n- c\n- d\n")),
            block("l:\n- c\n- a\n- b\n- d\n"));
}

TEST(HeadText, AChangeWinsOverADeletion) {
  EXPECT_EQ(merged(kBlock, with(kBlock, "date: 2026-01-01\n", ""), with(kBlock, "2026-01-01", "2026-03-03")),
            with(kBlock, "2026-01-01", "2026-03-03"));
  EXPECT_EQ(merged(block("a: 1\nl:\n- x\n- y\n"), block("a: 1\n"), block("a: 1\nl:\n- x\n- y\n- z\n")),
            block("a: 1\nl:\n- z\n"));
}

TEST(HeadText, ThereIsOneBlockWhoeverAddsOrRemovesIt) {
  EXPECT_EQ(merged("", block("title: A\n"), block("tags: [b]\n")), block("tags: [b]\ntitle: A\n"));
  EXPECT_EQ(merged("", block("title: A\n"), block("title: B\n")), block("title: B\n"));
  EXPECT_EQ(merged(block("title: x\nk: 1\n"), "", block("title: y\nk: 1\n")), block("title: y\n"));
  EXPECT_EQ(merged(block("title: x\nk: 1\n"), block("title: x\n"), block("k: 1\n")), "");
  EXPECT_EQ(
      merged("---\r\ntitle: a\r\nk: 1\r\n---\r\n", "---\r\ntitle: aA\r\nk: 1\r\n---\r\n", "---\ntitle: a\nk: 2\n---\n"),
      "---\ntitle: aA\r\nk: 2\n---\n");
}

TEST(HeadText, AShownBlockLosesAgainstAnyChangeOfIt) {
  const std::string shown = block("title: Old\nupdated: 5\n");
  Device a(11), b(12);
  a.set(block("title: Anew\nupdated: 5\n"), shown);
  b.set(block("title: Old\nupdated: 6\n"), shown);
  a.take(b);
  b.take(a);
  EXPECT_EQ(a.head(), block("title: Anew\nupdated: 6\n"));
  EXPECT_EQ(b.head(), a.head());
}

TEST(HeadText, AnEditOfAnOlderBlockLeavesWhatOthersDid) {
  Device a(11);
  a.import(kBlock);
  const std::string now =
      with(with(with(kBlock, "\"Start\"", "\"Zed\""), "other: 1\n", ""), "  - x\n", "  - w\n  - x\n");
  a.set(now);
  a.carry(kBlock, with(with(kBlock, "\"Start\"", "\"Alpha\""), "  - y\n", "  - y\n  - z\n"));
  EXPECT_EQ(a.head(), with(now, "  - y\n", "  - y\n  - z\n"));
  a.carry(kBlock, with(kBlock, "other: 1", "other: 2"));
  EXPECT_NE(a.head().find("other: 2\n"), std::string::npos);
}

TEST(HeadText, AnEditOfOneOfTwoBlocksLeavesWhatItsMakerMayNotHaveSeen) {
  const std::string older = block("title: Old\ntags:\n  - x\n  - y\nmood: m\n");
  const std::string newer = block("title: New\ntags:\n  - y\n  - x\n  - z\nmood: m\nplace: p\n");
  const auto edited = [&](const std::string& after) {
    std::set<std::string> results;
    for (const bool swapped : {false, true}) {
      Device a(11);
      a.import(older);
      a.set(newer);
      a.carry(swapped ? older : newer, after, {swapped ? newer : older});
      results.insert(a.head());
    }
    return results.size() == 1 ? *results.begin() : "it depends on which is likelier";
  };
  EXPECT_EQ(edited(older), newer);
  EXPECT_EQ(edited(newer), newer);
  EXPECT_EQ(edited(with(older, "mood: m\n", "")), with(newer, "mood: m\n", ""));
  EXPECT_EQ(edited(with(newer, "mood: m\n", "")), with(newer, "mood: m\n", ""));
  EXPECT_EQ(edited(with(newer, "place: p\n", "")), newer) << "perhaps it was not there";
  EXPECT_EQ(edited(with(older, "  - x\n", "")), with(newer, "  - x\n", ""));
  EXPECT_EQ(edited(with(older, "mood: m\n", "mood: n\n")), with(newer, "mood: m\n", "mood: n\n"));
  EXPECT_EQ(edited(with(newer, "  - y\n  - x\n  - z\n", "  - z\n  - y\n  - x\n")),
            with(newer, "  - y\n  - x\n  - z\n", "  - z\n  - y\n  - x\n"));
}

TEST(HeadText, SaysWhoBroughtEachPiece) {
  Device a(11);
  a.import(kBlock);
  a.set(with(with(kBlock, "\"Start\"", "\"New\""), "  - x\n", "  - w\n  - x\n"));
  std::string text;
  std::map<uint64_t, std::string> by;
  for (const HeadText::Run& run : HeadText(a.doc()).runs()) {
    text += run.text;
    by[run.id.client.value()] += run.text;
  }
  EXPECT_EQ(text, a.head());
  EXPECT_EQ(by[11], "title: \"New\"   # why\n  - w\n");
}

TEST(HeadText, ReadsWhateverPeersPutIntoTheDocument) {
  std::mt19937_64 random(5);
  const std::vector<std::string> bits = {"\x1e", "s",  "d",  "p",    "w",    "k",     "i",     "c",       "<",
                                         ">",    "a",  "\n", "\x1f", "\x1d", "---\n", "title", ": x\n",   "f",
                                         "b",    "- ", "z",  "\r",   "[",    "]",     "\"",    "\xc3\xa9"};
  for (int round = 0; round < 3000; ++round) {
    crdt::Doc doc({.client = ClientId{3}});
    HeadText head(doc);
    crdt::Transaction txn = doc.transact();
    for (const char* const root : {"head", "fields"}) {
      std::string text;
      for (size_t i = random() % 40; i > 0; --i) text += bits[random() % bits.size()];
      ASSERT_TRUE(doc.text(root).insert(txn, Utf16Offset{0}, text));
    }
    std::move(txn).commit();
    const std::string shown = head.to_string();
    if (!head.is_as_imported()) EXPECT_EQ(split_frontmatter(shown).head, shown);
    crdt::Transaction next = doc.transact();
    head.set(next, kBlock);
    std::move(next).commit();
    ASSERT_EQ(head.to_string(), kBlock);
  }
}

// --- a property: devices that edit at random and hear of each other at random ---

struct Fields {
  std::map<std::string, std::string> scalars;
  std::vector<std::string> contents, tags;

  std::string text() const {
    std::string out;
    for (const auto& [key, value] : scalars) out += key + ": " + value + "\n";
    if (!contents.empty()) out += "contents:\n";
    for (const std::string& item : contents) out += "  - " + item + "\n";
    if (!tags.empty()) {
      out += "tags: [";
      for (size_t i = 0; i < tags.size(); ++i) out += (i == 0 ? "" : ", ") + tags[i];
      out += "]\n";
    }
    return out.empty() ? out : block(out);
  }
};

Fields read(const std::string& head) {
  Fields fields;
  const Result<Frontmatter> front = Frontmatter::parse(head);
  EXPECT_TRUE(front) << head;
  if (!front) return fields;
  EXPECT_FALSE(front->has_repeated_key()) << head;
  for (const FrontmatterEntry& entry : front->entries()) {
    if (const Json::Array* const list = entry.value.as_array()) {
      for (const Json& item : *list) (entry.key == "tags" ? fields.tags : fields.contents).push_back(*item.as_string());
    } else if (entry.value.is_string()) {
      fields.scalars[entry.key] = *entry.value.as_string();
    }
  }
  return fields;
}

TEST(HeadText, ConvergesWhateverIsEditedAndDeliveredWhen) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    std::mt19937_64 random(seed);
    const size_t count = 2 + seed % 2;
    std::vector<std::unique_ptr<Device>> devices;
    std::vector<Bytes> updates;
    std::vector<std::vector<size_t>> waiting(count);
    std::map<std::string, std::set<std::string>> given;  // what devices gave each scalar
    std::set<std::string> added, removed;
    for (size_t i = 0; i < count; ++i) devices.push_back(std::make_unique<Device>(20 + i));
    if (seed % 3 != 0) {
      const Fields base{{{"title", "start"}, {"mood", "fine"}}, {"one.md", "two.md"}, {"x"}};
      for (const auto& [key, value] : base.scalars) given[key].insert(value);
      for (auto& device : devices) device->import(base.text());
    }
    for (int step = 0; step < 60; ++step) {
      const size_t at = random() % count;
      Device& device = *devices[at];
      const std::string before = device.head();
      Fields fields = read(before);
      switch (random() % 9) {
        case 0:
        case 1: {
          const std::string key = std::vector<std::string>{"title", "mood", "extra"}[random() % 3];
          const std::string value = "v" + std::to_string(random() % 1000);
          given[key].insert(value);
          fields.scalars[key] = value;
          break;
        }
        case 2: fields.scalars.erase(std::vector<std::string>{"title", "mood", "extra"}[random() % 3]); break;
        case 3:
        case 4: {
          auto& list = random() % 2 == 0 ? fields.contents : fields.tags;
          const std::string item = "item" + std::to_string(seed) + "." + std::to_string(step);
          added.insert(item);
          list.insert(list.begin() + static_cast<ptrdiff_t>(random() % (list.size() + 1)), item);
          break;
        }
        case 5: {
          auto& list = random() % 2 == 0 ? fields.contents : fields.tags;
          if (list.empty()) break;
          const auto item = list.begin() + static_cast<ptrdiff_t>(random() % list.size());
          removed.insert(*item);
          list.erase(item);
          break;
        }
        case 6: {
          auto& list = random() % 2 == 0 ? fields.contents : fields.tags;
          std::shuffle(list.begin(), list.end(), random);
          break;
        }
        default:
          if (!waiting[at].empty()) {
            const size_t which = random() % waiting[at].size();
            device.take(updates[waiting[at][which]]);
            waiting[at].erase(waiting[at].begin() + static_cast<ptrdiff_t>(which));
          }
          continue;
      }
      if (random() % 20 == 0) {  // restarts
        auto again = std::make_unique<Device>(100 + updates.size());
        again->take(device);
        devices[at] = std::move(again);
        ASSERT_EQ(devices[at]->head(), before);
      }
      // In the order the block has.
      Fields wanted = fields;
      Frontmatter front = before.empty() ? Frontmatter() : *Frontmatter::parse(before);
      for (const char* const key : {"title", "mood", "extra"}) {
        if (wanted.scalars.contains(key)) {
          front.set(key, Json(wanted.scalars[key]));
        } else {
          front.remove(key);
        }
      }
      for (const auto& [key, list] : {std::pair{"contents", &wanted.contents}, std::pair{"tags", &wanted.tags}}) {
        Json json = Json::array();
        for (const std::string& item : *list) json.push(item);
        if (list->empty()) {
          front.remove(key);
        } else {
          front.set(key, json);
        }
      }
      const std::string after = front.text();
      updates.push_back(devices[at]->set(after));
      ASSERT_EQ(devices[at]->head(), after) << "seed " << seed << " step " << step;
      for (size_t i = 0; i < count; ++i) {
        if (i != at) waiting[i].push_back(updates.size() - 1);
      }
    }
    for (size_t i = 0; i < count; ++i) {
      std::shuffle(waiting[i].begin(), waiting[i].end(), random);
      for (const size_t update : waiting[i]) devices[i]->take(updates[update]);
      ASSERT_FALSE(devices[i]->doc().has_pending());
    }
    for (size_t i = 1; i < count; ++i) ASSERT_EQ(devices[i]->head(), devices[0]->head()) << "seed " << seed;
    const Fields end = read(devices[0]->head());
    for (const auto& [key, value] : end.scalars)
      EXPECT_TRUE(given[key].contains(value)) << "seed " << seed << ": " << key;
    std::map<std::string, int> seen;
    for (const auto* const list : {&end.contents, &end.tags}) {
      for (const std::string& item : *list) EXPECT_EQ(++seen[item], 1) << "seed " << seed << ": " << item;
    }
    for (const std::string& item : added) {
      EXPECT_TRUE(seen.contains(item) || removed.contains(item)) << "seed " << seed << ": " << item;
    }
  }
}

}  // namespace
}  // namespace diaryx::sync
