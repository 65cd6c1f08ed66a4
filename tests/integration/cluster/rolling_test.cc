// Servers and edges that are restarted one after another, as an operator does it, on one Redis and
// under load; all real processes. Callers with a list of servers see no failed call; watches and
// pages miss no change and are shown no snapshot again. All is judged by the final log.
//
// A round is one pass: each server, or each edge, is restarted once.
#include <gmock/gmock.h>

#include <iostream>
#include <memory>

#include "absl/strings/str_join.h"
#include "tests/integration/cluster/client_load.h"
#include "tests/integration/cluster/server_group.h"
#include "tests/integration/cluster/site.h"
#include "tests/integration/looks.h"
#include "tests/integration/start_edge.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seed.h"
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
    ASSERT_NO_FATAL_FAILURE(InitStore(store_));
    ASSERT_NO_FATAL_FAILURE(servers_.Start());
    for (auto& edge : edges_) ASSERT_NO_FATAL_FAILURE(StartAnEdge(edge));
    const std::string first = edges_[0]->address();
    const std::string second = edges_[1]->address();
    site_ = std::make_unique<Site>(
        servers_.addresses(),
        std::vector<std::vector<std::string>>{{first, second}, {second, first}},
        Site::Options{.callers = kCallers, .acks = kAcks, .seed = seed_});
    ASSERT_TRUE(site_->pages().AllOpened());
  }

  void StartAnEdge(std::unique_ptr<Program>& edge) {
    StartEdgeOn(absl::StrJoin(servers_.addresses(), ","), edge);
  }

  // Takes one server out, lets the others sell for a while, and brings it back.
  void Restart(TestServer& server) {
    const auto ended = server.Stop();
    ASSERT_THAT(ended, IsOk());
    EXPECT_EQ(*ended, (ProcessExit{.code = 0, .signal = 0}));
    ASSERT_NO_FATAL_FAILURE(site_->LetThemSell());
    ASSERT_THAT(server.Start(), IsOk());
    ASSERT_TRUE(BecomesReady(server));
    ASSERT_NO_FATAL_FAILURE(site_->LetThemSell());
  }

  // Its pages go to the other one and resume there.
  void Restart(std::unique_ptr<Program>& edge) {
    const auto ended = edge->Stop();
    ASSERT_THAT(ended, IsOk());
    EXPECT_EQ(*ended, (ProcessExit{.code = 0, .signal = 0}));
    ASSERT_NO_FATAL_FAILURE(site_->LetThemSell());
    EXPECT_EQ(SanitizerReport(edge->process()), "");
    ASSERT_NO_FATAL_FAILURE(StartAnEdge(edge));
  }

  void StopAndJudge() {
    site_->StopAndJudge(servers_[0].address());
    int stale = 0;
    int visits = 0;
    for (const auto& page : pages()) {
      stale += page->stale();
      visits += page->visits();
    }
    std::cout << visits << " visits of pages, " << stale << " times stale\n";
  }
  const std::vector<std::unique_ptr<Page>>& pages() const { return site_->pages().all(); }

  const uint64_t seed_ = TestSeed();
  RedisServer redis_;
  const std::string store_ = UrlOf(redis_);
  ServerGroup servers_{kServers, store_};
  std::unique_ptr<Program> edges_[2];
  std::unique_ptr<Site> site_;
};

TEST_F(RollingTest, ServersRestartedOneAfterAnotherFailNoCallAndHideNoChange) {
  const int passes = Rounds(1);
  for (int pass = 0; pass < passes; ++pass) {
    for (size_t i = 0; i < servers_.size(); ++i) {
      ASSERT_NO_FATAL_FAILURE(Restart(servers_[i])) << "pass " << pass << ", server " << i;
      // Half of the pages also resume while servers come and go.
      for (size_t page = 0; page < pages().size(); page += 2) pages()[page]->Leave();
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
  for (const auto& page : pages()) EXPECT_GE(page->resumed(), 1) << page->showtime();
}

// Control: callers that know one server and do not ask again do see its restart, and pages whose
// history has become another one do object to the snapshot.
TEST_F(RollingTest, ControlWithoutAListOrWithAnotherHistoryTheTestNotices) {
  ClientLoad alone({.servers = {servers_[0].address()}, .retries = 0}, kCallers, seed_ + 1);
  ASSERT_TRUE(alone.progress().WaitForAcks(kAcks));
  ASSERT_NO_FATAL_FAILURE(Restart(servers_[0]));
  alone.Stop();
  EXPECT_THAT(alone.Failures(), Not(IsEmpty()));

  site_->StopCallers();
  redis_.Kill();
  redis_.Start();
  for (const auto& page : pages()) {
    EXPECT_TRUE(Eventually([&] { return page->ended(); }));
    EXPECT_THAT(page->problem(), HasSubstr("a snapshot after the first"));
  }
}

}  // namespace
}  // namespace seatlock::testing
