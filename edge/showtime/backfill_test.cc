#include "edge/showtime/backfill.h"

#include <gmock/gmock.h>

#include "edge/showtime/backfill_turns.h"
#include "tests/testing/source_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::ChangeAt;
using ::seatlock::testing::FakeUpstream;
using ::seatlock::testing::SayChanges;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class BackfillTest : public ::testing::Test {
 protected:
  void StartFrom(Position position) {
    backfill_ = std::make_unique<Backfill>("1", std::move(position), [this] { ++news_; });
    backfill_->Start(upstream_);
  }
  WatchSink& service() { return upstream_.sink("1"); }
  Backfill::State state() const { return backfill_->state(); }

  FakeUpstream upstream_;
  std::unique_ptr<Backfill> backfill_;
  int news_ = 0;
};

TEST_F(BackfillTest, CollectsTheChangesAfterItsPosition) {
  StartFrom({"e", 4});
  EXPECT_EQ(service().ResumeFrom(), (Position{"e", 4}));
  SayChanges(service(), 4, 6);
  EXPECT_EQ(state(), Backfill::State::kRunning);
  EXPECT_EQ(news_, 2);
  ASSERT_THAT(backfill_->entries(), SizeIs(2));
  EXPECT_EQ(backfill_->entries().front()->revision(), 5u);
  EXPECT_EQ(backfill_->head(), (Position{"e", 6}));
  EXPECT_GT(backfill_->bytes(), 0u);
}

TEST_F(BackfillTest, ARevisionLeftOutBreaksIt) {
  StartFrom({"e", 4});
  service().OnChange(ChangeAt(5));
  service().OnChange(ChangeAt(7));
  EXPECT_EQ(state(), Backfill::State::kBroken);
  service().OnChange(ChangeAt(6));
  EXPECT_EQ(state(), Backfill::State::kBroken);
}

TEST_F(BackfillTest, AChangeOfAnotherEpochBreaksIt) {
  StartFrom({"e", 4});
  service().OnChange(ChangeAt(5, "e2"));
  EXPECT_EQ(state(), Backfill::State::kBroken);
}

TEST_F(BackfillTest, FromTheVeryStartTheEpochComesWithTheFirstChange) {
  StartFrom({"", 0});
  SayChanges(service(), 0, 2);
  EXPECT_EQ(state(), Backfill::State::kRunning);
  EXPECT_THAT(backfill_->entries(), SizeIs(2));
}

TEST_F(BackfillTest, ProgressConfirmsThePosition) {
  StartFrom({"e", 4});
  service().OnProgress({"e", 4});
  EXPECT_EQ(state(), Backfill::State::kRunning);
  EXPECT_EQ(backfill_->head(), (Position{"e", 4}));
}

TEST_F(BackfillTest, ProgressPastWhatWasSaidBreaksIt) {
  StartFrom({"e", 4});
  service().OnProgress({"e", 5});
  EXPECT_EQ(state(), Backfill::State::kBroken);
}

TEST_F(BackfillTest, AnEmptyShowtimeHasNothingOfAPosition) {
  StartFrom({"e", 4});
  service().OnProgress({"", 0});
  EXPECT_EQ(state(), Backfill::State::kReplaced);
  EXPECT_EQ(backfill_->head(), (Position{"", 0}));
}

TEST_F(BackfillTest, ASnapshotSaysWhereTheHeadIs) {
  StartFrom({"e", 4});
  service().OnSnapshot({{"e", 9}, {}, true});
  EXPECT_EQ(state(), Backfill::State::kReplaced);
  EXPECT_EQ(backfill_->head(), (Position{"e", 9}));
}

TEST_F(BackfillTest, ALostStreamBreaksIt) {
  StartFrom({"e", 4});
  service().OnLost();
  EXPECT_EQ(state(), Backfill::State::kBroken);
}

// ---- Turns -------------------------------------------------------------------------------------

using Turns = std::vector<std::unique_ptr<BackfillTurns::Turn>>;

// Whoever is called then may add to `taken`.
void GiveBackOne(Turns& taken) {
  const auto turn = std::move(taken.back());
  taken.pop_back();
}

TEST(BackfillTurns, WhoComesWhileAllAreTakenIsCalledInTurn) {
  BackfillTurns turns;
  const auto alive = std::make_shared<int>(0);
  Turns taken;
  for (size_t i = 0; i < kBackfillsMax; ++i) taken.push_back(turns.Take(alive, [] {}));
  EXPECT_THAT(taken, ::testing::Each(::testing::NotNull()));
  std::vector<int> called;
  const auto take = [&](int number) {
    return turns.Take(alive, [&, number] {
      called.push_back(number);
      taken.push_back(turns.Take(alive, [] {}));
    });
  };
  EXPECT_EQ(take(1), nullptr);
  EXPECT_EQ(take(2), nullptr);
  GiveBackOne(taken);
  EXPECT_THAT(called, ElementsAre(1));
  GiveBackOne(taken);
  EXPECT_THAT(called, ElementsAre(1, 2));
  taken.clear();
}

TEST(BackfillTurns, WhoIsGoneOrNeedsNoneLetsTheNextOneIn) {
  BackfillTurns turns;
  const auto alive = std::make_shared<int>(0);
  auto gone = std::make_shared<int>(0);
  Turns taken;
  for (size_t i = 0; i < kBackfillsMax; ++i) taken.push_back(turns.Take(alive, [] {}));
  std::vector<int> called;
  turns.Take(gone, [&] { called.push_back(1); });
  turns.Take(alive, [&] { called.push_back(2); });
  turns.Take(alive, [&] { called.push_back(3); });
  gone.reset();
  GiveBackOne(taken);
  EXPECT_THAT(called, ElementsAre(2, 3));
  taken.clear();
}

TEST(BackfillTurns, ThoseWhoHaveGoneDoNotFillTheQueue) {
  BackfillTurns turns;
  Turns taken;
  const auto counted = std::make_shared<int>();
  for (size_t i = 0; i < kBackfillsMax; ++i) taken.push_back(turns.Take(counted, [] {}));
  for (size_t i = 0; i < 10 * kRoomsMax; ++i) {
    EXPECT_EQ(turns.Take(std::make_shared<int>(), [counted] {}), nullptr);
  }
  EXPECT_LE(counted.use_count(), static_cast<long>(kRoomsMax) + 1);
}

TEST(BackfillTurns, KeepsNoMoreThanItsBound) {
  BackfillTurns turns;
  EXPECT_TRUE(turns.Keep(kBackfillKeepBytesMax));
  EXPECT_FALSE(turns.Keep(1));
  turns.Unkeep(1);
  EXPECT_TRUE(turns.Keep(1));
}

}  // namespace
}  // namespace seatlock::edge
