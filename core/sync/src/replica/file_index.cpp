#include "replica/file_index.h"

#include "replica/workspace_doc.h"

namespace diaryx::sync {
namespace {

const std::set<std::string>& find_in(const std::map<std::string, std::set<std::string>, std::less<>>& sets,
                                     const std::string& name) {
  static const std::set<std::string> kNone;
  const auto found = sets.find(name);
  return found == sets.end() ? kNone : found->second;
}

void erase_from(std::map<std::string, std::set<std::string>, std::less<>>& sets, const std::string& name,
                const std::string& member) {
  const auto found = sets.find(name);
  if (found == sets.end()) return;
  found->second.erase(member);
  if (found->second.empty()) sets.erase(found);
}

}  // namespace

bool FileIndex::note(const std::string& path, const std::optional<FileMetadata>& entry) {
  if (is_id_key(path)) return false;
  const std::string id_before = id_at(path);
  const std::string document_before = document_of(path);
  const std::string id = said_id(entry);
  const std::string document = document_key(entry, path);
  set_document(path, document);
  const bool is_live = entry && !entry->deleted && !id.empty();
  const bool is_same = is_live && id == id_before;
  if (entry && entry->deleted && !id.empty()) old_documents_of_[id].insert(document);
  if (!id_before.empty() && (!is_same || document_before != document))
    old_documents_of_[id_before].insert(document_before);
  if (is_same) return document_before != document;
  erase_from(paths_of_, id_before, path);
  id_of_.erase(path);
  if (!is_live) return false;
  id_of_.insert_or_assign(path, id);
  paths_of_[id].insert(path);
  return true;
}

void FileIndex::set_document(const std::string& path, const std::string& document) {
  erase_from(paths_with_, document_of(path), path);
  document_of_.erase(path);
  if (document == path) return;
  document_of_.insert_or_assign(path, document);
  paths_with_[document].insert(path);
}

void FileIndex::forget_old_document(const std::string& file_id, const std::string& document) {
  erase_from(old_documents_of_, file_id, document);
}

std::string FileIndex::id_at(const std::string& path) const {
  const auto id = id_of_.find(path);
  return id == id_of_.end() ? std::string() : id->second;
}

const std::set<std::string>& FileIndex::paths_of(const std::string& file_id) const {
  return find_in(paths_of_, file_id);
}

std::optional<std::string> FileIndex::live_path(const std::string& file_id) const {
  const std::set<std::string>& paths = paths_of(file_id);
  return paths.empty() ? std::nullopt : std::optional(*paths.begin());
}

std::string FileIndex::document_of(const std::string& path) const {
  const auto other = document_of_.find(path);
  return other == document_of_.end() ? path : other->second;
}

const std::set<std::string>& FileIndex::paths_with(const std::string& document) const {
  return find_in(paths_with_, document);
}

const std::set<std::string>& FileIndex::old_documents_of(const std::string& file_id) const {
  return find_in(old_documents_of_, file_id);
}

}  // namespace diaryx::sync
