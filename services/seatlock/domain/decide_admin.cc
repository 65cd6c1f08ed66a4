// What operators do: blocking and unblocking seats, taking locks away, closing and reopening.
#include <algorithm>
#include <utility>

#include "services/seatlock/domain/decide_internal.h"

namespace seatlock::domain::internal {
namespace {

SeatAfter BlockedAfter(const SeatId& seat, const std::optional<SeatView>& before) {
  SeatAfter after{.seat = seat, .status = SeatStatus::kBlocked};
  if (StatusOf(before) == SeatStatus::kLocked) after.session = before->session;
  return after;
}

}  // namespace

Decision Decide(const Scene& scene, const BlockSeats& command, Needs& needs) {
  Change change = scene.NewChange(Cause::kBlock);
  change.note = command.note;
  std::vector<Conflict> conflicts;
  for (const SeatId* seat : Distinct(command.seats)) {
    const std::optional<SeatView> found = scene.Find(*seat);
    const SeatStatus status = StatusOf(found);
    if (status == SeatStatus::kBlocked) continue;
    if (status == SeatStatus::kBooked ||
        (status == SeatStatus::kLocked && !command.release_locks)) {
      conflicts.push_back({*seat, status, Reason::kSeatTaken});
      continue;
    }
    if (!found) ++needs.unseen_seats;
    change.seats.push_back(BlockedAfter(*seat, found));
  }
  if (!conflicts.empty()) return Conflicted(std::move(conflicts));
  if (change.seats.empty()) return scene.Unchanged();
  return change;
}

Decision Decide(const Scene& scene, const UnblockSeats& command, Needs&) {
  Change change = scene.NewChange(Cause::kUnblock);
  for (const SeatId* seat : Distinct(command.seats)) {
    if (StatusOf(scene.Find(*seat)) != SeatStatus::kBlocked) continue;
    change.seats.push_back(FreedAfter(*seat, SessionId()));
  }
  if (change.seats.empty()) return scene.Unchanged();
  return change;
}

Decision Decide(const Scene& scene, const ReleaseSeats& command, Needs&) {
  const std::vector<SeatId> held =
      command.session.empty() ? std::vector<SeatId>() : scene.showtime.HeldBy(command.session);
  Change change = scene.NewChange(Cause::kRelease);
  for (const SeatId* seat : Distinct(command.session.empty() ? command.seats : held)) {
    const std::optional<SeatView> found = scene.Find(*seat);
    if (StatusOf(found) != SeatStatus::kLocked) continue;
    change.seats.push_back(FreedAfter(*seat, found->session));
  }
  if (change.seats.empty()) return scene.Unchanged();
  return change;
}

Decision Decide(const Scene& scene, const CloseShowtime& command, Needs&) {
  if (scene.showtime.closed() != command.reopen) return scene.Unchanged();
  return scene.NewChange(command.reopen ? Cause::kReopen : Cause::kClose);
}

}  // namespace seatlock::domain::internal
