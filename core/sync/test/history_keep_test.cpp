#include "diaryx/sync/history_keep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "diaryx/sync/history_restore.h"
#include "history_book.h"

namespace diaryx::sync {
namespace {

using diaryx::testing::Random;
using testing::Book;
using testing::kDay;
using testing::kHour;
using testing::kMinute;

// --- marks ------------------------------------------------------------------------------------------------------

TEST(HistoryMarks, ComeBackFromTheirRecords) {
  for (const HistoryMark& mark : {HistoryMark{12, TimestampMs{5}, ""}, HistoryMark{0, TimestampMs{-5}, "before é"}}) {
    const PersistRecord record = mark_record(mark);
    EXPECT_TRUE(is_mark_record(record.key));
    EXPECT_EQ(parse_mark_record(record.key, record.value), mark);
  }
  EXPECT_FALSE(is_mark_record("file:a.md"));
  for (const char* value : {"", "{}", "{\"point\":-1,\"time\":0}", "{\"point\":3}", "[]"}) {
    EXPECT_FALSE(parse_mark_record("mark:named:x", value)) << value;
  }
  EXPECT_FALSE(parse_mark_record("mark:auto:0000000000000007", "{\"point\":8,\"time\":0}"));
}

TEST(HistoryMarks, HaveNamesThatPeopleCanType) {
  for (const char* name : {"before the move", "v1", "日記", "2026-11-25"}) EXPECT_TRUE(check_mark_name(name)) << name;
  for (const char* name : {"", " x", "x ", "12", "a\nb", "\xff"}) EXPECT_FALSE(check_mark_name(name)) << name;
  EXPECT_FALSE(check_mark_name(std::string(201, 'x')));
}

TEST(HistoryMarks, AreKeptHourlyThenDailyThenWeeklyAndNamedOnesForEver) {
  const TimestampMs now{1'700'000'000'000};
  std::vector<HistoryMark> marks{{1, TimestampMs{0}, "the beginning"}};
  for (HistoryPoint i = 0; i < 400u * 24 * 4; ++i)  // one each quarter of an hour for 400 days
    marks.push_back({2 + i, now + DurationMs{-int64_t(400 * 24 * 4 - i) * 15 * kMinute}, ""});
  std::set<HistoryPoint> dropped;
  for (const HistoryMark& mark : marks_to_drop(marks, now)) dropped.insert(mark.point);
  std::vector<HistoryMark> kept;
  std::ranges::copy_if(marks, std::back_inserter(kept),
                       [&](const HistoryMark& m) { return !dropped.contains(m.point); });
  const auto aged = [&](int64_t from_ms, int64_t to_ms) {
    return static_cast<int>(std::ranges::count_if(kept, [&](const HistoryMark& mark) {
      const int64_t age = (now - mark.time).value();
      return !mark.is_named() && age >= from_ms && age < to_ms;
    }));
  };
  EXPECT_EQ(aged(0, kDay), 95);                 // all; the one at exactly a day is older
  EXPECT_NEAR(aged(kDay, 7 * kDay), 6 * 24, 1);
  EXPECT_NEAR(aged(7 * kDay, 31 * kDay), 24, 1);
  EXPECT_NEAR(aged(31 * kDay, 366 * kDay), 48, 1);
  EXPECT_EQ(aged(366 * kDay, 1000 * kDay), 0);
  EXPECT_TRUE(kept.front().is_named());
  // The last one of each stretch is kept, and asking again changes nothing.
  EXPECT_EQ(kept.back().point, marks.back().point);
  EXPECT_TRUE(marks_to_drop(kept, now).empty());
}

// --- recording --------------------------------------------------------------------------------------------------

TEST(HistoryRecorder, CountsOnAndMarksTheWorkspaceByTheHour) {
  Book book;
  for (int i = 0; i < 5; ++i) {
    book.write("a.md", std::string(size_t(i) + 1, 'x'));
    book.now = book.now + DurationMs{20 * kMinute};
  }
  ASSERT_EQ(book.marks.size(), 1u);  // after an hour, before the fourth one
  EXPECT_EQ(book.marks[0].point, 3u);
  book.now = book.now + DurationMs{10 * kDay};
  const TimestampMs last_edit{1'700'000'000'000 + 4 * 20 * kMinute};
  book.write("a.md", "next week");
  ASSERT_EQ(book.marks.size(), 2u);  // as it was at the end of the work before the pause
  EXPECT_EQ(book.marks[1].point, 5u);
  EXPECT_EQ(book.marks[1].time, last_edit);
}

TEST(HistoryRecorder, GoesOnAfterTheClockWasSetBack) {
  Book book;
  book.write("a.md", "1");
  book.write("a.md", "12");
  const size_t marks = book.marks.size();
  book.now = book.now + DurationMs{-365 * kDay};
  book.write("a.md", "123");
  EXPECT_EQ(book.marks.size(), marks + 1);
  EXPECT_EQ(book.history().last(), 3u);
}

TEST(HistoryRecorder, NamesThisDeviceOnlyForWhatWasDoneHere) {
  Book book;
  book.write("a.md", "mine");
  book.write("a.md", "mine and theirs", 20, HistoryOrigin::Remote);
  const History history = book.history();
  EXPECT_EQ(history.document("body:a.md")->records()[0].device.name, "Laptop");
  EXPECT_EQ(history.document("body:a.md")->records()[1].device, HistoryDevice{});
}

// --- compaction -------------------------------------------------------------------------------------------------

/// Texts and writers of every file at a point.
std::string view_of(const History& history, HistoryPoint point) {
  std::string view;
  for (const std::string& path : history.files_at(point)) {
    view += path + "\n";
    const auto spans = history.attribution(path, point);
    if (!spans) continue;
    std::string last;
    for (const AttributedSpan& span : *spans) {
      if (span.device.id != last) view += "[" + span.device.id + "]";
      last = span.device.id;
      view += span.text;
    }
    view += "\n";
  }
  return view;
}

/// Several devices edit a few files at once; what the others do arrives late and in pieces. Renames and deletions too.
struct Story {
  Random random;
  Book book;
  std::vector<std::string> paths{"a.md", "b.md", "c.md"};
  // Per file and device: the other devices' documents, ahead of the book by what was not delivered.
  std::map<std::string, std::vector<std::unique_ptr<crdt::Doc>>> others;
  std::map<std::string, std::vector<std::pair<size_t, Bytes>>> waiting;

  explicit Story(uint64_t seed) : random{seed} {
    for (uint64_t device : {20, 30}) {
      book.set("writers", std::to_string(device), "device-" + std::to_string(device), device, HistoryOrigin::Sync);
    }
    for (const std::string& path : paths) {
      book.list(path);
      for (uint64_t device : {20, 30})
        others[path].push_back(std::make_unique<crdt::Doc>(crdt::DocOptions{.client = ClientId{device}}));
    }
  }

  std::string some_text() {
    static const std::vector<std::string> kWords{"rose ", "garden\n", "é", "😀", "line\n", "x", "tulip, "};
    std::string text;
    for (uint64_t i = 1 + random.below(4); i > 0; --i) text += random.pick(kWords);
    return text;
  }

  Bytes edit(crdt::Doc& doc) {
    crdt::Text body = doc.text("body");
    crdt::Transaction txn = doc.transact();
    const uint32_t length = body.length().value();
    if (length > 0 && random.chance(0.4)) {
      const auto at = static_cast<uint32_t>(random.below(length));
      const auto count = static_cast<uint32_t>(1 + random.below(std::min<uint64_t>(length - at, 12)));
      DX_ASSERT(body.erase(txn, Utf16Offset{at}, Length{count}));
    }
    DX_ASSERT(
        body.insert(txn, Utf16Offset{static_cast<uint32_t>(random.below(body.length().value() + 1))}, some_text()));
    return std::move(txn).commit().update_v1();
  }

  void step() {
    const std::string path = random.pick(paths);
    crdt::Doc& ours = book.doc_of("body:" + path);
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2: {
        ours.set_client(ClientId{10});
        Bytes update = edit(ours);
        for (auto& doc : others[path]) {
          if (random.chance(0.6)) DX_ASSERT(doc->apply_update_v1(ours.encode_update_v1()));
        }
        book.record("body:" + path, std::move(update));
        break;
      }
      case 3:
      case 4: {
        const size_t device = random.below(2);
        waiting[path].emplace_back(device, edit(*others[path][device]));
        break;
      }
      case 5: {  // everything that waits arrives, perhaps in the wrong order
        std::vector<std::pair<size_t, Bytes>> updates = std::exchange(waiting[path], {});
        if (random.chance(0.3)) std::ranges::reverse(updates);
        for (const auto& [device, update] : updates) {
          const auto commit = ours.apply_update_v1(update);
          DX_ASSERT(commit);
          if (commit->changed()) book.record("body:" + path, commit->update_v1(), HistoryOrigin::Remote);
        }
        break;
      }
      case 6: book.list(path, random.chance(0.3), {}, random.chance(0.5) ? 20 : 10); break;
      case 7: book.now = book.now + DurationMs{static_cast<int64_t>(random.below(30 * kHour))}; break;
    }
    book.now = book.now + DurationMs{static_cast<int64_t>(random.below(10 * kMinute))};
    if (random.chance(0.02)) {
      book.marks.push_back({book.history().last(), book.now, "snapshot " + std::to_string(random.below(1'000'000))});
    }
  }
};

TEST(HistoryCompaction, ShowsTheSameAtEveryKeptPoint) {  // T21, T22
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Story story{seed};
    Book& book = story.book;
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 120; ++i) story.step();
      if (story.random.chance(0.3))
        book.now = book.now + DurationMs{static_cast<int64_t>(story.random.below(200)) * kDay};
      const RetentionRule rule{.recent_records = story.random.chance(0.5) ? size_t{40} : size_t{4096}};
      const History before = book.history();
      book.compact(rule);
      const History after = book.history();

      std::vector<HistoryPoint> points{kHistoryNow};
      for (const HistoryMark& mark : book.marks) points.push_back(mark.point);
      for (const std::string& doc : before.documents()) {
        const auto& records = before.document(doc)->records();
        for (size_t i = records.size() > 40 ? records.size() - 40 : 0; i < records.size(); ++i) {
          if (rule.recent_records == 4096 && book.now - records[i].time < rule.everything)
            points.push_back(records[i].sequence);
        }
      }
      for (const HistoryPoint point : points)
        ASSERT_EQ(view_of(after, point), view_of(before, point)) << "seed " << seed << " point " << point;
      ASSERT_EQ(after.damaged(), 0u);
      ASSERT_EQ(after.last(), before.last());

      // Nothing was counted away, and doing it again changes nothing.
      const auto updates_in = [](const History& history) {
        uint64_t sum = 0;
        for (const std::string& doc : history.documents()) {
          for (const HistoryRecord& record : history.document(doc)->records()) sum += record.merged;
        }
        return sum;
      };
      ASSERT_EQ(updates_in(after), updates_in(before));
      const size_t bytes = book.stored_bytes();
      book.compact(rule);
      ASSERT_EQ(book.stored_bytes(), bytes) << "seed " << seed;
    }
  }
}

TEST(HistoryCompaction, BoundsWhatAYearOfWorkTakes) {
  Book book;
  book.list("a.md");
  Random random{5};
  std::string text;
  for (int day = 0; day < 365; ++day) {
    book.now = TimestampMs{1'700'000'000'000 + day * kDay};
    for (int i = 0; i < 40; ++i) {  // typed, half of it deleted again
      book.now = book.now + DurationMs{3 * kMinute};
      book.write("a.md", text += "a few words of day " + std::to_string(day) + "\n");
      if (i % 2 == 0) book.write("a.md", text = text.substr(0, text.size() / 2 + text.size() / 3));
    }
    if (text.size() > 4'000) book.write("a.md", text = "");
    book.compact();
  }
  const size_t records = book.history().document("body:a.md")->records().size();
  // One for each kept mark and at most a day of edits.
  EXPECT_LE(records, book.marks.size() + 61 + 2);
  EXPECT_LE(book.marks.size(), 24u + 7 * 24 + 31 + 53);
  EXPECT_LE(book.stored_bytes(), 600'000u) << records << " records";
}

TEST(HistoryCompaction, KeepsWhatCannotBeRead) {
  Book book;
  book.list("a.md");
  book.write("a.md", "one\n");
  book.record("body:a.md", {9, 9, 9});
  book.write("a.md", "one\ntwo\n");
  book.now = book.now + DurationMs{400 * kDay};
  book.marks.clear();
  book.compact();
  const History history = book.history();
  EXPECT_EQ(history.file_at("a.md", kHistoryNow)->text, "one\ntwo\n");
  EXPECT_EQ(history.document("body:a.md")->records().size(), 3u);
}

TEST(HistoryCompaction, KeepsARestoreThatCanBeTakenBack) {
  Book book;
  book.list("a.md");
  book.write("a.md", "typed\n");
  crdt::Doc& doc = book.doc_of("body:a.md");
  crdt::Transaction txn = doc.transact();
  ASSERT_TRUE(doc.text("body").insert(txn, Utf16Offset{0}, "brought back\n"));
  const HistoryPoint restored =
      book.record("body:a.md", std::move(txn).commit().update_v1(), HistoryOrigin::Restore, "r1");
  book.write("a.md", "brought back\ntyped\nand more\n");
  book.now = book.now + DurationMs{400 * kDay};
  book.marks.clear();
  book.compact();
  const History history = book.history();
  const std::vector<DoneRestore> done = done_restores(history);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].after, restored);
  const RestorePlan undo = plan_undo(history, done[0]);
  ASSERT_EQ(undo.files.size(), 1u);
  EXPECT_EQ(undo.files[0].after, "typed\n");
}

TEST(HistoryCompaction, DropsTextThatLivedBetweenTwoKeptPoints) {
  Book book;
  book.list("a.md");
  book.write("a.md", "kept\n");
  book.write("a.md", "kept\nSECRET THAT WAS TAKEN BACK AT ONCE\n");
  book.write("a.md", "kept\n");
  book.now = book.now + DurationMs{400 * kDay};
  book.marks.clear();
  book.compact();
  std::string all;
  for (const StoredBlock& block : book.stored.at("body:a.md")) all += as_text(block.bytes);
  EXPECT_EQ(all.find("SECRET"), std::string::npos);
  EXPECT_EQ(book.history().file_at("a.md", kHistoryNow)->text, "kept\n");
}

}  // namespace
}  // namespace diaryx::sync
