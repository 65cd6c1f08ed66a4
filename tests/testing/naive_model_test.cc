#include "tests/testing/naive_model.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/testing/seed.h"

namespace seatlock::domain::testing {
namespace {

class RandomCommands {
 public:
  explicit RandomCommands(uint64_t seed) : random_(seed) {}

  Command Next() {
    Command command{.body = Body()};
    if (Below(2) == 0) command.request_id = RequestId("r" + std::to_string(Below(40)));
    return command;
  }

 private:
  using Body_ = decltype(Command::body);

  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint64_t>(bound)); }
  SessionId Session() { return SessionId("s" + std::to_string(Below(3))); }
  OrderId Order() { return OrderId("o" + std::to_string(Below(5))); }
  SeatId Seat() { return SeatId("A" + std::to_string(Below(4))); }

  Body_ Body() {
    switch (Below(6)) {
      case 0:
        return UnlockSeats{.session = Session(), .seats = {Seat()}};
      case 1:
        return ExtendLocks{.session = Session(), .all = true, .ttl_ms = 700'000};
      case 2:
        return BookSeats{.session = Session(),
                         .order = Order(),
                         .seats = {Seat()},
                         .fences = {{Seat(), Fence(static_cast<uint64_t>(Below(20)))}}};
      case 3:
        return CancelBooking{.order = Order(), .all = true};
      case 4:
        return ExpireLocks{};
      default:
        return LockSeats{.session = Session(), .seats = {Seat(), Seat()}, .ttl_ms = 60'000};
    }
  }

  std::mt19937_64 random_;
};

TEST(NaiveModelTest, SaysWhatItWouldDoAndStaysAsItIs) {
  RandomCommands commands(seatlock::testing::TestSeed());
  NaiveModel model(100, 7'200'000);
  int64_t now_ms = 1'000'000;
  for (int i = 0; i < 5'000; ++i) {
    const Command command = commands.Next();
    now_ms += i % 7 == 0 ? 20'000 : 5;

    const Outcome would = model.WouldDo(command, now_ms);

    ASSERT_EQ(Describe(would), Describe(model.Do(command, now_ms))) << Describe(command);
    ASSERT_EQ(Describe(model.WouldDo(command, now_ms)), Describe(model.WouldDo(command, now_ms)));
  }
}

}  // namespace
}  // namespace seatlock::domain::testing
