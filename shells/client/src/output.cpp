#include "output.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

#include "said.h"

namespace diaryx::client {
namespace {

int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string clock_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &parts);
  return text.data();
}

void write_line(FILE* file, std::string text) {
  text.push_back('\n');
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

std::string_view word(sync::FileChange change) {
  switch (change) {
    case sync::FileChange::Created: return "created";
    case sync::FileChange::Changed: return "changed";
    case sync::FileChange::Removed: return "removed";
    case sync::FileChange::Moved: return "moved";
    case sync::FileChange::MetadataChanged: return "metadata_changed";
  }
  return "changed";
}

std::string_view word(Direction direction) { return direction == Direction::Upload ? "upload" : "download"; }

Json event(std::string_view name) {
  Json json = Json::object();
  json.set("event", name).set("time_ms", now_ms());
  return json;
}

}  // namespace

std::string human_size(uint64_t size_bytes) {
  constexpr std::array kUnits{"bytes", "kB", "MB", "GB", "TB"};
  double size = double(size_bytes);
  size_t unit = 0;
  for (; size >= 1000 && unit + 1 < kUnits.size(); ++unit) size /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", size, kUnits[unit]);
  return text.data();
}

void Output::line(std::string_view text) {
  if (style_ == OutputStyle::Human) write_line(stdout, clock_time() + "  " + safe_line(text));
}

void Output::json(Json event) {
  if (style_ == OutputStyle::Json) write_line(stdout, as_utf8(event.dump()));
}

void Output::state(std::string_view state, std::string_view message) {
  last_reason_ = message;
  if (state == last_state_) return;
  last_state_ = state;
  if (state != "syncing" && state != last_shown_state_) {
    last_shown_state_ = state;
    line(message.empty() ? std::string(state) : std::string(state) + ": " + std::string(message));
  }
  Json json_event = event("status");
  json_event.set("state", state);
  if (!message.empty()) json_event.set("message", message);
  json(std::move(json_event));
}

void Output::received(const sync::FileChanged& change) {
  std::string text = "received  " + change.path + " (" + std::string(word(change.change));
  if (!change.from.empty()) text += " from " + change.from;
  line(text + ")");
  Json json_event = event("received");
  json_event.set("change", word(change.change)).set("path", change.path);
  if (!change.from.empty()) json_event.set("from", change.from);
  json(std::move(json_event));
}

void Output::seen(std::string_view path, std::string_view what) {
  line("local     " + std::string(path) + " (" + std::string(what) + ")");
  Json json_event = event("local");
  json_event.set("change", what).set("path", path);
  json(std::move(json_event));
}

void Output::transferred(Direction direction, std::string_view path, uint64_t size_bytes) {
  line((direction == Direction::Upload ? "uploaded  " : "fetched   ") + std::string(path) + " (" +
       human_size(size_bytes) + ")");
  Json json_event = event(word(direction));
  json_event.set("path", path).set("done_bytes", size_bytes).set("size_bytes", size_bytes);
  json(std::move(json_event));
  solved(path);
}

void Output::transfer_progress(Direction direction, std::string_view path, uint64_t done_bytes, uint64_t size_bytes) {
  Json json_event = event(word(direction));
  json_event.set("path", path).set("done_bytes", done_bytes).set("size_bytes", size_bytes);
  json(std::move(json_event));
}

void Output::problem(std::string_view path, std::string_view message) {
  last_problem_.clear();
  if (!path.empty() && message.find(path) == std::string_view::npos) last_problem_.append(path).append(": ");
  last_problem_ += message;
  last_problem_path_ = path;
  if (style_ != OutputStyle::Json) write_line(stderr, safe_line("problem: " + last_problem_));
  Json json_event = event("problem");
  if (!path.empty()) json_event.set("path", path);
  json_event.set("message", message);
  json(std::move(json_event));
}

void Output::remember_problem(std::string_view sentence) {
  last_problem_ = sentence;
  last_problem_path_.clear();
}

void Output::solved(std::string_view path) {
  if (!path.empty() && path == last_problem_path_) last_problem_.clear();
}

void Output::withdraw(std::string_view message) {
  if (message == last_problem_) last_problem_.clear();
}

}  // namespace diaryx::client
