#include "edge/fanout/batches.h"

#include <gmock/gmock.h>

#include "edge/limits.h"
#include "tests/testing/hub_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FreedSeat;
using ::seatlock::testing::LockedSeat;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

Change ChangeAt(uint64_t revision, std::vector<Seat> seats) {
  return {{"e", revision}, 7, Cause::kLock, std::move(seats)};
}
bool Nobody(const std::string&) {
  return false;
}

TEST(SeatChanges, HoldTheLastStateOfEachSeat) {
  SeatChanges changes;
  EXPECT_TRUE(changes.empty());
  changes.Add(ChangeAt(4, {LockedSeat("A2"), LockedSeat("A1")}));
  changes.Add(ChangeAt(5, {FreedSeat("A2")}));
  EXPECT_EQ(changes.Text("1", ""),
            R"({"type":"seat_changes","showtimeId":"1","epoch":"e","revision":5,)"
            R"("changes":[["A1","locked"],["A2","unlocked"]]})");
  EXPECT_EQ(changes.size(), 2u);
}

TEST(SeatChanges, OnlyWhoHasASeatLockedHasAVariant) {
  SeatChanges changes;
  changes.Add(ChangeAt(4, {LockedSeat("A1", "s"), LockedSeat("A2", "t"), LockedSeat("A3", "u")}));
  changes.Add(ChangeAt(5, {FreedSeat("A2", "t"), {"A3", SeatStatus::kBooked, "u", 0}}));
  EXPECT_THAT(changes.Holders(), UnorderedElementsAre("s"));
  EXPECT_THAT(changes.Text("1", "s"), HasSubstr(R"(["A1","locked",1800000000000])"));
  EXPECT_THAT(changes.Text("1", "t"), Not(HasSubstr("1800000000000")));
}

TEST(Batches, ABatchIsOneFrameWithVariantsForThoseWhoFollow) {
  Batches batches;
  batches.Restart(3);
  batches.Add(ChangeAt(4, {LockedSeat("A1", "s"), LockedSeat("A2", "t")}));
  batches.Close("1", 9, 100, [](const std::string& id) { return id == "s"; });
  EXPECT_FALSE(batches.gathered());
  EXPECT_EQ(batches.last_ms(), 100);
  const Batches::Sent* sent = batches.After(3);
  ASSERT_NE(sent, nullptr);
  EXPECT_EQ(sent->order, 9u);
  EXPECT_EQ(sent->entry->frames, 1u);
  EXPECT_THAT(sent->entry->own, SizeIs(1));
  size_t pieces = 0;
  sent->entry->ForSession("s", [&pieces](std::string_view piece) {
    ++pieces;
    EXPECT_THAT(std::string(piece), HasSubstr("1800000000000"));
  });
  EXPECT_EQ(pieces, 1u);
}

TEST(Batches, TheNextOneIsFoundFromAnyRevision) {
  Batches batches;
  batches.Restart(3);
  batches.Add(ChangeAt(4, {LockedSeat("A1")}));
  batches.Add(ChangeAt(6, {LockedSeat("A2")}));
  batches.Close("1", 1, 100, Nobody);
  batches.Add(ChangeAt(9, {LockedSeat("A3")}));
  batches.Close("1", 2, 150, Nobody);
  for (const uint64_t from : {3, 4, 5}) EXPECT_EQ(batches.After(from)->entry->revision(), 6u);
  for (const uint64_t from : {6, 7, 8}) EXPECT_EQ(batches.After(from)->entry->revision(), 9u);
  EXPECT_EQ(batches.After(9), nullptr);
}

TEST(Batches, OnlySoManyAreKeptAndTheBaseTellsHowFarBack) {
  Batches batches;
  batches.Restart(0);
  for (uint64_t revision = 1; revision <= kHistoryChangesMax + 5; ++revision) {
    batches.Add(ChangeAt(revision, {LockedSeat("A1")}));
    batches.Close("1", revision, 0, Nobody);
  }
  EXPECT_EQ(batches.base(), 5u);
  EXPECT_EQ(batches.After(5)->entry->revision(), 6u);
}

TEST(Batches, OnlySoManyBytesAreKept) {
  Batches batches;
  batches.Restart(0);
  uint64_t revision = 0;
  for (int batch = 0; batch < 20; ++batch) {
    ++revision;
    for (int i = 0; i < 5'000; ++i) {
      batches.Add(ChangeAt(revision, {LockedSeat("SEAT-" + std::to_string(i))}));
    }
    batches.Close("1", revision, 0, Nobody);
  }
  EXPECT_GT(batches.base(), 0u);
  EXPECT_NE(batches.After(revision - 1), nullptr);
}

TEST(Batches, ARestartForgetsAll) {
  Batches batches;
  batches.Restart(0);
  batches.Add(ChangeAt(1, {LockedSeat("A1")}));
  batches.Close("1", 1, 0, Nobody);
  batches.Add(ChangeAt(2, {LockedSeat("A1")}));
  batches.Restart(7);
  EXPECT_EQ(batches.base(), 7u);
  EXPECT_EQ(batches.After(0), nullptr);
  EXPECT_FALSE(batches.gathered());
}

}  // namespace
}  // namespace seatlock::edge
