// The words of the domain. Values; thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/strong.h"

namespace seatlock::domain {

using ShowtimeId = base::StringId<struct ShowtimeIdTag>;
using SeatId = base::StringId<struct SeatIdTag>;
using SessionId = base::StringId<struct SessionIdTag>;
using OrderId = base::StringId<struct OrderIdTag>;
using RequestId = base::StringId<struct RequestIdTag>;
// The identity of a showtime's history.
using Epoch = base::StringId<struct EpochTag>;

// 1, 2, 3 ... per showtime, one per change, no holes; 0 before the first.
using Revision = base::StrongNumber<struct RevisionTag, uint64_t>;
// The revision at which a lock was granted; 0 for none.
using Fence = base::StrongNumber<struct FenceTag, uint64_t>;

enum class SeatStatus { kAvailable, kLocked, kBooked, kBlocked };

enum class Cause {
  kLock,
  kUnlock,
  kSwap,
  kExtend,
  kExpired,
  kBook,
  kCancel,
  // An operator's.
  kBlock,
  kUnblock,
  kRelease,
  kClose,
  kReopen,
};

enum class OrderState { kUnknown, kOpen, kCancelled };

// The right of one session to one seat until `expire_ms` (Unix time, milliseconds).
struct Lock {
  SeatId seat{};
  SessionId session{};
  int64_t expire_ms = 0;
  Fence fence{};

  friend bool operator==(const Lock&, const Lock&) = default;
};

// A seat after a change.
struct SeatAfter {
  SeatId seat{};
  SeatStatus status = SeatStatus::kAvailable;
  // The holder after the change (of a booked seat: who booked it); of a seat that was freed, or
  // blocked while it was locked, the one before. Empty if there was none.
  SessionId session{};
  int64_t expire_ms = 0;  // locked seats alone
  Fence fence{};          // locked seats alone: the revision of the grant
  OrderId order{};        // booked seats, and seats that a cancel freed

  friend bool operator==(const SeatAfter&, const SeatAfter&) = default;
};

// What makes a repeated request recognisable. `body_hash` has 16 bytes (command.h, BodyHash).
struct RequestKey {
  RequestId id{};
  std::string body_hash{};

  friend bool operator==(const RequestKey&, const RequestKey&) = default;
};

// What one accepted command did, atomically: the unit of the log.
struct Change {
  Revision revision{};
  int64_t commit_ms = 0;
  Cause cause = Cause::kLock;
  std::vector<SeatAfter> seats{};
  // What the command's answer names besides: locks that the holder had already.
  std::vector<SeatAfter> unchanged{};
  std::vector<SeatId>
      kept{};       // kBook alone, for its answer: seats that the order had already, ordered
  OrderId order{};  // kBook and kCancel alone
  bool order_closed = false;  // kCancel alone: the order never books again
  std::optional<RequestKey> request{};
  // Who made it: the id of a key or certificate, or a token's subject. Empty without identity, and
  // for what the server does by itself. For operators alone: no watch and no answer shows it.
  std::string principal{};
  std::string note{};  // kBlock alone: why, in the operator's words

  friend bool operator==(const Change&, const Change&) = default;
};

}  // namespace seatlock::domain
