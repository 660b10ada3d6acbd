// A document that lists many files: a map from path to a map of twelve fields each. And what one small document costs.
#include "works.h"
#include "allocations.h"
#include "diaryx/crdt/doc.h"
#include "input.h"

namespace diaryx::bench {
namespace {

using namespace crdt;

Doc new_doc(uint64_t client, Emit emit) { return Doc({.client = ClientId{client}, .emit = emit}); }

void build(Doc& doc, const RowsFile& table) {
  Map files = doc.map("m");
  Transaction txn = doc.transact();
  for (const RowsFile::Row& row : table.rows) {
    Map file = files.set_map(txn, row.key);
    for (const RowsFile::Field& field : row.fields) file.set(txn, field.name, field.value);
  }
}

void expect_rows(Doc& doc, const RowsFile& table) {
  const Map files = doc.map("m");
  check(files.size() == table.rows.size(), "number of files");
  for (size_t i = 0; i < table.rows.size(); i += 97) {
    const std::optional<Map> file = files.get_map(table.rows[i].key);
    check(file.has_value(), "file");
    for (const RowsFile::Field& field : table.rows[i].fields) check(file->get(field.name) == field.value, "field");
  }
}

}  // namespace

void write_workspace_inputs(const Options& options) {
  const std::string name = "workspace-" + options.input;
  Doc doc = new_doc(1, Emit::Nothing);
  build(doc, read_rows(options.data, name));
  write_file(options.data + "/" + name + ".v1", doc.encode_update_v1());
}

void workspace_works(const Options& options) {
  const RowsFile table = read_rows(options.data, "workspace-" + options.input);
  constexpr int kChanges = 50;
  Measurement building{.work = "build", .edits = table.rows.size()};
  Measurement encode_v1{.work = "encode_v1"}, encode_v2{.work = "encode_v2"}, load_v1{.work = "load_v1"},
      load_v2{.work = "load_v2"};
  Measurement change{.work = "change_one"}, nothing_new{.work = "diff_empty"};
  for (Measurement* m : {&building, &encode_v1, &encode_v2, &load_v1, &load_v2}) {
    m->trace = "workspace-" + options.input;
    m->ms.reserve(options.reps);  // so that the memory counted is the engine's
  }
  change.trace = nothing_new.trace = building.trace;
  for (int i = 0; i < options.reps; ++i) {
    Bytes state, state_v2;
    std::optional<AllocationCount> count;  // in the first repetition
    {
      Doc doc = new_doc(1, Emit::Nothing);
      if (i == 0) count.emplace();
      building.ms.push_back(time_ms([&] { build(doc, table); }));
      if (count) building.memory_bytes = count->live_bytes();
      count.reset();
      encode_v1.ms.push_back(time_ms([&] { state = doc.encode_update_v1(); }));
      encode_v2.ms.push_back(time_ms([&] { state_v2 = doc.encode_update_v2(); }));
    }
    encode_v1.bytes = load_v1.bytes = state.size();
    encode_v1.digest = digest(state);
    encode_v2.bytes = load_v2.bytes = state_v2.size();
    encode_v2.digest = digest(state_v2);
    if (options.wants("load_v2")) {
      Doc doc = new_doc(2, Emit::Nothing);
      load_v2.ms.push_back(time_ms([&] { must(doc.apply_update_v2(state_v2)); }));
      expect_rows(doc, table);
    }
    if (i == 0) count.emplace();
    Doc doc = new_doc(3, Emit::Nothing);
    load_v1.ms.push_back(time_ms([&] { must(doc.apply_update_v1(state)); }));
    if (count) {
      load_v1.memory_bytes = count->live_bytes();
      load_v1.peak_bytes = count->peak_bytes();
    }
    count.reset();
    expect_rows(doc, table);
    check(doc.encode_update_v1() == state, "state of the loaded document");

    // The same document with a listener, as a client has it.
    Doc client = new_doc(4, Emit::Updates);
    must(client.apply_update_v1(state));
    Map files = client.map("m");
    for (int k = 0; k < kChanges; ++k) {
      // A copy: who changes a file has its name at hand, and the table of all names is the benchmark's, not the engine's.
      const std::string key = table.rows[(size_t(k) * 7919) % table.rows.size()].key;
      const Any value = Any::number(1'800'000'000'000.0 + k);
      Bytes update;
      change.ms.push_back(time_ms([&] {
        std::optional<Map> file = files.get_map(key);
        Transaction txn = client.transact();
        file->set(txn, "mtime", value);
        update = std::move(txn).commit().update_v1();
      }));
      check(files.get_map(key)->get("mtime") == value, "changed field");
      must(doc.apply_update_v1(update));
      change.bytes = update.size();
    }
    check(doc.encode_update_v1() == client.encode_update_v1(), "state after the changes");
    Bytes diff;
    const StateVector known = client.state_vector();
    nothing_new.ms.push_back(time_ms([&] { diff = client.encode_update_v1(known); }));
    nothing_new.bytes = diff.size();
    nothing_new.digest = digest(diff);
  }
  for (const Measurement* m : {&building, &encode_v1, &encode_v2, &load_v1, &load_v2, &change, &nothing_new}) {
    if (options.wants(m->work)) print(options, *m);
  }
}

void small_document_works(const Options& options) {
  constexpr int kDocs = 1000;
  std::string text;
  while (text.size() < 1024) text += "A body of about one kilobyte. ";
  text.resize(1024);
  Doc source = new_doc(1, Emit::Nothing);
  {
    Transaction txn = source.transact();
    must(source.text("body").insert(txn, Utf16Offset{0}, text));
  }
  const Bytes state = source.encode_update_v1();
  const auto per_document = [&](const char* work, auto&& fill) {
    if (!options.wants(work)) return;
    Measurement m{.work = work, .trace = "body-1KB"};
    m.ms.reserve(options.reps);
    for (int i = 0; i < options.reps; ++i) {
      std::vector<Doc> docs;
      docs.reserve(kDocs);
      const AllocationCount count;
      const double ms = time_ms([&] {
        for (int k = 0; k < kDocs; ++k) {
          docs.push_back(new_doc(2, Emit::Updates));
          fill(docs.back());
        }
      });
      m.ms.push_back(ms / kDocs);
      m.memory_bytes = count.live_bytes() / kDocs;
      m.bytes = docs.back().memory_bytes();
    }
    print(options, m);
  };
  per_document("empty_doc", [](Doc& doc) { keep(doc); });
  per_document("load_small", [&](Doc& doc) {
    must(doc.apply_update_v1(state));
    check(doc.text("body").length().value() == text.size(), "length");
  });
  per_document("load_and_read_small", [&](Doc& doc) {
    must(doc.apply_update_v1(state));
    check(doc.text("body").to_string() == text, "text");
  });
  per_document("write_small", [&](Doc& doc) {
    Transaction txn = doc.transact();
    must(doc.text("body").insert(txn, Utf16Offset{0}, text));
  });
}

}  // namespace diaryx::bench
