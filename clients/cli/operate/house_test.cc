#include "clients/cli/operate/house.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "absl/strings/str_cat.h"
#include "clients/cli/operate/text.h"

namespace seatlock::cli::operate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kLayout[] = R"({"name":"Saal","sections":[{"name":"","rows":[
    {"label":"A","seats":[{"seatId":"A1"},{"seatId":"A2","aisleAfter":true},{"seatId":"A3"}]},
    {"label":"B","seats":[{"seatId":"B1","gapBefore":1},{"seatId":"B2"}]}]}]})";

v1::Seat Seat(const std::string& id, v1::SeatStatus status) {
  v1::Seat seat;
  seat.set_seat_id(id);
  seat.set_status(status);
  return seat;
}

v1::ShowtimeSnapshot Snapshot(uint64_t revision, std::vector<v1::Seat> seats) {
  v1::ShowtimeSnapshot snapshot;
  snapshot.set_epoch("e");
  snapshot.set_revision(revision);
  for (v1::Seat& seat : seats) *snapshot.add_seats() = std::move(seat);
  return snapshot;
}

v1::Change Change(uint64_t revision, v1::ChangeCause cause, std::vector<v1::Seat> seats) {
  v1::Change change;
  change.set_epoch("e");
  change.set_revision(revision);
  change.set_cause(cause);
  change.mutable_commit_time()->set_seconds(1'000);
  for (v1::Seat& seat : seats) *change.add_seats() = std::move(seat);
  return change;
}

const MapInfo kInfo = {.showtime = "123", .stale = "", .now_ms = 1'005'000};

TEST(HouseTest, SeatsStandWhereTheLayoutHasThemAndSayWhatTheyAre) {
  ShowtimeState state;
  state.Take(
      Snapshot(7, {Seat("A2", v1::SEAT_STATUS_BOOKED), Seat("B2", v1::SEAT_STATUS_BLOCKED)}));
  state.Take(Change(8, v1::CHANGE_CAUSE_LOCK, {Seat("A3", v1::SEAT_STATUS_LOCKED)}));
  EXPECT_THAT(MapFrame(state, *ParseLayout(kLayout), kInfo, 80, 24, false),
              ElementsAre("showtime 123  Saal  live", "revision 8: lock A3, 5 s ago",
                          ". available 2   L locked 1   B booked 1   X blocked 1", "", "A . B   L",
                          "B   . X"));
}

TEST(HouseTest, ColoursAreOnlyAHelp) {
  ShowtimeState state;
  state.Take(Snapshot(1, {Seat("A1", v1::SEAT_STATUS_LOCKED), Seat("A2", v1::SEAT_STATUS_BOOKED)}));
  const House house = *ParseLayout(kLayout);
  const auto colored = MapFrame(state, house, kInfo, 80, 24, true);
  const auto plain = MapFrame(state, house, kInfo, 80, 24, false);
  ASSERT_EQ(colored.size(), plain.size());
  EXPECT_THAT(colored[4], HasSubstr("\x1b[30;43mL\x1b[0m \x1b[97;41mB\x1b[0m"));
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(Width(colored[i]), Width(plain[i]));
}

TEST(HouseTest, WithoutALayoutTheHouseIsGuessedAndSaysSo) {
  ShowtimeState state;
  state.Take(
      Snapshot(1, {Seat("A02", v1::SEAT_STATUS_LOCKED), Seat("B04", v1::SEAT_STATUS_BOOKED)}));
  EXPECT_THAT(
      MapFrame(state, GuessHouse(state.seat_ids()), kInfo, 80, 24, false),
      ElementsAre("showtime 123  live", "revision 1, no change since this began",
                  ". available   L locked 1   B booked 1   X blocked 0",
                  "no layout: only seats that are taken, or were since this began, are drawn", "",
                  "  2", "A L", "B     B"));
}

TEST(HouseTest, StaleIsToldWithItsReason) {
  ShowtimeState state;
  state.Take(Snapshot(1, {}));
  MapInfo info = kInfo;
  info.stale = "connection\nrefused";
  EXPECT_EQ(MapFrame(state, *ParseLayout(kLayout), info, 80, 24, false)[0],
            "showtime 123  Saal  STALE: connection?refused");
}

TEST(HouseTest, TakenSeatsThatTheLayoutLacksAreNamed) {
  ShowtimeState state;
  state.Take(Snapshot(1, {Seat("Z9", v1::SEAT_STATUS_LOCKED), Seat("Z8", v1::SEAT_STATUS_BOOKED)}));
  EXPECT_EQ(MapFrame(state, *ParseLayout(kLayout), kInfo, 80, 24, false)[3],
            "taken, and not in the layout: Z8, Z9");
}

TEST(HouseTest, ASnapshotReplacesAllAndFreedSeatsStayDrawn) {
  ShowtimeState state;
  state.Take(Snapshot(5, {Seat("A1", v1::SEAT_STATUS_LOCKED)}));
  state.Take(Change(6, v1::CHANGE_CAUSE_LOCK, {Seat("A2", v1::SEAT_STATUS_LOCKED)}));
  state.Take(Snapshot(9, {Seat("A2", v1::SEAT_STATUS_BOOKED)}));
  EXPECT_EQ(state.StatusOf("A1"), v1::SEAT_STATUS_AVAILABLE);
  EXPECT_EQ(state.StatusOf("A2"), v1::SEAT_STATUS_BOOKED);
  EXPECT_EQ(state.revision(), 9u);
  EXPECT_EQ(state.seat_ids().size(), 2u);
  EXPECT_EQ(state.counts().booked, 1u);
  EXPECT_EQ(state.counts().locked, 0u);
}

TEST(HouseTest, AStatusOfALaterVersionIsNotAvailable) {
  ShowtimeState state;
  state.Take(Snapshot(5, {Seat("A1", static_cast<v1::SeatStatus>(17))}));
  EXPECT_EQ(state.counts().other, 1u);
  EXPECT_EQ(MapFrame(state, *ParseLayout(kLayout), kInfo, 80, 24, false)[4], "A X .   .");
}

TEST(HouseTest, FramesFitAnyTerminalAndSayWhatIsLeftOut) {
  std::vector<std::string> ids;
  ShowtimeState state;
  for (char row = 'A'; row <= 'Z'; ++row) {
    for (int i = 1; i <= 60; ++i) ids.push_back(absl::StrCat(std::string(1, row), i));
  }
  state.Take(Snapshot(5, {Seat("A1", v1::SEAT_STATUS_LOCKED)}));
  const House house = GuessHouse(ids);
  for (const int width : {20, 61, 62, 121, 300}) {
    for (const int height : {4, 24, 31, 32, 100, 0}) {
      const auto lines = MapFrame(state, house, kInfo, width, height, true);
      if (height > 0) {
        EXPECT_LE(lines.size(), static_cast<size_t>(height));
      }
      for (const std::string& line : lines) EXPECT_LE(Width(line), width) << line;
    }
  }
  EXPECT_EQ(MapFrame(state, house, kInfo, 300, 24, false).back(),
            "... 9 more lines: make the terminal larger");
  EXPECT_EQ(MapFrame(state, house, kInfo, 50, 100, false).back(),
            "... 12 more columns: make the terminal larger");
  EXPECT_EQ(MapFrame(state, house, kInfo, 121, 100, false).back().substr(0, 6), "Z . . ");
}

TEST(HouseTest, JsonHasEverySeatThatIsNotAvailable) {
  ShowtimeState state;
  state.Take(Snapshot(5, {Seat("A2", v1::SEAT_STATUS_BOOKED), Seat("A1", v1::SEAT_STATUS_LOCKED)}));
  state.Take(Change(6, v1::CHANGE_CAUSE_UNLOCK, {Seat("A1", v1::SEAT_STATUS_AVAILABLE)}));
  const auto json = boost::json::parse(MapJson(state, *ParseLayout(kLayout), kInfo));
  EXPECT_EQ(json.at("revision"), 6);
  EXPECT_EQ(json.at("available"), 4);
  EXPECT_EQ(json.at("live"), true);
  EXPECT_EQ(boost::json::serialize(json.at("seats")), R"([{"seatId":"A2","status":"booked"}])");
}

}  // namespace
}  // namespace seatlock::cli::operate
