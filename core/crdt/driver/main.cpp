// Reads one JSON object per line and answers each with one line, until the input ends.
#include <cstdio>
#include <string>

#include "driver.h"

int main() {
  diaryx::crdt::driver::Driver driver;
  std::string line;
  for (int c = std::getchar(); c != EOF; c = std::getchar()) {
    if (c != '\n') {
      line.push_back(static_cast<char>(c));
      continue;
    }
    const std::string answer = driver.answer(line);
    line.clear();
    std::fwrite(answer.data(), 1, answer.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
  }
  return 0;
}
