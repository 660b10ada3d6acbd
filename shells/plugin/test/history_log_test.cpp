#include "history_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/history_timeline.h"
#include "diaryx/sync/replica.h"
#include "fake_host.h"
#include "journal.h"

namespace diaryx::plugin {
namespace {

constexpr TimestampMs kStart{1'700'000'000'000};
constexpr std::string_view kDoc = "body:a.md";

// One device that types, stores through a journal, and may crash at any write.
class Typist {
 public:
  explicit Typist(uint64_t client) : doc_({.client = ClientId{client}}) {}

  void load() {
    journal_ = Journal{};
    journal_.history().set_device({"d1", "Laptop"});
    (void)journal_.load();
  }

  sync::PersistUpdate type(std::string_view text) {
    crdt::Transaction txn = doc_.transact();
    crdt::Text body = doc_.text("body");
    EXPECT_TRUE(body.insert(txn, Utf16Offset{length_}, text));
    length_ += static_cast<uint32_t>(text.size());
    return {std::string(kDoc), std::move(txn).commit().update_v1()};
  }

  void store(std::string_view text) {
    journal_.add_update(type(text), TimestampMs{kStart.value() + 1000 * ++time_});
    journal_.flush();
  }

  void compact() { journal_.compact(replica(), "w", TimestampMs{kStart.value() + 1000 * time_}); }

  sync::Replica replica() const {
    sync::Replica replica({.workspace_id = "w", .client = ClientId{5}});
    EXPECT_TRUE(replica.restore_update(kDoc, doc_.encode_update_v1()));
    return replica;
  }

  Journal& journal() { return journal_; }

 private:
  crdt::Doc doc_;
  Journal journal_;
  uint32_t length_ = 0;
  int64_t time_ = 0;
};

/// The text at each point, as a fresh start of the plugin reads it.
std::vector<std::string> texts_of(const HistoryLog& log) {
  sync::History history;
  EXPECT_EQ(log.read(std::string(kDoc), history), 0u);
  const sync::DocHistory* records = history.document(kDoc);
  std::vector<std::string> texts;
  if (!records) return texts;
  for (const sync::HistoryRecord& record : records->records()) {
    crdt::Doc doc({.client = ClientId{1}});
    EXPECT_EQ(records->replay(doc, sync::kHistoryStart, record.sequence), 0u);
    texts.push_back(doc.text("body").to_string());
  }
  return texts;
}

std::vector<std::string> stored_texts() {
  Journal journal;
  (void)journal.load();
  return texts_of(journal.history());
}

TEST(HistoryLog, RemembersEveryUpdateOverRestartsAndCompactions) {
  fake_host() = {};
  Typist typist(1);
  typist.load();
  std::vector<std::string> expected;
  std::string text;
  for (int i = 0; i < 40; ++i) {
    const std::string word = "w" + std::to_string(i) + " ";
    text += word;
    expected.push_back(text);
    typist.store(word);
    if (i % 7 == 3) typist.compact();
    if (i % 11 == 5) typist.load();
  }
  EXPECT_EQ(stored_texts(), expected);
  typist.load();
  EXPECT_EQ(typist.journal().history().last(), 40u);
}

TEST(HistoryLog, StoresTheOnlyRecordOfADocumentOnce) {
  fake_host() = {};
  Typist typist(1);
  typist.load();
  typist.store("hello");
  typist.compact();
  for (const auto& [key, value] : fake_host().storage) EXPECT_FALSE(key.starts_with("history.0:body")) << key;
  EXPECT_EQ(stored_texts(), std::vector<std::string>{"hello"});
  typist.store(" world");
  typist.compact();
  EXPECT_EQ(stored_texts(), (std::vector<std::string>{"hello", "hello world"}));
}

// The state of every key after each single write of a compaction: whatever was stored by then, nothing of the past is lost.
TEST(HistoryLog, LosesNothingWhenACompactionIsCutShortAnywhere) {
  for (int before : {1, 2, 5}) {
    fake_host() = {};
    Typist typist(1);
    typist.load();
    std::vector<std::string> expected;
    std::string text;
    const auto store = [&](const std::string& word) {
      text += word;
      expected.push_back(text);
      typist.store(word);
    };
    for (int i = 0; i < before; ++i) store("a");
    typist.compact();
    store("b");
    store("c");
    fake_host().record_versions = true;
    typist.compact();
    const auto versions = fake_host().versions;
    ASSERT_GT(versions.size(), 4u);
    for (const auto& version : versions) {
      fake_host() = {};
      fake_host().storage = version;
      const std::vector<std::string> found = stored_texts();
      ASSERT_FALSE(found.empty());
      EXPECT_EQ(found.back(), expected.back());
      EXPECT_EQ(found.size(), expected.size());
    }
  }
}

TEST(HistoryLog, FoldsADocumentOfManyBlocksAndKeepsItsText) {
  fake_host() = {};
  Typist typist(1);
  typist.load();
  std::string text;
  for (int i = 0; i < 80; ++i) {
    typist.store("word ");
    text += "word ";
    typist.compact();
  }
  EXPECT_EQ(stored_texts().size(), 80u);  // all of the last day
  EXPECT_EQ(stored_texts().back(), text);
  size_t chunks = 0;
  for (const auto& [key, value] : fake_host().storage) chunks += key.starts_with("history.") && !value.empty();
  EXPECT_LE(chunks, 2u);
}

TEST(HistoryLog, BeginsWithWhatAnOlderPluginStored) {
  fake_host() = {};
  Typist typist(1);
  const sync::PersistUpdate old = typist.type("old");
  fake_host().storage["body_doc_manifest"] = to_bytes(as_bytes(R"(["a.md"])"));
  fake_host().storage["body:a.md"] = old.update;
  typist.load();
  typist.store(" new");
  EXPECT_EQ(stored_texts(), (std::vector<std::string>{"old", "old new"}));
  typist.compact();
  EXPECT_EQ(stored_texts(), (std::vector<std::string>{"old", "old new"}));
}

/// What the note says now does not hang on its past, and of that nothing is read which was never written.
void expect_the_text_and_a_part_of_its_past(std::string_view text) {
  Journal journal;
  crdt::Doc doc({.client = ClientId{1}});
  for (const auto& [name, update] : journal.load().updates) {
    if (name == kDoc) EXPECT_TRUE(doc.apply_update_v1(update));
  }
  EXPECT_EQ(doc.text("body").to_string(), text);
  sync::History history;
  (void)journal.history().read(std::string(kDoc), history);
  const sync::DocHistory* const records = history.document(kDoc);
  EXPECT_LE(records == nullptr ? 0 : records->records().size(), text.size());
}

TEST(HistoryLog, ReadsWhatItCanOfDamagedChunks) {
  fake_host() = {};
  Typist typist(1);
  typist.load();
  for (int i = 0; i < 6; ++i) {
    typist.store("x");
    typist.compact();
  }
  const std::map<std::string, Bytes, std::less<>> good = fake_host().storage;
  for (const auto& [key, value] : good) {
    if (!key.starts_with("history.") && key != "sync.history") continue;
    for (size_t at = 0; at < value.size(); at += 3) {
      fake_host().storage = good;
      fake_host().storage[key][at] ^= 0x55;
      expect_the_text_and_a_part_of_its_past("xxxxxx");
      fake_host().storage[key].resize(at);
      expect_the_text_and_a_part_of_its_past("xxxxxx");
    }
  }
}

TEST(Journal, KeepsMarksByPoint) {
  fake_host() = {};
  Typist typist(1);
  typist.load();
  typist.store("a");
  typist.journal().add_mark({.point = 1, .time = kStart, .name = "before the trip"});
  typist.compact();
  typist.load();
  ASSERT_EQ(typist.journal().marks().size(), 1u);
  EXPECT_EQ(typist.journal().marks().front().name, "before the trip");
  typist.journal().remove_mark(typist.journal().marks().front());
  typist.journal().flush();
  typist.load();
  EXPECT_TRUE(typist.journal().marks().empty());
}

}  // namespace
}  // namespace diaryx::plugin
