#include "replica/restores.h"

namespace diaryx::sync {

void Restores::await_rename(const std::string& from, const std::string& to) {
  renames_.insert_or_assign(from, Rename{to, id_});
}

void Restores::on_renamed(const std::string& from, const std::string& to) {
  const auto awaited = renames_.extract(from);
  if (awaited && awaited.mapped().to == to) id_ = awaited.mapped().id;
}

void Restores::on_name_refused(std::string_view to) {
  std::erase_if(renames_, [&](const auto& entry) { return entry.second.to == to; });
}

bool Restores::on_file_read(std::string_view path) {
  const auto awaited = files_.find(path);
  if (awaited == files_.end()) return false;
  id_ = std::move(awaited->second);
  files_.erase(awaited);
  return true;
}

}  // namespace diaryx::sync
