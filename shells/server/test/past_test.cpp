#include "past.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/text.h"
#include "diaryx/sync/history_record.h"

namespace diaryx::server {
namespace {

using testing::SizeIs;

/// Three edits of one text, stored as sequences 11, 12 and 13 at times 110, 120 and 130; a snapshot covers the first two.
DocumentPast three_edits() {
  crdt::Doc doc({.client = ClientId{7}});
  crdt::Text body = doc.text("body");
  DocumentPast past;
  for (uint64_t i = 1; i <= 3; ++i) {
    crdt::Transaction txn = doc.transact();
    EXPECT_TRUE(body.insert(txn, Utf16Offset{0}, std::to_string(i)));
    StoredRecord record{relay::Sequence{10 + i}, TimestampMs{static_cast<int64_t>(100 + 10 * i)}, {}, "id", "desk", {}};
    record.update = std::move(txn).commit().update_v1();
    past.records.push_back(std::move(record));
    if (i != 2) continue;
    past.snapshot = doc.encode_update_v1();
    past.through = relay::Sequence{12};
  }
  return past;
}

std::string text_at(const std::vector<sync::HistoryRecord>& records, sync::HistoryPoint point) {
  sync::DocHistory history;
  EXPECT_TRUE(history.add(*sync::encode_history_block(records)));
  crdt::Doc doc({.client = ClientId{1}});
  EXPECT_EQ(history.replay(doc, sync::kHistoryStart, point), 0u);
  return doc.text("body").to_string();
}

TEST(Past, ShowsEveryRecordWhenAllAreKept) {
  const auto records = history_records(three_edits());
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_EQ(records[0].sequence, 11u);
  EXPECT_EQ(records[0].device, (sync::HistoryDevice{"id", "desk"}));
  EXPECT_EQ(text_at(records, 11), "1");
  EXPECT_EQ(text_at(records, 12), "21");
  EXPECT_EQ(text_at(records, 13), "321");
}

TEST(Past, BeginsWithTheSnapshotWhenTheOldestRecordsAreForgotten) {
  DocumentPast past = three_edits();
  past.records.erase(past.records.begin());
  const auto records = history_records(std::move(past));
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].origin, sync::HistoryOrigin::Base);
  EXPECT_EQ(records[0].sequence, 12u);
  EXPECT_EQ(records[0].time, TimestampMs{120});
  EXPECT_EQ(text_at(records, 12), "21");
  EXPECT_EQ(text_at(records, 13), "321");
}

TEST(Past, BeginsWithTheSnapshotWhenAllOfItsRecordsAreForgotten) {
  DocumentPast past = three_edits();
  past.records.erase(past.records.begin(), past.records.begin() + 2);
  const auto records = history_records(std::move(past));
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].time, TimestampMs{130});
  EXPECT_EQ(text_at(records, 13), "321");
}

DocumentPast with_damaged(size_t record, DocumentPast past = three_edits()) {
  past.begins_at_start = true;
  past.records[record].damaged = true;
  past.records[record].update.clear();
  return past;
}

bool is_whole_at(const std::vector<sync::HistoryRecord>& records, sync::HistoryPoint point) {
  sync::DocHistory history;
  EXPECT_TRUE(history.add(*sync::encode_history_block(records)));
  crdt::Doc doc({.client = ClientId{1}});
  EXPECT_EQ(history.replay(doc, sync::kHistoryStart, point), 0u);
  return !doc.has_pending();
}

TEST(Past, IsNotWholeFromADamagedRecordToTheSnapshotThatCoversIt) {
  const auto records = history_records(with_damaged(0));
  EXPECT_FALSE(is_whole_at(records, 11));
  EXPECT_TRUE(is_whole_at(records, 12));
  EXPECT_EQ(text_at(records, 12), "21");
  EXPECT_TRUE(is_whole_at(records, 13));
  EXPECT_EQ(text_at(records, 13), "321");
}

TEST(Past, LosesNothingWithADamagedRecordWhenTheSnapshotWasMadeThere) {
  const auto records = history_records(with_damaged(1));
  EXPECT_EQ(text_at(records, 11), "1");
  for (const sync::HistoryPoint point : {11, 12, 13}) EXPECT_TRUE(is_whole_at(records, point)) << point;
  EXPECT_EQ(text_at(records, 12), "21");
  EXPECT_EQ(text_at(records, 13), "321");
}

TEST(Past, IsNotWholeAfterADamagedRecordThatNoSnapshotCovers) {
  const auto records = history_records(with_damaged(2));
  EXPECT_TRUE(is_whole_at(records, 12));
  EXPECT_FALSE(is_whole_at(records, 13)) << "also when nothing waits for what it held";
  DocumentPast past = with_damaged(0, with_damaged(2));
  const auto both = history_records(past);
  EXPECT_FALSE(is_whole_at(both, 11));
  EXPECT_TRUE(is_whole_at(both, 12));
  EXPECT_FALSE(is_whole_at(both, 13));
}

TEST(Past, BeginsWithTheSnapshotWhenARecordIsDamagedAndOlderOnesMayBeForgotten) {
  DocumentPast past = with_damaged(0);
  past.begins_at_start = false;
  const auto records = history_records(std::move(past));
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].origin, sync::HistoryOrigin::Base);
  EXPECT_EQ(text_at(records, 12), "21");
}

TEST(Past, IsEmptyForADocumentThatNeverWas) { EXPECT_THAT(history_records({}), SizeIs(0)); }

}  // namespace
}  // namespace diaryx::server
