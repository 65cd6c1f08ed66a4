// What callers ask of a showtime. Values; thread-compatible.
//
// A command comes as the caller sent it: Validate (decide.h) says whether its fields are in
// bounds. The showtime's id is not part of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "services/seatlock/domain/types.h"

namespace seatlock::domain {

struct LockSeats {
  SessionId session{};
  std::vector<SeatId> seats{};
  std::vector<SeatId> release{};
  std::optional<int64_t> ttl_ms{};
  uint32_t max_session_seats = 0;  // 0: the server's limit alone
};

struct UnlockSeats {
  SessionId session{};
  std::vector<SeatId> seats{};
  bool all = false;
};

struct ExtendLocks {
  SessionId session{};
  std::vector<SeatId> seats{};
  bool all = false;
  std::optional<int64_t> ttl_ms{};
};

struct BookSeats {
  SessionId session{};
  OrderId order{};
  std::vector<SeatId> seats{};
  std::vector<std::pair<SeatId, Fence>> fences{};  // ordered by seat, each seat once
  bool only_held = false;
  bool add_to_order = false;
};

struct CancelBooking {
  OrderId order{};
  std::vector<SeatId> seats{};
  bool all = false;
  bool tombstone = false;
};

// Withholds seats from sale, all or none. A locked seat is in the way unless `release_locks`.
struct BlockSeats {
  std::vector<SeatId> seats{};
  bool release_locks = false;
  std::string note{};
};

// Puts blocked seats on sale again. Seats that are not blocked are left as they are.
struct UnblockSeats {
  std::vector<SeatId> seats{};
};

// Takes locks away: of `seats`, or all that `session` holds. Nothing else is touched.
struct ReleaseSeats {
  std::vector<SeatId> seats{};
  SessionId session{};  // empty: `seats`
};

// Ends the sale, or takes it up again.
struct CloseShowtime {
  bool reopen = false;
};

// The server's own: free the locks that have lapsed, at most kExpiredPerChangeMax (limits.h).
struct ExpireLocks {};

struct Command {
  std::optional<RequestId> request_id{};
  std::variant<LockSeats, UnlockSeats, ExtendLocks, BookSeats, CancelBooking, ExpireLocks,
               BlockSeats, UnblockSeats, ReleaseSeats, CloseShowtime>
      body{};
  std::string principal{};  // whose: see Change::principal
};

// 16 bytes that two commands share only if they ask for the same: the first half of SHA-256 over
// their fields in a canonical form, without the request_id and the principal.
std::string BodyHash(const Command& command);

}  // namespace seatlock::domain
