// What callers hear while the store cannot be written, on a real server: another program holds the
// file's write lock, as a backup tool would that is misused.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <sqlite3.h>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"
#include "tests/integration/looks.h"
#include "tests/integration/test_server.h"
#include "tests/testing/http_get.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using std::chrono::seconds;

// Above what one showtime lets wait (services/seatlock/engine/limits.h).
constexpr int kCalls = 5'300;

// Holds the write lock of a SQLite file while it lives.
class Blocker {
 public:
  explicit Blocker(const std::string& file) {
    EXPECT_EQ(sqlite3_open(file.c_str(), &db_), SQLITE_OK);
    sqlite3_busy_timeout(db_, 5'000);
    EXPECT_EQ(sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  ~Blocker() {
    EXPECT_EQ(sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db_);
  }
  Blocker(const Blocker&) = delete;
  Blocker& operator=(const Blocker&) = delete;

 private:
  sqlite3* db_ = nullptr;
};

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address(), seconds(30));
    ASSERT_TRUE(client_->Lock("show", "A01", "alice").ok());
  }

  TestServer server_;
  std::unique_ptr<SeatLockClient> client_;
};

TEST_F(StoreTest, ACallThatCannotBeWrittenDidNothingAndSaysSo) {
  {
    Blocker blocker(server_.file());
    const Refusal refusal = client_->Lock("show", "A02", "alice").refusal();
    EXPECT_EQ(refusal.code, grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(refusal.reason, "STORE_UNAVAILABLE");
    EXPECT_EQ(refusal.metadata.at("outcome"), "none");
    EXPECT_TRUE(refusal.retry_after_ms.has_value());
    EXPECT_EQ(PageOf(server_, "/readyz").status, 503);
  }
  ASSERT_TRUE(BecomesReady(server_));
  EXPECT_TRUE(client_->Lock("show", "A02", "bob").ok());
  EXPECT_EQ(client_->Lock("show", "A01", "bob").refusal().reason, "SEAT_TAKEN");
}

TEST_F(StoreTest, AListThatWouldHaveToCountALapsedLockIsRefusedUntilItCanBeFreed) {
  {
    const auto lock = client_->Lock("show", "A02", "bob", {.ttl_ms = 3000});
    ASSERT_TRUE(lock.ok());
    const int64_t expire_ms = ToMs(lock.response.lock().expire_time());
    Blocker blocker(server_.file());
    v1::GetShowtimeResponse now;
    while (ToMs(now.server_time()) < expire_ms) now = client_->Get("other").response;
    const Refusal refusal = client_->List().refusal();
    EXPECT_EQ(refusal.code, grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(refusal.reason, "STORE_UNAVAILABLE");
    EXPECT_EQ(refusal.metadata.count("showtime"), 0u) << "it is the store";
  }
  ASSERT_TRUE(BecomesReady(server_));
  const auto listed = client_->List();
  ASSERT_EQ(listed.response.showtimes_size(), 1) << listed.status.error_message();
  EXPECT_EQ(listed.response.showtimes(0).locked(), 1u);
}

TEST_F(StoreTest, IsReadyAgainByItselfOnceTheStoreIs) {
  {
    Blocker blocker(server_.file());
    EXPECT_FALSE(client_->Lock("show", "A02", "alice").ok());
    EXPECT_EQ(PageOf(server_, "/readyz").status, 503);
  }
  EXPECT_TRUE(BecomesReady(server_));
}

// While the store is locked, calls wait for 2 s and then fail. A busy machine may need longer than
// that to send as many calls as may wait; then the test sends them again.
TEST_F(StoreTest, WhoComesWhenTooManyWaitIsToldToComeBack) {
  struct Call {
    grpc::ClientContext context;
    v1::LockSeatRequest request;
    v1::LockSeatResponse response;
  };
  auto stub = v1::SeatLockService::NewStub(
      grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials()));
  std::deque<Call> calls;
  base::Mutex mu;
  base::CondVar answered;
  std::map<std::string, int> reasons;
  size_t answers = 0;
  const auto send = [&] {
    Call& call = calls.emplace_back();
    call.request.set_showtime_id("show");
    call.request.set_seat_id("B01");
    call.request.set_session_id(absl::StrCat("session", calls.size()));
    call.context.set_deadline(std::chrono::system_clock::now() + seconds(60));
    stub->async()->LockSeat(&call.context, &call.request, &call.response,
                            [&](const grpc::Status& status) {
                              const Refusal refusal = DecodeRefusal(status);
                              base::MutexLock lock(mu);
                              if (refusal.reason == "OVERLOADED") {
                                EXPECT_EQ(refusal.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
                                EXPECT_TRUE(refusal.retry_after_ms.has_value());
                              }
                              ++reasons[status.ok() ? "OK" : refusal.reason];
                              ++answers;
                              answered.NotifyAll();
                            });
  };
  {
    Blocker blocker(server_.file());
    const auto deadline = std::chrono::steady_clock::now() + seconds(60);
    bool overloaded = false;
    while (!overloaded && std::chrono::steady_clock::now() < deadline) {
      for (int i = 0; i < kCalls; ++i) send();
      base::MutexLock lock(mu);
      while (reasons["OVERLOADED"] == 0 && answers < calls.size()) answered.Wait(mu);
      overloaded = reasons["OVERLOADED"] > 0;
    }
  }
  base::MutexLock lock(mu);
  while (answers < calls.size()) answered.Wait(mu);
  EXPECT_GT(reasons["OVERLOADED"], 0);
  EXPECT_LE(reasons["OK"], 1);
  EXPECT_EQ(static_cast<size_t>(reasons["OK"] + reasons["OVERLOADED"] + reasons["SEAT_TAKEN"] +
                                reasons["STORE_UNAVAILABLE"]),
            calls.size());
}

}  // namespace
}  // namespace seatlock::testing
