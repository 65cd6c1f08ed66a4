#include "edge/core/room.h"

#include <gmock/gmock.h>

#include "edge/core/limits.h"
#include "tests/testing/edge_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FakeClock;
using ::seatlock::testing::FakeSink;
using ::seatlock::testing::FakeTimers;
using ::seatlock::testing::FakeUpstream;
using ::seatlock::testing::TypesOf;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kStatus[] = "current_seat_status";
constexpr char kChange[] = "seat_status_change";
constexpr char kSubscribed[] = "subscribed";
constexpr char kStream[] = "stream_status";

Seat Locked(const std::string& seat, const std::string& session) {
  return {seat, SeatStatus::kLocked, session, 1'800'000'000'000};
}
Seat Freed(const std::string& seat, const std::string& session) {
  return {seat, SeatStatus::kAvailable, session, 0};
}

class RoomTest : public ::testing::Test {
 protected:
  RoomTest() { room_->Start(); }

  // Says change `revision`: a lock of A<revision> by session s.
  void Say(uint64_t revision, std::vector<Seat> seats, const std::string& epoch = "e") {
    service().OnChange({{epoch, revision}, 7, Cause::kLock, std::move(seats)});
  }
  void Say(uint64_t revision) { Say(revision, {Locked("A" + std::to_string(revision), "s")}); }
  void Snapshot(uint64_t revision, std::vector<Seat> seats = {}, const std::string& epoch = "e") {
    service().OnSnapshot({{epoch, revision}, std::move(seats), false});
  }
  // A room live at revision 3, and changes up to `head` after it.
  void LiveAt(uint64_t head) {
    Snapshot(3);
    for (uint64_t revision = 4; revision <= head; ++revision) Say(revision);
  }
  WatchSink& service() { return upstream_.sink("1"); }

  FakeClock clock_;
  FakeTimers timers_{clock_};
  FakeUpstream upstream_;
  Stats stats_;
  std::shared_ptr<Room> room_ =
      std::make_shared<Room>(Env{clock_, timers_, upstream_, stats_}, "1");
  FakeSink viewer_;
  FakeSink holder_;
};

TEST_F(RoomTest, SubscribedComesOnceTheStreamIsLive) {
  room_->Subscribe(&viewer_, {});
  EXPECT_THAT(viewer_.frames, IsEmpty());
  Snapshot(3, {Locked("A01", "s")});
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr(kSubscribed), HasSubstr(R"("revision":3)"),
                                HasSubstr(R"("recovered":false)")),
                          AllOf(HasSubstr(kStatus), HasSubstr(R"("lockedSeats":["A01"])"))));
}

TEST_F(RoomTest, ASnapshotInPartsCountsOnceItIsWhole) {
  room_->Subscribe(&viewer_, {});
  service().OnSnapshot({{"e", 3}, {Locked("A01", "s")}, true});
  EXPECT_THAT(viewer_.frames, IsEmpty());
  service().OnSnapshot({{"e", 3}, {Locked("A02", "s")}, false});
  EXPECT_THAT(viewer_.Take().back(), HasSubstr(R"("lockedSeats":["A01","A02"])"));
}

TEST_F(RoomTest, ANewShowtimeIsLiveWithItsFirstProgress) {
  room_->Subscribe(&viewer_, {});
  service().OnProgress({"", 0});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus));
  Say(1);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("revision":1)")));
  EXPECT_EQ(upstream_.of("1").restarts, 0);
}

TEST_F(RoomTest, WhoJoinedBeforeTheFirstChangeLearnsTheEpochAndCanResume) {
  room_->Subscribe(&viewer_, {});
  service().OnProgress({"", 0});
  EXPECT_THAT(viewer_.Take().front(), HasSubstr(R"("epoch":"","revision":0)"));
  Say(1);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("epoch":"e")")));
  Say(2);
  EXPECT_THAT(viewer_.Take(), ElementsAre(Not(HasSubstr("epoch"))));
  room_->Subscribe(&viewer_, {.resume = Position{"e", 1}});
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(HasSubstr(R"("recovered":true)"), HasSubstr(R"("revision":2)")));
}

TEST_F(RoomTest, AStreamResumedAtRevision0FollowsOnWithTheFirstChange) {
  room_->Subscribe(&viewer_, {});
  service().OnProgress({"", 0});
  viewer_.Take();
  service().OnLost();
  EXPECT_EQ(service().ResumeFrom(), (Position{"", 0}));
  Say(1);
  Say(2);
  timers_.AdvanceMs(kCaughtUpQuietMs);
  service().OnProgress({"e", 2});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kStream, kChange, kChange, kStream));
  EXPECT_EQ(upstream_.of("1").restarts, 0);
  EXPECT_EQ(service().ResumeFrom(), (Position{"e", 2}));
}

TEST_F(RoomTest, ACrowdSharesASnapshotWhoseTimestampIsAtMostASecondOld) {
  LiveAt(3);
  room_->Subscribe(&viewer_, {});
  timers_.AdvanceMs(kSnapshotFrameMsMax);
  room_->Subscribe(&holder_, {});
  EXPECT_EQ(viewer_.frames.back().get(), holder_.frames.back().get());
  timers_.AdvanceMs(1);
  FakeSink late;
  room_->Subscribe(&late, {});
  EXPECT_THAT(*late.frames.back(),
              HasSubstr("\"timestamp\":" + std::to_string(clock_.NowMs()) + ","));
  EXPECT_EQ(stats_.snapshots_encoded_total, 2);
}

TEST_F(RoomTest, OnlyTheHolderLearnsTheSessionAndTheExpiry) {
  LiveAt(3);
  room_->Subscribe(&viewer_, {});
  room_->Subscribe(&holder_, {.session_id = "s"});
  viewer_.Take();
  holder_.Take();
  Say(4, {Locked("A01", "s"), Locked("A02", "other")});
  EXPECT_THAT(viewer_.Take(),
              Each(AllOf(Not(HasSubstr("sessionId")), Not(HasSubstr("expiresAt")))));
  EXPECT_THAT(holder_.Take(),
              ElementsAre(AllOf(HasSubstr(R"("sessionId":"s")"), HasSubstr("expiresAt"),
                                HasSubstr(R"("more":true)")),
                          AllOf(Not(HasSubstr("sessionId")), Not(HasSubstr("more")))));
}

TEST_F(RoomTest, YourSeatsAreTheLocksOfTheSession) {
  Snapshot(3, {Locked("A01", "s"), Locked("A02", "other"), {"A03", SeatStatus::kBooked, "s", 0}});
  room_->Subscribe(&holder_, {.session_id = "s"});
  EXPECT_THAT(holder_.Take().front(),
              HasSubstr(R"("yourSeats":[{"seatId":"A01","expiresAt":1800000000000}])"));
}

TEST_F(RoomTest, YourSeatsFollowChanges) {
  LiveAt(3);
  Say(4, {Locked("A01", "s")});
  Say(5, {Freed("A01", "s")});
  Say(6, {Locked("A01", "t")});
  room_->Subscribe(&holder_, {.session_id = "s"});
  EXPECT_THAT(holder_.Take().front(), HasSubstr(R"("yourSeats":[])"));
}

TEST_F(RoomTest, ASnapshotIsEncodedOnceARevisionForAllWhoJoin) {
  LiveAt(3);
  std::vector<FakeSink> sinks(100);
  for (FakeSink& sink : sinks) room_->Subscribe(&sink, {});
  EXPECT_EQ(stats_.snapshots_encoded_total, 1);
  EXPECT_EQ(sinks[0].frames[1].get(), sinks[99].frames[1].get());
  Say(4);
  FakeSink late;
  room_->Subscribe(&late, {});
  EXPECT_EQ(stats_.snapshots_encoded_total, 2);
}

TEST_F(RoomTest, AChangeIsEncodedOnceForAllWhoLook) {
  LiveAt(3);
  FakeSink other;
  room_->Subscribe(&viewer_, {});
  room_->Subscribe(&other, {});
  Say(4);
  EXPECT_EQ(viewer_.frames.back().get(), other.frames.back().get());
}

TEST_F(RoomTest, SubscribingAgainDoublesNothing) {
  LiveAt(3);
  room_->Subscribe(&viewer_, {});
  room_->Subscribe(&viewer_, {});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus, kSubscribed, kStatus));
  Say(4);
  EXPECT_THAT(viewer_.Take(), SizeIs(1));
  EXPECT_EQ(stats_.subscriptions, 1);
}

TEST_F(RoomTest, WhoUnsubscribedHearsNothing) {
  LiveAt(3);
  room_->Subscribe(&viewer_, {});
  viewer_.Take();
  EXPECT_TRUE(room_->Unsubscribe(&viewer_));
  Say(4);
  EXPECT_THAT(viewer_.Take(), IsEmpty());
}

// ---- Resume ------------------------------------------------------------------------------------

TEST_F(RoomTest, AResumeGetsWhatItMissedAndNoSnapshot) {
  LiveAt(6);
  room_->Subscribe(&viewer_, {.resume = Position{"e", 4}});
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr(kSubscribed), HasSubstr(R"("revision":4)"),
                                HasSubstr(R"("recovered":true)")),
                          HasSubstr(R"("revision":5)"), HasSubstr(R"("revision":6)")));
  Say(7);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("revision":7)")));
}

TEST_F(RoomTest, AResumeOfTheHolderGetsTheHoldersFrames) {
  LiveAt(4);
  room_->Subscribe(&holder_, {.session_id = "s", .resume = Position{"e", 3}});
  EXPECT_THAT(holder_.Take().back(), HasSubstr(R"("sessionId":"s")"));
}

TEST_F(RoomTest, AResumeAtTheHeadMissedNothing) {
  LiveAt(4);
  room_->Subscribe(&viewer_, {.resume = Position{"e", 4}});
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("recovered":true)")));
}

TEST_F(RoomTest, AResumeOverAChangeOfNoSeatsIsRecovered) {
  LiveAt(4);
  Say(5, {});
  room_->Subscribe(&viewer_, {.resume = Position{"e", 4}});
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("recovered":true)")));
  Say(6);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("revision":6)")));
}

TEST_F(RoomTest, AResumeFromBeforeTheHistoryGetsASnapshot) {
  LiveAt(4);
  room_->Subscribe(&viewer_, {.resume = Position{"e", 2}});
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("recovered":false)"), HasSubstr(kStatus)));
}

TEST_F(RoomTest, AResumeOfAnotherEpochGetsASnapshot) {
  LiveAt(4);
  room_->Subscribe(&viewer_, {.resume = Position{"other", 4}});
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("recovered":false)"), HasSubstr(kStatus)));
}

TEST_F(RoomTest, AResumeFromTheVeryStartIsRecoveredWhileItIsKept) {
  service().OnProgress({"", 0});
  Say(1);
  room_->Subscribe(&viewer_, {.resume = Position{"", 0}});
  EXPECT_THAT(viewer_.Take(), ElementsAre(AllOf(HasSubstr(R"("epoch":"e","revision":0)"),
                                                HasSubstr(R"("recovered":true)")),
                                          HasSubstr(R"("revision":1)")));
}

TEST_F(RoomTest, HistoryIsBoundedAndAResumePastItGetsASnapshot) {
  LiveAt(3 + kHistoryChangesMax + 1);
  room_->Subscribe(&viewer_, {.resume = Position{"e", 3}});
  EXPECT_THAT(viewer_.Take().front(), HasSubstr(R"("recovered":false)"));
  room_->Subscribe(&holder_, {.resume = Position{"e", 4}});
  EXPECT_THAT(holder_.Take(), SizeIs(1 + kHistoryChangesMax));
}

TEST_F(RoomTest, AResumeAheadWaitsUntilTheRoomIsThere) {
  LiveAt(4);
  room_->Subscribe(&viewer_, {.resume = Position{"e", 6}});
  Say(5);
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  Say(6);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("recovered":true)")));
  Say(7);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("revision":7)")));
}

TEST_F(RoomTest, AResumeThatStaysAheadGetsASnapshotInTheEnd) {
  LiveAt(4);
  room_->Subscribe(&viewer_, {.resume = Position{"e", 60}});
  timers_.AdvanceMs(kResumeWaitMsMax - 1);
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  timers_.AdvanceMs(1);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("recovered":false)"), HasSubstr(kStatus)));
}

// ---- The service goes away ---------------------------------------------------------------------

TEST_F(RoomTest, ALostStreamIsToldOnceAndItsReturnBringsWhatWasMissed) {
  LiveAt(4);
  room_->Subscribe(&viewer_, {});
  viewer_.Take();
  service().OnLost();
  service().OnLost();
  EXPECT_THAT(viewer_.Take(), ElementsAre(AllOf(HasSubstr(kStream), HasSubstr(R"("live":false)"))));
  EXPECT_EQ(service().ResumeFrom(), (Position{"e", 4}));
  Say(5);
  Say(6);
  timers_.AdvanceMs(kCaughtUpQuietMs);
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(HasSubstr(R"("revision":5)"), HasSubstr(R"("revision":6)"),
                          HasSubstr(R"("live":true)")));
}

TEST_F(RoomTest, AReturnWithNothingMissedIsLiveAtOnce) {
  LiveAt(4);
  room_->Subscribe(&viewer_, {});
  service().OnLost();
  viewer_.Take();
  service().OnProgress({"e", 4});
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("live":true)")));
}

TEST_F(RoomTest, AReturnWithASnapshotReplacesEverything) {
  LiveAt(4);
  room_->Subscribe(&viewer_, {});
  service().OnLost();
  viewer_.Take();
  Snapshot(2, {Locked("B01", "s")}, "e2");
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr(kStatus), HasSubstr("B01"), HasSubstr(R"("epoch":"e2")")),
                          HasSubstr(R"("live":true)")));
}

TEST_F(RoomTest, ABusyRoomIsLiveSoonAfterItsReturnToo) {
  LiveAt(4);
  room_->Subscribe(&viewer_, {});
  service().OnLost();
  viewer_.Take();
  for (uint64_t revision = 5; revision < 25; ++revision) {
    Say(revision);
    timers_.AdvanceMs(kCaughtUpMsMax / 10);
  }
  EXPECT_THAT(viewer_.Take(), ::testing::Contains(HasSubstr(R"("live":true)")).Times(1));
}

TEST_F(RoomTest, ANewcomerHearsAtOnceThatTheServiceIsAwayAndSeesWhatIsKnown) {
  Snapshot(3, {Locked("A01", "s")});
  service().OnLost();
  room_->Subscribe(&viewer_, {});
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("live":false)"),
                                          AllOf(HasSubstr(kStatus), HasSubstr("A01"))));
  service().OnProgress({"e", 3});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus, kStream));
}

TEST_F(RoomTest, ANewcomerOfARoomThatNeverLivedHearsThatTheServiceIsAway) {
  room_->Subscribe(&viewer_, {});
  service().OnLost();
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("live":false)")));
  service().OnProgress({"", 0});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus, kStream));
}

TEST_F(RoomTest, AStreamThatSaysNothingCountsAsAway) {
  room_->Subscribe(&viewer_, {});
  timers_.AdvanceMs(kLiveMsMax);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("live":false)")));
}

TEST_F(RoomTest, ANewcomerIsNeverShownLessThanItKnows) {
  LiveAt(4);
  service().OnLost();
  room_->Subscribe(&viewer_, {.resume = Position{"e", 5}});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kStream));
  Say(5);
  Say(6);
  timers_.AdvanceMs(kCaughtUpQuietMs);
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(HasSubstr(R"("recovered":true)"), HasSubstr(R"("revision":6)"),
                          HasSubstr(R"("live":true)")));
}

TEST_F(RoomTest, ANewcomerThatWasShownANewerStateDoesNotGetOldChangesAfterIt) {
  LiveAt(6);
  service().OnLost();
  room_->Subscribe(&viewer_, {.resume = Position{"e", 4}});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kStream, kStatus));
  service().OnProgress({"e", 6});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus, kStream));
}

// ---- A stream that does not follow on ----------------------------------------------------------

TEST_F(RoomTest, AGapIsHealedBySnapshot) {
  LiveAt(4);
  room_->Subscribe(&viewer_, {});
  viewer_.Take();
  Say(6);
  EXPECT_EQ(upstream_.of("1").restarts, 1);
  EXPECT_EQ(service().ResumeFrom(), std::nullopt);
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  Snapshot(6);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(kStatus)));
  Say(7);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(kChange)));
}

TEST_F(RoomTest, AnotherEpochWithNoSnapshotIsAGap) {
  LiveAt(4);
  Say(5, {Locked("A05", "s")}, "e2");
  EXPECT_EQ(upstream_.of("1").restarts, 1);
}

TEST_F(RoomTest, ARepeatedRevisionIsAGap) {
  LiveAt(4);
  Say(4);
  EXPECT_EQ(upstream_.of("1").restarts, 1);
}

TEST_F(RoomTest, ProgressPastWhatIsKnownIsAGap) {
  LiveAt(4);
  service().OnProgress({"e", 5});
  EXPECT_EQ(upstream_.of("1").restarts, 1);
}

TEST_F(RoomTest, AChangeBetweenThePartsOfASnapshotIsAGap) {
  LiveAt(4);
  service().OnSnapshot({{"e", 9}, {}, true});
  Say(5);
  EXPECT_EQ(upstream_.of("1").restarts, 1);
}

TEST_F(RoomTest, ASnapshotCutShortIsForgotten) {
  room_->Subscribe(&viewer_, {});
  service().OnSnapshot({{"e", 3}, {Locked("A01", "s")}, true});
  service().OnLost();
  Snapshot(3, {Locked("A02", "s")});
  EXPECT_THAT(viewer_.Take(), ::testing::Contains(HasSubstr(R"("lockedSeats":["A02"])")));
}

// ---- Batches -----------------------------------------------------------------------------------

class BatchTest : public RoomTest {
 protected:
  BatchTest() {
    LiveAt(3);
    room_->Subscribe(&viewer_, {.batch = true});
    viewer_.Take();
    timers_.AdvanceMs(1000);
  }
};

TEST_F(BatchTest, TheFirstChangeOfAQuietRoomComesAtOnce) {
  Say(4);
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr("seat_changes"), HasSubstr(R"([["A4","locked"]])"))));
}

TEST_F(BatchTest, LaterOnesComeTogetherAfter50Ms) {
  Say(4);
  viewer_.Take();
  Say(5, {Locked("A05", "s")});
  Say(6, {Freed("A05", "s"), Locked("A06", "s")});
  timers_.AdvanceMs(kBatchEveryMs - 1);
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  timers_.AdvanceMs(1);
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr(R"("revision":6)"),
                                HasSubstr(R"([["A05","unlocked"],["A06","locked"]])"))));
}

TEST_F(BatchTest, AHotRoomCostsTwentyFramesASecond) {
  for (uint64_t revision = 4; revision < 1004; ++revision) {
    Say(revision);
    timers_.AdvanceMs(1);
  }
  // One at once, then one each 50 ms.
  EXPECT_EQ(viewer_.Take().size(), 1u + 20u);
}

TEST_F(BatchTest, AllViewersShareOneFrameAndTheHolderHasItsOwn) {
  FakeSink other;
  room_->Subscribe(&other, {.session_id = "x", .batch = true});
  room_->Subscribe(&holder_, {.session_id = "s", .batch = true});
  Say(4);
  EXPECT_EQ(viewer_.frames.back().get(), other.frames.back().get());
  EXPECT_THAT(*viewer_.frames.back(), Not(HasSubstr("1800000000000")));
  EXPECT_THAT(*holder_.frames.back(), HasSubstr(R"(["A4","locked",1800000000000])"));
}

TEST_F(BatchTest, ANewcomerGetsNoBatchThatItsSnapshotHolds) {
  Say(4);
  Say(5);
  room_->Subscribe(&holder_, {.batch = true});
  holder_.Take();
  timers_.AdvanceMs(kBatchEveryMs);
  EXPECT_THAT(holder_.Take(), IsEmpty());
  EXPECT_THAT(viewer_.Take(), SizeIs(2));
}

TEST_F(BatchTest, AResumeGetsWhatItMissedInOneFrame) {
  Say(4);
  Say(5, {Freed("A4", "s")});
  Say(6);
  room_->Subscribe(&holder_, {.resume = Position{"e", 3}, .batch = true});
  EXPECT_THAT(holder_.Take(),
              ElementsAre(HasSubstr(R"("recovered":true)"),
                          HasSubstr(R"("changes":[["A4","unlocked"],["A6","locked"]])")));
}

TEST_F(BatchTest, AChangeOfNoSeatsIsNoFrame) {
  Say(4, {});
  timers_.AdvanceMs(kBatchEveryMs);
  EXPECT_THAT(viewer_.Take(), IsEmpty());
}

}  // namespace
}  // namespace seatlock::edge
