// What a room's subscribers hear while the stream of its showtime is away, and when it returns.
#include <gmock/gmock.h>

#include "edge/fanout/room.h"
#include "edge/limits.h"
#include "tests/testing/hub_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FakeFeed;
using ::seatlock::testing::FakePeer;
using ::seatlock::testing::FakeThread;
using ::seatlock::testing::LockedSeat;
using ::seatlock::testing::TypesOf;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kStatus[] = "current_seat_status";
constexpr char kSubscribed[] = "subscribed";
constexpr char kStream[] = "stream_status";
constexpr char kBatch[] = "seat_changes";

auto Away() {
  return AllOf(HasSubstr(kStream), HasSubstr(R"("live":false)"));
}
auto Back() {
  return AllOf(HasSubstr(kStream), HasSubstr(R"("live":true)"));
}
auto Revision(uint64_t revision) {
  return HasSubstr("\"revision\":" + std::to_string(revision));
}
auto SubscribedAt(uint64_t revision, bool recovered) {
  return AllOf(HasSubstr("\"subscribed\""), Revision(revision),
               HasSubstr(std::string(R"("recovered":)") + (recovered ? "true" : "false")));
}
auto StatusAt(uint64_t revision) {
  return AllOf(HasSubstr(kStatus), Revision(revision));
}

class RoomAwayTest : public ::testing::Test {
 protected:
  RoomAwayTest() {
    viewer_.Take();
    keeper_.Take();
    batch_.Take();
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
  void AwayAt(uint64_t head, std::vector<Seat> seats = {}) {
    LiveAt(head, std::move(seats));
    feed_.State(FeedStatus::kAway);
  }
  void Return() { feed_.State(FeedStatus::kLive); }

  FakeThread thread_;
  FakeFeed& feed_ = thread_.feeds.of("1");
  FakePeer viewer_{thread_};
  FakePeer keeper_{thread_};
  FakePeer batch_{thread_, true};
};

// ---- Who was there already ---------------------------------------------------------------------

TEST_F(RoomAwayTest, ALostStreamIsToldOnceAndItsReturnBringsWhatWasMissed) {
  LiveAt(4);
  viewer_.Subscribe("1");
  viewer_.Take();
  feed_.State(FeedStatus::kAway);
  feed_.State(FeedStatus::kConnecting);
  feed_.State(FeedStatus::kAway);
  EXPECT_THAT(viewer_.Take(), ElementsAre(AllOf(HasSubstr(kStream), HasSubstr(R"("live":false)"))));
  Say();
  Say();
  feed_.State(FeedStatus::kLive);
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(HasSubstr(R"("revision":5)"), HasSubstr(R"("revision":6)"),
                          HasSubstr(R"("live":true)")));
}

TEST_F(RoomAwayTest, AReturnWithASnapshotReplacesEverything) {
  LiveAt(4);
  viewer_.Subscribe("1");
  feed_.State(FeedStatus::kAway);
  viewer_.Take();
  feed_.Snapshot({"e2", 2}, {LockedSeat("B01")});
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr(kStatus), HasSubstr("B01"), HasSubstr(R"("epoch":"e2")")),
                          HasSubstr(R"("live":true)")));
  feed_.epoch = "e2";
  Say();
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("revision":3)")));
}

TEST_F(RoomAwayTest, AnImageInPlaceOfAllBeforeIsASnapshotToEverybodyActive) {
  LiveAt(4);
  viewer_.Subscribe("1");
  viewer_.Take();
  Say();
  feed_.Snapshot({"e", 9}, {LockedSeat("B01")});
  Say({LockedSeat("B02")});
  EXPECT_THAT(viewer_.Take(), ElementsAre(AllOf(HasSubstr(kStatus), HasSubstr(R"("B01","B02")"),
                                                HasSubstr(R"("revision":10)"))));
}

TEST_F(RoomAwayTest, WhoSubscribesAgainGetsNoSnapshotEither) {
  LiveAt(4);
  viewer_.Subscribe("1");
  feed_.State(FeedStatus::kAway);
  viewer_.Take();
  viewer_.Subscribe("1", "s", Position{"e", 4});
  EXPECT_THAT(viewer_.Take(), ElementsAre(AllOf(SubscribedAt(4, true), HasSubstr("A4")), Away()));
  Return();
  EXPECT_THAT(viewer_.Take(), ElementsAre(Back()));
}

// ---- Who comes back with a position ------------------------------------------------------------

TEST_F(RoomAwayTest, APositionThatTheHistoryCoversIsAnsweredAtOnce) {
  AwayAt(6);
  viewer_.Subscribe("1", "", Position{"e", 4});
  EXPECT_THAT(viewer_.Take(), ElementsAre(SubscribedAt(4, true), Away(), Revision(5), Revision(6)));
  Say();
  EXPECT_THAT(viewer_.Take(), ElementsAre(Revision(7)));
  Return();
  EXPECT_THAT(viewer_.Take(), ElementsAre(Back()));
  EXPECT_EQ(thread_.stats.resumes_recovered_total, 1);
}

TEST_F(RoomAwayTest, APositionAtTheHeadMissedNothingAndIsToldSo) {
  AwayAt(6);
  viewer_.Subscribe("1", "", Position{"e", 6});
  EXPECT_THAT(viewer_.Take(), ElementsAre(SubscribedAt(6, true), Away()));
  Return();
  EXPECT_THAT(viewer_.Take(), ElementsAre(Back()));
}

TEST_F(RoomAwayTest, SubscribedItselfSaysThatTheStreamIsAwayAndOnlyThen) {
  const auto says_live = HasSubstr(R"("live":)");
  AwayAt(6);
  viewer_.Subscribe("1", "", Position{"e", 6});
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(SubscribedAt(6, true), HasSubstr(R"("live":false)")), Away()));
  Return();
  viewer_.Take();
  FakePeer later(thread_);
  later.Take();
  for (const auto& resume : {std::optional<Position>(), std::optional<Position>({"e", 6})}) {
    later.Subscribe("1", "", resume);
    EXPECT_THAT(later.Take().front(), AllOf(HasSubstr(kSubscribed), Not(says_live)));
  }
  feed_.State(FeedStatus::kConnecting);
  later.Subscribe("1", "", Position{"e", 6});
  EXPECT_THAT(later.Take(), ElementsAre(AllOf(SubscribedAt(6, true), Not(says_live))));
}

TEST_F(RoomAwayTest, TheFirstOfAThreadIsAnsweredFromTheSourcesHistory) {
  LiveAt(6);
  FakeThread other;
  FakePeer peer(other);
  peer.Subscribe("1", "s", Position{"e", 5});
  peer.Take();
  FakeFeed& feed = other.feeds.of("1");
  feed.listener->OnFeed(FeedImage{std::make_shared<RoomImage>(feed_.truth().Image()),
                                  feed_.snapshots, FeedStatus::kAway});
  EXPECT_THAT(peer.Take(), ElementsAre(AllOf(SubscribedAt(5, true), HasSubstr("A6")), Away(),
                                       AllOf(Revision(6), HasSubstr(R"("sessionId":"s")"))));
}

TEST_F(RoomAwayTest, ACoveredPositionIsAnsweredWhileTheStreamIsNotLiveYet) {
  LiveAt(6);
  feed_.State(FeedStatus::kConnecting);
  viewer_.Subscribe("1", "", Position{"e", 5});
  EXPECT_THAT(viewer_.Take(), ElementsAre(SubscribedAt(5, true), Revision(6)));
  feed_.State(FeedStatus::kAway);
  EXPECT_THAT(viewer_.Take(), ElementsAre(Away()));
}

TEST_F(RoomAwayTest, WhoWaitsForAnAnswerThatTheHistoryHasByNowGetsIt) {
  LiveAt(4);
  viewer_.Subscribe("1", "", Position{"e", 5});
  Say();
  Say();
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  feed_.State(FeedStatus::kAway);
  EXPECT_THAT(viewer_.Take(), ElementsAre(SubscribedAt(5, true), Away(), Revision(6)));
  Return();
  feed_.Answer({"e", 5}, nullptr);
  EXPECT_THAT(viewer_.Take(), ElementsAre(Back()));
}

TEST_F(RoomAwayTest, APositionOlderThanTheHistoryGetsOneSnapshotInAll) {
  AwayAt(6);
  viewer_.Subscribe("1", "", Position{"e", 2});
  EXPECT_THAT(viewer_.Take(), ElementsAre(Away(), StatusAt(6)));
  Say();
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  Return();
  EXPECT_THAT(viewer_.Take(), ElementsAre(SubscribedAt(6, true), Revision(7), Back()));
  EXPECT_THAT(feed_.asked, IsEmpty());
}

TEST_F(RoomAwayTest, APositionAheadIsNeverShownLessThanItKnows) {
  LiveAt(4);
  feed_.State(FeedStatus::kAway);
  viewer_.Subscribe("1", "", Position{"e", 5});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kStream));
  Say();
  Say();
  feed_.State(FeedStatus::kLive);
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(HasSubstr(R"("recovered":true)"), HasSubstr(R"("revision":6)"),
                          HasSubstr(R"("live":true)")));
}

TEST_F(RoomAwayTest, APositionOfAnotherHistoryGetsOneSnapshotInAll) {
  AwayAt(4);
  viewer_.Subscribe("1", "", Position{"other", 4});
  EXPECT_THAT(viewer_.Take(), ElementsAre(Away()));
  Return();
  EXPECT_THAT(viewer_.Take(), IsEmpty()) << "live before it is current";
  feed_.Answer({"other", 4}, nullptr);
  EXPECT_THAT(viewer_.Take(), ElementsAre(SubscribedAt(4, false), StatusAt(4), Back()));
}

TEST_F(RoomAwayTest, WhoIsAnsweredAfterTheReturnHearsOfItBehindWhatItMissed) {
  AwayAt(4);
  viewer_.Subscribe("1", "", Position{"e", 6});
  EXPECT_THAT(viewer_.Take(), ElementsAre(Away()));
  Return();
  Say();
  Say();
  Say();
  const EntryPtr last = feed_.truth().history().back();
  feed_.Answer({"e", 6}, std::make_shared<const Entries>(Entries{last}));
  EXPECT_THAT(viewer_.Take(), ElementsAre(SubscribedAt(6, true), Revision(7), Back()));
}

// ---- Newcomers ---------------------------------------------------------------------------------

TEST_F(RoomAwayTest, ANewcomerSeesWhatIsKnownAndThenWhatChangedSince) {
  AwayAt(3, {LockedSeat("A01")});
  viewer_.Subscribe("1", "s");
  EXPECT_THAT(viewer_.Take(), ElementsAre(Away(), AllOf(StatusAt(3), HasSubstr("A01"))));
  Say();
  Return();
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(SubscribedAt(3, true), HasSubstr("A01"), HasSubstr("A4")),
                          AllOf(Revision(4), HasSubstr(R"("sessionId":"s")")), Back()));
}

TEST_F(RoomAwayTest, ANewcomerThatMissedNothingGetsNoSecondSnapshot) {
  AwayAt(3);
  viewer_.Subscribe("1");
  viewer_.Take();
  feed_.State(FeedStatus::kConnecting);
  feed_.State(FeedStatus::kAway);
  Return();
  EXPECT_THAT(viewer_.Take(), ElementsAre(SubscribedAt(3, true), Back()));
}

TEST_F(RoomAwayTest, ANewcomerOfARoomThatNeverLivedHearsThatTheServiceIsAway) {
  viewer_.Subscribe("1");
  feed_.Image(FeedStatus::kAway);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("live":false)")));
  feed_.Snapshot({"", 0});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus, kStream));
}

TEST_F(RoomAwayTest, ANewcomerOfAnEmptyShowtimeLearnsItsEpoch) {
  keeper_.Subscribe("1");
  feed_.Snapshot({"", 0});
  feed_.State(FeedStatus::kAway);
  viewer_.Subscribe("1");
  EXPECT_THAT(viewer_.Take(), ElementsAre(Away(), StatusAt(0)));
  Say();
  Return();
  EXPECT_THAT(viewer_.Take(), ElementsAre(AllOf(SubscribedAt(0, true), HasSubstr(R"("epoch":"e")")),
                                          Revision(1), Back()));
}

TEST_F(RoomAwayTest, ASnapshotThatWasNotTakenYetComesAfterSubscribed) {
  AwayAt(3);
  viewer_.link.room = 10;
  viewer_.Subscribe("1");
  Say();
  Return();
  viewer_.Drain();
  EXPECT_THAT(viewer_.Take(), ElementsAre(Away(), SubscribedAt(4, false), StatusAt(4), Back()));
}

TEST_F(RoomAwayTest, ASnapshotThatIsHalfTakenCountsAsShown) {
  AwayAt(3);
  viewer_.link.room = 150;
  viewer_.Subscribe("1");
  ASSERT_TRUE(viewer_.link.half());
  ASSERT_THAT(viewer_.Take(), ElementsAre(Away()));
  Say();
  Return();
  viewer_.Drain();
  EXPECT_THAT(viewer_.Take(), ElementsAre(StatusAt(3), SubscribedAt(3, true), Revision(4), Back()));
}

TEST_F(RoomAwayTest, WhatWasShownOfAHistoryThatIsNoMoreIsReplaced) {
  AwayAt(4);
  viewer_.Subscribe("1");
  viewer_.Take();
  feed_.Snapshot({"e2", 4}, {LockedSeat("B01")});
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(SubscribedAt(4, false), AllOf(StatusAt(4), HasSubstr("B01")), Back()));
}

TEST_F(RoomAwayTest, WhatWasShownIsReplacedIfTheHistoryGoesOnElsewhere) {
  AwayAt(4);
  viewer_.Subscribe("1");
  viewer_.Take();
  feed_.Snapshot({"e", 9}, {LockedSeat("B01")});
  EXPECT_THAT(viewer_.Take(), ElementsAre(SubscribedAt(9, false), StatusAt(9), Back()));
}

TEST_F(RoomAwayTest, WhatWasShownIsReplacedIfMoreWasMissedThanIsKept) {
  AwayAt(4);
  viewer_.Subscribe("1");
  viewer_.Take();
  for (size_t i = 0; i <= kHistoryChangesMax; ++i) Say();
  Return();
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus, kStream));
}

TEST_F(RoomAwayTest, WhoLeavesBeforeTheReturnHearsNothingOfIt) {
  AwayAt(4);
  viewer_.Subscribe("1");
  viewer_.Say(R"({"type":"unsubscribe"})");
  viewer_.Take();
  Say();
  Return();
  EXPECT_THAT(viewer_.Take(), IsEmpty());
}

// ---- Batches -----------------------------------------------------------------------------------

TEST_F(RoomAwayTest, ABatchClientGetsWhatItMissedInOneFrameAtOnce) {
  AwayAt(6);
  batch_.Subscribe("1", "", Position{"e", 4});
  EXPECT_THAT(batch_.Take(),
              ElementsAre(SubscribedAt(4, true), Away(), AllOf(HasSubstr(kBatch), Revision(6))));
  Return();
  EXPECT_THAT(batch_.Take(), ElementsAre(Back()));
  thread_.PassMs(kSecondMs);
  Say();
  EXPECT_THAT(batch_.Take(), ElementsAre(AllOf(HasSubstr(kBatch), Revision(7))));
}

TEST_F(RoomAwayTest, ABatchNewcomerGetsOneSnapshotAndOneBatch) {
  AwayAt(4);
  batch_.Subscribe("1");
  EXPECT_THAT(batch_.Take(), ElementsAre(Away(), StatusAt(4)));
  Say();
  Say();
  Return();
  EXPECT_THAT(batch_.Take(),
              ElementsAre(SubscribedAt(4, true), AllOf(HasSubstr(kBatch), Revision(6)), Back()));
}

TEST_F(RoomAwayTest, ABatchOfTooManySeatsIsOneSnapshotInstead) {
  LiveAt(3);
  constexpr size_t kSeatsAChange = 10;
  for (size_t i = 0; i <= kBatchMissedSeatsMax / kSeatsAChange; ++i) {
    std::vector<Seat> seats;
    for (size_t j = 0; j < kSeatsAChange; ++j) {
      seats.push_back(LockedSeat("B" + std::to_string(i) + "-" + std::to_string(j)));
    }
    Say(std::move(seats));
  }
  const uint64_t head = feed_.truth().position().revision;
  feed_.State(FeedStatus::kAway);
  batch_.Subscribe("1", "", Position{"e", 3});
  EXPECT_THAT(batch_.Take(), ElementsAre(Away(), StatusAt(head)));
  Return();
  EXPECT_THAT(batch_.Take(), ElementsAre(SubscribedAt(head, true), Back()));
}

// ---- Refused -----------------------------------------------------------------------------------

TEST_F(RoomAwayTest, ARefusalEndsTheSubscriptionsOfThatShowtimeAndNoOthers) {
  viewer_.Subscribe("1");
  viewer_.Subscribe("2");
  keeper_.Subscribe("1");
  thread_.feeds.of("2").Snapshot({"e", 1});
  viewer_.Take();
  feed_.Refuse("the edge follows too many showtimes", 5000);
  for (FakePeer* peer : {&viewer_, &keeper_}) {
    EXPECT_THAT(
        peer->Take(),
        ElementsAre(AllOf(HasSubstr(R"("type":"error","code":"SHOWTIME_UNAVAILABLE")"),
                          HasSubstr(R"("message":"the edge follows too many showtimes")"),
                          HasSubstr(R"("showtimeId":"1")"), HasSubstr(R"("retryAfterMs":5000)"))));
    EXPECT_FALSE(peer->link.close_code);
  }
  EXPECT_FALSE(feed_.open());
  EXPECT_EQ(thread_.stats.rooms, 1);
  EXPECT_EQ(thread_.stats.subscriptions, 1);
  thread_.feeds.of("2").Say({LockedSeat("A1")});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre("seat_status_change"));
}

TEST_F(RoomAwayTest, ARefusalComesAtAnyTimeAndDropsWhatWasStillToCome) {
  LiveAt(4);
  viewer_.Subscribe("1", "", Position{"e", 1});
  batch_.Subscribe("1");
  keeper_.Take();
  batch_.Take();
  Say();
  Say();
  feed_.Refuse();
  EXPECT_THAT(TypesOf(keeper_.Take()), ElementsAre("error"));
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre("error"));
  thread_.PassMs(kSecondMs);
  EXPECT_THAT(TypesOf(batch_.Take()), Not(IsEmpty()));
  EXPECT_EQ(thread_.stats.subscriptions, 0);
  EXPECT_EQ(thread_.stats.rooms, 0);
}

TEST_F(RoomAwayTest, WhoComesAfterARefusalAsksAnew) {
  viewer_.Subscribe("1");
  feed_.Refuse();
  viewer_.Take();
  EXPECT_EQ(feed_.opened, 1);
  viewer_.Subscribe("1");
  EXPECT_EQ(feed_.opened, 2);
  feed_.Snapshot({"e", 3});
  EXPECT_THAT(TypesOf(viewer_.Take()), ElementsAre(kSubscribed, kStatus));
}

TEST_F(RoomAwayTest, ARefusalReachesACrowdThatIsBeingFlushed) {
  std::vector<std::unique_ptr<FakePeer>> peers;
  for (size_t i = 0; i < 2 * kFlushPortion; ++i) {
    peers.push_back(std::make_unique<FakePeer>(thread_));
    peers.back()->Subscribe("1");
  }
  feed_.Snapshot({"e", 3});
  thread_.Run();
  for (const auto& peer : peers) peer->Take();
  Say();
  // Runs between the first portion and the next.
  thread_.executor.Post([&] {
    feed_.Refuse();
    peers[0]->client.Gone();
  });
  thread_.Run();
  for (size_t i = 1; i < peers.size(); ++i) EXPECT_EQ(TypesOf(peers[i]->Take()).back(), "error");
  EXPECT_EQ(thread_.stats.rooms, 0);
}

TEST_F(RoomAwayTest, ARefusalReachesThoseWhoAreLeavingWithoutHarm) {
  viewer_.Subscribe("1");
  keeper_.Subscribe("1");
  viewer_.client.OnPeerClose(1001);
  feed_.Refuse();
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  EXPECT_EQ(viewer_.link.close_code, 1001);
  EXPECT_THAT(TypesOf(keeper_.Take()), ElementsAre("error"));
  EXPECT_EQ(thread_.stats.subscriptions, 0);
}

}  // namespace
}  // namespace seatlock::edge
