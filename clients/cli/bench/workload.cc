#include "clients/cli/bench/workload.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cli/bench/limits.h"

namespace seatlock::cli::bench {

Histogram Tally::AllTimes() const {
  Histogram all = never_sent;
  for (const Histogram& one : times) all.Merge(one);
  return all;
}

Workload::Workload(const Options& options, uint64_t seed)
    : options_(options), random_(seed), told_(static_cast<size_t>(options.showtimes)) {}

Kind Workload::Draw() {
  const Mix& mix = options_.mix;
  uint32_t at = Below(std::accumulate(mix.begin(), mix.end(), uint64_t{0}));
  for (const Kind kind : kKinds) {
    const uint32_t share = mix[static_cast<size_t>(kind)];
    if (at < share) return kind;
    at -= share;
  }
  return Kind::kLock;
}

Plan Workload::Next(uint64_t number, int64_t now_us) {
  Plan plan;
  const Kind kind = Draw();
  if (kind == Kind::kLock || !TakeFrom(kind == Kind::kCancel ? booked_ : held_, now_us, &plan)) {
    PlanLock(&plan);
    plan.lapses_us = LapsesUs(now_us);
  } else {
    plan.kind = kind;
  }
  plan.number = number;
  plan.sent_us = now_us;
  if (plan.kind == Kind::kBook) plan.order = number;
  return plan;
}

void Workload::PlanLock(Plan* plan) {
  const auto seats = static_cast<uint64_t>(options_.seats);
  const bool hot = Below(100) < options_.hot_percent;
  plan->kind = Kind::kLock;
  plan->showtime = Below(static_cast<uint64_t>(options_.showtimes));
  plan->seat = Below(hot ? std::min<uint64_t>(seats, kHotSeats) : seats);
  plan->session = Below(static_cast<uint64_t>(options_.sessions));
}

int64_t Workload::LapsesUs(int64_t sent_us) const {
  return sent_us + options_.ttl_ms * 1'000 - kLapseMarginUs;
}

bool Workload::TakeFrom(std::vector<Plan>& pool, int64_t now_us, Plan* plan) {
  while (!pool.empty()) {
    std::swap(pool[Below(pool.size())], pool.back());
    *plan = pool.back();
    pool.pop_back();
    if (plan->lapses_us > now_us) return true;
  }
  return false;
}

bool Workload::Rightly(const Plan& plan, const std::string& reason, int64_t now_us) {
  if (plan.kind == Kind::kLock && (reason == "SEAT_TAKEN" || reason == "SESSION_SEAT_LIMIT")) {
    return true;
  }
  return now_us >= plan.lapses_us &&
         (reason == "NOT_LOCK_HOLDER" || reason == "LOCK_EXPIRED" || reason == "SEAT_TAKEN");
}

void Workload::Done(const Plan& plan, const Outcome& outcome, int64_t due_us, int64_t now_us) {
  const auto kind = static_cast<size_t>(plan.kind);
  tally_.times[kind].Add(now_us - due_us);
  ++tally_.results[kind][outcome.reason];
  tally_.retries += static_cast<uint64_t>(outcome.retries);
  if (outcome.reason == "OK") {
    ++tally_.done;
    Keep(plan, outcome);
  } else if (!Rightly(plan, outcome.reason, now_us)) {
    ++tally_.failed;
    KeepFailure(plan);
    if (tally_.failures.size() < kExamplesMax) {
      tally_.failures.push_back(
          absl::StrCat(kKindNames[kind], ": ", outcome.reason, ": ", outcome.message));
    }
  }
}

void Workload::Keep(const Plan& plan, const Outcome& outcome) {
  Pool(plan, outcome);
  // Nobody judges what the other benches are told.
  if (options_.bench != Bench::kLock) return;
  told_[plan.showtime].push_back({.revision = outcome.revision,
                                  .expire_ms = outcome.expire_ms,
                                  .server_ms = outcome.server_ms,
                                  .seat = plan.seat,
                                  .session = plan.session,
                                  .kind = plan.kind});
}

void Workload::KeepFailure(const Plan& plan) {
  if (options_.bench != Bench::kLock) return;
  if (plan.kind != Kind::kUnlock && plan.kind != Kind::kCancel) return;
  told_[plan.showtime].push_back(
      {.seat = plan.seat, .session = plan.session, .kind = plan.kind, .failed = true});
}

void Workload::Pool(const Plan& plan, const Outcome& outcome) {
  Plan kept = plan;
  switch (plan.kind) {
    case Kind::kLock: {
      uint64_t& fence = fences_[uint64_t{plan.showtime} << 32 | plan.seat];
      if (outcome.fence > fence) held_.push_back(kept);
      fence = std::max(fence, outcome.fence);
      break;
    }
    case Kind::kExtend:
      kept.lapses_us = std::max(plan.lapses_us, LapsesUs(plan.sent_us));
      held_.push_back(kept);
      break;
    case Kind::kBook:
      kept.lapses_us = std::numeric_limits<int64_t>::max();
      booked_.push_back(kept);
      break;
    case Kind::kUnlock:
    case Kind::kCancel:
      break;
  }
}

void Workload::NeverSent(int64_t due_us, int64_t now_us) {
  tally_.never_sent.Add(now_us - due_us);
}

}  // namespace seatlock::cli::bench
