// The conformance driver: one JSON request in, one JSON answer out.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "editor.h"

namespace diaryx::crdt::driver {

class Driver {
 public:
  /// Always one JSON object; `{"ok":false,"error":"…"}` for what cannot be understood or done.
  /// `now` is what undo managers see.
  std::string answer(std::string_view line, TimestampMs now);

 private:
  using Answer = Any::Object;
  Answer handle(const Any& request);
  Answer make(const Any& request);
  Answer merge(const Any& request);
  Answer diff(const Any& request);
  Answer vector_of(const Any& request);
  Answer convert(const Any& request);
  Answer with_document(const std::string& command, const Any& request, Editor& editor);

  TimestampMs now_{0};
  std::map<std::string, std::unique_ptr<Editor>> documents_;
};

}  // namespace diaryx::crdt::driver
