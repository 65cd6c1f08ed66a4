#include "common/base/executor.h"

#include <gtest/gtest.h>

#include <vector>

namespace seatlock::base {
namespace {

TEST(ThreadExecutorTest, RunsTasksInOrderAndFinishesThemBeforeItIsGone) {
  std::vector<int> ran;
  {
    ThreadExecutor executor;
    for (int i = 0; i < 1000; ++i) executor.Post([&ran, i] { ran.push_back(i); });
  }
  ASSERT_EQ(ran.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ran[i], i);
}

TEST(ThreadExecutorTest, ATaskMayPostATask) {
  int ran = 0;
  {
    ThreadExecutor executor;
    executor.Post([&] { executor.Post([&] { ++ran; }); });
  }
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace seatlock::base
