// What is asked of a server. Each scenario checks what came, prints one JSON line, and ends the program if something is missing.
#pragma once

#include <sys/types.h>

#include <string>

#include "wire.h"

namespace diaryx::bench {

struct Ask {
  uint16_t port = 0;
  Target target;
  std::string document = "bench";  // names begin with it
  pid_t server = 0;  // its process, for memory
  bool collect = false;  // SIGUSR2 makes it collect garbage
  uint32_t documents = 1;
  uint32_t writers = 1;
  uint32_t readers = 1;
  uint32_t window = 32;  // updates under way per writer
  double rate = 10;  // updates per second and writer
  double seconds = 5;
  uint64_t size_bytes = 0;  // of the document to join
  uint32_t clients = 150;
};

/// Updates per second that come out at the reader of each document, writers sending as fast as `window` allows.
void throughput(const Ask& ask);
/// Time from sending to arrival at everybody else, writers sending `rate` updates a second.
void propagation(const Ask& ask);
/// Time to the whole document for clients that come at once, and the server's peak memory meanwhile.
void join(const Ask& ask);
/// Memory per connection to one document, and per document with one connection each.
void idle(const Ask& ask);
/// Stores `documents` documents through `/sync2`, each with a line of text.
void fill(const Ask& ask);
/// Time until a stored document is there, from before the server listens.
void cold(const Ask& ask);

}  // namespace diaryx::bench
