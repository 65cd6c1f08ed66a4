// Why a command was refused. Values; thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "services/seatlock/domain/types.h"

namespace seatlock::domain {

// In the order in which they are looked for: the first that applies is the answer. The last two
// are apart from it: see there. services/seatlock/rpc gives each its gRPC code and its name.
enum class Reason {
  kInvalidField,
  kRequestIdReused,
  kUnknownSeat,  // reserved for showtimes with seat maps
  kUnknownOrder,
  kOrderCancelled,
  kOrderMismatch,
  kNothingHeld,
  kSeatTaken,
  kNotLockHolder,
  kStaleFence,
  kShowtimeClosed,
  kSessionSeatLimit,
  kOrderSeatLimit,
  kExtendLimit,
  kLockExpired,  // the engine's: the lock ended before its answer could be sent
  kOverloaded,   // a bound of limits.h that protects the server: looked for before all others
};

// A field that is out of bounds.
struct FieldViolation {
  std::string field{};        // as in the proto: "seat_ids[3]"
  std::string description{};  // what it must be
};

// A seat that stood in the way.
struct Conflict {
  SeatId seat{};
  SeatStatus status = SeatStatus::kAvailable;
  Reason reason = Reason::kSeatTaken;

  friend bool operator==(const Conflict&, const Conflict&) = default;
};

struct Refusal {
  Reason reason = Reason::kInvalidField;
  std::string message{};                     // for people; names no session
  std::vector<Conflict> conflicts{};         // every seat that stood in the way
  std::vector<FieldViolation> violations{};  // kInvalidField alone
  uint32_t limit = 0;                        // kSessionSeatLimit and kOrderSeatLimit alone
  uint32_t held = 0;                         // the same: the seats of the session or the order
  int64_t retry_after_ms = 0;                // kOverloaded: what is left of a share; else 0
  int64_t max_expire_ms = 0;                 // kExtendLimit alone: the latest time that is allowed
};

}  // namespace seatlock::domain
