// A store's file with real changes in it, for tests of what is done with such files.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/log/codec/record_codec.h"
#include "services/seatlock/log/sqlite/sqlite_log.h"
#include "services/seatlock/store/progress.h"
#include "tests/testing/log_calls.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::store {

// Runs something at its `reading`th reading: in the middle of what shows its progress.
class HookedClock : public base::Clock {
 public:
  HookedClock(int reading, std::function<void()> hook)
      : reading_(reading), hook_(std::move(hook)) {}
  int64_t NowMs() const override { return 0; }
  int64_t MonotonicMs() const override {
    if (++readings_ == reading_) hook_();
    return 0;
  }
  int64_t MonotonicUs() const override { return 0; }

 private:
  const int reading_;
  const std::function<void()> hook_;
  mutable int readings_ = 0;
};

class StoreFixture : public ::testing::Test {
 protected:
  // Opens the log that Write and Save write to. It goes with CloseLog.
  void OpenLog() {
    log::SqliteLog::Options options;
    options.path = path_;
    options.durability = log::Durability::kOff;  // no power is cut here
    auto log = log::SqliteLog::Open(std::move(options));
    ASSERT_THAT(log, seatlock::testing::IsOk());
    log_ = *std::move(log);
  }
  void CloseLog() { log_.reset(); }

  // The next change of "s", at 1000 ms times its revision: `seat` becomes `status` for `session`.
  domain::Change ChangeOf(const std::string& seat, domain::SeatStatus status,
                          const std::string& session) const {
    domain::Change change;
    change.revision = head_.revision.Next();
    change.commit_ms = static_cast<int64_t>(change.revision.value()) * 1000;
    domain::SeatAfter after;
    after.seat = domain::SeatId(seat);
    after.status = status;
    after.session = domain::SessionId(session);
    if (status == domain::SeatStatus::kLocked) {
      change.cause = domain::Cause::kLock;
      after.expire_ms = change.commit_ms + 600'000;
      after.fence = domain::Fence(change.revision.value());
    } else if (status == domain::SeatStatus::kBooked) {
      change.cause = domain::Cause::kBook;
      change.order = domain::OrderId("order-" + seat);
      after.order = change.order;
    } else {
      change.cause = domain::Cause::kUnlock;
    }
    change.seats.push_back(after);
    return change;
  }
  // Appends `change`, whether it fits or not.
  void Write(const domain::Change& change) {
    const log::AppendResult result = seatlock::testing::Append(
        *log_, seatlock::testing::AppendOf("s", head_, {log::EncodeChange(change)}));
    ASSERT_EQ(result.outcome, log::AppendResult::Outcome::kAppended) << result.status;
    head_ = result.head;
    if (state_.TryApply(change).ok()) parts_ = state_.Export();
  }
  void Lock(const std::string& seat, const std::string& session) {
    Write(ChangeOf(seat, domain::SeatStatus::kLocked, session));
  }
  void Book(const std::string& seat, const std::string& session) {
    Write(ChangeOf(seat, domain::SeatStatus::kBooked, session));
  }
  void SaveSnapshot() { SaveSnapshot(parts_); }
  void SaveSnapshot(const domain::ShowtimeParts& parts) {
    ASSERT_THAT(seatlock::testing::SaveSnapshot(*log_, "s", {head_, log::EncodeSnapshot(parts)}),
                seatlock::testing::IsOk());
  }

  // Runs SQL on a file behind everybody's back.
  static void Sql(const std::string& path, const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  const seatlock::testing::TempDir dir_;
  const std::string path_ = dir_.File("seatlock.db");
  const std::string backup_ = dir_.File("backup.db");
  Progress quiet_{stderr, base::SystemClock(), false};
  std::unique_ptr<log::SqliteLog> log_;
  log::Head head_;
  domain::Showtime state_;
  domain::ShowtimeParts parts_;
};

}  // namespace seatlock::store
