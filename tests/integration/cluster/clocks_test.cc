// Three servers on one Redis whose clocks are an hour ahead, an hour behind, and right; all real
// processes. Whichever server a lock was taken through, it ends by the store's clock: not early,
// and not late. The test runs on the store's machine, so its own clock is the store's.
#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/cluster/server_group.h"
#include "tests/integration/looks.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/shifted_clock.h"
#include "tests/testing/showtime_view.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kLongTtlMs = 600'000;
// A server's time is the store's but for half a round trip, and it follows slowly: far less than
// this, on a busy machine too.
constexpr int64_t kToleranceMs = 100;
// EXPIRED is promised within a second of the lock's end; the rest is for a busy machine.
constexpr int64_t kLateMax = 1'000 + 4'000;
constexpr char kShowtime[] = "show";

// A lock as its taker was told of it, by the store's clock.
struct Granted {
  std::string seat;
  int64_t ttl_ms = 0;
  int64_t asked_ms = 0;
  int64_t expire_ms = 0;
};

// Why `granted` did not end in its time, of what the history says of it and of when the test saw
// that; empty if it did.
std::string Judge(const Granted& granted, int64_t expired_ms, int64_t seen_ms) {
  if (granted.expire_ms < granted.asked_ms + granted.ttl_ms - kToleranceMs) {
    return absl::StrCat(granted.seat, " was promised for too short");
  }
  if (expired_ms < granted.expire_ms) return absl::StrCat(granted.seat, " expired before its time");
  if (seen_ms < granted.expire_ms - kToleranceMs) {
    return absl::StrCat(granted.seat, " was freed early by the store's clock");
  }
  if (seen_ms > granted.expire_ms + kLateMax) return absl::StrCat(granted.seat, " lived on");
  return "";
}

// Takes `count` short locks of different lengths, each of a seat of its own.
void TakeShortLocks(SeatLockClient& client, const std::string& prefix, int count,
                    std::vector<Granted>& granted) {
  for (int i = 0; i < count; ++i) {
    Granted lock{.seat = absl::StrCat(prefix, i), .ttl_ms = 1'000 + 1'000 * i / count};
    lock.asked_ms = WallClockMs();
    const auto answer =
        client.Lock(kShowtime, lock.seat, prefix + "session", {.ttl_ms = lock.ttl_ms});
    ASSERT_TRUE(answer.ok()) << answer.status.error_message();
    lock.expire_ms = ToMs(answer.response.lock().expire_time());
    granted.push_back(lock);
  }
}

// Follows the showtime until each of `granted` has ended, and judges that.
std::vector<std::string> FollowAndJudge(SeatLockClient& client,
                                        const std::vector<Granted>& granted) {
  std::map<std::string, Granted> open;
  for (const Granted& lock : granted) open[lock.seat] = lock;
  std::vector<std::string> problems;
  WatchStream watch(client.stub(), kShowtime, v1::Position());
  while (!open.empty()) {
    const auto message = watch.Next();
    if (!message.has_value()) return {"no more changes"};
    if (message->change().cause() != v1::CHANGE_CAUSE_EXPIRED) continue;
    for (const v1::Seat& seat : message->change().seats()) {
      const auto lock = open.find(seat.seat_id());
      if (lock == open.end()) continue;  // of an earlier round
      const std::string problem =
          Judge(lock->second, ToMs(message->change().commit_time()), WallClockMs());
      if (!problem.empty()) problems.push_back(problem);
      open.erase(lock);
    }
  }
  return problems;
}

class ClocksTest : public ::testing::Test {
 protected:
  struct One {
    One(const std::string& store, int64_t wrong_ms) : server({}, store, clock.Env()) {
      clock.SetMs(wrong_ms);
    }
    ShiftedClock clock;
    TestServer server;
    std::unique_ptr<SeatLockClient> client;
  };

  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(InitStore(store_));
    for (One* one : all_) {
      ASSERT_THAT(one->server.Start(), IsOk());
      ASSERT_TRUE(BecomesReady(one->server));
      one->client = std::make_unique<SeatLockClient>(one->server.address());
    }
  }

  // The lock that was taken through one server is held, with the same end, through all.
  void ExpectHeldEverywhere(const Granted& lock, const std::string& session) {
    for (One* one : all_) {
      const auto locks = one->client->ListLocks(kShowtime, session);
      ASSERT_EQ(locks.response.locks_size(), 1);
      EXPECT_EQ(ToMs(locks.response.locks(0).expire_time()), lock.expire_ms);
      const int64_t left_ms = lock.expire_ms - ToMs(locks.response.server_time());
      EXPECT_NEAR(static_cast<double>(left_ms), static_cast<double>(lock.expire_ms - WallClockMs()),
                  2'000);
      EXPECT_EQ(one->client->Lock(kShowtime, lock.seat, "another").refusal().reason, "SEAT_TAKEN");
    }
  }

  // It is said once it has lasted for 10 s.
  void ExpectTheSkewToBeSaidOnce() {
    const std::string said = "this machine's clock and the store's differ";
    for (One* one : {&ahead_, &behind_}) {
      EXPECT_TRUE(Eventually([&] { return LinesWith(one->server, said) > 0; }));
      EXPECT_EQ(LinesWith(one->server, said), 1);
    }
    EXPECT_EQ(LinesWith(right_.server, said), 0);
  }

  RedisServer redis_;
  const std::string store_ = UrlOf(redis_);
  One ahead_{store_, kHourMs};
  One behind_{store_, -kHourMs};
  One right_{store_, 0};
  const std::vector<One*> all_ = {&ahead_, &behind_, &right_};
};

TEST_F(ClocksTest, NoLockEndsEarlyOrLateThroughWhicheverServerItWasTakenAndTheSkewIsSaid) {
  std::vector<Granted> long_ones;
  for (size_t i = 0; i < all_.size(); ++i) {
    Granted lock{.seat = absl::StrCat("L", i), .ttl_ms = kLongTtlMs, .asked_ms = WallClockMs()};
    const auto answer = all_[i]->client->Lock(kShowtime, lock.seat, "long" + lock.seat);
    ASSERT_TRUE(answer.ok()) << answer.status.error_message();
    lock.expire_ms = ToMs(answer.response.lock().expire_time());
    EXPECT_NEAR(static_cast<double>(lock.expire_ms),
                static_cast<double>(WallClockMs() + kLongTtlMs), 2'000);
    long_ones.push_back(lock);
    ASSERT_NO_FATAL_FAILURE(ExpectHeldEverywhere(lock, "long" + lock.seat));
  }
  const int rounds = Rounds(2);
  std::vector<Granted> granted;
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < all_.size(); ++i) {
      ASSERT_NO_FATAL_FAILURE(
          TakeShortLocks(*all_[i]->client, absl::StrCat("S", round, ".", i, "."), 8, granted));
    }
    // Through each in turn: who is told of the end is the same for all.
    EXPECT_THAT(FollowAndJudge(*all_[static_cast<size_t>(round) % all_.size()]->client, granted),
                ::testing::IsEmpty());
    granted.clear();
  }
  for (const Granted& lock : long_ones) {
    ASSERT_NO_FATAL_FAILURE(ExpectHeldEverywhere(lock, "long" + lock.seat));
  }
  ExpectTheSkewToBeSaidOnce();
}

TEST_F(ClocksTest, AServerThatDiesLeavesItsLocksToTheOthersClocksWhichAreTheStores) {
  std::vector<Granted> granted;
  ASSERT_NO_FATAL_FAILURE(TakeShortLocks(*right_.client, "R", 8, granted));
  right_.server.Kill();
  EXPECT_THAT(FollowAndJudge(*ahead_.client, granted), ::testing::IsEmpty());
  granted.clear();
  ASSERT_NO_FATAL_FAILURE(TakeShortLocks(*behind_.client, "B", 8, granted));
  behind_.server.Kill();
  EXPECT_THAT(FollowAndJudge(*ahead_.client, granted), ::testing::IsEmpty());
}

// Control: a server on a store of its own goes by its own clock. Where that is an hour behind the
// test's, the judge is told of locks that are promised for too short; where it is ahead, of locks
// that live on.
TEST(ClocksControl, AServerThatGoesByItsOwnClockIsFoundOut) {
  for (const int64_t wrong_ms : {kHourMs, -kHourMs}) {
    ShiftedClock clock;
    clock.SetMs(wrong_ms);
    TestServer server({}, "", clock.Env());
    ASSERT_THAT(server.Start(), IsOk());
    SeatLockClient client(server.address());
    std::vector<Granted> granted;
    ASSERT_NO_FATAL_FAILURE(TakeShortLocks(client, "S", 2, granted));
    EXPECT_EQ(FollowAndJudge(client, granted).size(), 2u) << wrong_ms;
  }
}

}  // namespace
}  // namespace seatlock::testing
