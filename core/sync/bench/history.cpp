// What does history cost: to store one edit, to open the timeline of a file with 10,000 records, to go back, to fold, in bytes?
#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/history_keep.h"
#include "diaryx/sync/history_timeline.h"

namespace {

using namespace diaryx;
using namespace diaryx::sync;

constexpr size_t kRecords = 10'000;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kDayMs = 24 * 60 * kMinuteMs;

/// One file over twenty days: words typed at a place that moves on, every third edit also takes some out. From a fixed seed.
struct Work {
  std::vector<Bytes> updates;
  std::vector<Bytes> blocks;  // as they are stored: one each
  std::vector<HistoryMark> marks;
  Bytes listing;
  size_t update_bytes = 0;
  size_t block_bytes = 0;
  std::string text;
  TimestampMs end;
};

const Work& work() {
  static const Work made = [] {
    Work work;
    uint64_t state = 7;
    const auto below = [&](uint64_t bound) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return (state >> 33) % bound;
    };
    HistoryRecorder recorder({"0b9d6b3e-3b39-4b8f-a8a9-6a6a5a0c4b1e", "Laptop"}, 0, TimestampMs{}, std::nullopt);
    TimestampMs now{1'700'000'000'000};
    crdt::Doc workspace({.client = ClientId{3'000'000'001}});
    crdt::Transaction listing = workspace.transact();
    workspace.map("files").set(listing, "a.md", crdt::Any::string(format_metadata({.filename = "a.md"})));
    work.listing = recorder.record({"workspace", std::move(listing).commit().update_v1()}, now)->block;
    crdt::Doc doc({.client = ClientId{3'000'000'001}});
    crdt::Text body = doc.text("body");
    uint32_t at = 0;
    for (size_t i = 0; i < kRecords; ++i) {
      now = now + DurationMs{i % 50 == 0 ? 2 * 60 * kMinuteMs : static_cast<int64_t>(below(2 * kMinuteMs))};
      crdt::Transaction txn = doc.transact();
      const uint32_t length = body.length().value();
      if (below(10) == 0) at = static_cast<uint32_t>(below(length + 1));
      if (i % 3 == 2 && length > 40) {
        at = std::min(at, length - 20);
        (void)body.erase(txn, Utf16Offset{at}, Length{static_cast<uint32_t>(1 + below(15))});
      }
      std::string words;
      for (uint64_t n = 3 + below(14); n > 0; --n) words += below(6) == 0 ? ' ' : static_cast<char>('a' + below(26));
      (void)body.insert(txn, Utf16Offset{at}, words);
      at += static_cast<uint32_t>(words.size());
      work.updates.push_back(std::move(txn).commit().update_v1());
      HistoryRecorder::Row row = *recorder.record({"body:a.md", work.updates.back()}, now);
      if (row.mark) work.marks.push_back(*row.mark);
      work.update_bytes += work.updates.back().size();
      work.block_bytes += row.block.size();
      work.blocks.push_back(std::move(row.block));
    }
    work.text = body.to_string();
    work.end = now;
    return work;
  }();
  return made;
}

History history_of(const std::vector<Bytes>& blocks) {
  History history;
  (void)history.add("workspace", work().listing);
  for (const Bytes& block : blocks) (void)history.add("body:a.md", block);
  return history;
}

std::vector<Bytes> folded(TimestampMs now) {
  DocHistory records;
  for (const Bytes& block : work().blocks) (void)records.add(block);
  std::vector<HistoryMark> marks = work().marks;
  for (const HistoryMark& gone : marks_to_drop(marks, now)) std::erase(marks, gone);
  std::vector<Bytes> blocks;
  for (StoredBlock& block : *compact_history(records, marks, now)) blocks.push_back(std::move(block.bytes));
  return blocks;
}

size_t bytes_of(const std::vector<Bytes>& blocks) {
  size_t bytes = 0;
  for (const Bytes& block : blocks) bytes += block.size();
  return bytes;
}

void record_an_edit(benchmark::State& state) {
  HistoryRecorder recorder({"0b9d6b3e-3b39-4b8f-a8a9-6a6a5a0c4b1e", "Laptop"}, 0, TimestampMs{}, std::nullopt);
  size_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(recorder.record({"body:a.md", work().updates[i++ % kRecords]}, TimestampMs{1}));
  state.counters["update_bytes_per_edit"] = double(work().update_bytes) / kRecords;
  state.counters["stored_bytes_per_edit"] = double(work().block_bytes) / kRecords;
}
BENCHMARK(record_an_edit);

void open_the_timeline(benchmark::State& state) {
  const std::vector<Bytes> blocks = state.range(0) == 0 ? work().blocks : folded(work().end);
  size_t groups = 0;
  for (auto _ : state) groups = file_timeline(history_of(blocks), "a.md").size();
  state.counters["groups"] = double(groups);
  state.counters["blocks"] = double(blocks.size());
}
BENCHMARK(open_the_timeline)->ArgName("folded")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void show_the_file_halfway(benchmark::State& state) {
  const History history = history_of(work().blocks);
  size_t bytes = 0;
  for (auto _ : state) bytes = history.file_at("a.md", kRecords / 2)->text.size();
  state.counters["text_bytes"] = double(bytes);
}
BENCHMARK(show_the_file_halfway)->Unit(benchmark::kMillisecond);

void say_who_wrote_it(benchmark::State& state) {
  const History history = history_of(work().blocks);
  size_t spans = 0;
  for (auto _ : state) spans = history.attribution("a.md", kHistoryNow)->size();
  state.counters["spans"] = double(spans);
}
BENCHMARK(say_who_wrote_it)->Unit(benchmark::kMillisecond);

/// Folded some days after the last edit; the counters say what is left.
void fold_after_days(benchmark::State& state) {
  const TimestampMs now = work().end + DurationMs{state.range(0) * kDayMs};
  std::vector<Bytes> blocks;
  for (auto _ : state) blocks = folded(now);
  DocHistory left;
  for (const Bytes& block : blocks) (void)left.add(block);
  state.counters["records"] = double(left.records().size());
  state.counters["bytes_per_edit"] = double(bytes_of(blocks)) / kRecords;
  state.counters["bytes"] = double(bytes_of(blocks));
  state.counters["text_bytes"] = double(work().text.size());
}
BENCHMARK(fold_after_days)->Arg(0)->Arg(8)->Arg(40)->Arg(400)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
