// ./dev bench redis: servers on one Redis beside a server on SQLite, all in one run on one machine,
// as a table of ratios. Exit code 0 unless something did not work: a missed bar is a finding, not a
// failure. About two minutes; with arguments only the sections of these names (kSections).
//
// Everything shares the machine's cores: load, servers, and Redis. So the table says beside each
// ratio where the processor time went.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/load.h"
#include "tests/bench/log_load.h"
#include "tests/bench/report.h"
#include "tests/bench/sections.h"
#include "tests/bench/usage.h"
#include "tests/testing/http_get.h"
#include "tests/testing/programs.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::bench {
namespace {

using std::chrono::milliseconds;
using testing::Program;
using Stub = v1::SeatLockService::StubInterface::async_interface;

constexpr uint64_t kShowtimes = 100;
constexpr int kRounds = 3;
constexpr int kInFlight = 64;
constexpr milliseconds kWarmUp{500};
constexpr milliseconds kRound{2500};

// A Redis as the strict profile wants it, and its servers.
class Cluster {
 public:
  Cluster() {
    auto init = testing::Process::Start(
        {.binary = SEATLOCKD_BINARY, .args = {"store", "init", "--store=" + store()}});
    if (!init.ok()) Die("store init", init.status());
    const auto end = (*init)->Wait(testing::kStartTimeout);
    if (!end.ok() || end->code != 0) Die("store init", absl::InternalError("it failed"));
  }

  std::string store() const { return fmt::format("redis://127.0.0.1:{}", redis_.port()); }
  testing::RedisServer& redis() { return redis_; }
  const std::vector<std::unique_ptr<Program>>& servers() const { return servers_; }

  void Start(int servers) {
    for (int i = 0; i < servers; ++i) servers_.push_back(StartServer(store()));
  }
  void StopServers() { servers_.clear(); }

 private:
  testing::RedisServer redis_;
  std::vector<std::unique_ptr<Program>> servers_;
};

// The sum of a counter over all its labels that `with` is part of.
double Counter(const std::vector<std::unique_ptr<Program>>& servers, const std::string& name,
               const std::string& with) {
  double sum = 0;
  for (const auto& server : servers) {
    auto answer = testing::HttpGet(server->admin_address(), "/metrics");
    if (!answer.ok()) Die("/metrics", answer.status());
    size_t at = 0;
    while (at < answer->body.size()) {
      const size_t end = std::min(answer->body.find('\n', at), answer->body.size());
      const std::string line = answer->body.substr(at, end - at);
      at = end + 1;
      if (line.starts_with(name) && line.find(with) != std::string::npos) {
        sum += std::stod(line.substr(line.rfind(' ') + 1));
      }
    }
  }
  return sum;
}

template <typename T>
T Median(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// --- loads ---------------------------------------------------------------------------------------

// Every call takes a seat that nobody took before, in the showtimes `first`, `first` + `step` ...
// `numbers` goes on from round to round.
struct Share {
  std::string address;
  int in_flight = kInFlight;
  uint64_t first = 0;
  uint64_t step = 1;
};

LoadResult LockNew(const Share& share, milliseconds duration, uint64_t& numbers) {
  const uint64_t begin = numbers;
  const uint64_t mine = kShowtimes / share.step;
  LockSeatLoad load({.address = share.address, .in_flight = share.in_flight, .duration = duration},
                    &Stub::LockSeat,
                    [&share, begin, mine](uint64_t number, v1::LockSeatRequest& request) {
                      number += begin;
                      request.set_showtime_id(ShowtimeOf(share.first + number % mine * share.step));
                      request.set_seat_id(SeatOf(number / mine));
                      request.set_session_id(SessionOf(number));
                    });
  LoadResult result = load.Run();
  if (result.failures > 0) Die("LockSeat", absl::InternalError("calls failed"));
  numbers += result.calls + kInFlight;
  return result;
}

// Runs a load a share at the same time; calls a second of all together.
template <typename RunOne>
double Together(const std::vector<Share>& shares, const RunOne& run) {
  std::vector<double> rates(shares.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < shares.size(); ++i) {
    threads.emplace_back([&, i] { rates[i] = run(shares[i]).PerSecond(); });
  }
  for (std::thread& thread : threads) thread.join();
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

// Where the processor time of a load went, in seconds a second.
class Cpu {
 public:
  explicit Cpu(Cluster& cluster) : cluster_(cluster), begin_(Now()), started_(Clock::now()) {}
  std::string Text() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    const Used now = Now();
    return fmt::format("cores: servers {:.2f}, Redis {:.2f}; the rest is the load\'s",
                       (now.servers - begin_.servers) / seconds,
                       (now.redis - begin_.redis) / seconds);
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Used {
    double servers = 0, redis = 0;
  };
  Used Now() const {
    std::vector<pid_t> servers;
    for (const auto& server : cluster_.servers()) servers.push_back(server->process().pid());
    return {static_cast<double>(CpuNs(servers)) / 1e9,
            static_cast<double>(CpuNs({cluster_.redis().pid()})) / 1e9};
  }
  Cluster& cluster_;
  const Used begin_;
  const Clock::time_point started_;
};

// --- one server on Redis, and on SQLite ----------------------------------------------------------

void BenchOne(Report& report) {
  const testing::TempDir dir;
  const auto sqlite = StartServer("sqlite:" + dir.File("one.db"));
  Cluster cluster;
  cluster.Start(1);
  const Share on_sqlite{sqlite->address()};
  const Share on_redis{cluster.servers()[0]->address()};
  uint64_t sqlite_numbers = 0, redis_numbers = 0;
  LockNew(on_sqlite, kWarmUp, sqlite_numbers);
  LockNew(on_redis, kWarmUp, redis_numbers);
  std::vector<double> ratios;
  std::string each, cpu_text;
  LoadResult last;
  for (int i = 0; i < kRounds; ++i) {
    const LoadResult floor = LockNew(on_sqlite, kRound, sqlite_numbers);
    const Cpu cpu(cluster);
    last = LockNew(on_redis, kRound, redis_numbers);
    cpu_text = cpu.Text();
    ratios.push_back(last.PerSecond() / floor.PerSecond());
    each += fmt::format("{}{:.0f}/{:.0f}", i == 0 ? "" : ", ", last.PerSecond(), floor.PerSecond());
  }
  report.Judge(
      "durable `LockSeat`, one server, Redis (`appendfsync always`) : SQLite, 64 in "
      "flight, 100 showtimes",
      fmt::format("{:.2f} (calls/s: {})", Median(ratios), each), "≥ 0.8", Median(ratios) >= 0.8);
  report.Inform("its latency and where the time went, in the last round",
                fmt::format("p50 {:.2f} ms, p99 {:.2f} ms; {}", last.QuantileMs(0.5),
                            last.QuantileMs(0.99), cpu_text));
  cluster.StopServers();
  const auto bare = AppendToLog(cluster.redis().port(), kShowtimes, kInFlight, kRound);
  if (!bare.ok()) Die("appends", bare.status());
  report.Inform("the same appends without engine and gRPC: the Redis log alone, 64 in flight",
                fmt::format("{:.0f} appends/s", *bare));
}

// --- several servers -----------------------------------------------------------------------------

void BenchTwo(Report& report) {
  Cluster cluster;
  cluster.Start(2);
  const std::string one = cluster.servers()[0]->address();
  const std::string other = cluster.servers()[1]->address();
  std::vector<uint64_t> numbers(3);
  const auto alone = [&](milliseconds time) {
    return LockNew({one}, time, numbers[0]).PerSecond();
  };
  const auto split = [&](milliseconds time) {
    return Together(
        {{one, kInFlight / 2, 0, 2}, {other, kInFlight / 2, 1, 2}},
        [&](const Share& share) { return LockNew(share, time, numbers[1 + share.first]); });
  };
  // Seats that the loads of all share would be taken: each load has sessions and seats of its own.
  numbers[0] = uint64_t{1} << 40;
  alone(kWarmUp);
  split(kWarmUp);
  std::vector<double> ratios;
  std::string each, cpu_text;
  for (int i = 0; i < kRounds; ++i) {
    const double single = alone(kRound);
    const Cpu cpu(cluster);
    const double both = split(kRound);
    cpu_text = cpu.Text();
    ratios.push_back(both / single);
    each += fmt::format("{}{:.0f}/{:.0f}", i == 0 ? "" : ", ", both, single);
  }
  report.Judge("two servers, each with half of the showtimes : one server",
               fmt::format("{:.2f} (calls/s: {}; {})", Median(ratios), each, cpu_text), "≥ 0.9",
               Median(ratios) >= 0.9);
}

// --- a hot showtime ------------------------------------------------------------------------------

constexpr uint64_t kHotSeats = 3000;

// Extends locks of one showtime, each call another one: a change each, and the showtime stays as
// large as it is.
LoadResult ExtendHot(const Share& share, milliseconds duration) {
  Load<v1::ExtendLocksRequest, v1::ExtendLocksResponse> load(
      {.address = share.address, .in_flight = share.in_flight, .duration = duration},
      &Stub::ExtendLocks, [&share](uint64_t number, v1::ExtendLocksRequest& request) {
        const uint64_t seat = share.first + number * share.step % kHotSeats;
        request.set_showtime_id("hot");
        request.clear_seat_ids();
        request.add_seat_ids(SeatOf(seat));
        request.set_session_id(SessionOf(seat));
        request.mutable_ttl()->set_seconds(3600);
      });
  LoadResult result = load.Run();
  if (result.failures > 0) Die("ExtendLocks", absl::InternalError("calls failed"));
  return result;
}

void BenchHot(Report& report) {
  Cluster cluster;
  cluster.Start(3);
  const std::string first = cluster.servers()[0]->address();
  LockSeatLoad fill({.address = first, .calls = kHotSeats}, &Stub::LockSeat,
                    [](uint64_t number, v1::LockSeatRequest& request) {
                      request =
                          testing::LockSeatRequestOf("hot", SeatOf(number), SessionOf(number));
                    });
  if (fill.Run().calls != kHotSeats) Die("LockSeat", absl::InternalError("calls failed"));
  std::vector<Share> thirds;
  for (uint64_t i = 0; i < 3; ++i) {
    thirds.push_back({cluster.servers()[i]->address(), i == 0 ? 22 : 21, i, 3});
  }
  const auto by_all = [&](milliseconds time) {
    return Together(thirds, [&](const Share& share) { return ExtendHot(share, time); });
  };
  ExtendHot({first}, kWarmUp);
  by_all(kWarmUp);
  std::vector<double> ratios;
  std::string each, cpu_text;
  double appends = 0, conflicts = 0, confirmations = 0, calls = 0;
  for (int i = 0; i < kRounds; ++i) {
    const double single = ExtendHot({first}, kRound).PerSecond();
    const double appends_before = Counter(cluster.servers(), "seatlock_appends_total", "");
    const double conflicts_before =
        Counter(cluster.servers(), "seatlock_appends_total", "\"conflict\"");
    const double confirmed_before = Counter(cluster.servers(), "seatlock_confirmations_total", "");
    const Cpu cpu(cluster);
    const double all = by_all(kRound);
    cpu_text = cpu.Text();
    calls += all * std::chrono::duration<double>(kRound).count();
    appends += Counter(cluster.servers(), "seatlock_appends_total", "") - appends_before;
    conflicts +=
        Counter(cluster.servers(), "seatlock_appends_total", "\"conflict\"") - conflicts_before;
    confirmations +=
        Counter(cluster.servers(), "seatlock_confirmations_total", "") - confirmed_before;
    ratios.push_back(all / single);
    each += fmt::format("{}{:.0f}/{:.0f}", i == 0 ? "" : ", ", all, single);
  }
  report.Judge("one showtime changed by three servers at once : by one, 64 in flight in all",
               fmt::format("{:.2f} (calls/s: {}; {})", Median(ratios), each, cpu_text), "≥ 0.5",
               Median(ratios) >= 0.5);
  report.Inform(
      "its conflicts and confirmations, by three servers",
      fmt::format("{:.0f} % of the appends too late, {:.2f} calls an append that went "
                  "in, {:.3f} confirmations a call",
                  100 * conflicts / appends, calls / (appends - conflicts), confirmations / calls));
}

// --- answers that change nothing -----------------------------------------------------------------

// 16 calls in flight, on 100 showtimes in which alice has seat A-0.
LoadResult Refused(const std::string& address) {
  LockSeatLoad load({.address = address,
                     .in_flight = 16,
                     .duration = kRound,
                     .expected = grpc::StatusCode::FAILED_PRECONDITION},
                    &Stub::LockSeat, [](uint64_t number, v1::LockSeatRequest& request) {
                      request = testing::LockSeatRequestOf(ShowtimeOf(number % kShowtimes),
                                                           SeatOf(0), SessionOf(number));
                    });
  return load.Run();
}

LoadResult Reads(const std::string& address) {
  Load<v1::ListSessionLocksRequest, v1::ListSessionLocksResponse> load(
      {.address = address, .in_flight = 16, .duration = kRound}, &Stub::ListSessionLocks,
      [](uint64_t number, v1::ListSessionLocksRequest& request) {
        request.set_showtime_id(ShowtimeOf(number % kShowtimes));
        request.set_session_id("alice");
      });
  return load.Run();
}

void BenchAnswers(Report& report) {
  const testing::TempDir dir;
  const auto sqlite = StartServer("sqlite:" + dir.File("answers.db"));
  Cluster cluster;
  cluster.Start(1);
  const std::string addresses[] = {sqlite->address(), cluster.servers()[0]->address()};
  for (const std::string& address : addresses) {
    testing::SeatLockClient client(address);
    for (uint64_t i = 0; i < kShowtimes; ++i) client.Lock(ShowtimeOf(i), SeatOf(0), "alice");
  }
  const auto row = [&](const char* what, LoadResult (*run)(const std::string&)) {
    std::vector<std::string> texts;
    for (const std::string& address : addresses) {
      const LoadResult result = run(address);
      if (result.failures > 0) Die(what, absl::InternalError("calls failed"));
      texts.push_back(fmt::format("p50 {:.2f} ms, p99 {:.2f} ms, {:.0f}/s", result.QuantileMs(0.5),
                                  result.QuantileMs(0.99), result.PerSecond()));
    }
    report.Inform(what, fmt::format("SQLite {}; Redis {}", texts[0], texts[1]));
  };
  row("refused `LockSeat`, 16 in flight, confirmed on Redis", Refused);
  row("`ListSessionLocks`, 16 in flight, confirmed on Redis", Reads);
}

// --- what Redis holds ----------------------------------------------------------------------------

void BenchMemory(Report& report) {
  constexpr uint64_t kChanges = 100'000;
  constexpr uint64_t kIdle = 10'000;
  Cluster cluster;
  cluster.Start(1);
  const std::string address = cluster.servers()[0]->address();
  const auto lock = [&](uint64_t calls, uint64_t showtimes, const char* prefix) {
    LockSeatLoad load({.address = address, .calls = calls}, &Stub::LockSeat,
                      [=](uint64_t number, v1::LockSeatRequest& request) {
                        request = testing::LockSeatRequestOf(
                            prefix + ShowtimeOf(number % showtimes), SeatOf(number / showtimes),
                            SessionOf(number));
                      });
    if (load.Run().calls != calls) Die("LockSeat", absl::InternalError("calls failed"));
  };
  lock(kShowtimes, kShowtimes, "m");
  const auto used = [&] { return std::stod(cluster.redis().Info("used_memory")); };
  const double before = used();
  lock(kChanges + kShowtimes, kShowtimes, "m");
  const double with_changes = used();
  lock(kIdle, kIdle, "idle");
  const double with_idle = used();
  report.Inform("Redis's memory for 1,000 changes of one seat each",
                fmt::format("{:.0f} KiB", (with_changes - before) / 1024 / (kChanges / 1000.0)));
  report.Inform("Redis's memory for a showtime with one change",
                fmt::format("{:.1f} KiB", (with_idle - with_changes) / 1024 / kIdle));
}

constexpr Section kSections[] = {{"one", BenchOne},
                                 {"two", BenchTwo},
                                 {"hot", BenchHot},
                                 {"answers", BenchAnswers},
                                 {"memory", BenchMemory}};

int Main(int argc, char** argv) {
  const std::vector<std::string> wanted(argv + 1, argv + argc);
  return RunSections(kSections, wanted);
}

}  // namespace
}  // namespace seatlock::bench

int main(int argc, char** argv) {
  return seatlock::bench::Main(argc, argv);
}
