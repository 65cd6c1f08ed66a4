#include "tests/testing/showtime_view.h"

#include "absl/strings/str_cat.h"

namespace seatlock::testing {
namespace {

absl::Status Broken(const std::string& what, const google::protobuf::Message& message) {
  return absl::FailedPreconditionError(what + ": " + message.ShortDebugString());
}

bool Held(const v1::Seat* seat) {
  return seat != nullptr && seat->status() == v1::SEAT_STATUS_LOCKED;
}

}  // namespace

absl::Status CheckTransition(const v1::Seat* before, const v1::Seat& after, v1::ChangeCause cause) {
  const bool held_by_same = Held(before) && before->session_id() == after.session_id();
  switch (after.status()) {
    case v1::SEAT_STATUS_LOCKED:
      if (cause == v1::CHANGE_CAUSE_EXTEND && !held_by_same) return Broken("extended", after);
      if (before != nullptr && !held_by_same) return Broken("a second holder", after);
      return absl::OkStatus();
    case v1::SEAT_STATUS_BOOKED:
      if (before != nullptr && !held_by_same) return Broken("sold while another's", after);
      return absl::OkStatus();
    case v1::SEAT_STATUS_BLOCKED:
      if (before != nullptr && !held_by_same) return Broken("blocked while another's", after);
      return absl::OkStatus();
    case v1::SEAT_STATUS_AVAILABLE:
      if (before == nullptr) return Broken("freed twice", after);
      if (cause == v1::CHANGE_CAUSE_UNBLOCK) {
        const bool blocked = before->status() == v1::SEAT_STATUS_BLOCKED;
        return blocked ? absl::OkStatus() : Broken("unblocked, but it was not blocked", after);
      }
      if (cause == v1::CHANGE_CAUSE_CANCEL) {
        const bool booked = before->status() == v1::SEAT_STATUS_BOOKED;
        return booked && before->order_id() == after.order_id()
                   ? absl::OkStatus()
                   : Broken("cancelled another's", after);
      }
      return held_by_same ? absl::OkStatus() : Broken("freed another's", after);
    default:
      return Broken("no such status", after);
  }
}

absl::Status ShowtimeView::Apply(const v1::WatchShowtimeResponse& message) {
  switch (message.event_case()) {
    case v1::WatchShowtimeResponse::kSnapshot:
      return ApplySnapshot(message.snapshot());
    case v1::WatchShowtimeResponse::kChange:
      return ApplyChange(message.change());
    case v1::WatchShowtimeResponse::kProgress:
      return ApplyProgress(message.progress());
    default:
      return Broken("an event of no kind", message);
  }
}

absl::Status ShowtimeView::ApplySnapshot(const v1::ShowtimeSnapshot& snapshot) {
  const bool first = revision_ == 0 && snapshots_ == 0;
  if (!first && !snapshot.replaces()) return Broken("a snapshot nobody asked for", snapshot);
  if (unfinished_.has_value()) {
    if (unfinished_->revision() != snapshot.revision()) return Broken("two in one", snapshot);
    unfinished_->MergeFrom(snapshot);
  } else {
    unfinished_ = snapshot;
  }
  if (snapshot.more()) return absl::OkStatus();
  seats_.clear();
  for (const v1::Seat& seat : unfinished_->seats()) {
    if (!seats_.emplace(seat.seat_id(), seat).second) return Broken("a seat twice", seat);
  }
  epoch_ = snapshot.epoch();
  revision_ = snapshot.revision();
  ++snapshots_;
  if (snapshot.replaces()) ++replaces_;
  unfinished_.reset();
  return absl::OkStatus();
}

absl::Status ShowtimeView::ApplyChange(const v1::Change& change) {
  if (unfinished_.has_value()) return Broken("inside a snapshot", change);
  if (change.revision() != revision_ + 1) {
    return Broken(absl::StrCat("after revision ", revision_), change);
  }
  if (!epoch_.empty() && change.epoch() != epoch_) return Broken("of another epoch", change);
  for (const v1::Seat& seat : change.seats()) {
    const auto before = seats_.find(seat.seat_id());
    const absl::Status status =
        CheckTransition(before == seats_.end() ? nullptr : &before->second, seat, change.cause());
    if (!status.ok()) return status;
  }
  for (const v1::Seat& seat : change.seats()) {
    if (seat.status() == v1::SEAT_STATUS_AVAILABLE) {
      seats_.erase(seat.seat_id());
    } else {
      seats_[seat.seat_id()] = seat;
    }
  }
  epoch_ = change.epoch();
  revision_ = change.revision();
  changes_.push_back(change);
  return absl::OkStatus();
}

absl::Status ShowtimeView::ApplyProgress(const v1::Progress& progress) const {
  if (unfinished_.has_value()) return Broken("inside a snapshot", progress);
  if (progress.revision() != revision_) {
    return Broken(absl::StrCat("at revision ", revision_), progress);
  }
  return absl::OkStatus();
}

v1::Position ShowtimeView::position() const {
  v1::Position position;
  position.set_epoch(epoch_);
  position.set_revision(revision_);
  return position;
}

std::string ShowtimeView::DifferencesFrom(const v1::ShowtimeSnapshot& snapshot) const {
  std::string differences;
  if (snapshot.revision() != revision_ || snapshot.epoch() != epoch_) {
    absl::StrAppend(&differences, "position ", epoch_, "@", revision_, ", not ", snapshot.epoch(),
                    "@", snapshot.revision(), "\n");
  }
  std::map<std::string, v1::Seat> left = seats_;
  for (const v1::Seat& seat : snapshot.seats()) {
    const auto mine = left.find(seat.seat_id());
    const bool known = mine != left.end();
    // A booked seat's change names the session that booked it, its snapshot does not.
    v1::Seat expected = known ? mine->second : v1::Seat();
    if (expected.status() == v1::SEAT_STATUS_BOOKED) expected.clear_session_id();
    if (expected.SerializeAsString() != seat.SerializeAsString()) {
      absl::StrAppend(&differences, "seat ", seat.ShortDebugString(), ", not ",
                      expected.ShortDebugString(), "\n");
    }
    if (known) left.erase(mine);
  }
  for (const auto& [id, seat] : left) {
    absl::StrAppend(&differences, "missing: ", seat.ShortDebugString(), "\n");
  }
  return differences;
}

}  // namespace seatlock::testing
