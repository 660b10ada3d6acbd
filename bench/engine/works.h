// One function per group of works; each reads its input, runs the works that are wanted, checks and prints them.
#pragma once

#include "report.h"

namespace diaryx::bench {

/// Writes what peers of the same format start from: every update of the trace, the state in v1 and v2, the state vector of the first
/// half. The peers' own digests say later whether it is what they would have written.
void write_inputs(const Options& options);
void write_workspace_inputs(const Options& options);

void trace_works(const Options& options);  // an editing trace of one writer
void concurrent_works(const Options& options);  // a history of several writers
void made_up_works(const Options& options);  // crdt-benchmarks B1, B2, B3
void workspace_works(const Options& options);  // many files with metadata
void small_document_works(const Options& options);  // what one small document costs

}  // namespace diaryx::bench
