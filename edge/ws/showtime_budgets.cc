#include "edge/ws/showtime_budgets.h"

#include <iterator>

#include "edge/limits.h"

namespace seatlock::edge {
namespace {

constexpr int64_t kHundredths = 100;

}  // namespace

ShowtimeBudgets::ShowtimeBudgets(int64_t burst)
    : rate_{.burst = burst * kHundredths, .per_second = burst} {}

int64_t ShowtimeBudgets::Take(const AddressKey& address, int64_t now_ms) {
  if (!on() || !address.known()) return 0;
  base::MutexLock lock(mu_);
  Budget& budget = *Find(address, now_ms);
  const int64_t wait_ms = budget.bucket.Take(rate_, now_ms, kHundredths);
  if (wait_ms == 0) return 0;
  const int64_t token_ms = kHundredths * kSecondMs / rate_.per_second;
  return budget.turns.Next(now_ms, wait_ms, token_ms);
}

void ShowtimeBudgets::GiveBack(const AddressKey& address) {
  if (!on() || !address.known()) return;
  base::MutexLock lock(mu_);
  const auto found = places_.find(address);
  if (found != places_.end()) found->second->bucket.GiveBack(rate_, kHundredths);
}

ShowtimeBudgets::Budgets::iterator ShowtimeBudgets::Find(const AddressKey& address,
                                                         int64_t now_ms) {
  const auto found = places_.find(address);
  if (found != places_.end()) {
    budgets_.splice(budgets_.end(), budgets_, found->second);
    return found->second;
  }
  // Two go for each that comes, so those that are full again do not pile up.
  for (int i = 0; i < 2 && !budgets_.empty() && budgets_.front().bucket.Full(now_ms); ++i) {
    ForgetOldest();
  }
  if (budgets_.size() >= kShowtimeBudgetsMax) ForgetOldest();
  budgets_.push_back({address, {}, {}});
  const auto at = std::prev(budgets_.end());
  places_.emplace(address, at);
  return at;
}

void ShowtimeBudgets::ForgetOldest() {
  places_.erase(budgets_.front().address);
  budgets_.pop_front();
}

size_t ShowtimeBudgets::addresses() const {
  base::MutexLock lock(mu_);
  return budgets_.size();
}

}  // namespace seatlock::edge
