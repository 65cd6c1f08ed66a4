#include "clients/cli/operate/status.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace seatlock::cli::operate {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

ProgramLook Seatlockd(std::string_view metrics) {
  ProgramLook look;
  look.address = "10.0.0.1:9101";
  TakeVersion(R"({"program":"seatlockd","version":"0.1.0","revision":"abc"})", &look);
  TakeReady(200, "ok\n", &look);
  look.metrics = *ParsePrometheus(metrics);
  return look;
}

Look With(ProgramLook program) {
  Look look;
  look.unix_ms = 1'700'000'000'000;
  look.programs.push_back(std::move(program));
  return look;
}

TEST(StatusTest, LineOfAServerSaysWhatItIsAndHowItDoes) {
  const Look look = With(Seatlockd(
      "process_start_time_seconds 1699996280\nseatlock_pending_calls 4\n"
      "seatlock_store_info{store=\"redis\",profile=\"strict\"} 1\n"
      "seatlock_store_generation_info{generation=\"0123456789abcdef\"} 1\nseatlock_watchers 2\n"));
  EXPECT_THAT(StatusTable(look, false),
              ContainsRegex("10.0.0.1:9101  seatlockd  ready  0.1.0    1h 2m  4 calls  "
                            "redis strict  01234567    2 watches\n"));
  EXPECT_TRUE(look.AllWell());
  EXPECT_THAT(StatusTable(With(Seatlockd("seatlock_watchers 1\n")), false),
              HasSubstr("  1 watch\n"));
}

TEST(StatusTest, LineOfAnEdgeSaysWhoIsBehind) {
  ProgramLook edge;
  edge.address = "10.0.0.1:9102";
  TakeVersion(R"({"program":"seatlock-edge","version":"0.1.0"})", &edge);
  TakeReady(503, "none of the seat servers can be reached\na:1: away, 0 streams\n", &edge);
  edge.metrics = *ParsePrometheus(
      "seatlock_edge_rooms_away 3\nseatlock_edge_connections_blocked 1\n"
      "seatlock_edge_connections 20\nseatlock_edge_connections_max 100\n");
  const Look look = With(edge);
  EXPECT_THAT(StatusTable(look, false),
              AllOf(HasSubstr("not ready"), HasSubstr("3 showtimes, 1 slow reader"),
                    HasSubstr("20 of 100"), HasSubstr("none of the seat servers can be reached")));
  EXPECT_FALSE(look.AllWell());
  const auto json = boost::json::parse(StatusJson(look));
  EXPECT_EQ(json.at("ok"), false);
  EXPECT_EQ(json.at("programs").at(0).at("details").at(0), "a:1: away, 0 streams");
  EXPECT_EQ(json.at("programs").at(0).at("showtimesAway"), 3);
}

TEST(StatusTest, WhatAnOlderProgramDoesNotTellIsADash) {
  EXPECT_THAT(StatusTable(With(Seatlockd("")), false),
              ContainsRegex("seatlockd  ready  0.1.0    -   -       -      -           -\n"));
  const auto json = boost::json::parse(StatusJson(With(Seatlockd(""))));
  EXPECT_TRUE(json.at("programs").at(0).at("store").is_null());
  EXPECT_TRUE(json.at("programs").at(0).at("pendingCalls").is_null());
}

TEST(StatusTest, WhoCannotBeAskedSaysWhyInItsLine) {
  Look look;
  look.programs.push_back({.address = "10.0.0.1:9101", .error = "no answer in time"});
  look.servers.push_back({.address = "10.0.0.1:50051", .text = "connection refused"});
  look.servers.push_back(
      {.address = "10.0.0.2:50051", .answered = true, .text = "NOT_SERVING: it drains"});
  EXPECT_THAT(StatusTable(look, false),
              AllOf(ContainsRegex("10.0.0.1:9101 .* down .*no answer in time\n"),
                    ContainsRegex("10.0.0.1:50051 .* down .*connection refused\n"),
                    ContainsRegex("10.0.0.2:50051 .* not serving .*NOT_SERVING: it drains\n")));
  EXPECT_FALSE(look.AllWell());
}

TEST(StatusTest, AServerThatServesIsWell) {
  Look look;
  look.servers.push_back({.address = "10.0.0.1:50051", .answered = true, .serving = true});
  EXPECT_TRUE(look.AllWell());
  look.servers.push_back({.address = "10.0.0.2:50051", .answered = true});
  EXPECT_FALSE(look.AllWell());
}

TEST(StatusTest, NobodysTextMovesTheCursor) {
  ProgramLook look;
  TakeVersion("{\"program\":\"a\\u001b[2J\",\"version\":7}", &look);
  TakeReady(503, "down\x1b[2J\n", &look);
  EXPECT_EQ(look.program, "a?[2J");
  EXPECT_EQ(look.version, "");
  EXPECT_EQ(look.ready_text, "down?[2J");
}

TEST(StatusTest, TimesUpAreShort) {
  EXPECT_EQ(UpText(12.9), "12s");
  EXPECT_EQ(UpText(360), "6m");
  EXPECT_EQ(UpText(3 * 3600 + 20 * 60), "3h 20m");
  EXPECT_EQ(UpText(100 * 3600), "4d 4h");
}

}  // namespace
}  // namespace seatlock::cli::operate
