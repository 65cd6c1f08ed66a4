#include "services/seatlock/engine/shared_judge.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {
namespace {

using domain::testing::Outcome;

Taken TakenOf(const domain::testing::NaiveModel& model) {
  Taken taken;
  for (const auto& [name, seat] : model.seats()) {
    if (seat.status != domain::SeatStatus::kAvailable) taken[name] = {seat.status, seat.session};
  }
  return taken;
}

// Whether `change` is what the model made of the same command.
bool Same(const domain::Change& change, const Outcome& outcome) {
  if (!outcome.changed || outcome.cause != change.cause ||
      outcome.revision != change.revision.value() || outcome.after.size() != change.seats.size()) {
    return false;
  }
  return std::all_of(change.seats.begin(), change.seats.end(), [&](const auto& seat) {
    const auto after = outcome.after.find(seat.seat.value());
    return after != outcome.after.end() &&
           after->second ==
               std::tuple(seat.status, seat.session.value(), seat.expire_ms, seat.order.value());
  });
}

}  // namespace

std::string JudgeEncoder::EncodeChange(const domain::ShowtimeId&, const domain::Epoch& epoch,
                                       const domain::Change& change) const {
  return absl::StrCat("C", epoch.value(), "\n", log::EncodeChange(change));
}

std::string JudgeEncoder::EncodeProgress(const Position& position) const {
  return absl::StrCat("P", position.epoch.value(), "\n", position.revision.value());
}

void JudgeEncoder::AppendSeat(const domain::SeatView& seat, std::string& bytes) const {
  absl::StrAppend(&bytes, "\n", seat.seat.value(), " ", static_cast<int>(seat.status), " ",
                  seat.session.value());
}

std::string JudgeEncoder::EncodeSnapshotHead(const domain::ShowtimeId&,
                                             const SnapshotPart& part) const {
  return absl::StrCat("S", part.position.epoch.value(), "\n", part.position.revision.value(), " ",
                      part.replaces ? 1 : 0);
}

SharedJudge::SharedJudge(const domain::Rules& rules) : rules_(rules) {
  models_.push_back(std::make_shared<Model>(rules.max_session_seats, rules.max_lock_age_ms));
  versions_.push_back({0, models_.back()});
}

void SharedJudge::Blame(const std::string& what) {
  if (fault_.empty()) fault_ = what;
}

void SharedJudge::SeeTime(int64_t now_ms) {
  times_.emplace_back(++events_, now_ms);
}

void SharedJudge::SeeDurable(const std::vector<log::StoredRecord>& records,
                             const std::string& generation) {
  size_t same = 0;
  while (same < records.size() && same < records_.size() && records[same] == records_[same]) ++same;
  if (same < records_.size()) {
    if (generation == generation_) Blame("history was rewritten in one generation");
    Undo(same);
  }
  generation_ = generation;
  for (size_t i = same; i < records.size(); ++i) AddRecord(records[i]);
}

void SharedJudge::Undo(size_t upto) {
  ++counts_["rewinds"];
  for (size_t i = upto; i < records_.size(); ++i) {
    const domain::Change change = *log::DecodeChange(records_[i].bytes);
    if (!change.request) continue;
    Attempts& attempts = attempts_[change.request->id.value()];
    attempts.revision.reset();
    attempts.lost.insert(change.revision.value());
  }
  records_.resize(upto);
  models_.resize(upto + 1);
  versions_.push_back({++events_, models_.back()});
}

void SharedJudge::AddRecord(const log::StoredRecord& record) {
  const domain::Change change = *log::DecodeChange(record.bytes);
  domain::Command command{{}, domain::ExpireLocks{}};
  if (change.request) {
    Attempts& attempts = attempts_[change.request->id.value()];
    command = attempts.command;
    if (attempts.may_land == 0 && attempts.done == 0) {
      Blame(absl::StrCat("made, though all were told that it was not: ",
                         domain::testing::Describe(command)));
    }
    attempts.revision = change.revision.value();
  } else if (change.cause != domain::Cause::kExpired) {
    Blame("a change that nobody asked for");
  }
  Model next = *models_.back();
  if (!Same(change, next.Do(command, change.commit_ms))) {
    Blame(absl::StrCat("the model differs at revision ", change.revision.value(), ": ",
                       domain::testing::Describe(command)));
  }
  ++counts_["changes"];
  ever_durable_.insert(record.bytes);
  records_.push_back(record);
  models_.push_back(std::make_shared<Model>(std::move(next)));
  versions_.push_back({++events_, models_.back()});
}

SharedJudge::Question SharedJudge::Ask(domain::Command command) {
  if (command.request_id) {
    Attempts& attempts = attempts_[command.request_id->value()];
    attempts.command = command;
    ++attempts.may_land;
  }
  return {std::move(command), ++events_, times_.back().second};
}

template <typename Test>
bool SharedJudge::Any(const Question& question, Test test) const {
  for (size_t i = versions_.size(); i-- > 0;) {
    if (test(*versions_[i].model)) return true;
    if (versions_[i].since <= question.asked) return false;  // those before it were over
  }
  return false;
}

bool SharedJudge::Justified(const Question& question,
                            const std::function<bool(const Outcome&)>& test) const {
  std::set<int64_t> when{question.asked_ms};
  for (const auto& [event, now_ms] : times_) {
    if (event > question.asked) when.insert(now_ms);
  }
  return Any(question, [&](const Model& model) {
    return std::any_of(when.begin(), when.end(), [&](int64_t now_ms) {
      Model then = model;
      if (test(Model(model).Do(question.command, now_ms))) return true;
      then.Do(domain::Command{{}, domain::ExpireLocks{}}, now_ms);
      return test(then.Do(question.command, now_ms));
    });
  });
}

void SharedJudge::SeeAnswer(const Question& question, const domain::Answer& answer) {
  Attempts& attempts = attempts_[question.command.request_id->value()];
  const uint64_t revision = answer.revision.value();
  ++counts_["answers"];
  if (attempts.revision == revision || attempts.lost.contains(revision)) {
    ++attempts.done;
    return;
  }
  const bool nothing_to_do = Justified(question, [revision](const Outcome& outcome) {
    return !outcome.refused && !outcome.changed && outcome.revision == revision;
  });
  if (nothing_to_do) {
    ++counts_["no-ops"];
    return;
  }
  Blame(absl::StrCat("acknowledged at ", revision,
                     ", and it is not there: ", domain::testing::Describe(question.command)));
}

void SharedJudge::SeeResult(const Question& question, const Result& result) {
  ++events_;
  Attempts& attempts = attempts_[question.command.request_id->value()];
  const auto* failure = std::get_if<Failure>(&result);
  const bool unknown = failure != nullptr && failure->kind == Failure::Kind::kOutcomeUnknown;
  if (!unknown) --attempts.may_land;
  if (auto* answer = std::get_if<domain::Answer>(&result)) return SeeAnswer(question, *answer);
  if (unknown) return void(++counts_["unknown"]);
  const auto* refusal = std::get_if<domain::Refusal>(&result);
  if (refusal != nullptr && refusal->reason == domain::Reason::kLockExpired) {
    ++attempts.done;
    return;
  }
  if (attempts.revision && attempts.may_land == 0 && attempts.done == 0) {
    return Blame(absl::StrCat("said not to be made, and it was: ",
                              domain::testing::Describe(question.command)));
  }
  if (failure != nullptr) {
    ++counts_["failures"];
    if (failure->kind == Failure::Kind::kDamaged) Blame("damaged: " + failure->message);
    return;
  }
  ++counts_["refusals"];
  const bool justified = Justified(
      question, [&](const Outcome& outcome) { return outcome.refused == refusal->reason; });
  if (!justified) {
    Blame(
        absl::StrCat("refused for what was not so: ", domain::testing::Describe(question.command)));
  }
}

void SharedJudge::SeeRead(const Question& question, domain::Revision revision, const Taken& taken) {
  ++events_;
  ++counts_["reads"];
  const bool was_so = Any(question, [&](const Model& model) {
    return model.revision() == revision.value() && TakenOf(model) == taken;
  });
  if (!was_so) Blame(absl::StrCat("read at revision ", revision.value(), " what was not so"));
}

void SharedJudge::SeeChange(const std::string& bytes) {
  ++counts_["changes shown"];
  if (!ever_durable_.contains(bytes)) Blame("a change was shown that was never durable");
}

void SharedJudge::SeeSnapshot(domain::Revision revision, const Taken& taken) {
  ++counts_["snapshots shown"];
  const bool was_so = std::any_of(versions_.begin(), versions_.end(), [&](const Version& version) {
    return version.model->revision() == revision.value() && TakenOf(*version.model) == taken;
  });
  if (!was_so) Blame(absl::StrCat("a snapshot at ", revision.value(), " that was never so"));
}

domain::Revision SharedJudge::revision() const {
  return domain::Revision(models_.back()->revision());
}

Taken SharedJudge::taken() const {
  return TakenOf(*models_.back());
}

std::optional<Position> WatchedView::position() const {
  if (!begun_) return std::nullopt;
  return Position{domain::Epoch(epoch_), revision_};
}

void WatchedView::See(const std::string& message) {
  const size_t end = message.find('\n');
  const std::string epoch = message.substr(1, end - 1);
  const std::string rest = message.substr(end + 1);
  if (message[0] == 'C') return SeeChange(epoch, rest);
  if (message[0] == 'S') {
    epoch_ = epoch;
    return SeeSnapshot(rest);
  }
  begun_ = true;
  if (rest != absl::StrCat(revision_.value())) {
    judge_.Blame(absl::StrCat("progress ", rest, " to one at ", revision_.value()));
  }
  if (revision_.value() > 0 && epoch != epoch_) judge_.Blame("progress of another epoch");
}

void WatchedView::SeeChange(const std::string& epoch, const std::string& bytes) {
  begun_ = true;
  judge_.SeeChange(bytes);
  const domain::Change change = *log::DecodeChange(bytes);
  if (change.revision != revision_.Next()) {
    judge_.Blame(absl::StrCat("change ", change.revision.value(), " after ", revision_.value()));
  }
  if (revision_.value() > 0 && epoch != epoch_) judge_.Blame("a change of another epoch");
  epoch_ = epoch;
  revision_ = change.revision;
  for (const domain::SeatAfter& seat : change.seats) {
    if (seat.status == domain::SeatStatus::kAvailable) {
      taken_.erase(seat.seat.value());
    } else {
      taken_[seat.seat.value()] = {seat.status, seat.session.value()};
    }
  }
}

void WatchedView::SeeSnapshot(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  const std::vector<std::string> head = absl::StrSplit(lines[0], ' ');
  uint64_t revision = 0;
  (void)absl::SimpleAtoi(head[0], &revision);
  if (begun_ && head[1] == "0") judge_.Blame("a snapshot that replaces and does not say so");
  begun_ = true;
  revision_ = domain::Revision(revision);
  taken_.clear();
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> seat = absl::StrSplit(lines[i], ' ');
    taken_[seat[0]] = {static_cast<domain::SeatStatus>(seat[1][0] - '0'), seat[2]};
  }
  judge_.SeeSnapshot(revision_, taken_);
}

}  // namespace seatlock::engine
