// Servers on a Redis with a replica and three Sentinels, all real processes. Primaries are killed
// under load, Sentinel promotes the replica, and the former primary comes back as the replica:
// nothing acknowledged is lost, and nothing that a watcher was shown is gone later.
//
// A round is one failover: a primary that is killed, or one that changes places with its replica.
#include <gmock/gmock.h>

#include <memory>

#include "tests/integration/cluster/cluster_load.h"
#include "tests/integration/cluster/history.h"
#include "tests/integration/cluster/redis_set.h"
#include "tests/integration/cluster/server_group.h"
#include "tests/integration/looks.h"
#include "tests/testing/eventually.h"
#include "tests/testing/model_judge.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seed.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

constexpr int kServers = 2;
constexpr int kAcksPerRound = 100;
// A watch ends once its store has not been served for a second.
constexpr WatchStream::Milliseconds kWatchEnds{30'000};
constexpr char kShow[] = "show";

class FailoverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(redis_.AwaitWhole(1));
    ASSERT_NO_FATAL_FAILURE(InitStore(servers_.store()));
    ASSERT_NO_FATAL_FAILURE(servers_.Start());
  }

  // The primary dies, and comes back when the replica is primary. Alone that one acknowledges
  // nothing.
  void KillPrimary() {
    RedisServer& former = redis_.primary();
    former.Kill();
    ASSERT_TRUE(redis_.AwaitOtherPrimary(former));
    for (size_t i = 0; i < servers_.size(); ++i) ASSERT_TRUE(BecomesReady(servers_[i], 503));
    former.Start();
  }

  // An operator has them change places. Connections to the former go on living.
  void ChangePlaces() {
    RedisServer& former = redis_.primary();
    ASSERT_TRUE(redis_.BeginFailover());
    ASSERT_TRUE(redis_.AwaitOtherPrimary(former));
    ASSERT_TRUE(redis_.Follow(former));
  }

  void FailOver(int round) {
    if (round % 3 == 1) return ChangePlaces();
    RedisServer& former = redis_.primary();
    ASSERT_NO_FATAL_FAILURE(KillPrimary());
    // Else Sentinel makes it a replica, 8 s later or more.
    const bool by_hand = round % 3 == 0;
    ASSERT_TRUE(!by_hand || redis_.Follow(former));
  }

  RedisSet redis_{{.replicas = 1}};
  ServerGroup servers_{kServers, redis_.Store("&replicas=1")};
};

TEST_F(FailoverTest, NothingAcknowledgedOrShownIsLostWhilePrimariesChange) {
  ClusterLoad load(servers_.addresses(), {.workers = 4, .seed = TestSeed()});
  const int rounds = Rounds(2);
  for (int round = 0; round < rounds; ++round) {
    ASSERT_TRUE(load.progress().WaitForAcks(kAcksPerRound)) << "round " << round;
    ASSERT_NO_FATAL_FAILURE(FailOver(round)) << "round " << round;
    ASSERT_TRUE(redis_.AwaitLinked(1)) << "round " << round;
    load.progress().Restarted();
  }
  ASSERT_TRUE(load.progress().WaitForAcks(kAcksPerRound));
  load.StopAndJudge(servers_[0].address());
  EXPECT_GT(load.retried(), 0);
  // History may have become another one, so everybody was shown the seats anew.
  EXPECT_GE(load.replaces(), kShowtimes);
}

// One server, and a replica behind a link that holds back what the primary sends it. Seats are sold
// before and behind the hold, and then the primary is killed and the replica promoted.
class HeldReplicationTest : public ::testing::Test {
 protected:
  void Start(const std::string& parameters, const std::string& min_replicas) {
    redis_ = std::make_unique<RedisSet>(RedisSet::Options{
        .settings = {{"min-replicas-to-write", min_replicas}}, .behind_link = true});
    ASSERT_TRUE(redis_->AwaitWhole(1));
    const std::string store = redis_->Store(parameters);
    ASSERT_NO_FATAL_FAILURE(InitStore(store));
    server_ = std::make_unique<TestServer>(std::vector<std::string>(), store);
    ASSERT_THAT(server_->Start(), IsOk());
    ASSERT_TRUE(BecomesReady(*server_));
    client_ = std::make_unique<SeatLockClient>(server_->address());
    watch_ = std::make_unique<WatchStream>(client_->stub(), kShow);
  }

  // Sells a seat, and notes what was said.
  Call::End Sell(const std::string& seat) {
    const v1::BookSeatsRequest request =
        BookSeatsRequestOf(kShow, {seat}, "s-" + seat, "o-" + seat, {.request_id = "r-" + seat});
    Call call{.showtime = kShow, .question = CommandOf(request)};
    call.times = {.first_asked = std::chrono::steady_clock::now(), .last_asked_ms = WallClockMs()};
    call.times.last_asked = call.times.first_asked;
    const auto answer = client_->Call(&SeatLockClient::Stub::BookSeats, request);
    call.times.answered = std::chrono::steady_clock::now();
    call.times.answered_ms = WallClockMs();
    if (answer.ok()) {
      call.end = Call::End::kAnswered;
      call.said = SaidOf(answer.response);
    }
    calls_.push_back(call);
    return call.end;
  }

  void FailOver() {
    RedisServer& former = (*redis_)[0];
    former.Kill();
    ASSERT_TRUE(redis_->AwaitOtherPrimary(former));
  }

  // Everything that is stored.
  std::vector<v1::Change> Stored() {
    const History history = HistoryUpTo(*client_, client_->Get(kShow).response.snapshot());
    EXPECT_THAT(history.problems, ::testing::IsEmpty());
    return history.changes;
  }

  std::unique_ptr<RedisSet> redis_;
  std::unique_ptr<TestServer> server_;
  std::unique_ptr<SeatLockClient> client_;
  std::unique_ptr<WatchStream> watch_;
  ShowtimeView view_;
  std::vector<Call> calls_;
};

TEST_F(HeldReplicationTest, StrictAcknowledgesAndShowsNothingThatTheReplicaLacks) {
  ASSERT_NO_FATAL_FAILURE(Start("&replicas=1", "1"));
  ASSERT_EQ(Sell("A1"), Call::End::kAnswered);
  ASSERT_THAT(watch_->FollowTo(view_, 1), IsOk());
  redis_->link().Hold();
  EXPECT_EQ(Sell("A2"), Call::End::kUnknown);
  EXPECT_THAT(watch_->FollowTo(view_, 2, kWatchEnds), StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_NO_FATAL_FAILURE(FailOver());
  (*redis_)[0].Start();
  ASSERT_TRUE(redis_->Follow((*redis_)[0]));
  ASSERT_TRUE(BecomesReady(*server_));
  EXPECT_THAT(JudgeByModel(kShow, Stored(), calls_), IsOk());
  EXPECT_TRUE(client_->Lock(kShow, "A2", "somebody").ok()) << "the primary alone had it";
}

// Control of this whole file: the same judge, on the same link, without the safeguard.
TEST_F(HeldReplicationTest, RelaxedLosesWhatTheReplicaLacksAndTheJudgeSeesIt) {
  ASSERT_NO_FATAL_FAILURE(Start("&profile=relaxed", "0"));
  ASSERT_EQ(Sell("A1"), Call::End::kAnswered);
  // The replica has it.
  ASSERT_TRUE(Eventually([&] { return (*redis_)[0].Run({"WAIT", "1", "1000"}) == "1"; }));
  redis_->link().Hold();
  ASSERT_EQ(Sell("A2"), Call::End::kAnswered);
  ASSERT_THAT(watch_->FollowTo(view_, 2), IsOk()) << "it was shown";
  ASSERT_NO_FATAL_FAILURE(FailOver());
  ASSERT_TRUE(BecomesReady(*server_));
  EXPECT_THAT(JudgeByModel(kShow, Stored(), calls_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(client_->Lock(kShow, "A2", "somebody").ok()) << "it is sold again";
}

}  // namespace
}  // namespace seatlock::testing
