#include "edge/ws/showtime_budgets.h"

#include "edge/limits.h"

namespace seatlock::edge {
namespace {

constexpr int64_t kHundredths = 100;

}  // namespace

ShowtimeBudgets::ShowtimeBudgets(int64_t burst)
    : rate_{.burst = burst * kHundredths, .per_second = burst}, budgets_(kShowtimeBudgetsMax) {}

int64_t ShowtimeBudgets::Take(const AddressKey& address, int64_t now_ms) {
  if (!on() || !address.known()) return 0;
  base::MutexLock lock(mu_);
  Budget& budget = budgets_.Find(address, now_ms);
  const int64_t wait_ms = budget.bucket.Take(rate_, now_ms, kHundredths);
  if (wait_ms == 0) return 0;
  const int64_t token_ms = kHundredths * kSecondMs / rate_.per_second;
  return budget.turns.Next(now_ms, wait_ms, token_ms);
}

void ShowtimeBudgets::GiveBack(const AddressKey& address) {
  if (!on() || !address.known()) return;
  base::MutexLock lock(mu_);
  Budget* const budget = budgets_.Peek(address);
  if (budget != nullptr) budget->bucket.GiveBack(rate_, kHundredths);
}

size_t ShowtimeBudgets::addresses() const {
  base::MutexLock lock(mu_);
  return budgets_.size();
}

}  // namespace seatlock::edge
