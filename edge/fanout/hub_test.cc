#include "edge/fanout/hub.h"

#include <gmock/gmock.h>

#include <numeric>

#include "edge/limits.h"
#include "tests/testing/hub_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FakeFeed;
using ::seatlock::testing::FakePeer;
using ::seatlock::testing::FakeThread;
using ::seatlock::testing::FreedSeat;
using ::seatlock::testing::LockedSeat;
using ::seatlock::testing::SubscribeText;
using ::seatlock::testing::TypesOf;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kPing[] = R"({"type":"ping"})";

class HubTest : public ::testing::Test {
 protected:
  explicit HubTest(size_t budget_bytes = 64 << 20) : thread_(budget_bytes) {}

  std::vector<std::unique_ptr<FakePeer>> Crowd(size_t size) {
    std::vector<std::unique_ptr<FakePeer>> peers;
    for (size_t i = 0; i < size; ++i) peers.push_back(std::make_unique<FakePeer>(thread_));
    return peers;
  }
  // Everybody follows showtime 1, which is live at revision 3.
  void Follow(std::vector<std::unique_ptr<FakePeer>>& peers) {
    for (const auto& peer : peers) peer->Subscribe("1");
    feed_.Snapshot({"e", 3});
    for (const auto& peer : peers) peer->Take();
  }
  static size_t Closed(const std::vector<std::unique_ptr<FakePeer>>& peers, int code) {
    size_t closed = 0;
    for (const auto& peer : peers) closed += peer->link.close_code == code ? 1 : 0;
    return closed;
  }
  int64_t Latencies() {
    return std::accumulate(thread_.stats.latency_counts.begin(), thread_.stats.latency_counts.end(),
                           int64_t{0}, [](int64_t sum, const auto& count) { return sum + count; });
  }
  int64_t CommittedNow() const { return thread_.clock.NowMs(); }

  FakeThread thread_;
  FakeFeed& feed_ = thread_.feeds.of("1");
};

TEST_F(HubTest, AChangeReachesACrowdLargerThanAPortion) {
  auto peers = Crowd(3 * kFlushPortion + 7);
  Follow(peers);
  feed_.Say({LockedSeat("A1")});
  for (const auto& peer : peers) EXPECT_THAT(peer->Take(), SizeIs(1));
}

TEST_F(HubTest, WhoIsMovedInTheListWhileACrowdIsFlushedIsNotForgotten) {
  auto peers = Crowd(3 * kFlushPortion);
  Follow(peers);
  feed_.Say({LockedSeat("A1")});
  // Runs between the first portion and the next.
  thread_.executor.Post([&] {
    for (size_t i = 0; i < kFlushPortion; i += 2) peers[i]->client.Gone();
    feed_.Say({LockedSeat("A2")});
  });
  thread_.Run();
  for (const auto& peer : peers) {
    if (peer->client.closing()) continue;
    EXPECT_THAT(peer->Take(), SizeIs(2));
  }
  EXPECT_EQ(Latencies(), 2);
}

TEST_F(HubTest, EachEntrysLatencyIsCountedOnce) {
  auto peers = Crowd(2 * kFlushPortion + 1);
  Follow(peers);
  for (int i = 0; i < 10; ++i) {
    feed_.Say({LockedSeat("A1")}, Cause::kLock, CommittedNow() - 3);
    if (i % 3 == 0) thread_.Run();
  }
  feed_.Say({}, Cause::kLock, CommittedNow());
  thread_.Run();
  EXPECT_EQ(Latencies(), 10);
  EXPECT_EQ(thread_.stats.latency_sum_ms, 30);
  EXPECT_EQ(thread_.stats.latency_counts[2], 10);
  EXPECT_EQ(thread_.stats.room_changes_total, 11);
}

TEST_F(HubTest, HubsMayGoWhileTheirConnectionsAreStillThere) {
  auto thread = std::make_unique<FakeThread>();
  seatlock::testing::FakeLink link;
  Client client(thread->hub, link, false);
  client.Start();
  client.OnText(SubscribeText("1"));
  thread.reset();
  EXPECT_EQ(link.writes, 0u);
}

// ---- Draining ----------------------------------------------------------------------------------

TEST_F(HubTest, DrainingSpreadsACrowdOverTheWindow) {
  constexpr int64_t kWindowMs = 2'000;
  auto peers = Crowd(4'000);
  thread_.Run();
  thread_.hub.Drain(kWindowMs);
  size_t before = 0;
  for (int part = 1; part <= 4; ++part) {
    thread_.PassMs(kWindowMs / 4);
    const size_t closed = Closed(peers, 4200);
    EXPECT_NEAR(static_cast<double>(closed - before), 1'000, 200) << part;
    before = closed;
  }
  EXPECT_EQ(before, peers.size());
}

TEST_F(HubTest, DrainingASmallCrowdIsSooner) {
  auto peers = Crowd(100);
  thread_.Run();
  thread_.hub.Drain(60'000);
  thread_.PassMs(100 * kDrainMsAClient);
  EXPECT_EQ(Closed(peers, 4200), peers.size());
}

TEST_F(HubTest, WhoComesWhileItDrainsIsSentAwayAtOnce) {
  auto peers = Crowd(1'000);
  thread_.Run();
  thread_.hub.Drain(1'000);
  FakePeer late(thread_);
  EXPECT_THAT(TypesOf(late.Take()), ElementsAre("connection_established"));
  EXPECT_EQ(late.link.close_code, 4200);
  EXPECT_LT(Closed(peers, 4200), peers.size());
}

// ---- Slow readers ------------------------------------------------------------------------------

class SlowTest : public HubTest {
 protected:
  explicit SlowTest(size_t budget_bytes = 64 << 20, bool batch = false)
      : HubTest(budget_bytes), slow_(thread_, batch), quick_(thread_, batch) {
    slow_.Subscribe("1");
    quick_.Subscribe("1");
    feed_.Snapshot({"e", 3});
    slow_.Take();
    quick_.Take();
  }

  // So many changes that the room keeps none that came before; a batch each.
  void PassBy() {
    for (size_t i = 0; i < kHistoryChangesMax + 2; ++i) {
      if (batch_each_ms_ > 0) slow_.client.OnPong();
      if (batch_each_ms_ > 0) quick_.client.OnPong();
      feed_.Say({LockedSeat("A1")});
      thread_.PassMs(batch_each_ms_);
      quick_.Take();
    }
  }
  // Time passes, and both peers answer pings.
  void PassMs(int64_t ms) {
    for (; ms > 0; ms -= kTickMs) {
      slow_.client.OnPong();
      quick_.client.OnPong();
      thread_.PassMs(kTickMs);
    }
  }

  int64_t batch_each_ms_ = 0;
  FakePeer slow_;
  FakePeer quick_;
};

TEST_F(SlowTest, TheOthersGetEverythingAtOnce) {
  slow_.link.room = 0;
  for (int i = 0; i < 100; ++i) {
    feed_.Say({LockedSeat("A1")});
    EXPECT_THAT(quick_.Take(), SizeIs(1));
  }
  EXPECT_EQ(thread_.stats.connections_blocked, 1);
  EXPECT_EQ(thread_.budget.bytes(), 0);
  slow_.Drain();
  EXPECT_THAT(slow_.Take(), SizeIs(100));
  EXPECT_EQ(thread_.stats.connections_blocked, 0);
}

TEST_F(SlowTest, PastTheHistoryItGetsTheRestOfItsFrameAndTheSnapshot) {
  slow_.link.room = 10;
  PassBy();
  feed_.Say({LockedSeat("Z9")});
  slow_.Drain();
  EXPECT_THAT(slow_.Take(),
              ElementsAre(HasSubstr(R"("revision":4,)"),
                          AllOf(HasSubstr("current_seat_status"), HasSubstr(R"("A1","Z9")"))));
  EXPECT_EQ(thread_.stats.ring_misses_total, 1);
  feed_.Say({LockedSeat("Z8")});
  EXPECT_THAT(slow_.Take(), ElementsAre(HasSubstr("Z8")));
  PassMs(2 * kLagMsMax);
  EXPECT_FALSE(slow_.link.close_code);
}

TEST_F(SlowTest, WhoTakesNothingAfterItWasPassedByIsClosedAfter30Seconds) {
  slow_.link.room = 10;
  PassBy();
  PassMs(kLagMsMax - kTickMs);
  EXPECT_FALSE(slow_.client.closing());
  PassMs(3 * kTickMs);
  EXPECT_TRUE(slow_.client.closing());
  EXPECT_EQ(thread_.stats.closes_total[6], 1);
  EXPECT_EQ(thread_.stats.subscriptions, 1);
  slow_.Drain();
  EXPECT_EQ(slow_.link.close_code, 4101);
  EXPECT_THAT(slow_.Take(), SizeIs(1));
}

TEST_F(SlowTest, WhoTakesOnlyTheBeginningOfItsSnapshotIsClosedToo) {
  slow_.link.room = 10;
  PassBy();
  // The frame that was half sent, and the first bytes of the snapshot; before any tick.
  slow_.Drain(200);
  EXPECT_THAT(slow_.Take(), SizeIs(1));
  EXPECT_TRUE(slow_.link.half());
  PassMs(kLagMsMax + 2 * kTickMs);
  EXPECT_TRUE(slow_.client.closing());
}

TEST_F(SlowTest, WhoHasTakenItsSnapshotInTimeStaysThoughItIsFullAgain) {
  slow_.link.room = 10;
  for (int i = 0; i < 3; ++i) {
    PassBy();
    PassMs(kLagMsMax - 2 * kTickMs);
    slow_.Drain();
    slow_.Take();
    slow_.link.room = 10;
  }
  EXPECT_FALSE(slow_.client.closing());
  EXPECT_EQ(thread_.stats.ring_misses_total, 3);
}

TEST_F(SlowTest, AQuietRoomWaitsForItsReaders) {
  slow_.link.room = 10;
  feed_.Say({LockedSeat("A1")});
  PassMs(10 * kLagMsMax);
  EXPECT_FALSE(slow_.client.closing());
}

TEST_F(SlowTest, ASnapshotSentInPartsCountsOnceAsOne) {
  const int64_t before = thread_.stats.snapshots_sent_total;
  slow_.link.room = 10;
  slow_.Subscribe("1");
  for (int i = 0; i < 100; ++i) slow_.Drain(7);
  EXPECT_THAT(TypesOf(slow_.Take()), ElementsAre("subscribed", "current_seat_status"));
  EXPECT_EQ(thread_.stats.snapshots_sent_total - before, 1);
}

class SlowBatchTest : public SlowTest {
 protected:
  SlowBatchTest() : SlowTest(64 << 20, true) { batch_each_ms_ = kBatchEveryMs; }
};

TEST_F(SlowBatchTest, PastTheKeptBatchesItGetsTheSnapshot) {
  slow_.link.room = 10;
  PassBy();
  slow_.Drain();
  EXPECT_THAT(TypesOf(slow_.Take()), ElementsAre("seat_changes", "current_seat_status"));
  EXPECT_EQ(thread_.stats.ring_misses_total, 1);
  quick_.Take();
  feed_.Say({LockedSeat("A2")});
  thread_.PassMs(kBatchEveryMs);
  EXPECT_THAT(slow_.Take(), ElementsAre(HasSubstr("A2")));
}

TEST_F(SlowBatchTest, WhoTakesNothingAfterItWasPassedByIsClosed) {
  slow_.link.room = 10;
  PassBy();
  PassMs(kLagMsMax + 2 * kTickMs);
  EXPECT_TRUE(slow_.client.closing());
  EXPECT_FALSE(quick_.client.closing());
}

// ---- Memory ------------------------------------------------------------------------------------

TEST_F(SlowTest, WhatSeveralHoldHalfSentCountsOnceAndGoesWithTheLast) {
  auto peers = Crowd(10);
  Follow(peers);
  for (size_t i = 0; i < peers.size(); ++i) peers[i]->link.room = 1 + i;
  const EntryPtr entry = feed_.Say({LockedSeat("A1")});
  thread_.Run();
  EXPECT_EQ(thread_.budget.bytes(), static_cast<int64_t>(entry->bytes()));
  for (size_t i = 0; i + 1 < peers.size(); ++i) {
    if (i % 2 == 0) peers[i]->Drain();
    if (i % 2 == 1) peers[i]->client.Gone();
  }
  EXPECT_EQ(thread_.budget.bytes(), static_cast<int64_t>(entry->bytes()));
  peers.back()->Drain();
  EXPECT_EQ(thread_.budget.bytes(), 0);
}

TEST_F(SlowTest, RepliesThatAFullSocketDoesNotTakeCountUntilItDoes) {
  slow_.link.room = 0;
  int64_t before = 0;
  for (int i = 0; i < 10; ++i) {
    slow_.Say(kPing);
    EXPECT_GT(thread_.budget.bytes(), before);
    before = thread_.budget.bytes();
  }
  slow_.Drain();
  EXPECT_THAT(slow_.Take(), SizeIs(10));
  EXPECT_EQ(thread_.budget.bytes(), 0);
}

TEST_F(SlowTest, TooManyRepliesThatItDoesNotTakeCloseIt) {
  slow_.link.room = 0;
  for (int i = 0; i < 100'000 && !slow_.client.closing(); ++i) {
    thread_.PassMs(kSecondMs / kMessagesPerSecond);
    quick_.client.OnPong();
    slow_.Say(R"({"type":"dance"})");
    ASSERT_LE(thread_.budget.bytes(), static_cast<int64_t>(kReplyBytesMax + 1024));
  }
  EXPECT_TRUE(slow_.client.closing());
  slow_.Drain();
  EXPECT_EQ(slow_.link.close_code, 4101);
  EXPECT_EQ(thread_.budget.bytes(), 0);
}

TEST_F(SlowTest, WhatAResumeMissedCountsUntilItIsSent) {
  slow_.Say(R"({"type":"unsubscribe"})");
  slow_.Take();
  slow_.Subscribe("1", "", Position{"e", 1});
  slow_.link.room = 0;
  const EntryPtr missed = MakeEntry("1", {{"e", 2}, 7, Cause::kLock, {LockedSeat("A2")}});
  const EntryPtr last = MakeEntry("1", {{"e", 3}, 7, Cause::kLock, {LockedSeat("A3")}});
  feed_.Answer({"e", 1}, std::make_shared<Entries>(Entries{missed, last}));
  thread_.Run();
  EXPECT_GE(thread_.budget.bytes(), static_cast<int64_t>(missed->bytes() + last->bytes()));
  slow_.Drain();
  EXPECT_THAT(slow_.Take(), SizeIs(3));
  EXPECT_EQ(thread_.budget.bytes(), 0);
}

class BudgetTest : public SlowTest {
 protected:
  BudgetTest() : SlowTest(20'000) {}
};

TEST_F(BudgetTest, WhenMemoryIsShortThoseBlockedTheLongestGoFirst) {
  // Blocked the longest, but holds nothing back.
  slow_.link.room = 0;
  feed_.Say({LockedSeat("A1")});
  thread_.PassMs(10);
  auto peers = Crowd(10);
  for (const auto& peer : peers) {
    peer->Take();
    peer->link.room = 5;
    for (int i = 0; i < 4; ++i) peer->Say(kPing);
    thread_.PassMs(10);
  }
  while (thread_.stats.shed_total == 0) peers[5]->Say(kPing);
  EXPECT_TRUE(peers[0]->link.dropped);
  EXPECT_FALSE(thread_.budget.exceeded());
  for (size_t i = 1; i < peers.size(); ++i) EXPECT_FALSE(peers[i]->link.dropped) << i;
  EXPECT_FALSE(slow_.link.dropped);
  EXPECT_THAT(quick_.Take(), SizeIs(1));
  EXPECT_EQ(thread_.stats.closes_total[6], thread_.stats.shed_total);
  for (const auto& peer : peers) peer->client.Gone();
  EXPECT_EQ(thread_.budget.bytes(), 0);
}

TEST_F(BudgetTest, WhoKeepsWhatItMissedIsShedToo) {
  slow_.Subscribe("1", "", Position{"e", 1});
  slow_.Take();
  slow_.link.room = 0;
  auto missed = std::make_shared<Entries>();
  for (uint64_t revision = 2; revision < 200; ++revision) {
    missed->push_back(MakeEntry("1", {{"e", revision}, 7, Cause::kLock, {LockedSeat("A2")}}));
  }
  feed_.Answer({"e", 1}, std::move(missed));
  thread_.Run();
  EXPECT_TRUE(slow_.link.dropped);
  EXPECT_EQ(thread_.budget.bytes(), 0);
}

// ---- Batches -----------------------------------------------------------------------------------

class BatchTest : public HubTest {
 protected:
  BatchTest() {
    viewer_.Subscribe("1");
    feed_.Snapshot({"e", 3});
    viewer_.Take();
    holder_.Take();
    thread_.PassMs(1000);
  }
  void Say() {
    feed_.Say({LockedSeat("A" + std::to_string(feed_.truth().position().revision + 1))});
  }

  FakePeer viewer_{thread_, true};
  FakePeer holder_{thread_, true};
};

TEST_F(BatchTest, TheFirstChangeOfAQuietRoomComesAtOnce) {
  Say();
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr("seat_changes"), HasSubstr(R"([["A4","locked"]])"))));
}

TEST_F(BatchTest, LaterOnesComeTogetherAfter50Ms) {
  Say();
  viewer_.Take();
  feed_.Say({LockedSeat("A05")});
  feed_.Say({FreedSeat("A05"), LockedSeat("A06")});
  thread_.PassMs(kBatchEveryMs - 1);
  EXPECT_THAT(viewer_.Take(), IsEmpty());
  thread_.PassMs(1);
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr(R"("revision":6)"),
                                HasSubstr(R"([["A05","unlocked"],["A06","locked"]])"))));
}

TEST_F(BatchTest, AHotRoomCostsTwentyFramesASecond) {
  for (int ms = 0; ms < 1'000; ++ms) {
    Say();
    thread_.PassMs(1);
  }
  // One at once, then one each 50 ms.
  EXPECT_EQ(viewer_.Take().size(), 1u + 20u);
  EXPECT_EQ(Latencies(), 1'000);
}

TEST_F(BatchTest, AllViewersShareOneFrameAndTheHolderHasItsOwn) {
  FakePeer plain(thread_);
  plain.Subscribe("1");
  plain.Take();
  holder_.Subscribe("1", "s");
  holder_.Take();
  Say();
  EXPECT_THAT(viewer_.Take(), ElementsAre(Not(HasSubstr("1800000000000"))));
  EXPECT_THAT(holder_.Take(), ElementsAre(HasSubstr(R"(["A4","locked",1800000000000])")));
  EXPECT_THAT(TypesOf(plain.Take()), ElementsAre("seat_status_change"));
}

TEST_F(BatchTest, ANewcomerGetsNoBatchThatItsSnapshotHolds) {
  Say();
  Say();
  holder_.Subscribe("1");
  holder_.Take();
  thread_.PassMs(kBatchEveryMs);
  EXPECT_THAT(holder_.Take(), IsEmpty());
  EXPECT_THAT(viewer_.Take(), SizeIs(2));
}

TEST_F(BatchTest, AResumeGetsWhatItMissedInOneFrame) {
  Say();
  feed_.Say({FreedSeat("A4")});
  Say();
  holder_.Subscribe("1", "", Position{"e", 3});
  EXPECT_THAT(holder_.Take(),
              ElementsAre(HasSubstr(R"("recovered":true)"),
                          HasSubstr(R"("changes":[["A4","unlocked"],["A6","locked"]])")));
  Say();
  thread_.PassMs(kBatchEveryMs);
  EXPECT_THAT(holder_.Take(), ElementsAre(HasSubstr(R"("A7")")));
}

TEST_F(BatchTest, AResumeFromBeforeTheHistoryGetsWhatItMissedInOneFrame) {
  Say();
  holder_.Subscribe("1", "", Position{"e", 2});
  const EntryPtr missed = MakeEntry("1", {{"e", 3}, 7, Cause::kLock, {LockedSeat("A3")}});
  feed_.Answer({"e", 2}, std::make_shared<Entries>(Entries{missed}));
  EXPECT_THAT(holder_.Take(),
              ElementsAre(HasSubstr(R"("recovered":true)"),
                          HasSubstr(R"("changes":[["A3","locked"],["A4","locked"]])")));
}

TEST_F(BatchTest, WhoMissedMoreSeatsThanABatchIsToHoldGetsTheSnapshot) {
  std::vector<Seat> seats;
  for (size_t i = 0; i <= kBatchMissedSeatsMax; ++i) {
    seats.push_back(LockedSeat("S" + std::to_string(i)));
  }
  feed_.Say(std::move(seats));
  holder_.Subscribe("1", "", Position{"e", 3});
  EXPECT_THAT(TypesOf(holder_.Take()), ElementsAre("subscribed", "current_seat_status"));
}

TEST_F(BatchTest, AChangeOfNoSeatsIsNoFrame) {
  feed_.Say({});
  thread_.PassMs(kBatchEveryMs);
  EXPECT_THAT(viewer_.Take(), IsEmpty());
}

TEST_F(BatchTest, AnImageInPlaceOfAllBeforeIsASnapshotAndBatchesGoOnFromThere) {
  Say();
  Say();
  feed_.Snapshot({"e2", 2}, {LockedSeat("B1")});
  feed_.epoch = "e2";
  thread_.PassMs(kBatchEveryMs);
  EXPECT_THAT(viewer_.Take(), ElementsAre(HasSubstr(R"("lockedSeats":["B1"])")));
  Say();
  thread_.PassMs(kBatchEveryMs);
  EXPECT_THAT(viewer_.Take(),
              ElementsAre(AllOf(HasSubstr(R"("epoch":"e2","revision":3)"), HasSubstr("A3"))));
}

}  // namespace
}  // namespace seatlock::edge
