// What does the sync core cost: to import 1,000 and 100,000 notes, to come back when nothing changed, to edit one note among many,
// to merge frontmatter, to hold a document that is open or idle? CPU time; the line and the storage cost nothing.
//
// Every work checks its result: a figure of a run that lost something would be worth nothing.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/render.h"
#include "house.h"

namespace {

using namespace diaryx;
using namespace diaryx::sync;
using bench::House;

constexpr size_t kNoteBytes = 1'000;

std::string path_of(size_t number) {
  return "folder" + std::to_string(number / 100) + "/note" + std::to_string(number) + ".md";
}

/// A note as people keep them: frontmatter, then words, the same for the same number.
std::string note(size_t number, size_t text_bytes) {
  std::string text = "---\ntitle: Note " + std::to_string(number) + "\npart_of: ../index.md\ntags: [one, two]\n---\n\n";
  uint64_t state = number * 2 + 1;
  while (text.size() < text_bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    for (uint64_t i = 0, length = 2 + (state >> 33) % 8; i < length; ++i)
      text += static_cast<char>('a' + (state >> (35 + 3 * i)) % 26);
    text += (state >> 60) == 0 ? '\n' : ' ';
  }
  return text + "\n";
}

void must(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "bench_sync: %s\n", what);
  std::exit(1);
}

void import_notes(House& house, size_t notes, size_t text_bytes) {
  for (size_t i = 0; i < notes; ++i) {
    house.write(0, path_of(i), note(i, text_bytes));
    if (i % 500 == 499) house.settle(0);
  }
  house.settle(0);
  house.run();
  house.pass(5'000);
  must(house.replica(0).settled(), "the device is not in step after the import");
  must(house.replica(0).text_files().size() == notes, "a note was lost by the import");
}

/// Two devices with so many notes, made once. The second one got them from the first.
House& house_of(size_t notes, size_t text_bytes) {
  static std::map<std::pair<size_t, size_t>, std::unique_ptr<House>> made;
  std::unique_ptr<House>& house = made[{notes, text_bytes}];
  if (house == nullptr) {
    made.clear();  // one at a time: memory
    std::unique_ptr<House>& fresh = made[{notes, text_bytes}];
    fresh = std::make_unique<House>(2);
    fresh->connect(0);
    fresh->connect(1);
    fresh->run();
    import_notes(*fresh, notes, text_bytes);
    must(fresh->disk(1).size() == notes, "a note did not reach the second device");
    return *fresh;
  }
  return *house;
}

// --- import -----------------------------------------------------------------------------------------------------

void import_files(benchmark::State& state) {
  const size_t notes = static_cast<size_t>(state.range(0));
  bench::Traffic traffic;
  double device_seconds = 0;
  double server_seconds = 0;
  for (auto _ : state) {
    House house(1);
    house.connect(0);
    house.run();
    import_notes(house, notes, kNoteBytes);
    traffic = house.traffic();
    device_seconds = house.device_seconds();
    server_seconds = house.server_seconds();
  }
  const double count = static_cast<double>(notes);
  state.counters["device_us_per_file"] = device_seconds * 1e6 / count;
  state.counters["server_us_per_file"] = server_seconds * 1e6 / count;
  state.counters["bytes_per_file"] = static_cast<double>(traffic.bytes) / count;
}
BENCHMARK(import_files)->ArgName("files")->Arg(1'000)->Arg(100'000)->Iterations(1)->Unit(benchmark::kMillisecond);

/// The other side: a device without files gets them all.
void fetch_files(benchmark::State& state) {
  const size_t notes = static_cast<size_t>(state.range(0));
  double device_seconds = 0;
  for (auto _ : state) {
    state.PauseTiming();
    House house(2);
    house.connect(0);
    house.run();
    import_notes(house, notes, kNoteBytes);
    const double before = house.device_seconds();
    state.ResumeTiming();
    house.connect(1);
    house.run();
    must(house.disk(1).size() == notes, "a note did not reach the second device");
    device_seconds = house.device_seconds() - before;
  }
  state.counters["device_us_per_file"] = device_seconds * 1e6 / static_cast<double>(notes);
}
BENCHMARK(fetch_files)->ArgName("files")->Arg(1'000)->Arg(100'000)->Iterations(1)->Unit(benchmark::kMillisecond);

// --- a reconnect when nothing changed ---------------------------------------------------------------------------

void reconnect(benchmark::State& state) {
  House& house = house_of(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)));
  // The first one after an import may still ask; from then on the cursor is known.
  house.disconnect(1);
  house.connect(1);
  house.run();
  const bench::Traffic before = house.traffic();
  const double device_before = house.device_seconds();
  size_t times = 0;
  for (auto _ : state) {
    house.disconnect(1);
    house.connect(1);
    house.run();
    ++times;
  }
  must(house.in_step(), "the devices are not in step after a reconnect");
  const double count = static_cast<double>(times);
  state.counters["frames"] = static_cast<double>(house.traffic().frames - before.frames) / count;
  state.counters["bytes"] = static_cast<double>(house.traffic().bytes - before.bytes) / count;
  state.counters["device_us"] = (house.device_seconds() - device_before) * 1e6 / count;
}
BENCHMARK(reconnect)
    ->ArgNames({"files", "text_bytes"})
    ->Args({1'000, 1'000})
    ->Args({1'000, 100'000})
    ->Args({100'000, 1'000})
    ->Unit(benchmark::kMicrosecond);

// --- one edit ---------------------------------------------------------------------------------------------------

constexpr size_t kEditedNotes = 200;  // the same number whatever lies around them, so that only that makes a difference

void edit_one_file(benchmark::State& state) {
  const size_t notes = static_cast<size_t>(state.range(0));
  House& house = house_of(notes, kNoteBytes);
  const bench::Traffic before = house.traffic();
  const double device_before = house.device_seconds();
  const double server_before = house.server_seconds();
  size_t edits = 0;
  std::string path;
  std::string text;
  for (auto _ : state) {
    const size_t number = (edits * 79) % kEditedNotes * (notes / kEditedNotes);
    path = path_of(number);
    text = house.disk(0).at(path) + "one more line, the edit number " + std::to_string(edits) + "\n";
    house.write(0, path, text);
    house.settle(0);
    house.run();
    ++edits;
  }
  must(house.disk(1).at(path) == text, "an edit did not reach the second device");
  const double count = static_cast<double>(edits);
  state.counters["bytes"] = static_cast<double>(house.traffic().bytes - before.bytes) / count;
  state.counters["both_devices_us"] = (house.device_seconds() - device_before) * 1e6 / count;
  state.counters["server_us"] = (house.server_seconds() - server_before) * 1e6 / count;
}
BENCHMARK(edit_one_file)
    ->ArgName("files")
    ->Arg(1'000)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Iterations(2'000)
    ->Unit(benchmark::kMicrosecond);

// --- a folder renamed -------------------------------------------------------------------------------------------

void rename_folder(benchmark::State& state) {
  const size_t notes = static_cast<size_t>(state.range(0));
  double device_seconds = 0;
  for (auto _ : state) {
    state.PauseTiming();
    House house(2, {.case_insensitive = state.range(1) != 0});
    house.connect(0);
    house.connect(1);
    house.run();
    import_notes(house, notes, kNoteBytes);
    const double before = house.device_seconds();
    state.ResumeTiming();
    for (size_t i = 0; i < notes; ++i) {
      const std::string to = "renamed/" + path_of(i);
      state.range(2) != 0 ? house.move_unseen(0, path_of(i), to) : house.move(0, path_of(i), to);
    }
    house.settle(0);
    house.run();
    must(house.disk(1).size() == notes && house.disk(1).contains("renamed/" + path_of(0)) && house.in_step(),
         "a renamed note did not reach the second device");
    device_seconds = house.device_seconds() - before;
  }
  state.counters["both_devices_us_per_file"] = device_seconds * 1e6 / static_cast<double>(notes);
}
BENCHMARK(rename_folder)
    ->ArgNames({"files", "ignores_case", "unseen"})
    ->Args({1'000, 0, 0})
    ->Args({10'000, 0, 0})
    ->Args({10'000, 1, 0})
    ->Args({1'000, 0, 1})
    ->Args({10'000, 0, 1})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

// --- frontmatter ------------------------------------------------------------------------------------------------

constexpr std::string_view kHead =
    "---\n# about this note\ntitle: A note   # shown in lists\npart_of: \"[Index](/index.md)\"\ncontents:\n  - a.md\n  "
    "- b.md\n"
    "audience: [family, friends]\ndescription: what it is about\ntags: [one, two, three]\nmood: calm\nupdated: "
    "2024-05-01T10:00:00Z\n---\n";

void merge_frontmatter(benchmark::State& state) {
  const Frontmatter front = *Frontmatter::parse(kHead);
  const FileMetadata said = derive_metadata(front, WorkspacePath("folder/note.md"), TimestampMs{1});
  FileMetadata changed = said;
  changed.title = "Another title";
  changed.description = std::nullopt;
  size_t bytes = 0;
  for (auto _ : state) bytes = merge_into_head(kHead, "folder/note.md", said, changed)->size();
  must(bytes != 0 && bytes != kHead.size(), "the merge changed nothing");
}
BENCHMARK(merge_frontmatter)->Unit(benchmark::kMicrosecond);

void read_frontmatter(benchmark::State& state) {
  for (auto _ : state) {
    const Frontmatter front = *Frontmatter::parse(kHead);
    benchmark::DoNotOptimize(derive_metadata(front, WorkspacePath("folder/note.md"), TimestampMs{1}));
  }
}
BENCHMARK(read_frontmatter)->Unit(benchmark::kMicrosecond);

// --- memory -----------------------------------------------------------------------------------------------------

/// Heap of one replica with so many notes of a kilobyte, restored as at a start; most of them idle.
void memory(benchmark::State& state) {
  const size_t notes = static_cast<size_t>(state.range(0));
  House& house = house_of(notes, kNoteBytes);
  const Replica& full = house.replica(0);
  size_t heap_bytes = 0;
  size_t stored_bytes = 0;
  for (auto _ : state) {
    const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    Replica replica({.workspace_id = "bench", .client = ClientId{7}});
    stored_bytes = 0;
    for (const std::string& name : full.documents()) {
      const Bytes bytes = full.document_state(name);
      stored_bytes += bytes.size();
      must(replica.restore_update(name, bytes).has_value(), "a document could not be restored");
    }
    heap_bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
  }
  state.counters["heap_bytes_per_file"] = static_cast<double>(heap_bytes) / static_cast<double>(notes);
  state.counters["stored_bytes_per_file"] = static_cast<double>(stored_bytes) / static_cast<double>(notes);
}
BENCHMARK(memory)->ArgName("files")->Arg(60)->Arg(10'000)->Arg(100'000)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
