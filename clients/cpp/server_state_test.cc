#include "clients/cpp/server_state.h"

#include <gtest/gtest.h>

namespace seatlock::client {
namespace {

using std::chrono::milliseconds;
using State = ServerState::State;

constexpr milliseconds kFirst(100);
constexpr milliseconds kMax(1'000);
constexpr milliseconds kTrial(4'000);
constexpr milliseconds kNone(0);

class ServerStateTest : public ::testing::Test {
 protected:
  // Fails it, and lets the longest pause that there is pass.
  void FailAndWait() {
    server_.Failed(now_, kNone);
    now_ += kMax;
  }

  ServerState server_{Backoff(kFirst, kMax), kTrial};
  ServerState::Clock::time_point now_{std::chrono::hours(1)};
};

TEST_F(ServerStateTest, ServesUntilItFails) {
  EXPECT_TRUE(server_.Ask(now_));
  EXPECT_TRUE(server_.Ask(now_));
  EXPECT_EQ(server_.state(), State::kServing);
}

TEST_F(ServerStateTest, IsLeftAloneForAPause) {
  server_.Failed(now_, kNone);
  EXPECT_EQ(server_.state(), State::kAway);
  EXPECT_FALSE(server_.Ask(now_ + kFirst / 2 - milliseconds(1)));
  EXPECT_TRUE(server_.Ask(now_ + kFirst));
}

TEST_F(ServerStateTest, AfterThePauseOneCallerTriesIt) {
  FailAndWait();
  EXPECT_TRUE(server_.Ask(now_));
  EXPECT_EQ(server_.state(), State::kTried);
  EXPECT_FALSE(server_.Ask(now_));
  EXPECT_FALSE(server_.MayBeAsked(now_));
}

TEST_F(ServerStateTest, ATrialThatNobodyEndsIsFollowedByAnother) {
  FailAndWait();
  ASSERT_TRUE(server_.Ask(now_));
  EXPECT_FALSE(server_.Ask(now_ + kTrial - milliseconds(1)));
  EXPECT_TRUE(server_.Ask(now_ + kTrial));
  EXPECT_FALSE(server_.Ask(now_ + kTrial));
}

TEST_F(ServerStateTest, AnAnswerMakesItServeAgain) {
  server_.Failed(now_, kNone);
  server_.Answered();
  EXPECT_EQ(server_.state(), State::kServing);
  EXPECT_TRUE(server_.Ask(now_));
}

TEST_F(ServerStateTest, CallsThatFailTogetherCountOnce) {
  for (int call = 0; call < 100; ++call) server_.Failed(now_, kNone);
  EXPECT_TRUE(server_.Ask(now_ + kFirst)) << "the pause is that of one failure";
}

TEST_F(ServerStateTest, TrialsThatFailMakePausesLongerUpToABound) {
  for (int trial = 0; trial < 10; ++trial) {
    FailAndWait();
    ASSERT_TRUE(server_.Ask(now_)) << "no pause is longer than the bound";
  }
  server_.Failed(now_, kNone);
  EXPECT_FALSE(server_.Ask(now_ + kMax / 2 - milliseconds(1)));
  server_.Answered();
  server_.Failed(now_, kNone);
  EXPECT_TRUE(server_.Ask(now_ + kFirst)) << "an answer makes the next pause short again";
}

TEST_F(ServerStateTest, AServerThatSaysWhenIsNotAskedBefore) {
  server_.Failed(now_, milliseconds(5'000));
  EXPECT_FALSE(server_.Ask(now_ + milliseconds(4'999)));
  EXPECT_TRUE(server_.Ask(now_ + milliseconds(7'500)));
}

TEST_F(ServerStateTest, CallersOfManyClientsComeBackApart) {
  int early = 0;
  constexpr int kClients = 1'000;
  for (int client = 0; client < kClients; ++client) {
    ServerState server{Backoff(kFirst, kMax), kTrial};
    server.Failed(now_, kNone);
    if (server.Ask(now_ + kFirst * 3 / 4)) ++early;
  }
  // Half of them, evenly; without the random part all or none.
  EXPECT_GT(early, kClients / 4);
  EXPECT_LT(early, kClients * 3 / 4);
}

}  // namespace
}  // namespace seatlock::client
