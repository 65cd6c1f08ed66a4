// Workers and followers that know all servers of a cluster, and the judgement of what they saw.
// Thread-compatible.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/cluster/history.h"
#include "tests/testing/eventually.h"
#include "tests/testing/load_follower.h"
#include "tests/testing/load_progress.h"
#include "tests/testing/load_worker.h"
#include "tests/testing/model_judge.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {

class ClusterLoad {
 public:
  struct Options {
    int workers = 12;
    int followers_per_showtime = 1;
    uint64_t seed = 0;
    // A server that stands still must not hold its callers for long: they ask the next one.
    std::chrono::milliseconds deadline{2'000};
  };

  // Starts at once. Each caller begins with another of `servers`.
  ClusterLoad(std::vector<std::string> servers, const Options& options) {
    progress_.Restarted();
    for (int i = 0; i < options.workers; ++i) {
      std::rotate(servers.begin(), servers.begin() + 1, servers.end());
      workers_.push_back(std::make_unique<Worker>(
          i, servers, progress_,
          options.seed * static_cast<uint64_t>(options.workers) + static_cast<uint64_t>(i),
          Worker::Options{.deadline = options.deadline,
                          // Callers hold up to three seats each: some must be left.
                          .seats = std::max(kSeats, options.workers)}));
    }
    for (int i = 0; i < kShowtimes * options.followers_per_showtime; ++i) {
      std::rotate(servers.begin(), servers.begin() + 1, servers.end());
      followers_.push_back(std::make_unique<Follower>(ShowtimeOf(i % kShowtimes), servers));
    }
    for (auto& worker : workers_) {
      worker_threads_.emplace_back([this, &worker] { worker->Run(stop_); });
    }
    for (auto& follower : followers_) {
      follower_threads_.emplace_back([&follower] { follower->Run(); });
    }
  }
  ~ClusterLoad() {
    StopWorkers();
    for (auto& follower : followers_) follower->GiveUp();
    JoinFollowers();
  }

  Progress& progress() { return progress_; }

  // Judges everything against the histories that `server` shows; nothing may be found. Servers and
  // store must be up.
  void StopAndJudge(const std::string& server) {
    EXPECT_THAT(StopAndFind(server), ::testing::IsEmpty());
  }
  // The same; what was found, a line each, at most one objection of the judge for a showtime.
  std::vector<std::string> StopAndFind(const std::string& server) {
    StopWorkers();
    std::vector<History> ends;
    for (int i = 0; i < kShowtimes; ++i) ends.push_back(EndOf(i, server));
    JoinFollowers();
    const std::vector<Call> calls = Calls();
    for (int i = 0; i < kShowtimes; ++i) JudgeShowtime(i, ends[static_cast<size_t>(i)], calls);
    std::cout << "judged " << Describe(judged_) << "; " << retried_ << " retries\n";
    return found_;
  }

  // After StopAndJudge or StopAndFind.
  const Judged& judged() const { return judged_; }
  int retried() const { return retried_; }
  // How often a follower was shown a snapshot in place of what it missed.
  int replaces() const { return replaces_; }
  int streams() const { return streams_; }

 private:
  void Find(int index, const std::string& what) {
    if (!what.empty()) found_.push_back(ShowtimeOf(index) + ": " + what);
  }

  void StopWorkers() {
    stop_ = true;
    for (std::thread& thread : worker_threads_) thread.join();
    worker_threads_.clear();
  }

  void JoinFollowers() {
    for (std::thread& thread : follower_threads_) thread.join();
    follower_threads_.clear();
  }

  std::vector<Call> Calls() {
    std::vector<Call> calls;
    for (const auto& worker : workers_) {
      if (!worker->problem().empty()) found_.push_back("a worker: " + worker->problem());
      retried_ += worker->retried();
      calls.insert(calls.end(), worker->calls().begin(), worker->calls().end());
    }
    for (const auto& follower : followers_) {
      calls.insert(calls.end(), follower->calls().begin(), follower->calls().end());
    }
    return calls;
  }

  // Ends the showtime's followers where they must be then.
  History EndOf(int index, const std::string& server) {
    History end = FinalHistory(ShowtimeOf(index), server);
    for (const std::string& problem : end.problems) Find(index, problem);
    for (size_t i = static_cast<size_t>(index); i < followers_.size(); i += kShowtimes) {
      Follower& follower = *followers_[i];
      follower.FinishAt(end.last.revision());
      if (!Eventually([&] { return follower.revision() >= end.last.revision(); }))
        follower.GiveUp();
    }
    return end;
  }

  void JudgeShowtime(int index, const History& end, const std::vector<Call>& calls) {
    const auto judged = JudgeByModel(ShowtimeOf(index), end.changes, calls);
    if (judged.ok()) judged_.Add(*judged);
    Find(index, std::string(judged.status().message()));
    for (size_t i = static_cast<size_t>(index); i < followers_.size(); i += kShowtimes) {
      const Follower& follower = *followers_[i];
      Find(index, follower.problem());
      Find(index, follower.view().DifferencesFrom(end.last));
      if (!ShowsPartOf(end.changes, follower.view().changes())) {
        Find(index, "a follower was shown a change that is not in the log");
      }
      replaces_ += follower.view().replaces();
      streams_ += follower.streams();
    }
  }

  // Whether each of `shown` is in `changes`, word for word but for the epoch: that one is new for
  // whoever asks after a restart of the store.
  static bool ShowsPartOf(const std::vector<v1::Change>& changes,
                          const std::vector<v1::Change>& shown) {
    const auto words = [](v1::Change change) {
      change.clear_epoch();
      return change.SerializeAsString();
    };
    return std::all_of(shown.begin(), shown.end(), [&](const v1::Change& change) {
      const uint64_t at = change.revision() - 1;
      return at < changes.size() && words(changes[at]) == words(change);
    });
  }

  Progress progress_;
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Follower>> followers_;
  std::vector<std::thread> worker_threads_;
  std::vector<std::thread> follower_threads_;  // of followers_, by index
  std::vector<std::string> found_;
  Judged judged_;
  int retried_ = 0;
  int replaces_ = 0;
  int streams_ = 0;
};

}  // namespace seatlock::testing
