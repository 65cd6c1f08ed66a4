// The machine's clock is set wrongly while the programs run: for a moment, which must cost nobody
// more than seconds, and for good, which must be said. The programs' clock is shifted by a library
// that is loaded into them (tests/testing/shifted_clock.h).
//
// A lock ends within 1 s of its expire_time; a busy test machine gets a second more.
#include <gmock/gmock.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "tests/integration/test_server.h"
#include "tests/testing/http_get.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/shifted_clock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"
#include "tests/testing/ws_client.h"

namespace seatlock::testing {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kTtlMs = 3'000;
constexpr int64_t kPromiseMs = 1'000;
constexpr int64_t kSlackMs = 1'000;

// The value of a metric without labels.
double MetricOf(const std::string& admin_address, const std::string& name) {
  const auto page = HttpGet(admin_address, "/metrics");
  EXPECT_THAT(page, IsOk());
  double value = std::nan("");
  for (const absl::string_view line : absl::StrSplit(page->body, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    if (words[0] != name) continue;
    EXPECT_TRUE(absl::SimpleAtod(words[1], &value)) << line;
  }
  return value;
}

class ClockTest : public ::testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { Start(); }

  void Start() {
    ASSERT_THAT(server_.Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address());
  }

  double ServerOffset() {
    return MetricOf(server_.admin_address(), "seatlock_clock_offset_seconds");
  }
  static double Seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

  // Takes a lock while the clock is wrong by GetParam(), and sets the clock right again.
  void LockWhileTheClockIsWrong() {
    clock_.SetMs(GetParam());
    locked_ = Steady::now();
    const auto lock = client_->Lock("show", "A1", "s1", {.ttl_ms = kTtlMs});
    ASSERT_TRUE(lock.ok()) << lock.status.error_message();
    EXPECT_NEAR(ServerOffset(), Seconds(GetParam()), 5);
    clock_.SetMs(0);
    EXPECT_NEAR(static_cast<double>(ToMs(lock.response.lock().expire_time())),
                static_cast<double>(WallClockMs() + kTtlMs), kSlackMs);
  }
  // The lock ends when it should, by a clock that nobody has set.
  void ExpectTheLockToEndInTime() {
    WatchStream watch(client_->stub(), "show");
    ShowtimeView view;
    ASSERT_THAT(watch.FollowTo(view, 2), IsOk());
    const auto held_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - locked_).count();
    EXPECT_GE(held_ms, kTtlMs - kSlackMs);
    EXPECT_LE(held_ms, kTtlMs + kPromiseMs + kSlackMs);
    EXPECT_TRUE(view.seats().empty());
  }

  ShiftedClock clock_;
  TestServer server_{{}, "", clock_.Env()};
  std::unique_ptr<SeatLockClient> client_;
  Steady::time_point locked_;
};

TEST_P(ClockTest, AJumpThatIsUndoneCostsALockNoMoreThanSeconds) {
  LockWhileTheClockIsWrong();
  EXPECT_NEAR(ServerOffset(), 0, 5);
  ExpectTheLockToEndInTime();
}

TEST_P(ClockTest, NorAfterARestart) {
  LockWhileTheClockIsWrong();
  server_.Kill();
  Start();
  ExpectTheLockToEndInTime();
}

// The clock was wrong when the server started, and was set right before the next start: time goes
// on from the store's, at its pace.
TEST(ClockStartTest, AStoreWrittenByAClockThatWasAheadStopsNoLockFromEnding) {
  ShiftedClock clock;
  clock.SetMs(kHourMs);
  TestServer server({}, "", clock.Env());
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(SeatLockClient(server.address()).Lock("show", "A1", "s1").ok());
  clock.SetMs(0);
  server.Kill();
  ASSERT_THAT(server.Start(), IsOk());
  SeatLockClient client(server.address());
  EXPECT_NEAR(MetricOf(server.admin_address(), "seatlock_clock_offset_seconds"), -3600, 60);
  // At once: each lasts some seconds.
  struct Held {
    std::string show;
    Steady::time_point locked;
    uint64_t revision = 0;
    std::unique_ptr<WatchStream> watch;
  };
  std::vector<Held> all;
  for (const std::string show : {"show", "another"}) {
    Held held{.show = show, .locked = Steady::now(), .watch = nullptr};
    const auto lock = client.Lock(show, "B1", "s1", {.ttl_ms = kTtlMs});
    ASSERT_TRUE(lock.ok()) << lock.status.error_message();
    held.revision = lock.response.revision();
    held.watch = std::make_unique<WatchStream>(client.stub(), show);
    all.push_back(std::move(held));
  }
  for (const Held& held : all) {
    SCOPED_TRACE(held.show);
    ShowtimeView view;
    ASSERT_THAT(held.watch->FollowTo(view, held.revision + 1), IsOk());
    const auto held_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - held.locked).count();
    EXPECT_GE(held_ms, kTtlMs - kSlackMs);
    // At nine tenths of the pace: it is on its way back to the machine's clock.
    EXPECT_LE(held_ms, kTtlMs * 10 / 9 + kPromiseMs + kSlackMs);
  }
}

INSTANTIATE_TEST_SUITE_P(AnHour, ClockTest, ::testing::Values(kHourMs, -kHourMs),
                         [](const auto& jump) { return jump.param > 0 ? "Ahead" : "Behind"; });

TEST(ClockOffsetTest, OneThatLastsIsAnErrorLineOfBothProgramsAndAMetric) {
  ShiftedClock clock;
  TestServer server({}, "", clock.Env());
  ASSERT_THAT(server.Start(), IsOk());
  ProgramOptions options;
  options.binary = EDGE_BINARY;
  options.upstream = server.address();
  options.env = clock.Env();
  auto edge = StartEdge(options);
  ASSERT_THAT(edge, IsOk());
  EXPECT_NEAR(MetricOf((*edge)->admin_address(), "seatlock_edge_clock_offset_seconds"), 0, 1);

  clock.SetMs(kHourMs);

  const auto said = [](const std::string& line) {
    return LogField(line, "level") == "error" &&
           LogField(line, "msg").find("the machine's clock is not where ours is") !=
               std::string::npos;
  };
  EXPECT_THAT(server.process().WaitForLine(said, kStartTimeout), IsOk());
  EXPECT_THAT((*edge)->process().WaitForLine(said, kStartTimeout), IsOk());
  EXPECT_NEAR(MetricOf(server.admin_address(), "seatlock_clock_offset_seconds"), 3600, 60);
  EXPECT_NEAR(MetricOf((*edge)->admin_address(), "seatlock_edge_clock_offset_seconds"), 3600, 60);

  // What browsers are told goes by the same slow clock.
  const std::string& address = (*edge)->address();
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  auto browser = WsClient::Connect("127.0.0.1", static_cast<uint16_t>(port), {});
  ASSERT_THAT(browser, IsOk());
  auto hello = (*browser)->NextOfType("connection_established");
  ASSERT_THAT(hello, IsOk());
  EXPECT_NEAR(static_cast<double>((*hello)["timestamp"].to_number<int64_t>()),
              static_cast<double>(WallClockMs()), 60'000);
  EXPECT_EQ(SanitizerReport((*edge)->process()), "");
}

// A program that reads the clock directly does see it jump.
TEST(ClockControl, TheShiftReachesAProgram) {
  ShiftedClock clock;
  clock.SetMs(kHourMs);
  auto date = Process::Start({.binary = "/bin/date", .args = {"+%s"}, .env = clock.Env()});
  ASSERT_THAT(date, IsOk());
  ASSERT_THAT((*date)->Wait(kStartTimeout), IsOk());
  ASSERT_EQ((*date)->StdoutLines().size(), 1u);
  EXPECT_NEAR(static_cast<double>(std::atoll((*date)->StdoutLines()[0].c_str())),
              static_cast<double>(WallClockMs() + kHourMs) / 1000, 60);
}

}  // namespace
}  // namespace seatlock::testing
