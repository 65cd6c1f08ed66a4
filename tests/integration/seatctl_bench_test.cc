// seatctl bench against real processes, and against a service that lies: each lie must be found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "tests/integration/lying_service.h"
#include "tests/integration/start_edge.h"
#include "tests/integration/test_server.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tcp_link.h"

namespace seatlock::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::chrono::milliseconds kPatience(120'000);

using Words = std::vector<std::string>;

std::unique_ptr<Process> StartBench(Words words) {
  words.insert(words.begin(), "bench");
  auto bench = Process::Start({.binary = SEATCTL_BINARY, .args = std::move(words)});
  EXPECT_THAT(bench, IsOk());
  return *std::move(bench);
}

struct BenchRun {
  int code = -1;
  Words out;
  Words errors;

  std::string Text() const { return absl::StrJoin(out, "\n"); }
  boost::json::value Json() const { return boost::json::parse(Text()); }
};

BenchRun Finish(Process& bench) {
  const auto exit = bench.Wait(kPatience);
  EXPECT_THAT(exit, IsOk());
  return {exit.value_or(ProcessExit{}).code, bench.StdoutLines(), bench.StderrLines()};
}

BenchRun RunBench(Words words) {
  return Finish(*StartBench(std::move(words)));
}

int64_t CountOf(const BenchRun& run, const char* what) {
  return run.Json().at("counts").at(what).to_number<int64_t>();
}

// A small load of every kind.
Words Small(const std::string& server, const std::string& duration, Words more = {}) {
  Words words = {"lock",       "--server",   server,    "--rate", "300",
                 "--duration", duration,     "--seats", "20",     "--showtimes",
                 "3",          "--sessions", "30"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

class SeatctlBenchTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(server_.Start(), IsOk()); }

  // Nothing of any run is taken.
  void ExpectNothingLeft() {
    SeatLockClient client(server_.address());
    const auto list = client.List(1'000);
    ASSERT_TRUE(list.ok());
    EXPECT_GT(list.response.showtimes_size(), 0);
    for (const v1::ShowtimeSummary& showtime : list.response.showtimes()) {
      EXPECT_THAT(showtime.showtime_id(), StartsWith("bench-"));
      EXPECT_EQ(showtime.locked() + showtime.booked(), 0U) << showtime.ShortDebugString();
    }
  }

  TestServer server_;
};

TEST_F(SeatctlBenchTest, AnHonestServicePassesAndNothingIsLeftBehind) {
  const BenchRun run = RunBench(Small(server_.address(), "2s", {"--hot", "30", "-o", "json"}));
  EXPECT_EQ(run.code, 0) << run.Text();
  const boost::json::value json = run.Json();
  EXPECT_TRUE(json.at("pass").as_bool());
  EXPECT_EQ(json.at("timesMs").at("all calls").at("count").to_number<int>(), 600);
  EXPECT_GT(CountOf(run, "answers checked"), 300);
  for (const char* kind : {"lock", "unlock", "extend", "book", "cancel"}) {
    EXPECT_GT(json.at("results").at(kind).at("OK").to_number<int>(), 0) << kind;
  }
  EXPECT_GT(json.at("results").at("lock").at("SEAT_TAKEN").to_number<int>(), 0);
  ExpectNothingLeft();
}

TEST_F(SeatctlBenchTest, AServiceThatIsKilledAndComesBackLosesNothing) {
  const auto bench = StartBench(Small(server_.address(), "8s", {"-o", "json"}));
  ASSERT_THAT(bench->WaitForText(" calls, ", kPatience), IsOk());
  server_.Kill();
  ASSERT_THAT(server_.Start(), IsOk());
  const BenchRun run = Finish(*bench);
  EXPECT_EQ(run.code, 0) << run.Text();
  EXPECT_GT(CountOf(run, "retries"), 0);
  ExpectNothingLeft();
}

TEST_F(SeatctlBenchTest, AServiceThatDoesNotComeBackIsAFailureThatIsPrinted) {
  const auto bench = StartBench(Small(server_.address(), "4s", {"--timeout", "1s"}));
  ASSERT_THAT(bench->WaitForText(" calls, ", kPatience), IsOk());
  server_.Kill();
  const BenchRun run = Finish(*bench);
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.Text(), HasSubstr("FAIL errors "));
  EXPECT_THAT(run.Text(), HasSubstr("FAIL seats left behind 0: "));
  EXPECT_THAT(run.Text(), HasSubstr(" could not be checked: "));
}

TEST_F(SeatctlBenchTest, CtrlCEndsItEarlyWithAResultAndNothingLeftBehind) {
  const auto bench = StartBench(Small(server_.address(), "30m"));
  ASSERT_THAT(bench->WaitForText(" calls, ", kPatience), IsOk());
  bench->Signal(SIGINT);
  const BenchRun run = Finish(*bench);
  EXPECT_EQ(run.code, 0) << run.Text();
  EXPECT_THAT(run.Text(), HasSubstr("ended early by a signal"));
  EXPECT_THAT(run.Text(), HasSubstr("PASS double holds 0"));
  ExpectNothingLeft();
}

TEST_F(SeatctlBenchTest, WatchersSeeEveryChangeThoughTheyAreCutAndTheServiceIsKilled) {
  const auto bench =
      StartBench({"watch", "--server", server_.address(), "--watchers", "20", "--showtimes", "3",
                  "--rate", "200", "--duration", "6s", "--reconnect", "50", "-o", "json"});
  ASSERT_THAT(bench->WaitForText("changes arrived", kPatience), IsOk());
  server_.Kill();
  ASSERT_THAT(server_.Start(), IsOk());
  const BenchRun run = Finish(*bench);
  EXPECT_EQ(run.code, 0) << run.Text();
  EXPECT_GT(CountOf(run, "changes arrived"), 0);
  EXPECT_GT(CountOf(run, "cut and resumed"), 0);
  EXPECT_GT(CountOf(run, "streams lost"), 0);
  ExpectNothingLeft();
}

TEST_F(SeatctlBenchTest, BrowsersSeeEveryChangeThoughTheyAreCut) {
  std::unique_ptr<Program> edge;
  StartEdgeOn(server_.address(), edge);
  const BenchRun run = RunBench(
      {"ws", "ws://" + edge->address() + "/", "--server", server_.address(), "--connections", "30",
       "--showtimes", "3", "--rate", "200", "--duration", "3s", "--reconnect", "50", "-o", "json"});
  EXPECT_EQ(run.code, 0) << run.Text();
  EXPECT_GT(CountOf(run, "changes arrived"), 0);
  EXPECT_GT(CountOf(run, "cut and resumed"), 0);
  ExpectNothingLeft();
}

TEST_F(SeatctlBenchTest, AFrameThatIsLostOnTheWayIsAGap) {
  std::unique_ptr<Program> edge;
  StartEdgeOn(server_.address(), edge);
  const std::string address = edge->address();
  const auto port = static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  constexpr std::string_view kType = "seat_status_change";
  int frames = 0;
  // The sixth frame becomes one of a type that nobody knows.
  TcpLink link(port, [&frames, kType](char* bytes, size_t size) {
    char* const found = std::search(bytes, bytes + size, kType.begin(), kType.end());
    if (found != bytes + size && ++frames == 6) *found = 'x';
  });
  const BenchRun run = RunBench({"ws", "ws://127.0.0.1:" + std::to_string(link.port()) + "/",
                                 "--server", server_.address(), "--connections", "1", "--showtimes",
                                 "1", "--rate", "50", "--duration", "2s", "--reconnect", "0"});
  EXPECT_EQ(run.code, 1) << run.Text();
  EXPECT_THAT(run.out, Contains("FAIL gaps 1"));
}

TEST_F(SeatctlBenchTest, AnEdgeThatIsNotThereFailsAndNothingIsLoaded) {
  const BenchRun run = RunBench({"ws", "ws://127.0.0.1:1/", "--server", server_.address(),
                                 "--connections", "2", "--timeout", "1s"});
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.out, Contains("FAIL connected 0 of 2"));
  EXPECT_THAT(run.Text(), HasSubstr("a connection was lost: connect: Connection refused"));
  EXPECT_THAT(run.Text(), HasSubstr("Nothing was loaded"));
  SeatLockClient client(server_.address());
  const auto list = client.List(1'000);
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list.response.showtimes_size(), 0);
}

TEST(SeatctlBenchRefusalTest, AServiceThatIsNotThereIsSaidBeforeAnythingIsLoaded) {
  const BenchRun run = RunBench({"lock", "--server", "127.0.0.1:1", "--timeout", "1s"});
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.out, SizeIs(0));
  EXPECT_THAT(run.errors, Contains(HasSubstr("Nothing was loaded. Is seatlockd running on")));
}

TEST(SeatctlBenchRefusalTest, NothingBeyondLoopbackIsLoadedUnlessItIsAllowed) {
  const Words targets[] = {
      {"lock", "--server", "192.0.2.1:50051"},
      {"watch", "--server", "127.0.0.1:1,192.0.2.1:50051"},
      {"ws", "ws://192.0.2.1/", "--rate", "0"},
      {"ws", "ws://127.0.0.1:1/", "--server", "[2001:db8::1]:50051"},
  };
  for (const Words& words : targets) {
    const BenchRun run = RunBench(words);
    EXPECT_EQ(run.code, 2) << absl::StrJoin(words, " ");
    EXPECT_THAT(run.errors, ElementsAre(HasSubstr("say --allow-bench")));
  }
}

BenchRun LieTo(Lie lie, Words words) {
  LyingService service(lie);
  words.insert(words.end(), {"--server", service.address(), "--mix", "lock=1", "--showtimes", "1",
                             "--duration", "1s", "--timeout", "3s"});
  return RunBench(std::move(words));
}

// Many seats, so that none is wanted twice; none is taken.
const Words kApart = {"lock", "--rate", "30", "--seats", "10000", "--sessions", "100000"};

TEST(SeatctlBenchLieTest, CounterCheckAServiceThatDoesNotLiePasses) {
  const BenchRun run = LieTo(Lie::kNone, kApart);
  EXPECT_EQ(run.code, 0) << run.Text();
}

TEST(SeatctlBenchLieTest, ASeatThatIsGivenTwiceIsFound) {
  const BenchRun run = LieTo(Lie::kGrantsHeldSeats, {"lock", "--rate", "50", "--seats", "2"});
  EXPECT_EQ(run.code, 1) << run.Text();
  EXPECT_THAT(run.Text(), HasSubstr("FAIL double holds "));
  EXPECT_THAT(run.Text(), HasSubstr("double hold: S"));
  EXPECT_THAT(run.out, Contains("PASS lost acknowledgements 0"));
}

TEST(SeatctlBenchLieTest, AnAcknowledgedLockThatWasNeverMadeIsFound) {
  const BenchRun run = LieTo(Lie::kForgetsSome, kApart);
  EXPECT_EQ(run.code, 1) << run.Text();
  EXPECT_THAT(run.Text(), HasSubstr("FAIL lost acknowledgements "));
  EXPECT_THAT(run.out, Contains("PASS double holds 0"));
}

TEST(SeatctlBenchLieTest, ARevisionThatAStreamLeavesOutIsFound) {
  const BenchRun run = LieTo(Lie::kLeavesOut, {"watch", "--watchers", "2", "--rate", "30",
                                               "--seats", "10000", "--reconnect", "0"});
  EXPECT_EQ(run.code, 1) << run.Text();
  EXPECT_THAT(run.out, Contains("FAIL gaps 2"));
}

TEST(SeatctlBenchLieTest, SeatsThatAreNotGivenBackAreFound) {
  const BenchRun run = LieTo(Lie::kFreesNothing, kApart);
  EXPECT_EQ(run.code, 1) << run.Text();
  EXPECT_THAT(run.Text(), HasSubstr("FAIL seats left behind "));
}

}  // namespace
}  // namespace seatlock::testing
