// What a command says while it works: a line per thing that happened, for people or as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "diaryx/base/json.h"
#include "diaryx/sync/action.h"

namespace diaryx::client {

enum class OutputStyle : uint8_t {
  Quiet,  // problems only
  Human,
  Json,  // one object per line; every one has "event" and "time_ms"
};

enum class Direction : uint8_t { Upload, Download };

/// Writes to standard output, problems of the human styles to standard error. Every line leaves at once.
class Output {
 public:
  explicit Output(OutputStyle style) : style_(style) {}

  /// "connecting", "syncing", "synced", "offline", "reconnecting", "stopped". Said only when it changes; people are
  /// spared the steps from "synced" to "syncing" and back that every edit makes.
  void state(std::string_view state, std::string_view message = {});
  /// A remote change reached this disk.
  void received(const sync::FileChanged& change);
  /// A local change was taken in.
  void seen(std::string_view path, std::string_view what);
  void transferred(Direction direction, std::string_view path, uint64_t size_bytes);
  /// Of a long transfer; JSON only.
  void transfer_progress(Direction direction, std::string_view path, uint64_t done_bytes, uint64_t size_bytes);
  void problem(std::string_view path, std::string_view message);
  /// One that is said elsewhere.
  void remember_problem(std::string_view sentence);
  /// What was said last of a file is no longer so.
  void solved(std::string_view path);
  /// This, if it was said last, is no longer so.
  void withdraw(std::string_view message);

  const std::string& last_state() const { return last_state_; }
  /// Why it is so, if there is a reason.
  const std::string& last_reason() const { return last_reason_; }
  /// With the name of the file that it is about; empty once it is solved.
  const std::string& last_problem() const { return last_problem_; }

 private:
  void line(std::string_view text);
  void json(Json event);

  OutputStyle style_;
  std::string last_state_;
  std::string last_reason_;
  std::string last_shown_state_;  // to people
  std::string last_problem_;
  std::string last_problem_path_;
};

/// "1.2 MB"; for people.
std::string human_size(uint64_t size_bytes);

}  // namespace diaryx::client
