// A crowd that locks does not hold up who sells: engine/lane.h, with an engine moved by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

using ::testing::ElementsAre;

class LanesTest : public EngineTest {
 protected:
  static domain::Command Book(const std::string& session, const std::string& order,
                              std::vector<std::string> seats, bool only_held = false) {
    domain::BookSeats body;
    body.session = domain::SessionId(session);
    body.order = domain::OrderId(order);
    body.only_held = only_held;
    for (const std::string& seat : seats) body.seats.emplace_back(seat);
    return {{}, std::move(body)};
  }

  // An append is under way from now on, so what comes waits.
  void HoldOne() {
    Do(Lock("warm", {"Z1"}));
    log_.Hold();
    Submit(Lock("warm", {"Z2"}));
    Settle();
    ASSERT_THAT(log_.held(), ElementsAre(1));
  }
};

TEST_F(LanesTest, ABookingIsDecidedBeforeLocksThatCameEarlier) {
  HoldOne();
  std::vector<Told> locks;
  for (int i = 0; i < 3; ++i) locks.push_back(Submit(Lock("alice", {absl::StrCat("A", i)})));
  Told booking = Submit(Book("bob", "order", {"B1"}));
  log_.Release();
  Settle();
  EXPECT_EQ(RevisionOf(**booking), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(RevisionOf(**locks[i]), 4u + i);
}

TEST_F(LanesTest, ABookingFindsTheLocksThatItsSessionSentBefore) {
  HoldOne();
  Told other = Submit(Lock("alice", {"A1"}));
  Told lock = Submit(Lock("bob", {"B1"}));
  Told booking = Submit(Book("bob", "order", {"B1"}, /*only_held=*/true));
  log_.Release();
  Settle();
  EXPECT_EQ(RevisionOf(**lock), 3u);
  EXPECT_EQ(RevisionOf(**booking), 4u);
  EXPECT_EQ(RevisionOf(**other), 5u);
}

// The control of the test before: what another session sent is overtaken.
TEST_F(LanesTest, ABookingDoesNotFindTheLocksOfALaterCommand) {
  HoldOne();
  Told booking = Submit(Book("bob", "order", {"B1"}, /*only_held=*/true));
  Submit(Lock("bob", {"B1"}));
  log_.Release();
  Settle();
  EXPECT_TRUE(IsRefused(**booking, domain::Reason::kNotLockHolder));
}

TEST_F(LanesTest, AShowtimeThatIsFullOfLocksTakesBookings) {
  HoldOne();
  for (size_t i = 0; i < kPendingPerShowtimeMax; ++i) {
    Submit(Lock(absl::StrCat("s", i), {"A1"}));
  }
  EXPECT_TRUE(IsFailed(Do(Lock("late", {"A2"})), Failure::Kind::kOverloaded));
  Told booking = Submit(Book("bob", "order", {"B1"}));
  Settle();
  EXPECT_FALSE(booking->has_value()) << "it waits for the append, and is not refused";
  log_.Release();
  Settle();
  EXPECT_EQ(RevisionOf(**booking), 3u);
}

TEST_F(LanesTest, AServerThatIsFullOfLocksTakesBookings) {
  log_.Hold();
  const size_t showtimes = kPendingButSellingMax / kPendingPerShowtimeMax;
  const auto submit = [this](size_t show, domain::Command command) {
    return SubmitTo(*engine_, std::move(command), nullptr, absl::StrCat("show-", show));
  };
  for (size_t show = 0; show < showtimes; ++show) {
    for (size_t i = 0; i < kPendingPerShowtimeMax; ++i) {
      submit(show, Lock(absl::StrCat("s", i), {"A1"}));
    }
  }
  EXPECT_EQ(engine_->pending(Lane::kLocking), kPendingButSellingMax);
  Told lock = submit(showtimes, Lock("late", {"A1"}));
  ASSERT_TRUE(lock->has_value());
  EXPECT_TRUE(IsFailed(**lock, Failure::Kind::kOverloaded));
  Told booking = submit(showtimes, Book("bob", "order", {"B1"}));
  Settle();
  EXPECT_FALSE(booking->has_value()) << "it was taken";
  log_.Release();
  Settle();
  EXPECT_EQ(RevisionOf(**booking), 1u);
  EXPECT_EQ(engine_->pending(), 0u);
}

TEST_F(LanesTest, LocksGetAShareOfEachBatchHoweverMuchSells) {
  HoldOne();
  std::vector<Told> bookings;
  for (size_t i = 0; i < kBatchCommandsMax; ++i) {
    bookings.push_back(Submit(Book("bob", absl::StrCat("order-", i), {absl::StrCat("B", i)})));
  }
  Told lock = Submit(Lock("alice", {"A1"}));
  log_.ReleaseOne();
  Settle();
  ASSERT_THAT(log_.held(), ElementsAre(kBatchCommandsMax));
  log_.ReleaseOne();
  Settle();
  EXPECT_TRUE(lock->has_value());
  EXPECT_FALSE(bookings.back()->has_value());
  log_.Release();
  Settle();
  EXPECT_TRUE(bookings.back()->has_value());
}

TEST_F(LanesTest, ABookingIsAnsweredWhileThreadsAreBusyWithLocks) {
  testing::ManualExecutor selling;
  Engine::Options options = OptionsOver(log_);
  options.selling_completions = &selling;
  engine_.reset();
  engine_.emplace(std::move(options));
  Do(Lock("alice", {"A1"}));
  DoIn("other", Lock("alice", {"A1"}));
  Told lock = Submit(Lock("alice", {"A2"}));
  Told booking = SubmitTo(*engine_, Book("bob", "order", {"B1"}), nullptr, "other");
  selling.RunAll();
  EXPECT_TRUE(booking->has_value());
  EXPECT_FALSE(lock->has_value());
  Settle();
  EXPECT_TRUE(lock->has_value());
  engine_.reset();
}

}  // namespace
}  // namespace seatlock::engine
