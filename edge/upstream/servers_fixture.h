// For tests: sources that follow showtimes on several servers of one store, over real gRPC; time
// and the strand are the test's. Thread-compatible.
#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/rendezvous.h"
#include "edge/limits.h"
#include "edge/showtime/backfill_turns.h"
#include "edge/showtime/source.h"
#include "edge/upstream/watch_client.h"
#include "tests/integration/edge/fake_service.h"
#include "tests/testing/manual_executor.h"
#include "tests/testing/source_fakes.h"

namespace seatlock::edge {

class ServersTest : public ::testing::Test {
 protected:
  static constexpr std::chrono::seconds kPatience{20};

  // A showtime that somebody looks at.
  struct Viewed {
    testing::FakeSourceListener viewer;
    std::vector<std::string> words;  // What it heard.
    std::shared_ptr<Source> source;
    int refusals = 0;
  };

  ~ServersTest() override { EndClient(); }

  void EndClient() {
    viewed_.clear();
    client_.reset();
    EXPECT_EQ(stats_.upstream_streams, 0);
  }
  // Servers of one store.
  void StartServers(size_t count) {
    while (servers_.size() < count) {
      servers_.push_back(servers_.empty()
                             ? std::make_unique<testing::FakeService>()
                             : std::make_unique<testing::FakeService>(*servers_.front()));
    }
    std::vector<std::string> addresses;
    for (const auto& server : servers_) addresses.push_back(server->address());
    StartClient(addresses);
  }
  void StartClient(const std::vector<std::string>& targets, Resolver* resolver = nullptr) {
    client_ = std::make_unique<WatchClient>(WatchClient::Options{
        .targets = targets,
        .clock = &clock_,
        .executor = &strand_,
        .timers = &timers_,
        .stats = &stats_,
        .resolver = resolver,
        .on_upstream = [this](bool up) { told_.push_back(up ? "back" : "lost"); },
        .on_server = [this](const std::string& server,
                            bool up) { told_.push_back(server + (up ? " back" : " away")); },
        .on_name = [this](const std::string& name,
                          const std::string& problem) { told_.push_back(name + " " + problem); }});
    env_ = std::make_unique<SourceEnv>(SourceEnv{clock_, timers_, *client_, stats_, history_});
  }
  // Turns one of several off, and waits until that is known.
  void Stop(testing::FakeService& server) {
    server.Stop();
    RunUntil([&] {
      for (const ServerStatus& one : client_->servers()) {
        if (one.address == server.address()) return one.state == ServerState::kAway;
      }
      return false;
    });
  }
  size_t CountOf(ServerState state) const {
    size_t count = 0;
    for (const ServerStatus& server : client_->servers()) count += server.state == state ? 1 : 0;
    return count;
  }

  // Runs what gRPC posts to the strand, and what is due now.
  void Run() {
    strand_.RunAll();
    timers_.AdvanceMs(0);
    for (auto& [id, one] : viewed_) {
      for (std::string& word : one->viewer.Take()) one->words.push_back(std::move(word));
    }
  }
  void RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    bool is_done = false;
    while (Run(), !(is_done = done()) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    ASSERT_TRUE(is_done);
  }
  // A little at a time; streams that are begun or ended meanwhile reach the other side before more
  // time passes, and with PassMs() each showtime is down to one stream by then.
  void PassMs(int64_t ms) {
    Pass(ms, [this] { return Settled() && client_->streams() == Showtimes(); });
  }
  void PassUnsettledMs(int64_t ms) {
    Pass(ms, [this] { return Settled(); });
  }
  void PassMsUntil(int64_t ms, const std::function<bool()>& done) {
    for (int64_t passed = 0; passed < ms && !done(); passed += kStepMs) PassMs(kStepMs);
    RunUntil(done);
  }
  void PassUntil(int64_t ms, const std::function<bool()>& done) {
    for (int64_t passed = 0; passed < ms && !done(); passed += kStepMs) PassUnsettledMs(kStepMs);
    RunUntil(done);
  }
  void Pass(int64_t ms, const std::function<bool()>& settled) {
    for (int64_t passed = 0; passed < ms; passed += kStepMs) {
      timers_.AdvanceMs(std::min(kStepMs, ms - passed));
      RunUntil(settled);
    }
  }
  bool Settled() const {
    int streams = 0;
    for (const auto& server : servers_) streams += server->streams();
    return client_->streams() == streams;
  }
  int64_t Showtimes() const { return static_cast<int64_t>(viewed_.size()); }
  // A server was started again: it is asked again in time. No more time passes than that takes.
  void WaitUntilServing(size_t count) {
    PassUntil(kStreamBackoffMsMax, [&] { return CountOf(ServerState::kServing) == count; });
  }

  // Begins to look at a showtime, and waits until it is live.
  Viewed& View(const std::string& id) {
    Viewed& one = Open(id);
    RunUntil([&] { return Live(one); });
    one.words.clear();
    return one;
  }
  Viewed& Open(const std::string& id) {
    Viewed& one = *(viewed_[id] = std::make_unique<Viewed>());
    one.source =
        std::make_shared<Source>(*env_, turns_, id, [&one](const Refusal&) { ++one.refusals; });
    one.source->Start();
    one.source->Add(&one.viewer);
    return one;
  }
  static bool Live(const Viewed& one) {
    return !one.words.empty() &&
           (one.words.back().starts_with("entry") || one.words.back().ends_with("live"));
  }

  void Say(const std::string& id) { Say(id, *servers_.front()); }
  void Say(const std::string& id, testing::FakeService& server) {
    server.Say(id, testing::ChangeOf(v1::CHANGE_CAUSE_LOCK, {testing::LockedSeat("A1", "s")}));
  }
  // Says a change, and waits until it is heard.
  void SayAndHear(const std::string& id) { SayAndHear(id, *servers_.front()); }
  void SayAndHear(const std::string& id, testing::FakeService& server) {
    Viewed& one = *viewed_.at(id);
    const size_t before = one.words.size();
    Say(id, server);
    RunUntil([&] { return one.words.size() > before; });
  }

  std::vector<size_t> RankOf(const std::string& id) const {
    std::vector<std::string> addresses;
    for (const auto& server : servers_) addresses.push_back(server->address());
    return base::RankServers(addresses, id);
  }
  testing::FakeService& ServerOf(const std::string& id, size_t place = 0) {
    return *servers_[RankOf(id)[place]];
  }
  int StreamsOf(const testing::FakeService& server) const { return server.streams(); }
  int Snapshots() const {
    int sum = 0;
    for (const auto& server : servers_) sum += server->snapshots();
    return sum;
  }

  static constexpr int64_t kStepMs = 50;

  std::vector<std::unique_ptr<testing::FakeService>> servers_;
  testing::FakeClock clock_;
  testing::FakeTimers timers_{clock_};
  testing::ManualExecutor strand_;
  Stats stats_;
  HistoryBudget history_{stats_};
  BackfillTurns turns_;
  std::vector<std::string> told_;
  std::unique_ptr<WatchClient> client_;
  std::unique_ptr<SourceEnv> env_;
  std::map<std::string, std::unique_ptr<Viewed>> viewed_;
};

}  // namespace seatlock::edge
