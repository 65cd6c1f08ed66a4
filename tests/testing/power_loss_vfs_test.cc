#include "tests/testing/power_loss_vfs.h"

#include <gtest/gtest.h>

#include "tests/testing/temp_dir.h"

namespace seatlock::testing {
namespace {

class PowerLossVfsTest : public ::testing::Test {
 protected:
  sqlite3* Open() {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open_v2(dir_.File("t.db").c_str(), &db,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk_.name().c_str()),
              SQLITE_OK);
    return db;
  }

  static int Exec(sqlite3* db, const char* sql) {
    return sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  }

  // -1: there is no such table, or the file is no sound database.
  static int Count(sqlite3* db) {
    int count = -1;
    sqlite3_exec(
        db, "SELECT count(*) FROM t",
        [](void* out, int, char** columns, char**) {
          *static_cast<int*>(out) = atoi(columns[0]);
          return 0;
        },
        &count, nullptr);
    return count;
  }

  // Rows that are left of ten, inserted one by one, after a cut.
  int RowsAfterCut(const char* synchronous) {
    sqlite3* db = Open();
    EXPECT_EQ(Exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)"), SQLITE_OK);
    EXPECT_EQ(Exec(db, synchronous), SQLITE_OK);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(Exec(db, "INSERT INTO t VALUES (1)"), SQLITE_OK);
    disk_.CutNow();
    EXPECT_NE(Exec(db, "INSERT INTO t VALUES (1)"), SQLITE_OK);
    sqlite3_close(db);
    disk_.Restore();
    db = Open();
    const int count = Count(db);
    sqlite3_close(db);
    return count;
  }

  const TempDir dir_;
  PowerLossVfs disk_{7};
};

TEST_F(PowerLossVfsTest, WhatWasSyncedIsThereAfterACut) {
  EXPECT_EQ(RowsAfterCut("PRAGMA synchronous=FULL"), 10);
  EXPECT_GT(disk_.syncs(), 10u);
}

TEST_F(PowerLossVfsTest, WhatWasNotSyncedIsLostInACut) {
  EXPECT_LT(RowsAfterCut("PRAGMA synchronous=OFF"), 10);
  EXPECT_GT(disk_.lost_writes(), 0u);
}

TEST_F(PowerLossVfsTest, TheOperationAtWhichThePowerGoesFails) {
  sqlite3* db = Open();
  ASSERT_EQ(Exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)"), SQLITE_OK);
  disk_.CutAt(1);
  EXPECT_NE(Exec(db, "INSERT INTO t VALUES (1)"), SQLITE_OK);
  EXPECT_TRUE(disk_.IsCut());
  sqlite3_close(db);
}

TEST_F(PowerLossVfsTest, ASyncAfterAFailedOneDoesNotMakeUpForIt) {
  sqlite3* db = Open();
  ASSERT_EQ(Exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)"), SQLITE_OK);
  disk_.FailSyncs(SQLITE_IOERR_FSYNC);
  EXPECT_EQ(Exec(db, "INSERT INTO t VALUES (1)"), SQLITE_IOERR);
  const uint64_t lost = disk_.lost_writes();
  disk_.Heal();
  disk_.CutNow();
  sqlite3_close(db);
  disk_.Restore();
  EXPECT_EQ(disk_.lost_writes(), lost) << "what the failed sync lost was pending again";
}

TEST_F(PowerLossVfsTest, OnAFullDiskWhatIsThereCanBeReadAndWrittenOver) {
  sqlite3* db = Open();
  EXPECT_EQ(Exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES (1)"),
            SQLITE_OK);
  disk_.FillDisk();
  EXPECT_EQ(Exec(db, "INSERT INTO t VALUES (1)"), SQLITE_FULL);
  EXPECT_EQ(Count(db), 1);
  disk_.Heal();
  EXPECT_EQ(Exec(db, "INSERT INTO t VALUES (1); PRAGMA wal_checkpoint"), SQLITE_OK);
  disk_.FillDisk();
  EXPECT_EQ(Exec(db, "INSERT INTO t VALUES (1)"), SQLITE_OK)
      << "the write-ahead log begins anew, within what it has";
  sqlite3_close(db);
}

TEST_F(PowerLossVfsTest, FaultsLastUntilTheyAreHealed) {
  sqlite3* db = Open();
  ASSERT_EQ(Exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)"), SQLITE_OK);
  disk_.FailWrites(SQLITE_FULL);
  EXPECT_EQ(Exec(db, "INSERT INTO t VALUES (1)"), SQLITE_FULL);
  EXPECT_EQ(Exec(db, "INSERT INTO t VALUES (1)"), SQLITE_FULL);
  disk_.Heal();
  EXPECT_EQ(Exec(db, "INSERT INTO t VALUES (1)"), SQLITE_OK);
  EXPECT_EQ(Count(db), 1);
  sqlite3_close(db);
}

}  // namespace
}  // namespace seatlock::testing
