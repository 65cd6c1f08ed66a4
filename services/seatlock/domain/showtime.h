// The state of one showtime: what its changes add up to.
//
// Thread-compatible. Invariant: folding the same changes, or restoring Export() of an earlier
// state and folding the rest, gives an equal state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/domain/types.h"
#include "services/seatlock/domain/undo.h"

namespace seatlock::domain {

// A seat as the showtime remembers it: locked or booked, or free with grants still remembered.
struct SeatState {
  SeatId seat{};
  SeatStatus status = SeatStatus::kAvailable;
  SessionId session{};     // locked: the holder; booked: who booked it
  int64_t expire_ms = 0;   // locked alone
  int64_t granted_ms = 0;  // locked alone
  Fence fence{};           // locked alone
  OrderId order{};         // booked alone
  SessionId last_grant_session{};
  Fence last_grant_fence{};
  Fence other_grant_fence{};  // the last grant to any session but last_grant_session
  int64_t freed_ms = 0;       // free alone: when; forgotten kGrantMemoryMs later

  friend bool operator==(const SeatState&, const SeatState&) = default;
};

// A seat as it stands, as SeatState has it. Refers into the showtime, which keeps less than a
// SeatState a seat: valid until the next Apply or Revert.
struct SeatView {
  const SeatId& seat;
  SeatStatus status;
  const SessionId& session;
  int64_t expire_ms;
  int64_t granted_ms;
  Fence fence;
  const OrderId& order;
  const SessionId& last_grant_session;
  Fence last_grant_fence;
  Fence other_grant_fence;
  int64_t freed_ms;
};

// How many seats of a showtime are what.
struct SeatCounts {
  size_t locked = 0;
  size_t booked = 0;
  size_t blocked = 0;

  friend bool operator==(const SeatCounts&, const SeatCounts&) = default;
};

struct OrderEntry {
  OrderId order{};
  std::vector<SeatId> seats{};      // ordered
  std::vector<SeatId> cancelled{};  // ordered; of an open order alone
  bool closed = false;

  friend bool operator==(const OrderEntry&, const OrderEntry&) = default;
};

struct RequestEntry {
  RequestKey key{};
  Revision revision{};
  int64_t commit_ms = 0;

  friend bool operator==(const RequestEntry&, const RequestEntry&) = default;
};

// What a session used of its share (limits.h) since its hour began.
struct ShareEntry {
  SessionId session{};
  int64_t since_ms = 0;
  uint32_t unseen_seats = 0;
  uint32_t requests = 0;

  friend bool operator==(const ShareEntry&, const ShareEntry&) = default;
};

// A whole state as plain values, without what is forgotten at commit_ms: what snapshots keep.
struct ShowtimeParts {
  Revision revision{};
  int64_t commit_ms = 0;
  bool closed = false;
  std::vector<SeatState> seats{};        // by seat
  std::vector<OrderEntry> orders{};      // by order
  std::vector<RequestEntry> requests{};  // oldest first
  std::vector<ShareEntry> shares{};      // oldest first

  friend bool operator==(const ShowtimeParts&, const ShowtimeParts&) = default;
};

class Showtime {
 public:
  // A showtime without changes.
  Showtime();
  ~Showtime();
  Showtime(Showtime&&) noexcept;
  Showtime& operator=(Showtime&&) noexcept;

  // The state that Export() gave. INVALID_ARGUMENT where the parts contradict each other.
  static absl::StatusOr<Showtime> Restore(ShowtimeParts parts);
  ShowtimeParts Export() const;

  // Makes `change` part of the state. Decide made it on this very state: one that does not follow
  // is our own error and ends the process.
  void Apply(const Change& change);

  // As Apply, and says how to take the change back.
  Undo ApplyUndoable(const Change& change);
  // Takes back the change that was applied last. The state is again what it was before it in all
  // that anybody can see, counts and what Apply dropped included. Undos are reverted in the reverse
  // order of their Applies; an undo of anything but the last Apply that still stands is our own
  // error and ends the process.
  //
  // What Apply dropped as forgotten has to come back. It was forgotten at the time of the change
  // that is taken back, and the change that is applied instead may be earlier: another server made
  // it. At that time a grant or a request_id may still be remembered and a share's hour still run.
  void Revert(Undo undo);

  // The same for a change that was read from a store. DATA_LOSS, saying what does not fit, and
  // the state as it was, if the change cannot have been decided on this state.
  absl::Status TryApply(const Change& change);
  // What TryApply would say.
  absl::Status Check(const Change& change) const;

  Revision revision() const;
  // The commit time of the last change; 0 before the first.
  int64_t commit_ms() const;
  // Whether the sale has ended.
  bool closed() const;

  // None: available, with no grant remembered. A free seat whose grants are remembered is found,
  // and one whose grants are forgotten may be: ask IsForgotten.
  std::optional<SeatView> FindSeat(const SeatId& seat) const;
  // The seats that `session` has locked, ordered.
  std::vector<SeatId> HeldBy(const SessionId& session) const;
  size_t HeldCount(const SessionId& session) const;
  // nullptr: never known.
  const OrderEntry* FindOrder(const OrderId& order) const;
  // None: not remembered. May be forgotten already: ask IsForgotten.
  std::optional<RequestEntry> FindRequest(const RequestId& request) const;

  // What `session` used of the hour that is running at `now_ms`; zeros if none is.
  ShareEntry ShareOf(const SessionId& session, int64_t now_ms) const;

  // When the next lock lapses.
  std::optional<int64_t> earliest_expire_ms() const;
  // Seats whose locks have expire_ms <= now_ms: by time, then by seat; at most `max`.
  std::vector<SeatId> LapsedAt(int64_t now_ms, size_t max) const;

  // The seats that are locked, booked or blocked, ordered by seat id, from `first` on, at most
  // `max`. Takes time by their number, not by the showtime's. Valid until the next Apply or Revert.
  std::vector<SeatView> TakenFrom(const SeatId& first, size_t max) const;

  // How many seats are what at `now_ms`: a lock with expire_ms <= now_ms does not count. Takes time
  // by the number of such locks, not by the showtime's.
  SeatCounts CountsAt(int64_t now_ms) const;

  // For the bounds of limits.h. seat_count counts the free seats that are remembered too. Both it
  // and request_count count what is forgotten until an Apply drops it.
  size_t seat_count() const;
  size_t order_count() const;
  // Seats that were cancelled out of open orders.
  size_t cancelled_seat_count() const;
  size_t request_count() const;

  // About what the state has of the heap, within a tenth (showtime_bytes_test.cc).
  size_t ApproximateBytes() const;

  // How many of these are forgotten at `now_ms`; counts up to `max`.
  size_t ForgottenSeatsAt(int64_t now_ms, size_t max) const;
  size_t ForgottenRequestsAt(int64_t now_ms, size_t max) const;

 private:
  struct Tables;  // showtime_tables.h

  explicit Showtime(std::unique_ptr<Tables> tables);

  std::unique_ptr<Tables> tables_;  // never null but after a move
};

// Whether what ended at `since_ms` (a free seat's freed_ms, a request's commit_ms) is forgotten.
// Decide goes by this, so that it does not matter when the last Apply dropped what is old.
bool IsForgotten(const SeatView& seat, int64_t now_ms);
bool IsForgotten(const RequestEntry& request, int64_t now_ms);
// The same of a share's hour.
bool IsForgotten(const ShareEntry& share, int64_t now_ms);

}  // namespace seatlock::domain
