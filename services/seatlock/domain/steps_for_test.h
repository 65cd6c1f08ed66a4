// Sequences of commands on a showtime, made at random, for the property tests of this folder.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/seatlock/domain/decide.h"

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

inline std::ostream& operator<<(std::ostream& out, const Step& s) {
  out << "{kind " << s.kind << " session " << s.session << " order " << s.order << " request "
      << s.request << " seats ";
  for (int seat : s.seats) out << seat << ",";
  out << " release ";
  for (int seat : s.release) out << seat << ",";
  return out << " wait " << s.wait << " ttl " << s.ttl << " fence " << s.fence << " all " << s.all
             << " special " << s.special << " add " << s.add << " restart " << s.restart
             << " no_expiry " << s.no_expiry << " again " << s.again << "}";
}

inline constexpr int64_t kStartMs = 1'700'000'000'000;
inline constexpr int64_t kWaitsMs[] = {0,       1,         999,       1000,     30'000,
                                       600'000, 1'200'000, 3'600'000, 3'600'001};
inline constexpr int64_t kTtlsMs[] = {600'000, 1000, 30'000, 600'001, 1'200'000, 7'200'000};
inline constexpr size_t kStepsAnEra = 24;
// Seats, request_ids and shares each that are there when a sequence begins and that nobody names.
// Once their hour is over they are dropped a part with each change, and what the sequence itself
// made stays in the tables behind them after it is forgotten.
inline constexpr uint64_t kOlder = 200;
inline constexpr Rules kRules{.max_session_seats = 3, .max_lock_age_ms = 1'200'000};

inline std::vector<SeatId> Seats(const std::vector<int>& numbers) {
  std::vector<SeatId> seats;
  for (int number : numbers) seats.emplace_back("A" + std::to_string(number));
  return seats;
}

inline std::vector<std::pair<SeatId, Fence>> Fences(const Step& step, uint64_t revision) {
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
inline Command ToCommand(const Step& step, size_t era, uint64_t revision) {
  const SessionId session("s" + std::to_string(step.session));
  const OrderId order("o" + std::to_string(era) + "." + std::to_string(step.order));
  std::vector<SeatId> seats = Seats(step.seats);
  const bool all = step.all || seats.empty();
  std::optional<int64_t> ttl_ms;
  if (step.ttl > 0) ttl_ms = kTtlsMs[step.ttl];
  Command command;
  if (step.order > 1) command.principal = "p" + std::to_string(step.order);
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
    case 6:
      if (seats.empty()) seats.emplace_back("A0");
      command.body = BlockSeats{seats, step.add || step.all, step.special ? "why" : ""};
      break;
    case 7:
      if (seats.empty()) seats.emplace_back("A0");
      command.body = UnblockSeats{seats};
      break;
    case 8:
      command.body = all ? ReleaseSeats{.session = session} : ReleaseSeats{.seats = seats};
      break;
    case 9:
      command.body = CloseShowtime{.reopen = step.session > 0};
      break;
    default:
      command.body = ExpireLocks{};
      command.request_id.reset();
      break;
  }
  return command;
}

// Adds what kOlder says. The ids come before and after those of the sequences.
inline void AddOlder(ShowtimeParts& parts) {
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

// A number below `bound`, whatever the size of the test case.
inline rc::Gen<int> Below(int bound) {
  return rc::gen::resize(100, rc::gen::inRange(0, bound));
}

inline rc::Gen<Step> OneStep() {
  namespace gen = rc::gen;
  const auto some = gen::container<std::vector<int>>(Below(6));
  const auto seats =
      gen::weightedOneOf<std::vector<int>>({{4, gen::resize(2, some)}, {1, gen::resize(6, some)}});
  const auto rarely = gen::weightedElement<bool>({{9, false}, {1, true}});
  return gen::build<Step>(
      gen::set(
          &Step::kind,
          gen::weightedElement<int>(
              {{16, 0}, {4, 1}, {6, 2}, {8, 3}, {10, 4}, {2, 5}, {2, 6}, {3, 7}, {2, 8}, {3, 9}})),
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
}

inline rc::Gen<std::vector<Step>> Steps() {
  namespace gen = rc::gen;
  return gen::scale(6.0, gen::container<std::vector<Step>>(gen::scale(1.0 / 6, OneStep())));
}

}  // namespace seatlock::domain::testing
