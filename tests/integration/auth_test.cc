// Real programs whose callers must say who they are.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "seatlock/client.h"
#include "tests/integration/test_server.h"
#include "tests/testing/eventually.h"
#include "tests/testing/http_get.h"
#include "tests/testing/process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock {
namespace {

using client::Client;
using client::ClientOptions;
using client::ErrorOf;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using testing::TestServer;

struct Key {
  std::string key;
  std::string line;
};

Key NewKey(const std::string& id, const std::string& scopes) {
  auto process = testing::Process::Start(
      {.binary = SEATLOCKD_BINARY, .args = {"keys", "new", "--scopes", scopes, "--id", id}});
  EXPECT_THAT(process, IsOk());
  EXPECT_THAT((*process)->Wait(std::chrono::seconds(60)), IsOk());
  const std::vector<std::string> lines = (*process)->StdoutLines();
  return {lines.at(0), lines.at(1)};
}

// In one step, as whoever replaces a file should.
void Replace(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new") << text;
  chmod((path + ".new").c_str(), 0600);
  std::filesystem::rename(path + ".new", path);
}

v1::LockSeatRequest Lock(const std::string& seat) {
  v1::LockSeatRequest request;
  request.set_showtime_id("123");
  request.set_seat_id(seat);
  request.set_session_id("alice");
  return request;
}

class AuthTest : public ::testing::Test {
 protected:
  void SetUp() override { Replace(keys_, shop_.line + "\n" + edge_.line + "\n"); }
  std::unique_ptr<Client> ClientWith(std::function<std::string()> token) {
    ClientOptions options;
    options.target = server_.address();
    options.retries = 0;
    options.token = std::move(token);
    return std::make_unique<Client>(options);
  }
  std::string ReasonOf(const std::string& token) {
    const auto lock = ClientWith([token] { return token; })->LockSeat(Lock("A1"));
    return lock.ok() ? "" : ErrorOf(lock.status()).reason;
  }

  const testing::TempDir dir_;
  const std::string keys_ = dir_.File("keys");
  const Key shop_ = NewKey("shop", "lock,book");
  const Key edge_ = NewKey("edge", "watch");
  TestServer server_{{"--auth-keys=" + keys_, "--log-level=debug"}};
};

TEST_F(AuthTest, AKeyOpensWhatItsScopesSay) {
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_EQ(ReasonOf(shop_.key), "");
  EXPECT_EQ(ReasonOf(edge_.key), "SCOPE_MISSING");
  EXPECT_EQ(ReasonOf(""), "TOKEN_MISSING");
  EXPECT_EQ(ReasonOf("x" + shop_.key), "TOKEN_INVALID");
}

TEST_F(AuthTest, KeysAreReplacedUnderLoadWithoutAFailedCall) {
  ASSERT_THAT(server_.Start(), IsOk());
  const Key fresh = NewKey("shop", "lock,book");
  std::atomic<bool> stop{false};
  std::atomic<bool> moved{false};
  std::atomic<int> calls{0};
  std::string failure;
  std::thread load([&] {
    const auto client = ClientWith([&] { return moved ? fresh.key : shop_.key; });
    for (int i = 0; !stop; ++i) {
      const auto lock = client->LockSeat(Lock(absl::StrCat("A", i % 50)));
      if (!lock.ok()) failure = lock.status().ToString();
      ++calls;
    }
  });
  Replace(keys_, shop_.line + "\n" + fresh.line + "\n");
  EXPECT_TRUE(Eventually([&] { return ReasonOf(fresh.key).empty(); }));
  moved = true;
  const int at_move = calls;
  EXPECT_TRUE(Eventually([&] { return calls > at_move + 1; }));
  Replace(keys_, fresh.line + "\n");
  EXPECT_TRUE(Eventually([&] { return ReasonOf(shop_.key) == "TOKEN_INVALID"; }));
  stop = true;
  load.join();
  EXPECT_EQ(failure, "");
}

// The negative control of the one above: who does not move to the new key fails.
TEST_F(AuthTest, TheClientAsksForAFreshKeyOnceItsOwnIsRefused) {
  ASSERT_THAT(server_.Start(), IsOk());
  int asked = 0;
  const auto client = ClientWith([&] { return ++asked == 1 ? std::string("old") : shop_.key; });
  EXPECT_THAT(client->LockSeat(Lock("A1")), IsOk());
  EXPECT_EQ(asked, 2);
  const auto stubborn = ClientWith([] { return std::string("old"); });
  EXPECT_EQ(ErrorOf(stubborn->LockSeat(Lock("A1")).status()).reason, "TOKEN_INVALID");
}

TEST_F(AuthTest, NothingOfAKeyStandsInLogsMetricsOrSettings) {
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_EQ(ReasonOf(shop_.key), "");
  EXPECT_EQ(ReasonOf("wrong-" + shop_.key), "TOKEN_INVALID");
  const auto metrics = testing::HttpGet(server_.admin_address(), "/metrics");
  ASSERT_THAT(metrics, IsOk());
  EXPECT_THAT(metrics->body, Not(HasSubstr(shop_.key)));
  EXPECT_THAT(server_.Stop(), IsOk());
  const std::string log = absl::StrJoin(server_.process().StderrLines(), "\n");
  EXPECT_THAT(log, HasSubstr("\"principal\":\"shop\""));
  EXPECT_THAT(log, Not(HasSubstr(shop_.key)));
}

TEST_F(AuthTest, AVariableThatIsSetToNothingDoesNotOpenThePort) {
  for (const char* name : {"SEATLOCK_AUTH_KEYS", "SEATLOCK_AUTH_JWKS"}) {
    TestServer open({}, "", {{name, ""}});
    const absl::Status status = open.Start();
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
  }
}

TEST_F(AuthTest, AFileThatCannotBeUsedIsOneLine) {
  Replace(keys_, "nonsense\n");
  const absl::Status status = server_.Start();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(keys_ + ":1: "));
}

}  // namespace
}  // namespace seatlock
