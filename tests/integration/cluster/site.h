// A site on several servers: callers with a list of them, and for each showtime a watch of the C++
// client and pages behind edges. All is judged by the final log. Thread-compatible.
#pragma once

#include <gmock/gmock.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/cluster/client_load.h"
#include "tests/integration/cluster/followers.h"
#include "tests/integration/cluster/history.h"
#include "tests/testing/model_judge.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {

class Site {
 public:
  struct Options {
    int callers = 4;
    // Acknowledged calls after which LetThemSell returns.
    int acks = 60;
    uint64_t seed = 0;
  };

  // Starts at once. Each showtime has a page for each list of `edges`.
  Site(const std::vector<std::string>& servers, const std::vector<std::vector<std::string>>& edges,
       const Options& options)
      : options_(options), load_({.servers = servers}, options.callers, options.seed) {
    for (int i = 0; i < kShowtimes; ++i) {
      watches_.push_back(std::make_unique<ClientFollower>(load_.client(), ShowtimeOf(i)));
      for (const std::vector<std::string>& list : edges) pages_.Add(ShowtimeOf(i), list);
    }
  }

  Pages& pages() { return pages_; }

  void LetThemSell() {
    load_.progress().Restarted();
    ASSERT_TRUE(load_.progress().WaitForAcks(options_.acks));
  }

  void StopCallers() { load_.Stop(); }

  // No call failed, each answer is the model's, and who looked on was shown the log of `server`.
  // `more` was asked by others.
  void StopAndJudge(const std::string& server, const std::vector<Call>& more = {}) {
    load_.Stop();
    EXPECT_THAT(load_.Failures(), ::testing::IsEmpty());
    std::vector<Call> calls = load_.Calls();
    calls.insert(calls.end(), more.begin(), more.end());
    Judged all_judged;
    for (int i = 0; i < kShowtimes; ++i) {
      SCOPED_TRACE(ShowtimeOf(i));
      const std::vector<v1::Change> log = FinalLog(ShowtimeOf(i), server);
      const auto judged = JudgeByModel(ShowtimeOf(i), log, calls);
      EXPECT_THAT(judged, IsOk());
      if (judged.ok()) all_judged.Add(*judged);
      watches_[static_cast<size_t>(i)]->Judge(log);
      pages_.Judge(ShowtimeOf(i), log);
    }
    EXPECT_GT(all_judged.changes, 0);
    std::cout << "judged " << Describe(all_judged) << "; " << calls.size() << " calls, the longest "
              << load_.Longest().count() << " ms\n";
  }

 private:
  const Options options_;
  ClientLoad load_;
  std::vector<std::unique_ptr<ClientFollower>> watches_;
  Pages pages_;
};

}  // namespace seatlock::testing
