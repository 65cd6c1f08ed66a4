// What a caller asked of a showtime and what it was told, for the judge (model_judge.h). Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <variant>

#include "seatlock/v1/seatlock_service.pb.h"
#include "services/seatlock/domain/command.h"
#include "tests/testing/naive_model.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/showtime_view.h"

namespace seatlock::testing {

// Reads. ReadShowtime is the snapshot of a watch, too; ReadHead is the position at which a watch
// says that it has caught up, SeeChange one change that it shows.
struct ReadShowtime {};
struct ReadHead {};
struct SeeChange {};
struct ReadLocks {
  std::string session = {};
};
struct ReadOrder {
  std::string order = {};
};

using Question =
    std::variant<domain::Command, ReadShowtime, ReadHead, SeeChange, ReadLocks, ReadOrder>;

// An answer in words that can be compared, whoever gave it: a server, or the model.
struct Said {
  bool refused = false;
  uint64_t revision = 0;        // 0 for a refusal, which names none
  std::set<std::string> facts;  // a lock, a seat or a conflict each; the reason; the state

  friend bool operator==(const Said&, const Said&) = default;
};

// One question and the answer that it got in the end, retries included.
struct Call {
  enum class End {
    kAnswered,  // success, or a refusal
    kEnded,     // LOCK_EXPIRED: the lock had ended before it could be answered
    kUnknown,   // it may have been done
  };
  // When it was asked for the first time, and the time that was answered; when that answer came.
  struct Times {
    std::chrono::steady_clock::time_point first_asked = {};
    std::chrono::steady_clock::time_point last_asked = {};
    std::chrono::steady_clock::time_point answered = {};
    int64_t last_asked_ms = 0;  // the same by the wall clock, which locks go by
    int64_t answered_ms = 0;
    // Whether there may be attempts before the one that was answered.
    bool retried = false;
  };

  std::string showtime = {};
  Question question = {};
  End end = End::kUnknown;
  Said said = {};
  Times times = {};
};

domain::Command CommandOf(const v1::LockSeatRequest& request);
domain::Command CommandOf(const v1::UnlockSeatRequest& request);
domain::Command CommandOf(const v1::ExtendLocksRequest& request);
domain::Command CommandOf(const v1::BookSeatsRequest& request);
domain::Command CommandOf(const v1::CancelBookingRequest& request);

Said SaidOf(const v1::LockSeatResponse& response);
Said SaidOf(const v1::UnlockSeatResponse& response);
Said SaidOf(const v1::ExtendLocksResponse& response);
Said SaidOf(const v1::BookSeatsResponse& response);
Said SaidOf(const v1::CancelBookingResponse& response);
Said SaidOf(const v1::GetShowtimeResponse& response);
Said SaidOf(const v1::ListSessionLocksResponse& response);
Said SaidOf(const v1::GetOrderResponse& response);
Said SaidOf(const Refusal& refusal);
// Of a view that was just shown a snapshot.
Said SaidOf(const ShowtimeView& view);

// What a server that does what the model did tells its caller.
Said SaidOf(const domain::testing::Outcome& outcome);
// What a server answers to a read of `model`.
Said SaidOf(const domain::testing::NaiveModel& model, const ReadShowtime& question);
Said SaidOf(const domain::testing::NaiveModel& model, const ReadHead& question);
Said SaidOf(const domain::testing::NaiveModel& model, const SeeChange& question);
// Without locks that end by `ended_ms`: no answer hands out a lock that has ended when it is sent.
Said SaidOf(const domain::testing::NaiveModel& model, const ReadLocks& question,
            int64_t ended_ms = 0);
Said SaidOf(const domain::testing::NaiveModel& model, const ReadOrder& question);

// Each in one line, for failure messages.
std::string Describe(const Question& question);
std::string Describe(const Said& said);
std::string Describe(const Call& call);

}  // namespace seatlock::testing
