// Servers and edges that are restarted one after another, as an operator does it, on one Redis and
// under load; all real processes. Callers with a list of servers see no failed call; watches and
// pages miss no change and are shown no snapshot again. All is judged by the final log.
#include <gmock/gmock.h>

#include <iostream>
#include <memory>
#include <random>

#include "absl/strings/str_join.h"
#include "tests/integration/cluster/client_load.h"
#include "tests/integration/cluster/final_log.h"
#include "tests/integration/cluster/followers.h"
#include "tests/integration/cluster/looks.h"
#include "tests/integration/cluster/server_group.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/rounds.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kServers = 3;
constexpr int kCallers = 6;
constexpr int kAcks = 60;

class RollingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::cout << "seed " << seed_ << "\n";
    ASSERT_NO_FATAL_FAILURE(InitStore(store_));
    ASSERT_NO_FATAL_FAILURE(servers_.Start());
    for (size_t i = 0; i < servers_.size(); ++i) {
      ASSERT_TRUE(BecomesReady(servers_[i].admin_address()));
    }
    for (auto& edge : edges_) ASSERT_NO_FATAL_FAILURE(StartAnEdge(edge));
    load_ = std::make_unique<ClientLoad>(client::ClientOptions{.servers = servers_.addresses()},
                                         kCallers, seed_);
    for (int i = 0; i < kShowtimes; ++i) {
      watches_.push_back(std::make_unique<ClientFollower>(load_->client(), ShowtimeOf(i)));
      pages_.Add(ShowtimeOf(i), {edges_[0]->address(), edges_[1]->address()});
      pages_.Add(ShowtimeOf(i), {edges_[1]->address(), edges_[0]->address()});
    }
    ASSERT_TRUE(pages_.AllOpened());
  }

  // The first time on a free port, then on the same.
  void StartAnEdge(std::unique_ptr<Program>& edge) {
    ProgramOptions options;
    options.binary = EDGE_BINARY;
    options.upstream = absl::StrJoin(servers_.addresses(), ",");
    if (edge) options.listen = edge->address();
    auto started = StartEdge(options);
    ASSERT_THAT(started, IsOk());
    edge = *std::move(started);
  }

  // Takes one server out, lets the others sell for a while, and brings it back.
  void Restart(TestServer& server) {
    const auto ended = server.Stop();
    ASSERT_THAT(ended, IsOk());
    EXPECT_EQ(*ended, (ProcessExit{.code = 0, .signal = 0}));
    load_->progress().Restarted();
    ASSERT_TRUE(load_->progress().WaitForAcks(kAcks));
    ASSERT_THAT(server.Start(), IsOk());
    ASSERT_TRUE(BecomesReady(server.admin_address()));
    load_->progress().Restarted();
    ASSERT_TRUE(load_->progress().WaitForAcks(kAcks));
  }

  // Its pages go to the other one and resume there.
  void Restart(std::unique_ptr<Program>& edge) {
    const auto ended = edge->Stop();
    ASSERT_THAT(ended, IsOk());
    EXPECT_EQ(*ended, (ProcessExit{.code = 0, .signal = 0}));
    load_->progress().Restarted();
    ASSERT_TRUE(load_->progress().WaitForAcks(kAcks));
    EXPECT_EQ(SanitizerReport(edge->process()), "");
    ASSERT_NO_FATAL_FAILURE(StartAnEdge(edge));
  }

  void StopAndJudge() {
    load_->Stop();
    EXPECT_THAT(load_->Failures(), IsEmpty());
    const std::vector<Operation> operations = load_->Operations();
    for (int i = 0; i < kShowtimes; ++i) {
      SCOPED_TRACE(ShowtimeOf(i));
      const std::vector<v1::Change> log = FinalLog(ShowtimeOf(i), servers_[0].address());
      EXPECT_THAT(CheckHistory(ShowtimeOf(i), log, operations), IsOk());
      EXPECT_THAT(CheckRefusals(ShowtimeOf(i), log, operations), IsOk());
      watches_[static_cast<size_t>(i)]->Judge(log);
      pages_.Judge(ShowtimeOf(i), log);
    }
    Report(operations.size());
  }

  void Report(size_t operations) {
    int stale = 0;
    int visits = 0;
    for (const auto& page : pages_.all()) {
      stale += page->stale();
      visits += page->visits();
    }
    std::cout << operations << " calls, the longest " << load_->Longest().count() << " ms; "
              << visits << " visits of pages, " << stale << " times stale\n";
  }

  const uint64_t seed_ = std::random_device()();
  RedisServer redis_;
  const std::string store_ = "redis://127.0.0.1:" + std::to_string(redis_.port());
  ServerGroup servers_{kServers, store_};
  std::unique_ptr<Program> edges_[2];
  std::unique_ptr<ClientLoad> load_;
  std::vector<std::unique_ptr<ClientFollower>> watches_;
  Pages pages_;
};

TEST_F(RollingTest, ServersRestartedOneAfterAnotherFailNoCallAndHideNoChange) {
  const int passes = Rounds(1);
  for (int pass = 0; pass < passes; ++pass) {
    for (size_t i = 0; i < servers_.size(); ++i) {
      ASSERT_NO_FATAL_FAILURE(Restart(servers_[i])) << "pass " << pass << ", server " << i;
      // Half of the pages also resume while servers come and go.
      for (size_t page = 0; page < pages_.all().size(); page += 2) pages_.all()[page]->Leave();
    }
  }
  StopAndJudge();
}

TEST_F(RollingTest, APageWhoseEdgeIsRestartedResumesOnAnother) {
  const int passes = Rounds(1);
  for (int pass = 0; pass < passes; ++pass) {
    for (auto& edge : edges_) ASSERT_NO_FATAL_FAILURE(Restart(edge)) << "pass " << pass;
  }
  StopAndJudge();
  for (const auto& page : pages_.all()) EXPECT_GE(page->resumed(), 1) << page->showtime();
}

// Control: callers that know one server and do not ask again do see its restart, and pages whose
// history has become another one do object to the snapshot.
TEST_F(RollingTest, ControlWithoutAListOrWithAnotherHistoryTheTestNotices) {
  ClientLoad alone({.servers = {servers_[0].address()}, .retries = 0}, kCallers, seed_ + 1);
  ASSERT_TRUE(alone.progress().WaitForAcks(kAcks));
  ASSERT_NO_FATAL_FAILURE(Restart(servers_[0]));
  alone.Stop();
  EXPECT_THAT(alone.Failures(), Not(IsEmpty()));

  load_->Stop();
  redis_.Kill();
  redis_.Start();
  for (const auto& page : pages_.all()) {
    EXPECT_TRUE(Eventually([&] { return page->ended(); }));
    EXPECT_THAT(page->problem(), HasSubstr("a snapshot after the first"));
  }
}

}  // namespace
}  // namespace seatlock::testing
