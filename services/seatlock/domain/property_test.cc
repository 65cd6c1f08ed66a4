// Any sequence of commands gives the same outcomes and the same state in Decide and Apply, after a
// snapshot and its tail, and in the naive model; and no sequence gives one seat two holders.
//
// A failure prints its shrunk steps and a `reproduce` string: run the test again with
// RC_PARAMS="reproduce=..." (or "seed=..." for a whole run; "max_success=10000" for a long one).
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "services/seatlock/domain/decide.h"
#include "services/seatlock/domain/steps_for_test.h"
#include "services/seatlock/log/codec/record_codec.h"
#include "tests/testing/naive_model.h"

namespace seatlock::domain::testing {

namespace {

// What the sessions have used of their shares when a sequence begins: few commands are left.
constexpr NaiveModel::Share kUsedUp[] = {{kStartMs, 998, 0}, {kStartMs, 0, 9'998}};

using Decider =
    std::function<Decision(const Showtime&, const Command&, int64_t now_ms, const Rules&)>;

// Watches the changes alone: who may do what to a seat that somebody has.
class Observer {
 public:
  // What is wrong with `change`, empty for nothing.
  std::string See(const Change& change) {
    if (change.revision.value() != ++revision_) return "a hole in the revisions";
    std::set<std::string> seen;
    for (const SeatAfter& after : change.seats) {
      if (!seen.insert(after.seat.value()).second) return "a seat twice in one change";
      Holder& holder = holders_[after.seat.value()];
      const bool taken = after.status == SeatStatus::kLocked || after.status == SeatStatus::kBooked;
      if (taken && (holder.out_of_sale ||
                    (!holder.session.empty() && holder.session != after.session.value()))) {
        return "seat " + after.seat.value() + " has two holders";
      }
      holder = {};
      if (taken) holder = {after.session.value(), after.status == SeatStatus::kBooked};
      if (after.status == SeatStatus::kBlocked) holder = {"", true};
    }
    return "";
  }

 private:
  struct Holder {
    std::string session;
    bool out_of_sale = false;  // booked or blocked
  };
  uint64_t revision_ = kOlder;
  std::map<std::string, Holder> holders_;
};

void AddAnswer(Outcome& outcome, const Answer& answer) {
  outcome.revision = answer.revision.value();
  for (const Lock& lock : answer.locks) {
    outcome.locks.emplace_back(lock.seat.value(), lock.session.value(), lock.expire_ms,
                               lock.fence.value());
  }
  for (const SeatId& seat : answer.order_seats) outcome.order_seats.push_back(seat.value());
  for (const SeatId& seat : answer.released) outcome.released.push_back(seat.value());
}

// `decision` as a caller sees it.
Outcome Seen(const Decision& decision, const Command& command, const std::vector<Change>& history) {
  Outcome outcome;
  if (const auto* refusal = std::get_if<Refusal>(&decision)) {
    outcome.refused = refusal->reason;
    outcome.limit = refusal->limit;
    outcome.held = refusal->held;
    outcome.max_expire_ms = refusal->max_expire_ms;
    for (const Conflict& c : refusal->conflicts) {
      outcome.conflicts.emplace(c.seat.value(), c.status, c.reason);
    }
  } else if (const auto* replay = std::get_if<Replay>(&decision)) {
    outcome.replayed = true;
    AddAnswer(outcome, AnswerFor(command, history.at(replay->revision.value() - kOlder - 1)));
  } else if (const auto* answer = std::get_if<Answer>(&decision)) {
    AddAnswer(outcome, *answer);
  } else {
    const Change& change = std::get<Change>(decision);
    outcome.changed = true;
    outcome.cause = change.cause;
    AddAnswer(outcome, AnswerFor(command, change));
    for (const SeatAfter& after : change.seats) {
      outcome.after[after.seat.value()] = {after.status, after.session.value(), after.expire_ms,
                                           after.order.value()};
    }
  }
  return outcome;
}

// The model's state as parts, its request hashes left out.
ShowtimeParts ModelParts(const NaiveModel& model, int64_t commit_ms) {
  ShowtimeParts parts{
      .revision = Revision(model.revision()), .commit_ms = commit_ms, .closed = model.closed()};
  for (const auto& [name, seat] : model.seats()) {
    SeatState state{.seat = SeatId(name),
                    .status = seat.status,
                    .session = SessionId(seat.session),
                    .expire_ms = seat.expire_ms,
                    .granted_ms = seat.granted_ms,
                    .fence = Fence(seat.fence),
                    .order = OrderId(seat.order),
                    .freed_ms = seat.freed_ms};
    for (const NaiveModel::Grant& grant : model.grants()) {
      if (grant.seat != name) continue;
      state.last_grant_session = SessionId(grant.session);
      state.last_grant_fence = Fence(grant.fence);
    }
    for (const NaiveModel::Grant& grant : model.grants()) {
      if (grant.seat == name && grant.session != state.last_grant_session.value()) {
        state.other_grant_fence = Fence(grant.fence);
      }
    }
    parts.seats.push_back(state);
  }
  for (const auto& [name, order] : model.orders()) {
    OrderEntry entry{.order = OrderId(name), .closed = order.closed};
    for (const std::string& seat : order.seats) entry.seats.emplace_back(seat);
    for (const std::string& seat : order.cancelled) {
      if (!order.closed) entry.cancelled.emplace_back(seat);
    }
    parts.orders.push_back(entry);
  }
  for (const auto& [id, made] : model.requests()) {
    parts.requests.push_back({.key = {.id = RequestId(id)},
                              .revision = Revision(made.answer.revision),
                              .commit_ms = made.commit_ms});
  }
  std::sort(parts.requests.begin(), parts.requests.end(),
            [](const auto& a, const auto& b) { return a.revision < b.revision; });
  for (const auto& [session, share] : model.shares()) {
    parts.shares.push_back(
        {SessionId(session), share.since_ms, share.unseen_seats, share.requests});
  }
  return parts;
}

bool IsOlder(const std::string& id) {
  return id.starts_with("0") || id.starts_with("z");
}

// `parts` without the hashes, without the order of the shares, without what is older than the
// sequence, and without what is forgotten at `now_ms`: Apply drops that later.
ShowtimeParts Comparable(ShowtimeParts parts, int64_t now_ms) {
  std::erase_if(parts.seats, [](const auto& seat) { return IsOlder(seat.seat.value()); });
  std::erase_if(parts.requests, [](const auto& entry) { return IsOlder(entry.key.id.value()); });
  std::erase_if(parts.shares, [](const auto& share) { return IsOlder(share.session.value()); });
  std::erase_if(parts.seats, [&](const SeatState& seat) {
    return seat.status == SeatStatus::kAvailable && now_ms > seat.freed_ms + kGrantMemoryMs;
  });
  std::erase_if(parts.requests,
                [&](const RequestEntry& entry) { return IsForgotten(entry, now_ms); });
  for (RequestEntry& entry : parts.requests) entry.key.body_hash.clear();
  std::erase_if(parts.shares, [&](const ShareEntry& share) { return IsForgotten(share, now_ms); });
  std::sort(parts.shares.begin(), parts.shares.end(),
            [](const auto& a, const auto& b) { return a.session < b.session; });
  return parts;
}

// How often each outcome came up.
struct Coverage {
  std::set<Reason> refusals;
  std::set<Cause> causes;
  int replays = 0;
  int no_changes = 0;
};

// Runs steps on every rendering of one showtime and compares them after each.
class Worlds {
 public:
  Worlds(const Decider& decide, Coverage* coverage) : decide_(decide), coverage_(coverage) {
    ShowtimeParts start{.commit_ms = kStartMs};
    AddOlder(start);
    model_.BeginAt(kOlder);
    for (int i = 0; i < 2; ++i) {
      const std::string session = "s" + std::to_string(i);
      model_.Begin(session, kUsedUp[i]);
      start.shares.push_back(
          {SessionId(session), kStartMs, kUsedUp[i].unseen_seats, kUsedUp[i].requests});
    }
    folded_ = *Showtime::Restore(start);
    restored_ = *Showtime::Restore(start);
  }

  // What went wrong, empty for nothing.
  std::string Run(const std::vector<Step>& steps) {
    for (size_t i = 0; i < steps.size(); ++i) {
      const Step& step = steps[i];
      now_ms_ += kWaitsMs[step.wait];
      std::string fault;
      const auto earliest = folded_.earliest_expire_ms();
      if (!step.no_expiry && earliest && *earliest <= now_ms_) fault = Do(ExpireNow());
      if (!step.again) last_ = ToCommand(step, i / kStepsAnEra, folded_.revision().value());
      if (fault.empty()) fault = Do(last_);
      if (fault.empty() && step.restart) fault = Restart();
      if (!fault.empty()) return fault;
    }
    return "";
  }

 private:
  static Command ExpireNow() { return {.body = ExpireLocks{}}; }

  std::string Do(const Command& command) {
    if (!Validate(command).empty()) return "not a valid command: " + Describe(command);
    const Decision decision = decide_(folded_, command, now_ms_, kRules);
    const Outcome seen = Seen(decision, command, history_);
    const Outcome expected = model_.Do(command, now_ms_);
    Count(seen);
    if (const auto* change = std::get_if<Change>(&decision)) {
      if (std::string fault = Take(*change); !fault.empty()) return fault;
    }
    if (seen != expected) {
      return Describe(command) + "\n  decided: " + Describe(seen) +
             "\n  model:   " + Describe(expected);
    }
    return CompareStates(command);
  }

  std::string Take(const Change& change) {
    if (std::string fault = observer_.See(change); !fault.empty()) return fault;
    const std::string bytes = log::EncodeChange(change);
    absl::StatusOr<Change> decoded = log::DecodeChange(bytes);
    if (!decoded.ok() || *decoded != change || log::EncodeChange(*decoded) != bytes) {
      return "a change that does not survive its bytes";
    }
    if (change.principal != last_.principal && change.cause != Cause::kExpired) {
      return "a change of another principal";
    }
    history_.push_back(change);
    folded_.Apply(change);
    // As a store's records are folded: every change that was decided fits.
    return restored_.TryApply(*decoded).ToString() == "OK" ? "" : "a change that does not fit";
  }

  std::string CompareStates(const Command& command) {
    const ShowtimeParts folded = folded_.Export();
    if (folded != restored_.Export()) return Describe(command) + ": snapshot and tail differ";
    if (Comparable(folded, now_ms_) != ModelParts(model_, folded_.commit_ms())) {
      return Describe(command) + ": the model's state differs";
    }
    return CompareIndexes(folded);
  }

  // The queries against the whole state.
  std::string CompareIndexes(const ShowtimeParts& parts) {
    std::map<SessionId, std::vector<SeatId>> held;
    std::set<std::pair<int64_t, SeatId>> expiries;
    size_t taken = 0;
    SeatCounts counts;
    for (const SeatState& seat : parts.seats) {
      if (seat.status != SeatStatus::kAvailable) ++taken;
      if (seat.status == SeatStatus::kBooked) ++counts.booked;
      if (seat.status == SeatStatus::kBlocked) ++counts.blocked;
      if (seat.status == SeatStatus::kLocked && seat.expire_ms > now_ms_ + 1000) ++counts.locked;
      if (seat.status != SeatStatus::kLocked) continue;
      held[seat.session].push_back(seat.seat);
      expiries.insert({seat.expire_ms, seat.seat});
    }
    for (int i = 0; i < 4; ++i) {
      const SessionId session("s" + std::to_string(i));
      if (folded_.HeldBy(session) != held[session]) return "HeldBy differs";
      if (folded_.HeldCount(session) != held[session].size()) return "HeldCount differs";
    }
    std::vector<SeatId> lapsed;
    for (const auto& [expire_ms, seat] : expiries) {
      if (expire_ms <= now_ms_ + 1000) lapsed.push_back(seat);
    }
    if (folded_.LapsedAt(now_ms_ + 1000, 100) != lapsed) return "LapsedAt differs";
    if (lapsed.size() > 1) lapsed.resize(1);
    if (folded_.LapsedAt(now_ms_ + 1000, 1) != lapsed) return "LapsedAt with a bound differs";
    const auto earliest = folded_.earliest_expire_ms();
    if (earliest.has_value() == expiries.empty()) return "earliest_expire_ms differs";
    if (earliest && *earliest != expiries.begin()->first) return "earliest_expire_ms differs";
    if (folded_.CountsAt(now_ms_ + 1000) != counts) return "CountsAt differs";
    if (folded_.TakenFrom(SeatId(), SIZE_MAX).size() != taken) return "TakenSeats differs";
    return "";
  }

  std::string Restart() {
    const std::string bytes = log::EncodeSnapshot(folded_.Export());
    absl::StatusOr<ShowtimeParts> parts = log::DecodeSnapshot(bytes);
    if (!parts.ok()) return "a snapshot that does not decode";
    absl::StatusOr<Showtime> restored = Showtime::Restore(*std::move(parts));
    if (!restored.ok()) return restored.status().ToString();
    restored_ = *std::move(restored);
    return restored_.Export() == folded_.Export() ? "" : "a snapshot that differs";
  }

  void Count(const Outcome& seen) {
    if (coverage_ == nullptr) return;
    if (seen.refused) coverage_->refusals.insert(*seen.refused);
    if (seen.cause) coverage_->causes.insert(*seen.cause);
    if (seen.replayed) ++coverage_->replays;
    if (!seen.refused && !seen.changed && !seen.replayed) ++coverage_->no_changes;
  }

  const Decider& decide_;
  Coverage* coverage_;
  int64_t now_ms_ = kStartMs;
  Command last_ = ExpireNow();
  Showtime folded_;    // by Apply alone
  Showtime restored_;  // from the last snapshot, then by Apply
  NaiveModel model_{kRules.max_session_seats, kRules.max_lock_age_ms};
  Observer observer_;
  std::vector<Change> history_;
};

std::string FindFault(const Decider& decide, const std::vector<Step>& steps,
                      Coverage* coverage = nullptr) {
  return Worlds(decide, coverage).Run(steps);
}

// Whether the property, checked on `decide` with a fixed seed, fails.
bool PropertyFails(const Decider& decide) {
  const rc::detail::TestParams params{.seed = 42,
                                      .maxSuccess = 100,
                                      .maxSize = 100,
                                      .maxDiscardRatio = 10,
                                      .disableShrinking = true};
  const auto result = rc::detail::checkTestable(
      [&] {
        const auto steps = *Steps();
        const std::string fault = FindFault(decide, steps);
        if (!fault.empty()) RC_FAIL(fault);
      },
      rc::detail::TestMetadata{}, params);
  return result.is<rc::detail::FailureResult>();
}

RC_GTEST_PROP(Rules, AnySequenceAgreesWithTheModelAndWithSnapshots, ()) {
  const auto steps = *Steps();
  const std::string fault = FindFault(Decide, steps);
  if (!fault.empty()) RC_FAIL(fault);
}

TEST(RulesControl, UnbrokenRulesPassTheFixedSeed) {
  EXPECT_FALSE(PropertyFails(Decide));
}

// The negative control: a lock that ignores the holder.
TEST(RulesControl, LockThatIgnoresTheHolderIsDetected) {
  EXPECT_TRUE(PropertyFails([](const Showtime& showtime, const Command& command, int64_t now_ms,
                               const Rules& rules) -> Decision {
    Decision decision = Decide(showtime, command, now_ms, rules);
    const auto* refusal = std::get_if<Refusal>(&decision);
    const auto* lock = std::get_if<LockSeats>(&command.body);
    if (!lock || !refusal || refusal->reason != Reason::kSeatTaken) return decision;
    return Change{.revision = showtime.revision().Next(),
                  .commit_ms = now_ms,
                  .cause = Cause::kLock,
                  .seats = {{.seat = refusal->conflicts[0].seat,
                             .status = SeatStatus::kLocked,
                             .session = lock->session,
                             .expire_ms = now_ms + 1000,
                             .fence = Fence(showtime.revision().value() + 1)}},
                  .principal = command.principal};
  }));
}

TEST(RulesControl, BookingThatIgnoresFencesIsDetected) {
  EXPECT_TRUE(PropertyFails(
      [](const Showtime& showtime, const Command& command, int64_t now_ms, const Rules& rules) {
        Command without = command;
        if (auto* book = std::get_if<BookSeats>(&without.body)) book->fences.clear();
        without.request_id.reset();
        Decision decision = Decide(showtime, without, now_ms, rules);
        if (auto* change = std::get_if<Change>(&decision); change && command.request_id) {
          if (showtime.FindRequest(*command.request_id))
            return Decide(showtime, command, now_ms, rules);
          change->request = RequestKey{*command.request_id, BodyHash(command)};
        }
        return decision;
      }));
}

TEST(RulesControl, ForgettingRequestIdsIsDetected) {
  EXPECT_TRUE(PropertyFails(
      [](const Showtime& showtime, const Command& command, int64_t now_ms, const Rules& rules) {
        const Command without{.body = command.body, .principal = command.principal};
        return Decide(showtime, without, now_ms, rules);
      }));
}

TEST(RulesControl, SellingAfterTheCloseIsDetected) {
  EXPECT_TRUE(PropertyFails(
      [](const Showtime& showtime, const Command& command, int64_t now_ms, const Rules& rules) {
        ShowtimeParts parts = showtime.Export();
        const bool sells = std::holds_alternative<BookSeats>(command.body);
        if (sells) parts.closed = false;
        return Decide(*Showtime::Restore(std::move(parts)), command, now_ms, rules);
      }));
}

TEST(RulesControl, LockingPastTheShareIsDetected) {
  EXPECT_TRUE(PropertyFails(
      [](const Showtime& showtime, const Command& command, int64_t now_ms, const Rules& rules) {
        ShowtimeParts parts = showtime.Export();
        parts.shares.clear();
        return Decide(*Showtime::Restore(std::move(parts)), command, now_ms, rules);
      }));
}

// Sequences that never reach a rule would prove nothing about it.
TEST(RulesControl, GeneratedSequencesReachEveryOutcome) {
  Coverage coverage;
  const auto gen = Steps();
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const auto steps = gen(rc::Random(seed), 100).value();
    ASSERT_EQ(FindFault(Decide, steps, &coverage), "") << "seed " << seed;
  }
  EXPECT_EQ(
      coverage.refusals,
      (std::set<Reason>{Reason::kRequestIdReused, Reason::kUnknownOrder, Reason::kOrderCancelled,
                        Reason::kOrderMismatch, Reason::kNothingHeld, Reason::kSeatTaken,
                        Reason::kNotLockHolder, Reason::kStaleFence, Reason::kSessionSeatLimit,
                        Reason::kExtendLimit, Reason::kShowtimeClosed, Reason::kOverloaded}));
  EXPECT_EQ(coverage.causes,
            (std::set<Cause>{Cause::kLock, Cause::kUnlock, Cause::kSwap, Cause::kExtend,
                             Cause::kExpired, Cause::kBook, Cause::kCancel, Cause::kBlock,
                             Cause::kUnblock, Cause::kRelease, Cause::kClose, Cause::kReopen}));
  EXPECT_GT(coverage.replays, 10);
  EXPECT_GT(coverage.no_changes, 10);
}

}  // namespace
}  // namespace seatlock::domain::testing
