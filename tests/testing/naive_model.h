// The contract's rules said a second time, as plainly as can be: for tests alone.
//
// Written from the contract, not from decide*.cc: strings and maps, no index kept up to date, every
// grant ever made in one list. Slow and simple; where it and Decide differ, one of them is wrong.
// Thread-compatible.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "services/seatlock/domain/command.h"
#include "services/seatlock/domain/refusal.h"

namespace seatlock::domain::testing {

// What a caller sees of one command, from the model or from Decide.
struct Outcome {
  std::optional<Reason> refused;
  std::set<std::tuple<std::string, SeatStatus, Reason>> conflicts;
  uint32_t limit = 0;
  uint32_t held = 0;
  int64_t max_expire_ms = 0;
  // Accepted.
  bool changed = false;
  bool replayed = false;
  uint64_t revision = 0;
  std::optional<Cause> cause;
  std::vector<std::tuple<std::string, std::string, int64_t, uint64_t>> locks;
  std::vector<std::string> order_seats;
  std::vector<std::string> released;
  // What the change says of each seat: status, session, expiry, order.
  std::map<std::string, std::tuple<SeatStatus, std::string, int64_t, std::string>> after;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// `outcome` in one line, for failure messages.
std::string Describe(const Outcome& outcome);
// `command` in one line; two commands have the same one only if they ask for the same.
std::string Describe(const Command& command);

class NaiveModel {
 public:
  struct Seat {
    SeatStatus status = SeatStatus::kAvailable;
    std::string session{};
    int64_t expire_ms = 0;
    int64_t granted_ms = 0;
    uint64_t fence = 0;
    std::string order{};
    int64_t freed_ms = 0;
  };
  struct Order {
    std::set<std::string> seats;
    std::set<std::string> cancelled;
    bool closed = false;
  };
  struct Grant {
    std::string seat;
    std::string session{};
    uint64_t fence = 0;
  };
  struct Share {
    int64_t since_ms = 0;
    uint32_t unseen_seats = 0;
    uint32_t requests = 0;
  };
  struct Made {
    std::string body;
    int64_t commit_ms = 0;
    Outcome answer;
  };

  NaiveModel(uint32_t max_session_seats, int64_t max_lock_age_ms)
      : max_session_seats_(max_session_seats), max_lock_age_ms_(max_lock_age_ms) {}

  // As if so many changes had been made before the first command.
  void BeginAt(uint64_t revision) { revision_ = revision; }
  // As if `session` had used this of its share by then, before the first command.
  void Begin(const std::string& session, const Share& used) {
    shares_[session] = used;
    first_ms_ = std::min(first_ms_, used.since_ms);
  }

  // Does `command`, whose fields are in bounds, at `now_ms`.
  Outcome Do(const Command& command, int64_t now_ms);
  // What Do would answer. Copies only what `command` can depend on, so it is fast however long the
  // history is.
  Outcome WouldDo(const Command& command, int64_t now_ms) const;

  uint64_t revision() const { return revision_; }
  const std::map<std::string, Seat>& seats() const { return seats_; }
  const std::map<std::string, Order>& orders() const { return orders_; }
  const std::map<std::string, Made>& requests() const { return requests_; }
  const std::map<std::string, Share>& shares() const { return shares_; }
  const std::vector<Grant>& grants() const { return grants_; }
  bool closed() const { return closed_; }

  // Drops what the contract says is forgotten by then.
  void Forget(int64_t now_ms);

 private:
  Outcome DoBody(const Command& command);
  Outcome Lock(const LockSeats& c);
  Outcome Unlock(const UnlockSeats& c);
  Outcome Extend(const ExtendLocks& c);
  Outcome Book(const BookSeats& c);
  Outcome BookThese(const BookSeats& c, const std::set<std::string>& wanted);
  Outcome Cancel(const CancelBooking& c);
  Outcome Expire();
  Outcome Block(const BlockSeats& c);
  Outcome Unblock(const UnblockSeats& c);
  Outcome Release(const ReleaseSeats& c);
  Outcome Close(const CloseShowtime& c);

  // How many seats a lock names that are in no table.
  uint32_t Unseen(const Command& command) const;
  bool IsShareUsedUp(const Command& command) const;
  void Spend(const Command& command, uint32_t unseen_seats);

  bool Holds(const std::string& session, const std::string& seat) const;
  std::vector<std::string> HeldBy(const std::string& session) const;
  void Free(const std::string& seat);
  Outcome Changed(Cause cause) const;
  // The answer of success in which nothing changed.
  Outcome NoChange() const;
  void AddLocks(Outcome& outcome, const std::vector<std::string>& seats) const;

  uint32_t max_session_seats_;
  int64_t max_lock_age_ms_;
  int64_t now_ms_ = 0;
  int64_t first_ms_ = INT64_MAX;  // nothing here is older
  uint64_t revision_ = 0;
  bool closed_ = false;
  std::map<std::string, Seat> seats_;
  std::map<std::string, Order> orders_;
  std::map<std::string, Made> requests_;
  std::map<std::string, Share> shares_;
  std::vector<Grant> grants_;
};

}  // namespace seatlock::domain::testing
