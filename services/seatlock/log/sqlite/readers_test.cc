// The SQLite log while other programs have its file open, and when its files are taken away.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "services/seatlock/log/sqlite/copy.h"
#include "services/seatlock/log/sqlite/files.h"
#include "services/seatlock/log/sqlite/sqlite_log.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/log_calls.h"
#include "tests/testing/power_loss_vfs.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::log {
namespace {

namespace fs = std::filesystem;
using ::seatlock::testing::Append;
using ::seatlock::testing::AppendOf;
using ::seatlock::testing::IsOk;
using ::seatlock::testing::Load;
using ::seatlock::testing::Read;
using ::seatlock::testing::Recover;
using ::seatlock::testing::SaveSnapshot;
using ::seatlock::testing::StatusIs;
using ::testing::HasSubstr;
using Outcome = AppendResult::Outcome;

// Another program with the file open, in the midst of a transaction.
class Shell {
 public:
  Shell(const std::string& path, const std::string& vfs, const char* sql) {
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE,
                              vfs.empty() ? nullptr : vfs.c_str()),
              SQLITE_OK);
    Run(sql);
  }
  ~Shell() { sqlite3_close(db_); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  void Run(const char* sql) {
    EXPECT_EQ(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db_);
  }

 private:
  sqlite3* db_ = nullptr;
};

constexpr char kReading[] = "BEGIN; SELECT count(*) FROM records";

class ReadersTest : public ::testing::Test {
 protected:
  SqliteLog::Options Options() {
    SqliteLog::Options options;
    options.path = path_;
    options.vfs = vfs_;
    options.checkpoint_pages = checkpoint_pages_;
    options.on_error = [this](const absl::Status&) { ++errors_; };
    if (!vfs_.empty()) options.clock = &clock_;
    return options;
  }
  void Open() {
    absl::StatusOr<std::unique_ptr<SqliteLog>> log = SqliteLog::Open(Options());
    ASSERT_THAT(log, IsOk());
    log_ = *std::move(log);
  }
  void MustAppend(const std::string& bytes) {
    const AppendResult result = Append(*log_, AppendOf("s", head_, {bytes}));
    ASSERT_EQ(result.outcome, Outcome::kAppended) << result.status;
    head_ = result.head;
    there_.push_back(bytes);
  }
  void ExpectAll() {
    const absl::StatusOr<Page> page = Read(*log_, "s", 1);
    ASSERT_THAT(page, IsOk());
    std::vector<std::string> found;
    for (const StoredRecord& record : page->records) found.push_back(record.bytes);
    EXPECT_EQ(found, there_);
  }
  // What a crash at this moment would leave: the path of a copy.
  std::string CopyAsCrashed() {
    std::string crash = dir_.File("crash.db");
    for (const char* suffix : {"", "-wal", ".mark"}) fs::copy_file(path_ + suffix, crash + suffix);
    return crash;
  }
  // What is read of showtime s in the file at `path`, as the next process would.
  static absl::StatusOr<Page> ReadAt(const std::string& path) {
    SqliteLog::Options options;
    options.path = path;
    const absl::StatusOr<std::unique_ptr<SqliteLog>> log = SqliteLog::Open(options);
    if (!log.ok()) return log.status();
    return Read(**log, "s", 1);
  }
  // Whether `done` becomes true within the 5 s that operating.md promises, with room for a busy
  // machine.
  template <typename F>
  static bool Soon(F done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  const seatlock::testing::TempDir dir_;
  const std::string path_ = dir_.File("log.db");
  std::string vfs_;
  int checkpoint_pages_ = kCheckpointPagesDefault;
  std::atomic<int> errors_{0};
  seatlock::testing::FakeClock clock_;
  std::unique_ptr<SqliteLog> log_;
  Head head_;
  std::vector<std::string> there_;
};

TEST_F(ReadersTest, AReaderHindersNeitherTheEndNorTheNextStart) {
  Open();
  MustAppend("a");
  Shell reader(path_, "", kReading);
  MustAppend("b");
  log_.reset();
  Open();
  ExpectAll();
  MustAppend("c");
  log_.reset();
  reader.Run("COMMIT");
  Open();
  ExpectAll();
}

TEST_F(ReadersTest, AReaderThatStaysHindersNoCheckpointAndNoCommit) {
  checkpoint_pages_ = 1;
  Open();
  MustAppend("a");
  Shell reader(path_, "", kReading);
  for (int i = 0; i < 50; ++i) MustAppend(std::to_string(i));
  EXPECT_EQ(errors_, 0);
  EXPECT_TRUE(log_->Healthy());
  ExpectAll();
}

TEST_F(ReadersTest, WhileAnotherProgramHoldsTheWriteLockReadsGoOn) {
  Open();
  MustAppend("a");
  {
    Shell writer(path_, "", "BEGIN IMMEDIATE");
    const AppendResult refused = Append(*log_, AppendOf("s", head_, {"b"}));
    EXPECT_EQ(refused.outcome, Outcome::kNotAppended);
    EXPECT_THAT(refused.status, StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_FALSE(log_->Healthy());
    ExpectAll();
    EXPECT_THAT(Load(*log_, "s"), IsOk());
  }
  EXPECT_TRUE(Soon([&] { return log_->Healthy(); }));
  MustAppend("b");
}

TEST_F(ReadersTest, AStoreThatNobodyWritesToIsFoundUnwritableByItself) {
  Open();
  MustAppend("a");
  Shell writer(path_, "", "BEGIN IMMEDIATE");
  EXPECT_TRUE(Soon([&] { return !log_->Healthy(); }));
  writer.Run("COMMIT");
  EXPECT_TRUE(Soon([&] { return log_->Healthy(); }));
}

TEST_F(ReadersTest, TryingAnIdleStoreDoesNotGrowItsWriteAheadLogForEver) {
  checkpoint_pages_ = 1;
  Open();
  MustAppend("a");
  ASSERT_THAT(Recover(*log_), IsOk());  // after the checkpoint that follows the append
  const auto before = fs::last_write_time(path_);
  EXPECT_TRUE(Soon([&] { return fs::last_write_time(path_) != before; }));
  EXPECT_EQ(errors_, 0);
}

// Failing disks ----------------------------------------------------------------------------------

class ReadersDiskTest : public ReadersTest {
 protected:
  ReadersDiskTest() { vfs_ = disk_.name(); }
  void TearDown() override { log_.reset(); }  // before the disk
  // A commit whose sync fails. Whether it has landed, by what is read after the recovery.
  bool FailCommit(const std::string& bytes) {
    disk_.FailSyncs(SQLITE_IOERR_FSYNC);
    EXPECT_EQ(Append(*log_, AppendOf("s", head_, {bytes})).outcome, Outcome::kUnknown);
    disk_.Heal();
    clock_.AdvanceMs(kReopenIntervalMs);
    EXPECT_THAT(Recover(*log_), IsOk());
    const absl::StatusOr<Page> page = Read(*log_, "s", 1);
    EXPECT_THAT(page, IsOk());
    if (page->head == head_) return false;
    head_ = page->head;
    there_.push_back(bytes);
    return true;
  }

  seatlock::testing::PowerLossVfs disk_{5};
};

TEST_F(ReadersDiskTest, AReaderHindersNoRecoveryAndWhatIsReadThenOutlivesACut) {
  for (int round = 0; round < 30; ++round) {
    if (log_ == nullptr) Open();
    MustAppend("a" + std::to_string(round));
    {
      Shell reader(path_, vfs_, kReading);
      FailCommit("b" + std::to_string(round));
      ExpectAll();
      disk_.CutNow();
      log_.reset();
    }
    disk_.Restore();
    Open();
    ExpectAll();
  }
}

// With a reader the index of the write-ahead log lives on, in which the failed commit never was: it
// is not there. But its frames lie in the file, whole, and the next process would find them.
TEST_F(ReadersDiskTest, ACommitThatWasFoundNotToBeThereNeverComesBack) {
  Open();
  MustAppend("a");
  std::string crash;
  {
    Shell reader(path_, vfs_, kReading);
    ASSERT_FALSE(FailCommit("b"));
    crash = CopyAsCrashed();
    log_.reset();
  }
  const absl::StatusOr<Page> page = ReadAt(crash);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->head, head_);
}

TEST_F(ReadersDiskTest, OnAFullDiskReadsGoOnAndWhatFailsIsSettled) {
  Open();
  MustAppend("a");
  disk_.FillDisk();
  const AppendResult failed = Append(*log_, AppendOf("s", head_, {std::string(100'000, 'x')}));
  EXPECT_NE(failed.outcome, Outcome::kAppended);
  EXPECT_THAT(Recover(*log_), IsOk());
  ExpectAll();
  EXPECT_FALSE(log_->Healthy());
  disk_.Heal();
  EXPECT_TRUE(Soon([&] { return log_->Healthy(); }));
  MustAppend("b");
}

TEST_F(ReadersDiskTest, ASnapshotThatCannotBeSavedFailsNoAppend) {
  Open();
  MustAppend("a");
  disk_.FillDisk();
  EXPECT_THAT(SaveSnapshot(*log_, "s", {head_, std::string(5'000'000, 'x')}),
              StatusIs(absl::StatusCode::kUnavailable));
  disk_.Heal();
  MustAppend("b");
  ExpectAll();
}

TEST_F(ReadersDiskTest, AStoreThatFailsAgainAndAgainIsOpenedAtMostEvery100Ms) {
  Open();
  MustAppend("a");
  ASSERT_NO_FATAL_FAILURE(FailCommit("b"));
  disk_.FailSyncs(SQLITE_IOERR_FSYNC);
  EXPECT_EQ(Append(*log_, AppendOf("s", head_, {"c"})).outcome, Outcome::kUnknown);
  disk_.Heal();
  EXPECT_THAT(Recover(*log_), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Load(*log_, "s"), StatusIs(absl::StatusCode::kUnavailable));
  clock_.AdvanceMs(kReopenIntervalMs);
  EXPECT_THAT(Recover(*log_), IsOk());
  EXPECT_THAT(Load(*log_, "s"), IsOk());
}

// More than SQLite holds back in memory, so that it fails before its COMMIT.
TEST_F(ReadersDiskTest, ASnapshotThatCannotBeSavedLeavesTheStoreReady) {
  Open();
  MustAppend("a");
  disk_.FillDisk();
  EXPECT_THAT(SaveSnapshot(*log_, "s", {head_, std::string(20'000'000, 'x')}),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(log_->Healthy());
  disk_.Heal();
  MustAppend("b");
  EXPECT_EQ(log_->Returns(), 0u);
  ExpectAll();
}

// A commit that fails may have landed: the mark knows of it before anybody hears of it.
TEST_F(ReadersDiskTest, WhatIsFoundToHaveLandedIsInTheMarkThoughTheDiskIsFull) {
  Open();
  int landed = 0;
  for (int round = 0; round < 20; ++round) {
    MustAppend("a");
    const uint64_t before = Mark::Read(MarkOf(path_))->commits;
    disk_.FailSyncs(SQLITE_IOERR_FSYNC);
    EXPECT_EQ(Append(*log_, AppendOf("s", head_, {"b"})).outcome, Outcome::kUnknown);
    disk_.Heal();
    disk_.FillDisk();
    clock_.AdvanceMs(kReopenIntervalMs);
    EXPECT_THAT(Recover(*log_), IsOk());
    const absl::StatusOr<Page> page = Read(*log_, "s", 1);
    ASSERT_THAT(page, IsOk());
    if (page->head != head_) {
      ++landed;
      head_ = page->head;
      EXPECT_EQ(Mark::Read(MarkOf(path_))->commits, before + 1);
    }
    disk_.Heal();
    clock_.AdvanceMs(kReopenIntervalMs);
  }
  EXPECT_GT(landed, 0);
}

// Files taken away -------------------------------------------------------------------------------

class FilesTest : public ReadersTest {
 protected:
  static std::string Bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
};

TEST_F(FilesTest, NothingIsAcknowledgedInAFileThatWasRemoved) {
  Open();
  MustAppend("a");
  fs::remove(path_);
  const AppendResult lost = Append(*log_, AppendOf("s", head_, {"b"}));
  EXPECT_EQ(lost.outcome, Outcome::kUnknown);
  EXPECT_FALSE(log_->Healthy());
  EXPECT_THAT(Recover(*log_), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Append(*log_, AppendOf("s", head_, {"c"})).outcome, Outcome::kNotAppended);
  EXPECT_GT(errors_, 0);
  EXPECT_FALSE(fs::exists(path_)) << "an empty file was made in its place";
}

TEST_F(FilesTest, ARemovedFileIsNoticedWithoutAnybodyWriting) {
  Open();
  MustAppend("a");
  fs::remove(path_);
  EXPECT_TRUE(Soon([&] { return !log_->Healthy(); }));
}

TEST_F(FilesTest, AFolderThatIsMovedAndMovedBackIsServedAgain) {
  const std::string folder = dir_.File("here"), away = dir_.File("away");
  fs::create_directory(folder);
  const_cast<std::string&>(path_) = folder + "/log.db";
  Open();
  MustAppend("a");
  fs::rename(folder, away);
  EXPECT_EQ(Append(*log_, AppendOf("s", head_, {"b"})).outcome, Outcome::kUnknown);
  fs::rename(away, folder);
  ASSERT_THAT(Recover(*log_), IsOk());
  const absl::StatusOr<Page> page = Read(*log_, "s", 1);
  ASSERT_EQ(page->records.size(), 2u);
  head_ = page->head;
  there_.push_back("b");
  MustAppend("c");
  ExpectAll();
}

TEST_F(FilesTest, AnotherFileInItsPlaceIsNotServed) {
  Open();
  MustAppend("a");
  const std::string other = dir_.File("other.db");
  fs::copy_file(path_, other);
  fs::rename(other, path_);
  EXPECT_EQ(Append(*log_, AppendOf("s", head_, {"b"})).outcome, Outcome::kUnknown);
  EXPECT_THAT(Recover(*log_), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(FilesTest, AFileThatIsOverwrittenIsNotServed) {
  checkpoint_pages_ = 1;
  Open();
  for (int i = 0; i < 5; ++i) MustAppend("a");
  const std::string early = dir_.File("early.db");
  fs::copy_file(path_, early);
  for (int i = 0; i < 5; ++i) MustAppend("b");
  ASSERT_THAT(Recover(*log_), IsOk());  // after the checkpoint that follows the last one
  fs::copy_file(early, path_, fs::copy_options::overwrite_existing);
  EXPECT_EQ(Append(*log_, AppendOf("s", head_, {"c"})).outcome, Outcome::kUnknown);
  EXPECT_FALSE(log_->Healthy());
  EXPECT_EQ(Append(*log_, AppendOf("s", head_, {"d"})).outcome, Outcome::kNotAppended);
}

// Pages of the one file and frames of the other would make a showtime that never was.
TEST_F(FilesTest, AFileThatIsOverwrittenIsNotReadUntilItIsRight) {
  checkpoint_pages_ = 1;
  Open();
  for (int i = 0; i < 5; ++i) MustAppend("a");
  const std::string early = dir_.File("early.db"), right = dir_.File("right.db");
  ASSERT_THAT(Recover(*log_), IsOk());
  fs::copy_file(path_, early);
  for (int i = 0; i < 5; ++i) MustAppend("b");
  ASSERT_THAT(Recover(*log_), IsOk());
  fs::copy_file(path_, right);
  fs::copy_file(early, path_, fs::copy_options::overwrite_existing);
  ASSERT_TRUE(Soon([&] { return !log_->Healthy(); }));
  EXPECT_THAT(Read(*log_, "s", 1), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Load(*log_, "s"), StatusIs(absl::StatusCode::kUnavailable));
  fs::copy_file(right, path_, fs::copy_options::overwrite_existing);
  EXPECT_TRUE(Soon([&] { return log_->Healthy(); }));
  ExpectAll();
  MustAppend("c");
}

// `rm log.db-*; cp backup.db log.db`, as one puts a backup back, but the server runs.
TEST_F(FilesTest, NothingIsWrittenIntoABackupThatIsPutInPlaceWithoutTheOldWriteAheadLog) {
  Open();
  for (int i = 0; i < 5; ++i) MustAppend("a");
  const std::string backup = dir_.File("backup.db");
  ASSERT_THAT(CopyStore(path_, backup, [](int64_t, int64_t) { return true; }), IsOk());
  for (int i = 0; i < 5; ++i) MustAppend("b");
  fs::remove(WalOf(path_));
  fs::remove(ShmOf(path_));
  fs::copy_file(backup, path_, fs::copy_options::overwrite_existing);
  EXPECT_NE(Append(*log_, AppendOf("s", head_, {"c"})).outcome, Outcome::kAppended);
  EXPECT_FALSE(log_->Healthy());
  EXPECT_THAT(Recover(*log_), StatusIs(absl::StatusCode::kUnavailable));
  log_.reset();
  EXPECT_EQ(Bytes(path_), Bytes(backup));
}

TEST_F(FilesTest, AWriteAheadLogThatIsRemovedTogetherWithTheLockIsNotLost) {
  for (const bool shm : {false, true}) {
    Open();
    for (int i = 0; i < 5; ++i) MustAppend("a");
    fs::remove(LockOf(path_));
    fs::remove(WalOf(path_));
    if (shm) fs::remove(ShmOf(path_));
    MustAppend("b");
    MustAppend("c");
    EXPECT_TRUE(log_->Healthy());
    ExpectAll();
    EXPECT_THAT(SqliteLog::Open(Options()), StatusIs(absl::StatusCode::kFailedPrecondition));
    log_.reset();
    Open();
    ExpectAll();
    log_.reset();
  }
}

// Somebody's connection keeps the index of the log that was removed.
TEST_F(FilesTest, AProgramThatHasTheFileOpenHindersNoMending) {
  Open();
  MustAppend("a");
  Shell idle(path_, "", "SELECT count(*) FROM records");
  fs::remove(WalOf(path_));
  MustAppend("b");
  MustAppend("c");
  EXPECT_TRUE(log_->Healthy());
  ExpectAll();
  const absl::StatusOr<Page> page = ReadAt(CopyAsCrashed());
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->head, head_);
}

TEST_F(FilesTest, AStoreThatIsMendedAndCannotBeOpenedIsNotReady) {
  Open();
  MustAppend("a");
  Shell reader(path_, "", kReading);
  fs::remove(WalOf(path_));
  EXPECT_TRUE(Soon([&] { return !log_->Healthy(); }));
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(Append(*log_, AppendOf("s", head_, {"b"})).outcome, Outcome::kAppended);
    EXPECT_FALSE(log_->Healthy());
  }
  reader.Run("COMMIT");
  EXPECT_TRUE(Soon([&] { return log_->Healthy(); }));
  ExpectAll();
  MustAppend("c");
}

TEST_F(FilesTest, ALinkThatLeadsElsewhereIsNoticed) {
  fs::create_directory(dir_.File("one"));
  fs::create_directory(dir_.File("two"));
  fs::create_directory_symlink(dir_.File("one"), dir_.File("current"));
  const_cast<std::string&>(path_) = dir_.File("current") + "/log.db";
  Open();
  MustAppend("a");
  fs::remove(dir_.File("current"));
  fs::create_directory_symlink(dir_.File("two"), dir_.File("current"));
  EXPECT_EQ(Append(*log_, AppendOf("s", head_, {"b"})).outcome, Outcome::kUnknown);
  EXPECT_FALSE(log_->Healthy());
  fs::remove(dir_.File("current"));
  fs::create_directory_symlink(dir_.File("one"), dir_.File("current"));
  EXPECT_TRUE(Soon([&] { return log_->Healthy(); }));
}

TEST_F(FilesTest, AnotherProgramsCheckpointIsNoOffence) {
  Open();
  for (int i = 0; i < 5; ++i) MustAppend("a");
  Shell shell(path_, "", "PRAGMA wal_checkpoint");
  MustAppend("b");
  EXPECT_EQ(errors_, 0);
  ExpectAll();
}

TEST_F(FilesTest, WhatWasCommittedIntoARemovedWriteAheadLogIsNotLost) {
  Open();
  MustAppend("a");
  fs::remove(WalOf(path_));
  MustAppend("b");
  EXPECT_GT(errors_, 0);
  MustAppend("c");
  const absl::StatusOr<Page> page = ReadAt(CopyAsCrashed());
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->records.size(), 3u);
}

TEST_F(FilesTest, ARemovedLockIsTakenAgainSoThatNoSecondServerComes) {
  Open();
  MustAppend("a");
  fs::remove(LockOf(path_));
  MustAppend("b");
  EXPECT_THAT(SqliteLog::Open(Options()), StatusIs(absl::StatusCode::kFailedPrecondition));
  MustAppend("c");
  ExpectAll();
}

TEST_F(FilesTest, WhereASecondServerHasTheLockNothingIsAcknowledged) {
  Open();
  MustAppend("a");
  fs::remove(LockOf(path_));
  absl::StatusOr<FileLock> second = FileLock::Acquire(LockOf(path_));
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(Append(*log_, AppendOf("s", head_, {"b"})).outcome, Outcome::kUnknown);
  EXPECT_FALSE(log_->Healthy());
}

}  // namespace
}  // namespace seatlock::log
