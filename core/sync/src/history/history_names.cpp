#include "history/history_names.h"

#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/render.h"
#include "replica/workspace_doc.h"

namespace diaryx::sync {

std::string head_without_text(const FileMetadata& entry, std::string_view path) {
  if (extra_text(entry, kHeadMark)) return {};  // written by one of ours: it has no frontmatter
  if (same_meaning(entry, derive_metadata(Frontmatter(), WorkspacePath(path), entry.modified_at))) return {};
  return render_head(entry, path);
}

}  // namespace diaryx::sync
