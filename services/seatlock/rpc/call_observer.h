// What the rpc layer reports about calls; the composition root turns it into metrics. Thread-safe
// implementations; calls must be cheap.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/trace_context.h"
#include "services/seatlock/guard/rates.h"

namespace seatlock::rpc {

// The methods of SeatLockService and then of SeatLockAdminService, in the order of their protos.
enum class Method {
  kLockSeat,
  kLockSeats,
  kUnlockSeat,
  kUnlockSeats,
  kExtendLocks,
  kBookSeats,
  kCancelBooking,
  kGetOrder,
  kListShowtimes,
  kGetShowtime,
  kListSessionLocks,
  kWatchShowtime,
  kBlockSeats,
  kUnblockSeats,
  kReleaseSeats,
  kCloseShowtime,
  kDeleteShowtime,
};
inline constexpr int kMethodCount = static_cast<int>(Method::kDeleteShowtime) + 1;
std::string_view MethodName(Method method);
// Of which service it is, with its package.
std::string_view ServiceName(Method method);

// A call that has ended, for the log. Names no session, order or user.
struct CallReport {
  Method method;
  const base::TraceContext* trace;  // null: it belongs to none
  std::string_view showtime;        // empty: none, or not a good one
  std::string_view principal;       // who called; empty: not known
  uint64_t revision = 0;            // that the answer is of, or was sent up to; 0: none
  std::string_view outcome;         // a refusal's reason, or gRPC's code
  int64_t us = 0;                   // as OnHandled
};

class CallObserver {
 public:
  virtual ~CallObserver() = default;

  // Whether a call wants a report at its end; asked at its start. `sampled`: by the caller's trace.
  virtual bool WantsReport(bool /*sampled*/) { return false; }
  virtual void OnReport(const CallReport& /*report*/) {}

  // A call came too fast.
  virtual void OnRateLimited(guard::Rate /*rate*/) {}

  virtual void OnStarted(Method method) = 0;
  // `code`: gRPC's status code; `us`: microseconds since OnStarted.
  virtual void OnHandled(Method method, int code, int64_t us) = 0;
};

}  // namespace seatlock::rpc
