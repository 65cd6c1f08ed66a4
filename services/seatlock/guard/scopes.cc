#include "services/seatlock/guard/scopes.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace seatlock::guard {
namespace {

constexpr Scope kScopes[] = {Scope::kLock, Scope::kBook, Scope::kWatch, Scope::kAdmin};

struct Row {
  std::string_view rpc;
  Need need;
};

// A page of ListShowtimes says what a watch of every showtime would, so it needs the same.
constexpr Row kTable[] = {
    {"seatlock.v1.SeatLockService.LockSeat", Need::kLock},
    {"seatlock.v1.SeatLockService.LockSeats", Need::kLock},
    {"seatlock.v1.SeatLockService.UnlockSeat", Need::kLock},
    {"seatlock.v1.SeatLockService.UnlockSeats", Need::kLock},
    {"seatlock.v1.SeatLockService.ExtendLocks", Need::kLock},
    {"seatlock.v1.SeatLockService.BookSeats", Need::kBook},
    {"seatlock.v1.SeatLockService.CancelBooking", Need::kBook},
    {"seatlock.v1.SeatLockService.GetOrder", Need::kAny},
    {"seatlock.v1.SeatLockService.ListShowtimes", Need::kWatch},
    {"seatlock.v1.SeatLockService.GetShowtime", Need::kAny},
    {"seatlock.v1.SeatLockService.ListSessionLocks", Need::kAny},
    {"seatlock.v1.SeatLockService.WatchShowtime", Need::kWatch},
    {"seatlock.v1.SeatLockAdminService.BlockSeats", Need::kAdmin},
    {"seatlock.v1.SeatLockAdminService.UnblockSeats", Need::kAdmin},
    {"seatlock.v1.SeatLockAdminService.ReleaseSeats", Need::kAdmin},
    {"seatlock.v1.SeatLockAdminService.CloseShowtime", Need::kAdmin},
    {"seatlock.v1.SeatLockAdminService.DeleteShowtime", Need::kAdmin},
};

}  // namespace

std::string_view NameOf(Scope scope) {
  switch (scope) {
    case Scope::kLock:
      return "lock";
    case Scope::kBook:
      return "book";
    case Scope::kWatch:
      return "watch";
    case Scope::kAdmin:
      return "admin";
  }
  return "";
}

std::string_view NameOf(Need need) {
  switch (need) {
    case Need::kLock:
    case Need::kBook:
    case Need::kWatch:
    case Need::kAdmin:
      return NameOf(static_cast<Scope>(need));
    case Need::kAny:
      return "any";
    case Need::kNobody:
      return "none";
  }
  return "";
}

absl::StatusOr<ScopeSet> ScopeSet::Parse(std::string_view text) {
  ScopeSet set;
  const std::vector<absl::string_view> names =
      absl::StrSplit(absl::string_view(text.data(), text.size()), ',');
  for (const absl::string_view name : names) {
    const ScopeSet before = set;
    set.AddNamed({name.data(), name.size()});
    if (set == before) {
      return absl::InvalidArgumentError(
          "must be of lock, book, watch and admin, each once, with commas between");
    }
  }
  return set;
}

void ScopeSet::AddNamed(std::string_view name) {
  for (const Scope scope : kScopes) {
    if (name == NameOf(scope)) Add(scope);
  }
}

std::string ScopeSet::ToString() const {
  std::string text;
  for (const Scope scope : kScopes) {
    if (!Has(scope)) continue;
    if (!text.empty()) text += ",";
    text += NameOf(scope);
  }
  return text;
}

Need NeedOf(std::string_view rpc) {
  for (const Row& row : kTable) {
    if (row.rpc == rpc) return row.need;
  }
  return Need::kNobody;
}

bool Allows(ScopeSet scopes, Need need) {
  switch (need) {
    case Need::kLock:
    case Need::kBook:
    case Need::kWatch:
    case Need::kAdmin:
      return scopes.Has(static_cast<Scope>(need));
    case Need::kAny:
      return !scopes.empty();
    case Need::kNobody:
      return false;
  }
  return false;
}

}  // namespace seatlock::guard
