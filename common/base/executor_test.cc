#include "common/base/executor.h"

#include <gtest/gtest.h>

#include <future>
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

TEST(ThreadExecutorTest, CountsTheTasksThatHaveRun) {
  ThreadExecutor executor;
  std::promise<void> last;
  for (int i = 0; i < 9; ++i) executor.Post([] {});
  executor.Post([&last] { last.set_value(); });
  last.get_future().wait();
  // The tenth is counted only once it has returned.
  EXPECT_GE(executor.finished(), 9u);
  EXPECT_LE(executor.finished(), 10u);
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
