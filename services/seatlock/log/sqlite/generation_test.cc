// When a SQLite store's history counts as another one, and when it does not.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/seatlock/log/sqlite/copy.h"
#include "services/seatlock/log/sqlite/files.h"
#include "services/seatlock/log/sqlite/sqlite_log.h"
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
using ::seatlock::testing::Read;
using ::seatlock::testing::StatusIs;
using ::testing::HasSubstr;
using Outcome = AppendResult::Outcome;

class GenerationTest : public ::testing::Test {
 protected:
  void Open() {
    notices_.clear();
    SqliteLog::Options options;
    options.path = path_;
    options.vfs = vfs_;
    options.checkpoint_pages = checkpoint_pages_;
    options.on_notice = [this](const std::string& notice) { notices_.push_back(notice); };
    absl::StatusOr<std::unique_ptr<SqliteLog>> log = SqliteLog::Open(std::move(options));
    ASSERT_THAT(log, IsOk());
    log_ = *std::move(log);
  }

  void Fill(int count) {
    for (int i = 0; i < count; ++i) {
      const AppendResult result = Append(*log_, AppendOf("s", head_, {"x"}));
      ASSERT_EQ(result.outcome, Outcome::kAppended) << result.status;
      head_ = result.head;
    }
  }

  // Copies the store's files as they are, as a crash at this moment would leave them.
  void CrashHere() {
    std::vector<std::string> kept;
    for (const char* suffix : {"", "-wal", ".mark"}) {
      if (!fs::exists(path_ + suffix)) continue;
      kept.push_back(suffix);
      fs::copy_file(path_ + suffix, path_ + suffix + ".crash",
                    fs::copy_options::overwrite_existing);
    }
    log_.reset();
    for (const std::string& suffix : kept) fs::rename(path_ + suffix + ".crash", path_ + suffix);
  }

  void Backup(const std::string& to) {
    fs::remove(to);
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    sqlite3* copy = nullptr;
    ASSERT_EQ(sqlite3_open(to.c_str(), &copy), SQLITE_OK);
    sqlite3_backup* backup = sqlite3_backup_init(copy, "main", db, "main");
    EXPECT_EQ(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    EXPECT_EQ(sqlite3_backup_finish(backup), SQLITE_OK);
    sqlite3_close(copy);
    sqlite3_close(db);
  }

  void PutBack(const std::string& from) {
    fs::copy_file(from, path_, fs::copy_options::overwrite_existing);
  }

  void Sql(const std::string& path, const char* sql) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE,
                              vfs_.empty() ? nullptr : vfs_.c_str()),
              SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  // Opens the store, and expects what was appended up to `head`.
  void ExpectServed(const Head& head) {
    Open();
    const absl::StatusOr<Page> page = Read(*log_, "s", 1);
    ASSERT_THAT(page, IsOk());
    EXPECT_EQ(page->head, head);
    EXPECT_EQ(page->records.size(), head.revision.value());
  }

  std::string Notice() const { return notices_.size() == 1 ? notices_[0] : ""; }

  const seatlock::testing::TempDir dir_;
  const std::string path_ = dir_.File("log.db");
  const std::string backup_ = dir_.File("backup.db");
  std::string vfs_;
  int checkpoint_pages_ = kCheckpointPagesDefault;
  std::vector<std::string> notices_;
  std::unique_ptr<SqliteLog> log_;
  Head head_;
};

TEST_F(GenerationTest, StaysThroughRestartsAndCrashes) {
  Open();
  const std::string generation = log_->Generation();
  EXPECT_TRUE(notices_.empty());
  for (int round = 0; round < 10; ++round) {
    Fill(3);
    round % 2 == 0 ? CrashHere() : log_.reset();
    Open();
    EXPECT_EQ(log_->Generation(), generation) << "round " << round;
    EXPECT_TRUE(notices_.empty()) << Notice();
  }
  EXPECT_EQ(Read(*log_, "s", 1)->head, head_);
}

TEST_F(GenerationTest, StaysWhenTheMarkIsBehindAsAPowerCutMayLeaveIt) {
  Open();
  Fill(5);
  const std::string generation = log_->Generation();
  CrashHere();
  ASSERT_THAT(Mark::Create(MarkOf(path_), {.generation = generation, .commits = 1}), IsOk());
  Open();
  EXPECT_EQ(log_->Generation(), generation);
  EXPECT_TRUE(notices_.empty()) << Notice();
}

TEST_F(GenerationTest, ChangesWhenABackupIsPutBack) {
  Open();
  const std::string generation = log_->Generation();
  Fill(5);
  Backup(backup_);
  Fill(1);
  log_.reset();
  PutBack(backup_);
  Open();
  EXPECT_NE(log_->Generation(), generation);
  EXPECT_THAT(Notice(), HasSubstr("it has gone back, from commit 6 at least to 5"));
  EXPECT_EQ(Read(*log_, "s", 1)->head.revision.value(), 5u);
  // Once: what comes afterwards is the new history.
  const std::string renewed = log_->Generation();
  CrashHere();
  Open();
  EXPECT_EQ(log_->Generation(), renewed);
}

TEST_F(GenerationTest, ControlABackupOfTheVeryLastCommitIsTheSameHistory) {
  Open();
  const std::string generation = log_->Generation();
  Fill(5);
  Backup(backup_);
  log_.reset();
  PutBack(backup_);
  Open();
  EXPECT_EQ(log_->Generation(), generation);
}

TEST_F(GenerationTest, ChangesWhenTheMarkIsMissingDamagedOrAnothers) {
  Open();
  Fill(2);
  log_.reset();
  fs::remove(MarkOf(path_));
  Open();
  EXPECT_THAT(Notice(), HasSubstr("its mark is missing"));
  const std::string second = log_->Generation();
  log_.reset();
  fs::resize_file(MarkOf(path_), 0);
  Open();
  EXPECT_THAT(Notice(), HasSubstr("its mark is damaged"));
  EXPECT_NE(log_->Generation(), second);
  log_.reset();
  ASSERT_THAT(Mark::Create(MarkOf(path_), {.generation = second, .commits = 1}), IsOk());
  Open();
  EXPECT_THAT(Notice(), HasSubstr("its mark is of another history"));
}

// `cp backup.db log.db` after a kill -9 leaves the old file's write-ahead log beside the backup.
TEST_F(GenerationTest, AWriteAheadLogThatBelongsToALaterFileIsMovedAside) {
  checkpoint_pages_ = 1;
  Open();
  Fill(5);
  Backup(backup_);
  Fill(20);
  const std::string generation = log_->Generation();
  checkpoint_pages_ = kCheckpointPagesDefault;
  CrashHere();
  ASSERT_GT(SizeOf(WalOf(path_)), 0);
  PutBack(backup_);
  Open();
  EXPECT_NE(log_->Generation(), generation);
  EXPECT_THAT(Notice(), HasSubstr("-wal.set-aside"));
  EXPECT_THAT(Notice(), HasSubstr("it has gone back"));
  EXPECT_EQ(Read(*log_, "s", 1)->head.revision.value(), 5u);
}

// Puts the store back where version 1 would have left it.
constexpr char kToVersion1[] = "DROP TABLE meta; PRAGMA user_version=1";

// What is served is in the main file by itself --------------------------------------------------

// A backup says of itself that it is one. The file that it becomes must not.
TEST_F(GenerationTest, WhatIsAcknowledgedAfterABackupWasPutBackOutlivesACrash) {
  Open();
  Fill(5);
  ASSERT_THAT(CopyStore(path_, backup_, [](int64_t, int64_t) { return true; }), IsOk());
  const Head early = head_;
  Fill(1);
  log_.reset();
  PutBack(backup_);
  head_ = early;
  ExpectServed(early);
  const std::string renewed = log_->Generation();
  for (int round = 0; round < 3; ++round) {
    Fill(8);
    CrashHere();
    ExpectServed(head_);
    EXPECT_EQ(log_->Generation(), renewed);
    EXPECT_TRUE(notices_.empty()) << Notice();
  }
}

TEST_F(GenerationTest, WhatIsAcknowledgedInABackupThatIsServedItselfOutlivesACrash) {
  Open();
  Fill(5);
  ASSERT_THAT(CopyStore(path_, backup_, [](int64_t, int64_t) { return true; }), IsOk());
  log_.reset();
  const_cast<std::string&>(path_) = backup_;
  ExpectServed(head_);
  Fill(8);
  CrashHere();
  ExpectServed(head_);
  EXPECT_TRUE(notices_.empty()) << Notice();
}

TEST_F(GenerationTest, WhatIsAcknowledgedAfterAnUpgradeOutlivesACrash) {
  Open();
  Fill(5);
  log_.reset();
  fs::remove(MarkOf(path_));
  Sql(path_, kToVersion1);
  ExpectServed(head_);
  Fill(8);
  CrashHere();
  ExpectServed(head_);
  EXPECT_TRUE(notices_.empty()) << Notice();
}

TEST_F(GenerationTest, ATimeThatIsSetOnTheFileStopsNothingAfterARenewalOrAnUpgrade) {
  for (const bool upgrade : {false, true}) {
    Open();
    Fill(2);
    log_.reset();
    fs::remove(MarkOf(path_));
    if (upgrade) Sql(path_, kToVersion1);
    Open();
    fs::last_write_time(path_, fs::file_time_type::clock::now() + std::chrono::hours(1));
    Fill(2);
    EXPECT_TRUE(log_->Healthy());
    log_.reset();
  }
}

// On a full disk no new mark can be made.
TEST_F(GenerationTest, AStartThatChangesNothingNeedsNoNewMark) {
  Open();
  Fill(3);
  CrashHere();
  fs::create_directory(MarkOf(path_) + ".new");
  ExpectServed(head_);
  EXPECT_TRUE(notices_.empty()) << Notice();
  Fill(3);
  EXPECT_EQ(Mark::Read(MarkOf(path_))->commits, 6u);
}

TEST_F(GenerationTest, ABackupThatSomebodyReadsIsNotServedYetAndWhyIsSaid) {
  Open();
  Fill(5);
  ASSERT_THAT(CopyStore(path_, backup_, [](int64_t, int64_t) { return true; }), IsOk());
  log_.reset();
  PutBack(backup_);
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &reader), SQLITE_OK);
  sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM records", nullptr, nullptr, nullptr);
  SqliteLog::Options options;
  options.path = path_;
  const auto log = SqliteLog::Open(options);
  EXPECT_THAT(log, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("end that first"));
  sqlite3_close(reader);
  ExpectServed(head_);
}

TEST_F(GenerationTest, AnUpgradeThatFailsSaysSoWithoutItsStatements) {
  Open();
  log_.reset();
  Sql(path_, "PRAGMA user_version=1");  // though the table is there
  SqliteLog::Options options;
  options.path = path_;
  const auto log = SqliteLog::Open(options);
  ASSERT_FALSE(log.ok());
  const std::string message(log.status().message());
  EXPECT_THAT(message, HasSubstr("cannot be brought up to date"));
  EXPECT_EQ(message.find("CREATE"), std::string::npos) << message;
}

// The write-ahead log of another file ------------------------------------------------------------

TEST_F(GenerationTest, TheWriteAheadLogOfAFileOfAnotherGenerationIsMovedAside) {
  Open();
  Fill(5);
  log_.reset();
  fs::copy_file(path_, backup_);  // as a restore keeps the former store
  const Head former = head_;
  fs::remove(MarkOf(path_));
  Open();
  Fill(8);
  const std::string generation = log_->Generation();
  CrashHere();
  ASSERT_GT(SizeOf(WalOf(path_)), 0);
  PutBack(backup_);
  ExpectServed(former);
  EXPECT_NE(log_->Generation(), generation);
  EXPECT_THAT(Notice(), HasSubstr("-wal.set-aside"));
  EXPECT_THAT(Notice(), HasSubstr("its mark is of another history"));
  head_ = former;
  Fill(3);
  CrashHere();
  ExpectServed(head_);
  EXPECT_TRUE(notices_.empty()) << Notice();
}

TEST_F(GenerationTest, TheWriteAheadLogBesideAFileOfVersion1ThatWasPutBackIsMovedAside) {
  Open();
  Fill(5);
  log_.reset();
  fs::remove(MarkOf(path_));
  Sql(path_, kToVersion1);
  fs::copy_file(path_, backup_);
  const Head early = head_;
  for (const bool restarted : {false, true}) {
    head_ = early;
    ExpectServed(early);
    const std::string generation = log_->Generation();
    if (restarted) {
      log_.reset();
      Open();
    }
    Fill(8);
    CrashHere();
    ASSERT_GT(SizeOf(WalOf(path_)), 0);
    PutBack(backup_);
    ExpectServed(early);
    EXPECT_NE(log_->Generation(), generation);
    EXPECT_THAT(Notice(), HasSubstr("-wal.set-aside"));
    log_.reset();
    PutBack(backup_);
  }
}

TEST_F(GenerationTest, ControlTheWriteAheadLogOfVersion1ItselfIsKept) {
  Open();
  Fill(5);
  log_.reset();
  fs::remove(MarkOf(path_));
  Sql(path_, kToVersion1);
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "UPDATE showtimes SET seen_revision = 4", nullptr, nullptr, nullptr),
            SQLITE_OK);
  fs::copy_file(WalOf(path_), WalOf(path_) + ".crash");
  sqlite3_close(db);
  fs::rename(WalOf(path_) + ".crash", WalOf(path_));
  ExpectServed(head_);
  EXPECT_TRUE(notices_.empty()) << Notice();
}

// The power goes at each write of a start that renews or upgrades. The next one has all there was.
class CutStartTest : public GenerationTest {
 protected:
  CutStartTest() { vfs_ = disk_.name(); }

  // Cuts the `operation`-th write of a start, on what a crash and `before_start` have left. False:
  // the start had ended before.
  bool CutStart(uint64_t operation, const std::function<void()>& before_start) {
    Open();
    Fill(3);
    CrashHere();
    before_start();
    disk_.CutAt(operation);
    SqliteLog::Options options;
    options.path = path_;
    options.vfs = vfs_;
    auto log = SqliteLog::Open(options);
    const bool cut = disk_.IsCut();
    log = absl::UnavailableError("closed");
    if (!cut) return false;
    disk_.Restore();
    ExpectServed(head_);
    log_.reset();
    return !HasFailure();
  }
  // Which of the writes at a cut the disk has kept is chance, so several rounds.
  void CutEach(const std::function<void()>& before_start) {
    for (int round = 0; round < 8 && !HasFailure(); ++round) {
      uint64_t operation = 1;
      while (operation < 200 && CutStart(operation, before_start)) ++operation;
      EXPECT_GT(operation, 5u);
      EXPECT_LT(operation, 200u);
      disk_.CutAt(1'000'000);  // in place of the cut that did not come
      log_.reset();
    }
  }

  seatlock::testing::PowerLossVfs disk_{7};
};

TEST_F(CutStartTest, ARenewalThatIsCutShortLosesNothing) {
  CutEach([this] { fs::remove(MarkOf(path_)); });
}

TEST_F(CutStartTest, AnUpgradeThatIsCutShortLosesNothing) {
  CutEach([this] {
    fs::remove(MarkOf(path_));
    Sql(path_, kToVersion1);
  });
}

// A mark that is not the file's own is no reason to take the file's own log for another's.
TEST_F(CutStartTest, AnUpgradeBesideAnotherFilesMarkThatIsCutShortLosesNothing) {
  CutEach([this] {
    Sql(path_, kToVersion1);
    Sql(path_, "PRAGMA wal_checkpoint(TRUNCATE)");
  });
}

TEST_F(GenerationTest, AFileThatIsGoneIsSaidAndItsWriteAheadLogKept) {
  Open();
  Fill(3);
  const std::string generation = log_->Generation();
  CrashHere();
  fs::remove(path_);
  Open();
  EXPECT_THAT(Notice(), HasSubstr("this is an empty store"));
  EXPECT_NE(log_->Generation(), generation);
  EXPECT_GT(SizeOf(WalOf(path_) + ".set-aside"), 0);
}

TEST_F(GenerationTest, ARestoreThatWasCutShortIsNotServed) {
  Open();
  const std::string generation = log_->Generation();
  log_.reset();
  ASSERT_THAT(Mark::Create(MarkOf(path_), {.generation = generation, .restoring = true}), IsOk());
  SqliteLog::Options options;
  options.path = path_;
  const auto log = SqliteLog::Open(options);
  EXPECT_THAT(log, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("was cut short"));
}

}  // namespace
}  // namespace seatlock::log
