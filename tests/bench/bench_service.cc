// ./dev bench service: what the service and the edge do on this machine, as a table. Absolute
// numbers say little away from the machine that they were taken on; the ratio is taken in one run,
// in alternate rounds. Exit code 0 unless something did not work: a missed bar is a finding, not a
// failure. About a minute; with arguments only the sections of these names (kSections).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/bench/echo_server.h"
#include "tests/bench/load.h"
#include "tests/bench/overload.h"
#include "tests/bench/poller.h"
#include "tests/bench/report.h"
#include "tests/bench/sections.h"
#include "tests/bench/ws_fleet.h"
#include "tests/testing/http_get.h"
#include "tests/testing/programs.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::bench {
namespace {

using std::chrono::milliseconds;
using testing::Program;
using SteadyClock = std::chrono::steady_clock;
using Stub = v1::SeatLockService::StubInterface::async_interface;

constexpr int kShowtimes = 100;
constexpr int kRounds = 3;
constexpr milliseconds kWarmUp{500};
constexpr milliseconds kRound{2500};
constexpr int kConnections = 1000;
constexpr int kFanOuts = 300;
constexpr uint64_t kSeatsPerCall = 100;

std::string RequestIdOf(char kind, uint64_t number) {
  return fmt::format("{}{:07x}-0000-4000-8000-000000000000", kind, number);
}

double MiB(const std::string& proc_field, pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(proc_field)) return std::stod(line.substr(proc_field.size() + 1)) / 1024;
  }
  return 0;
}

// Processor time that `pid` has used, in seconds.
double CpuSeconds(pid_t pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;  // up to utime
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// --- one seat a call ----------------------------------------------------------------------------

// Every call takes a seat that nobody took before. `numbers` goes on from round to round.
LoadResult LockOne(const std::string& address, milliseconds duration, uint64_t& numbers) {
  const uint64_t first = numbers;
  LockSeatLoad load({.address = address, .duration = duration}, &Stub::LockSeat,
                    [first](uint64_t number, v1::LockSeatRequest& request) {
                      number += first;
                      request.set_showtime_id(ShowtimeOf(number % kShowtimes));
                      request.set_seat_id(SeatOf(number / kShowtimes));
                      request.set_session_id(SessionOf(number));
                    });
  LoadResult result = load.Run();
  numbers += result.calls + result.failures + 64;
  return result;
}

void BenchUnary(Report& report) {
  const testing::TempDir dir;
  const auto server = StartServer("sqlite:" + dir.File("unary.db"));
  auto echo = testing::Process::Start({.binary = "/proc/self/exe", .args = {"--echo-server"}});
  if (!echo.ok()) Die("echo server", echo.status());
  const auto line = (*echo)->WaitForText("listening", testing::kStartTimeout);
  if (!line.ok()) Die("echo server", line.status());
  const std::string echo_address = testing::LogField(*line, "address");

  uint64_t numbers = 0;
  LockOne(echo_address, kWarmUp, numbers);
  LockOne(server->address(), kWarmUp, numbers);
  std::vector<std::pair<double, LoadResult>> rounds;  // by ratio
  std::string each;
  std::vector<double> cpu_us;  // of the server, a call
  for (int i = 0; i < kRounds; ++i) {
    const LoadResult floor = LockOne(echo_address, kRound, numbers);
    const double before = CpuSeconds(server->process().pid());
    LoadResult durable = LockOne(server->address(), kRound, numbers);
    cpu_us.push_back((CpuSeconds(server->process().pid()) - before) * 1e6 /
                     static_cast<double>(durable.calls));
    if (durable.failures + floor.failures > 0) Die("LockSeat", absl::InternalError("calls failed"));
    const double ratio = durable.PerSecond() / floor.PerSecond();
    each +=
        fmt::format("{}{:.0f}/{:.0f}", i == 0 ? "" : ", ", durable.PerSecond(), floor.PerSecond());
    rounds.emplace_back(ratio, std::move(durable));
  }
  std::sort(rounds.begin(), rounds.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto& [ratio, median] = rounds[kRounds / 2];
  report.Judge("durable `LockSeat` : no-op call, 64 in flight, 4 channels, 100 showtimes",
               fmt::format("{:.2f} (calls/s: {})", ratio, each), "≥ 0.5", ratio >= 0.5);
  report.Inform(
      "its latency in the median round",
      fmt::format("p50 {:.2f} ms, p99 {:.2f} ms", median.QuantileMs(0.5), median.QuantileMs(0.99)));
  std::sort(cpu_us.begin(), cpu_us.end());
  report.Inform("processor time of the service a call, median of the rounds",
                fmt::format("{:.1f} us", cpu_us[kRounds / 2]));
}

// --- 100 seats a call ---------------------------------------------------------------------------

template <typename Request>
void NameSeats(uint64_t first, Request& request) {
  request.clear_seat_ids();
  for (uint64_t i = 0; i < kSeatsPerCall; ++i) request.add_seat_ids(SeatOf(first + i));
}

void BenchManySeats(Report& report) {
  const testing::TempDir dir;
  const auto server = StartServer("sqlite:" + dir.File("many.db"));
  LockSeatsLoad load({.address = server->address(), .duration = 2 * kRound}, &Stub::LockSeats,
                     [](uint64_t number, v1::LockSeatsRequest& request) {
                       request.set_showtime_id(ShowtimeOf(number % kShowtimes));
                       request.set_session_id(SessionOf(number));
                       NameSeats(number / kShowtimes * kSeatsPerCall, request);
                     });
  const LoadResult result = load.Run();
  if (result.failures > 0) Die("LockSeats", absl::InternalError("calls failed"));
  const double seats = result.PerSecond() * kSeatsPerCall;
  report.Judge("durable `LockSeats` of 100 seats, 64 in flight",
               fmt::format("{:.0f} seats/s (p50 {:.2f} ms, p99 {:.2f} ms)", seats,
                           result.QuantileMs(0.5), result.QuantileMs(0.99)),
               "≥ 150,000 seats/s", seats >= 150'000);
}

// --- from the call to the last browser -----------------------------------------------------------

void BenchFanOut(Report& report) {
  const testing::TempDir dir;
  const auto server = StartServer("sqlite:" + dir.File("fanout.db"));
  testing::ProgramOptions options;
  options.binary = EDGE_BINARY;
  options.upstream = server->address();
  auto edge = testing::StartEdge(options);
  if (!edge.ok()) Die("seatlock-edge", edge.status());
  WsFleet fleet;
  if (auto status = fleet.Open((*edge)->address(), kConnections, "show"); !status.ok()) {
    Die("browsers", status);
  }
  const auto stub = v1::SeatLockService::NewStub(testing::TestChannel(server->address()));
  LoadResult frames;
  for (int i = 0; i < kFanOuts; ++i) {
    const std::string seat = fmt::format("F{:04}", i);
    const v1::LockSeatRequest request = testing::LockSeatRequestOf("show", seat, SessionOf(i));
    v1::LockSeatResponse response;
    grpc::ClientContext context;
    grpc::Status answer;
    base::Mutex mu;
    base::CondVar answered;
    bool done = false;
    const auto start = SteadyClock::now();
    stub->async()->LockSeat(&context, &request, &response, [&](grpc::Status status) {
      base::MutexLock lock(mu);
      answer = std::move(status);
      done = true;
      answered.NotifyAll();
    });
    const absl::Status arrived = fleet.WaitForAll(seat, milliseconds(10'000));
    const auto took = SteadyClock::now() - start;
    base::MutexLock lock(mu);
    while (!done) answered.Wait(mu);
    if (!arrived.ok()) Die("a frame: " + answer.error_message(), arrived);
    frames.latencies_us.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  }
  std::sort(frames.latencies_us.begin(), frames.latencies_us.end());
  report.Inform(
      "lock call to frame at the last of 1,000 connections of one edge",
      fmt::format("p50 {:.1f} ms, p99 {:.1f} ms", frames.QuantileMs(0.5), frames.QuantileMs(0.99)));
}

// --- memory --------------------------------------------------------------------------------------

// 1,000 showtimes of 500 seats each: 125 lock calls and 75 unlock calls in each leave 50 locked.
void BenchMemory(Report& report) {
  constexpr uint64_t kMany = 1000;
  constexpr uint64_t kLocks = 125;
  constexpr uint64_t kUnlocks = 75;
  const testing::TempDir dir;
  const auto server = StartServer("sqlite:" + dir.File("memory.db"));
  auto name = [](uint64_t number, auto& request) {
    request.set_showtime_id(ShowtimeOf(number % kMany));
    request.set_seat_id(SeatOf(number / kMany * 4));
    request.set_session_id(SessionOf(number));
  };
  LockSeatLoad locks({.address = server->address(), .calls = kMany * kLocks}, &Stub::LockSeat,
                     [&name](uint64_t number, v1::LockSeatRequest& request) {
                       name(number, request);
                       request.set_request_id(RequestIdOf('a', number));
                     });
  UnlockSeatLoad unlocks({.address = server->address(), .calls = kMany * kUnlocks},
                         &Stub::UnlockSeat,
                         [&name](uint64_t number, v1::UnlockSeatRequest& request) {
                           name(number, request);
                           request.set_request_id(RequestIdOf('b', number));
                         });
  if (locks.Run().calls != kMany * kLocks || unlocks.Run().calls != kMany * kUnlocks) {
    Die("200,000 calls", absl::InternalError("some failed, or they took too long"));
  }
  const double mib = MiB("VmRSS:", server->process().pid());
  report.Judge(
      "memory of seatlockd: 1,000 showtimes of 500 seats, 10 % locked, after 200,000 lock and "
      "unlock calls with request_ids",
      fmt::format("{:.0f} MB (peak {:.0f} MB)", mib * 1.048576,
                  MiB("VmHWM:", server->process().pid()) * 1.048576),
      "≤ 200 MB", mib * 1.048576 <= 200);
}

// --- start ---------------------------------------------------------------------------------------

// 2,000 showtimes of 500 seats: 450 booked and 50 locked in each.
void Fill(const std::string& address) {
  constexpr uint64_t kMany = 2000;
  auto book = [](uint64_t number, v1::BookSeatsRequest& request) {
    request.set_showtime_id(ShowtimeOf(number % kMany));
    request.set_session_id(SessionOf(number));
    request.set_order_id(fmt::format("order-{}", number));
    request.clear_seat_ids();
    const uint64_t call = number / kMany;
    for (uint64_t i = call * 90; i < call * 90 + 90; ++i) request.add_seat_ids(SeatOf(i));
  };
  auto lock = [](uint64_t number, v1::LockSeatsRequest& request) {
    request.set_showtime_id(ShowtimeOf(number));
    request.set_session_id(SessionOf(number));
    request.clear_seat_ids();
    for (uint64_t i = 450; i < 500; ++i) request.add_seat_ids(SeatOf(i));
  };
  BookSeatsLoad books({.address = address, .calls = kMany * 5}, &Stub::BookSeats, book);
  LockSeatsLoad locks({.address = address, .calls = kMany}, &Stub::LockSeats, lock);
  if (books.Run().calls != kMany * 5 || locks.Run().calls != kMany) {
    Die("filling the store", absl::InternalError("calls failed"));
  }
}

void BenchStart(Report& report) {
  const testing::TempDir dir;
  const std::string store = "sqlite:" + dir.File("start.db");
  {
    const auto server = StartServer(store);
    Fill(server->address());
    server->process().Kill();  // the harder start
  }
  const auto start = SteadyClock::now();
  const auto server = StartServer(store);
  absl::StatusOr<testing::HttpAnswer> ready;
  do {
    ready = testing::HttpGet(server->admin_address(), "/readyz");
  } while ((!ready.ok() || ready->status != 200) &&
           SteadyClock::now() - start < std::chrono::seconds(30));
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  testing::SeatLockClient client(server->address());
  const auto first = SteadyClock::now();
  const int seats = client.Get(ShowtimeOf(7)).response.snapshot().seats_size();
  const double first_ms =
      std::chrono::duration<double, std::milli>(SteadyClock::now() - first).count();
  if (seats != 500) Die("start", absl::DataLossError(fmt::format("{} of 500 seats", seats)));
  report.Judge("start after kill -9, to /readyz: 1,000,000 seats and 100,000 live locks on disk",
               fmt::format("{:.2f} s (first read {:.1f} ms)", seconds, first_ms), "≤ 1 s",
               seconds <= 1);
}

// --- somebody who polls --------------------------------------------------------------------------

// Books a whole showtime of 60,000 seats, 100 an order.
void BookHall(const std::string& address, const std::string& showtime) {
  constexpr uint64_t kOrders = 600;
  auto book = [&showtime](uint64_t number, v1::BookSeatsRequest& request) {
    request.set_showtime_id(showtime);
    request.set_session_id(SessionOf(number));
    request.set_order_id(fmt::format("order-{:016}", number));
    NameSeats(number * kSeatsPerCall, request);
  };
  BookSeatsLoad books({.address = address, .calls = kOrders}, &Stub::BookSeats, book);
  if (books.Run().calls != kOrders) Die("a hall", absl::InternalError("bookings failed"));
}

void BenchPolled(Report& report) {
  constexpr int kPolls = 50;
  constexpr size_t kAnswerBytesMin = 2'000'000;
  const testing::TempDir dir;
  const auto server = StartServer("sqlite:" + dir.File("polled.db"));
  BookHall(server->address(), "hall");
  uint64_t numbers = 0;
  LockOne(server->address(), kWarmUp, numbers);
  std::vector<std::pair<double, std::string>> rounds;  // by ratio
  PollResult polls;
  for (int i = 0; i < kRounds; ++i) {
    const LoadResult alone = LockOne(server->address(), kRound, numbers);
    Poller poller(server->address(), "hall", kPolls);
    const LoadResult polled = LockOne(server->address(), kRound, numbers);
    polls = poller.Stop();
    if (alone.failures + polled.failures > 0) Die("LockSeat", absl::InternalError("calls failed"));
    const auto due =
        static_cast<uint64_t>(0.95 * kPolls * std::chrono::duration<double>(kRound).count());
    if (polls.answered != polls.asked || polls.asked < due ||
        polls.smallest_bytes < kAnswerBytesMin) {
      Die("polls",
          absl::InternalError(fmt::format("{} of {} answered, the smallest of {} bytes",
                                          polls.answered, polls.asked, polls.smallest_bytes)));
    }
    const double ratio = polled.QuantileMs(0.95) / alone.QuantileMs(0.95);
    rounds.emplace_back(ratio,
                        fmt::format("{:.2f} (p95 {:.2f} ms alone, {:.2f} ms beside it; {:.0f} "
                                    "and {:.0f} calls/s)",
                                    ratio, alone.QuantileMs(0.95), polled.QuantileMs(0.95),
                                    alone.PerSecond(), polled.PerSecond()));
  }
  std::sort(rounds.begin(), rounds.end());
  const auto& [ratio, text] = rounds[kRounds / 2];
  report.Judge(
      fmt::format("p95 of `LockSeat` in other showtimes while somebody polls a showtime of "
                  "60,000 booked seats 50 times a second (all answered, {:.1f} MB each)",
                  static_cast<double>(polls.smallest_bytes) / 1e6),
      text, "≤ 2 ×", ratio <= 2);
}

constexpr Section kSections[] = {{"unary", BenchUnary},      {"many", BenchManySeats},
                                 {"fanout", BenchFanOut},    {"memory", BenchMemory},
                                 {"start", BenchStart},      {"polled", BenchPolled},
                                 {"overload", BenchOverload}};

int Main(int argc, char** argv) {
  const std::vector<std::string> wanted(argv + 1, argv + argc);
  if (wanted == std::vector<std::string>{"--echo-server"}) RunEchoServer();
  if (!wanted.empty() && wanted.front() == "--storm") {
    return RunStorm({wanted.begin() + 1, wanted.end()});
  }
  return RunSections(kSections, wanted);
}

}  // namespace
}  // namespace seatlock::bench

int main(int argc, char** argv) {
  return seatlock::bench::Main(argc, argv);
}
