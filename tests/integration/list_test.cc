// ListShowtimes on a real server with a SQLite file: what a page says, and pages that follow each
// other while showtimes come, lapse, are damaged, and the server restarts.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/test_server.h"
#include "tests/testing/http_get.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ListTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address());
  }
  void Restart() {
    ASSERT_THAT(server_.Stop(), IsOk());
    ASSERT_THAT(server_.Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address());
  }

  v1::ListShowtimesResponse MustList(int page_size = 0, const std::string& token = "") {
    const auto answer = client_->List(page_size, token);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.response;
  }
  // The ids of all pages, in their order; `between` runs after each page.
  std::vector<std::string> AllIds(
      int page_size, const std::function<void()>& between = [] {}) {
    std::vector<std::string> ids;
    std::string token;
    do {
      const v1::ListShowtimesResponse page = MustList(page_size, token);
      for (const auto& each : page.showtimes()) ids.push_back(each.showtime_id());
      token = page.next_page_token();
      between();
    } while (!token.empty() && !HasFailure());
    return ids;
  }
  // Showtimes "show-1000" and so on, each with one locked seat, in the order of their ids.
  std::vector<std::string> MustFill(int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      ids.push_back(absl::StrCat("show-", 1000 + i));
      EXPECT_TRUE(client_->Lock(ids.back(), "A1", "alice").ok());
    }
    return ids;
  }
  int64_t LiveShowtimes() {
    const auto metrics = HttpGet(server_.admin_address(), "/metrics");
    if (!metrics.ok()) return -1;
    const std::string name = "\nseatlock_live_showtimes ";
    const size_t at = metrics->body.find(name);
    return at == std::string::npos ? -1 : std::stoll(metrics->body.substr(at + name.size()));
  }

  TestServer server_;
  std::unique_ptr<SeatLockClient> client_;
};

TEST_F(ListTest, AnEmptyStoreHasOneEmptyPage) {
  ASSERT_TRUE(client_->Get("never").ok());
  const v1::ListShowtimesResponse page = MustList();
  EXPECT_EQ(page.showtimes_size(), 0);
  EXPECT_EQ(page.next_page_token(), "");
}

TEST_F(ListTest, SaysWhatTheOtherCallsSay) {
  const int64_t before_ms = WallClockMs();
  ASSERT_TRUE(client_->LockMany("b", {"A1", "A2", "A3"}, "alice").ok());
  ASSERT_TRUE(client_->Book("b", {"A3"}, "alice", "order").ok());
  ASSERT_TRUE(client_->Lock("a \xC3\xA9", "B1", "bob").ok());
  const v1::ListShowtimesResponse page = MustList();
  ASSERT_EQ(page.showtimes_size(), 2);
  EXPECT_EQ(page.showtimes(0).showtime_id(), "a \xC3\xA9");
  const v1::ShowtimeSummary& b = page.showtimes(1);
  const v1::ShowtimeSnapshot snapshot = client_->Get("b").response.snapshot();
  EXPECT_EQ(b.showtime_id(), "b");
  EXPECT_EQ(b.epoch(), snapshot.epoch());
  EXPECT_EQ(b.revision(), snapshot.revision());
  EXPECT_EQ(b.locked(), 2u);
  EXPECT_EQ(b.booked(), 1u);
  EXPECT_TRUE(b.has_blocked() && b.blocked() == 0);
  EXPECT_TRUE(b.has_closed() && !b.closed());
  EXPECT_GE(ToMs(b.last_change_time()), before_ms - 1000);
  EXPECT_LE(ToMs(b.last_change_time()), WallClockMs() + 1000);
}

TEST_F(ListTest, PagesHaveEachOfHundredsOfShowtimesOnce) {
  const std::vector<std::string> ids = MustFill(330);
  EXPECT_THAT(MustList().showtimes(), SizeIs(100)) << "the default";
  EXPECT_EQ(AllIds(100), ids);
  EXPECT_EQ(AllIds(7), ids);
  EXPECT_EQ(AllIds(330), ids);
  EXPECT_EQ(AllIds(1'000'000), ids) << "as 1,000";
  EXPECT_EQ(MustList(330).next_page_token(), "");
}

TEST_F(ListTest, GoesOnAfterARestartAndKeepsNothingInMemory) {
  const std::vector<std::string> ids = MustFill(40);
  int pages = 0;
  EXPECT_EQ(AllIds(15,
                   [&] {
                     EXPECT_LE(LiveShowtimes(), pages == 0 ? 40 : 0);
                     ++pages;
                     Restart();
                   }),
            ids);
  EXPECT_EQ(pages, 3);
}

TEST_F(ListTest, WhoeverWasThereAllTheTimeIsInOnePageWhateverComesMeanwhile) {
  const std::vector<std::string> ids = MustFill(30);
  int next = 0;
  const std::vector<std::string> listed = AllIds(4, [&] {
    ASSERT_TRUE(client_->Lock(absl::StrCat("show-", 1000 + next++, "-new"), "A1", "alice").ok());
    ASSERT_TRUE(client_->Lock(absl::StrCat("show-", 1029 - next, "-new"), "A1", "alice").ok());
  });
  EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end()));
  EXPECT_THAT(std::set<std::string>(listed.begin(), listed.end()), SizeIs(listed.size()));
  EXPECT_TRUE(std::includes(listed.begin(), listed.end(), ids.begin(), ids.end()));
}

TEST_F(ListTest, ALapsedLockIsNotCountedAlsoAfterARestart) {
  ASSERT_TRUE(client_->Lock("show", "A1", "alice", {.ttl_ms = 1000}).ok());
  const auto lock = client_->Lock("show", "A2", "alice", {.ttl_ms = 1000});
  ASSERT_TRUE(lock.ok());
  ASSERT_TRUE(client_->Lock("show", "B1", "bob").ok());
  const int64_t expire_ms = ToMs(lock.response.lock().expire_time());
  Restart();
  v1::GetShowtimeResponse now;
  while (ToMs(now.server_time()) < expire_ms) now = client_->Get("other").response;
  EXPECT_EQ(MustList().showtimes(0).locked(), 1u);
}

TEST_F(ListTest, BadFieldsAreNamed) {
  MustFill(3);
  const std::string token = MustList(1).next_page_token();
  ASSERT_FALSE(token.empty());
  for (const std::string& bad :
       {std::string("show-1000"), std::string("x"), token + "x", token.substr(1),
        std::string(300, 'A'), std::string(60'000, 'A')}) {
    const Refusal refusal = client_->List(1, bad).refusal();
    EXPECT_EQ(refusal.code, grpc::StatusCode::INVALID_ARGUMENT) << bad;
    EXPECT_EQ(refusal.reason, "INVALID_FIELD");
    EXPECT_THAT(refusal.fields, ElementsAre("page_token"));
  }
  EXPECT_THAT(client_->List(-1).refusal().fields, ElementsAre("page_size"));
  EXPECT_THAT(client_->List(-1, "bad").refusal().fields, ElementsAre("page_size", "page_token"));
  EXPECT_EQ(MustList(1, token).showtimes(0).showtime_id(), "show-1001");
}

TEST_F(ListTest, ADamagedShowtimeHidesNoOther) {
  const std::vector<std::string> ids = MustFill(5);
  ASSERT_THAT(server_.Stop(), IsOk());
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(server_.file().c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db,
                         "UPDATE records SET bytes = x'00' WHERE showtime = "
                         "(SELECT key FROM showtimes WHERE name = 'show-1002')",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  ASSERT_THAT(server_.Start(), IsOk());
  client_ = std::make_unique<SeatLockClient>(server_.address());

  ASSERT_EQ(AllIds(2), ids);
  const v1::ListShowtimesResponse page = MustList();
  EXPECT_FALSE(page.showtimes(2).has_locked() || page.showtimes(2).has_booked());
  EXPECT_FALSE(page.showtimes(2).has_blocked() || page.showtimes(2).has_closed());
  for (const int whole : {0, 1, 3, 4}) EXPECT_EQ(page.showtimes(whole).locked(), 1u);
  EXPECT_EQ(client_->Get("show-1002").refusal().metadata.at("showtime"), "damaged");
}

TEST_F(ListTest, APageOfTheLargestIdsIsFarBelowWhatAClientTakes) {
  for (int i = 0; i < 1001; ++i) {
    const std::string id = absl::StrCat(std::string(124, 'x'), 1000 + i);
    ASSERT_TRUE(client_->Lock(id, "A1", "alice").ok());
  }
  const v1::ListShowtimesResponse page = MustList(1000);
  EXPECT_THAT(page.showtimes(), SizeIs(1000));
  EXPECT_LT(page.ByteSizeLong(), 512u << 10);
  EXPECT_THAT(MustList(1000, page.next_page_token()).showtimes(), SizeIs(1));
}

TEST_F(ListTest, IsCountedLikeEveryCall) {
  MustFill(1);
  MustList();
  const auto metrics = HttpGet(server_.admin_address(), "/metrics");
  ASSERT_THAT(metrics, IsOk());
  EXPECT_THAT(metrics->body, HasSubstr("grpc_method=\"ListShowtimes\",grpc_code=\"OK\"} 1"));
}

}  // namespace
}  // namespace seatlock::testing
