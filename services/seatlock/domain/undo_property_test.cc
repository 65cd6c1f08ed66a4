// Changes that are applied and taken back leave no trace: a showtime that goes on such detours is
// seen, and decides, like its twin that never did.
//
// A failure prints its shrunk rounds and a `reproduce` string: run the test again with
// RC_PARAMS="reproduce=..." (or "seed=..." for a whole run; "max_success=10000" for a long one).
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/seatlock/domain/seen_for_test.h"
#include "services/seatlock/domain/steps_for_test.h"

namespace seatlock::domain::testing {

// Steps that are taken back, each a time of its own later, and then one that stands. The detour's
// steps with `restart` take the last change of the detour back first and go on from there.
struct Round {
  std::vector<Step> detour;
  Step step;
};

std::ostream& operator<<(std::ostream& out, const Round& round) {
  out << "\n{detour";
  for (const Step& step : round.detour) out << "\n   " << step;
  return out << "\n step " << round.step << "}";
}

namespace {

// Spoils what a Revert left, `reverted`; `detoured` is the state before the Revert.
using Spoil = std::function<void(ShowtimeParts& reverted, const ShowtimeParts& detoured)>;

class Twins {
 public:
  // With `spoil` both go on from a snapshot after each Revert, of which one is spoilt.
  explicit Twins(const Spoil* spoil) : spoil_(spoil) {
    ShowtimeParts start{.commit_ms = kStartMs};
    AddOlder(start);
    // Few of what locks may take of their shares is left.
    start.shares.push_back({SessionId("s0"), kStartMs, 990, 0});
    start.shares.push_back({SessionId("s1"), kStartMs, 0, 9'990});
    names_.Add(start);
    for (int i = 0; i < 6; ++i) names_.seats.insert(SeatId(absl::StrCat("A", i)));
    for (int i = 0; i < 3; ++i) names_.sessions.insert(SessionId(absl::StrCat("s", i)));
    detouring_ = *Showtime::Restore(start);
    straight_ = *Showtime::Restore(start);
  }

  // What went wrong, empty for nothing.
  std::string Run(const std::vector<Round>& rounds) {
    for (size_t i = 0; i < rounds.size(); ++i) {
      era_ = i / (kStepsAnEra / 2);
      std::string fault = Detour(rounds[i].detour);
      if (fault.empty()) fault = Compare();
      if (fault.empty()) fault = GoOn(rounds[i].step);
      if (fault.empty()) fault = Compare();
      if (!fault.empty()) return absl::StrCat("round ", i, ": ", fault);
    }
    return "";
  }

  std::set<Cause> causes_reverted;
  int dropped_and_back = 0;  // detours that dropped what is forgotten

 private:
  std::string Detour(const std::vector<Step>& steps) {
    const size_t seats = detouring_.seat_count();
    const size_t requests = detouring_.request_count();
    int64_t at_ms = now_ms_;
    std::vector<Undo> undos;
    for (const Step& step : steps) {
      if (step.restart && !undos.empty()) RevertLast(undos);
      at_ms += kWaitsMs[step.wait];
      for (const Command& command : CommandsOf(step, at_ms)) {
        if (!Validate(command).empty()) return "not a valid command";
        const Decision decision = Decide(detouring_, command, at_ms, kRules);
        const auto* change = std::get_if<Change>(&decision);
        if (change == nullptr) continue;
        undos.push_back(detouring_.ApplyUndoable(*change));
        causes_reverted.insert(change->cause);
      }
    }
    if (detouring_.seat_count() < seats || detouring_.request_count() < requests) {
      ++dropped_and_back;
    }
    const ShowtimeParts detoured = detouring_.Export();
    names_.Add(detoured);
    while (!undos.empty()) RevertLast(undos);
    return spoil_ == nullptr ? "" : SpoilOne(detoured);
  }

  void RevertLast(std::vector<Undo>& undos) {
    detouring_.Revert(std::move(undos.back()));
    undos.pop_back();
  }

  std::string SpoilOne(const ShowtimeParts& detoured) {
    straight_ = *Showtime::Restore(straight_.Export());
    ShowtimeParts parts = detouring_.Export();
    (*spoil_)(parts, detoured);
    absl::StatusOr<Showtime> spoilt = Showtime::Restore(std::move(parts));
    if (!spoilt.ok()) return spoilt.status().ToString();
    detouring_ = *std::move(spoilt);
    return "";
  }

  // The same command on both.
  std::string GoOn(const Step& step) {
    now_ms_ += kWaitsMs[step.wait];
    for (const Command& command : CommandsOf(step, now_ms_)) {
      const Decision decision = Decide(straight_, command, now_ms_, kRules);
      if (!SameDecision(decision, Decide(detouring_, command, now_ms_, kRules))) {
        return "another decision";
      }
      const auto* change = std::get_if<Change>(&decision);
      if (change == nullptr) continue;
      straight_.Apply(*change);
      // An undo that is dropped changes nothing.
      if (step.restart) {
        detouring_.Apply(*change);
      } else {
        detouring_.ApplyUndoable(*change);
      }
    }
    names_.Add(straight_.Export());
    return "";
  }

  std::vector<Command> CommandsOf(const Step& step, int64_t at_ms) {
    std::vector<Command> commands;
    const auto earliest = detouring_.earliest_expire_ms();
    if (!step.no_expiry && earliest && *earliest <= at_ms) {
      commands.push_back({.body = ExpireLocks{}});
    }
    if (!step.again) last_ = ToCommand(step, era_, detouring_.revision().value());
    commands.push_back(last_);
    return commands;
  }

  std::string Compare() const {
    const auto differences =
        Differences(See(detouring_, names_, now_ms_), See(straight_, names_, now_ms_));
    return absl::StrJoin(differences, ", ");
  }

  const Spoil* const spoil_;
  int64_t now_ms_ = kStartMs;
  size_t era_ = 0;
  Command last_{.body = ExpireLocks{}};
  Names names_;
  Showtime detouring_;
  Showtime straight_;
};

rc::Gen<std::vector<Round>> Rounds() {
  namespace gen = rc::gen;
  const auto round = gen::build<Round>(
      gen::set(&Round::detour, gen::resize(6, gen::container<std::vector<Step>>(OneStep()))),
      gen::set(&Round::step, OneStep()));
  return gen::scale(0.5, gen::container<std::vector<Round>>(gen::scale(2.0, round)));
}

RC_GTEST_PROP(Undo, DetoursLeaveNoTrace, ()) {
  const auto rounds = *Rounds();
  const std::string fault = Twins(nullptr).Run(rounds);
  if (!fault.empty()) RC_FAIL(fault);
}

// Sequences that never take back an expiry, or never drop anything, would prove nothing about it.
TEST(UndoControl, DetoursTakeBackEveryCauseAndWhatWasDropped) {
  std::set<Cause> causes;
  int dropped_and_back = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto rounds = Rounds()(rc::Random(seed), 100).value();
    Twins twins(nullptr);
    ASSERT_EQ(twins.Run(rounds), "") << "seed " << seed;
    causes.insert(twins.causes_reverted.begin(), twins.causes_reverted.end());
    dropped_and_back += twins.dropped_and_back;
  }
  EXPECT_EQ(causes, (std::set<Cause>{Cause::kLock, Cause::kUnlock, Cause::kSwap, Cause::kExtend,
                                     Cause::kExpired, Cause::kBook, Cause::kCancel}));
  EXPECT_GT(dropped_and_back, 50);
}

// Whether some sequence shows that a Revert was `spoil`t.
bool IsNoticed(const Spoil& spoil) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    if (!Twins(&spoil).Run(Rounds()(rc::Random(seed), 100).value()).empty()) return true;
  }
  return false;
}

TEST(UndoControl, ARevertThatForgetsNothingIsNotNoticed) {
  EXPECT_FALSE(IsNoticed([](ShowtimeParts&, const ShowtimeParts&) {}));
}

template <typename Entries, typename Id>
bool Has(const Entries& entries, const Id& id_of, const typename Entries::value_type& entry) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const auto& other) { return id_of(other) == id_of(entry); });
}

// What Apply drops as forgotten at the time of its change counts at the earlier time of the change
// that comes instead.
TEST(UndoControl, DroppedSeatsThatStayAwayAreNoticed) {
  EXPECT_TRUE(IsNoticed([](ShowtimeParts& reverted, const ShowtimeParts& detoured) {
    const auto id = [](const SeatState& seat) { return seat.seat; };
    std::erase_if(reverted.seats, [&](const SeatState& seat) {
      return seat.status == SeatStatus::kAvailable && !Has(detoured.seats, id, seat);
    });
  }));
}

TEST(UndoControl, DroppedRequestsThatStayAwayAreNoticed) {
  EXPECT_TRUE(IsNoticed([](ShowtimeParts& reverted, const ShowtimeParts& detoured) {
    const auto id = [](const RequestEntry& request) { return request.key.id; };
    std::erase_if(reverted.requests, [&](const RequestEntry& request) {
      return !Has(detoured.requests, id, request);
    });
  }));
}

TEST(UndoControl, EndedSharesThatStayAwayAreNoticed) {
  EXPECT_TRUE(IsNoticed([](ShowtimeParts& reverted, const ShowtimeParts& detoured) {
    const auto id = [](const ShareEntry& share) { return share.session; };
    std::erase_if(reverted.shares,
                  [&](const ShareEntry& share) { return !Has(detoured.shares, id, share); });
  }));
}

TEST(UndoControl, SharesThatStayUsedAreNoticed) {
  EXPECT_TRUE(IsNoticed([](ShowtimeParts& reverted, const ShowtimeParts& detoured) {
    for (ShareEntry& share : reverted.shares) {
      for (const ShareEntry& used : detoured.shares) {
        if (used.session == share.session && used.since_ms == share.since_ms) share = used;
      }
    }
  }));
}

TEST(UndoControl, LocksThatStayExtendedAreNoticed) {
  EXPECT_TRUE(IsNoticed([](ShowtimeParts& reverted, const ShowtimeParts& detoured) {
    for (SeatState& seat : reverted.seats) {
      for (const SeatState& other : detoured.seats) {
        if (other.seat == seat.seat && other.fence == seat.fence) seat.expire_ms = other.expire_ms;
      }
    }
  }));
}

TEST(UndoControl, OrdersThatStayBarredAreNoticed) {
  EXPECT_TRUE(IsNoticed([](ShowtimeParts& reverted, const ShowtimeParts& detoured) {
    const auto id = [](const OrderEntry& order) { return order.order; };
    for (const OrderEntry& order : detoured.orders) {
      if (order.closed && !Has(reverted.orders, id, order)) reverted.orders.push_back(order);
    }
    std::sort(reverted.orders.begin(), reverted.orders.end(),
              [](const auto& a, const auto& b) { return a.order < b.order; });
  }));
}

TEST(UndoControl, ATimeThatStaysIsNoticed) {
  EXPECT_TRUE(IsNoticed([](ShowtimeParts& reverted, const ShowtimeParts& detoured) {
    reverted.commit_ms = detoured.commit_ms;
  }));
}

}  // namespace
}  // namespace seatlock::domain::testing
