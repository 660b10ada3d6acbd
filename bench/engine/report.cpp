#include "report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "diaryx/base/sha256.h"

namespace diaryx::bench {

void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_engine: %s\n", why.c_str());
  std::exit(1);
}

bool Options::wants(std::string_view work) const {
  return works.empty() || std::ranges::find(works, work) != works.end();
}

void print(const Options& options, const Measurement& m) {
  std::printf(R"({"work":"%s","trace":"%s","engine":"diaryx","build":"native","ms":[)", m.work.c_str(),
              (m.trace.empty() ? options.input : m.trace).c_str());
  for (size_t i = 0; i < m.ms.size(); ++i) std::printf("%s%.6f", i ? "," : "", m.ms[i]);
  std::printf(R"(],"edits":%zu,"bytes":%zu,"memory_bytes":%zu,"peak_bytes":%zu,"digest":"%s"})"
              "\n",
              m.edits, m.bytes, m.memory_bytes, m.peak_bytes, m.digest.c_str());
  std::fflush(stdout);
}

std::string digest(ByteView bytes) { return sha256(bytes).hex(); }
std::string digest(std::string_view text) { return sha256(text).hex(); }

}  // namespace diaryx::bench
