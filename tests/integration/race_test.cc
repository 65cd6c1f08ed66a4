// 64 clients want the same seat at the same time: one gets it.
#include <gmock/gmock.h>

#include <atomic>
#include <barrier>
#include <functional>
#include <thread>

#include "tests/integration/test_server.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

constexpr int kClients = 64;
constexpr int kConnections = 16;

// What one client was told in one round.
struct Told {
  grpc::Status status;
  uint64_t revision = 0;
  v1::SeatStatus won = v1::SEAT_STATUS_UNSPECIFIED;  // what it made of the seat, where it won
};

class RaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    for (int i = 0; i < kConnections; ++i) {
      clients_.push_back(std::make_unique<SeatLockClient>(server_.address()));
      // Many connect at once; one that does not get through at first has not lost the race.
      clients_.back()->set_wait_for_ready(true);
    }
  }

  SeatLockClient& ClientOf(int index) { return *clients_[index % kConnections]; }

  // Lets all clients `attempt` in each round at once, then `judge` what they were told; false from
  // it ends the race.
  void Run(int rounds, const std::function<Told(int client, int round)>& attempt,
           const std::function<bool(int round, const std::vector<Told>&)>& judge) {
    std::vector<Told> told(kClients);
    std::atomic<bool> over = false;
    int round = 0;
    auto end_of_round = [&]() noexcept {
      if (!judge(round, told) || ++round == rounds) over = true;
    };
    std::barrier start(kClients);
    std::barrier finish(kClients, end_of_round);
    std::vector<std::thread> threads;
    for (int client = 0; client < kClients; ++client) {
      threads.emplace_back([&, client] {
        for (int mine = 0; !over; ++mine) {
          start.arrive_and_wait();
          told[client] = attempt(client, mine);
          finish.arrive_and_wait();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(round, rounds);
  }

  TestServer server_;
  std::vector<std::unique_ptr<SeatLockClient>> clients_;
};

std::string Session(int client, int round) {
  return "client-" + std::to_string(client) + "-" + std::to_string(round);
}

// The only winner; -1, with a failure, where there is none or another.
int WinnerOf(int round, const std::vector<Told>& told) {
  int winner = -1;
  for (int i = 0; i < kClients; ++i) {
    if (!told[i].status.ok()) continue;
    if (winner >= 0) {
      ADD_FAILURE() << "clients " << winner << " and " << i << " both won round " << round;
      return -1;
    }
    winner = i;
  }
  EXPECT_GE(winner, 0) << "nobody won round " << round << ": " << told[0].status.error_message();
  return winner;
}

// Every loser is told that `seat` is taken, and how.
bool LosersKnowWhy(const std::vector<Told>& told, int winner, const std::string& seat) {
  const std::vector<Refusal::Conflict> expected = {{seat, told[winner].won, "SEAT_TAKEN"}};
  for (int i = 0; i < kClients; ++i) {
    if (i == winner) continue;
    const Refusal refusal = DecodeRefusal(told[i].status);
    EXPECT_EQ(refusal.code, grpc::StatusCode::FAILED_PRECONDITION) << refusal.message;
    EXPECT_EQ(refusal.reason, "SEAT_TAKEN");
    EXPECT_EQ(refusal.conflicts, expected);
    if (::testing::Test::HasFailure()) return false;
  }
  return true;
}

TEST_F(RaceTest, OneOf64ClientsGetsTheLock) {
  auto attempt = [this](int client, int round) {
    const auto answer = ClientOf(client).Lock("race", "A06", Session(client, round));
    return Told{answer.status, answer.response.revision(), v1::SEAT_STATUS_LOCKED};
  };
  auto judge = [this](int round, const std::vector<Told>& told) {
    const int winner = WinnerOf(round, told);
    if (winner < 0 || !LosersKnowWhy(told, winner, "A06")) return false;
    // One LOCK and one UNLOCK a round: nothing that was refused left a trace.
    EXPECT_EQ(told[winner].revision, 2 * static_cast<uint64_t>(round) + 1);
    return ClientOf(0).Unlock("race", "A06", Session(winner, round)).ok() && !HasFailure();
  };

  Run(Rounds(2000), attempt, judge);
}

TEST_F(RaceTest, OneOf64ClientsGetsTheSeatWhereHalfLockAndHalfBook) {
  auto seat_of = [](int round) { return "R" + std::to_string(round); };
  auto attempt = [&](int client, int round) {
    const std::string session = Session(client, round);
    if (client % 2 == 0) {
      const auto answer = ClientOf(client).Lock("sale", seat_of(round), session);
      return Told{answer.status, answer.response.revision(), v1::SEAT_STATUS_LOCKED};
    }
    const auto answer =
        ClientOf(client).Book("sale", {seat_of(round)}, session, "order-" + session);
    return Told{answer.status, answer.response.revision(), v1::SEAT_STATUS_BOOKED};
  };
  auto judge = [&](int round, const std::vector<Told>& told) {
    const int winner = WinnerOf(round, told);
    if (winner < 0 || !LosersKnowWhy(told, winner, seat_of(round))) return false;
    EXPECT_EQ(told[winner].revision, static_cast<uint64_t>(round) + 1);
    return !HasFailure();
  };

  Run(Rounds(500), attempt, judge);
}

}  // namespace
}  // namespace seatlock::testing
