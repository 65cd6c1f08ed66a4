#include "services/seatlock/log/sqlite/wal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "services/seatlock/log/sqlite/files.h"
#include "tests/testing/power_loss_vfs.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::log {
namespace {

namespace fs = std::filesystem;
using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;

// A table of numbers in a file on a disk that fails.
class WalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Connection writer = Open();
    ASSERT_THAT(writer.Exec("PRAGMA journal_mode=WAL; CREATE TABLE n(x); INSERT INTO n VALUES (1)"),
                IsOk());
  }
  Connection Open() { return *Connection::Open(path_, disk_.name(), Connection::Mode::kCreate); }

  // A commit whose sync fails, by a connection that is closed then.
  void FailCommit() {
    Connection writer = Open();
    ASSERT_THAT(writer.Exec("PRAGMA synchronous=FULL"), IsOk());
    disk_.FailSyncs(SQLITE_IOERR_FSYNC);
    EXPECT_FALSE(writer.Exec("INSERT INTO n VALUES (2)").ok());
    disk_.Heal();
  }
  static int64_t Count(Connection& connection) {
    const absl::StatusOr<int64_t> count = connection.Int("SELECT count(*) FROM n");
    EXPECT_THAT(count, IsOk());
    return count.value_or(-1);
  }
  // What another process would find if all that have the file open died now.
  int64_t CountAfterACrash() {
    const std::string crash = dir_.File("crash.db");
    for (const char* suffix : {"", "-wal"}) {
      fs::copy_file(path_ + suffix, crash + suffix, fs::copy_options::overwrite_existing);
    }
    absl::StatusOr<Connection> after = Connection::Open(crash, "", Connection::Mode::kCreate);
    const int64_t count = Count(*after);
    after = absl::UnavailableError("closed");
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(crash + suffix);
    return count;
  }

  const seatlock::testing::TempDir dir_;
  const std::string path_ = dir_.File("n.db");
  seatlock::testing::PowerLossVfs disk_{3};
};

// A reader keeps the index of the write-ahead log alive, and the failed commit never was in it: it
// is not there. But it lies whole in the file.
TEST_F(WalTest, WhatIsNotShownCannotComeBack) {
  Connection reader = Open();
  ASSERT_THAT(reader.Exec("BEGIN; SELECT count(*) FROM n"), IsOk());
  FailCommit();
  Connection next = Open();
  EXPECT_EQ(Count(next), 1);
  EXPECT_EQ(CountAfterACrash(), 2) << "the control: without the safeguard it comes back";
  ASSERT_THAT(MakeDurable(next, Durability::kFull), IsOk());
  EXPECT_EQ(Count(next), 1);
  EXPECT_EQ(CountAfterACrash(), 1);
  EXPECT_EQ(Count(reader), 1);
}

TEST_F(WalTest, WhatIsShownOutlivesACutThoughItsSyncHadFailed) {
  int lost_without = 0;
  for (int round = 0; round < 20; ++round) {
    for (const bool safe : {true, false}) {
      // One commit that succeeds, so that it is no new log's header whose sync fails.
      ASSERT_THAT(Open().Exec("INSERT INTO n VALUES (1)"), IsOk());
      FailCommit();
      std::optional<Connection> next = Open();
      const int64_t shown = Count(*next);
      if (safe) {
        ASSERT_THAT(MakeDurable(*next, Durability::kFull), IsOk());
      }
      disk_.CutNow();
      next.reset();
      disk_.Restore();
      Connection after = Open();
      const int64_t found = Count(after);
      if (safe) {
        EXPECT_EQ(found, shown);
      } else {
        lost_without += found != shown;
      }
    }
  }
  EXPECT_GT(lost_without, 0) << "the control: without the safeguard it is lost";
}

TEST_F(WalTest, NeedsTheWriteLockAndSaysSo) {
  Connection other = Open();
  ASSERT_THAT(other.Exec("BEGIN IMMEDIATE"), IsOk());
  Connection connection = Open();
  const absl::Status status = MakeDurable(connection, Durability::kFull);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("holds the write lock"));
}

TEST_F(WalTest, AnEmptyWriteAheadLogIsFine) {
  Connection connection = Open();
  ASSERT_THAT(connection.Exec("PRAGMA wal_checkpoint(TRUNCATE)"), IsOk());
  EXPECT_THAT(MakeDurable(connection, Durability::kFull), IsOk());
  EXPECT_EQ(Count(connection), 1);
}

}  // namespace
}  // namespace seatlock::log
