#include "services/seatlock/guard/rates.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/guard/limits.h"

namespace seatlock::guard {
namespace {

base::TokenRate PerSecond(int64_t tokens) {
  return {.burst = tokens, .per_second = tokens};
}

size_t Hash(std::string_view a, std::string_view b = {}) {
  return absl::HashOf(absl::string_view(a.data(), a.size()), absl::string_view(b.data(), b.size()));
}

}  // namespace

std::string_view RateName(Rate rate) {
  switch (rate) {
    case Rate::kCallsPerPrincipal:
      return "calls_per_principal";
    case Rate::kLocksPerPrincipal:
      return "locks_per_principal";
    case Rate::kLocksPerSession:
      return "locks_per_session";
    case Rate::kLocks:
      return "locks";
  }
  return "";
}

Rates::Rates(const RateLimits& limits, const base::Clock& clock)
    : rates_{PerSecond(limits.locks), PerSecond(limits.calls_per_principal),
             PerSecond(limits.locks_per_principal), PerSecond(limits.locks_per_session)},
      any_lock_(limits.any_lock()),
      clock_(clock),
      calls_(kPrincipalBucketsMax),
      principals_(kPrincipalBucketsMax),
      sessions_(kSessionBucketsMax) {}

std::optional<Rates::Refused> Rates::TakeCall(std::string_view principal) {
  if (!IsOn(Rate::kCallsPerPrincipal)) return std::nullopt;
  const int64_t now_ms = clock_.MonotonicMs();
  base::MutexLock lock(mu_);
  return Take({{Rate::kCallsPerPrincipal, &calls_.Find(Hash(principal), now_ms)}}, now_ms);
}

std::optional<Rates::Refused> Rates::TakeLock(const Sender& sender) {
  if (!any_lock_) return std::nullopt;
  const int64_t now_ms = clock_.MonotonicMs();
  base::MutexLock lock(mu_);
  // In a storm most calls end here.
  if (IsOn(Rate::kLocks)) {
    if (auto refused = Look(Rate::kLocks, all_, now_ms)) return refused;
  }
  return Take(OfLock(sender, now_ms), now_ms);
}

void Rates::OweSeats(const Sender& sender, size_t seats) {
  Owe(sender, seats - 1, seats);  // TakeLock took one
}

void Rates::OweMoreSeats(const Sender& sender, size_t seats) {
  seats = std::min(seats, domain::kSeatsPerCallMax - 1);
  Owe(sender, seats, seats);
}

void Rates::Owe(const Sender& sender, size_t of_sender, size_t of_all) {
  if (!any_lock_) return;
  const int64_t now_ms = clock_.MonotonicMs();
  base::MutexLock lock(mu_);
  if (IsOn(Rate::kLocks)) {
    all_.Charge(RateOf(Rate::kLocks), now_ms, static_cast<int64_t>(of_all));
  }
  if (of_sender == 0) return;
  for (const Bucket& each : OfLock(sender, now_ms)) {
    each.bucket->Charge(RateOf(each.rate), now_ms, static_cast<int64_t>(of_sender));
  }
}

// Of the sender alone. A session's bucket is of one principal, so nobody uses up another's.
Rates::Buckets Rates::OfLock(const Sender& sender, int64_t now_ms) {
  Buckets buckets;
  if (IsOn(Rate::kLocksPerPrincipal)) {
    buckets.push_back(
        {Rate::kLocksPerPrincipal, &principals_.Find(Hash(sender.principal), now_ms)});
  }
  if (IsOn(Rate::kLocksPerSession)) {
    buckets.push_back(
        {Rate::kLocksPerSession, &sessions_.Find(Hash(sender.principal, sender.session), now_ms)});
  }
  return buckets;
}

std::optional<Rates::Refused> Rates::Look(Rate rate, const base::TokenBucket& bucket,
                                          int64_t now_ms) const {
  const int64_t wait_ms = bucket.WaitMs(RateOf(rate), now_ms, 1);
  // One that comes within a millisecond counts as there: rounded up, a second's worth of tokens
  // take a little longer than a second.
  if (wait_ms <= 1) return std::nullopt;
  return Refused{rate, std::max(wait_ms, kRetryMsMin)};
}

std::optional<Rates::Refused> Rates::Take(const Buckets& buckets, int64_t now_ms) {
  for (const Bucket& each : buckets) {
    if (auto refused = Look(each.rate, *each.bucket, now_ms)) return refused;
  }
  for (const Bucket& each : buckets) each.bucket->Charge(RateOf(each.rate), now_ms, 1);
  return std::nullopt;
}

size_t Rates::buckets() const {
  base::MutexLock lock(mu_);
  return calls_.size() + principals_.size() + sessions_.size();
}

}  // namespace seatlock::guard
