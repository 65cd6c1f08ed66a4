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
#include "services/seatlock/log/codec/record_codec.h"
#include "tests/testing/naive_model.h"

namespace seatlock::domain::testing {

// One thing that happens. Small numbers, so that sequences collide and shrink.
struct Step {
  int kind = 0;
  int session = 0;
  int order = 0;
  int request = 0;  // 0: none
  std::vector<int> seats;
  std::vector<int> release;
  int wait = 0;   // index into kWaitsMs
  int ttl = 0;    // index into kTtlsMs; 0: default
  int fence = 0;  // 0: none, else how many revisions ago, plus 1
  bool all = false;
  bool special = false;    // only_held, tombstone, or a cap of one seat
  bool add = false;        // add_to_order
  bool restart = false;    // go on from a snapshot of this moment
  bool no_expiry = false;  // lapsed locks are not freed before the command
  bool again = false;      // the command before once more, to the letter
};

std::ostream& operator<<(std::ostream& out, const Step& s) {
  out << "{kind " << s.kind << " session " << s.session << " order " << s.order << " request "
      << s.request << " seats ";
  for (int seat : s.seats) out << seat << ",";
  out << " release ";
  for (int seat : s.release) out << seat << ",";
  return out << " wait " << s.wait << " ttl " << s.ttl << " fence " << s.fence << " all " << s.all
             << " special " << s.special << " add " << s.add << " restart " << s.restart
             << " no_expiry " << s.no_expiry << " again " << s.again << "}";
}

namespace {

constexpr int64_t kStartMs = 1'700'000'000'000;
constexpr int64_t kWaitsMs[] = {0, 1, 999, 1000, 30'000, 600'000, 1'200'000, 3'600'000, 3'600'001};
constexpr int64_t kTtlsMs[] = {600'000, 1000, 30'000, 600'001, 1'200'000, 7'200'000};
constexpr size_t kStepsAnEra = 24;
// What the sessions have used of their shares when a sequence begins: few commands are left.
constexpr NaiveModel::Share kUsedUp[] = {{kStartMs, 998, 0}, {kStartMs, 0, 9'998}};
// Seats, request_ids and shares each that are there when a sequence begins and that nobody names.
// Once their hour is over they are dropped a part with each change, and what the sequence itself
// made stays in the tables behind them after it is forgotten.
constexpr uint64_t kOlder = 200;
constexpr Rules kRules{.max_session_seats = 3, .max_lock_age_ms = 1'200'000};

using Decider =
    std::function<Decision(const Showtime&, const Command&, int64_t now_ms, const Rules&)>;

std::vector<SeatId> Seats(const std::vector<int>& numbers) {
  std::vector<SeatId> seats;
  for (int number : numbers) seats.emplace_back("A" + std::to_string(number));
  return seats;
}

std::vector<std::pair<SeatId, Fence>> Fences(const Step& step, uint64_t revision) {
  std::vector<std::pair<SeatId, Fence>> fences;
  if (step.fence == 0) return fences;
  const uint64_t age = static_cast<uint64_t>(step.fence) - 1;
  for (int seat : std::set<int>(step.seats.begin(), step.seats.end())) {
    fences.emplace_back(SeatId("A" + std::to_string(seat)),
                        Fence(revision > age ? revision - age : 0));
  }
  return fences;
}

// Closed orders and remembered requests stay: each `era` has its own, so that long sequences go on
// booking.
Command ToCommand(const Step& step, size_t era, uint64_t revision) {
  const SessionId session("s" + std::to_string(step.session));
  const OrderId order("o" + std::to_string(era) + "." + std::to_string(step.order));
  std::vector<SeatId> seats = Seats(step.seats);
  const bool all = step.all || seats.empty();
  std::optional<int64_t> ttl_ms;
  if (step.ttl > 0) ttl_ms = kTtlsMs[step.ttl];
  Command command;
  if (step.request > 0)
    command.request_id = RequestId("r" + std::to_string(era) + "." + std::to_string(step.request));
  switch (step.kind) {
    case 0: {
      if (seats.empty()) seats.emplace_back("A0");
      std::vector<SeatId> release = Seats(step.release);
      std::erase_if(release, [&](const SeatId& seat) {
        return std::find(seats.begin(), seats.end(), seat) != seats.end();
      });
      command.body = LockSeats{.session = session,
                               .seats = seats,
                               .release = release,
                               .ttl_ms = ttl_ms,
                               .max_session_seats = step.special ? 1u : 0u};
      break;
    }
    case 1:
      command.body = UnlockSeats{session, all ? std::vector<SeatId>() : seats, all};
      break;
    case 2:
      command.body = ExtendLocks{session, all ? std::vector<SeatId>() : seats, all, ttl_ms};
      break;
    case 3:
      command.body = BookSeats{.session = session,
                               .order = order,
                               .seats = seats,
                               .fences = Fences(step, revision),
                               .only_held = step.special,
                               .add_to_order = step.add};
      break;
    case 4:
      command.body = CancelBooking{order, all ? std::vector<SeatId>() : seats, all, step.special};
      break;
    default:
      command.body = ExpireLocks{};
      command.request_id.reset();
      break;
  }
  return command;
}

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
      if (taken &&
          (holder.booked || (!holder.session.empty() && holder.session != after.session.value()))) {
        return "seat " + after.seat.value() + " has two holders";
      }
      holder = {};
      if (taken) holder = {after.session.value(), after.status == SeatStatus::kBooked};
    }
    return "";
  }

 private:
  struct Holder {
    std::string session;
    bool booked = false;
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
  ShowtimeParts parts{.revision = Revision(model.revision()), .commit_ms = commit_ms};
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

// Adds what kOlder says. The ids come before and after those of the sequences.
void AddOlder(ShowtimeParts& parts) {
  parts.revision = Revision(kOlder);
  for (uint64_t i = 0; i < kOlder; ++i) {
    const std::string id = (i % 2 == 0 ? "0" : "z") + std::to_string(1000 + i);
    parts.seats.push_back({.seat = SeatId(id),
                           .last_grant_session = SessionId(id),
                           .last_grant_fence = Fence(i + 1),
                           .freed_ms = kStartMs});
    parts.requests.push_back({.key = {.id = RequestId(id), .body_hash = std::string(16, 'h')},
                              .revision = Revision(i + 1),
                              .commit_ms = kStartMs});
    parts.shares.push_back({SessionId(id), kStartMs, 1, 0});
  }
  std::sort(parts.seats.begin(), parts.seats.end(),
            [](const auto& a, const auto& b) { return a.seat < b.seat; });
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

// A number below `bound`, whatever the size of the test case.
rc::Gen<int> Below(int bound) {
  return rc::gen::resize(100, rc::gen::inRange(0, bound));
}

rc::Gen<std::vector<Step>> Steps() {
  namespace gen = rc::gen;
  const auto some = gen::container<std::vector<int>>(Below(6));
  const auto seats =
      gen::weightedOneOf<std::vector<int>>({{4, gen::resize(2, some)}, {1, gen::resize(6, some)}});
  const auto rarely = gen::weightedElement<bool>({{9, false}, {1, true}});
  const auto step = gen::build<Step>(
      gen::set(&Step::kind,
               gen::weightedElement<int>({{8, 0}, {2, 1}, {3, 2}, {4, 3}, {5, 4}, {1, 5}})),
      gen::set(&Step::session, Below(3)), gen::set(&Step::order, Below(4)),
      gen::set(&Step::request, gen::weightedElement<int>({{4, 0}, {1, 1}, {1, 2}, {1, 3}})),
      gen::set(&Step::seats, seats),
      gen::set(&Step::release, gen::weightedOneOf<std::vector<int>>(
                                   {{2, gen::just(std::vector<int>())}, {1, seats}})),
      gen::set(&Step::wait,
               gen::weightedElement<int>(
                   {{24, 0}, {4, 1}, {2, 2}, {2, 3}, {4, 4}, {2, 5}, {2, 6}, {1, 7}, {1, 8}})),
      gen::set(&Step::ttl, Below(6)), gen::set(&Step::fence, Below(8)),
      gen::set(&Step::all, rarely), gen::set(&Step::special, rarely), gen::set(&Step::add, rarely),
      gen::set(&Step::restart, rarely), gen::set(&Step::no_expiry, rarely),
      gen::set(&Step::again, rarely));
  return gen::scale(6.0, gen::container<std::vector<Step>>(gen::scale(1.0 / 6, step)));
}

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
                             .fence = Fence(showtime.revision().value() + 1)}}};
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
        return Decide(showtime, Command{.body = command.body}, now_ms, rules);
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
                        Reason::kExtendLimit, Reason::kOverloaded}));
  EXPECT_EQ(coverage.causes,
            (std::set<Cause>{Cause::kLock, Cause::kUnlock, Cause::kSwap, Cause::kExtend,
                             Cause::kExpired, Cause::kBook, Cause::kCancel}));
  EXPECT_GT(coverage.replays, 10);
  EXPECT_GT(coverage.no_changes, 10);
}

}  // namespace
}  // namespace seatlock::domain::testing
