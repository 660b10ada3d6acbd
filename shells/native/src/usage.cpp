#include "diaryx/native/usage.h"

#include <algorithm>
#include <vector>

namespace diaryx::native {
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

/// Those of the commands around it, too: they may stand behind it.
std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
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

/// What the parser says, with the values that an option takes where it only says which one it could not convert.
std::string sentence_of_parser(const CLI::App& command, const CLI::ParseError& error) {
  constexpr std::string_view kCannotConvert = "Could not convert: ";
  const std::string sentence = error.what();
  const size_t equals = sentence.find(" = ");
  if (!sentence.starts_with(kCannotConvert) || equals == std::string::npos) return sentence;
  const std::string name = sentence.substr(kCannotConvert.size(), equals - kCannotConvert.size());
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    const CLI::Option* const option = at->get_option_no_throw(name);
    if (option != nullptr) return value_not_taken(*option, sentence.substr(equals + 3));
  }
  return sentence;
}

std::string what_is_wrong(const CLI::App& app, const CLI::App& command, const CLI::ParseError& error) {
  const std::vector<std::string> unknown = app.remaining(true);
  const auto option = std::ranges::find_if(unknown, [](const std::string& word) { return word.starts_with('-'); });
  if (option != unknown.end()) {
    return full_name(command) + " has no option " + *option +
           did_you_mean(option->substr(0, option->find('=')), option_names(command));
  }
  const std::vector<std::string> commands = command_names(command);
  if (!unknown.empty() && !commands.empty()) {
    return full_name(command) + " has no command \"" + unknown.front() + "\"" + did_you_mean(unknown.front(), commands);
  }
  if (unknown.empty() && command.get_require_subcommand_min() > 0) return full_name(command) + " needs a command";
  return sentence_of_parser(command, error);
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string> names) {
  const std::string meant = nearest_name(word, names);
  return meant.empty() ? std::string() : "; did you mean " + meant + "?";
}

bool takes_number(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.starts_with("UINT") || type.starts_with("INT");
}

bool is_flag(const CLI::Option& option) { return option.get_expected_max() == 0; }

std::string value_not_taken(const CLI::Option& option, const std::string& value) {
  const char* const wanted = is_flag(option) ? "true or false" : "a whole number";
  return "--" + option.get_single_name() + " takes " + wanted + ", not \"" + value + "\"";
}

std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = innermost(app);
  return what_is_wrong(app, command, error) + " (see " + full_name(command) + " --help)";
}

}  // namespace diaryx::native
