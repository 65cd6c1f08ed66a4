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
