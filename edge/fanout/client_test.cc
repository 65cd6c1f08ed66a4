#include "edge/fanout/client.h"

#include <gmock/gmock.h>

#include "edge/limits.h"
#include "tests/testing/hub_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FakeFeed;
using ::seatlock::testing::FakePeer;
using ::seatlock::testing::FakeThread;
using ::seatlock::testing::LockedSeat;
using ::seatlock::testing::SubscribeText;
using ::seatlock::testing::TypesOf;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kPing[] = R"({"type":"ping"})";

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() { peer_.Take(); }

  // Lets time pass on a connection whose peer answers pings.
  void PassMs(int64_t ms) {
    for (int64_t passed = 0; passed < ms; passed += kTickMs) {
      peer_.client.OnPong();
      thread_.PassMs(kTickMs);
    }
  }
  void SubscribeLive(const std::string& text) {
    peer_.Say(text);
    feed_.Snapshot({"e", 3});
    peer_.Take();
  }

  FakeThread thread_;
  FakeFeed& feed_ = thread_.feeds.of("1");
  FakePeer peer_{thread_};
};

TEST_F(ClientTest, GreetsWithAnIdOfTheConnectionsOwn) {
  FakePeer one(thread_);
  FakePeer two(thread_);
  const std::vector<std::string> greeting = one.Take();
  EXPECT_THAT(TypesOf(greeting), ElementsAre("connection_established"));
  EXPECT_NE(greeting, two.Take());
}

TEST_F(ClientTest, AnswersPingsOfBothKinds) {
  peer_.Say(kPing);
  EXPECT_THAT(TypesOf(peer_.Take()), ElementsAre("pong"));
  peer_.client.OnPing("hey");
  peer_.Take();
  EXPECT_THAT(peer_.link.pongs, ElementsAre("hey"));
}

TEST_F(ClientTest, WhatComesUpTogetherGoesOutInOneCallInTheOrderItCameUp) {
  FakeFeed& other = thread_.feeds.of("2");
  peer_.Subscribe("1");
  peer_.Subscribe("2");
  feed_.Snapshot({"e", 3});
  other.Snapshot({"e", 3});
  peer_.Take();
  const size_t writes = peer_.link.writes;
  feed_.Say({LockedSeat("A1"), LockedSeat("A2")});
  peer_.client.OnText(kPing);
  other.Say({LockedSeat("B1")});
  feed_.State(FeedStatus::kAway);
  feed_.Say({LockedSeat("A3")});
  peer_.client.OnText(R"({"type":"unsubscribe","showtimeId":"9"})");
  const std::vector<std::string> frames = peer_.Take();
  EXPECT_THAT(frames,
              ElementsAre(HasSubstr("A1"), HasSubstr("A2"), HasSubstr("pong"), HasSubstr("B1"),
                          HasSubstr("stream_status"), HasSubstr("A3"), HasSubstr("unsubscribed")));
  EXPECT_EQ(peer_.link.writes, writes + 1);
}

TEST_F(ClientTest, ManyChangesAreOneCallAndEachFrameAndByteIsCounted) {
  SubscribeLive(SubscribeText("1"));
  const size_t writes = peer_.link.writes;
  const int64_t frames = thread_.stats.frames_sent_total;
  for (int i = 0; i < 20; ++i) feed_.Say({LockedSeat("A1"), LockedSeat("A2")});
  EXPECT_THAT(peer_.Take(), SizeIs(40));
  EXPECT_EQ(peer_.link.writes, writes + 1);
  EXPECT_EQ(thread_.stats.frames_sent_total - frames, 40);
  EXPECT_EQ(thread_.stats.frames_sent_total, static_cast<int64_t>(peer_.link.texts_total));
  EXPECT_EQ(thread_.stats.frame_bytes_total, static_cast<int64_t>(peer_.link.bytes));
}

TEST_F(ClientTest, AChangeThatMixesMoreSessionsThanACallHasPiecesArrivesWhole) {
  SubscribeLive(SubscribeText("1", "s"));
  std::vector<Seat> seats;
  for (int i = 0; i < 100; ++i) {
    seats.push_back(LockedSeat("A" + std::to_string(i), i % 2 == 0 ? "s" : "t"));
  }
  feed_.Say(seats);
  feed_.Say(seats);
  const std::vector<std::string> frames = peer_.Take();
  ASSERT_THAT(frames, SizeIs(200));
  for (size_t i = 0; i < frames.size(); ++i) {
    EXPECT_THAT(frames[i], HasSubstr("\"A" + std::to_string(i % 100) + "\""));
    EXPECT_EQ(frames[i].find("sessionId") != std::string::npos, i % 2 == 0);
  }
}

TEST_F(ClientTest, UnsubscribeOfAllNamesEach) {
  peer_.Subscribe("1");
  peer_.Subscribe("2");
  peer_.Say(R"({"type":"unsubscribe"})");
  EXPECT_THAT(peer_.Take(), ElementsAre(HasSubstr(R"("2")"), HasSubstr(R"("1")")));
  peer_.Say(R"({"type":"unsubscribe"})");
  EXPECT_THAT(peer_.Take(), ElementsAre(Not(HasSubstr("showtimeId"))));
  EXPECT_EQ(thread_.stats.subscriptions, 0);
}

TEST_F(ClientTest, A65thSubscriptionIsRefusedAndTheOthersLive) {
  for (size_t i = 0; i < kSubscriptionsMax; ++i) peer_.Subscribe(std::to_string(i));
  EXPECT_THAT(peer_.Take(), IsEmpty());
  peer_.Subscribe("64");
  EXPECT_THAT(peer_.Take(), ElementsAre(HasSubstr("TOO_MANY_SUBSCRIPTIONS")));
  peer_.Subscribe("63");
  EXPECT_THAT(peer_.Take(), IsEmpty());
  EXPECT_EQ(thread_.stats.subscriptions, 64);
  EXPECT_FALSE(peer_.link.close_code);
}

TEST_F(ClientTest, TheThirdBadMessageCloses) {
  peer_.Say("nonsense");
  peer_.Say(R"({"type":"subscribe"})");
  EXPECT_FALSE(peer_.link.close_code);
  peer_.Say("nonsense");
  EXPECT_THAT(TypesOf(peer_.Take()), ElementsAre("error", "error", "error"));
  EXPECT_EQ(peer_.link.close_code, 4000);
  EXPECT_EQ(thread_.stats.closes_total[4], 1);
  EXPECT_EQ(thread_.stats.bad_messages_total, 3);
}

TEST_F(ClientTest, AnUnknownTypeDoesNotCount) {
  for (int i = 0; i < 10; ++i) peer_.Say(R"({"type":"dance"})");
  EXPECT_THAT(peer_.Take(), Each(HasSubstr("UNKNOWN_TYPE")));
  EXPECT_FALSE(peer_.link.close_code);
}

TEST_F(ClientTest, TooManyMessagesAreToldOnceThenClosed) {
  for (int i = 0; i < kMessageBurst; ++i) peer_.Say(kPing);
  EXPECT_THAT(TypesOf(peer_.Take()), Each("pong"));
  peer_.Say(kPing);
  EXPECT_THAT(peer_.Take(), ElementsAre(HasSubstr("RATE_LIMITED")));
  EXPECT_FALSE(peer_.link.close_code);
  peer_.Say(kPing);
  EXPECT_EQ(peer_.link.close_code, 4129);
}

TEST_F(ClientTest, ControlFramesCountAsMessages) {
  for (int i = 0; i < kMessageBurst; ++i) peer_.client.OnPing("");
  for (int i = 0; i < 2; ++i) peer_.client.OnPong();
  peer_.Take();
  EXPECT_EQ(peer_.link.close_code, 4129);
}

TEST_F(ClientTest, WhoSlowsDownMayGoOn) {
  for (int i = 0; i <= kMessageBurst; ++i) peer_.Say(kPing);
  peer_.Take();
  thread_.PassMs(kSecondMs);
  for (int i = 0; i < kMessagesPerSecond; ++i) peer_.Say(kPing);
  EXPECT_THAT(peer_.Take(), SizeIs(kMessagesPerSecond));
}

// ---- What a subscribe may cost -----------------------------------------------------------------

constexpr auto kBurst = static_cast<size_t>(kNewShowtimeRate.burst);

auto RateLimited(const std::string& showtime_id, int64_t retry_after_ms) {
  return AllOf(HasSubstr(R"("code":"RATE_LIMITED")"),
               HasSubstr(R"("showtimeId":")" + showtime_id + "\""),
               HasSubstr(R"("retryAfterMs":)" + std::to_string(retry_after_ms) + "}"));
}

// A connection that takes each new showtime back at once, so that it never follows 64.
class NewShowtimesTest : public ClientTest {
 protected:
  void OpenAndLeave(const std::string& showtime_id) {
    peer_.Subscribe(showtime_id);
    peer_.Say(R"({"type":"unsubscribe","showtimeId":")" + showtime_id + "\"}");
  }
  void UseUp() {
    for (size_t i = 0; i < kBurst / 2; ++i) OpenAndLeave("first-" + std::to_string(i));
    PassMs(kSecondMs);
    peer_.Take();
    // Those of the second that passed, too.
    for (size_t i = 0; i < kBurst / 2 + 2; ++i) OpenAndLeave("then-" + std::to_string(i));
    EXPECT_THAT(TypesOf(peer_.Take()), Each("unsubscribed"));
  }
};

TEST_F(NewShowtimesTest, ABurstAtOnceThenTwoASecond) {
  UseUp();
  peer_.Subscribe("a");
  EXPECT_THAT(peer_.Take(), ElementsAre(RateLimited("a", 1'000)));
  EXPECT_EQ(thread_.stats.subscriptions, 0);
  EXPECT_FALSE(thread_.feeds.of("a").open());
  PassMs(kSecondMs);
  for (const char* showtime_id : {"b", "c", "d"}) peer_.Subscribe(showtime_id);
  EXPECT_THAT(peer_.Take(), ElementsAre(RateLimited("d", 1'000)));
  EXPECT_EQ(thread_.stats.subscriptions, 2);
  EXPECT_EQ(thread_.stats.subscribes_rate_limited_total, 2);
  EXPECT_FALSE(peer_.link.close_code);
}

TEST_F(NewShowtimesTest, WhatIsFollowedAlreadyCostsNothing) {
  FakePeer neighbour(thread_);
  neighbour.Subscribe("here");
  thread_.feeds.followed.insert("elsewhere");
  thread_.feeds.followed.insert("own");
  peer_.Subscribe("own");
  thread_.feeds.followed.erase("own");
  UseUp();
  peer_.Subscribe("here");
  peer_.Subscribe("elsewhere");
  peer_.Subscribe("own");
  EXPECT_THAT(peer_.Take(), IsEmpty());
  EXPECT_EQ(thread_.stats.subscriptions, 4);
}

TEST_F(NewShowtimesTest, TheAddressIsAskedOnlyForWhatTheConnectionMayOpen) {
  UseUp();
  const int asked = peer_.link.new_showtimes;
  EXPECT_EQ(asked, static_cast<int>(kBurst) + 2);
  peer_.Subscribe("a");
  EXPECT_EQ(peer_.link.new_showtimes, asked);
}

TEST_F(NewShowtimesTest, WhatTheAddressRefusesIsToldWithItsWait) {
  peer_.link.new_showtime_wait_ms = 1'234;
  peer_.Subscribe("1");
  peer_.Subscribe("1");
  EXPECT_THAT(peer_.Take(), ElementsAre(RateLimited("1", 1'234), RateLimited("1", 1'234)));
  EXPECT_FALSE(feed_.open());
  peer_.link.new_showtime_wait_ms = 0;
  peer_.Subscribe("1");
  EXPECT_TRUE(feed_.open());
}

// Whatever it was refused for, its own turns are apart.
TEST_F(NewShowtimesTest, ThoseThatAreRefusedTogetherComeBackApart) {
  peer_.link.new_showtime_wait_ms = 1;
  for (int i = 0; i < 64; ++i) peer_.Subscribe("by-address-" + std::to_string(i));
  std::vector<std::string> frames = peer_.Take();
  ASSERT_THAT(frames, SizeIs(64));
  EXPECT_THAT(frames.front(), RateLimited("by-address-0", kRetryTurnMsMin));
  EXPECT_THAT(frames.back(), RateLimited("by-address-63", 63 * kRetryTurnsApartMs));
  peer_.link.new_showtime_wait_ms = 0;
  PassMs(10 * kSecondMs);
  UseUp();
  for (int i = 0; i < 10; ++i) peer_.Subscribe("by-connection-" + std::to_string(i));
  EXPECT_THAT(peer_.Take().back(), RateLimited("by-connection-9", 10 * kSecondMs / 2));
}

TEST_F(NewShowtimesTest, WhatTheAddressRefusesCostsTheConnectionNothing) {
  peer_.link.new_showtime_wait_ms = 1;
  for (size_t i = 0; i < kBurst; ++i) peer_.Subscribe("refused-" + std::to_string(i));
  EXPECT_EQ(thread_.stats.subscribes_rate_limited_total, static_cast<int64_t>(kBurst));
  peer_.link.new_showtime_wait_ms = 0;
  for (size_t i = 0; i < kBurst; ++i) peer_.Subscribe("opened-" + std::to_string(i));
  EXPECT_EQ(thread_.stats.subscriptions, static_cast<int64_t>(kBurst));
}

TEST_F(NewShowtimesTest, AShowtimeThatIsRefusedCostsNothing) {
  for (size_t i = 0; i < 2 * kBurst; ++i) {
    peer_.Subscribe("1");
    // It was replaced meanwhile: that it was paid for is not forgotten.
    if (i % 2 == 0) peer_.Subscribe("1");
    feed_.Refuse();
    EXPECT_THAT(peer_.Take(), ElementsAre(HasSubstr("SHOWTIME_UNAVAILABLE"))) << i;
    PassMs(kSecondMs / 4);  // What its messages and its subscribes' bytes need.
  }
  EXPECT_EQ(peer_.link.new_showtimes, peer_.link.new_showtimes_given_back);
  EXPECT_EQ(peer_.link.new_showtimes, static_cast<int>(2 * kBurst));
}

TEST_F(NewShowtimesTest, WhatWasServedAndIsRefusedLaterIsNotGivenBackNorWhatWasFree) {
  peer_.Subscribe("1");
  FakePeer second(thread_);
  second.Subscribe("1");
  feed_.Snapshot({"e", 1});
  feed_.Refuse();
  EXPECT_EQ(peer_.link.new_showtimes_given_back, 0);
  thread_.feeds.followed.insert("2");
  second.Subscribe("2");
  thread_.feeds.of("2").Refuse();
  EXPECT_EQ(second.link.new_showtimes_given_back, 0);
}

TEST_F(NewShowtimesTest, WhoWasRefusedAtItsFirstSubscribeMayStayAndGetsHeartbeats) {
  peer_.link.new_showtime_wait_ms = 1'000;
  peer_.Say(R"({"type":"subscribe","showtimeId":"1","heartbeat":true})");
  EXPECT_THAT(peer_.Take(), ElementsAre(RateLimited("1", 1'000)));
  for (int i = 0; i < 5; ++i) {
    PassMs(kHeartbeatEveryMs);
    EXPECT_THAT(TypesOf(peer_.Take()), ElementsAre("heartbeat"));
  }
  EXPECT_FALSE(peer_.link.close_code);
}

class BoughtBytesTest : public ClientTest {
 protected:
  static constexpr size_t kSeats = 10'000;
  static constexpr size_t kSnapshotBytes = 80'000;  // About.

  BoughtBytesTest() {
    keeper_.Subscribe("1");
    std::vector<Seat> seats;
    for (size_t i = 0; i < kSeats; ++i) seats.push_back(LockedSeat("S" + std::to_string(i), "t"));
    feed_.Snapshot({"e", 3}, seats);
    keeper_.Take();
  }
  // Says what `text` says as often as messages may come, for so long. Returns the bytes that it got
  // for it, and that it was refused.
  size_t Storm(const std::string& text, int64_t ms) {
    const size_t before = peer_.link.bytes;
    for (int64_t passed = 0; passed < ms; passed += kSecondMs / kMessagesPerSecond) {
      peer_.Say(text);
      keeper_.client.OnPong();
      thread_.PassMs(kSecondMs / kMessagesPerSecond);
    }
    return peer_.link.bytes - before;
  }
  static constexpr int64_t kStormMs = 60 * kSecondMs;
  // What it may get in that time, and the last one may be more than there is.
  static constexpr size_t kFairBytes = static_cast<size_t>(
      kBoughtBytesRate.burst + kStormMs / kSecondMs * kBoughtBytesRate.per_second);

  FakePeer keeper_{thread_};
};

TEST_F(BoughtBytesTest, SnapshotsAreBoundedAndTheRefusalSaysWhenToComeBack) {
  EXPECT_LT(Storm(SubscribeText("1"), kStormMs), kFairBytes + 20 * kSnapshotBytes);
  std::vector<std::string> frames = peer_.Take();
  EXPECT_THAT(frames, Contains(AllOf(HasSubstr("RATE_LIMITED"), HasSubstr(R"("showtimeId":"1")"),
                                     HasSubstr("retryAfterMs"))));
  EXPECT_THAT(frames, Contains(HasSubstr("current_seat_status")));
  EXPECT_FALSE(peer_.link.close_code);
  PassMs(10 * kSecondMs);
  peer_.Subscribe("1");
  EXPECT_THAT(TypesOf(peer_.Take()), ElementsAre("subscribed", "current_seat_status"));
}

// A subscribe that is refused ends the subscription that it was to replace.
TEST_F(BoughtBytesTest, ARefusedSubscribeLeavesNoSubscription) {
  Storm(SubscribeText("1"), kStormMs);
  while (thread_.stats.subscriptions > 1) {
    peer_.Subscribe("1");
    thread_.PassMs(kSecondMs / kMessagesPerSecond);
  }
  peer_.Take();
  feed_.Say({LockedSeat("Z1")});
  EXPECT_THAT(peer_.Take(), IsEmpty());
  EXPECT_THAT(keeper_.Take(), Contains(HasSubstr("Z1")));
}

TEST_F(BoughtBytesTest, ResumesOfALongHistoryAreBounded) {
  for (size_t i = 0; i < kHistoryChangesMax; ++i) feed_.Say({LockedSeat("A1", "t")});
  thread_.Run();
  keeper_.Take();
  const size_t bytes = Storm(SubscribeText("1", "", Position{"e", 4}), kStormMs);
  EXPECT_LT(bytes, kFairBytes + (1 << 20));
}

TEST_F(BoughtBytesTest, BatchesOfALongHistoryAreBounded) {
  for (size_t i = 0; i < kHistoryChangesMax; ++i) feed_.Say({LockedSeat("A1", "t")});
  FakePeer batch(thread_, true);
  int answered = 0;
  for (int i = 0; i < kMessageBurst; ++i) {
    batch.Subscribe("1", "", Position{"e", 4});
    for (const std::string& type : TypesOf(batch.Take())) answered += type == "subscribed" ? 1 : 0;
  }
  EXPECT_LT(answered, kMessageBurst / 2);
}

TEST_F(BoughtBytesTest, OwnSeatsAreBounded) {
  const size_t bytes = Storm(SubscribeText("1", "t", Position{"e", 3}), kStormMs);
  EXPECT_LT(bytes, kFairBytes + (1 << 20));
}

TEST_F(BoughtBytesTest, SubscribesThatLeaveBeforeTheAnswerAreBounded) {
  peer_.Take();
  const int opened = thread_.feeds.of("2").opened;
  for (int64_t passed = 0; passed < kStormMs; passed += 2 * kSecondMs / kMessagesPerSecond) {
    peer_.client.OnText(SubscribeText("2"));
    peer_.client.OnText(R"({"type":"unsubscribe"})");
    thread_.feeds.followed.insert("2");
    keeper_.client.OnPong();
    thread_.PassMs(2 * kSecondMs / kMessagesPerSecond);
  }
  EXPECT_LE(thread_.feeds.of("2").opened - opened,
            static_cast<int>(kFairBytes / static_cast<size_t>(kSubscribeBytes)) + 1);
}

TEST_F(BoughtBytesTest, APageOf64ShowtimesIsServedAtOnce) {
  for (size_t i = 0; i < kSubscriptionsMax; ++i) {
    const std::string showtime_id = "hall-" + std::to_string(i);
    peer_.Subscribe(showtime_id);
    std::vector<Seat> seats;
    for (size_t j = 0; j < kSeats / 2; ++j) seats.push_back(LockedSeat("S" + std::to_string(j)));
    thread_.feeds.of(showtime_id).Snapshot({"e", 3}, seats);
  }
  std::vector<std::string> types = TypesOf(peer_.Take());
  EXPECT_THAT(types, SizeIs(2 * kSubscriptionsMax));
  EXPECT_THAT(types, Not(Contains("error")));
}

// Snapshots that nobody asked for are the edge's own doing.
TEST_F(BoughtBytesTest, SnapshotsThatReplaceCostTheirReaderNothing) {
  peer_.Subscribe("1");
  for (uint64_t i = 1; i <= 150; ++i) {
    std::vector<Seat> seats;
    for (size_t j = 0; j < kSeats; ++j) seats.push_back(LockedSeat("S" + std::to_string(j)));
    feed_.Snapshot({"e" + std::to_string(i), 3}, seats);
    thread_.Run();
  }
  peer_.Take();
  peer_.Subscribe("1");
  EXPECT_THAT(TypesOf(peer_.Take()), ElementsAre("subscribed", "current_seat_status"));
}

// ---- Time --------------------------------------------------------------------------------------

TEST_F(ClientTest, NoSubscribeWithin60SecondsCloses) {
  PassMs(kFirstSubscribeMsMax - kTickMs);
  EXPECT_FALSE(peer_.link.close_code);
  PassMs(kTickMs);
  EXPECT_EQ(peer_.link.close_code, 4108);
}

TEST_F(ClientTest, WhoSubscribedOnceMayStay) {
  peer_.Subscribe("1");
  peer_.Say(R"({"type":"unsubscribe"})");
  PassMs(2 * kFirstSubscribeMsMax);
  EXPECT_FALSE(peer_.link.close_code);
}

TEST_F(ClientTest, PingsAtLeastEvery25Seconds) {
  peer_.Subscribe("1");
  for (int i = 1; i <= 10; ++i) {
    const int before = peer_.link.pings;
    PassMs(25 * kSecondMs);
    EXPECT_GT(peer_.link.pings, before);
    EXPECT_LE(peer_.link.pings, before + 2);
  }
}

TEST_F(ClientTest, AHeartbeatComesEvery15SecondsOfSilence) {
  SubscribeLive(R"({"type":"subscribe","showtimeId":"1","heartbeat":true})");
  for (int i = 0; i < 4; ++i) {
    PassMs(kHeartbeatEveryMs);
    EXPECT_THAT(TypesOf(peer_.Take()), ElementsAre("heartbeat"));
  }
}

TEST_F(ClientTest, ABusyConnectionNeedsNoHeartbeat) {
  SubscribeLive(R"({"type":"subscribe","showtimeId":"1","heartbeat":true})");
  for (int i = 0; i < 10; ++i) {
    PassMs(kHeartbeatEveryMs / 3);
    peer_.Say(kPing);
  }
  EXPECT_THAT(TypesOf(peer_.Take()), Not(Contains("heartbeat")));
}

TEST_F(ClientTest, NobodyGetsAHeartbeatUnasked) {
  SubscribeLive(SubscribeText("1"));
  PassMs(5 * kHeartbeatEveryMs);
  EXPECT_THAT(peer_.Take(), IsEmpty());
}

TEST_F(ClientTest, ADeadPeerIsCutOffWithin60Seconds) {
  peer_.Subscribe("1");
  thread_.PassMs(50 * kSecondMs);
  EXPECT_FALSE(peer_.link.dropped);
  thread_.PassMs(10 * kSecondMs);
  EXPECT_TRUE(peer_.link.dropped);
  EXPECT_EQ(thread_.stats.subscriptions, 0);
  EXPECT_EQ(thread_.stats.dead_peers_total, 1);
}

TEST_F(ClientTest, ADeadPeerIsNoticedThoughItsSocketIsFull) {
  SubscribeLive(SubscribeText("1"));
  peer_.link.room = 10;
  feed_.Say({LockedSeat("A1")});
  thread_.PassMs(60 * kSecondMs);
  EXPECT_TRUE(peer_.link.dropped);
  EXPECT_EQ(peer_.link.pings, 0);
}

// ---- The end -----------------------------------------------------------------------------------

TEST_F(ClientTest, APeersCloseIsAnsweredWithItsCodeAndEndsTheSending) {
  SubscribeLive(SubscribeText("1"));
  feed_.Say({LockedSeat("A1")});
  peer_.client.OnPeerClose(1001);
  feed_.Say({LockedSeat("A2")});
  EXPECT_THAT(peer_.Take(), IsEmpty());
  EXPECT_EQ(peer_.link.close_code, 1001);
  EXPECT_TRUE(peer_.link.finished);
  EXPECT_EQ(thread_.stats.subscriptions, 0);
}

TEST_F(ClientTest, APeersCloseIsAnsweredAfterWhatItSaidBefore) {
  peer_.client.OnText(kPing);
  peer_.client.OnPeerClose(1000);
  EXPECT_THAT(TypesOf(peer_.Take()), ElementsAre("pong"));
  EXPECT_EQ(peer_.link.close_code, 1000);
}

TEST_F(ClientTest, APeersCloseWithoutACodeIsAnsweredWithoutOne) {
  peer_.client.OnPeerClose(0);
  peer_.Take();
  EXPECT_EQ(peer_.link.close_code, 0);
}

TEST_F(ClientTest, ABreachIsToldByItsCode) {
  peer_.client.OnText(kPing);
  peer_.client.OnBreach(CloseCode::kBadUtf8);
  peer_.client.OnText(kPing);
  EXPECT_THAT(TypesOf(peer_.Take()), ElementsAre("pong"));
  EXPECT_EQ(peer_.link.close_code, 1007);
  EXPECT_TRUE(peer_.link.finished);
}

TEST_F(ClientTest, WhoDoesNotLeaveAfterTheCloseIsCutOff) {
  peer_.client.OnBreach(CloseCode::kProtocolError);
  thread_.PassMs(kHandshakeMsMax - kTickMs);
  EXPECT_FALSE(peer_.link.dropped);
  thread_.PassMs(2 * kTickMs);
  EXPECT_TRUE(peer_.link.dropped);
}

TEST_F(ClientTest, ACloseWaitsForTheFrameThatIsHalfSent) {
  SubscribeLive(SubscribeText("1"));
  peer_.link.room = 10;
  feed_.Say({LockedSeat("A1")});
  thread_.Run();
  peer_.client.OnPeerClose(1000);
  thread_.Run();
  EXPECT_FALSE(peer_.link.finished);
  peer_.Drain();
  EXPECT_THAT(TypesOf(peer_.Take()), ElementsAre("seat_status_change"));
  EXPECT_EQ(peer_.link.close_code, 1000);
  EXPECT_TRUE(peer_.link.finished);
}

TEST_F(ClientTest, ACloseThatAFullSocketNeverTakesEndsAllTheSame) {
  peer_.link.room = 0;
  peer_.client.OnBreach(CloseCode::kProtocolError);
  thread_.PassMs(kHandshakeMsMax + kTickMs);
  EXPECT_FALSE(peer_.link.finished);
  EXPECT_TRUE(peer_.link.dropped);
}

TEST_F(ClientTest, AConnectionThatIsGoneFollowsNothingAndIsNotTouched) {
  SubscribeLive(SubscribeText("1"));
  feed_.Say({LockedSeat("A1")});
  peer_.client.Gone();
  EXPECT_EQ(thread_.stats.subscriptions, 0);
  EXPECT_EQ(thread_.stats.connections, 0);
  EXPECT_EQ(thread_.hub.connections(), 0u);
  const size_t writes = peer_.link.writes;
  thread_.PassMs(kTickMs);
  EXPECT_EQ(peer_.link.writes, writes);
}

}  // namespace
}  // namespace seatlock::edge
