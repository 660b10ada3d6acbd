#include "input.h"

#include <cstring>
#include <fstream>
#include <iterator>

#include "report.h"

namespace diaryx::bench {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) give_up(path + " is missing: `node bench/lib/prepare.mjs` makes it");
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class Words {
 public:
  explicit Words(std::string_view bytes) : bytes_(bytes) {}

  std::string_view raw(size_t size) {
    if (size > bytes_.size()) give_up("a prepared file is cut short: delete build/bench/data and prepare it again");
    const std::string_view view = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return view;
  }
  uint32_t u32() {
    uint32_t value;
    std::memcpy(&value, raw(sizeof value).data(), sizeof value);
    return value;
  }
  double f64() {
    double value;
    std::memcpy(&value, raw(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view string() { return raw(u32()); }

 private:
  std::string_view bytes_;
};

// The sizes come first and all inserted bytes later, so a patch is finished when the bytes are reached.
std::vector<uint32_t> read_patch_heads(Words& in, std::vector<Patch>& patches) {
  const uint32_t count = in.u32();
  std::vector<uint32_t> sizes;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t position = in.u32();
    const uint32_t deleted = in.u32();
    patches.push_back({position, deleted, {}});
    sizes.push_back(in.u32());
  }
  return sizes;
}

size_t count_edits(const std::vector<Patch>& patches) {
  size_t edits = 0;
  for (const Patch& patch : patches) edits += (patch.deleted != 0) + !patch.inserted.empty();
  return edits;
}

crdt::Any read_value(Words& in) {
  switch (in.u32()) {
    case 0: return crdt::Any::string(std::string(in.string()));
    case 1: return crdt::Any::number(in.f64());
    default: return crdt::Any::boolean(in.u32() != 0);
  }
}

}  // namespace

size_t OpsFile::edits() const { return count_edits(patches); }

size_t ConcurrentFile::edits() const {
  size_t edits = 0;
  for (const Step& step : steps) edits += count_edits(step.patches);
  return edits;
}

OpsFile read_ops(const std::string& folder, const std::string& name) {
  OpsFile ops;
  ops.file = read_file(folder + "/" + name + ".ops");
  Words in(ops.file);
  const std::vector<uint32_t> sizes = read_patch_heads(in, ops.patches);
  for (size_t i = 0; i < sizes.size(); ++i) ops.patches[i].inserted = in.raw(sizes[i]);
  ops.end_text = in.string();
  return ops;
}

ConcurrentFile read_concurrent(const std::string& folder, const std::string& name) {
  ConcurrentFile history;
  history.file = read_file(folder + "/" + name + ".concurrent");
  Words in(history.file);
  const auto indices = [&in] {
    std::vector<uint32_t> list(in.u32());
    for (uint32_t& index : list) index = in.u32();
    return list;
  };
  history.agents = in.u32();
  history.steps.resize(in.u32());
  std::vector<std::vector<uint32_t>> sizes;
  for (ConcurrentFile::Step& step : history.steps) {
    step.agent = in.u32();
    step.received = indices();
    sizes.push_back(read_patch_heads(in, step.patches));
  }
  for (uint32_t agent = 0; agent < history.agents; ++agent) history.received_at_end.push_back(indices());
  for (size_t step = 0; step < sizes.size(); ++step) {
    for (size_t i = 0; i < sizes[step].size(); ++i) history.steps[step].patches[i].inserted = in.raw(sizes[step][i]);
  }
  return history;
}

RowsFile read_rows(const std::string& folder, const std::string& name) {
  const std::string file = read_file(folder + "/" + name + ".rows");
  Words in(file);
  RowsFile table;
  table.rows.resize(in.u32());
  for (RowsFile::Row& row : table.rows) {
    row.key = in.string();
    row.fields.resize(in.u32());
    for (RowsFile::Field& field : row.fields) {
      field.name = in.string();
      field.value = read_value(in);
    }
  }
  return table;
}

void write_file(const std::string& path, ByteView bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) give_up(path + " cannot be written");
}

}  // namespace diaryx::bench
