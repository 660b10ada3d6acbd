// One function per group of works; each reads its input, runs the works that are wanted, checks and prints them.
#pragma once

#include "report.h"

namespace diaryx::bench {

void trace_works(const Options& options);       // an editing trace of one writer
void concurrent_works(const Options& options);  // a history of several writers
void made_up_works(const Options& options);     // crdt-benchmarks B1, B2, B3
void workspace_works(const Options& options);   // many files with metadata
void small_document_works(const Options& options);  // what one small document costs

}  // namespace diaryx::bench
