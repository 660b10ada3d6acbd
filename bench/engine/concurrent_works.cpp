// A history of several writers, replayed as it was: each writer has a document, receives the steps it had seen, then edits. Nothing is
// known of the other documents but the updates they sent.
#include "diaryx/crdt/doc.h"
#include "replay.h"
#include "works.h"

namespace diaryx::bench {
namespace {

using namespace crdt;

struct Replicas {
  std::vector<Doc> docs;
  std::vector<Bytes> updates;  // one per step
};

Replicas replay_history(const ConcurrentFile& history) {
  Replicas replicas;
  for (uint32_t agent = 0; agent < history.agents; ++agent)
    replicas.docs.emplace_back(DocOptions{.client = ClientId{agent + 1}});
  replicas.updates.reserve(history.steps.size());
  for (const ConcurrentFile::Step& step : history.steps) {
    Doc& doc = replicas.docs[step.agent];
    for (const uint32_t earlier : step.received) must(doc.apply_update_v1(replicas.updates[earlier]));
    Text text = doc.text("t");
    Transaction txn = doc.transact();
    for (const Patch& patch : step.patches) check(edit(txn, text, patch), "concurrent edit");
    replicas.updates.push_back(std::move(txn).commit().update_v1());
  }
  for (uint32_t agent = 0; agent < history.agents; ++agent) {
    for (const uint32_t step : history.received_at_end[agent])
      must(replicas.docs[agent].apply_update_v1(replicas.updates[step]));
  }
  return replicas;
}

void expect_equal(std::vector<Doc>& docs) {
  const std::string text = docs[0].text("t").to_string();
  const StateVector state = docs[0].state_vector();
  for (Doc& doc : docs) {
    check(doc.text("t").to_string() == text, "texts of the replicas");
    check(doc.state_vector() == state, "state vectors of the replicas");
    check(doc.delete_set() == docs[0].delete_set(), "delete sets of the replicas");
    check(!doc.has_pending(), "nothing waits");
  }
}

}  // namespace

void concurrent_works(const Options& options) {
  const ConcurrentFile history = read_concurrent(options.data, options.input);
  Replicas replicas = replay_history(history);
  const std::string text = replicas.docs[0].text("t").to_string();
  const Bytes state = replicas.docs[0].encode_update_v1();

  if (options.wants("concurrent")) {
    Measurement m{.work = "concurrent", .edits = history.edits(), .bytes = state.size(), .digest = digest(state)};
    for (int i = 0; i < options.reps; ++i) {
      Replicas again;
      m.ms.push_back(time_ms([&] { again = replay_history(history); }));
      expect_equal(again.docs);
      check(again.docs[0].encode_update_v1() == state, "state of the first replica");
    }
    print(options, m);
  }
  if (options.wants("encode_v1")) {
    Measurement m{.work = "encode_v1", .bytes = state.size(), .digest = digest(state)};
    for (int i = 0; i < 3 * options.reps; ++i) {
      Bytes encoded;
      m.ms.push_back(time_ms([&] { encoded = replicas.docs[0].encode_update_v1(); }));
      check(encoded == state, "encode_v1");
    }
    print(options, m);
  }
  if (options.wants("load_v1")) {
    Measurement m{.work = "load_v1", .bytes = state.size()};
    for (int i = 0; i < 3 * options.reps; ++i) {
      Doc doc({.client = ClientId{1'000'000}, .emit = Emit::Nothing});
      std::string loaded;
      m.ms.push_back(time_ms([&] {
        must(doc.apply_update_v1(state));
        loaded = doc.text("t").to_string();
      }));
      check(loaded == text, "load_v1");
    }
    print(options, m);
  }
}

}  // namespace diaryx::bench
