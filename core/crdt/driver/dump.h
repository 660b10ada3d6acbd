// The visible state of shared types as JSON, for test benches.
#pragma once

#include "store.h"

namespace diaryx::crdt::driver {

/// `{"t":"text","len":…,"delta":[…]}` and its like; object keys sorted.
Any dump_type(const Store& store, TypeRef type, TypeKind as);

}  // namespace diaryx::crdt::driver
