// `seatctl list` against a real service with more showtimes than a page, on SQLite and on two
// servers that share a Redis; also where the first address that SEATCTL_SERVER names is dead.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/integration/cluster/server_group.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

constexpr int kCount = 130;

enum class Store { kSqlite, kRedis };

class SeatctlListTest : public ::testing::TestWithParam<Store> {
 protected:
  void SetUp() override {
    if (GetParam() == Store::kRedis) {
      redis_ = std::make_unique<RedisServer>();
      const std::string store = UrlOf(*redis_);
      ASSERT_NO_FATAL_FAILURE(InitStore(store));
      servers_ = std::make_unique<ServerGroup>(2, store);
    } else {
      servers_ = std::make_unique<ServerGroup>(1, "");
    }
    ASSERT_NO_FATAL_FAILURE(servers_->Start());
    for (int i = 0; i < kCount; ++i) {
      ids_.push_back(absl::StrCat("show-", 1000 + i));
      SeatLockClient& client = *ClientOf(static_cast<size_t>(i) % servers_->size());
      ASSERT_TRUE(client.Lock(ids_.back(), "A1", "alice").ok());
    }
  }

  SeatLockClient* ClientOf(size_t server) {
    while (clients_.size() <= server) {
      clients_.push_back(std::make_unique<SeatLockClient>((*servers_)[clients_.size()].address()));
    }
    return clients_[server].get();
  }

  // The ids that it lists, asked for with SEATCTL_SERVER. Nobody listens on port 1.
  std::vector<std::string> Listed(std::vector<std::string> args) {
    args.insert(args.begin(), {"list", "--json"});
    const std::string list =
        absl::StrCat("127.0.0.1:1,", absl::StrJoin(servers_->addresses(), ","));
    auto seatctl = Process::Start(
        {.binary = SEATCTL_BINARY, .args = std::move(args), .env = {{"SEATCTL_SERVER", list}}});
    EXPECT_THAT(seatctl, IsOk());
    const auto exit = (*seatctl)->Wait(kStartTimeout);
    EXPECT_THAT(exit, IsOk());
    EXPECT_EQ(exit->code, 0) << absl::StrJoin((*seatctl)->StderrLines(), "\n");
    std::vector<std::string> ids;
    const boost::json::value answer =
        boost::json::parse(absl::StrJoin((*seatctl)->StdoutLines(), "\n"));
    for (const boost::json::value& each : answer.at("showtimes").as_array()) {
      ids.emplace_back(each.at("showtimeId").as_string());
    }
    return ids;
  }

  std::unique_ptr<RedisServer> redis_;
  std::unique_ptr<ServerGroup> servers_;
  std::vector<std::unique_ptr<SeatLockClient>> clients_;
  std::vector<std::string> ids_;
};

TEST_P(SeatctlListTest, HasEachShowtimeOnceHoweverLargeAPageIs) {
  EXPECT_EQ(Listed({}), ids_);
  EXPECT_EQ(Listed({"--page-size=7"}), ids_);
  EXPECT_EQ(Listed({"--page-size=65"}), ids_);
  const std::vector<std::string> first(ids_.begin(), ids_.begin() + 20);
  EXPECT_EQ(Listed({"--page-size=7", "--limit=20"}), first);
}

TEST_P(SeatctlListTest, EachServerListsWhatAnyOfThemChanged) {
  for (size_t i = 0; i < servers_->size(); ++i) {
    std::vector<std::string> listed;
    std::string token;
    do {
      const auto page = ClientOf(i)->List(50, token);
      ASSERT_TRUE(page.ok()) << page.status.error_message();
      for (const auto& each : page.response.showtimes()) {
        EXPECT_EQ(each.locked(), 1u);
        listed.push_back(each.showtime_id());
      }
      token = page.response.next_page_token();
    } while (!token.empty());
    EXPECT_EQ(listed, ids_);
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, SeatctlListTest, ::testing::Values(Store::kSqlite, Store::kRedis),
                         [](const auto& store) {
                           return store.param == Store::kRedis ? "Redis" : "Sqlite";
                         });

}  // namespace
}  // namespace seatlock::testing
