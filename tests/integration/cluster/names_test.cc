// A DNS name that stands for two servers is a list of them, for real processes: one address of it
// is killed, and an edge and seatctl go on with the other.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/integration/cluster/followers.h"
#include "tests/integration/cluster/history.h"
#include "tests/integration/cluster/server_group.h"
#include "tests/integration/looks.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

constexpr char kName[] = "seats.test";
constexpr int kShows = 8;

class NamesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(InitStore(store_));
    ASSERT_NO_FATAL_FAILURE(Start(one_, "127.0.0.1:0"));
    port_ = one_->address().substr(one_->address().rfind(':'));
    ASSERT_NO_FATAL_FAILURE(Start(other_, "127.0.0.2" + port_));
    ProgramOptions options;
    options.binary = EDGE_BINARY;
    options.upstream = kName + port_;
    options.args = {"--allow-plaintext"};  // a name is not known to be loopback
    options.env = Env();
    auto edge = StartEdge(options);
    ASSERT_THAT(edge, IsOk());
    edge_ = *std::move(edge);
  }

  void Start(std::unique_ptr<Program>& server, const std::string& listen) {
    auto started =
        StartSeatlockd({.binary = SEATLOCKD_BINARY, .listen = listen, .store = store_, .args = {}});
    ASSERT_THAT(started, IsOk());
    server = *std::move(started);
    ASSERT_TRUE(BecomesReady(*server));
  }
  // AddressSanitizer wants to be the first library of a program, and need not be.
  static std::vector<std::pair<std::string, std::string>> Env() {
    return {{"LD_PRELOAD", NAMED_HOST_LIBRARY},
            {"NAMED_HOST", kName},
            {"ASAN_OPTIONS", "verify_asan_link_order=0"}};
  }
  bool TheEdgeSays(const std::string& host, const std::string& state) {
    return Eventually([&] {
      return absl::StrContains(PageOf(*edge_, "/readyz").body,
                               absl::StrCat(host, port_, ": ", state));
    });
  }
  void LockBySeatctl(const std::string& show, const std::string& seat) {
    auto seatctl = Process::Start(
        {.binary = SEATCTL_BINARY,
         .args = {"--server", kName + port_, "lock", show, seat, "--session", "s", "--ttl", "2s"},
         .env = Env()});
    ASSERT_THAT(seatctl, IsOk());
    const auto exit = (*seatctl)->Wait(kStartTimeout);
    ASSERT_THAT(exit, IsOk());
    EXPECT_EQ(exit->code, 0) << absl::StrJoin((*seatctl)->StderrLines(), "\n");
  }

  RedisServer redis_;
  const std::string store_ = UrlOf(redis_);
  std::unique_ptr<Program> one_;
  std::unique_ptr<Program> other_;
  std::string port_;
  std::unique_ptr<Program> edge_;
  Pages pages_;
};

TEST_F(NamesTest, ANameWithTwoAddressesIsAListOfServers) {
  EXPECT_TRUE(TheEdgeSays("127.0.0.1", "serving")) << PageOf(*edge_, "/readyz").body;
  EXPECT_TRUE(TheEdgeSays("127.0.0.2", "serving"));
  // Of so many showtimes each server has some, as good as always.
  for (int i = 0; i < kShows; ++i) {
    pages_.Add(absl::StrCat("show-", i), {edge_->address()});
    ASSERT_NO_FATAL_FAILURE(LockBySeatctl(absl::StrCat("show-", i), "A1"));
  }
  ASSERT_TRUE(pages_.AllOpened());
  one_->process().Kill();
  for (int i = 0; i < kShows; ++i) {
    ASSERT_NO_FATAL_FAILURE(LockBySeatctl(absl::StrCat("show-", i), "A2"));
  }
  EXPECT_TRUE(TheEdgeSays("127.0.0.1", "away"));
  EXPECT_TRUE(TheEdgeSays("127.0.0.2", absl::StrCat("serving, ", kShows, " streams")));
  for (int i = 0; i < kShows; ++i) {
    const std::string show = absl::StrCat("show-", i);
    pages_.Judge(show, FinalLog(show, other_->address()));
  }
}

}  // namespace
}  // namespace seatlock::testing
