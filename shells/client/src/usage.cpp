#include "usage.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace diaryx::client {
namespace {

constexpr size_t kLettersForAnotherSlip = 4;

/// How many slips lead from one word to the other (optimal string alignment).
size_t slips_between(std::string_view one, std::string_view other) {
  std::vector<std::vector<size_t>> slips(one.size() + 1, std::vector<size_t>(other.size() + 1));
  for (size_t i = 0; i <= one.size(); ++i) slips[i][0] = i;
  for (size_t j = 0; j <= other.size(); ++j) slips[0][j] = j;
  for (size_t i = 1; i <= one.size(); ++i) {
    for (size_t j = 1; j <= other.size(); ++j) {
      const size_t changed = one[i - 1] == other[j - 1] ? 0 : 1;
      slips[i][j] = std::min({slips[i - 1][j] + 1, slips[i][j - 1] + 1, slips[i - 1][j - 1] + changed});
      const bool swapped = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (swapped) slips[i][j] = std::min(slips[i][j], slips[i - 2][j - 2] + 1);
    }
  }
  return slips[one.size()][other.size()];
}

/// The name that `word` was meant to be, if one is near enough for that; else empty. Near: a letter that is wrong, missing, too many or
/// changed places with its neighbour, and one more for every four letters.
std::string nearest_name(std::string_view word, std::span<const std::string> names) {
  const auto slips_to = [word](const std::string& name) { return slips_between(word, name); };
  const auto nearest = std::ranges::min_element(names, {}, slips_to);
  if (nearest == names.end()) return {};
  return slips_to(*nearest) <= 1 + nearest->size() / kLettersForAnotherSlip ? *nearest : std::string();
}

/// The command that was being read when it went wrong: `snapshot create` of `diaryx-sync snapshot create`.
const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

std::string full_name(const CLI::App& command) {
  const CLI::App* const parent = command.get_parent();
  return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* inner : command.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(inner->get_name());
  }
  return names;
}

}  // namespace

std::string usage_sentence(const CLI::App& app, const CLI::Error& error) {
  const CLI::App& command = innermost(app);
  const std::vector<std::string> unknown = app.remaining(true);
  const auto option = std::ranges::find_if(unknown, [](const std::string& word) { return word.starts_with('-'); });
  const std::vector<std::string> commands = command_names(command);
  std::string sentence;
  std::string meant;
  if (option != unknown.end()) {
    sentence = full_name(command) + " has no option " + *option;
    meant = nearest_name(option->substr(0, option->find('=')), option_names(command));
  } else if (!commands.empty()) {
    sentence = unknown.empty() ? full_name(command) + " needs a command"
                               : full_name(command) + " has no command \"" + unknown.front() + "\"";
    meant = unknown.empty() ? std::string() : nearest_name(unknown.front(), commands);
  } else {
    sentence = error.what();
  }
  if (!meant.empty()) sentence += "; did you mean " + meant + "?";
  return sentence + " (" + full_name(command) + " --help tells all)";
}

}  // namespace diaryx::client
