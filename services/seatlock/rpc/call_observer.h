// What the rpc layer reports about calls; the composition root turns it into metrics. Thread-safe
// implementations; calls must be cheap.
#pragma once

#include <cstdint>
#include <string_view>

namespace seatlock::rpc {

// The service's methods, in the order of the proto.
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
};
inline constexpr int kMethodCount = 12;
std::string_view MethodName(Method method);

class CallObserver {
 public:
  virtual ~CallObserver() = default;

  virtual void OnStarted(Method method) = 0;
  // `code`: gRPC's status code; `us`: microseconds since OnStarted.
  virtual void OnHandled(Method method, int code, int64_t us) = 0;
};

}  // namespace seatlock::rpc
