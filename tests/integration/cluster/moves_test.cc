// The server that showtimes prefer is killed (kill -9) and started again, under load; all real
// processes on one Redis. An edge and watches of the C++ client move to the next server with their
// positions and return once it is back; the edge says which servers it follows. Callers see no
// failed call, and nobody who looks on a hole or a snapshot.
//
// A round is one kill of the server, and its return.
#include <gmock/gmock.h>

#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/rendezvous.h"
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

constexpr int kServers = 3;
constexpr int kCallers = 4;
constexpr int kAcks = 60;
// An edge and a watch return some seconds after a server is back, each when it pleases.
constexpr std::chrono::seconds kReturnMax{40};

class MovesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(InitStore(store_));
    ASSERT_NO_FATAL_FAILURE(servers_.Start());
    ASSERT_NO_FATAL_FAILURE(StartEdgeOn(absl::StrJoin(servers_.addresses(), ","), edge_));
    site_ = std::make_unique<Site>(
        servers_.addresses(), std::vector<std::vector<std::string>>{{edge_->address()}},
        Site::Options{.callers = kCallers, .acks = kAcks, .seed = seed_});
    ASSERT_TRUE(site_->pages().AllOpened());
  }
  void TearDown() override {
    if (edge_ != nullptr) {
      EXPECT_EQ(SanitizerReport(edge_->process()), "");
    }
  }

  // The best server of the showtime that is not `away`.
  size_t ServerOf(const std::string& showtime, size_t away = kServers) const {
    const std::vector<size_t> ranked = base::RankServers(servers_.addresses(), showtime);
    return ranked[0] == away ? ranked[1] : ranked[0];
  }
  int64_t ShowtimesOf(size_t server, size_t away) const {
    int64_t count = 0;
    for (int i = 0; i < kShowtimes; ++i) count += ServerOf(ShowtimeOf(i), away) == server ? 1 : 0;
    return count;
  }

  // Whether each server but `away` has the streams of the edge and of the watches that it should,
  // and the edge says so.
  bool StreamsAreWhereTheyShould(size_t away) {
    const std::string ready = PageOf(*edge_, "/readyz").body;
    const std::string metrics = PageOf(*edge_, "/metrics").body;
    for (size_t i = 0; i < kServers; ++i) {
      const std::string& address = servers_[i].address();
      const int64_t streams = ShowtimesOf(i, away);
      const bool up = i != away;
      const std::string label = absl::StrCat("{server=\"", address, "\"} ");
      if (!absl::StrContains(ready, absl::StrCat(address, up ? ": serving, " : ": away, ", streams,
                                                 " streams\n")) ||
          !absl::StrContains(metrics, absl::StrCat("seatlock_edge_upstream_up", label, up, "\n")) ||
          !absl::StrContains(metrics, absl::StrCat("seatlock_edge_upstream_server_streams", label,
                                                   streams, "\n"))) {
        return false;
      }
      const std::string watchers = absl::StrCat("\nseatlock_watchers ", 2 * streams, "\n");
      if (up && !absl::StrContains(PageOf(servers_[i], "/metrics").body, watchers)) {
        return false;
      }
    }
    return true;
  }
  std::string WhatTheEdgeSays() { return PageOf(*edge_, "/readyz").body; }

  void KillAndBringBack(size_t server) {
    servers_[server].Kill();
    EXPECT_TRUE(Eventually([&] { return StreamsAreWhereTheyShould(server); })) << WhatTheEdgeSays();
    EXPECT_EQ(PageOf(*edge_, "/readyz").status, 200);
    ASSERT_NO_FATAL_FAILURE(site_->LetThemSell());
    ASSERT_THAT(servers_[server].Start(), IsOk());
    EXPECT_TRUE(Eventually([&] { return StreamsAreWhereTheyShould(kServers); }, kReturnMax))
        << WhatTheEdgeSays();
    ASSERT_NO_FATAL_FAILURE(site_->LetThemSell());
  }

  const uint64_t seed_ = TestSeed();
  RedisServer redis_;
  const std::string store_ = UrlOf(redis_);
  ServerGroup servers_{kServers, store_};
  std::unique_ptr<Program> edge_;
  std::unique_ptr<Site> site_;
};

TEST_F(MovesTest, WatchesLeaveAServerThatIsKilledAndReturnAndNobodySeesIt) {
  ASSERT_TRUE(Eventually([&] { return StreamsAreWhereTheyShould(kServers); })) << WhatTheEdgeSays();
  const size_t killed = ServerOf(ShowtimeOf(0));
  const std::string address = servers_[killed].address();
  const int rounds = Rounds(1);
  for (int round = 0; round < rounds; ++round) {
    ASSERT_NO_FATAL_FAILURE(KillAndBringBack(killed)) << "round " << round;
    EXPECT_EQ(LinesWith(*edge_, "a seat server is away"), round + 1);
    EXPECT_EQ(LinesWith(*edge_, "a seat server is back"), round + 1);
  }
  site_->StopAndJudge(servers_[0].address());
}

}  // namespace
}  // namespace seatlock::testing
