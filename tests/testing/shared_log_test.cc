#include "tests/testing/shared_log.h"

#include <gtest/gtest.h>

#include "tests/testing/log_calls.h"

namespace seatlock::testing {
namespace {

using Outcome = log::AppendResult::Outcome;
using Fault = SharedLog::Fault;

class SharedLogTest : public ::testing::Test {
 protected:
  // Appends one record on `log`; where its answer will be.
  std::shared_ptr<std::optional<log::AppendResult>> AppendOn(SharedLog& log,
                                                             const log::Head& expected,
                                                             const std::string& bytes) {
    auto told = std::make_shared<std::optional<log::AppendResult>>();
    std::vector<std::string> records;
    if (!bytes.empty()) records.push_back(bytes);
    log.Append(AppendOf("s", expected, records),
               [told](log::AppendResult result) { *told = std::move(result); });
    return told;
  }
  log::Head head() { return store_.head(showtime_); }

  const domain::ShowtimeId showtime_{"s"};
  SharedStore store_;
  SharedLog a_{store_};
  SharedLog b_{store_};
};

TEST_F(SharedLogTest, OfTwoServersOneIsFirstAndTheOtherHearsWhatItMissed) {
  ASSERT_EQ((*AppendOn(a_, {}, "one"))->outcome, Outcome::kAppended);
  auto late = AppendOn(b_, {}, "two");

  EXPECT_EQ((*late)->outcome, Outcome::kConflict);
  ASSERT_EQ((*late)->missed.size(), 1U);
  EXPECT_EQ((*late)->missed[0].bytes, "one");
}

TEST_F(SharedLogTest, AnswersThatAreHeldComeOneByOneAndWhatTheyTellOfHasHappened) {
  a_.HoldAnswers();
  auto told = AppendOn(a_, {}, "one");
  EXPECT_FALSE(told->has_value());
  EXPECT_EQ(head().revision.value(), 1U);
  a_.ReleaseOne();
  EXPECT_EQ((*told)->outcome, Outcome::kAppended);
}

TEST_F(SharedLogTest, UnknownOutcomesLandAtOnceNeverOrLate) {
  a_.FaultNext(Fault::kUnknownLost);
  EXPECT_EQ((*AppendOn(a_, {}, "lost"))->outcome, Outcome::kUnknown);
  EXPECT_EQ(head().revision.value(), 0U);
  a_.FaultNext(Fault::kUnknownLate);
  EXPECT_EQ((*AppendOn(a_, {}, "late"))->outcome, Outcome::kUnknown);
  EXPECT_EQ(head().revision.value(), 0U);
  EXPECT_EQ(store_.LandLate(), 1);
  EXPECT_EQ(head().revision.value(), 1U);
  a_.FaultNext(Fault::kUnknownLanded);
  EXPECT_EQ((*AppendOn(a_, head(), "landed"))->outcome, Outcome::kUnknown);
  EXPECT_EQ(head().revision.value(), 2U);
}

TEST_F(SharedLogTest, WhatLandsLateGoesInOnlyWhereItFits) {
  a_.FaultNext(Fault::kUnknownLate);
  AppendOn(a_, {}, "late");
  AppendOn(b_, {}, "first");
  EXPECT_EQ(store_.LandLate(), 0);
  EXPECT_EQ(head().revision.value(), 1U);
}

TEST_F(SharedLogTest, ARewindKeepsWhatItKeepsUnderAnotherGeneration) {
  AppendOn(a_, {}, "one");
  const log::Head first = head();
  AppendOn(a_, first, "two");
  const log::Head second = head();
  const std::string before = a_.Generation();
  store_.Rewind({{showtime_, domain::Revision(1)}});

  EXPECT_EQ(head(), first);
  auto answer = AppendOn(b_, second, "");
  EXPECT_EQ((*answer)->outcome, Outcome::kConflict);
  EXPECT_TRUE((*answer)->rewritten);
  EXPECT_NE(b_.Generation(), before);
  EXPECT_EQ(a_.Generation(), before) << "it has asked for nothing since";
}

TEST_F(SharedLogTest, AnAnswerThatARewindUndidNeverComes) {
  a_.HoldAnswers();
  auto told = AppendOn(a_, {}, "one");
  store_.Rewind({{showtime_, domain::Revision(0)}});
  a_.ReleaseAnswers();
  EXPECT_EQ((*told)->outcome, Outcome::kUnknown);
}

TEST_F(SharedLogTest, ReadsShowWhatIsNotDurableAndAppendsWait) {
  store_.HoldDurability();
  auto told = AppendOn(a_, {}, "one");
  EXPECT_FALSE(told->has_value());
  EXPECT_EQ(Read(b_, "s", 1)->records.size(), 1U);
  EXPECT_TRUE(store_.Durable(showtime_).empty());
  store_.LoseUndurable();
  EXPECT_EQ((*told)->outcome, Outcome::kUnknown);
  EXPECT_EQ(head().revision.value(), 0U);
}

TEST_F(SharedLogTest, HintsAreHeldDoubledAndLost) {
  std::vector<uint64_t> hints;
  b_.Follow(
      [&hints](const auto&, domain::Revision revision) { hints.push_back(revision.value()); });
  AppendOn(a_, head(), "one");
  b_.SetHints(SharedLog::Hints::kDoubled);
  AppendOn(a_, head(), "two");
  b_.SetHints(SharedLog::Hints::kLost);
  AppendOn(a_, head(), "three");
  b_.SetHints(SharedLog::Hints::kHeld);
  AppendOn(a_, head(), "four");
  AppendOn(a_, head(), "five");
  EXPECT_EQ(hints, (std::vector<uint64_t>{1, 2, 2}));
  b_.ReleaseHints();
  EXPECT_EQ(hints, (std::vector<uint64_t>{1, 2, 2, 5, 4}));
}

TEST_F(SharedLogTest, AMarkTellsWhatChangedSince) {
  const log::ChangeMark mark = ChangedSince(b_, {})->mark;
  AppendOn(a_, {}, "one");
  auto changed = ChangedSince(b_, mark);
  EXPECT_EQ(changed->showtimes, std::vector<domain::ShowtimeId>{showtime_});
  EXPECT_TRUE(ChangedSince(b_, changed->mark)->showtimes.empty());
}

}  // namespace
}  // namespace seatlock::testing
