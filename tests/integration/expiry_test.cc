// Locks end by themselves: nobody asks, and the change is streamed in time.
//
// The promise is 1 s after expire_time. A test machine may stall a process for a while, so the
// tests allow one second more.
#include <gmock/gmock.h>

#include <chrono>

#include "tests/integration/test_server.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {
namespace {

constexpr int64_t kPromiseMs = 1000;
constexpr int64_t kSlackMs = 1000;
constexpr int kShowtimes = 100;

class ExpiryTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(server_.Start(), IsOk()); }

  std::unique_ptr<SeatLockClient> NewClient() {
    return std::make_unique<SeatLockClient>(server_.address());
  }

  // One lock of a second in each of many showtimes; when the last of them ends.
  int64_t LockMany(SeatLockClient& client) {
    int64_t last_expire_ms = 0;
    for (int i = 0; i < kShowtimes; ++i) {
      const auto answer = client.Lock(ShowtimeOf(i), "A1", "s1", {.ttl_ms = 1000});
      EXPECT_TRUE(answer.ok()) << answer.status.error_message();
      last_expire_ms = ToMs(answer.response.lock().expire_time());
    }
    return last_expire_ms;
  }
  static std::string ShowtimeOf(int i) { return "quiet-" + std::to_string(i); }

  // Returns once the server itself has let `ms` pass: a lock in a showtime of its own has ended.
  void LetTimePass(SeatLockClient& client, int64_t ms) {
    static int calls = 0;
    const std::string timer = "timer-" + std::to_string(calls++);
    WatchStream watch(client.stub(), timer);
    ASSERT_TRUE(client.Lock(timer, "T", "timer", {.ttl_ms = ms}).ok());
    ShowtimeView view;
    ASSERT_THAT(watch.FollowTo(view, 2), IsOk());
  }

  TestServer server_;
};

TEST_F(ExpiryTest, IsStreamedInTimeWithoutAnybodyAsking) {
  auto client = NewClient();
  WatchStream watch(client->stub(), "show");
  ShowtimeView view;
  const auto lock = client->Lock("show", "A1", "s1", {.ttl_ms = 1000});
  ASSERT_TRUE(lock.ok());
  const int64_t expire_ms = ToMs(lock.response.lock().expire_time());

  ASSERT_THAT(watch.FollowTo(view, 2), IsOk());

  const int64_t late_ms = WallClockMs() - expire_ms;
  const v1::Change& change = view.changes().back();
  EXPECT_EQ(change.cause(), v1::CHANGE_CAUSE_EXPIRED);
  EXPECT_EQ(Describe(change.seats(0)), "A1 AVAILABLE s1 -");
  EXPECT_GE(ToMs(change.commit_time()), expire_ms);
  EXPECT_LE(late_ms, kPromiseMs + kSlackMs);
  RecordProperty("late_ms", static_cast<int>(late_ms));
  EXPECT_EQ(client->Get("show").response.snapshot().seats_size(), 0);
}

TEST_F(ExpiryTest, ALapsedLockIsFreeForTheNextTakerAtOnce) {
  auto client = NewClient();
  WatchStream watch(client->stub(), "show");
  const auto lock = client->Lock("show", "A1", "s1", {.ttl_ms = 1000});
  ASSERT_TRUE(lock.ok());
  const int64_t expire_ms = ToMs(lock.response.lock().expire_time());

  // Asks until it gets the seat: refused before expire_time, never after it.
  Answer<v1::LockSeatResponse> taken;
  int64_t asked_ms = 0;
  do {
    asked_ms = WallClockMs();
    taken = client->Lock("show", "A1", "s2");
    if (!taken.ok()) {
      EXPECT_EQ(taken.refusal().reason, "SEAT_TAKEN");
      EXPECT_LE(asked_ms, expire_ms);
    }
  } while (!taken.ok() && asked_ms <= expire_ms);

  ASSERT_TRUE(taken.ok()) << taken.status.error_message();
  EXPECT_GE(WallClockMs(), expire_ms);
  ShowtimeView view;
  ASSERT_THAT(watch.FollowTo(view, 3), IsOk());
  EXPECT_EQ(view.changes()[1].cause(), v1::CHANGE_CAUSE_EXPIRED);
  EXPECT_EQ(view.changes()[2].cause(), v1::CHANGE_CAUSE_LOCK);
}

// The commit time tells when the lock was ended; looking later does not change it.
TEST_F(ExpiryTest, ComesInTimeAfterARestartInShowtimesThatNobodyAskedFor) {
  int64_t last_expire_ms = LockMany(*NewClient());
  server_.Kill();
  ASSERT_THAT(server_.Start(), IsOk());
  const int64_t up_ms = WallClockMs();
  auto client = NewClient();
  LetTimePass(*client, kPromiseMs + kSlackMs + 1500);

  for (int i = 0; i < kShowtimes; ++i) {
    WatchStream watch(client->stub(), ShowtimeOf(i));
    const auto first = watch.Next();
    ASSERT_TRUE(first.has_value());
    const v1::ShowtimeSnapshot& snapshot = first->snapshot();
    ASSERT_EQ(snapshot.revision(), 2u) << ShowtimeOf(i);
    EXPECT_EQ(snapshot.seats_size(), 0);
    v1::Position before;
    before.set_epoch(snapshot.epoch());
    before.set_revision(1);
    WatchStream history(client->stub(), ShowtimeOf(i), before);
    const auto change = history.Next();
    ASSERT_TRUE(change.has_value());
    EXPECT_EQ(change->change().cause(), v1::CHANGE_CAUSE_EXPIRED);
    EXPECT_LE(ToMs(change->change().commit_time()),
              std::max(last_expire_ms, up_ms) + kPromiseMs + kSlackMs);
  }
}

TEST_F(ExpiryTest, ComesInTimeAfterTheServerWasDownAtExpireTime) {
  const int64_t last_expire_ms = LockMany(*NewClient());
  server_.Kill();
  // Nothing of ours runs meanwhile that could be waited for: another process counts the time.
  auto down = Process::Start({.binary = "/bin/sleep", .args = {"1.2"}});
  ASSERT_THAT((*down)->Wait(kStartTimeout), IsOk());
  ASSERT_GT(WallClockMs(), last_expire_ms);
  ASSERT_THAT(server_.Start(), IsOk());
  const int64_t up_ms = WallClockMs();

  auto client = NewClient();
  LetTimePass(*client, kPromiseMs + kSlackMs + 500);

  const auto snapshot = client->Get(ShowtimeOf(7)).response.snapshot();
  ASSERT_EQ(snapshot.revision(), 2u);
  v1::Position before;
  before.set_epoch(snapshot.epoch());
  before.set_revision(1);
  WatchStream history(client->stub(), ShowtimeOf(7), before);
  const auto change = history.Next();
  ASSERT_TRUE(change.has_value());
  EXPECT_LE(ToMs(change->change().commit_time()), up_ms + kPromiseMs + kSlackMs);
}

}  // namespace
}  // namespace seatlock::testing
