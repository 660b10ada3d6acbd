// Between the handles of the public headers and the types of a store. Private to the engine.
#pragma once

#include "diaryx/crdt/shared.h"
#include "store.h"

namespace diaryx::crdt {

struct HandleAccess {
  template <typename Handle = Shared>
  static Handle make(const Store& store, TypeRef type) {
    return Handle(const_cast<Store*>(&store), raw(type));
  }
  static Store& store(const Shared& handle) { return *handle.store_; }
  static TypeRef type(const Shared& handle) { return static_cast<TypeRef>(handle.type_); }
};

}  // namespace diaryx::crdt
