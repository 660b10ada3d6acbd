// Do ten thousand attachments take time in proportion to them, to be sent and to be fetched? (So the time for each must not grow.)
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/metadata.h"
#include "diaryx/sync/replica.h"

namespace {

using namespace diaryx;
using namespace diaryx::sync;

std::string path_of(int64_t number) { return "pictures/" + std::to_string(number) + ".png"; }

/// A replica on a line to a server that has these attachments. What it asks for waits in `asked`.
struct Device {
  explicit Device(int64_t listed) : replica({.workspace_id = "w", .client = ClientId{7}}) {
    crdt::Doc list({.client = ClientId{9}});
    crdt::Transaction txn = list.transact();
    for (int64_t i = 0; i < listed; ++i) {
      const BinaryRef ref{.path = path_of(i), .source = "local", .hash = sha256(path_of(i)).hex(), .size = 8};
      list.map("binaries").set(txn, ref.path, crdt::Any::string(format_binary_ref(ref)));
    }
    (void)std::move(txn).commit();
    const Bytes state = list.encode_update_v1();
    const Bytes vector = list.state_vector().encode();
    feed(Connected{});
    feed(BinaryReceived{*encode_frame("workspace:w", {SyncStep2{state}})});
    feed(BinaryReceived{*encode_frame("workspace:w", {SyncStep1{vector}})});
  }

  void feed(const Event& event) {
    std::vector<Action> actions;
    replica.handle(event, TimestampMs{1'700'000'000'000}, actions);
    benchmark::DoNotOptimize(replica.next_deadline());  // as every shell asks
    for (Action& action : actions) {
      if (std::holds_alternative<UploadBlob>(action) || std::holds_alternative<FetchBlob>(action))
        asked.push_back(std::move(action));
    }
  }

  Replica replica;
  std::vector<Action> asked;
};

void send(benchmark::State& state) {
  for (auto _ : state) {
    Device device(0);
    for (int64_t i = 0; i < state.range(0); ++i) device.feed(BlobFileSeen{path_of(i), sha256(path_of(i)), 8});
    device.feed(FilesSettled{});
    for (size_t i = 0; i < device.asked.size(); ++i) {
      const auto upload = std::get<UploadBlob>(device.asked[i]);
      device.feed(BlobUploaded{upload.path, upload.hash});
    }
    if (device.asked.size() != static_cast<size_t>(state.range(0))) state.SkipWithError("not all were sent");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void fetch(benchmark::State& state) {
  for (auto _ : state) {
    Device device(state.range(0));
    for (size_t i = 0; i < device.asked.size(); ++i) {
      const auto wanted = std::get<FetchBlob>(device.asked[i]);
      device.feed(FileWritten{wanted.path, wanted.hash, wanted.ticket});
      device.feed(FilesSettled{});  // whoever watches the disk saw it
    }
    if (device.asked.size() != static_cast<size_t>(state.range(0))) state.SkipWithError("not all were fetched");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(send)->RangeMultiplier(4)->Range(625, 10'000)->Unit(benchmark::kMillisecond);
BENCHMARK(fetch)->RangeMultiplier(4)->Range(625, 10'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
