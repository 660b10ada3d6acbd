// crdt-benchmarks: B1 (one writer, updates sent to another), B2 (two writers, then they exchange), B3 (many writers, one change each).
// The inputs are `b1`, `b2` and `b3`; each work's own name is printed as its trace.
#include <string>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "replay.h"
#include "works.h"

namespace diaryx::bench {
namespace {

using namespace crdt;

constexpr int kNumbers = 6000;
constexpr uint32_t kManyClients = 1549;

Doc new_doc(uint64_t client, Emit emit) { return Doc({.client = ClientId{client}, .emit = emit}); }

struct Series {
  Measurement local, remote, encode, load;

  explicit Series(const std::string& name)
      : local{.work = "local", .trace = name},
        remote{.work = "remote", .trace = name},
        encode{.work = "encode_v1", .trace = name},
        load{.work = "load_v1", .trace = name} {}
};

// B1: `edits(doc, send)` is the work; every commit's update goes to `send`.
template <typename Edits>
void one_writer(const Options& options, const std::string& name, Edits&& edits) {
  Series series(name);
  for (int i = 0; i < options.reps; ++i) {
    Doc writer = new_doc(1, Emit::Updates);
    Doc reader = new_doc(2, Emit::Nothing);
    Doc loaded = new_doc(3, Emit::Nothing);
    std::vector<Bytes> updates;
    Bytes state;
    series.local.ms.push_back(
        time_ms([&] { edits(writer, [&](Commit&& commit) { updates.push_back(std::move(commit).update_v1()); }); }));
    series.remote.ms.push_back(time_ms([&] {
      for (const Bytes& update : updates) must(reader.apply_update_v1(update));
    }));
    series.encode.ms.push_back(time_ms([&] { state = writer.encode_update_v1(); }));
    series.load.ms.push_back(time_ms([&] { must(loaded.apply_update_v1(state)); }));
    check(reader.text("t").to_string() == writer.text("t").to_string(), "text of the reader");
    check(loaded.array("a").to_vector() == writer.array("a").to_vector(), "array of the loaded document");
    check(loaded.encode_update_v1() == state && reader.encode_update_v1() == state, "state of the readers");
    series.encode.bytes = state.size();
    series.encode.digest = digest(state);
    series.local.edits = series.remote.edits = updates.size();
  }
  for (const Measurement* m : {&series.local, &series.remote, &series.encode, &series.load}) {
    if (options.wants(m->work)) print(options, *m);
  }
}

void b1(const Options& options) {
  for (const char* name : {"b1.1", "b1.2", "b1.3", "b1.4", "b1.5", "b1.6", "b1.7"}) {
    const OpsFile ops = read_ops(options.data, name);
    one_writer(options, name, [&](Doc& doc, auto&& send) {
      check(replay_each(doc, ops.patches, send), name);
      check(doc.text("t").length().value() == ops.end_text.size(), name);  // the made-up texts are ASCII
    });
  }
  const auto insert_each = [](Doc& doc, auto&& send, auto&& position) {
    Array array = doc.array("a");
    for (uint32_t i = 0; i < kNumbers; ++i) {
      Transaction txn = doc.transact();
      must(array.insert(txn, position(i), Any::number(i)));
      send(std::move(txn).commit());
    }
  };
  one_writer(options, "b1.8", [&](Doc& doc, auto&& send) { insert_each(doc, send, [](uint32_t i) { return i; }); });
  one_writer(options, "b1.9", [&](Doc& doc, auto&& send) {
    std::vector<Any> numbers;
    for (int i = 0; i < kNumbers; ++i) numbers.push_back(Any::number(i));
    Transaction txn = doc.transact();
    must(doc.array("a").insert(txn, 0, numbers));
    send(std::move(txn).commit());
  });
  one_writer(options, "b1.10", [&](Doc& doc, auto&& send) { insert_each(doc, send, [](uint32_t) { return 0; }); });
  const OpsFile places = read_ops(options.data, "b1.11");
  one_writer(options, "b1.11", [&](Doc& doc, auto&& send) {
    insert_each(doc, send, [&](uint32_t i) { return places.patches[i].position; });
  });
}

void b2(const Options& options) {
  Doc base = new_doc(9, Emit::Nothing);
  check(replay_each(base, read_ops(options.data, "b2.base").patches, [](Commit&&) {}), "b2.base");
  const Bytes start = base.encode_update_v1();
  for (const std::string name : {"b2.1", "b2.2", "b2.3", "b2.4"}) {
    const OpsFile ops_a = read_ops(options.data, name + "a");
    const OpsFile ops_b = read_ops(options.data, name + "b");
    Series series(name);
    series.remote.work = "sync";
    for (int i = 0; i < options.reps; ++i) {
      Doc a = new_doc(1, Emit::Updates);
      Doc b = new_doc(2, Emit::Updates);
      must(a.apply_update_v1(start));
      must(b.apply_update_v1(start));
      std::vector<Bytes> from_a, from_b;
      series.local.ms.push_back(time_ms([&] {
        check(replay_each(a, ops_a.patches, [&](Commit&& commit) { from_a.push_back(std::move(commit).update_v1()); }),
              "b2 local");
        check(replay_each(b, ops_b.patches, [&](Commit&& commit) { from_b.push_back(std::move(commit).update_v1()); }),
              "b2 local");
      }));
      series.remote.ms.push_back(time_ms([&] {
        for (const Bytes& update : from_b) must(a.apply_update_v1(update));
        for (const Bytes& update : from_a) must(b.apply_update_v1(update));
      }));
      check(a.text("t").to_string() == b.text("t").to_string(), "texts of the two");
      check(a.state_vector() == b.state_vector() && a.delete_set() == b.delete_set(), "states of the two");
      Bytes state;
      series.encode.ms.push_back(time_ms([&] { state = a.encode_update_v1(); }));
      Doc loaded = new_doc(3, Emit::Nothing);
      series.load.ms.push_back(time_ms([&] { must(loaded.apply_update_v1(state)); }));
      check(loaded.text("t").to_string() == a.text("t").to_string(), "text of the loaded document");
      series.encode.bytes = state.size();
      series.encode.digest = digest(state);
      series.local.edits = series.remote.edits = from_a.size() + from_b.size();
    }
    for (const Measurement* m : {&series.local, &series.remote, &series.encode, &series.load}) {
      if (options.wants(m->work)) print(options, *m);
    }
  }
}

// Client ids as the world gives them: in no order.
uint64_t client_of(uint32_t index) { return (index + 1) * 2'654'435'761u; }

template <typename Change>
void many_writers(const Options& options, const std::string& name, Change&& change) {
  std::vector<Bytes> updates;
  for (uint32_t i = 0; i < kManyClients; ++i) {
    Doc doc = new_doc(client_of(i), Emit::Updates);
    Transaction txn = doc.transact();
    change(doc, txn, i);
    updates.push_back(std::move(txn).commit().update_v1());
  }
  const std::vector<ByteView> views(updates.begin(), updates.end());
  Measurement apply{.work = "apply_all", .trace = name, .edits = views.size()};
  Measurement merge{.work = "merge", .trace = name, .edits = views.size()};
  Measurement load{.work = "load_v1", .trace = name};
  for (int i = 0; i < options.reps; ++i) {
    Doc doc = new_doc(1, Emit::Nothing);
    apply.ms.push_back(time_ms([&] {
      for (const ByteView update : views) must(doc.apply_update_v1(update));
    }));
    const Bytes state = doc.encode_update_v1();
    Doc loaded = new_doc(2, Emit::Nothing);
    load.ms.push_back(time_ms([&] { must(loaded.apply_update_v1(state)); }));
    check(loaded.encode_update_v1() == state, "state of the loaded document");
    Bytes merged;
    merge.ms.push_back(time_ms([&] { merged = must(merge_updates_v1(views)); }));
    Doc of_merged = new_doc(3, Emit::Nothing);
    must(of_merged.apply_update_v1(merged));
    check(of_merged.state_vector() == doc.state_vector(), "state of the merged updates");
    apply.bytes = load.bytes = state.size();
    apply.digest = digest(state);
    merge.bytes = merged.size();
    merge.digest = digest(merged);
  }
  for (const Measurement* m : {&apply, &load, &merge}) {
    if (options.wants(m->work)) print(options, *m);
  }
}

void b3(const Options& options) {
  many_writers(options, "b3.1",
               [](Doc& doc, Transaction& txn, uint32_t i) { doc.map("m").set(txn, "v", Any::number(i)); });
  many_writers(options, "b3.2", [](Doc& doc, Transaction& txn, uint32_t i) {
    doc.map("m").set(txn, "v",
                     Any::object({{"name", Any::string("n" + std::to_string(i))}, {"address", Any::string("here")}}));
  });
  many_writers(options, "b3.3", [](Doc& doc, Transaction& txn, uint32_t i) {
    doc.map("m").set(txn, "v", Any::string(std::string(i % 100, 'x')));
  });
  many_writers(options, "b3.4", [](Doc& doc, Transaction& txn, uint32_t i) {
    must(doc.text("t").insert(txn, Utf16Offset{0}, "client" + std::to_string(i) + " "));
  });
  many_writers(options, "b3.5", [](Doc& doc, Transaction& txn, uint32_t i) {
    must(doc.array("a").insert(txn, 0, Any::string("client" + std::to_string(i))));
  });
}

}  // namespace

void made_up_works(const Options& options) {
  if (options.input == "b1") return b1(options);
  if (options.input == "b2") return b2(options);
  if (options.input == "b3") return b3(options);
  give_up("the made-up works are b1, b2 and b3");
}

}  // namespace diaryx::bench
