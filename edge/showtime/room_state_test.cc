#include "edge/showtime/room_state.h"

#include <gmock/gmock.h>

#include "edge/limits.h"
#include "tests/testing/hub_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FreedSeat;
using ::seatlock::testing::LockedSeat;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RoomStateTest : public ::testing::Test {
 protected:
  void Say(uint64_t revision, std::vector<Seat> seats, size_t bytes_max = kHistoryBytesMax) {
    state_.Apply(MakeEntry("1", {{"e", revision}, 7, Cause::kLock, std::move(seats)}), bytes_max);
  }
  std::string Snapshot(RoomState& state) {
    bool encoded = false;
    std::string text(state.SnapshotFrame("1", 5, cache_, &encoded).payload());
    encoded_ += encoded ? 1 : 0;
    return text;
  }

  RoomState state_;
  SnapshotCache cache_;
  int encoded_ = 0;
};

TEST_F(RoomStateTest, ASnapshotCountsOnceItIsWhole) {
  EXPECT_FALSE(state_.known());
  EXPECT_FALSE(state_.AddSnapshotPart({{"e", 3}, {LockedSeat("A2")}, true}));
  EXPECT_FALSE(state_.known());
  EXPECT_TRUE(state_.AddSnapshotPart({{"e", 3}, {LockedSeat("A1")}, false}));
  EXPECT_EQ(state_.position(), (Position{"e", 3}));
  EXPECT_EQ(state_.base(), (Position{"e", 3}));
  EXPECT_THAT(Snapshot(state_), HasSubstr(R"("lockedSeats":["A1","A2"])"));
}

TEST_F(RoomStateTest, PartsOfAnotherPositionBeginAnew) {
  state_.AddSnapshotPart({{"e", 3}, {LockedSeat("A2")}, true});
  EXPECT_TRUE(state_.AddSnapshotPart({{"e", 4}, {LockedSeat("A1")}, false}));
  EXPECT_THAT(Snapshot(state_), HasSubstr(R"("lockedSeats":["A1"])"));
}

TEST_F(RoomStateTest, OnlyTheNextChangeFollows) {
  EXPECT_TRUE(state_.Follows({{"e", 1}, 0, Cause::kLock, {}}));
  state_.AddSnapshotPart({{"e", 3}, {}, false});
  EXPECT_TRUE(state_.Follows({{"e", 4}, 0, Cause::kLock, {}}));
  EXPECT_FALSE(state_.Follows({{"e", 3}, 0, Cause::kLock, {}}));
  EXPECT_FALSE(state_.Follows({{"e", 5}, 0, Cause::kLock, {}}));
  EXPECT_FALSE(state_.Follows({{"f", 4}, 0, Cause::kLock, {}}));
  state_.AddSnapshotPart({{"e", 9}, {}, true});
  EXPECT_FALSE(state_.Follows({{"e", 4}, 0, Cause::kLock, {}}));
  state_.ForgetSnapshotParts();
  EXPECT_TRUE(state_.Follows({{"e", 4}, 0, Cause::kLock, {}}));
}

TEST_F(RoomStateTest, CoversWhatItsHistoryCanBring) {
  EXPECT_FALSE(state_.Covers({"e", 0}));
  state_.AddSnapshotPart({{"e", 3}, {}, false});
  Say(4, {LockedSeat("A1")});
  for (const uint64_t revision : {3, 4}) EXPECT_TRUE(state_.Covers({"e", revision}));
  for (const uint64_t revision : {0, 2, 5}) EXPECT_FALSE(state_.Covers({"e", revision}));
  EXPECT_FALSE(state_.Covers({"f", 4}));
}

TEST_F(RoomStateTest, TheBeginningIsCoveredWhateverTheEpoch) {
  state_.AddSnapshotPart({{"", 0}, {}, false});
  Say(1, {LockedSeat("A1")});
  EXPECT_TRUE(state_.Covers({"", 0}));
  EXPECT_TRUE(state_.Covers({"other", 0}));
}

TEST_F(RoomStateTest, OnlySoManyChangesAreKept) {
  for (uint64_t revision = 1; revision <= kHistoryChangesMax + 7; ++revision) {
    Say(revision, {LockedSeat("A1")});
  }
  EXPECT_THAT(state_.history(), SizeIs(kHistoryChangesMax));
  EXPECT_EQ(state_.base(), (Position{"e", 7}));
}

TEST_F(RoomStateTest, OnlySoManyBytesAreKeptAndOneChangeAlways) {
  for (uint64_t revision = 1; revision <= 100; ++revision) {
    Say(revision, {LockedSeat("A1")}, 10'000);
    size_t bytes = 0;
    for (const EntryPtr& entry : state_.history()) bytes += entry->bytes();
    EXPECT_LE(bytes, 10'000u);
    EXPECT_EQ(state_.base().revision + state_.history().size(), revision);
  }
  Say(101, {LockedSeat("A1")}, 1);
  EXPECT_THAT(state_.history(), SizeIs(1));
}

TEST_F(RoomStateTest, LocksAreThoseOfTheSessionInOrder) {
  Say(1, {LockedSeat("A2", "s"), LockedSeat("A1", "s"), LockedSeat("A3", "t")});
  EXPECT_THAT(state_.LocksOf("s"),
              ElementsAre(Field(&Seat::seat_id, "A1"), Field(&Seat::seat_id, "A2")));
  Say(2, {FreedSeat("A1", "s"), {"A2", SeatStatus::kBooked, "s", 0}});
  EXPECT_THAT(state_.LocksOf("s"), IsEmpty());
  EXPECT_THAT(state_.LocksOf(""), IsEmpty());
  EXPECT_THAT(state_.LocksOf("t"), SizeIs(1));
}

TEST_F(RoomStateTest, AnImageCarriesEverythingOver) {
  state_.AddSnapshotPart({{"e", 3}, {LockedSeat("A1")}, false});
  Say(4, {LockedSeat("A2")});
  RoomState other;
  other.Load(state_.Image());
  EXPECT_EQ(other.position(), state_.position());
  EXPECT_EQ(other.base(), state_.base());
  EXPECT_EQ(Snapshot(other), Snapshot(state_));
  EXPECT_EQ(other.history(), state_.history());
  EXPECT_THAT(other.LocksOf("s"), SizeIs(2));
  EXPECT_TRUE(other.Covers({"e", 3}));
}

TEST_F(RoomStateTest, AnImageOfNothingIsNotKnown) {
  RoomState other;
  other.Load(state_.Image());
  EXPECT_FALSE(other.known());
}

TEST_F(RoomStateTest, TheSnapshotIsEncodedOnceARevisionForAllWhoShareACache) {
  state_.AddSnapshotPart({{"e", 3}, {LockedSeat("A1")}, false});
  RoomState other;
  other.Load(state_.Image());
  EXPECT_EQ(Snapshot(state_), Snapshot(other));
  Snapshot(state_);
  EXPECT_EQ(encoded_, 1);
  Say(4, {FreedSeat("A1")});
  EXPECT_THAT(Snapshot(state_), HasSubstr(R"("lockedSeats":[])"));
  EXPECT_EQ(encoded_, 2);
}

}  // namespace
}  // namespace seatlock::edge
