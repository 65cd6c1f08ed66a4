#include "tests/testing/history_checker.h"

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/testing/showtime_view.h"
#include "tests/testing/windows.h"

namespace seatlock::testing {
namespace {

using Kind = Operation::Kind;
using Outcome = Operation::Outcome;

// What ties a change to the operation that asked for it.
std::string KeyOf(Kind kind, const std::string& seat, const std::string& who) {
  return absl::StrCat(static_cast<int>(kind), "/", seat, "/", who);
}

std::string KeyOf(const Operation& operation) {
  const bool by_order = operation.kind == Kind::kBook || operation.kind == Kind::kCancel;
  return KeyOf(operation.kind, operation.seat, by_order ? operation.order : operation.session);
}

std::string KeyOf(v1::ChangeCause cause, const v1::Seat& seat) {
  switch (cause) {
    case v1::CHANGE_CAUSE_LOCK:
      return KeyOf(Kind::kLock, seat.seat_id(), seat.session_id());
    case v1::CHANGE_CAUSE_UNLOCK:
      return KeyOf(Kind::kUnlock, seat.seat_id(), seat.session_id());
    case v1::CHANGE_CAUSE_BOOK:
      return KeyOf(Kind::kBook, seat.seat_id(), seat.order_id());
    case v1::CHANGE_CAUSE_CANCEL:
      return KeyOf(Kind::kCancel, seat.seat_id(), seat.order_id());
    default:
      return absl::StrCat("nobody asks for ", v1::ChangeCause_Name(cause));
  }
}

absl::Status Broken(const std::string& what, const std::string& about) {
  return absl::FailedPreconditionError(what + ": " + about);
}

std::string Describe(const Operation& operation) {
  return absl::StrCat(KeyOf(operation), " of ", operation.showtime, "@", operation.revision);
}

absl::Status Fold(const std::vector<v1::Change>& changes) {
  ShowtimeView view;
  for (const v1::Change& change : changes) {
    v1::WatchShowtimeResponse message;
    *message.mutable_change() = change;
    const absl::Status status = view.Apply(message);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Where each operation stands in the history, by key; and which (seat, session) expired.
struct Index {
  std::map<std::string, uint64_t> revisions;
  std::set<std::string> expired;
};

absl::Status IndexChanges(const std::vector<v1::Change>& changes, Index& index) {
  for (const v1::Change& change : changes) {
    for (const v1::Seat& seat : change.seats()) {
      if (change.cause() == v1::CHANGE_CAUSE_EXPIRED) {
        index.expired.insert(KeyOf(Kind::kUnlock, seat.seat_id(), seat.session_id()));
        continue;
      }
      const std::string key = KeyOf(change.cause(), seat);
      if (!index.revisions.emplace(key, change.revision()).second) {
        return Broken("happened twice", change.ShortDebugString());
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOperation(const Operation& operation, const Index& index) {
  const auto found = index.revisions.find(KeyOf(operation));
  const bool there = found != index.revisions.end();
  if (operation.outcome == Outcome::kRefused) {
    return there ? Broken("was refused, yet happened", Describe(operation)) : absl::OkStatus();
  }
  if (operation.outcome == Outcome::kUnknown) return absl::OkStatus();
  if (!there) {
    const bool lapsed = operation.kind == Kind::kUnlock && index.expired.contains(KeyOf(operation));
    return lapsed ? absl::OkStatus() : Broken("was acknowledged, yet is lost", Describe(operation));
  }
  if (found->second != operation.revision) {
    return Broken(absl::StrCat("is at revision ", found->second), Describe(operation));
  }
  return absl::OkStatus();
}

// Whether `seat` (nullptr: available) is a reason to refuse `operation`. Nothing is one for a
// cancellation: every order here is open until its only cancellation.
bool Justifies(const Operation& operation, const v1::Seat* seat) {
  const bool own = seat != nullptr && seat->session_id() == operation.session;
  switch (operation.kind) {
    case Kind::kLock:
    case Kind::kUnlock:
      return seat != nullptr && !own;
    case Kind::kBook:
      return !own;
    case Kind::kCancel:
      return false;
  }
  return false;
}

// What tells the window of a refusal and a seat's states in it. All of one showtime; a refusal then
// takes time by its own window, not by the whole history.
class States {
 public:
  // `changes` and `index` outlive this.
  States(const std::string& showtime, const std::vector<v1::Change>& changes,
         const std::vector<Operation>& operations, const Index& index) {
    for (const Operation& operation : operations) {
      if (operation.showtime != showtime) continue;
      if (operation.outcome == Outcome::kAcknowledged) {
        windows_.Answered(operation.times.answered, operation.revision);
      }
      const auto change = index.revisions.find(KeyOf(operation));
      if (change == index.revisions.end()) continue;
      windows_.Asked(operation.times.first_asked, change->second);
    }
    windows_.Close(changes.empty() ? 0 : changes.back().revision());
    for (const v1::Change& change : changes) {
      for (const v1::Seat& after : change.seats()) {
        const bool taken = after.status() != v1::SEAT_STATUS_AVAILABLE;
        seats_[after.seat_id()].emplace_back(change.revision(), taken ? &after : nullptr);
      }
    }
  }

  Window WindowOf(const Operation& refused) const {
    return windows_.Of(refused.times.last_asked, refused.times.answered);
  }

  // Whether the seat is a reason at any revision of the window. An empty one justifies nothing.
  bool Justify(const Operation& refused, const Window& window) const {
    if (window.first > window.last) return false;
    const v1::Seat* seat = nullptr;
    const auto found = seats_.find(refused.seat);
    if (found == seats_.end()) return Justifies(refused, seat);
    for (const auto& [revision, after] : found->second) {
      if (revision > window.first && Justifies(refused, seat)) return true;
      if (revision > window.last) return false;
      seat = after;
    }
    return Justifies(refused, seat);
  }

 private:
  Windows windows_;
  std::map<std::string, std::vector<std::pair<uint64_t, const v1::Seat*>>> seats_;
};

}  // namespace

absl::Status CheckHistory(const std::string& showtime, const std::vector<v1::Change>& changes,
                          const std::vector<Operation>& operations) {
  absl::Status status = Fold(changes);
  if (!status.ok()) return status;
  Index index;
  status = IndexChanges(changes, index);
  if (!status.ok()) return status;
  std::set<std::string> asked;
  for (const Operation& operation : operations) {
    if (operation.showtime != showtime) continue;
    if (!asked.insert(KeyOf(operation)).second) return Broken("asked twice", Describe(operation));
    status = CheckOperation(operation, index);
    if (!status.ok()) return status;
  }
  for (const auto& [key, revision] : index.revisions) {
    if (!asked.contains(key)) return Broken("nobody asked", absl::StrCat(key, "@", revision));
  }
  return absl::OkStatus();
}

absl::Status CheckRefusals(const std::string& showtime, const std::vector<v1::Change>& changes,
                           const std::vector<Operation>& operations) {
  Index index;
  const absl::Status status = IndexChanges(changes, index);
  if (!status.ok()) return status;
  const States states(showtime, changes, operations, index);
  for (const Operation& refused : operations) {
    if (refused.showtime != showtime || refused.outcome != Outcome::kRefused) continue;
    const Window window = states.WindowOf(refused);
    if (states.Justify(refused, window)) continue;
    return Broken(absl::StrCat("was refused without a reason between revisions ", window.first,
                               " and ", window.last),
                  Describe(refused));
  }
  return absl::OkStatus();
}

}  // namespace seatlock::testing
