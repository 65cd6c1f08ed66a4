#include "clients/cli/args.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace seatlock::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

class ArgsTest : public ::testing::Test {
 protected:
  ArgsTest() { Clear(); }
  ~ArgsTest() override { Clear(); }

  static void Clear() {
    for (const char* name :
         {"SEATCTL_SERVER", "SEATCTL_SESSION", "SEATCTL_TIMEOUT", "SEATCTL_OUTPUT"}) {
      unsetenv(name);
    }
  }
  static ParsedArgs Parse(std::vector<const char*> args) {
    args.insert(args.begin(), "seatctl");
    return ParseArgs(static_cast<int>(args.size()), args.data());
  }
  static Args Good(std::vector<const char*> args) {
    const ParsedArgs parsed = Parse(std::move(args));
    EXPECT_EQ(parsed.exit_code, std::nullopt) << parsed.text;
    return parsed.args;
  }
};

TEST_F(ArgsTest, LockTakesSeatsSessionAndTime) {
  const Args args = Good({"lock", "123", "A06", "A07", "--session", "alice", "--ttl", "10m",
                          "--release", "B01", "--release", "B02"});
  EXPECT_EQ(args.command, Command::kLock);
  EXPECT_EQ(args.showtime, "123");
  EXPECT_THAT(args.seats, ElementsAre("A06", "A07"));
  EXPECT_THAT(args.release, ElementsAre("B01", "B02"));
  EXPECT_EQ(args.session, "alice");
  EXPECT_EQ(args.ttl_ms, 600'000);
  EXPECT_EQ(args.request_id.size(), 36U);
  EXPECT_EQ(args.server, "127.0.0.1:50051");
  EXPECT_FALSE(args.json);
}

TEST_F(ArgsTest, SeatsMayComeAfterFlags) {
  EXPECT_THAT(Good({"lock", "--release", "B01", "--session=alice", "123", "A06"}).seats,
              ElementsAre("A06"));
}

TEST_F(ArgsTest, BookTakesFencesAndSwitches) {
  const Args args = Good({"book", "123", "--order", "o1", "--session", "alice", "A06",
                          "--only-held", "--fence", "A06=5", "--fence=A=7=6", "--add"});
  EXPECT_EQ(args.command, Command::kBook);
  EXPECT_EQ(args.order, "o1");
  EXPECT_TRUE(args.only_held);
  EXPECT_TRUE(args.add_to_order);
  EXPECT_THAT(args.fences, ElementsAre(Pair("A06", 5), Pair("A=7", 6)));
}

TEST_F(ArgsTest, TombstoneWithoutSeatsBarsTheWholeOrder) {
  EXPECT_TRUE(Good({"cancel", "123", "--order", "o1", "--tombstone"}).all);
}

TEST_F(ArgsTest, GlobalFlagsStandBeforeOrAfterTheCommand) {
  for (const auto& args : {Good({"--server", "a:1", "--timeout=3s", "-o", "json", "get", "123"}),
                           Good({"get", "123", "--server=a:1", "--timeout", "3s", "-o", "json"})}) {
    EXPECT_EQ(args.server, "a:1");
    EXPECT_EQ(args.timeout_ms, 3000);
    EXPECT_TRUE(args.json);
  }
}

TEST_F(ArgsTest, FlagBeatsEnvironment) {
  setenv("SEATCTL_SERVER", "env:1", 1);
  setenv("SEATCTL_SESSION", "bob", 1);
  EXPECT_EQ(Good({"locks", "123"}).server, "env:1");
  EXPECT_EQ(Good({"locks", "123"}).session, "bob");
  EXPECT_EQ(Good({"locks", "123", "--server=flag:1"}).server, "flag:1");
}

TEST_F(ArgsTest, ServersAreAListAndOneAddressIsAListOfOne) {
  EXPECT_THAT(Good({"get", "123", "--server=a:1"}).servers, ElementsAre("a:1"));
  EXPECT_THAT(Good({"get", "123", "--server=a:1,[::1]:2"}).servers, ElementsAre("a:1", "[::1]:2"));
  setenv("SEATCTL_SERVER", "a:1,b:2", 1);
  EXPECT_THAT(Good({"get", "123"}).servers, ElementsAre("a:1", "b:2"));
}

TEST_F(ArgsTest, ListTakesALimitAndAPageSize) {
  const Args args = Good({"list", "--limit", "5", "--page-size=2", "--json"});
  EXPECT_EQ(args.command, Command::kList);
  EXPECT_EQ(args.limit, 5U);
  EXPECT_EQ(args.page_size, 2);
  EXPECT_TRUE(args.json);
}

TEST_F(ArgsTest, WatchResumesFromAPosition) {
  const Args args = Good({"watch", "123", "--resume", "e:1:41"});
  ASSERT_TRUE(args.resume.has_value());
  EXPECT_EQ(args.resume->epoch(), "e:1");
  EXPECT_EQ(args.resume->revision(), 41U);
}

TEST_F(ArgsTest, MistakesAreUsageErrorsThatSayWhatIsWrong) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{}, "name a command"},
      {{"sell"}, "sell"},
      {{"lock", "123", "--session", "a"}, "SEAT"},
      {{"lock", "123", "A06"}, "--session"},
      {{"lock", "123", "A06", "--session", "a", "--ttl", "10"}, "--ttl must be a time"},
      {{"unlock", "123", "--session", "a"}, "name the seats, or use --all"},
      {{"unlock", "123", "A06", "--all", "--session", "a"}, "--all"},
      {{"extend", "123", "--session", "a"}, "name the seats, or use --all"},
      {{"book", "123", "--session", "a"}, "--order"},
      {{"book", "123", "--session", "a", "--order", "o", "--fence", "A06"}, "SEAT=FENCE"},
      {{"cancel", "123", "--order", "o"}, "name the seats, or use --all"},
      {{"watch", "123", "--resume", "41"}, "EPOCH:REVISION"},
      {{"get", "123", "--server", "nowhere"}, "--server must be host:port"},
      {{"get", "123", "--server", "a:1,,b:1"}, "--server must have no empty entry"},
      {{"get", "123", "--server", "a:1,a:1"}, "--server must name a server once"},
      {{"get", "123", "--server", "a:1,b:99999"}, "--server must be host:port"},
      {{"list", "--limit", "0"}, "--limit"},
      {{"list", "--page-size", "1001"}, "--page-size"},
      {{"get", "123", "--timeout", "soon"}, "--timeout must be a time"},
      {{"get", "123", "--timeout", "inf"}, "--timeout must be a time with its unit, 1ms to 24h"},
      {{"get", "123", "--timeout", "1us"}, "--timeout must be a time"},
      {{"get", "123", "-o", "xml"}, "xml"},
      {{"get", "123", "--unknown"}, "--unknown"},
      {{"bench"}, "subcommand is required"},
      {{"bench", "lock", "--rate", "0"}, "--rate"},
      {{"bench", "lock", "--rate", "100001"}, "--rate"},
      {{"bench", "lock", "--rate", "0"}, "see seatctl bench lock --help"},
      {{"bench", "lock", "--count", "5", "--duration", "5s"}, "--duration excludes --count"},
      {{"bench", "lock", "--duration", "31m"}, "--duration must be a time with its unit, 100ms to"},
      {{"bench", "lock", "--ttl", "1s"}, "--ttl must be a time with its unit, 2s to 2h"},
      {{"bench", "lock", "--mix", "sell=1"}, "--mix must be shares"},
      {{"bench", "watch", "--count", "5"}, "--count"},
      {{"bench", "watch", "--watchers", "8001"}, "--watchers"},
      {{"bench", "ws"}, "URL is required"},
      {{"bench", "ws", "127.0.0.1:8080"}, "URL must be like ws://"},
      {{"bench", "ws", "wss://edge/"}, "wss:// is not spoken yet"},
  };
  for (const auto& [args, complaint] : cases) {
    const ParsedArgs parsed = Parse(args);
    EXPECT_EQ(parsed.exit_code, kExitUsage) << complaint;
    EXPECT_THAT(parsed.text, HasSubstr(complaint));
    EXPECT_THAT(parsed.text, StartsWith("seatctl: "));
    EXPECT_EQ(std::count(parsed.text.begin(), parsed.text.end(), '\n'), 1) << parsed.text;
  }
}

TEST_F(ArgsTest, HelpVersionAndConfigAreAnswers) {
  EXPECT_EQ(Parse({"--help"}).exit_code, kExitOk);
  EXPECT_THAT(Parse({"--help"}).text, HasSubstr("watch"));
  EXPECT_THAT(Parse({"lock", "--help"}).text, HasSubstr("--ttl"));
  EXPECT_THAT(Parse({"bench", "lock", "--help"}).text,
              AllOf(HasSubstr("--rate"), HasSubstr("Every command takes --server")));
  EXPECT_THAT(Parse({"--version"}).text, StartsWith("seatctl 0."));
  EXPECT_EQ(Parse({"--print-config", "--timeout=1m"}).text,
            "server=127.0.0.1:50051\nadmin=127.0.0.1:9101,127.0.0.1:9102\n"
            "ca=\ncert=\nkey=\ntimeout=1m\n"
            "output=table\n");
}

}  // namespace
}  // namespace seatlock::cli
