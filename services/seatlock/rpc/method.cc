#include "services/seatlock/rpc/call_observer.h"

namespace seatlock::rpc {

std::string_view ServiceName(Method method) {
  return method < Method::kBlockSeats ? "seatlock.v1.SeatLockService"
                                      : "seatlock.v1.SeatLockAdminService";
}

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kLockSeat:
      return "LockSeat";
    case Method::kLockSeats:
      return "LockSeats";
    case Method::kUnlockSeat:
      return "UnlockSeat";
    case Method::kUnlockSeats:
      return "UnlockSeats";
    case Method::kExtendLocks:
      return "ExtendLocks";
    case Method::kBookSeats:
      return "BookSeats";
    case Method::kCancelBooking:
      return "CancelBooking";
    case Method::kGetOrder:
      return "GetOrder";
    case Method::kListShowtimes:
      return "ListShowtimes";
    case Method::kGetShowtime:
      return "GetShowtime";
    case Method::kListSessionLocks:
      return "ListSessionLocks";
    case Method::kWatchShowtime:
      return "WatchShowtime";
    case Method::kBlockSeats:
      return "BlockSeats";
    case Method::kUnblockSeats:
      return "UnblockSeats";
    case Method::kReleaseSeats:
      return "ReleaseSeats";
    case Method::kCloseShowtime:
      return "CloseShowtime";
    case Method::kDeleteShowtime:
      return "DeleteShowtime";
  }
  return "";
}

}  // namespace seatlock::rpc
