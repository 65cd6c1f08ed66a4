#include "clients/cli/bench/call_load.h"

#include <algorithm>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "clients/cli/bench/limits.h"

namespace seatlock::cli::bench {

using std::chrono::microseconds;
using std::chrono::milliseconds;

CallLoad::CallLoad(const Options& options, const Names& names, Connections connections)
    : options_(options),
      pacer_(static_cast<double>(options.rate), CallsOf(options), options.in_flight),
      workload_(options, std::random_device()()),
      calls_(options, names, std::move(connections),
             [this](const Plan& plan, const Outcome& outcome) { Done(plan, outcome); }) {}

int64_t CallLoad::NowUs() const {
  return std::chrono::duration_cast<microseconds>(Clock::now() - start_).count();
}

void CallLoad::Done(const Plan& plan, const Outcome& outcome) {
  std::optional<Plan> next;
  {
    base::MutexLock lock(mu_);
    const int64_t now = NowUs();
    workload_.Done(plan, outcome, pacer_.DueUs(plan.number), now);
    const bool full = pacer_.IsFull(now, in_flight_);
    --in_flight_;
    ++ended_;
    if (full) next = TakeNext(now);
    // Only Drain waits for this. After it `this` may be gone.
    if (in_flight_ == 0) ended_wake_.NotifyOne();
  }
  if (next.has_value()) calls_.Start(*next);
}

std::optional<Plan> CallLoad::TakeNext(int64_t now_us) {
  if (closed_) return std::nullopt;
  const std::optional<uint64_t> number = pacer_.Next(now_us, in_flight_);
  if (!number.has_value()) return std::nullopt;
  ++in_flight_;
  return workload_.Next(*number, now_us);
}

bool CallLoad::SendNext() {
  std::optional<Plan> plan;
  {
    base::MutexLock lock(mu_);
    plan = TakeNext(NowUs());
  }
  if (plan.has_value()) calls_.Start(*plan);
  return plan.has_value();
}

void CallLoad::Sleep(Clock::time_point retry_at) {
  Clock::time_point until = std::min(Clock::now() + microseconds(kPaceUsMax), retry_at);
  {
    base::MutexLock lock(mu_);
    if (!pacer_.AllSent() && pacer_.NextDueUs() <= NowUs()) {
      // Its time has come, so all places are taken.
      ended_wake_.WaitFor(mu_, milliseconds(kBlockedMs));
      return;
    }
    until = std::min(until, start_ + microseconds(pacer_.NextDueUs()));
  }
  std::this_thread::sleep_until(until);
}

void CallLoad::Drain() {
  while (true) {
    calls_.SendDue();
    base::MutexLock lock(mu_);
    if (in_flight_ == 0) return;
    ended_wake_.WaitFor(mu_, milliseconds(kBlockedMs));
  }
}

CallLoad::Result CallLoad::Run(const std::atomic<bool>& stop) {
  start_ = Clock::now();
  int64_t give_up_us = 0;
  {
    base::MutexLock lock(mu_);
    give_up_us = pacer_.EndUs() + options_.timeout_ms * 1'000;
  }
  while (!stop && NowUs() <= give_up_us) {
    const Clock::time_point retry_at = calls_.SendDue();
    if (SendNext()) continue;
    {
      base::MutexLock lock(mu_);
      if (pacer_.AllSent()) break;
    }
    Sleep(retry_at);
  }
  int64_t stopped_us = 0;
  {
    base::MutexLock lock(mu_);
    closed_ = true;
    stopped_us = NowUs();
  }
  Drain();
  Result result;
  result.seconds = static_cast<double>(NowUs()) / 1e6;
  result.clock_offset = calls_.clock_offset();
  base::MutexLock lock(mu_);
  result.sent = pacer_.sent();
  result.never_sent = pacer_.NeverSent(stopped_us);
  result.calls = result.sent + result.never_sent;
  result.held_back = pacer_.held_back();
  result.late = pacer_.late();
  for (uint64_t i = result.sent; i < result.calls; ++i) {
    workload_.NeverSent(pacer_.DueUs(i), stopped_us);
  }
  return result;
}

CallLoad::Progress CallLoad::progress() const {
  base::MutexLock lock(mu_);
  return {.calls = pacer_.calls(),
          .ended = ended_,
          .failed = workload_.tally().failed,
          .in_flight = in_flight_};
}

}  // namespace seatlock::cli::bench
