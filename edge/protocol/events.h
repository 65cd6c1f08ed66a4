// What the edge knows of a showtime: positions, seats, changes and snapshots, as plain values.
// edge/upstream makes them from the service's messages. Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace seatlock::edge {

// A place in a showtime's history. Revision 0 is "no change yet", whatever the epoch.
struct Position {
  std::string epoch;
  uint64_t revision = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

// What a browser can be told about a seat. A blocked seat, and a status that this edge does not
// know, is kBooked: not to be had.
enum class SeatStatus { kAvailable, kLocked, kBooked };

enum class Cause {
  kUnknown,
  kLock,
  kUnlock,
  kSwap,
  kExtend,
  kExpired,
  kBook,
  kCancel,
  kBlock,
  kUnblock,
  kRelease,
};

// One seat after a change, or in a snapshot.
struct Seat {
  std::string seat_id;
  SeatStatus status = SeatStatus::kAvailable;
  std::string session_id;  // The holder; for a seat that was freed, the one before.
  int64_t expires_ms = 0;  // Unix time; 0 but for locked seats.
};

struct Change {
  Position position;
  int64_t commit_ms = 0;
  Cause cause = Cause::kUnknown;
  std::vector<Seat> seats;  // Empty where an order was barred that never came.
};

// One message of a snapshot, which lists every seat that is not available.
struct SnapshotPart {
  Position position;
  std::vector<Seat> seats;
  bool more = false;
};

}  // namespace seatlock::edge
