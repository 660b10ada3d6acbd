// The engine on fixed works: `bench_engine GROUP INPUT [--works a,b] [--reps N] [--data FOLDER]`, one JSON line per work.
// bench/README.md lists the groups, their inputs and what each work asks.
#include <cstdlib>
#include <string>
#include <string_view>

#include "works.h"

namespace {

using namespace diaryx::bench;

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return parts;
}

constexpr struct {
  std::string_view name;
  void (*run)(const Options&);
} kGroups[] = {
    {"trace", trace_works},
    {"concurrent", concurrent_works},
    {"made_up", made_up_works},
    {"workspace", workspace_works},
    {"small", small_document_works},
    {"inputs", write_inputs},
    {"workspace_inputs", write_workspace_inputs},
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string_view group;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const bool has_value = i + 1 < argc;
    if (argument == "--works" && has_value) {
      options.works = split(argv[++i]);
    } else if (argument == "--reps" && has_value) {
      options.reps = std::atoi(argv[++i]);
    } else if (argument == "--data" && has_value) {
      options.data = argv[++i];
    } else if (group.empty()) {
      group = argument;
    } else {
      options.input = argument;
    }
  }
  for (const auto& known : kGroups) {
    if (known.name == group) {
      known.run(options);
      return 0;
    }
  }
  give_up(
      "usage: bench_engine GROUP INPUT [--works a,b] [--reps N] [--data FOLDER]; the groups are in bench/README.md");
}
