#include "common/base/gate.h"

#include <gtest/gtest.h>

#include <thread>

namespace seatlock::base {
namespace {

using std::chrono::milliseconds;

TEST(GateTest, ClosingWaitsForWhoIsInsideAndKeepsOthersOut) {
  Gate gate;
  ASSERT_TRUE(gate.Enter());
  std::thread inside([&] { gate.Leave(); });
  gate.CloseAndWait();
  inside.join();
  EXPECT_FALSE(gate.Enter());
}

TEST(GateTest, WaitingForEmptyGivesUpInTimeAndLeavesTheGateOpen) {
  Gate gate;
  ASSERT_TRUE(gate.Enter());
  gate.WaitUntilEmpty(milliseconds(1));
  EXPECT_TRUE(gate.Enter());
  gate.Leave();
  gate.Leave();
  gate.WaitUntilEmpty(milliseconds(60'000));
  EXPECT_TRUE(gate.Enter());
}

TEST(GateTest, WhoIsInsideWhenItClosesMayStay) {
  Gate gate;
  ASSERT_TRUE(gate.Enter());
  gate.Close();
  EXPECT_TRUE(gate.closed());
  EXPECT_FALSE(gate.Enter());
  gate.WaitUntilEmpty(milliseconds(1));
  gate.Leave();
  gate.WaitUntilEmpty(milliseconds(60'000));
}

}  // namespace
}  // namespace seatlock::base
