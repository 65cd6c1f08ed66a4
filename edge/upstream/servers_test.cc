// Showtimes that are followed on several servers of one store.
#include <gmock/gmock.h>

#include "clients/cpp/scripted_service.h"
#include "edge/upstream/servers_fixture.h"

namespace seatlock::edge {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int kShowtimes = 40;

grpc::Status Draining() {
  return client::Refusal(grpc::StatusCode::UNAVAILABLE, "DRAINING", {});
}

class ManyShowtimesTest : public ServersTest {
 protected:
  void ViewAll() {
    for (int i = 0; i < kShowtimes; ++i) {
      Say(std::to_string(i));
      View(std::to_string(i));
    }
    snapshots_ = Snapshots();
  }
  int Preferring(size_t server) const {
    int count = 0;
    for (int i = 0; i < kShowtimes; ++i) count += RankOf(std::to_string(i))[0] == server ? 1 : 0;
    return count;
  }
  void ExpectAllWhereTheyPreferToBe() {
    RunUntil([&] {
      for (size_t i = 0; i < servers_.size(); ++i) {
        if (servers_[i]->streams() != Preferring(i)) return false;
      }
      return true;
    });
  }
  // Each viewer heard `changes` changes and nothing else.
  void ExpectNobodySawIt(size_t changes) {
    EXPECT_EQ(Snapshots(), snapshots_);
    for (const auto& [id, one] : viewed_) {
      EXPECT_THAT(one->words, AllOf(SizeIs(changes), Each(StartsWith("entry")))) << id;
    }
  }
  void SayToAll() {
    for (int i = 0; i < kShowtimes; ++i) SayAndHear(std::to_string(i));
  }

  int snapshots_ = 0;
};

// ---- Preferred servers -------------------------------------------------------------------------

TEST_F(ManyShowtimesTest, EachIsFollowedOnTheServerThatItPrefers) {
  StartServers(3);
  ViewAll();
  ExpectAllWhereTheyPreferToBe();
  EXPECT_THAT((std::vector{Preferring(0), Preferring(1), Preferring(2)}), Each(Gt(0)));
  int64_t streams = 0;
  for (const ServerStatus& server : client_->servers()) streams += server.streams;
  EXPECT_EQ(streams, kShowtimes);
}

TEST_F(ManyShowtimesTest, IfAServerGoesAwayTheNextTakesOverAtOnceAndNobodySeesIt) {
  StartServers(3);
  ViewAll();
  servers_[0]->Stop();
  // No time passes.
  RunUntil([&] { return servers_[1]->streams() + servers_[2]->streams() == kShowtimes; });
  SayToAll();
  ExpectNobodySawIt(1);
  for (int i = 0; i < kShowtimes; ++i) {
    const std::string id = std::to_string(i);
    if (RankOf(id)[0] == 0) {
      EXPECT_GT(ServerOf(id, 1).streams(), 0);
    }
  }
  EXPECT_THAT(told_, ElementsAre(servers_[0]->address() + " away"));
  EXPECT_EQ(stats_.upstream_lost_total, 0);
}

TEST_F(ManyShowtimesTest, ControlIfTheOnlyServerGoesAwayAllSeeIt) {
  StartServers(1);
  ViewAll();
  servers_[0]->Stop();
  RunUntil([&] { return stats_.upstream_lost_total == kShowtimes; });
  Run();
  for (const auto& [id, one] : viewed_) EXPECT_THAT(one->words, ElementsAre("away"));
  EXPECT_THAT(told_, ElementsAre("lost"));
}

TEST_F(ManyShowtimesTest, WhenAServerIsBackItsShowtimesReturnSpreadOverSecondsAndNobodySeesIt) {
  StartServers(2);
  ViewAll();
  Stop(*servers_[0]);
  RunUntil([&] { return servers_[1]->streams() == kShowtimes; });
  SayToAll();
  servers_[0]->Start();
  WaitUntilServing(2);
  PassMs(kReturnMsMin - kStepMs);
  EXPECT_EQ(servers_[0]->streams(), 0) << "it may go again";
  SayToAll();
  PassMs((kReturnMsMax - kReturnMsMin) / 2);
  EXPECT_THAT(servers_[0]->streams(), AllOf(Gt(0), Lt(Preferring(0))));
  SayToAll();
  PassMs(kReturnMsMax);
  ExpectAllWhereTheyPreferToBe();
  SayToAll();
  ExpectNobodySawIt(4);
  EXPECT_THAT(told_,
              ElementsAre(servers_[0]->address() + " away", servers_[0]->address() + " back"));
}

TEST_F(ManyShowtimesTest, AServerThatDrainsIsLeftWithinASecondAndNobodySeesIt) {
  StartServers(2);
  ViewAll();
  servers_[0]->SetServing(false);
  RunUntil([&] { return CountOf(ServerState::kNotServing) == 1; });
  PassMs(kLeaveMsMax);
  RunUntil([&] { return servers_[0]->streams() == 0; });
  SayToAll();
  servers_[0]->EndStreams(Draining());
  servers_[0]->Stop();
  SayToAll();
  ExpectNobodySawIt(2);
}

TEST_F(ManyShowtimesTest, AServerThatEndsItsStreamsBeforeTheyCouldMoveIsLeftAndNobodySeesIt) {
  StartServers(2);
  ViewAll();
  servers_[0]->SetServing(false);
  servers_[0]->EndStreams(Draining());
  RunUntil([&] { return servers_[1]->streams() == kShowtimes; });
  servers_[0]->Stop();
  SayToAll();
  ExpectNobodySawIt(1);
}

TEST_F(ManyShowtimesTest, IfNoServerServesTheyStayWhereTheyAreAndWhereTheyGoOneIsEnough) {
  StartServers(2);
  ViewAll();
  for (const auto& server : servers_) server->SetServing(false);
  RunUntil([&] { return CountOf(ServerState::kNotServing) == 2; });
  PassMs(2 * kReturnMsMax);
  ExpectAllWhereTheyPreferToBe();
  SayToAll();
  servers_[1]->SetServing(true);
  RunUntil([&] { return CountOf(ServerState::kServing) == 1; });
  PassMs(kLeaveMsMax);
  RunUntil([&] { return servers_[1]->streams() == kShowtimes; });
  SayToAll();
  ExpectNobodySawIt(2);
}

// ---- No server ---------------------------------------------------------------------------------

TEST_F(ServersTest, IfAllServersAreAwayViewersAreToldOnceAndTheFirstThatIsBackIsTakenAtOnce) {
  StartServers(3);
  Say("1");
  Viewed& one = View("1");
  ServerOf("1", 0).Stop();
  ServerOf("1", 1).Stop();
  ServerOf("1", 2).Stop();
  RunUntil([&] { return !one.words.empty(); });
  EXPECT_THAT(one.words, ElementsAre("away"));
  RunUntil([&] { return CountOf(ServerState::kAway) == 3; });
  PassUnsettledMs(10 * kStreamBackoffMsMax);
  EXPECT_THAT(one.words, ElementsAre("away"));
  EXPECT_THAT(told_, Contains("lost"));
  Say("1");
  ServerOf("1", 2).Start();
  PassUnsettledMs(kStreamBackoffMsMax);
  RunUntil([&] { return one.words.size() == 3; });
  EXPECT_THAT(one.words, ElementsAre("away", "entry epoch-1/2", "live"));
  EXPECT_THAT(told_.back(), "back");
}

TEST_F(ServersTest, WhileAServerThatTakesOverSaysNothingViewersAreToldInTimeAndTheNextIsTried) {
  StartServers(3);
  Say("1");
  Viewed& one = View("1");
  ServerOf("1", 1).HoldBackAll();
  ServerOf("1", 0).Stop();
  RunUntil([&] { return ServerOf("1", 1).streams() == 1; });
  PassUnsettledMs(kTakeoverMsMax - kStepMs);
  EXPECT_THAT(one.words, IsEmpty());
  PassUnsettledMs(2 * kStepMs);
  EXPECT_THAT(one.words, ElementsAre("away"));
  PassUntil(kTryMsMax, [&] { return ServerOf("1", 2).streams() == 1; });
  RunUntil([&] { return Live(one); });
  EXPECT_THAT(one.words, ElementsAre("away", "live"));
}

TEST_F(ServersTest, IfEveryServerEndsEveryStreamEachIsAskedOnceBetweenTwoPauses) {
  StartServers(3);
  Say("1");
  Viewed& one = View("1");
  for (const auto& server : servers_) server->EndStreams({grpc::StatusCode::INTERNAL, "broken"});
  RunUntil([&] { return !one.words.empty(); });
  EXPECT_THAT(one.words, ElementsAre("away"));
  const int64_t lost = stats_.upstream_lost_total;
  int begun = 0;
  for (const auto& server : servers_) begun += server->streams_begun();
  EXPECT_EQ(begun, 3) << "where it was, and the two others";
  PassUnsettledMs(60 * kSecondMs);
  int more = -begun;
  for (const auto& server : servers_) more += server->streams_begun();
  const int64_t rounds = stats_.upstream_lost_total - lost;
  EXPECT_LE(more, 3 * (rounds + 1));
  EXPECT_LE(rounds, 120) << "pauses grow to two seconds, of which half is waited on average";
  for (const auto& server : servers_) server->Serve();
  PassUntil(2 * kStreamBackoffMsMax, [&] { return Live(one); });
}

// ---- Refused, or away --------------------------------------------------------------------------

TEST_F(ServersTest, AServerThatHasTooManyWatchesSendsAShowtimeToTheNext) {
  StartServers(2);
  Say("1");
  ServerOf("1", 0).Refuse("1");
  Viewed& one = View("1");
  EXPECT_EQ(ServerOf("1", 1).streams(), 1);
  EXPECT_EQ(stats_.upstream_refused_total, 0);
  ServerOf("1", 0).ServeAgain("1");
  PassMsUntil(kReturnMsMax + kMoveAgainMsMax, [&] { return ServerOf("1", 0).streams() == 1; });
  EXPECT_THAT(one.words, IsEmpty());
}

TEST_F(ServersTest, IfAllServersHaveTooManyOrAreAwayTheShowtimeIsRefused) {
  for (const bool away : {false, true}) {
    servers_.clear();
    StartServers(2);
    Say("1");
    ServerOf("1", 0).Refuse("1");
    ServerOf("1", 1).Refuse("1");
    if (away) ServerOf("1", 1).Stop();
    Viewed& one = Open("1");
    RunUntil([&] { return one.refusals >= 1; });
    EXPECT_THAT(told_, Not(Contains("lost")));
    EndClient();
  }
}

TEST_F(ServersTest, AShowtimeThatIsDamagedIsRefusedByTheFirstAndNoOtherIsAsked) {
  StartServers(2);
  for (const auto& server : servers_) {
    server->EndStreams(client::Refusal(grpc::StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE",
                                       {{"showtime", "damaged"}}));
  }
  Viewed& one = Open("1");
  RunUntil([&] { return one.refusals >= 1; });
  EXPECT_GE(ServerOf("1", 0).streams_begun(), 1);
  EXPECT_EQ(ServerOf("1", 1).streams_begun(), 0);
}

// ---- Moves -------------------------------------------------------------------------------------

TEST_F(ServersTest, AMoveToAServerThatDoesNotCatchUpIsGivenUpAndTriedAgainLater) {
  StartServers(2);
  Say("1");
  Stop(ServerOf("1", 0));
  Viewed& one = View("1");
  ServerOf("1", 0).HoldBackAll();
  ServerOf("1", 0).Start();
  WaitUntilServing(2);
  PassUntil(kReturnMsMax, [&] { return ServerOf("1", 0).streams() == 1; });
  SayAndHear("1");
  PassUntil(kTryMsMax, [&] { return ServerOf("1", 0).streams() == 0; });
  SayAndHear("1");
  ServerOf("1", 0).LetGo();
  PassMsUntil(kMoveAgainMsMax, [&] { return ServerOf("1", 1).streams() == 0; });
  SayAndHear("1");
  EXPECT_THAT(one.words, ElementsAre("entry epoch-1/2", "entry epoch-1/3", "entry epoch-1/4"));
}

TEST_F(ServersTest, AMoveToAServerWithAnotherHistoryIsGivenUpWhetherItHasASnapshotOrNothing) {
  for (const bool empty : {false, true}) {
    servers_.clear();
    StartServers(2);
    Say("1");
    testing::FakeService& back = ServerOf("1", 0);
    Stop(back);
    Viewed& one = View("1");
    back.UseOtherStore();
    if (!empty) {
      back.Say("1", testing::ChangeOf(v1::CHANGE_CAUSE_LOCK, {testing::LockedSeat("B1", "s")}));
    }
    back.Start();
    WaitUntilServing(2);
    PassUntil(kReturnMsMax, [&] { return back.streams_begun() == 1; });
    RunUntil([&] { return back.streams() == 0; });
    SayAndHear("1", ServerOf("1", 1));
    EXPECT_THAT(one.words, ElementsAre("entry epoch-1/2"));
    EXPECT_EQ(ServerOf("1", 1).streams(), 1);
    EndClient();
  }
}

TEST_F(ServersTest, IfTheOldServerIsAheadTheNewOnesRepetitionsAreNotHeard) {
  StartServers(2);
  Say("1");
  Stop(ServerOf("1", 0));
  Viewed& one = View("1");
  ServerOf("1", 0).HoldBackAll();
  ServerOf("1", 0).Start();
  WaitUntilServing(2);
  PassUntil(kReturnMsMax, [&] { return ServerOf("1", 0).streams() == 1; });
  for (int i = 0; i < 5; ++i) SayAndHear("1");
  ServerOf("1", 0).LetGo();
  RunUntil([&] { return ServerOf("1", 1).streams() == 0; });
  SayAndHear("1");
  EXPECT_THAT(one.words, SizeIs(6));
  EXPECT_EQ(stats_.upstream_gaps_total, 0);
}

TEST_F(ServersTest, IfTheOldServerEndsDuringAMoveTheNewOneIsWaitedForAndNobodySeesIt) {
  StartServers(2);
  Say("1");
  Stop(ServerOf("1", 0));
  Viewed& one = View("1");
  ServerOf("1", 0).HoldBackAll();
  ServerOf("1", 0).Start();
  WaitUntilServing(2);
  PassUntil(kReturnMsMax, [&] { return ServerOf("1", 0).streams() == 1; });
  SayAndHear("1");
  ServerOf("1", 1).Stop();
  RunUntil([&] { return CountOf(ServerState::kAway) == 1; });
  ServerOf("1", 0).LetGo();
  SayAndHear("1");
  EXPECT_THAT(one.words, ElementsAre("entry epoch-1/2", "entry epoch-1/3"));
  EXPECT_EQ(stats_.upstream_lost_total, 0);
}

TEST_F(ServersTest, AShowtimeWithoutAChangeMovesToo) {
  StartServers(2);
  Stop(ServerOf("1", 0));
  Viewed& one = View("1");
  ServerOf("1", 0).Start();
  WaitUntilServing(2);
  PassMsUntil(kReturnMsMax, [&] { return ServerOf("1", 1).streams() == 0; });
  SayAndHear("1");
  EXPECT_THAT(one.words, ElementsAre("entry epoch-1/1"));
}

// ---- Health ------------------------------------------------------------------------------------

TEST_F(ServersTest, OfAServerThatKnowsNoHealthItsConnectionTells) {
  StartServers(1);
  grpc::EnableDefaultHealthCheckService(false);
  client::ScriptedService plain;
  plain.ScriptWatches({[](grpc::ServerContext&, auto&) { return grpc::Status::OK; }});
  StartClient({servers_[0]->address(), plain.target()});
  WaitUntilServing(2);
  plain.Stop();
  PassUntil(2 * kHealthAgainMs, [&] { return CountOf(ServerState::kAway) == 1; });
  grpc::EnableDefaultHealthCheckService(false);
  plain.Restart();
  WaitUntilServing(2);
}

TEST_F(ServersTest, AnOnlyServerIsNotAskedAndIsWhatItsStreamsSay) {
  StartServers(1);
  PassMs(kSecondMs);
  EXPECT_EQ(CountOf(ServerState::kUnknown), 1u);
  View("1");
  EXPECT_EQ(CountOf(ServerState::kServing), 1u);
  servers_[0]->Stop();
  RunUntil([&] { return CountOf(ServerState::kAway) == 1; });
  servers_[0]->Start();
  timers_.AdvanceMs(kStreamBackoffMsMax);
  RunUntil([&] { return CountOf(ServerState::kServing) == 1; });
}

}  // namespace
}  // namespace seatlock::edge
