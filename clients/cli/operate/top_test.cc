#include "clients/cli/operate/top.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/operate/text.h"

namespace seatlock::cli::operate {
namespace {

using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;
using ::testing::Pair;
using ::testing::SizeIs;

std::string Service(int ok, int taken) {
  return absl::StrCat("seatlock_commands_total{command=\"lock\",result=\"ok\"} ", ok,
                      "\nseatlock_commands_total{command=\"lock\",result=\"seat_taken\"} ", taken,
                      "\nseatlock_commands_total{command=\"book\",result=\"ok\"} ", ok / 10,
                      "\nseatlock_append_seconds_bucket{le=\"0.001\"} ", ok,
                      "\nseatlock_append_seconds_bucket{le=\"+Inf\"} ", ok,
                      "\nseatlock_pending_calls 3\n");
}

std::string Edge(int frames, int fast, int all) {
  return absl::StrCat("seatlock_edge_connections 40\nseatlock_edge_frames_sent_total ", frames,
                      "\nseatlock_edge_commit_to_socket_seconds_bucket{le=\"0.01\"} ", fast,
                      "\nseatlock_edge_commit_to_socket_seconds_bucket{le=\"0.1\"} ", all,
                      "\nseatlock_edge_commit_to_socket_seconds_bucket{le=\"+Inf\"} ", all, "\n");
}

TopLook LookOf(int64_t ms, const std::string& service, const std::string& edge) {
  TopLook look;
  look.look.unix_ms = 1'700'000'000'000 + ms;
  look.look.monotonic_ms = ms;
  look.look.programs = {{.address = "s:9101", .program = "seatlockd", .ready = true},
                        {.address = "e:9102", .program = "seatlock-edge", .ready = true}};
  look.look.programs[0].metrics = *ParsePrometheus(service);
  look.look.programs[1].metrics = *ParsePrometheus(edge);
  return look;
}

void AddShowtime(TopLook* look, const std::string& id, uint64_t revision,
                 const std::string& epoch = "e1") {
  v1::ShowtimeSummary& summary = look->showtimes.by_id[id];
  summary.set_showtime_id(id);
  summary.set_epoch(epoch);
  summary.set_revision(revision);
  summary.set_locked(2);
  summary.set_booked(1);
}

TEST(TopTest, RatesAreWhatCameBetweenTheLooks) {
  const TopLook before = LookOf(0, Service(100, 10), Edge(1'000, 100, 100));
  const TopView view =
      CompareLooks(&before, LookOf(2'000, Service(300, 14), Edge(5'000, 190, 200)));
  EXPECT_THAT(view.locks_a_second, ElementsAre(Pair("ok", 100), Pair("seat_taken", 2)));
  EXPECT_THAT(view.all_locks_a_second, Optional(102.0));
  EXPECT_THAT(view.bookings_a_second, Optional(10.0));
  EXPECT_THAT(view.deliveries_a_second, Optional(2'000.0));
  EXPECT_THAT(view.connections, Optional(40.0));
  EXPECT_THAT(view.pending_calls, Optional(3.0));
  EXPECT_THAT(view.commit_to_socket.p50_seconds, Optional(DoubleNear(0.01 * 50 / 90, 1e-9)));
  EXPECT_THAT(view.commit_to_socket.p99_seconds, Optional(DoubleNear(0.091, 1e-9)));
}

TEST(TopTest, TheFirstLookSaysOnlyWhatIsNow) {
  const TopView view = CompareLooks(nullptr, LookOf(0, Service(100, 10), Edge(1'000, 1, 2)));
  EXPECT_EQ(view.all_locks_a_second, std::nullopt);
  EXPECT_EQ(view.commit_to_socket.p50_seconds, std::nullopt);
  EXPECT_THAT(view.connections, Optional(40.0));
  EXPECT_THAT(JoinLines(TopFrame(view, 80, 24, false)),
              AllOf(HasSubstr("first look"), HasSubstr("no showtimes looked at")));
}

TEST(TopTest, AProgramThatBeganAnewCountsForNothing) {
  const TopLook before = LookOf(0, Service(100, 10), Edge(1'000, 100, 100));
  const TopView view = CompareLooks(&before, LookOf(1'000, Service(5, 0), Edge(3, 1, 1)));
  EXPECT_EQ(view.deliveries_a_second, std::nullopt);
  EXPECT_THAT(view.locks_a_second, IsEmpty());
  EXPECT_EQ(view.commit_to_socket.p99_seconds, std::nullopt);
}

TEST(TopTest, AProgramThatCannotBeAskedIsNamedAndTheOthersCount) {
  const TopLook before = LookOf(0, Service(100, 10), Edge(1'000, 100, 100));
  TopLook now = LookOf(1'000, Service(200, 10), "");
  now.look.programs[1] = {.address = "e:9102", .error = "no answer in time"};
  const TopView view = CompareLooks(&before, now);
  EXPECT_THAT(view.unwell, ElementsAre("e:9102: no answer in time"));
  EXPECT_THAT(view.all_locks_a_second, Optional(100.0));
  EXPECT_EQ(view.deliveries_a_second, std::nullopt);
  EXPECT_THAT(JoinLines(TopFrame(view, 80, 24, false)),
              AllOf(HasSubstr("1 of 2 well"), HasSubstr("e:9102: no answer in time")));
}

TEST(TopTest, ShowtimesThatMovedMostComeFirst) {
  TopLook before = LookOf(0, "", "");
  TopLook now = LookOf(2'000, "", "");
  AddShowtime(&before, "calm", 5);
  AddShowtime(&now, "calm", 5);
  AddShowtime(&before, "slow", 5);
  AddShowtime(&now, "slow", 7);
  AddShowtime(&before, "fast", 5);
  AddShowtime(&now, "fast", 105);
  AddShowtime(&now, "new", 8);
  AddShowtime(&before, "anew", 5, "e1");
  AddShowtime(&now, "anew", 900, "e2");  // another history
  const TopView view = CompareLooks(&before, now);
  EXPECT_THAT(view.busiest,
              ElementsAre(Field(&BusyShowtime::id, "fast"), Field(&BusyShowtime::id, "new"),
                          Field(&BusyShowtime::id, "slow")));
  EXPECT_EQ(view.busiest[0].revisions_a_second, 50);
  // Beyond what was looked at "new" may have been there all along.
  before.showtimes.more = true;
  EXPECT_THAT(CompareLooks(&before, now).busiest, SizeIs(2));
}

TEST(TopTest, SaysIfItDidNotLookAtAllShowtimes) {
  TopLook now = LookOf(0, "", "");
  AddShowtime(&now, "a", 1);
  now.showtimes.more = true;
  EXPECT_THAT(JoinLines(TopFrame(CompareLooks(nullptr, now), 80, 24, false)),
              HasSubstr("of the first 1 by id; more follow"));
  now.showtimes.error = "no answer in time";
  EXPECT_THAT(JoinLines(TopFrame(CompareLooks(nullptr, now), 80, 24, false)),
              HasSubstr("showtimes: no answer in time"));
}

TEST(TopTest, FramesFitAnyTerminal) {
  TopLook before = LookOf(0, Service(0, 0), Edge(0, 0, 0));
  TopLook now = LookOf(1'000, Service(50, 50), Edge(50, 50, 50));
  for (int i = 0; i < 200; ++i) {
    AddShowtime(&before, absl::StrCat("a-long-name-of-a-showtime-", i), 1);
    AddShowtime(&now, absl::StrCat("a-long-name-of-a-showtime-", i), 9);
  }
  const TopView view = CompareLooks(&before, now);
  for (const int width : {20, 41, 80, 300}) {
    for (const int height : {4, 11, 12, 13, 24, 100}) {
      const auto lines = TopFrame(view, width, height, true);
      EXPECT_LE(lines.size(), static_cast<size_t>(height));
      for (const std::string& line : lines) EXPECT_LE(Width(line), width) << line;
    }
  }
  EXPECT_THAT(TopFrame(view, 80, 4, false).back(), HasSubstr("make the terminal higher"));
  EXPECT_THAT(TopFrame(view, 80, 24, false), SizeIs(24));
}

TEST(TopTest, JsonIsOneLineWithNullForWhatIsNotKnown) {
  const std::string line = TopJson(CompareLooks(nullptr, LookOf(0, Service(100, 10), "")));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = boost::json::parse(line);
  EXPECT_TRUE(json.at("locksPerSecond").is_null());
  EXPECT_TRUE(json.at("connections").is_null());
  EXPECT_EQ(json.at("pendingCalls"), 3);
  EXPECT_THAT(line, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace seatlock::cli::operate
