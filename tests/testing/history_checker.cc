#include "tests/testing/history_checker.h"

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/testing/showtime_view.h"

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

}  // namespace seatlock::testing
