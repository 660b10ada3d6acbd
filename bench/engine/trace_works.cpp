// An editing trace of one writer: local edits, the same received one by one, load, encode, diff, merge, memory.
#include <span>

#include "allocations.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "replay.h"
#include "works.h"

namespace diaryx::bench {
namespace {

using namespace crdt;

// What Yjs 13.6.33 writes for the long trace (client 1, root "t").
constexpr std::string_view kLongTrace = "automerge-paper";
constexpr std::string_view kLongTraceV1 = "7cd9249a19248f145e149e6be226c721c0ee471f818c0e327cf564c2336e7d59";
constexpr std::string_view kLongTraceV2 = "5644a8bfc9beb4383797136bfd737137b2252dc7528385c2c426dd2dfe8afdf1";
constexpr size_t kLongTraceUpdateBytes = 3'828'795;

Doc new_doc(uint64_t client, Emit emit = Emit::Nothing) { return Doc({.client = ClientId{client}, .emit = emit}); }

// The trace done once, before anything is timed: what the other works start from and are compared with.
struct Done {
  OpsFile ops;
  std::vector<Bytes> updates;
  std::vector<ByteView> views;
  Bytes v1;
  Bytes v2;
  StateVector half;

  explicit Done(const Options& options) : ops(read_ops(options.data, options.input)) {
    Doc doc = new_doc(1, Emit::Updates);
    check(replay_each(doc, ops.patches, [&](Commit&& commit) { updates.push_back(commit.update_v1()); }), "replay");
    check(doc.text("t").to_string() == ops.end_text, "text after the trace");
    size_t update_bytes = 0;
    for (const Bytes& update : updates) {
      views.emplace_back(update);
      update_bytes += update.size();
    }
    v1 = doc.encode_update_v1();
    v2 = doc.encode_update_v2();
    if (options.input == kLongTrace) {
      check(digest(v1) == kLongTraceV1, "v1 of the long trace");
      check(digest(v2) == kLongTraceV2, "v2 of the long trace");
      check(update_bytes == kLongTraceUpdateBytes, "update events of the long trace");
    }
    Doc earlier = new_doc(2);
    for (size_t i = 0; i < updates.size() / 2; ++i) must(earlier.apply_update_v1(updates[i]));
    half = earlier.state_vector();
  }
};

void expect_text(Doc& doc, const Done& done) { check(doc.text("t").to_string() == done.ops.end_text, "text"); }

void local_works(const Options& options, const Done& done) {
  if (options.wants("local")) {
    Measurement m{.work = "local", .edits = done.ops.edits()};
    for (int i = 0; i < options.reps; ++i) {
      Doc doc = new_doc(1);
      m.ms.push_back(time_ms([&] { check(replay_each(doc, done.ops.patches, [](Commit&&) {}), "local"); }));
      expect_text(doc, done);
      const Bytes state = doc.encode_update_v1();
      check(state == done.v1, "state after local edits");
      m.bytes = state.size();
      m.digest = digest(state);
    }
    print(options, m);
  }
  if (options.wants("local_one_txn")) {
    Measurement m{.work = "local_one_txn", .edits = done.ops.edits()};
    for (int i = 0; i < options.reps; ++i) {
      Doc doc = new_doc(1);
      m.ms.push_back(time_ms([&] { check(replay_in_one(doc, done.ops.patches), "local in one transaction"); }));
      expect_text(doc, done);
      const Bytes state = doc.encode_update_v1();
      m.bytes = state.size();
      m.digest = digest(state);
    }
    print(options, m);
  }
  if (options.wants("local_updates")) {
    Measurement m{.work = "local_updates", .edits = done.ops.edits()};
    for (int i = 0; i < options.reps; ++i) {
      Doc doc = new_doc(1, Emit::Updates);
      // A listener keeps what it is given, as a provider's queue does.
      std::vector<Bytes> updates;
      m.ms.push_back(time_ms([&] {
        check(replay_each(doc, done.ops.patches,
                          [&](Commit&& commit) { updates.push_back(std::move(commit).update_v1()); }),
              "local with updates");
      }));
      expect_text(doc, done);
      check(updates == done.updates, "updates of local edits");
      Bytes all;
      for (const Bytes& update : updates) all.insert(all.end(), update.begin(), update.end());
      m.bytes = all.size();
      m.digest = digest(all);
    }
    print(options, m);
  }
}

void remote_work(const Options& options, const Done& done) {
  if (!options.wants("remote")) return;
  Measurement m{.work = "remote", .edits = done.ops.edits()};
  for (int i = 0; i < options.reps; ++i) {
    Doc doc = new_doc(2);
    m.ms.push_back(time_ms([&] {
      for (const ByteView update : done.views) keep(must(doc.apply_update_v1(update)));
    }));
    expect_text(doc, done);
    const Bytes state = doc.encode_update_v1();
    check(state == done.v1, "state of the receiver");
    m.bytes = state.size();
    m.digest = digest(state);
  }
  print(options, m);
}

void load_works(const Options& options, const Done& done) {
  const auto load = [&](const char* work, ByteView state, auto&& apply) {
    if (!options.wants(work)) return;
    Measurement m{.work = work, .bytes = state.size()};
    for (int i = 0; i < 3 * options.reps; ++i) {
      Doc doc = new_doc(2);
      std::string text;
      m.ms.push_back(time_ms([&] {
        must(apply(doc, state));
        text = doc.text("t").to_string();
      }));
      check(text == done.ops.end_text, work);
    }
    print(options, m);
  };
  load("load_v1", done.v1, [](Doc& doc, ByteView state) { return doc.apply_update_v1(state); });
  load("load_v2", done.v2, [](Doc& doc, ByteView state) { return doc.apply_update_v2(state); });
}

// Works that only read; each gives bytes that are compared after the clock stopped.
void reading_works(const Options& options, const Done& done) {
  Doc doc = new_doc(2);
  must(doc.apply_update_v1(done.v1));
  const auto read = [&](const char* work, int times, auto&& run, auto&& size_and_digest) {
    if (!options.wants(work)) return;
    Measurement m{.work = work};
    for (int i = 0; i < 3 * options.reps; ++i) {
      decltype(run()) result;
      const double ms = time_ms([&] {
        for (int k = 0; k < times; ++k) {
          result = run();
          keep(result);
        }
      });
      m.ms.push_back(ms / times);
      size_and_digest(m, result);
    }
    print(options, m);
  };
  read(
      "encode_v1", 1, [&] { return doc.encode_update_v1(); },
      [&](Measurement& m, const Bytes& state) {
        check(state == done.v1, "encode_v1");
        m.bytes = state.size();
        m.digest = digest(state);
      });
  read(
      "encode_v2", 1, [&] { return doc.encode_update_v2(); },
      [&](Measurement& m, const Bytes& state) {
        check(state == done.v2, "encode_v2");
        m.bytes = state.size();
        m.digest = digest(state);
      });
  read(
      "text", 1, [&] { return doc.text("t").to_string(); },
      [&](Measurement& m, const std::string& text) {
        check(text == done.ops.end_text, "text");
        m.bytes = text.size();
      });
  read(
      "state_vector", 1000, [&] { return doc.state_vector().encode(); },
      [&](Measurement& m, const Bytes& vector) {
        check(must(StateVector::decode(vector)) == doc.state_vector(), "state_vector");
        m.bytes = vector.size();
        m.digest = digest(vector);
      });
  read(
      "diff_half", 1, [&] { return doc.encode_update_v1(done.half); },
      [&](Measurement& m, const Bytes& diff) {
        m.bytes = diff.size();
        m.digest = digest(diff);
      });
  read(
      "diff_update_half", 1, [&] { return must(diff_update_v1(done.v1, done.half)); },
      [&](Measurement& m, const Bytes& diff) {
        m.bytes = diff.size();
        m.digest = digest(diff);
      });
}

// Merging the first tenth, then all: the two give the growth.
void merge_works(const Options& options, const Done& done) {
  const auto merge = [&](const char* work, size_t count, int reps) {
    if (!options.wants(work) || done.views.size() < count) return;
    const std::span<const ByteView> updates = std::span(done.views).first(count);
    Measurement m{.work = work, .edits = count};
    Bytes merged;
    for (int i = 0; i < reps; ++i) m.ms.push_back(time_ms([&] { merged = must(merge_updates_v1(updates)); }));
    Doc one = new_doc(3);
    must(one.apply_update_v1(merged));
    Doc each = new_doc(4);
    for (const ByteView update : updates) must(each.apply_update_v1(update));
    check(one.encode_update_v1() == each.encode_update_v1(), work);
    m.bytes = merged.size();
    m.digest = digest(merged);
    print(options, m);
  };
  merge("merge_10000", 10'000, options.reps);
  merge("merge_tenth", done.views.size() / 10, options.reps);
  merge("merge_all", done.views.size(), options.reps);
}

// Eight loaded documents are kept, so that what is shared or rounded once does not count as one document's.
void memory_of_loaded(const Options& options, const Done& done) {
  if (!options.wants("memory")) return;
  constexpr int kDocs = 8;
  Measurement m{.work = "memory"};
  std::vector<Doc> docs;
  docs.reserve(kDocs);
  m.ms.reserve(kDocs);
  AllocationCount count;
  for (int i = 0; i < kDocs; ++i) {
    docs.push_back(new_doc(2));
    m.ms.push_back(time_ms([&] {
      must(docs.back().apply_update_v1(done.v1));
      keep(docs.back().text("t").to_string());
    }));
    if (i == 0) m.peak_bytes = count.peak_bytes();
  }
  m.memory_bytes = count.live_bytes() / kDocs;
  m.bytes = docs.back().memory_bytes();
  print(options, m);
}

void memory_of_edited(const Options& options, const Done& done) {
  if (!options.wants("memory_edited")) return;
  Measurement m{.work = "memory_edited"};
  m.ms.reserve(1);
  const AllocationCount count;
  Doc doc = new_doc(1);
  m.ms.push_back(time_ms([&] { check(replay_each(doc, done.ops.patches, [](Commit&&) {}), "edits"); }));
  m.memory_bytes = count.live_bytes();
  m.peak_bytes = count.peak_bytes();
  m.bytes = doc.memory_bytes();
  print(options, m);
}

}  // namespace

void write_inputs(const Options& options) {
  const Done done(options);
  const std::string stem = options.data + "/" + options.input;
  Writer updates;
  const auto u32 = [&](size_t value) {
    for (int shift = 0; shift < 32; shift += 8) updates.u8(static_cast<uint8_t>(value >> shift));
  };
  u32(done.updates.size());
  for (const Bytes& update : done.updates) {
    u32(update.size());
    updates.raw(update);
  }
  write_file(stem + ".updates", updates.view());
  write_file(stem + ".v1", done.v1);
  write_file(stem + ".v2", done.v2);
  write_file(stem + ".half", done.half.encode());
}

void trace_works(const Options& options) {
  const Done done(options);
  local_works(options, done);
  remote_work(options, done);
  load_works(options, done);
  reading_works(options, done);
  merge_works(options, done);
  memory_of_loaded(options, done);
  memory_of_edited(options, done);
}

}  // namespace diaryx::bench
