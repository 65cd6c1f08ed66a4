#include "edge/core/hub.h"

#include <gmock/gmock.h>

#include "edge/core/limits.h"
#include "tests/testing/edge_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FakeClock;
using ::seatlock::testing::FakeLink;
using ::seatlock::testing::FakeTimers;
using ::seatlock::testing::FakeUpstream;
using ::seatlock::testing::TypesOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string SubscribeTo(const std::string& showtime) {
  return R"({"type":"subscribe","showtimeId":")" + showtime + "\"}";
}

class HubTest : public ::testing::Test {
 protected:
  HubTest() { hub_->Start(); }

  std::shared_ptr<Client> Connect(FakeLink& link) {
    std::shared_ptr<Client> client = hub_->Connect(link, false);
    link.Take();
    return client;
  }

  // Lets time pass on a connection whose peer answers pings.
  void PassMs(int64_t ms) {
    for (int64_t passed = 0; passed < ms; passed += kTickMs) {
      client_->OnHeard();
      timers_.AdvanceMs(kTickMs);
    }
  }

  FakeClock clock_;
  FakeTimers timers_{clock_};
  FakeUpstream upstream_;
  Stats stats_;
  FakeLink link_;
  std::unique_ptr<Hub> hub_ = std::make_unique<Hub>(Env{clock_, timers_, upstream_, stats_});
  std::shared_ptr<Client> client_ = Connect(link_);
};

TEST_F(HubTest, GreetsWithAnIdOfTheConnectionsOwn) {
  FakeLink one;
  FakeLink two;
  const auto a = hub_->Connect(one, false);
  const auto b = hub_->Connect(two, false);
  EXPECT_THAT(TypesOf(one.frames), ElementsAre("connection_established"));
  EXPECT_NE(one.frames, two.frames);
}

TEST_F(HubTest, AnswersPing) {
  client_->OnText(R"({"type":"ping"})");
  EXPECT_THAT(TypesOf(link_.Take()), ElementsAre("pong"));
}

TEST_F(HubTest, OneStreamServesAllWhoFollowAShowtime) {
  FakeLink other;
  const auto second = Connect(other);
  client_->OnText(SubscribeTo("1"));
  upstream_.sink("1").OnProgress({"", 0});
  second->OnText(SubscribeTo("1"));
  EXPECT_THAT(TypesOf(other.Take()), ElementsAre("subscribed", "current_seat_status"));
  EXPECT_EQ(stats_.rooms, 1);
}

TEST_F(HubTest, AShowtimeIsFollowedAWhileAfterItsLastSubscriber) {
  client_->OnText(SubscribeTo("1"));
  client_->OnText(R"({"type":"unsubscribe","showtimeId":"1"})");
  EXPECT_THAT(TypesOf(link_.Take()), ElementsAre("unsubscribed"));
  PassMs(kRoomLingerMs - kTickMs);
  EXPECT_TRUE(upstream_.Follows("1"));
  PassMs(kTickMs);
  EXPECT_FALSE(upstream_.Follows("1"));
}

TEST_F(HubTest, AReturnWithinTheLingerKeepsTheRoom) {
  client_->OnText(SubscribeTo("1"));
  client_->OnText(R"({"type":"unsubscribe"})");
  PassMs(kRoomLingerMs - kTickMs);
  client_->OnText(SubscribeTo("1"));
  PassMs(2 * kRoomLingerMs);
  EXPECT_TRUE(upstream_.Follows("1"));
}

TEST_F(HubTest, UnsubscribeOfAllNamesEach) {
  client_->OnText(SubscribeTo("1"));
  client_->OnText(SubscribeTo("2"));
  client_->OnText(R"({"type":"unsubscribe"})");
  EXPECT_THAT(TypesOf(link_.Take()), ElementsAre("unsubscribed", "unsubscribed"));
  EXPECT_EQ(stats_.subscriptions, 0);
}

TEST_F(HubTest, A65thSubscriptionIsRefusedAndTheOthersLive) {
  for (size_t i = 0; i < kSubscriptionsMax; ++i) client_->OnText(SubscribeTo(std::to_string(i)));
  EXPECT_THAT(link_.Take(), IsEmpty());
  client_->OnText(SubscribeTo("64"));
  EXPECT_THAT(link_.Take(), ElementsAre(HasSubstr("TOO_MANY_SUBSCRIPTIONS")));
  EXPECT_EQ(link_.close_code, 0);
  client_->OnText(SubscribeTo("63"));
  EXPECT_THAT(link_.Take(), IsEmpty());
  EXPECT_EQ(stats_.subscriptions, 64);
}

TEST_F(HubTest, TheThirdBadMessageCloses) {
  client_->OnText("nonsense");
  client_->OnText(R"({"type":"subscribe"})");
  EXPECT_EQ(link_.close_code, 0);
  client_->OnText("nonsense");
  EXPECT_THAT(TypesOf(link_.Take()), ElementsAre("error", "error", "error"));
  EXPECT_EQ(link_.close_code, 4000);
  EXPECT_EQ(stats_.closes_total[4], 1);
}

TEST_F(HubTest, AnUnknownTypeDoesNotCount) {
  for (int i = 0; i < 10; ++i) client_->OnText(R"({"type":"dance"})");
  EXPECT_THAT(link_.Take(), Each(HasSubstr("UNKNOWN_TYPE")));
  EXPECT_EQ(link_.close_code, 0);
}

TEST_F(HubTest, TooManyMessagesAreToldOnceThenClosed) {
  for (int i = 0; i < kMessageBurst; ++i) client_->OnText(R"({"type":"ping"})");
  EXPECT_THAT(TypesOf(link_.Take()), Each("pong"));
  client_->OnText(R"({"type":"ping"})");
  EXPECT_THAT(link_.Take(), ElementsAre(HasSubstr("RATE_LIMITED")));
  EXPECT_EQ(link_.close_code, 0);
  client_->OnText(R"({"type":"ping"})");
  EXPECT_EQ(link_.close_code, 4129);
}

TEST_F(HubTest, WhoSlowsDownMayGoOn) {
  for (int i = 0; i <= kMessageBurst; ++i) client_->OnText(R"({"type":"ping"})");
  link_.Take();
  timers_.AdvanceMs(kSecondMs);
  for (int i = 0; i < kMessagesPerSecond; ++i) client_->OnText(R"({"type":"ping"})");
  EXPECT_THAT(link_.Take(), SizeIs(kMessagesPerSecond));
}

TEST_F(HubTest, NoSubscribeWithin60SecondsCloses) {
  PassMs(kFirstSubscribeMsMax - kTickMs);
  EXPECT_EQ(link_.close_code, 0);
  PassMs(kTickMs);
  EXPECT_EQ(link_.close_code, 4108);
}

TEST_F(HubTest, WhoSubscribedOnceMayStay) {
  client_->OnText(SubscribeTo("1"));
  client_->OnText(R"({"type":"unsubscribe"})");
  PassMs(2 * kFirstSubscribeMsMax);
  EXPECT_EQ(link_.close_code, 0);
}

TEST_F(HubTest, PingsAtLeastEvery25Seconds) {
  client_->OnText(SubscribeTo("1"));
  for (int i = 1; i <= 10; ++i) {
    const int before = link_.pings;
    PassMs(25 * kSecondMs);
    EXPECT_GT(link_.pings, before);
  }
}

TEST_F(HubTest, AHeartbeatComesEvery15SecondsOfSilence) {
  client_->OnText(R"({"type":"subscribe","showtimeId":"1","heartbeat":true})");
  upstream_.sink("1").OnProgress({"", 0});
  link_.Take();
  for (int i = 0; i < 4; ++i) {
    PassMs(kHeartbeatEveryMs);
    EXPECT_THAT(TypesOf(link_.Take()), ElementsAre("heartbeat"));
  }
}

TEST_F(HubTest, ABusyConnectionNeedsNoHeartbeat) {
  client_->OnText(R"({"type":"subscribe","showtimeId":"1","heartbeat":true})");
  upstream_.sink("1").OnProgress({"", 0});
  for (int i = 0; i < 10; ++i) {
    PassMs(kHeartbeatEveryMs / 3);
    client_->OnText(R"({"type":"ping"})");
  }
  EXPECT_THAT(TypesOf(link_.Take()), Not(Contains("heartbeat")));
}

TEST_F(HubTest, NobodyGetsAHeartbeatUnasked) {
  client_->OnText(SubscribeTo("1"));
  upstream_.sink("1").OnProgress({"", 0});
  link_.Take();
  PassMs(5 * kHeartbeatEveryMs);
  EXPECT_THAT(link_.Take(), IsEmpty());
}

TEST_F(HubTest, ADeadPeerIsCutOffWithin60Seconds) {
  client_->OnText(SubscribeTo("1"));
  timers_.AdvanceMs(50 * kSecondMs);
  EXPECT_FALSE(link_.dropped);
  timers_.AdvanceMs(10 * kSecondMs);
  EXPECT_TRUE(link_.dropped);
  EXPECT_EQ(stats_.subscriptions, 0);
}

TEST_F(HubTest, ASlowReaderIsClosedAndItsQueueDropped) {
  client_->OnText(SubscribeTo("1"));
  link_.queued_bytes = kQueueBytesMax + 1;
  upstream_.sink("1").OnProgress({"", 0});
  PassMs(kStalledMsMax - kTickMs);
  EXPECT_EQ(link_.close_code, 0);
  PassMs(kTickMs);
  EXPECT_EQ(link_.close_code, 4101);
  EXPECT_TRUE(link_.dropped_queue);
  timers_.AdvanceMs(0);
  EXPECT_EQ(stats_.subscriptions, 0);
  EXPECT_EQ(stats_.slow_closes_total, 1);
}

TEST_F(HubTest, MuchAtOnceDoesNotMakeAReaderSlow) {
  client_->OnText(SubscribeTo("1"));
  upstream_.sink("1").OnLost();
  link_.queued_bytes = kQueueBytesHardMax;
  upstream_.sink("1").OnSnapshot({{"e", 3}, {}, false});
  EXPECT_THAT(TypesOf(link_.Take()),
              ElementsAre("stream_status", "subscribed", "current_seat_status", "stream_status"));
  EXPECT_EQ(link_.close_code, 0);
}

TEST_F(HubTest, AReaderThatTakesWhatWaitsMayBeBehindForLong) {
  client_->OnText(SubscribeTo("1"));
  link_.queued_bytes = kQueueBytesMax + 1;
  for (int i = 0; i < 5; ++i) {
    PassMs(kStalledMsMax - kTickMs);
    ++link_.messages_written;
    PassMs(kTickMs);
  }
  EXPECT_EQ(link_.close_code, 0);
  PassMs(kStalledMsMax);
  EXPECT_EQ(link_.close_code, 4101);
}

TEST_F(HubTest, AboveTheHardBoundAReaderIsClosedAtOnce) {
  client_->OnText(SubscribeTo("1"));
  link_.queued_bytes = kQueueBytesHardMax + 1;
  ++link_.messages_written;
  upstream_.sink("1").OnProgress({"", 0});
  EXPECT_EQ(link_.close_code, 4101);
}

TEST_F(HubTest, ASlowReaderDisturbsNobodyElse) {
  FakeLink other;
  const auto second = Connect(other);
  client_->OnText(SubscribeTo("1"));
  second->OnText(SubscribeTo("1"));
  upstream_.sink("1").OnProgress({"", 0});
  link_.queued_bytes = kQueueBytesHardMax + 1;
  other.Take();
  upstream_.sink("1").OnChange({{"e", 1}, 7, Cause::kBook, {{"A01", SeatStatus::kBooked, "s", 0}}});
  EXPECT_EQ(link_.close_code, 4101);
  EXPECT_THAT(TypesOf(other.Take()), ElementsAre("seat_status_change"));
}

TEST_F(HubTest, AfterTheCloseNothingIsHeardOrSent) {
  client_->Close(CloseCode::kBinaryMessage, "");
  client_->OnText(R"({"type":"ping"})");
  EXPECT_THAT(link_.Take(), IsEmpty());
}

TEST_F(HubTest, DrainingSendsEverybodyAwayWithinItsWindow) {
  std::vector<FakeLink> links(50);
  std::vector<std::shared_ptr<Client>> clients;
  for (FakeLink& link : links) clients.push_back(Connect(link));
  hub_->Drain();
  timers_.AdvanceMs(kDrainWindowMs / 2);
  int closed = 0;
  for (const FakeLink& link : links) closed += link.close_code == 4200;
  EXPECT_GT(closed, 0);
  EXPECT_LT(closed, 50);
  timers_.AdvanceMs(kDrainWindowMs / 2);
  for (const FakeLink& link : links) EXPECT_EQ(link.close_code, 4200);
  FakeLink late;
  const auto latecomer = hub_->Connect(late, false);
  EXPECT_EQ(late.close_code, 4200);
}

TEST_F(HubTest, AConnectionThatIsGoneFollowsNothing) {
  client_->OnText(SubscribeTo("1"));
  hub_->Disconnect(*client_);
  EXPECT_EQ(stats_.subscriptions, 0);
  EXPECT_EQ(hub_->connections(), 0u);
  upstream_.sink("1").OnProgress({"", 0});
  EXPECT_THAT(link_.Take(), IsEmpty());
}

TEST_F(HubTest, ConnectionsMayOutliveTheHub) {
  client_->OnText(SubscribeTo("1"));
  hub_.reset();
  client_->OnText(R"({"type":"ping"})");
  client_->OnTick();
  timers_.AdvanceMs(kRoomLingerMs);
  EXPECT_THAT(link_.Take(), IsEmpty());
  client_.reset();
  EXPECT_EQ(stats_.connections, 0);
}

}  // namespace
}  // namespace seatlock::edge
