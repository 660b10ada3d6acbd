#include "diaryx/sync/history.h"

#include <gtest/gtest.h>

#include "diaryx/sync/history_diff.h"
#include "diaryx/sync/history_timeline.h"
#include "history_book.h"
#include "replica/body_doc.h"

namespace diaryx::sync {
namespace {

using testing::Book;
using testing::kHour;
using testing::kMinute;

/// `Laptop:text|Phone:more|`
std::string attributed(const History& history, const std::string& path, HistoryPoint point = kHistoryNow) {
  std::string line;
  const auto spans = history.attribution(path, point);
  if (!spans) return "nothing";
  for (const AttributedSpan& span : *spans) line += span.device.name + ":" + span.text + "|";
  return line;
}

TEST(History, ShowsAFileAtEveryPoint) {
  Book book;
  const HistoryPoint listed = book.list("a.md");
  const HistoryPoint first = book.write("a.md", "one\n");
  const HistoryPoint second = book.write("a.md", "one\ntwo\n");
  const HistoryPoint third = book.write("a.md", "two\n");
  const History history = book.history();
  EXPECT_FALSE(history.file_at("a.md", listed - 1));
  EXPECT_EQ(history.file_at("a.md", listed)->text, "");
  EXPECT_EQ(history.file_at("a.md", first)->text, "one\n");
  EXPECT_EQ(history.file_at("a.md", second)->text, "one\ntwo\n");
  EXPECT_EQ(history.file_at("a.md", third)->text, "two\n");
  EXPECT_EQ(history.file_at("a.md", kHistoryNow)->text, "two\n");
  EXPECT_EQ(history.last(), third);
}

TEST(History, KnowsADeletedFileAsItWas) {
  Book book;
  book.list("a.md");
  const HistoryPoint written = book.write("a.md", "text\n");
  const HistoryPoint gone = book.list("a.md", /*deleted=*/true);
  const History history = book.history();
  EXPECT_EQ(history.file_at("a.md", written)->text, "text\n");
  EXPECT_FALSE(history.file_at("a.md", gone));
  EXPECT_EQ(history.files_at(written), std::vector<std::string>{"a.md"});
  EXPECT_TRUE(history.files_at(gone).empty());
}

/// `old.md` becomes `new.md`, as a replica does it.
HistoryPoint rename(Book& book, const std::string& from, const std::string& to) {
  book.list(from, /*deleted=*/true, to);
  book.list(to);
  const Bytes state = book.doc_of("body:" + from).encode_update_v1();
  DX_ASSERT(book.doc_of("body:" + to).apply_update_v1(state));
  return book.record("body:" + to, state, HistoryOrigin::Move, from);
}

TEST(History, FollowsAFileOverItsRenames) {
  Book book;
  book.list("old.md");
  const HistoryPoint before = book.write("old.md", "one\n");
  rename(book, "old.md", "mid.md");
  book.now = book.now + DurationMs{kHour};
  rename(book, "mid.md", "new.md");
  book.write("new.md", "one\ntwo\n");
  const History history = book.history();
  EXPECT_EQ(history.names_of("new.md"), (std::vector<std::string>{"new.md", "mid.md", "old.md"}));
  ASSERT_TRUE(history.file_at("new.md", before));
  EXPECT_EQ(history.file_at("new.md", before)->path, "old.md");
  EXPECT_EQ(history.file_at("new.md", before)->text, "one\n");
  // What came along was written when it was written.
  const auto spans = history.attribution("new.md", kHistoryNow);
  ASSERT_EQ(spans->size(), 2u);
  EXPECT_EQ((*spans)[0].text, "one\n");
  EXPECT_EQ((*spans)[0].sequence, before);
  EXPECT_EQ((*spans)[1].text, "two\n");
  EXPECT_EQ(changed_files(history, before, kHistoryNow),
            (std::vector<ChangedFile>{{"new.md", FileChangeKind::Renamed, "old.md", false}}));
}

TEST(History, SaysWhoWroteWhat) {
  Book book;
  book.list("a.md");
  book.set("writers", "20", "phone-id", 20, HistoryOrigin::Remote);
  book.set("devices", "phone-id", "Phone", 20, HistoryOrigin::Remote);
  book.write("a.md", "the garden in spring");
  book.now = book.now + DurationMs{kHour};
  const TimestampMs phone_time = book.now;
  const HistoryPoint phone = book.write("a.md", "the rose garden in spring", 20, HistoryOrigin::Remote);
  book.write("a.md", "the rose garden in late spring");
  const HistoryPoint end = book.write("a.md", "a garden in late spring");
  const History history = book.history();
  EXPECT_EQ(attributed(history, "a.md", phone), "Laptop:the |Phone:rose |Laptop:garden in spring|");
  EXPECT_EQ((*history.attribution("a.md", phone))[1].time, phone_time);
  EXPECT_EQ((*history.attribution("a.md", phone))[1].sequence, phone);
  std::string text;
  for (const AttributedSpan& span : *history.attribution("a.md", end)) text += span.text;
  EXPECT_EQ(text, "a garden in late spring");
  EXPECT_EQ(history.attribution("a.md", end)->front().time, book.now);
  EXPECT_EQ(history.attribution("a.md", end)->front().device.name, "Laptop");
  EXPECT_EQ(attributed(history, "b.md"), "nothing");
}

TEST(History, AttributesAnImportToTheDeviceThatListedTheFile) {
  Book book;
  book.set("writers", "20", "phone-id", 20, HistoryOrigin::Sync);
  book.set("devices", "phone-id", "Phone", 20, HistoryOrigin::Sync);
  book.list("a.md", false, {}, 20, HistoryOrigin::Sync);
  crdt::Doc seed({.client = ClientId{777}});
  crdt::Transaction txn = seed.transact();
  ASSERT_TRUE(seed.text("body").insert(txn, Utf16Offset{0}, "imported there"));
  seed.map("seed").set(txn, "client", crdt::Any::string("777"));
  book.record("body:a.md", std::move(txn).commit().update_v1(), HistoryOrigin::Sync);
  const History history = book.history();
  EXPECT_EQ(attributed(history, "a.md"), "Phone:imported there|");
  const std::vector<TimelineGroup> groups = file_timeline(history, "a.md");
  ASSERT_EQ(groups.size(), 1u);  // it is listed and has its text in one
  EXPECT_EQ(groups[0].device.name, "Phone");
  EXPECT_EQ(file_entries(history, "a.md").front().device.name, "Phone");
}

TEST(History, SkipsWhatIsDamagedAndGoesOn) {
  Book book;
  book.list("a.md");
  book.write("a.md", "one\n");
  book.record("body:a.md", {1, 2, 3});
  book.write("a.md", "one\ntwo\n");
  const History history = book.history();
  EXPECT_EQ(history.file_at("a.md", kHistoryNow)->text, "one\ntwo\n");
  EXPECT_EQ(history.damaged(), 1u);
}

TEST(History, DoesNotTakeHalfATextForTheText) {
  Book book;
  book.list("a.md");
  book.write("a.md", "one\n");
  book.write("a.md", "one\ntwo\n");
  const HistoryPoint whole = book.write("a.md", "one\ntwo\nthree\n");
  History history;
  ASSERT_TRUE(history.add("workspace", book.stored.at("workspace")[0].bytes));
  const auto& blocks = book.stored.at("body:a.md");
  for (const size_t block : {0, 2}) ASSERT_TRUE(history.add("body:a.md", blocks[block].bytes));
  EXPECT_FALSE(history.file_at("a.md", whole)->text_known);
  EXPECT_TRUE(history.file_at("a.md", whole - 2)->text_known);
}

TEST(History, RefusesBlocksOutOfOrder) {
  Book book;
  book.write("a.md", "1");
  book.write("a.md", "2");
  History history;
  const auto& blocks = book.stored.at("body:a.md");
  EXPECT_TRUE(history.add("body:a.md", blocks[1].bytes));
  EXPECT_FALSE(history.add("body:a.md", blocks[0].bytes));
  EXPECT_EQ(history.document("body:a.md")->records().size(), 1u);
}

// --- timeline ---------------------------------------------------------------------------------------------------

TEST(HistoryTimeline, CountsTheTextOfAnImportAndNotWhatNamesIt) {
  Book book;
  book.list("a.md");
  book.record("body:a.md", seed_update("a.md", "file-id", "", "Hello Bob"), HistoryOrigin::Import);
  const History history = book.history();
  const std::vector<TimelineGroup> groups = file_timeline(history, "a.md");
  ASSERT_FALSE(groups.empty());
  EXPECT_EQ(groups[0].origin, HistoryOrigin::Import);
  EXPECT_EQ(groups[0].inserted, 9u);
}

TEST(HistoryTimeline, GroupsAsPeopleEdit) {
  Book book;
  book.list("a.md");
  book.set("writers", "20", "phone-id", 20, HistoryOrigin::Remote);
  std::string text;
  for (int i = 0; i < 30; ++i) {  // both type at once
    text += "x";
    book.write("a.md", text);
    book.write("a.md", text = "p" + text, 20, HistoryOrigin::Remote);
    book.now = book.now + DurationMs{2'000};
  }
  book.now = book.now + DurationMs{10 * kMinute};  // a pause
  const HistoryPoint last = book.write("a.md", text + "y");
  const History history = book.history();
  const std::vector<TimelineGroup> groups = file_timeline(history, "a.md");
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].last, last);
  EXPECT_EQ(groups[0].updates, 1u);
  EXPECT_EQ(groups[0].inserted, 1u);
  EXPECT_EQ(groups[1].device.id, "phone-id");
  EXPECT_EQ(groups[1].updates, 30u);
  EXPECT_EQ(groups[2].device.name, "Laptop");
  EXPECT_EQ(groups[2].updates, 31u);  // and the entry in the list
  EXPECT_EQ(groups[2].files, std::vector<std::string>{"a.md"});
  EXPECT_EQ(groups[2].until - groups[2].from, DurationMs{58'000});
}

TEST(HistoryTimeline, TakesTheListingOfAFileTogetherWithItsText) {
  Book book;
  for (const char* path : {"a.md", "b.md"}) {
    book.list(path);
    book.record(std::string("body:") + path, crdt::Doc({.client = ClientId{7}}).encode_update_v1(),
                HistoryOrigin::Import);
  }
  book.write("a.md", "typed");
  const std::vector<TimelineGroup> groups = timeline(book.history());
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].origin, HistoryOrigin::Local);
  EXPECT_EQ(groups[1].origin, HistoryOrigin::Import);
  EXPECT_EQ(groups[1].files, (std::vector<std::string>{"a.md", "b.md"}));
}

TEST(HistoryTimeline, ShowsDeletionsAsWorkOfTheirOwn) {
  Book book;
  for (const char* path : {"a.md", "b.md", "c.md", "old.md"}) book.list(path);
  const auto picture = [&](const char* deleted) {
    return R"({"path":"p.png","source":"","mime_type":"image/png","size":1,"deleted":)" + std::string(deleted) +
           R"(,"hash":")" + std::string(64, 'a') + R"("})";
  };
  book.set("binaries", "p.png", picture("false"));
  const HistoryPoint typed = book.write("a.md", "typed");
  book.list("a.md", /*deleted=*/true);
  book.list("b.md", /*deleted=*/true);
  const HistoryPoint all = book.set("binaries", "p.png", picture("true"));
  book.write("c.md", "typed");
  book.list("b.md", /*deleted=*/true);  // said once more: nothing is deleted by that
  book.list("old.md", /*deleted=*/true, "new.md");
  const History history = book.history();
  const std::vector<TimelineGroup> groups = timeline(history);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_TRUE(groups[0].removed.empty());
  EXPECT_EQ(groups[1].first, typed + 1);
  EXPECT_EQ(groups[1].last, all);
  EXPECT_EQ(groups[1].removed, (std::vector<std::string>{"a.md", "b.md", "p.png"}));
  EXPECT_EQ(groups[1].files, groups[1].removed);
  EXPECT_TRUE(groups[2].removed.empty());
  EXPECT_EQ(file_timeline(history, "a.md").front().removed, std::vector<std::string>{"a.md"});
}

TEST(HistoryTimeline, LeavesARestoreThatDeletesInOnePiece) {
  Book book;
  for (const char* path : {"a.md", "b.md"}) book.list(path);
  const HistoryPoint before = book.write("a.md", "typed");
  book.write("a.md", "type", 10, HistoryOrigin::Restore);
  book.list("b.md", /*deleted=*/true, {}, 10, HistoryOrigin::Restore);
  book.write("a.md", "typ", 10, HistoryOrigin::Restore);
  const std::vector<TimelineGroup> groups = timeline(book.history());
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].first, before + 1);
  EXPECT_EQ(groups[0].removed, std::vector<std::string>{"b.md"});
}

TEST(HistoryTimeline, EndsAGroupThatGrowsTooLongOrTooLarge) {
  Book book;
  std::string text;
  for (int i = 0; i < 100; ++i) {
    book.write("a.md", text += "word ");
    book.now = book.now + DurationMs{2 * kMinute};
  }
  EXPECT_EQ(file_timeline(book.history(), "a.md").size(), 4u);  // an hour each, of 198 minutes
  EXPECT_EQ(file_timeline(book.history(), "a.md", {.longest = DurationMs{10 * kHour}, .largest = 250}).size(), 2u);
}

TEST(HistoryTimeline, HasTheFormsThatPeersKnow) {
  Book book;
  const HistoryPoint listed = book.list("a.md");
  const HistoryPoint other = book.list("b.md", false, {}, 20, HistoryOrigin::Remote);
  const HistoryPoint text = book.write("a.md", "x");
  const History history = book.history();
  EXPECT_EQ(to_json(document_entries(history, "workspace")[0]).dump(),
            "{\"update_id\":" + std::to_string(other) +
                ",\"timestamp\":1700000000000,\"origin\":\"remote\",\"files_changed\":[\"b.md\"],\"device_id\":null,"
                "\"device_name\":null}");
  const std::vector<HistoryEntry> entries = file_entries(history, "a.md");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].update_id, text);
  EXPECT_EQ(entries[1].update_id, listed);
  EXPECT_EQ(file_entries(history, "a.md", 1).size(), 1u);
  EXPECT_EQ(to_json(entries[0]).string_member("device_name"), "Laptop");
}

TEST(HistoryTimeline, SaysWhatChangedInTheMetadata) {
  Book book;
  const HistoryPoint start = book.list("a.md");
  book.list("b.md");
  book.now = book.now + DurationMs{kHour};
  const HistoryPoint gone = book.list("a.md", true);
  const HistoryPoint back = book.list("a.md");
  const History history = book.history();
  const auto types = [&](HistoryPoint from, HistoryPoint to) {
    std::string line;
    for (const FileDiff& diff : metadata_changes(history, from, to))
      line += diff.path + " " + std::string(*to_json(diff).string_member("change_type")) + ",";
    return line;
  };
  EXPECT_EQ(types(0, start), "a.md Added,");
  EXPECT_EQ(types(start, gone), "a.md Deleted,b.md Added,");
  EXPECT_EQ(types(gone, back), "a.md Restored,");
  EXPECT_EQ(types(back, start), "a.md Modified,b.md Deleted,");  // the other way round, too
  const FileMetadata before{.title = "A", .extra = {{"mood", Json("good")}, {"_h", Json("1")}}};
  const FileMetadata after{.title = "B", .extra = {{"_h", Json("2")}}, .modified_at = TimestampMs{5}};
  const std::vector<FieldChange> fields = field_changes(before, after);
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].field, "title");
  EXPECT_EQ(fields[1].field, "extra.mood");
  EXPECT_TRUE(fields[1].after.is_null());
}

}  // namespace
}  // namespace diaryx::sync
