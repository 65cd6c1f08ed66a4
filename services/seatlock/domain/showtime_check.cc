// Showtime::Check: whether a change that a store kept can have been decided on the state before it.
//
// Says nothing of what callers and operators may choose (times, limits, shares): those were other
// in other versions, and what was committed then stands. It says that the change keeps the state
// whole: no seat has two owners, none is freed that was free, no order has what is another's.
#include <algorithm>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/domain/showtime_tables.h"

namespace seatlock::domain {
namespace {

// What is wrong, nullptr for nothing.
using Fault = const char*;

bool OfLocks(Cause cause) {
  return cause == Cause::kLock || cause == Cause::kSwap || cause == Cause::kExtend;
}

bool Contains(const std::vector<SeatId>& ordered, const SeatId& seat) {
  return std::binary_search(ordered.begin(), ordered.end(), seat);
}

// Whether the fields of a seat after a change go with its status.
bool FieldsFit(const SeatAfter& after, const Change& change) {
  const bool no_lock = after.expire_ms == 0 && after.fence == Fence();
  switch (after.status) {
    case SeatStatus::kLocked:
      return after.expire_ms > 0 && after.fence != Fence() && after.order.empty();
    case SeatStatus::kBooked:
      return no_lock && after.order == change.order;
    case SeatStatus::kAvailable:
      return no_lock && after.order == change.order;  // of a cancellation; else both are empty
    case SeatStatus::kBlocked:
      return no_lock && after.order.empty();
  }
  return false;
}

// One change against the state before it.
class Fitting {
 public:
  Fitting(const Showtime& state, const Change& change)
      : state_(state), change_(change), order_(state.FindOrder(change.order)) {}

  absl::Status Check() const {
    if (Fault fault = OfTheWhole()) return Misfit(change_, state_.revision(), fault);
    for (const SeatAfter& after : change_.seats) {
      if (Fault fault = OfSeat(after)) return MisfitSeat(after, fault);
    }
    for (const SeatAfter& lock : change_.unchanged) {
      if (!Stands(lock)) return MisfitSeat(lock, "a lock that does not stand so");
    }
    return absl::OkStatus();
  }

 private:
  absl::Status MisfitSeat(const SeatAfter& seat, Fault fault) const {
    return Misfit(change_, state_.revision(),
                  absl::StrCat("seat ", seat.seat.value(), ": ", fault));
  }

  Fault OfTheWhole() const {
    const bool of_order = change_.cause == Cause::kBook || change_.cause == Cause::kCancel;
    if (of_order == change_.order.empty()) return "an order that does not go with the cause";
    if (!change_.unchanged.empty() && !OfLocks(change_.cause)) {
      return "it lists unchanged locks, which only LOCK, SWAP and EXTEND have";
    }
    if (change_.order_closed && change_.cause != Cause::kCancel) {
      return "only CANCEL closes an order";
    }
    if (!change_.kept.empty() && change_.cause != Cause::kBook) {
      return "only BOOK keeps seats";
    }
    if (!change_.note.empty() && change_.cause != Cause::kBlock) return "only BLOCK has a note";
    if (NamesASeatTwice()) return "a seat twice";
    if (change_.cause == Cause::kCancel) return OfCancel();
    if (change_.cause == Cause::kClose || change_.cause == Cause::kReopen) return OfClosing();
    if (change_.seats.empty()) return "it changes nothing";
    return change_.cause == Cause::kBook ? OfBook() : nullptr;
  }

  bool NamesASeatTwice() const {
    if (change_.seats.size() + change_.unchanged.size() <= 1) return false;
    absl::flat_hash_set<absl::string_view> seen;
    seen.reserve(change_.seats.size() + change_.unchanged.size());
    const auto again = [&](const SeatAfter& seat) {
      return !seen.insert(seat.seat.value()).second;
    };
    return std::any_of(change_.seats.begin(), change_.seats.end(), again) ||
           std::any_of(change_.unchanged.begin(), change_.unchanged.end(), again);
  }

  Fault OfBook() const {
    if (order_ == nullptr) return change_.kept.empty() ? nullptr : "a new order that kept seats";
    if (order_->closed) return "the order is closed";
    return order_->seats == change_.kept ? nullptr : "the order has other seats than it kept";
  }

  Fault OfCancel() const {
    if (order_ == nullptr) {
      const bool bars = change_.seats.empty() && change_.order_closed;
      return bars ? nullptr : "the order is not known";
    }
    if (order_->closed) return "the order is closed";
    if (change_.seats.empty()) return "it changes nothing";
    const bool closes = change_.seats.size() == order_->seats.size();
    return closes == change_.order_closed ? nullptr : "the order is not closed with its last seat";
  }

  Fault OfClosing() const {
    if (!change_.seats.empty()) return "seats in a change that has none";
    const bool closes = change_.cause == Cause::kClose;
    return state_.closed() == closes ? "it changes nothing" : nullptr;
  }

  // In the changes of one session every seat names it.
  bool OfTheSession(const SeatAfter& after) const {
    switch (change_.cause) {
      case Cause::kExpired:
      case Cause::kCancel:
      case Cause::kBlock:
      case Cause::kUnblock:
      case Cause::kRelease:
        return true;
      default:
        return after.session == change_.seats.front().session;
    }
  }

  Fault OfSeat(const SeatAfter& after) const {
    const bool of_a_holder = change_.cause != Cause::kBlock && change_.cause != Cause::kUnblock;
    if (after.seat.empty() || (of_a_holder && after.session.empty())) return "no id or no session";
    if (!FieldsFit(after, change_)) return "fields that do not go with the status";
    if (!OfTheSession(after)) return "another session than the other seats";
    const std::optional<SeatView> before = state_.FindSeat(after.seat);
    const SeatStatus was = before ? before->status : SeatStatus::kAvailable;
    const bool held = was == SeatStatus::kLocked && before->session == after.session;
    const bool freed = after.status == SeatStatus::kAvailable;
    switch (change_.cause) {
      case Cause::kSwap:
        if (freed) return held ? nullptr : "freed by who did not hold it";
        [[fallthrough]];
      case Cause::kLock:
        return was == SeatStatus::kAvailable ? OfGrant(after) : "locked, but it was taken";
      case Cause::kUnlock:
        return held && freed ? nullptr : "freed by who did not hold it";
      case Cause::kExtend:
        return held ? OfExtension(after, *before) : "extended by who did not hold it";
      case Cause::kExpired:
        return held && freed && before->expire_ms <= change_.commit_ms
                   ? nullptr
                   : "expired, but no such lock had lapsed";
      case Cause::kBook:
        return held || was == SeatStatus::kAvailable ? OfSale(after) : "booked, but it was taken";
      case Cause::kCancel:
        return freed && was == SeatStatus::kBooked && before->order == change_.order &&
                       before->session == after.session
                   ? nullptr
                   : "cancelled, but the order had not sold it so";
      case Cause::kBlock:
        return after.status == SeatStatus::kBlocked &&
                       (was == SeatStatus::kAvailable ? after.session.empty() : held)
                   ? nullptr
                   : "blocked, but it was sold, blocked already, or another's";
      case Cause::kUnblock:
        return freed && was == SeatStatus::kBlocked && after.session.empty()
                   ? nullptr
                   : "unblocked, but it was not blocked";
      case Cause::kRelease:
        return held && freed ? nullptr : "released, but it was not so locked";
      case Cause::kClose:
      case Cause::kReopen:
        break;  // OfClosing: they have no seats
    }
    return "a cause that is not known";
  }

  Fault OfGrant(const SeatAfter& after) const {
    const bool granted = after.status == SeatStatus::kLocked &&
                         after.fence.value() == change_.revision.value() &&
                         after.expire_ms >= change_.commit_ms;
    return granted ? nullptr : "a grant with another fence, or that had ended";
  }

  Fault OfExtension(const SeatAfter& after, const SeatView& before) const {
    const bool extended = after.status == SeatStatus::kLocked && after.fence == before.fence &&
                          after.expire_ms > before.expire_ms;
    return extended ? nullptr : "an extension with another fence, or to no later time";
  }

  Fault OfSale(const SeatAfter& after) const {
    if (after.status != SeatStatus::kBooked) return "a booking that does not sell it";
    const bool returns = order_ != nullptr && Contains(order_->cancelled, after.seat);
    return returns ? "booked, but it was cancelled out of the order" : nullptr;
  }

  // Whether `lock` stands in the state as the change says.
  bool Stands(const SeatAfter& lock) const {
    const std::optional<SeatView> before = state_.FindSeat(lock.seat);
    return before && before->status == SeatStatus::kLocked && lock.status == SeatStatus::kLocked &&
           before->session == lock.session && lock.session == change_.seats.front().session &&
           before->expire_ms == lock.expire_ms && before->fence == lock.fence && lock.order.empty();
  }

  const Showtime& state_;
  const Change& change_;
  const OrderEntry* const order_;  // nullptr: not known, or the change names none
};

}  // namespace

absl::Status Misfit(const Change& change, Revision head, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("change ", change.revision.value(), " on head ", head.value(), ": ", what));
}

absl::Status Showtime::Check(const Change& change) const {
  if (absl::Status fits = tables_->CheckFollows(change); !fits.ok()) return fits;
  return Fitting(*this, change).Check();
}

}  // namespace seatlock::domain
