#include "edge/fanout/room.h"

#include <gmock/gmock.h>

#include "edge/limits.h"
#include "tests/testing/hub_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FakeFeed;
using ::seatlock::testing::FakePeer;
using ::seatlock::testing::FakeThread;
using ::seatlock::testing::FreedSeat;
using ::seatlock::testing::LockedSeat;
using ::seatlock::testing::TypesOf;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kStatus[] = "current_seat_status";
constexpr char kStream[] = "stream_status";
constexpr char kChange[] = "seat_status_change";
constexpr char kSubscribed[] = "subscribed";

class RoomTest : public ::testing::Test {
 protected:
  RoomTest() {
    viewer_.Take();
    holder_.Take();
    keeper_.Take();
  }

  // A lock of A<revision> by session s.
  void Say() { Say({LockedSeat("A" + std::to_string(feed_.truth().position().revision + 1))}); }
  void Say(std::vector<Seat> seats) { feed_.Say(std::move(seats)); }
  // A room live at revision 3, and changes up to `head` after it. Somebody looks already.
  void LiveAt(uint64_t head, std::vector<Seat> seats = {}) {
    keeper_.Subscribe("1");
    feed_.Snapshot({"e", 3}, std::move(seats));
    while (feed_.truth().position().revision < head) Say();
    thread_.Run();
  }
  // The changes after a revision, as the source would answer a resume.
  std::shared_ptr<Entries> Changes(uint64_t from, uint64_t to) {
    auto entries = std::make_shared<Entries>();
    for (uint64_t revision = from + 1; revision <= to; ++revision) {
      entries->push_back(MakeEntry(
          "1", {{"e", revision}, 7, Cause::kLock, {LockedSeat("A" + std::to_string(revision))}}));
    }
    return entries;
  }

  FakeThread thread_;
  FakeFeed& feed_ = thread_.feeds.of("1");
  FakePeer viewer_{thread_};
  FakePeer holder_{thread_};
  FakePeer keeper_{thread_};
};

TEST_F(RoomTest, SubscribedComesOnceTheStreamIsLive) {
  viewer_.Subscribe("1");
  feed_.Image(FeedStatus::kConnecting);
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  feed_.Snapshot({"e", 3}, {LockedSeat("A01")});
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr(kSubscribed), HasSubstr(R"("revision":3)"),
                                HasSubstr(R"("recovered":false)")),
                          AllOf(HasSubstr(kStatus), HasSubstr(R"("lockedSeats":["A01"])"))));
}

TEST_F(RoomTest, ANewShowtimeIsLiveWithNothingInIt) {
  viewer_.Subscribe("1");
  feed_.Snapshot({"", 0});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus));
  Say();
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("revision":1)")));
}

TEST_F(RoomTest, WhoJoinedBeforeTheFirstChangeLearnsTheEpochAndCanResume) {
  viewer_.Subscribe("1");
  feed_.Snapshot({"", 0});
  EXPECT_THAT(viewer_.Take().front(), HasSubstr(R"("epoch":"","revision":0)"));
  Say();
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("epoch":"e")")));
  Say();
  EXPECT_THAT(viewer_.Take(), ElementsAre(Not(HasSubstr("epoch"))));
  viewer_.Subscribe("1", "", Position{"e", 1});
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(HasSubstr(R"("recovered":true)"), HasSubstr(R"("revision":2)")));
}

TEST_F(RoomTest, OnlyTheHolderLearnsTheSessionAndTheExpiry) {
  LiveAt(3);
  viewer_.Subscribe("1");
  holder_.Subscribe("1", "s");
  viewer_.Take();
  holder_.Take();
  Say({LockedSeat("A01", "s"), LockedSeat("A02", "other")});
  EXPECT_THAT(
      viewer_.Take(),
      AllOf(SizeIs(2), Each(AllOf(Not(HasSubstr("sessionId")), Not(HasSubstr("expiresAt"))))));
  EXPECT_THAT(holder_.Take(),
              ElementsAre(AllOf(HasSubstr(R"("sessionId":"s")"), HasSubstr("expiresAt"),
                                HasSubstr(R"("more":true)")),
                          AllOf(Not(HasSubstr("sessionId")), Not(HasSubstr("more")))));
}

TEST_F(RoomTest, YourSeatsAreTheLocksOfTheSession) {
  LiveAt(
      3,
      {LockedSeat("A01", "s"), LockedSeat("A02", "other"), {"A03", SeatStatus::kBooked, "s", 0}});
  holder_.Subscribe("1", "s");
  EXPECT_THAT(holder_.Take().front(),
              HasSubstr(R"("yourSeats":[{"seatId":"A01","expiresAt":1800000000000}])"));
}

TEST_F(RoomTest, ASnapshotIsEncodedOnceARevisionForAllWhoJoin) {
  LiveAt(3);
  std::vector<std::unique_ptr<FakePeer>> peers;
  const int64_t before = thread_.stats.snapshots_sent_total;
  for (int i = 0; i < 100; ++i) {
    peers.push_back(std::make_unique<FakePeer>(thread_));
    peers.back()->Subscribe("1");
  }
  EXPECT_EQ(thread_.stats.snapshots_encoded_total, 1);
  EXPECT_EQ(thread_.stats.snapshots_sent_total - before, 100);
  Say();
  viewer_.Subscribe("1");
  EXPECT_EQ(thread_.stats.snapshots_encoded_total, 2);
  EXPECT_EQ(thread_.stats.joins_total, 102);
}

TEST_F(RoomTest, ThreadsShareTheSnapshotOfARevision) {
  LiveAt(3);
  FakeThread other;
  other.feeds.of("1").snapshots = feed_.snapshots;
  FakePeer peer(other);
  peer.Subscribe("1");
  other.feeds.of("1").Snapshot({"e", 3});
  EXPECT_THAT(TypesOf(peer.Take()), ElementsAre("connection_established", kSubscribed, kStatus));
  EXPECT_EQ(thread_.stats.snapshots_encoded_total, 1);
  EXPECT_EQ(other.stats.snapshots_encoded_total, 0);
}

TEST_F(RoomTest, SubscribingAgainDoublesNothing) {
  LiveAt(3);
  viewer_.Subscribe("1");
  viewer_.Subscribe("1");
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus, kSubscribed, kStatus));
  Say();
  EXPECT_THAT(viewer_.Take(), SizeIs(1));
  EXPECT_EQ(thread_.stats.subscriptions, 2);
}

TEST_F(RoomTest, SubscribingAgainAsAnotherSessionIsAnotherOnesView) {
  LiveAt(3);
  viewer_.Subscribe("1", "t");
  viewer_.Subscribe("1", "s");
  viewer_.Take();
  Say();
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("sessionId":"s")")));
}

TEST_F(RoomTest, WhoUnsubscribedHearsNothing) {
  LiveAt(3);
  viewer_.Subscribe("1");
  Say();
  viewer_.client.OnText(R"({"type":"unsubscribe","showtimeId":"1"})");
  Say();
  EXPECT_EQ(TypesOf(viewer_.Take()).back(), "unsubscribed");
  Say();
  EXPECT_THAT(viewer_.Take(), IsEmpty());
}

TEST_F(RoomTest, OneFeedServesAllAndGoesWithTheLast) {
  LiveAt(3);
  viewer_.Subscribe("1");
  EXPECT_EQ(feed_.opened, 1);
  EXPECT_EQ(thread_.stats.rooms, 1);
  keeper_.Say(R"({"type":"unsubscribe"})");
  EXPECT_TRUE(feed_.open());
  viewer_.Say(R"({"type":"unsubscribe"})");
  EXPECT_FALSE(feed_.open());
  EXPECT_EQ(thread_.stats.rooms, 0);
}

TEST_F(RoomTest, ChangesOfNoSeatsAreNoFramesAndPassNobodyBy) {
  LiveAt(3);
  viewer_.Subscribe("1");
  viewer_.Take();
  for (size_t i = 0; i < 3 * kHistoryChangesMax; ++i) {
    Say(std::vector<Seat>{});
    thread_.Run();
  }
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  Say();
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kChange));
  EXPECT_EQ(thread_.stats.ring_misses_total, 0);
}

// ---- Resume ------------------------------------------------------------------------------------

TEST_F(RoomTest, HoweverManyRoomsThereAreAFastReaderGetsABurstAsChanges) {
  thread_.stats.rooms += 20'000;
  thread_.stats.sources += 20'000;
  LiveAt(3);
  viewer_.Subscribe("1");
  viewer_.Take();
  for (int change = 0; change < 50; ++change) Say();
  EXPECT_THAT(TypesOf(viewer_.Take()), AllOf(SizeIs(50), Each(kChange)));
}

TEST_F(RoomTest, WhatItsSourceKeepsNoLongerTheRoomKeepsNeither) {
  LiveAt(8);
  viewer_.Subscribe("1");
  viewer_.Take();
  feed_.listener->OnFeed(FeedTrimmed{6});
  holder_.Subscribe("1", "", Position{"e", 6});
  EXPECT_THAT(TypesOf(holder_.Take()), ElementsAre(kSubscribed, kChange, kChange));
  keeper_.Subscribe("1", "", Position{"e", 5});
  EXPECT_THAT(feed_.asked, ElementsAre(Position{"e", 5}));
  EXPECT_THAT(viewer_.Take(), IsEmpty()) << "it has read all";
  Say();
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kChange));
}

TEST_F(RoomTest, AReaderThatATrimmedHistoryPassesByGetsTheSnapshot) {
  LiveAt(3);
  viewer_.Subscribe("1");
  viewer_.Take();
  viewer_.link.room = 0;
  for (int change = 0; change < 5; ++change) Say();
  thread_.Run();
  feed_.listener->OnFeed(FeedTrimmed{8});
  viewer_.Drain();
  EXPECT_EQ(TypesOf(viewer_.Take()).back(), kStatus);
}

TEST_F(RoomTest, AnAnswerThatBeginsEarlierThanWasAskedForIsReadFromThereOn) {
  LiveAt(8);
  feed_.Snapshot({"e", 10});
  keeper_.Take();
  for (FakePeer* peer : {&viewer_, &holder_}) peer->Take();
  viewer_.Subscribe("1", "", Position{"e", 7});
  feed_.Answer({"e", 7}, Changes(4, 10));
  const std::vector<std::string> frames = viewer_.Take();
  ASSERT_THAT(TypesOf(frames), ElementsAre(kSubscribed, kChange, kChange, kChange));
  EXPECT_THAT(frames[1], HasSubstr(R"("revision":8)"));
  FakePeer batch{thread_, /*batch=*/true};
  batch.Take();
  batch.Subscribe("1", "", Position{"e", 8});
  feed_.Answer({"e", 8}, Changes(4, 10));
  const std::vector<std::string> batches = batch.Take();
  EXPECT_THAT(batches.back(), AllOf(HasSubstr("A9"), HasSubstr("A10"), Not(HasSubstr("A8"))));
}

TEST_F(RoomTest, AResumeGetsWhatItMissedAndNoSnapshot) {
  LiveAt(6);
  viewer_.Subscribe("1", "", Position{"e", 4});
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr(kSubscribed), HasSubstr(R"("revision":4)"),
                                HasSubstr(R"("recovered":true)")),
                          HasSubstr(R"("revision":5)"), HasSubstr(R"("revision":6)")));
  Say();
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("revision":7)")));
  EXPECT_THAT(feed_.asked, IsEmpty());
  EXPECT_EQ(thread_.stats.resumes_recovered_total, 1);
}

TEST_F(RoomTest, AResumeOfTheHolderGetsTheHoldersFrames) {
  LiveAt(4);
  holder_.Subscribe("1", "s", Position{"e", 3});
  EXPECT_THAT(holder_.Take().back(), HasSubstr(R"("sessionId":"s")"));
}

TEST_F(RoomTest, AResumeAtTheHeadMissedNothing) {
  LiveAt(4);
  viewer_.Subscribe("1", "", Position{"e", 4});
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("recovered":true)")));
}

TEST_F(RoomTest, AResumeOverAChangeOfNoSeatsIsRecovered) {
  LiveAt(4);
  Say(std::vector<Seat>{});
  viewer_.Subscribe("1", "", Position{"e", 4});
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("recovered":true)")));
  Say();
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("revision":6)")));
}

TEST_F(RoomTest, AResumeFromTheVeryStartIsRecoveredWhileItIsKept) {
  keeper_.Subscribe("1");
  feed_.Snapshot({"", 0});
  Say();
  viewer_.Subscribe("1", "", Position{"", 0});
  EXPECT_THAT(viewer_.Take(), ElementsAre(AllOf(HasSubstr(R"("epoch":"e","revision":0)"),
                                                HasSubstr(R"("recovered":true)")),
                                          HasSubstr(R"("revision":1)")));
}

TEST_F(RoomTest, AResumeFromAnywhereInTheHistoryIsRecovered) {
  LiveAt(3 + kHistoryChangesMax + 1);
  viewer_.Subscribe("1", "", Position{"e", 4});
  EXPECT_THAT(viewer_.Take(), SizeIs(1 + kHistoryChangesMax));
  EXPECT_THAT(feed_.asked, IsEmpty());
}

TEST_F(RoomTest, WhatTheHistoryDoesNotCoverIsAskedFor) {
  LiveAt(4);
  const Position positions[] = {{"e", 2}, {"e", 6}, {"other", 4}};
  for (const Position& position : positions) {
    viewer_.Subscribe("1", "", position);
    ASSERT_THAT(feed_.asked, ElementsAre(position));
    EXPECT_THAT(viewer_.Take(), IsEmpty());
    feed_.Answer(position, nullptr);
    EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("recovered":false)"), HasSubstr(kStatus)));
    feed_.asked.clear();
  }
  EXPECT_EQ(thread_.stats.resumes_failed_total, 3);
}

TEST_F(RoomTest, WhatWasMissedComesBeforeTheHistoryThoughTheyOverlap) {
  LiveAt(6);
  for (const uint64_t missed_end : {3, 4, 6}) {
    viewer_.Subscribe("1", "s", Position{"e", 1});
    feed_.Answer({"e", 1}, Changes(1, missed_end));
    const std::vector<std::string> frames = viewer_.Take();
    ASSERT_THAT(frames, SizeIs(6));
    EXPECT_THAT(frames[0], AllOf(HasSubstr(R"("recovered":true)"), HasSubstr(R"("revision":1)")));
    for (size_t i = 1; i < 6; ++i) {
      EXPECT_THAT(frames[i], AllOf(HasSubstr("\"revision\":" + std::to_string(1 + i) + ","),
                                   HasSubstr(R"("sessionId":"s")")));
    }
  }
  Say();
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("revision":7)")));
}

TEST_F(RoomTest, WhatWasMissedIsLetGoOnceItIsSent) {
  LiveAt(6);
  viewer_.Subscribe("1", "", Position{"e", 1});
  auto missed = Changes(1, 4);
  const std::weak_ptr<Entries> kept = missed;
  feed_.Answer({"e", 1}, std::move(missed));
  EXPECT_FALSE(kept.expired());
  thread_.Run();
  EXPECT_TRUE(kept.expired());
}

TEST_F(RoomTest, AResumeIsNeverSilentlyPartial) {
  LiveAt(6);
  viewer_.Subscribe("1", "", Position{"e", 1});
  // The history moved on while the answer was on its way: what was missed ends before it begins.
  const size_t moved = kHistoryChangesMax + 10;
  for (size_t i = 0; i < moved; ++i) Say();
  feed_.Answer({"e", 1}, Changes(1, 6));
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("recovered":false)"), HasSubstr(kStatus)));
  Say();
  EXPECT_THAT(viewer_.Take(), SizeIs(1));
}

TEST_F(RoomTest, ManyWithOnePositionAskOnce) {
  LiveAt(4);
  std::vector<std::unique_ptr<FakePeer>> peers;
  for (int i = 0; i < 1'000; ++i) {
    peers.push_back(std::make_unique<FakePeer>(thread_));
    peers.back()->Subscribe("1", "", Position{"e", 1});
    peers.back()->Take();
  }
  EXPECT_THAT(feed_.asked, SizeIs(1));
  feed_.Answer({"e", 1}, Changes(1, 3));
  for (const auto& peer : peers) {
    EXPECT_THAT(TypesOf(peer->Take()), ElementsAre(kSubscribed, kChange, kChange, kChange));
  }
}

TEST_F(RoomTest, WhoLeavesWhileItIsAskedForHearsNoAnswer) {
  LiveAt(4);
  viewer_.Subscribe("1", "", Position{"e", 1});
  holder_.Subscribe("1", "", Position{"e", 1});
  viewer_.Say(R"({"type":"unsubscribe"})");
  viewer_.Take();
  feed_.Answer({"e", 1}, Changes(1, 3));
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  EXPECT_THAT(holder_.Take(), SizeIs(4));
  holder_.Subscribe("1", "", Position{"e", 1});
  holder_.client.Gone();
  feed_.Answer({"e", 1}, Changes(1, 3));
  EXPECT_THAT(holder_.Take(), IsEmpty());
}

TEST_F(RoomTest, WhoAsksAgainWithAnotherPositionGetsItsAnswerAlone) {
  LiveAt(4);
  viewer_.Subscribe("1", "", Position{"e", 1});
  viewer_.Subscribe("1", "", Position{"e", 2});
  feed_.Answer({"e", 1}, Changes(1, 3));
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  feed_.Answer({"e", 2}, Changes(2, 3));
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kChange, kChange));
}

TEST_F(RoomTest, AnAskThatWasDroppedIsAskedAgainOnceLive) {
  LiveAt(4);
  viewer_.Subscribe("1", "", Position{"e", 60});
  feed_.State(FeedStatus::kAway);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("live":false)")));
  EXPECT_THAT(feed_.asked, SizeIs(1));
  feed_.State(FeedStatus::kLive);
  EXPECT_THAT(feed_.asked, SizeIs(2));
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  feed_.Answer({"e", 60}, nullptr);
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus, kStream));
}

TEST_F(RoomTest, AnImageMayCoverWhatIsAskedForAndThenNoAnswerIsNeeded) {
  LiveAt(4);
  viewer_.Subscribe("1", "", Position{"e", 9});
  feed_.Snapshot({"e", 9}, {LockedSeat("Z1")});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed));
  feed_.Answer({"e", 9}, nullptr);
  EXPECT_THAT(viewer_.Take(), IsEmpty());
}

TEST_F(RoomTest, AnImageThatDoesNotCoverWhatIsAskedForLeavesTheAskStanding) {
  LiveAt(4);
  viewer_.Subscribe("1", "", Position{"e", 30});
  feed_.Snapshot({"e", 9});
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  EXPECT_THAT(feed_.asked, SizeIs(1));
  feed_.Answer({"e", 30}, nullptr);
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus));
}

}  // namespace
}  // namespace seatlock::edge
