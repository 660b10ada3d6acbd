#include "change_questions.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "diaryx/base/result.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/doc_id.h"

namespace diaryx::sync::relay {
namespace {

auto is_of(ConnectionId connection, std::string_view workspace) {
  return [=](const auto& one) { return one.connection == connection && one.workspace == workspace; };
}

}  // namespace

std::optional<Sequence> ChangeQuestions::sequence_of(std::string_view cursor) const {
  const std::string prefix = lineage_ + ":";
  if (lineage_.empty() || !cursor.starts_with(prefix)) return std::nullopt;
  cursor.remove_prefix(prefix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), number);
  if (error != std::errc{} || end != cursor.data() + cursor.size()) return std::nullopt;
  return Sequence{number};
}

bool ChangeQuestions::is_asked(ConnectionId connection, std::string_view workspace) const {
  return std::ranges::any_of(questions_, is_of(connection, workspace), &decltype(questions_)::value_type::second);
}

void ChangeQuestions::ask(Ticket ticket, Question question) {
  DX_ASSERT(!is_asked(question.connection, question.workspace));
  questions_.emplace(ticket, std::move(question));
}

std::optional<ChangeQuestions::Question> ChangeQuestions::take(Ticket ticket) {
  auto taken = questions_.extract(ticket);
  if (!taken) return std::nullopt;
  return std::move(taken.mapped());
}

std::optional<ChangeQuestions::Answer> ChangeQuestions::answer(Question question, const ChangesListed& listed,
                                                               std::set<Ticket> behind) {
  Changes changes{.workspace = question.workspace, .cursor = {}, .known = listed.known, .keys = {}};
  if (listed.through != Sequence{}) changes.cursor = lineage_ + ":" + std::to_string(listed.through.value());
  if (listed.known) {
    question.in_flight.insert(listed.documents.begin(), listed.documents.end());
    for (const std::string& document : question.in_flight) {
      const auto parsed = parse_doc_id(document);
      if (parsed && parsed->kind == DocKind::Body) changes.keys.emplace_back(parsed->key);
    }
  }
  auto text = std::make_shared<const std::string>(format_control(changes));
  if (behind.empty()) return Answer{question.connection, std::move(text)};
  held_.push_back({question.connection, std::move(question.workspace), std::move(text), std::move(behind)});
  return std::nullopt;
}

std::vector<ChangeQuestions::Answer> ChangeQuestions::on_append_answered(Ticket append) {
  std::vector<Answer> answers;
  std::erase_if(held_, [&](Held& held) {
    held.behind.erase(append);
    if (!held.behind.empty()) return false;
    answers.push_back({held.connection, std::move(held.text)});
    return true;
  });
  return answers;
}

void ChangeQuestions::forget(ConnectionId connection, std::string_view workspace) {
  const auto is_theirs = is_of(connection, workspace);
  std::erase_if(questions_, [&](const auto& asked) { return is_theirs(asked.second); });
  std::erase_if(held_, is_theirs);
}

}  // namespace diaryx::sync::relay
