#include "tests/bench/overload.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

#include "tests/bench/open_loop.h"
#include "tests/bench/sections.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Stub = v1::SeatLockService::StubInterface::async_interface;

constexpr int kShowtimes = 100;
constexpr int kRounds = 3;
constexpr double kBookingsPerSecond = 200;
constexpr double kLocksPerSecond = 20'000;
constexpr int kLocksBound = 2'000;
constexpr int kInFlight = 4'096;
constexpr seconds kAlone{5};
// The storm begins before the bookings that are measured, and ends after them.
constexpr milliseconds kStormAhead{1'500};
constexpr seconds kStorm{8};
constexpr testing::Process::Milliseconds kStormTimeout{60'000};

using LockLoop = OpenLoop<v1::LockSeatRequest, v1::LockSeatResponse>;
using BookLoop = OpenLoop<v1::BookSeatsRequest, v1::BookSeatsResponse>;

void FillLock(uint64_t number, v1::LockSeatRequest& request) {
  request.set_showtime_id(ShowtimeOf(number % kShowtimes));
  request.set_seat_id(fmt::format("L-{}", number / kShowtimes));
  request.set_session_id(SessionOf(number));
}

// Books a seat that nobody took, in a showtime of the storm. `from`: orders of this call's own.
OpenLoopResult Book(const std::string& address, uint64_t from) {
  BookLoop loop({.address = address,
                 .per_second = kBookingsPerSecond,
                 .warm_up = milliseconds(500),
                 .duration = kAlone},
                &Stub::BookSeats, [from](uint64_t number, v1::BookSeatsRequest& request) {
                  number += from;
                  request.set_showtime_id(ShowtimeOf(number % kShowtimes));
                  request.set_session_id(SessionOf(number));
                  request.set_order_id(fmt::format("order-{}", number));
                  request.add_seat_ids(fmt::format("B-{}", number));
                });
  OpenLoopResult result = loop.Run();
  if (result.failed + result.exhausted + result.held_back > 0) {
    Die("BookSeats",
        absl::InternalError(fmt::format("{} failed, {} were refused, {} held back", result.failed,
                                        result.exhausted, result.held_back)));
  }
  return result;
}

struct StormResult {
  double made = 0;     // calls a second that were answered
  double granted = 0;  // of these with OK
  double failed = 0;   // neither OK nor RESOURCE_EXHAUSTED
};

class Storm {
 public:
  Storm(const std::string& address, double per_second) {
    auto process = testing::Process::Start(
        {.binary = "/proc/self/exe",
         .args = {"--storm", address, fmt::format("{}", per_second), fmt::format("{}", kInFlight),
                  fmt::format("{}", kStorm.count())}});
    if (!process.ok()) Die("the storm", process.status());
    process_ = *std::move(process);
    std::this_thread::sleep_for(kStormAhead);
  }

  StormResult Wait() {
    const auto line = process_->WaitForText("storm over", kStormTimeout);
    if (!line.ok()) Die("the storm", line.status());
    StormResult result;
    std::sscanf(line->c_str(), "storm over: %lf %lf %lf", &result.made, &result.granted,
                &result.failed);
    return result;
  }

 private:
  std::unique_ptr<testing::Process> process_;
};

struct Round {
  LoadResult alone;
  LoadResult beside;
  StormResult storm;

  double Ratio() const { return beside.QuantileMs(0.99) / alone.QuantileMs(0.99); }
  std::string Text() const {
    return fmt::format(
        "p99 {:.2f} ms alone, {:.2f} ms beside {:.0f} calls/s, of which {:.0f} were granted",
        alone.QuantileMs(0.99), beside.QuantileMs(0.99), storm.made, storm.granted);
  }
};

Round RunRound(const std::string& address, double locks_per_second, int number) {
  // Far enough apart that no order and no seat of one run is another's.
  const uint64_t from = static_cast<uint64_t>(number) * 100'000;
  Round round;
  round.alone = Book(address, from).granted;
  Storm storm(address, locks_per_second);
  round.beside = Book(address, from + 50'000).granted;
  round.storm = storm.Wait();
  if (round.storm.failed > 0) Die("LockSeat", absl::InternalError("calls failed"));
  return round;
}

void BenchBounded(Report& report) {
  std::vector<Round> rounds;
  for (int i = 0; i < kRounds; ++i) {
    const testing::TempDir dir;
    const auto server = StartServer("sqlite:" + dir.File("overload.db"),
                                    {fmt::format("--rate-locks={}", kLocksBound)});
    rounds.push_back(RunRound(server->address(), kLocksPerSecond, i));
  }
  std::sort(rounds.begin(), rounds.end(),
            [](const Round& a, const Round& b) { return a.Ratio() < b.Ratio(); });
  const Round& median = rounds[kRounds / 2];
  report.Judge(fmt::format("p99 of {:.0f} bookings/s beside {:.0f} `LockSeat`/s offered, with "
                           "--rate-locks={}, over the same alone",
                           kBookingsPerSecond, kLocksPerSecond, kLocksBound),
               fmt::format("{:.2f} ({}; all rounds: {:.2f}, {:.2f}, {:.2f})", median.Ratio(),
                           median.Text(), rounds[0].Ratio(), rounds[1].Ratio(), rounds[2].Ratio()),
               "≤ 2 ×", median.Ratio() <= 2);
  const double granted = median.storm.granted / kLocksBound;
  report.Judge("locks granted meanwhile, over the bound", fmt::format("{:.2f}", granted),
               "0.9 to 1.1", granted >= 0.9 && granted <= 1.1);
  const double made = median.storm.made / kLocksPerSecond;
  if (made < 0.9) {
    report.Inform("the storm was weaker than it was to be: this machine is too busy",
                  fmt::format("{:.2f} of it", made));
  }
}

void BenchUnbounded(Report& report) {
  const testing::TempDir dir;
  const auto server = StartServer("sqlite:" + dir.File("overload.db"));
  const Round round = RunRound(server->address(), 0, kRounds);
  report.Inform(fmt::format("the same without a bound, beside {} `LockSeat` in flight", kInFlight),
                fmt::format("{:.1f} ({})", round.Ratio(), round.Text()));
}

}  // namespace

void BenchOverload(Report& report) {
  BenchBounded(report);
  BenchUnbounded(report);
}

int RunStorm(const std::vector<std::string>& args) {
  if (args.size() != 4) return 2;
  const double per_second = std::stod(args[1]);
  const int in_flight = std::stoi(args[2]);
  const seconds duration{std::stoi(args[3])};
  StormResult result;
  if (per_second == 0) {
    LockSeatLoad load({.address = args[0], .in_flight = in_flight, .duration = duration},
                      &Stub::LockSeat, FillLock);
    const LoadResult locks = load.Run();
    result.granted = locks.PerSecond();
    result.made = result.granted + static_cast<double>(locks.failures) / locks.seconds;
  } else {
    // The full bucket of the beginning is used up in the warm-up.
    LockLoop loop({.address = args[0],
                   .channels = 4,
                   .per_second = per_second,
                   .warm_up = milliseconds(1'000),
                   .duration = duration - milliseconds(1'000),
                   .in_flight_max = static_cast<uint64_t>(in_flight)},
                  &Stub::LockSeat, FillLock);
    const OpenLoopResult locks = loop.Run();
    result.made = locks.MadePerSecond();
    result.granted = locks.granted.PerSecond();
    result.failed = static_cast<double>(locks.failed);
  }
  std::printf("storm over: %f %f %f\n", result.made, result.granted, result.failed);
  return 0;
}

}  // namespace seatlock::bench
