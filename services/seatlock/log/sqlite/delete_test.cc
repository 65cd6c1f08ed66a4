// How the SQLite log deletes: what a crash leaves, that a long history is cleared away whole and
// that nobody waits for it. What every store does is in tests/conformance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "services/seatlock/log/sqlite/sqlite_log.h"
#include "tests/testing/log_calls.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::log {
namespace {

namespace fs = std::filesystem;
using ::seatlock::testing::Append;
using ::seatlock::testing::AppendOf;
using ::seatlock::testing::Await;
using ::seatlock::testing::Delete;
using ::seatlock::testing::IsOk;
using ::seatlock::testing::List;
using ::seatlock::testing::Read;
using ::seatlock::testing::SaveSnapshot;
using Outcome = AppendResult::Outcome;

constexpr int kRecords = 3 * static_cast<int>(kTrimRecordsMax) + 1;

class DeleteTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteLog> MustOpen(const std::string& path) {
    SqliteLog::Options options;
    options.path = path;
    options.on_error = [](const absl::Status& status) { ADD_FAILURE() << status; };
    absl::StatusOr<std::unique_ptr<SqliteLog>> log = SqliteLog::Open(std::move(options));
    EXPECT_THAT(log, IsOk());
    return log.ok() ? *std::move(log) : nullptr;
  }

  // "s", of kRecords records and two snapshots.
  static void Fill(SqliteLog& log) {
    Head head = Append(log, AppendOf("s", {}, std::vector<std::string>(kRecords - 1, "x"))).head;
    EXPECT_THAT(SaveSnapshot(log, "s", {head, "older"}), IsOk());
    head = Append(log, AppendOf("s", head, {"y"})).head;
    EXPECT_THAT(SaveSnapshot(log, "s", {head, "newer"}), IsOk());
  }

  // Deletes "s" and runs `then` on the writer's thread before it does anything else.
  static void DeleteAnd(SqliteLog& log, std::function<void()> then) {
    auto done = std::make_shared<std::promise<void>>();
    std::future<void> future = done->get_future();
    log.Delete(domain::ShowtimeId("s"), [then = std::move(then), done](const absl::Status& status) {
      EXPECT_THAT(status, IsOk());
      then();
      done->set_value();
    });
    Await(std::move(future));
  }

  // What a crash at this moment would leave: the path of a copy.
  std::string CopyAsCrashed() {
    std::string crash = dir_.File("crash.db");
    for (const char* suffix : {"", "-wal", ".mark"}) fs::copy_file(path_ + suffix, crash + suffix);
    return crash;
  }

  // What `sql` counts in the file, which a log may have open.
  static int64_t Count(const std::string& path, const char* sql) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    int64_t count = -1;
    const auto take = [](void* out, int, char** row, char**) {
      *static_cast<int64_t*>(out) = std::stoll(row[0]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(db, sql, take, &count, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
    return count;
  }
  static int64_t Records(const std::string& path) {
    return Count(path, "SELECT count(*) FROM records");
  }
  // All rows that are left of whatever showtime.
  static int64_t Rows(const std::string& path) {
    return Count(path,
                 "SELECT (SELECT count(*) FROM records) + (SELECT count(*) FROM snapshots) + "
                 "(SELECT count(*) FROM showtimes)");
  }
  static bool Soon(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  const seatlock::testing::TempDir dir_;
  const std::string path_ = dir_.File("log.db");
};

TEST_F(DeleteTest, ALongHistoryIsClearedAwayWhole) {
  auto log = MustOpen(path_);
  Fill(*log);
  ASSERT_EQ(Rows(path_), kRecords + 3);
  ASSERT_THAT(Delete(*log, "s"), IsOk());
  EXPECT_TRUE(Soon([this] { return Rows(path_) == 0; })) << Rows(path_) << " rows are left";
}

TEST_F(DeleteTest, ACrashInBetweenLeavesAStoreWithoutTheShowtimeAndTheNextStartGoesOn) {
  auto log = MustOpen(path_);
  Fill(*log);
  std::string crash;
  DeleteAnd(*log, [&] { crash = CopyAsCrashed(); });
  ASSERT_EQ(Records(crash), kRecords) << "the crash came too late";

  auto next = MustOpen(crash);
  EXPECT_EQ(next->Generation(), log->Generation());
  EXPECT_TRUE(List(*next, "", 10)->empty());
  // Nobody gets the key under which the records still lie.
  for (const char* id : {"s", "t"}) {
    const Head head = Append(*next, AppendOf(id, {}, {"new"}, std::nullopt, "epoch-2")).head;
    EXPECT_EQ(head.revision, domain::Revision(1));
    EXPECT_EQ(Read(*next, id, 1)->records.size(), 1u);
  }
  EXPECT_TRUE(Soon([&] { return Rows(crash) == 4; })) << Rows(crash) << " rows are left";
  EXPECT_EQ(List(*next, "", 10)->size(), 2u);
}

TEST_F(DeleteTest, WhatTheEndOfTheProgramLeavesIsClearedAwayByTheNextStart) {
  for (int i = 0; i < 5; ++i) {
    auto log = MustOpen(path_);
    Fill(*log);
    ASSERT_THAT(Delete(*log, "s"), IsOk());
  }
  auto next = MustOpen(path_);
  EXPECT_TRUE(Soon([this] { return Rows(path_) == 0; })) << Rows(path_) << " rows are left";
}

TEST_F(DeleteTest, AppendsGoInBetweenTheStepsOfClearing) {
  auto log = MustOpen(path_);
  Fill(*log);
  // Each append is asked for while the one before is answered, so it waits behind one step at most.
  std::vector<int64_t> records;
  std::promise<void> ended;
  std::function<void(Head)> next = [&](const Head& head) {
    log->Append(AppendOf("t", head, {"x"}), [&](AppendResult result) {
      EXPECT_EQ(result.outcome, Outcome::kAppended) << result.status;
      records.push_back(Records(path_) - static_cast<int64_t>(records.size()) - 1);
      if (records.back() <= 0) return ended.set_value();
      next(result.head);
    });
  };
  DeleteAnd(*log, [&] { next(Head{}); });
  Await(ended.get_future());
  EXPECT_EQ(records.front(), kRecords) << "the first append waited for the clearing";
  for (size_t i = 1; i < records.size(); ++i) {
    EXPECT_LE(records[i - 1] - records[i], static_cast<int64_t>(kTrimRecordsMax));
  }
}

TEST_F(DeleteTest, SeveralDeletionsOfOneShowtimeAreAllClearedAway) {
  auto log = MustOpen(path_);
  for (int i = 0; i < 3; ++i) {
    Fill(*log);
    ASSERT_THAT(Delete(*log, "s"), IsOk());
  }
  EXPECT_TRUE(Soon([this] { return Rows(path_) == 0; })) << Rows(path_) << " rows are left";
}

}  // namespace
}  // namespace seatlock::log
