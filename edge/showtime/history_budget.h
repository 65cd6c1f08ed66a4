// How much history all showtimes of the edge keep together: at most kHistoryBytesTotal. Each keeps
// as much as it may (limits.h) until the total is above that; then the showtimes whose last change
// is longest ago give up history first, down to kHistoryBytesMin each. Entries are shared by the
// source and the rooms of all threads, so what the source holds is charged once. Strand-bound to
// the home strand.
#pragma once

#include <cstddef>
#include <list>

#include "edge/limits.h"
#include "edge/stats.h"

namespace seatlock::edge {

class HistoryBudget {
 public:
  // Who keeps history.
  class Keeper {
   public:
    virtual ~Keeper() = default;
    // Gives up its oldest history until at most `bytes_max` are left; returns how many are. Does
    // not call the budget.
    virtual size_t TrimHistory(size_t bytes_max) = 0;
  };

  // What one showtime is charged. Does not outlive the budget or its keeper.
  class Account {
   public:
    Account(HistoryBudget& budget, Keeper& keeper) : budget_(budget), keeper_(keeper) {}
    ~Account() { budget_.Charge(*this, 0); }
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

    // The showtime has changed just now, and its history takes `bytes`. Others are trimmed if need
    // be, never this one.
    void Changed(size_t bytes) { budget_.Changed(*this, bytes); }

   private:
    friend class HistoryBudget;

    HistoryBudget& budget_;
    Keeper& keeper_;
    size_t bytes_ = 0;
    // Its place in by_age_, if it has more than kHistoryBytesMin.
    std::list<Account*>::iterator place_;
  };

  // `stats` outlives it, and is told the total.
  explicit HistoryBudget(Stats& stats) : stats_(stats) {}

  size_t bytes() const { return bytes_; }

 private:
  void Changed(Account& account, size_t bytes) {
    Charge(account, bytes);
    while (bytes_ > kHistoryBytesTotal && !by_age_.empty()) {
      // Never the one that has changed: all others at their least leave room for it (limits.h).
      Account& oldest = *by_age_.front();
      Charge(oldest, oldest.keeper_.TrimHistory(kHistoryBytesMin));
    }
  }

  void Charge(Account& account, size_t bytes) {
    const bool listed = account.bytes_ > kHistoryBytesMin;
    const bool stays = bytes > kHistoryBytesMin;
    if (listed && stays) {
      by_age_.splice(by_age_.end(), by_age_, account.place_);
    } else if (listed) {
      by_age_.erase(account.place_);
    } else if (stays) {
      account.place_ = by_age_.insert(by_age_.end(), &account);
    }
    bytes_ = bytes_ - account.bytes_ + bytes;
    account.bytes_ = bytes;
    stats_.history_bytes = static_cast<int64_t>(bytes_);
  }

  Stats& stats_;
  size_t bytes_ = 0;
  std::list<Account*>
      by_age_;  // Those that can give up history, the one that changed last at the end.
};

}  // namespace seatlock::edge
