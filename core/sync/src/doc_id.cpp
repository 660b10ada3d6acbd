#include "diaryx/sync/doc_id.h"

#include <algorithm>

namespace diaryx::sync {
namespace {

constexpr std::string_view kWorkspacePrefix = "workspace:";
constexpr std::string_view kBodyPrefix = "body:";

bool is_usable_workspace(std::string_view workspace) {
  return !workspace.empty() && std::none_of(workspace.begin(), workspace.end(), [](char c) {
    return c == '/' || static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
  });
}

}  // namespace

Result<ParsedDocId> parse_doc_id(std::string_view id) {
  if (id.size() > kMaxDocIdBytes) return fail(ErrorCode::DocIdTooLong, kMaxDocIdBytes);
  if (id.starts_with(kWorkspacePrefix)) {
    const std::string_view workspace = id.substr(kWorkspacePrefix.size());
    if (!is_usable_workspace(workspace)) return fail(ErrorCode::InvalidDocId, kWorkspacePrefix.size());
    return ParsedDocId{DocKind::Workspace, workspace, {}};
  }
  if (!id.starts_with(kBodyPrefix)) return fail(ErrorCode::InvalidDocId);
  const std::string_view rest = id.substr(kBodyPrefix.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos || !is_usable_workspace(rest.substr(0, slash)) || slash + 1 == rest.size())
    return fail(ErrorCode::InvalidDocId, kBodyPrefix.size());
  return ParsedDocId{DocKind::Body, rest.substr(0, slash), rest.substr(slash + 1)};
}

Result<DocId> workspace_doc_id(std::string_view workspace) {
  if (!is_usable_workspace(workspace)) return fail(ErrorCode::InvalidDocId);
  if (kWorkspacePrefix.size() + workspace.size() > kMaxDocIdBytes) return fail(ErrorCode::DocIdTooLong);
  std::string id(kWorkspacePrefix);
  id.append(workspace);
  return DocId{std::move(id)};
}

Result<DocId> body_doc_id(std::string_view workspace, std::string_view key) {
  if (!is_usable_workspace(workspace) || key.empty()) return fail(ErrorCode::InvalidDocId);
  if (workspace.size() > kMaxDocIdBytes || key.size() > kMaxDocIdBytes ||
      kBodyPrefix.size() + workspace.size() + 1 + key.size() > kMaxDocIdBytes)
    return fail(ErrorCode::DocIdTooLong);
  std::string id(kBodyPrefix);
  id.append(workspace).push_back('/');
  id.append(key);
  return DocId{std::move(id)};
}

}  // namespace diaryx::sync
