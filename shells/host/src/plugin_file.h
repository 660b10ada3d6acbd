// The module on disk.
#pragma once

#include <string>

#include "diaryx/base/bytes.h"
#include "diaryx/native/problem.h"

namespace diaryx::host {

/// The whole file, at most 256 MiB.
native::Outcome<Bytes> read_plugin_file(const std::string& path);

}  // namespace diaryx::host
