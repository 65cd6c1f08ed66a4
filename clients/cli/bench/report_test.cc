#include "clients/cli/bench/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "clients/cli/bench/followers.h"
#include "clients/cli/bench/progress.h"
#include "clients/cli/bench/targets.h"

namespace seatlock::cli::bench {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> LinesOf(const Report& report) {
  std::vector<std::string> lines;
  for (const Verdict& verdict : report.verdicts) lines.push_back(verdict.Line());
  return lines;
}

TEST(VerdictTest, PassesIfNothingIsWrongAndEverythingWasSeen) {
  const auto line = [](uint64_t count, const char* of, const char* note) {
    return Verdict{.name = "x", .count = count, .of = of, .note = note}.Line();
  };
  EXPECT_EQ(line(0, "", ""), "PASS x 0");
  EXPECT_EQ(line(1, "", ""), "FAIL x 1");
  EXPECT_EQ(line(0, "", "3 could not be checked"), "FAIL x 0: 3 could not be checked");
  EXPECT_EQ(line(9, "9", ""), "PASS x 9 of 9");
  EXPECT_EQ(line(8, "9", ""), "FAIL x 8 of 9");
}

TEST(ReportTest, PassesOnlyIfEveryVerdictDoes) {
  Report report;
  report.verdicts = {{.name = "a", .count = 0, .of = "", .note = ""}};
  EXPECT_TRUE(report.Passes());
  report.verdicts.push_back({.name = "b", .count = 1, .of = "", .note = ""});
  EXPECT_FALSE(report.Passes());
  EXPECT_THAT(Text(report), HasSubstr("PASS a 0\nFAIL b 1\n"));
}

TEST(ReportTest, JsonSaysTheSame) {
  Report report;
  report.bench = "lock";
  report.target = "127.0.0.1:1";
  report.settings = {{"rate", "5/s"}};
  report.throughput = {{.what = "calls", .asked = 5, .achieved = 4}};
  Histogram times;
  times.Add(100);
  report.times.emplace_back("all calls", times);
  report.results["lock"]["OK"] = 3;
  report.counts = {{"retries", 2}};
  report.verdicts = {{.name = "double holds", .count = 1, .of = "", .note = ""}};
  const boost::json::value json = boost::json::parse(Json(report));
  EXPECT_FALSE(json.at("pass").as_bool());
  EXPECT_EQ(json.at("perSecond").at("calls").at("asked").as_double(), 5);
  EXPECT_EQ(json.at("timesMs").at("all calls").at("p50").as_double(), 0.1);
  EXPECT_EQ(json.at("results").at("lock").at("OK").to_number<int>(), 3);
  EXPECT_EQ(json.at("counts").at("retries").to_number<int>(), 2);
  EXPECT_EQ(json.at("verdicts").at(0).at("line").as_string(), "FAIL double holds 1");
}

TEST(FollowersTest, FollowersThatMissSomethingFail) {
  const auto judge = [](const StreamCheck& check, uint64_t last_revision) {
    Followers followers;
    followers.Add(check, last_revision);
    Report report;
    AddFollowers(followers, "streams", 1, &report);
    return LinesOf(report);
  };
  StreamCheck check;
  check.Snapshot(0, true);
  check.Change(1, false);
  EXPECT_THAT(judge(check, 1), ElementsAre("PASS connected 1 of 1", "PASS gaps 0",
                                           "PASS out of order 0", "PASS caught up 1 of 1"));
  EXPECT_THAT(judge(check, 2), Contains("FAIL caught up 0 of 1"));
  EXPECT_THAT(judge(StreamCheck(), 0), Contains("FAIL connected 0 of 1"));
  check.Change(5, false);
  EXPECT_THAT(judge(check, 5), Contains("FAIL gaps 3"));
  check.Change(5, false);
  EXPECT_THAT(judge(check, 5), Contains("FAIL out of order 1"));
}

TEST(ProgressTest, ABarFitsTheTerminal) {
  EXPECT_EQ(Bar({.share = 0.5, .text = "5 calls"}, 80),
            "[############............]  50 %  5 calls");
  EXPECT_EQ(Bar({.share = 7, .text = "5 calls"}, 10), "[#########");
}

TEST(TargetsTest, AnAddressBeyondLoopbackIsNamed) {
  EXPECT_EQ(BeyondLoopback({"127.0.0.1", "::1", "localhost"}), "");
  EXPECT_THAT(BeyondLoopback({"127.0.0.1", "192.0.2.7"}),
              HasSubstr("192.0.2.7 is beyond this machine's loopback: say --allow-bench"));
  EXPECT_THAT(BeyondLoopback({"no-such-host.invalid"}),
              HasSubstr("no-such-host.invalid cannot be looked up"));
}

}  // namespace
}  // namespace seatlock::cli::bench
