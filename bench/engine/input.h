// The works as `lib/prepare.mjs` writes them, read into memory before any clock runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/crdt/any.h"

namespace diaryx::bench {

/// Delete, then insert, each an edit of its own. `inserted` looks into the file that the owner holds.
struct Patch {
  uint32_t position;
  uint32_t deleted;
  std::string_view inserted;
};

struct OpsFile {
  std::string file;  // what the views look into
  std::vector<Patch> patches;
  std::string_view end_text;

  size_t edits() const;
};

/// A history of several writers: each step is one transaction of one agent, which first receives the earlier steps it lacks.
struct ConcurrentFile {
  struct Step {
    uint32_t agent;
    std::vector<uint32_t> received;
    std::vector<Patch> patches;
  };
  std::string file;
  uint32_t agents = 0;
  std::vector<Step> steps;
  std::vector<std::vector<uint32_t>> received_at_end;  // per agent

  size_t edits() const;
};

struct RowsFile {
  struct Field {
    std::string name;
    crdt::Any value;
  };
  struct Row {
    std::string key;
    std::vector<Field> fields;
  };
  std::vector<Row> rows;
};

/// Each ends the program with a sentence when the file is missing or cut short.
OpsFile read_ops(const std::string& folder, const std::string& name);
ConcurrentFile read_concurrent(const std::string& folder, const std::string& name);
RowsFile read_rows(const std::string& folder, const std::string& name);

void write_file(const std::string& path, ByteView bytes);

}  // namespace diaryx::bench
