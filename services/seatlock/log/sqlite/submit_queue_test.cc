#include "services/seatlock/log/sqlite/submit_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "services/seatlock/log/sqlite/limits.h"

namespace seatlock::log {
namespace {

using ::testing::ElementsAre;

constexpr std::chrono::milliseconds kNoWait{0};

Job AppendOf(const std::string& showtime, bool sells) {
  AppendJob job;
  job.request.showtime = domain::ShowtimeId(showtime);
  job.request.sells = sells;
  return job;
}

std::string NameOf(const Job& job) {
  if (const auto* append = std::get_if<AppendJob>(&job)) return append->request.showtime.value();
  if (std::holds_alternative<RecoverJob>(job)) return "recover";
  return "other";
}

class SubmitQueueTest : public ::testing::Test {
 protected:
  bool Push(Job job) { return queue_.Push(job); }
  bool PushLock(const std::string& name) { return Push(AppendOf(name, false)); }
  bool PushSale(const std::string& name) { return Push(AppendOf(name, true)); }
  std::vector<std::string> Take() {
    std::vector<std::string> names;
    const auto jobs = queue_.Take(kNoWait);
    if (!jobs) return {"stopped"};
    for (const Job& job : *jobs) names.push_back(NameOf(job));
    return names;
  }

  SubmitQueue queue_{kQueueBytesMaxDefault};
};

TEST_F(SubmitQueueTest, WhatSellsGoesFirst) {
  PushLock("lock 1");
  PushSale("sale 1");
  PushLock("lock 2");
  PushSale("sale 2");
  EXPECT_THAT(Take(), ElementsAre("sale 1", "sale 2", "lock 1", "lock 2"));
  EXPECT_EQ(queue_.bytes(), 0u);
}

TEST_F(SubmitQueueTest, ACrowdOfLocksDoesNotPutASaleOff) {
  for (size_t i = 0; i < 3 * kBatchJobsMax; ++i) PushLock("lock");
  PushSale("sale");
  EXPECT_EQ(Take().front(), "sale");
}

TEST_F(SubmitQueueTest, ACrowdOfSalesDoesNotPutLocksOffForEver) {
  for (size_t i = 0; i < 3 * kBatchJobsMax; ++i) PushSale("sale");
  PushLock("lock");
  EXPECT_EQ(Take().back(), "lock");
}

TEST_F(SubmitQueueTest, AJobThatGoesAloneGetsItsTurn) {
  Push(SnapshotJob{});
  PushSale("sale 1");
  EXPECT_THAT(Take(), ElementsAre("sale 1"));
  PushSale("sale 2");
  EXPECT_THAT(Take(), ElementsAre("other"));
  EXPECT_THAT(Take(), ElementsAre("sale 2"));
}

TEST_F(SubmitQueueTest, ARecoveryComesAfterAllThatWasSubmittedBefore) {
  Push(SnapshotJob{});
  PushSale("sale 1");
  EXPECT_THAT(Take(), ElementsAre("sale 1"));
  // It is the others' turn, and yet the recovery waits for this one.
  PushSale("sale 2");
  Push(RecoverJob{});
  PushSale("sale 3");
  std::vector<std::string> taken;
  for (int i = 0; i < 4; ++i) {
    for (std::string& name : Take()) taken.push_back(std::move(name));
  }
  const auto at = [&taken](const char* name) {
    return std::find(taken.begin(), taken.end(), name) - taken.begin();
  };
  EXPECT_LT(at("sale 2"), at("recover"));
  EXPECT_EQ(taken.size(), 4u);
}

TEST_F(SubmitQueueTest, TheLastQuarterIsForWhatSells) {
  size_t locks = 0;
  while (PushLock("lock")) ++locks;
  EXPECT_EQ(locks, kQueueBytesMaxDefault / 4 * 3 / kJobOverheadBytes);
  size_t sales = 0;
  while (PushSale("sale")) ++sales;
  EXPECT_EQ(sales, kQueueBytesMaxDefault / 4 / kJobOverheadBytes);
}

}  // namespace
}  // namespace seatlock::log
