#include "diaryx/native/problem.h"

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace diaryx::native {
namespace {

/// What a person can do about the errors that they meet most; empty for the rest.
std::string_view advice(int os_error) {
  switch (os_error) {
    case ENOSPC:
    case EDQUOT: return "; free some space";
    case EACCES:
    case EPERM: return "; give this user the permission to read and write there";
    case EROFS: return "; the file system is mounted read-only, mount it for writing";
    case EMFILE:
    case ENFILE: return "; raise the limit on open files (ulimit -n)";
    default: return "";
  }
}

}  // namespace

bool is_full_disk(int os_error) { return os_error == ENOSPC || os_error == EDQUOT; }

std::unexpected<Problem> problem(std::string sentence) { return std::unexpected(Problem{std::move(sentence), 0}); }

std::unexpected<Problem> os_problem(std::string_view doing, std::string_view subject, int os_error) {
  std::string sentence = "cannot ";
  sentence.append(doing).append(" ").append(subject).append(": ");
  sentence.append(std::generic_category().message(os_error)).append(advice(os_error));
  return std::unexpected(Problem{std::move(sentence), os_error});
}

}  // namespace diaryx::native
