#include "tests/testing/model_judge.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/windows.h"

namespace seatlock::testing {
namespace {

using domain::Command;
using domain::testing::NaiveModel;
using domain::testing::Outcome;

// The service's own limits, by default.
constexpr uint32_t kSessionSeatsMax = 100;
constexpr int64_t kLockAgeMaxMs = 7'200'000;
// How far a server's clock may be from the one that callers note their times by. All are on one
// machine; a server follows its store's clock within milliseconds.
constexpr int64_t kClockSlackMs = 200;
// A lock that lapsed so long ago must not count, however late a busy machine's timers are.
constexpr int64_t kLapsedMs = 1'000;

absl::Status Broken(const std::string& what, const std::string& about) {
  return absl::FailedPreconditionError(what + ": " + about);
}

std::string WordsOf(const v1::Change& change) {
  std::string words =
      absl::StrCat("change ", change.revision(), " ", v1::ChangeCause_Name(change.cause()), " at ",
                   ToMs(change.commit_time()));
  for (const v1::Seat& seat : change.seats()) absl::StrAppend(&words, ", ", Describe(seat));
  return words;
}

const Command* CommandIn(const Call& call) {
  return std::get_if<Command>(&call.question);
}

// Ties a change to those who may have asked for it: its cause, and its session or order.
using Asker = std::pair<v1::ChangeCause, std::string>;

struct AskerOf {
  Asker operator()(const domain::LockSeats& c) const {
    return {c.release.empty() ? v1::CHANGE_CAUSE_LOCK : v1::CHANGE_CAUSE_SWAP, c.session.value()};
  }
  Asker operator()(const domain::UnlockSeats& c) const {
    return {v1::CHANGE_CAUSE_UNLOCK, c.session.value()};
  }
  Asker operator()(const domain::ExtendLocks& c) const {
    return {v1::CHANGE_CAUSE_EXTEND, c.session.value()};
  }
  Asker operator()(const domain::BookSeats& c) const {
    return {v1::CHANGE_CAUSE_BOOK, c.order.value()};
  }
  Asker operator()(const domain::CancelBooking& c) const {
    return {v1::CHANGE_CAUSE_CANCEL, c.order.value()};
  }
  Asker operator()(const domain::ExpireLocks&) const { return {v1::CHANGE_CAUSE_EXPIRED, ""}; }
  Asker operator()(const domain::BlockSeats&) const { return {v1::CHANGE_CAUSE_BLOCK, ""}; }
  Asker operator()(const domain::UnblockSeats&) const { return {v1::CHANGE_CAUSE_UNBLOCK, ""}; }
  Asker operator()(const domain::ReleaseSeats&) const { return {v1::CHANGE_CAUSE_RELEASE, ""}; }
  Asker operator()(const domain::CloseShowtime& c) const {
    return {c.reopen ? v1::CHANGE_CAUSE_REOPEN : v1::CHANGE_CAUSE_CLOSE, ""};
  }

  Asker operator()(const v1::Change& change) const {
    const bool by_order =
        change.cause() == v1::CHANGE_CAUSE_BOOK || change.cause() == v1::CHANGE_CAUSE_CANCEL;
    if (change.seats().empty()) return {change.cause(), ""};
    const v1::Seat& seat = change.seats(0);
    return {change.cause(), by_order ? seat.order_id() : seat.session_id()};
  }
};

v1::ChangeCause ProtoOf(domain::Cause cause) {
  switch (cause) {
    case domain::Cause::kLock:
      return v1::CHANGE_CAUSE_LOCK;
    case domain::Cause::kUnlock:
      return v1::CHANGE_CAUSE_UNLOCK;
    case domain::Cause::kSwap:
      return v1::CHANGE_CAUSE_SWAP;
    case domain::Cause::kExtend:
      return v1::CHANGE_CAUSE_EXTEND;
    case domain::Cause::kExpired:
      return v1::CHANGE_CAUSE_EXPIRED;
    case domain::Cause::kBook:
      return v1::CHANGE_CAUSE_BOOK;
    case domain::Cause::kCancel:
      return v1::CHANGE_CAUSE_CANCEL;
    case domain::Cause::kBlock:
      return v1::CHANGE_CAUSE_BLOCK;
    case domain::Cause::kUnblock:
      return v1::CHANGE_CAUSE_UNBLOCK;
    case domain::Cause::kRelease:
      return v1::CHANGE_CAUSE_RELEASE;
    case domain::Cause::kClose:
      return v1::CHANGE_CAUSE_CLOSE;
    case domain::Cause::kReopen:
      return v1::CHANGE_CAUSE_REOPEN;
  }
  return v1::CHANGE_CAUSE_UNSPECIFIED;
}

v1::SeatStatus ProtoOf(domain::SeatStatus status) {
  return static_cast<v1::SeatStatus>(static_cast<int>(status) + 1);
}

// Whether `change` is what the model made of the same command.
bool Same(const v1::Change& change, const Outcome& outcome) {
  if (!outcome.changed || !outcome.cause || ProtoOf(*outcome.cause) != change.cause() ||
      outcome.revision != change.revision() ||
      outcome.after.size() != static_cast<size_t>(change.seats_size())) {
    return false;
  }
  return std::all_of(change.seats().begin(), change.seats().end(), [&](const v1::Seat& seat) {
    const auto after = outcome.after.find(seat.seat_id());
    if (after == outcome.after.end()) return false;
    const auto& [status, session, expire_ms, order] = after->second;
    return std::tuple(ProtoOf(status), session, expire_ms, order) ==
           std::tuple(seat.status(), seat.session_id(), ToMs(seat.expire_time()), seat.order_id());
  });
}

class Judge {
 public:
  Judge(const std::string& showtime, const std::vector<v1::Change>& changes,
        const std::vector<Call>& calls)
      : changes_(changes), makers_(changes.size() + 1) {
    for (const Call& call : calls) {
      if (call.showtime == showtime) calls_.push_back(&call);
    }
    std::stable_sort(calls_.begin(), calls_.end(), [](const Call* a, const Call* b) {
      return a->times.first_asked < b->times.first_asked;
    });
  }

  absl::StatusOr<Judged> Run() {
    absl::Status status = FindMakers();
    if (status.ok()) status = SetWindows();
    if (status.ok()) status = Replay();
    if (!status.ok()) return status;
    return judged_;
  }

 private:
  // An answer that is held against states, until one justifies it or the last one did not.
  struct Waiting {
    const Call* call;
    uint64_t last;
  };

  bool IsSuccess(const Call& call) const {
    return call.end == Call::End::kAnswered && !call.said.refused;
  }
  bool IsMaker(const Call* call) const { return is_maker_.contains(call); }

  void SetMaker(uint64_t revision, const Call* call) {
    makers_[revision] = call;
    is_maker_.emplace(call, revision);
  }

  // A cancellation that only bars an order names nobody.
  static bool MayBeOf(const v1::Change& change, const Asker& asker) {
    const Asker named = AskerOf()(change);
    return named == asker || (change.seats().empty() && named.first == asker.first);
  }

  // Who asked for each change: the first who was acknowledged at its revision; or else the first of
  // those who do not know what became of theirs; or else a call whose retry changed nothing, if an
  // earlier attempt of it can have landed after that.
  absl::Status FindMakers() {
    std::map<Asker, std::vector<const Call*>> unknown;
    std::map<Asker, std::vector<const Call*>> retried;
    for (const Call* call : calls_) {
      const Command* command = CommandIn(*call);
      if (command == nullptr) continue;
      const Asker asker = std::visit(AskerOf(), command->body);
      if (call->times.retried) retried[asker].push_back(call);
      if (call->said.refused) continue;
      if (call->end != Call::End::kAnswered) {
        unknown[asker].push_back(call);
        continue;
      }
      const uint64_t revision = call->said.revision;
      if (revision == 0 || revision > changes_.size() || makers_[revision] != nullptr) continue;
      if (MayBeOf(changes_[revision - 1], asker)) SetMaker(revision, call);
    }
    for (const v1::Change& change : changes_) {
      if (change.revision() != static_cast<uint64_t>(&change - changes_.data()) + 1) {
        return Broken("a hole before", WordsOf(change));
      }
      if (change.cause() == v1::CHANGE_CAUSE_EXPIRED || makers_[change.revision()] != nullptr) {
        continue;
      }
      const Asker asker = AskerOf()(change);
      std::vector<const Call*>& askers = unknown[asker];
      if (!askers.empty()) {
        SetMaker(change.revision(), askers.front());
        askers.erase(askers.begin());
      } else if (!SetLateMaker(change, retried[asker])) {
        return Broken("nobody asked, or was told that it was not done", WordsOf(change));
      }
    }
    return absl::OkStatus();
  }

  // A server that stands still may read a request late, when its caller has long been refused by
  // another one. What the retry was told was true all the same, so it is judged like any answer,
  // and the change must be younger than that question.
  bool SetLateMaker(const v1::Change& change, std::vector<const Call*>& retried) {
    const auto late = std::find_if(retried.begin(), retried.end(), [&](const Call* call) {
      return !IsMaker(call) &&
             ToMs(change.commit_time()) + kClockSlackMs >= call->times.last_asked_ms;
    });
    if (late == retried.end()) return false;
    makers_[change.revision()] = *late;
    late_[change.revision()] = *late;
    return true;
  }

  absl::Status SetWindows() {
    for (const Call* call : calls_) {
      if (IsSuccess(*call)) windows_.Answered(call->times.answered, call->said.revision);
    }
    for (const auto& [call, revision] : is_maker_) {
      windows_.Asked(call->times.first_asked, revision);
    }
    for (const auto& [revision, call] : late_) {
      windows_.Asked(call->times.first_asked, revision);
    }
    windows_.Close(changes_.size());
    for (const auto& [call, revision] : is_maker_) {
      const Window window = windows_.Of(call->times.first_asked, call->times.answered);
      const bool late = IsSuccess(*call) && revision > window.last;
      if (revision <= window.first || late) {
        return Broken(
            absl::StrCat("at revision ", revision, ", and between question and answer are ",
                         window.first + 1, " to ", window.last),
            Describe(*call));
      }
    }
    return absl::OkStatus();
  }

  // Says from which state on an answer is to be held against the model.
  absl::Status Queue(const Call* call) {
    if (call->end == Call::End::kEnded) return CheckEnded(*call);
    if (call->end == Call::End::kUnknown || IsMaker(call)) return absl::OkStatus();
    Window window = windows_.Of(call->times.last_asked, call->times.answered);
    if (!call->said.refused) {
      // It names its state; a repeated request that of its first answer, which may be older, and so
      // may be a change that is shown to one who missed it.
      const uint64_t revision = std::max(call->said.revision, window.first);
      if (!window.Has(revision)) return Object(*call, window);
      if (std::holds_alternative<SeeChange>(call->question)) return absl::OkStatus();
      window = {revision, revision};
    }
    if (window.first > window.last) return Object(*call, window);
    starts_[window.first].push_back({call, window.last});
    return absl::OkStatus();
  }

  absl::Status Replay() {
    for (const Call* call : calls_) {
      const absl::Status status = Queue(call);
      if (!status.ok()) return status;
    }
    for (uint64_t revision = 0;; ++revision) {
      const absl::Status status = JudgeAnswers(revision);
      if (!status.ok() || revision == changes_.size()) return status;
      const absl::Status made = Make(changes_[revision]);
      if (!made.ok()) return made;
    }
  }

  absl::Status Make(const v1::Change& change) {
    now_ms_ = ToMs(change.commit_time());
    const Call* maker = makers_[change.revision()];
    const Command command =
        maker == nullptr ? Command{{}, domain::ExpireLocks{}} : *CommandIn(*maker);
    const Outcome outcome = model_.Do(command, now_ms_);
    const auto words = [&] {
      return absl::StrCat(WordsOf(change), "; the model makes of ",
                          domain::testing::Describe(command), ": ",
                          domain::testing::Describe(outcome));
    };
    if (!Same(change, outcome)) return Broken("the model differs", words());
    ++judged_.changes;
    if (maker == nullptr || !IsMaker(maker)) return absl::OkStatus();
    if (maker->end != Call::End::kAnswered) return absl::OkStatus();
    if (SaidOf(outcome) == maker->said) return absl::OkStatus();
    return Broken("told otherwise than it was done", absl::StrCat(Describe(*maker), "; ", words()));
  }

  // Holds the answers that may rest on the state of `revision`, which the model is in, against it.
  absl::Status JudgeAnswers(uint64_t revision) {
    if (const auto more = starts_.find(revision); more != starts_.end()) {
      waiting_.insert(waiting_.end(), more->second.begin(), more->second.end());
      starts_.erase(more);
    }
    std::erase_if(waiting_, [&](const Waiting& waiting) { return Justifies(*waiting.call); });
    for (const Waiting& waiting : waiting_) {
      if (waiting.last == revision) return Object(*waiting.call, {0, revision});
    }
    return absl::OkStatus();
  }

  // Whether a server in the model's state gives this very answer. A repeated request gets its first
  // answer again in any later state, too.
  bool Justifies(const Call& call) {
    if (!IsRepeated(call) && HasLapsedLock(call.times.last_asked_ms)) return false;
    if (ModelSays(call) != call.said && !LeavesOutEndedLocksAlone(call)) return false;
    Count(call);
    return true;
  }

  // Whether the answer is the model's but for locks of which it cannot be told whether they had
  // ended when it was sent.
  bool LeavesOutEndedLocksAlone(const Call& call) const {
    const auto* read = std::get_if<ReadLocks>(&call.question);
    if (read == nullptr || call.said.revision != model_.revision()) return false;
    const std::set<std::string>& said = call.said.facts;
    const std::set<std::string> all = SaidOf(model_, *read).facts;
    const std::set<std::string> certain =
        SaidOf(model_, *read, call.times.answered_ms + kClockSlackMs).facts;
    return std::includes(all.begin(), all.end(), said.begin(), said.end()) &&
           std::includes(said.begin(), said.end(), certain.begin(), certain.end());
  }

  bool IsRepeated(const Call& call) const {
    const Command* command = CommandIn(call);
    return command != nullptr && command->request_id &&
           model_.requests().contains(command->request_id->value());
  }

  Said ModelSays(const Call& call) const {
    return std::visit([this](const auto& question) { return ModelSays(question); }, call.question);
  }
  template <typename Read>
  Said ModelSays(const Read& question) const {
    return SaidOf(model_, question);
  }
  // Nothing that a server says, if it were a change: that would be in the history.
  Said ModelSays(const Command& command) const {
    const Outcome outcome = model_.WouldDo(command, now_ms_);
    return outcome.changed ? Said() : SaidOf(outcome);
  }

  void Count(const Call& call) {
    if (CommandIn(call) == nullptr) {
      ++judged_.reads;
    } else if (call.said.refused) {
      ++judged_.refusals;
    } else if (IsRepeated(call)) {
      ++judged_.repeated;
    } else {
      ++judged_.no_ops;
    }
  }

  bool HasLapsedLock(int64_t asked_ms) const {
    return std::any_of(model_.seats().begin(), model_.seats().end(), [&](const auto& entry) {
      const NaiveModel::Seat& seat = entry.second;
      return seat.status == domain::SeatStatus::kLocked && seat.expire_ms + kLapsedMs < asked_ms;
    });
  }

  absl::Status CheckEnded(const Call& call) const {
    const Command* command = CommandIn(call);
    const auto* lock =
        command == nullptr ? nullptr : std::get_if<domain::LockSeats>(&command->body);
    const bool ended = lock != nullptr &&
                       std::any_of(changes_.begin(), changes_.end(), [&](const v1::Change& change) {
                         const v1::Seat* seat = change.seats().empty() ? nullptr : &change.seats(0);
                         return change.cause() == v1::CHANGE_CAUSE_LOCK &&
                                seat->session_id() == lock->session.value() &&
                                seat->seat_id() == lock->seats[0].value() &&
                                ToMs(seat->expire_time()) <= call.times.answered_ms + kClockSlackMs;
                       });
    return ended ? absl::OkStatus() : Broken("had not ended", Describe(call));
  }

  absl::Status Object(const Call& call, const Window& window) const {
    const bool read = CommandIn(call) == nullptr;
    const std::string what = read                ? "read what was not so"
                             : call.said.refused ? "refused without this reason"
                                                 : "acknowledged, and is not there";
    const Window between = windows_.Of(call.times.last_asked, call.times.answered);
    std::string model;
    if (window.last == model_.revision()) {
      const Said said = ModelSays(call);
      model = absl::StrCat("; the model at ", model_.revision(), " says ",
                           said == Said() ? "that it is to be done" : Describe(said));
      if (HasLapsedLock(call.times.last_asked_ms)) absl::StrAppend(&model, ", a lock had lapsed");
    }
    return Broken(absl::StrCat(what, " between revisions ", between.first, " and ", between.last),
                  absl::StrCat(Describe(call), model));
  }

  const std::vector<v1::Change>& changes_;
  std::vector<const Call*> calls_;            // of this showtime, by first question
  std::vector<const Call*> makers_;           // by revision; nullptr for EXPIRED
  std::map<const Call*, uint64_t> is_maker_;  // with the revision; without those in late_
  std::map<uint64_t, const Call*> late_;      // by revision: landed after their retry's answer
  Windows windows_;
  std::map<uint64_t, std::vector<Waiting>> starts_;  // by the first revision of the window
  std::vector<Waiting> waiting_;
  NaiveModel model_{kSessionSeatsMax, kLockAgeMaxMs};
  int64_t now_ms_ = 0;  // of the last change
  Judged judged_;
};

}  // namespace

void Judged::Add(const Judged& more) {
  changes += more.changes;
  refusals += more.refusals;
  no_ops += more.no_ops;
  repeated += more.repeated;
  reads += more.reads;
}

std::string Describe(const Judged& judged) {
  return absl::StrCat(judged.changes, " changes, ", judged.refusals, " refusals, ", judged.no_ops,
                      " no-ops, ", judged.repeated, " repeated requests, ", judged.reads, " reads");
}

absl::StatusOr<Judged> JudgeByModel(const std::string& showtime,
                                    const std::vector<v1::Change>& changes,
                                    const std::vector<Call>& calls) {
  return Judge(showtime, changes, calls).Run();
}

}  // namespace seatlock::testing
