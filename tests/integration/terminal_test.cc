// `seatctl status`, `top`, `map` and `doctor` against real programs, some of them paused or killed,
// and on a real terminal.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/integration/start_edge.h"
#include "tests/integration/test_server.h"
#include "tests/testing/eventually.h"
#include "tests/testing/pty_process.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

// A look takes 2 s at most; the rest is for a busy machine.
constexpr std::chrono::seconds kLookPromised(20);
// What puts a terminal back: colours off, lines wrap, the cursor shows, the old screen is there.
constexpr char kRestored[] = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

class TerminalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    ASSERT_NO_FATAL_FAILURE(StartEdgeOn(server_.address(), edge_));
    client_ = std::make_unique<SeatLockClient>(server_.address());
  }

  std::vector<std::string> Args(std::vector<std::string> args) const {
    args.push_back("--server=" + server_.address());
    args.push_back(absl::StrCat("--admin=", server_.admin_address(), ",", edge_->admin_address()));
    return args;
  }

  // Without a terminal.
  Ran Run(std::vector<std::string> args) const {
    auto process = Process::Start({.binary = SEATCTL_BINARY, .args = Args(std::move(args))});
    EXPECT_THAT(process, IsOk());
    const auto exit = (*process)->Wait(kStartTimeout);
    EXPECT_THAT(exit, IsOk());
    return {exit.ok() ? exit->code : -1, absl::StrJoin((*process)->StdoutLines(), "\n"),
            absl::StrJoin((*process)->StderrLines(), "\n")};
  }

  std::unique_ptr<PtyProcess> OnTerminal(std::vector<std::string> args, int width, int height) {
    std::vector<std::string> all = Args(std::move(args));
    all.insert(all.begin(), SEATCTL_BINARY);
    return std::make_unique<PtyProcess>(all, width, height);
  }

  TestServer server_;
  std::unique_ptr<Program> edge_;
  std::unique_ptr<SeatLockClient> client_;
};

TEST_F(TerminalTest, StatusSaysInBoundedTimeWhoIsPausedAndWhoIsGone) {
  const Ran well = Run({"status"});
  EXPECT_EQ(well.code, 0) << well.out << well.err;
  EXPECT_THAT(well.out, AllOf(HasSubstr("seatlockd"), HasSubstr("seatlock-edge"),
                              HasSubstr("serving"), HasSubstr(SEATLOCK_VERSION)));
  server_.process().Signal(SIGSTOP);
  const auto start = std::chrono::steady_clock::now();
  const Ran paused = Run({"status"});
  EXPECT_LT(std::chrono::steady_clock::now() - start, kLookPromised);
  EXPECT_EQ(paused.code, 1);
  EXPECT_THAT(paused.out, AllOf(HasSubstr("down"), HasSubstr("no answer in time"),
                                HasSubstr("seatlock-edge  ready")));
  server_.process().Signal(SIGCONT);
  EXPECT_EQ(Run({"status"}).code, 0);
  const std::string admin = server_.admin_address();
  server_.Kill();
  const Ran gone = Run({"status", "-o", "json"});
  EXPECT_EQ(gone.code, 1);
  const auto json = boost::json::parse(gone.out);
  EXPECT_EQ(json.at("ok"), false);
  EXPECT_EQ(json.at("programs").at(0).at("address").as_string(), admin.c_str());
  EXPECT_THAT(boost::json::value_to<std::string>(json.at("programs").at(0).at("why")),
              HasSubstr("connection refused"));
  EXPECT_EQ(json.at("programs").at(1).at("ready"), true);
  EXPECT_EQ(json.at("servers").at(0).at("up"), false);
}

TEST_F(TerminalTest, TopRedrawsInPlaceFitsTheTerminalAndGivesItBack) {
  const auto top = OnTerminal({"top", "--interval=200ms"}, 90, 24);
  ASSERT_TRUE(top->Shows("3 of 3 well  over"));
  EXPECT_FALSE(top->IsRestored());
  ASSERT_TRUE(client_->Lock("123", "A06", "alice").ok());
  ASSERT_TRUE(top->Showed("  ok ")) << top->Frame();
  top->Resize(40, 6);
  ASSERT_TRUE(top->Shows("more lines")) << top->Frame();
  const std::string frame = top->Frame();
  EXPECT_LE(std::count(frame.begin(), frame.end(), '\n'), 5);
  server_.process().Signal(SIGSTOP);
  ASSERT_TRUE(top->Shows("1 of 3 well")) << top->Frame();
  top->Type("q");
  EXPECT_EQ(top->Wait(), 0);
  EXPECT_TRUE(top->IsRestored());
  EXPECT_THAT(top->output(), EndsWith(kRestored));
  server_.process().Signal(SIGCONT);
}

TEST_F(TerminalTest, CtrlZGivesTheTerminalBackUntilItGoesOn) {
  const auto top = OnTerminal({"top", "--interval=200ms"}, 90, 24);
  ASSERT_TRUE(top->Shows("3 of 3 well  over"));
  top->Type("\x1a");
  ASSERT_TRUE(top->WaitStopped());
  EXPECT_TRUE(top->IsRestored());
  EXPECT_THAT(top->output(), EndsWith(kRestored));
  top->Signal(SIGCONT);
  EXPECT_TRUE(Eventually([&] { return !top->IsRestored(); }));
  top->Signal(SIGTERM);
  EXPECT_EQ(top->Wait(), 0);
  EXPECT_TRUE(top->IsRestored());
}

TEST_F(TerminalTest, TopPrintsLinesWithoutATerminal) {
  const Ran json = Run({"top", "--interval=200ms", "--count=2", "-o", "json"});
  EXPECT_EQ(json.code, 0) << json.err;
  const std::vector<std::string> lines = absl::StrSplit(json.out, '\n');
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_TRUE(boost::json::parse(lines[0]).at("locksPerSecond").is_null());
  EXPECT_EQ(boost::json::parse(lines[1]).at("locksPerSecond"), 0);
  const Ran text = Run({"top", "--interval=200ms", "--count=1"});
  EXPECT_THAT(text.out, AllOf(HasSubstr("locks/s"), Not(HasSubstr("\x1b"))));
}

TEST_F(TerminalTest, MapDrawsChangesAsTheyComeAndSaysIfItIsNotLive) {
  ASSERT_TRUE(client_->Lock("123", "A01", "alice").ok());
  const auto map = OnTerminal({"map", "123"}, 80, 24);
  ASSERT_TRUE(map->Shows("A L")) << map->Frame();
  EXPECT_TRUE(map->Shows("live"));
  ASSERT_TRUE(client_->Lock("123", "A02", "alice").ok());
  ASSERT_TRUE(map->Shows("A L L")) << map->Frame();
  ASSERT_TRUE(client_->Book("123", {"A01"}, "alice", "o-1").ok());
  ASSERT_TRUE(map->Shows("A B L")) << map->Frame();
  EXPECT_TRUE(map->Shows("revision 3: book A01"));
  server_.Kill();
  ASSERT_TRUE(map->Shows("STALE")) << map->Frame();
  ASSERT_THAT(server_.Start(), IsOk());
  ASSERT_TRUE(map->Shows("live")) << map->Frame();
  map->Type("\x03");  // Ctrl-C
  EXPECT_EQ(map->Wait(), 0);
  EXPECT_TRUE(map->IsRestored());
  EXPECT_THAT(map->output(), EndsWith(kRestored));
}

TEST_F(TerminalTest, MapOnceIsPlainText) {
  ASSERT_TRUE(client_->Lock("123", "A01", "alice").ok());
  const Ran map = Run({"map", "123", "--once"});
  EXPECT_EQ(map.code, 0) << map.err;
  EXPECT_THAT(map.out, AllOf(HasSubstr("A L"), HasSubstr("locked 1"), Not(HasSubstr("\x1b"))));
  const Ran bad = Run({"map", std::string(129, 'x'), "--once"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_THAT(bad.err, HasSubstr("INVALID_FIELD"));
  const Ran no_file = Run({"map", "123", "--layout=/no/such/file"});
  EXPECT_EQ(no_file.code, 2);
  EXPECT_THAT(no_file.err, HasSubstr("No such file"));
}

TEST_F(TerminalTest, DoctorLooksAtRealProgramsAndHoldsIdleConnections) {
  const std::string url = absl::StrCat("--ws=ws://", edge_->address(), "/ws/seat-updates");
  const Ran well = Run({"doctor", url, "--idle=300ms"});
  EXPECT_EQ(well.code, 0) << well.out << well.err;
  EXPECT_THAT(well.out, AllOf(HasSubstr("the upgrade works"), HasSubstr("an idle watch lasted"),
                              HasSubstr("an idle WebSocket lasted"), HasSubstr("0 wrong")));
  const Ran elsewhere = Run({"doctor", absl::StrCat("--ws=ws://", edge_->address(), "/other")});
  EXPECT_EQ(elsewhere.code, 1);
  EXPECT_THAT(elsewhere.out, AllOf(HasSubstr("HTTP 404"), HasSubstr("/ws/seat-updates")));
  // Nothing of it is left in the store.
  EXPECT_EQ(client_->List(10, "").response.showtimes_size(), 0);
}

}  // namespace
}  // namespace seatlock::testing
