// Forged records: the judge must find what is wrong with each, and nothing in one that is right.
#include "clients/cli/bench/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seatlock::cli::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kSeat = 7;
constexpr uint32_t kAnn = 1;
constexpr uint32_t kBob = 2;

Told Answer(Kind kind, uint32_t session, uint64_t revision, int64_t expire_ms = 0) {
  return {.revision = revision,
          .expire_ms = expire_ms,
          .server_ms = static_cast<int64_t>(revision) * 1'000,
          .seat = kSeat,
          .session = session,
          .kind = kind};
}

// Revision n is committed at n seconds.
Seen Change(SeatIs status, uint32_t session, uint64_t revision, int64_t expire_ms = 0) {
  return {.revision = revision,
          .commit_ms = static_cast<int64_t>(revision) * 1'000,
          .expire_ms = expire_ms,
          .seat = kSeat,
          .session = session,
          .status = status,
          .lapsed = false};
}
Seen Lapse(uint32_t session, uint64_t revision) {
  Seen seen = Change(SeatIs::kFree, session, revision);
  seen.lapsed = true;
  return seen;
}

History Stream(std::vector<Seen> seen) {
  const uint64_t last = seen.empty() ? 0 : seen.back().revision;
  return {.seen = std::move(seen), .last_revision = last, .missing = ""};
}

Findings JudgeIt(std::vector<Told> told, const History& history) {
  return JudgeShowtime("bench-x-0", std::move(told), history);
}

void ExpectNothing(const Findings& findings) {
  EXPECT_EQ(findings.double_holds, 0U);
  EXPECT_EQ(findings.lost, 0U);
  EXPECT_EQ(findings.unchecked, 0U);
  EXPECT_THAT(findings.examples, IsEmpty());
}

TEST(JudgeTest, AnHonestHistoryIsFoundRightInWhateverOrderItsAnswersCame) {
  ExpectNothing(JudgeIt(
      {Answer(Kind::kCancel, kBob, 6), Answer(Kind::kUnlock, kAnn, 3),
       Answer(Kind::kLock, kBob, 4, 90'000), Answer(Kind::kExtend, kAnn, 2, 80'000),
       Answer(Kind::kLock, kAnn, 1, 60'000), Answer(Kind::kBook, kBob, 5)},
      Stream({Change(SeatIs::kLocked, kAnn, 1, 60'000), Change(SeatIs::kLocked, kAnn, 2, 80'000),
              Change(SeatIs::kFree, kAnn, 3), Change(SeatIs::kLocked, kBob, 4, 90'000),
              Change(SeatIs::kBooked, kBob, 5), Change(SeatIs::kFree, kBob, 6)})));
}

TEST(JudgeTest, ALockThatLapsedMayGoToAnother) {
  ExpectNothing(JudgeIt({Answer(Kind::kLock, kAnn, 1, 2'000), Answer(Kind::kLock, kBob, 3, 9'000)},
                        Stream({Change(SeatIs::kLocked, kAnn, 1, 2'000), Lapse(kAnn, 2),
                                Change(SeatIs::kLocked, kBob, 3, 9'000)})));
}

TEST(JudgeTest, AnUnlockWhoseAnswerWasLostEndsAHoldToo) {
  ExpectNothing(
      JudgeIt({Answer(Kind::kLock, kAnn, 1, 60'000), Answer(Kind::kLock, kBob, 3, 90'000)},
              Stream({Change(SeatIs::kLocked, kAnn, 1, 60'000), Change(SeatIs::kFree, kAnn, 2),
                      Change(SeatIs::kLocked, kBob, 3, 90'000)})));
}

TEST(JudgeTest, AnswersThatChangedNothingAreTrueOfTheirRevision) {
  // Locked again by who holds it, after another seat's change; unlocked though it was free.
  Seen other = Change(SeatIs::kLocked, kBob, 2, 60'000);
  other.seat = kSeat + 1;
  ExpectNothing(JudgeIt(
      {Answer(Kind::kLock, kAnn, 1, 60'000), Answer(Kind::kLock, kAnn, 2, 60'000),
       Answer(Kind::kUnlock, kAnn, 3), Answer(Kind::kUnlock, kAnn, 3)},
      Stream({Change(SeatIs::kLocked, kAnn, 1, 60'000), other, Change(SeatIs::kFree, kAnn, 3)})));
}

TEST(JudgeTest, ASeatThatTwoAreToldToHoldIsFoundThoughTheStreamSaysNothingOfIt) {
  const Findings findings =
      JudgeIt({Answer(Kind::kLock, kAnn, 1, 60'000), Answer(Kind::kLock, kBob, 2, 60'000)},
              Stream({Change(SeatIs::kLocked, kAnn, 1, 60'000)}));
  EXPECT_EQ(findings.double_holds, 1U);
  EXPECT_EQ(findings.lost, 1U);
  EXPECT_THAT(findings.examples,
              ElementsAre(HasSubstr("lost acknowledgement: lock of S7 of bench-x-0 by session s2"),
                          HasSubstr("S7 of bench-x-0 went to session s2 at revision 2 while "
                                    "session s1 held it")));
}

TEST(JudgeTest, ASeatThatTheStreamGivesTwiceIsFoundOnce) {
  const History history =
      Stream({Change(SeatIs::kLocked, kAnn, 1, 60'000), Change(SeatIs::kLocked, kBob, 2, 60'000)});
  EXPECT_EQ(JudgeIt({}, history).double_holds, 1U);
  const Findings both = JudgeIt(
      {Answer(Kind::kLock, kAnn, 1, 60'000), Answer(Kind::kLock, kBob, 2, 60'000)}, history);
  EXPECT_EQ(both.double_holds, 1U);
  EXPECT_EQ(both.lost, 0U);
}

TEST(JudgeTest, TwoGrantsOfOneRevisionAreADoubleHold) {
  EXPECT_EQ(JudgeIt({Answer(Kind::kLock, kAnn, 1, 60'000), Answer(Kind::kLock, kBob, 1, 60'000)},
                    Stream({Change(SeatIs::kLocked, kAnn, 1, 60'000)}))
                .double_holds,
            1U);
}

TEST(JudgeTest, ALockThatTheServerFreesBeforeItsTimeStillHolds) {
  EXPECT_EQ(JudgeIt({Answer(Kind::kLock, kAnn, 1, 60'000), Answer(Kind::kLock, kBob, 3, 90'000)},
                    Stream({Change(SeatIs::kLocked, kAnn, 1, 60'000), Lapse(kAnn, 2),
                            Change(SeatIs::kLocked, kBob, 3, 90'000)}))
                .double_holds,
            1U);
}

TEST(JudgeTest, AnExtensionThatWasAcknowledgedCounts) {
  EXPECT_EQ(JudgeIt({Answer(Kind::kLock, kAnn, 1, 3'000), Answer(Kind::kExtend, kAnn, 2, 60'000),
                     Answer(Kind::kLock, kBob, 4, 90'000)},
                    Stream({Change(SeatIs::kLocked, kAnn, 1, 3'000),
                            Change(SeatIs::kLocked, kAnn, 2, 60'000), Lapse(kAnn, 3),
                            Change(SeatIs::kLocked, kBob, 4, 90'000)}))
                .double_holds,
            1U);
}

TEST(JudgeTest, ASeatThatIsSoldAndThenLockedIsADoubleHoldHoweverLateItIs) {
  EXPECT_EQ(JudgeIt({Answer(Kind::kBook, kAnn, 1), Answer(Kind::kLock, kBob, 900, 999'000)},
                    Stream({Change(SeatIs::kBooked, kAnn, 1),
                            Change(SeatIs::kLocked, kBob, 900, 999'000)}))
                .double_holds,
            1U);
}

TEST(JudgeTest, AnAnswerThatTheStreamContradictsIsLost) {
  const struct {
    Told told;
    Seen seen;
  } cases[] = {
      {Answer(Kind::kLock, kAnn, 1, 60'000), Change(SeatIs::kLocked, kBob, 1, 60'000)},
      {Answer(Kind::kLock, kAnn, 1, 60'000), Change(SeatIs::kLocked, kAnn, 1, 50'000)},
      {Answer(Kind::kExtend, kAnn, 1, 60'000), Change(SeatIs::kFree, kAnn, 1)},
      {Answer(Kind::kBook, kAnn, 1), Change(SeatIs::kLocked, kAnn, 1, 60'000)},
      {Answer(Kind::kUnlock, kAnn, 1), Change(SeatIs::kLocked, kAnn, 1, 60'000)},
      {Answer(Kind::kCancel, kAnn, 1), Change(SeatIs::kBooked, kAnn, 1)},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(JudgeIt({one.told}, Stream({one.seen})).lost, 1U)
        << kKindNames[static_cast<size_t>(one.told.kind)];
  }
}

TEST(JudgeTest, AnAnswerBeyondTheStreamsEndIsLost) {
  const Findings findings = JudgeIt({Answer(Kind::kUnlock, kAnn, 9)}, Stream({}));
  EXPECT_EQ(findings.lost, 1U);
  EXPECT_THAT(findings.examples, ElementsAre(HasSubstr("the stream ends at revision 0")));
}

TEST(JudgeTest, WhatAHistoryDoesNotReachIsSaidToBeUnchecked) {
  History history = Stream({Change(SeatIs::kLocked, kAnn, 1, 60'000)});
  history.missing = "UNAVAILABLE";
  const Findings findings =
      JudgeIt({Answer(Kind::kLock, kAnn, 1, 60'000), Answer(Kind::kUnlock, kAnn, 2)}, history);
  EXPECT_EQ(findings.unchecked, 1U);
  EXPECT_EQ(findings.lost, 0U);
}

TEST(JudgeTest, AHolderWhoseUnlockHadNoAnswerIsNoHolderIfNobodyCanTell) {
  History history = Stream({Change(SeatIs::kLocked, kAnn, 1, 60'000)});
  history.missing = "UNAVAILABLE";
  const std::vector<Told> locks = {Answer(Kind::kLock, kAnn, 1, 60'000),
                                   Answer(Kind::kLock, kBob, 3, 90'000)};
  EXPECT_EQ(JudgeIt(locks, history).double_holds, 1U);
  std::vector<Told> told = locks;
  told.push_back(Answer(Kind::kUnlock, kAnn, 0));
  told.back().failed = true;
  const Findings findings = JudgeIt(told, history);
  EXPECT_EQ(findings.double_holds, 0U);
  EXPECT_EQ(findings.unchecked, 1U) << "the verdict fails all the same";
  // The stream, if it is whole, says that it did not happen.
  EXPECT_EQ(JudgeIt(told, Stream({Change(SeatIs::kLocked, kAnn, 1, 60'000),
                                  Change(SeatIs::kLocked, kBob, 3, 90'000)}))
                .double_holds,
            1U);
}

TEST(JudgeTest, OnlyTheFirstFewAreNamedButAllAreCounted) {
  std::vector<Told> told;
  for (uint64_t i = 1; i <= 100; ++i) told.push_back(Answer(Kind::kUnlock, kAnn, i));
  Findings all = JudgeIt(told, Stream({}));
  all.Add(JudgeIt(told, Stream({})));
  EXPECT_EQ(all.lost, 200U);
  EXPECT_EQ(all.examples.size(), 5U);
}

}  // namespace
}  // namespace seatlock::cli::bench
