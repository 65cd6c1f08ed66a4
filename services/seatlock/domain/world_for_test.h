// A showtime driven by commands as the engine drives it, for tests of the rules.
//
// Thread-compatible.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "services/seatlock/domain/decide.h"

namespace seatlock::domain::testing {

inline std::vector<SeatId> SeatIds(std::initializer_list<const char*> names) {
  return {names.begin(), names.end()};
}

class World {
 public:
  // Frees lapsed locks, decides `body`, applies what came of it.
  template <typename Body>
  Decision Do(Body body, std::string request_id = "") {
    if (showtime.earliest_expire_ms().value_or(now_ms + 1) <= now_ms) DoNow(ExpireLocks{});
    return DoNow(std::move(body), std::move(request_id));
  }

  // The same without freeing lapsed locks first.
  template <typename Body>
  Decision DoNow(Body body, std::string request_id = "") {
    Command command{.body = std::move(body)};
    if (!request_id.empty()) command.request_id = RequestId(std::move(request_id));
    EXPECT_TRUE(Validate(command).empty());
    Decision decision = Decide(showtime, command, now_ms, rules);
    if (const auto* change = std::get_if<Change>(&decision)) showtime.Apply(*change);
    return decision;
  }

  // The change that `body` makes; the test fails and gets an empty one where it makes none.
  template <typename Body>
  Change Make(Body body, std::string request_id = "") {
    Decision decision = Do(std::move(body), std::move(request_id));
    if (auto* change = std::get_if<Change>(&decision)) return std::move(*change);
    ADD_FAILURE() << "no change, but alternative " << decision.index();
    return {};
  }

  template <typename Body>
  Answer Ask(Body body, std::string request_id = "") {
    Decision decision = Do(std::move(body), std::move(request_id));
    if (auto* answer = std::get_if<Answer>(&decision)) return std::move(*answer);
    ADD_FAILURE() << "no answer, but alternative " << decision.index();
    return {};
  }

  template <typename Body>
  Refusal Refused(Body body, std::string request_id = "") {
    Decision decision = Do(std::move(body), std::move(request_id));
    if (auto* refusal = std::get_if<Refusal>(&decision)) return std::move(*refusal);
    ADD_FAILURE() << "no refusal, but alternative " << decision.index();
    return {};
  }

  SeatStatus StatusOf(const char* seat) const {
    const auto found = showtime.FindSeat(SeatId(seat));
    return found ? found->status : SeatStatus::kAvailable;
  }

  Showtime showtime;
  Rules rules;
  int64_t now_ms = 1'700'000'000'000;
};

}  // namespace seatlock::domain::testing
