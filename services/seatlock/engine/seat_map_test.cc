#include "services/seatlock/engine/seat_map.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

constexpr int64_t kNowMs = 1'700'000'000'000;

class SeatMapTest : public ::testing::Test {
 protected:
  SeatMapTest() { encoder_.name_seats = true; }

  static std::string Name(int seat) { return absl::StrCat("S", absl::Dec(seat, absl::kZeroPad5)); }

  // Locks `seats` or, if they are locked, frees them.
  void Toggle(const std::vector<int>& seats) {
    domain::Change change;
    change.revision = state_.revision().Next();
    change.commit_ms = kNowMs;
    for (int seat : seats) {
      domain::SeatAfter after;
      after.seat = domain::SeatId(Name(seat));
      after.session = domain::SessionId("s");
      const auto found = state_.FindSeat(after.seat);
      if (!found || found->status == domain::SeatStatus::kAvailable) {
        after.status = domain::SeatStatus::kLocked;
        after.expire_ms = kNowMs + 1000;
        after.fence = domain::Fence(change.revision.value());
      }
      change.seats.push_back(std::move(after));
    }
    state_.Apply(change);
    map_.Touch(change);
  }
  void ToggleRange(int first, int last) {
    std::vector<int> seats;
    for (int seat = first; seat < last; ++seat) seats.push_back(seat);
    Toggle(seats);
  }
  std::string Text() const {
    std::string text;
    for (const Bytes& part : map_.Chunks()) text += *part;
    return text;
  }
  std::string Expected() const {
    std::string text;
    for (const auto& seat : state_.TakenFrom(domain::SeatId(), SIZE_MAX)) {
      absl::StrAppend(&text, " ", seat.seat.value());
    }
    return text;
  }

  WordEncoder encoder_;
  std::shared_ptr<ByteAccount> account_ = std::make_shared<ByteAccount>();
  domain::Showtime state_;
  SeatMap map_{encoder_, *account_};
};

TEST_F(SeatMapTest, IsWhatTheStateHoldsAfterAnyChanges) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::set<int> seats;
    const int first = static_cast<int>(random() % 3000);
    const int count = round % 10 == 0 ? 500 : static_cast<int>(random() % 5) + 1;
    for (int i = 0; i < count; ++i)
      seats.insert(round % 3 == 0 ? first + i : static_cast<int>(random() % 3000));
    Toggle({seats.begin(), seats.end()});
    if (round % 2 == 0) continue;
    while (!map_.Refresh(state_, 1 + random() % 8)) {
    }
    ASSERT_EQ(Text(), Expected());
  }
}

TEST_F(SeatMapTest, AChangeCostsItsOwnChunkHoweverManySeatsThereAre) {
  ToggleRange(0, 20'000);
  while (!map_.Refresh(state_, kChunksPerStep)) {
  }
  encoder_.seats = 0;
  Toggle({7});
  ASSERT_TRUE(map_.Refresh(state_, 1));
  EXPECT_LE(encoder_.seats, static_cast<int>(kChunkSeatsMax));
  EXPECT_EQ(Text(), Expected());
}

TEST_F(SeatMapTest, OneStepIsBoundedAlsoTheFirstTime) {
  ToggleRange(0, 20'000);
  EXPECT_FALSE(map_.Refresh(state_, 3));
  EXPECT_LE(encoder_.seats, static_cast<int>(3 * kChunkSeatsMax));
}

TEST_F(SeatMapTest, SnapshotsOfManyRevisionsShareWhatDidNotChange) {
  ToggleRange(0, 20'000);
  while (!map_.Refresh(state_, kChunksPerStep)) {
  }
  const int64_t one = map_.weight();
  std::vector<std::vector<Bytes>> snapshots;
  for (int i = 0; i < 500; ++i) {
    snapshots.push_back(map_.Chunks());
    Toggle({i});
    map_.Refresh(state_, 1);
  }
  EXPECT_GT(account_->held_for_readers(), 0);
  EXPECT_LT(account_->held_for_readers(), 3 * one) << "500 snapshots pinned more than 3";
  snapshots.clear();
  EXPECT_EQ(account_->held_for_readers(), 0);
  map_.Reset();
  EXPECT_EQ(account_->mapped(), 0);
}

TEST_F(SeatMapTest, EmptyChunksDoNotPileUp) {
  for (int hall = 0; hall < 50; ++hall) {
    ToggleRange(hall * 500, hall * 500 + 500);
    while (!map_.Refresh(state_, kChunksPerStep)) {
    }
    ToggleRange(hall * 500, hall * 500 + 500);
    while (!map_.Refresh(state_, kChunksPerStep)) {
    }
  }
  EXPECT_EQ(Text(), "");
  encoder_.seats = 0;
  ToggleRange(0, 10);
  ASSERT_TRUE(map_.Refresh(state_, 1)) << "ten seats lie in the only chunk";
}

}  // namespace
}  // namespace seatlock::engine
