// Reads one JSON object per line and answers each with one line, until the input ends.
#include <cstdio>
#include <ctime>
#include <string>

#include "driver.h"

namespace {

diaryx::TimestampMs now() {
  timespec at{};
  (void)timespec_get(&at, TIME_UTC);
  return diaryx::TimestampMs{int64_t{at.tv_sec} * 1000 + at.tv_nsec / 1000000};
}

}  // namespace

int main() {
  diaryx::crdt::driver::Driver driver;
  std::string line;
  for (int c = 0; c != EOF;) {
    c = std::getchar();
    if (c != '\n' && c != EOF) {
      line.push_back(static_cast<char>(c));
      continue;
    }
    if (c == EOF && line.empty()) break;
    const std::string answer = driver.answer(line, now());
    line.clear();
    std::fwrite(answer.data(), 1, answer.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
  }
  return 0;
}
