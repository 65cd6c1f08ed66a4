#include "tests/bench/trial.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include "tests/bench/usage.h"

namespace seatlock::bench {
namespace {

constexpr int kInFlight = 256;
constexpr milliseconds kOpenTimeout{60'000};
constexpr milliseconds kArriveTimeout{15'000};
constexpr milliseconds kWarmUp{1000};
constexpr milliseconds kStarted{300};
// Memory has settled once two looks differ by less than a hundredth, or after the last look.
constexpr milliseconds kLookAgain{300};
constexpr int kLooksMax = 8;
constexpr int kFloodBurst = 20;

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

std::vector<pid_t> AfterStart(pid_t pid) {
  std::this_thread::sleep_for(kStarted);
  return WithChildren(pid);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Trial>> Trial::Open(const TrialOptions& options) {
  auto server = options.entry->start(options.start);
  if (!server.ok()) return server.status();
  std::unique_ptr<Trial> trial(new Trial(options, *std::move(server)));
  if (absl::Status status = trial->crowd_->Open(kInFlight, kOpenTimeout); !status.ok()) {
    return status;
  }
  if (trial->crowd_->ready() == 0) return absl::UnavailableError("every connection was refused");
  trial->Settle();
  return trial;
}

Trial::Trial(TrialOptions options, std::unique_ptr<Contestant> server)
    : options_(std::move(options)),
      server_(std::move(server)),
      pids_(AfterStart(server_->pid())),
      bytes_before_(static_cast<double>(AnonymousBytes(pids_))),
      crowd_(std::make_unique<Crowd>(CrowdOptions{.address = server_->address(),
                                                  .dialect = server_->dialect(),
                                                  .connections = options_.connections,
                                                  .rooms = options_.rooms,
                                                  .stoppable_every = options_.stoppable_every})) {}

void Trial::Settle() {
  double before = Bytes();
  for (int look = 0; look < kLooksMax; ++look) {
    crowd_->PollUntil(SteadyClock::now() + kLookAgain);
    const double now = Bytes();
    if (look > 0 && std::abs(now - before) < now / 100) return;
    before = now;
  }
}

double Trial::Bytes() {
  const double bytes = static_cast<double>(AnonymousBytes(pids_)) - bytes_before_;
  peak_bytes_ = std::max(peak_bytes_, bytes);
  return bytes;
}

double Trial::PeakBytes() {
  Bytes();
  return peak_bytes_;
}

void Trial::Run(const Pace& pace, int steps) {
  auto next = SteadyClock::now();
  const auto end = next + 2 * steps * pace.every;
  for (int step = 0; step < steps && next < end; ++step) {
    crowd_->PollUntil(next);
    // Changes of one room do not pile up, or a server that falls behind would send several at once
    // and look the cheaper for it.
    if (options_.rooms.size() == 1) crowd_->PollUntilArrived(kArriveTimeout);
    for (int i = 0; i < pace.rooms_a_step; ++i) {
      const size_t room = turn_++ % options_.rooms.size();
      crowd_->Handed(static_cast<int>(room), pace.burst, SteadyClock::now());
      server_->Say(options_.rooms[room], pace.burst);
    }
    next = std::max(next + pace.every, SteadyClock::now());
  }
  crowd_->PollUntil(next);
  crowd_->PollUntilArrived(kArriveTimeout);
}

Figures Trial::Measure(const Pace& pace) {
  Figures figures{.title = options_.entry->title, .connections = crowd_->ready()};
  const double connections = std::max(1, figures.connections);
  figures.rest_bytes = Bytes() / connections;
  Run(pace,
      static_cast<int>(std::max(pace.every, std::min(kWarmUp, pace.length / 2)) / pace.every));
  crowd_->StartPhase();
  const uint64_t cpu_ns = CpuNs(pids_);
  const auto start = SteadyClock::now();
  Run(pace, static_cast<int>(pace.length / pace.every));
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  const double deliveries = std::max<double>(1, static_cast<double>(crowd_->deliveries()));
  figures.cpu_us = static_cast<double>(CpuNs(pids_) - cpu_ns) / 1000 / deliveries;
  figures.after_bytes = Bytes() / connections;
  figures.per_second = deliveries / seconds;
  figures.p50_ms = Quantile(crowd_->samples_ms(), 0.5);
  figures.p99_ms = Quantile(crowd_->samples_ms(), 0.99);
  figures.samples = crowd_->samples_ms().size();
  figures.text_bytes = static_cast<double>(crowd_->payload_bytes()) / deliveries;
  figures.missing = crowd_->missing() + crowd_->lost();
  figures.refused = crowd_->refused();
  figures.closed = crowd_->closed();
  return figures;
}

int Trial::Flood(int changes, milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  int handed = 0;
  while (handed < changes && SteadyClock::now() < deadline) {
    crowd_->Handed(0, kFloodBurst, SteadyClock::now());
    server_->Say(options_.rooms[0], kFloodBurst);
    handed += kFloodBurst;
    if (!crowd_->PollUntilArrived(kArriveTimeout)) break;
  }
  Bytes();
  return handed;
}

}  // namespace seatlock::bench
