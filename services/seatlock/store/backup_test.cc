#include "services/seatlock/store/backup.h"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "services/seatlock/log/sqlite/copy.h"
#include "services/seatlock/log/sqlite/files.h"
#include "services/seatlock/log/sqlite/mark.h"
#include "services/seatlock/store/store_fixture.h"
#include "services/seatlock/store/verify.h"

namespace seatlock::store {
namespace {

namespace fs = std::filesystem;
using ::seatlock::testing::IsOk;
using ::seatlock::testing::Read;
using ::seatlock::testing::StatusIs;
using ::testing::HasSubstr;

class BackupTest : public StoreFixture {
 protected:
  std::string GenerationOf() {
    OpenLog();
    const std::string generation = log_->Generation();
    CloseLog();
    return generation;
  }
  uint64_t HeadOf() {
    OpenLog();
    const uint64_t revision = Read(*log_, "s", 1)->head.revision.value();
    CloseLog();
    return revision;
  }
  // A store of five changes, a backup of it, and two more changes.
  void Prepare() {
    OpenLog();
    for (int i = 0; i < 5; ++i) Book("A" + std::to_string(i), "s1");
    ASSERT_THAT(BackupStore(path_, backup_, quiet_), IsOk());
    Book("B1", "s1");
    Book("B2", "s1");
    CloseLog();
  }
};

TEST_F(BackupTest, IsOfOneMomentInOnePassWhoeverWritesMeanwhile) {
  OpenLog();
  for (int i = 0; i < 5; ++i) Book("A" + std::to_string(i), "s1");
  int steps = 0;
  int64_t last = 0;
  bool went_back = false;
  const absl::Status copied = log::CopyStore(
      path_, backup_,
      [&](int64_t done, int64_t) {
        ++steps;
        went_back |= done < last;
        last = done;
        Book("B" + std::to_string(steps), "s1");
        return true;
      },
      1);
  ASSERT_THAT(copied, IsOk());
  EXPECT_GT(steps, 4);
  EXPECT_FALSE(went_back);
  EXPECT_FALSE(fs::exists(log::WalOf(backup_)));
  EXPECT_FALSE(fs::exists(log::MarkOf(backup_)));
  const absl::StatusOr<VerifyReport> report = VerifyStore(StoreConfig::Sqlite(backup_), quiet_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->faults, 0u) << report->first_fault;
  EXPECT_EQ(report->changes, 5u);
}

TEST_F(BackupTest, ControlACopyOfTheFileAloneLacksWhatWasAcknowledged) {
  OpenLog();
  for (int i = 0; i < 5; ++i) Book("A" + std::to_string(i), "s1");
  fs::copy_file(path_, backup_);
  const absl::StatusOr<VerifyReport> report = VerifyStore(StoreConfig::Sqlite(backup_), quiet_);
  EXPECT_FALSE(report.ok() && report->changes == 5u);
}

// Nobody has it open, so it is read without locks. A server starts, writes and stops after the
// third page.
TEST_F(BackupTest, OfAStoreThatIsUsedAndLeftMeanwhileIsOfOneMomentToo) {
  OpenLog();
  for (int i = 0; i < 200; ++i) Book("A" + std::to_string(i), "s1");
  CloseLog();
  int steps = 0;
  const absl::Status copied = log::CopyStore(
      path_, backup_,
      [&](int64_t, int64_t) {
        if (++steps != 3) return true;
        OpenLog();
        for (int i = 0; i < 200; ++i) Book("B" + std::to_string(i), "s1");
        CloseLog();
        return true;
      },
      1);
  ASSERT_THAT(copied, IsOk());
  const absl::StatusOr<VerifyReport> report = VerifyStore(StoreConfig::Sqlite(backup_), quiet_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->faults, 0u) << report->first_fault;
  EXPECT_EQ(report->changes, 400u);
}

TEST_F(BackupTest, OfAStoreThatIsWrittenAgainAndAgainMeanwhileIsRefused) {
  OpenLog();
  for (int i = 0; i < 20; ++i) Book("A" + std::to_string(i), "s1");
  CloseLog();
  const absl::Status copied = log::CopyStore(path_, backup_, [&](int64_t, int64_t) {
    Sql(path_, "UPDATE meta SET probe = 1 - probe");
    return true;
  });
  EXPECT_THAT(copied, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(copied.message()), HasSubstr("run this again"));
}

TEST_F(BackupTest, NeverWritesOverAFile) {
  Prepare();
  const auto size = fs::file_size(backup_);
  EXPECT_THAT(BackupStore(path_, backup_, quiet_), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(fs::file_size(backup_), size);
  EXPECT_FALSE(fs::exists(backup_ + ".partial"));
}

TEST_F(BackupTest, LeavesAFileThatOnlyHasItsTemporaryName) {
  OpenLog();
  Book("A1", "s1");
  std::ofstream(backup_ + ".partial") << "Dear Ada,";
  ASSERT_THAT(BackupStore(path_, backup_, quiet_), IsOk());
  EXPECT_EQ(fs::file_size(backup_ + ".partial"), 9u);
  EXPECT_FALSE(fs::exists(backup_ + ".partial.2"));
}

TEST_F(BackupTest, ThatASignalEndsLeavesNothing) {
  OpenLog();
  Book("A1", "s1");
  CloseLog();
  for (const int signal : {SIGINT, SIGTERM}) {
    const HookedClock clock(2, [signal] { raise(signal); });
    EXPECT_EXIT(
        {
          Progress progress(stderr, clock, false);
          static_cast<void>(BackupStore(path_, backup_, progress));
        },
        ::testing::KilledBySignal(signal), "");
    EXPECT_FALSE(fs::exists(backup_));
    EXPECT_FALSE(fs::exists(backup_ + ".partial"));
  }
}

TEST_F(BackupTest, OfWhatIsNoStoreIsRefused) {
  EXPECT_THAT(BackupStore(path_, backup_, quiet_), StatusIs(absl::StatusCode::kFailedPrecondition));
  Sql(path_, "CREATE TABLE songs(name TEXT)");
  EXPECT_THAT(BackupStore(path_, backup_, quiet_), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(fs::exists(backup_));
}

TEST_F(BackupTest, ARestoreKeepsTheFormerStoreAndGivesAnotherGeneration) {
  Prepare();
  const std::string generation = GenerationOf();
  const absl::StatusOr<RestoreReport> report = RestoreStore(backup_, path_, quiet_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->changes, 5u);
  EXPECT_EQ(report->kept_as, fs::canonical(path_).string() + ".before-restore");
  EXPECT_EQ(HeadOf(), 5u);
  const std::string restored = GenerationOf();
  EXPECT_NE(restored, generation);
  EXPECT_EQ(GenerationOf(), restored) << "a start has renewed it once more";
  EXPECT_EQ(VerifyStore(StoreConfig::Sqlite(report->kept_as), quiet_)->changes, 7u);
  // Another one keeps the first one's former store, too.
  const absl::StatusOr<RestoreReport> again = RestoreStore(backup_, path_, quiet_);
  ASSERT_THAT(again, IsOk());
  EXPECT_NE(again->kept_as, report->kept_as);
  EXPECT_EQ(VerifyStore(StoreConfig::Sqlite(report->kept_as), quiet_)->changes, 7u);
}

TEST_F(BackupTest, ARestoreToWhereNoStoreIsMakesOne) {
  Prepare();
  const std::string other = dir_.File("other.db");
  const absl::StatusOr<RestoreReport> report = RestoreStore(backup_, other, quiet_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->kept_as, "");
  EXPECT_EQ(VerifyStore(StoreConfig::Sqlite(other), quiet_)->changes, 5u);
}

TEST_F(BackupTest, ARestoreOfWhatIsNotSoundChangesNothing) {
  Prepare();
  Sql(backup_, "DELETE FROM records WHERE revision = 2");
  const absl::StatusOr<RestoreReport> report = RestoreStore(backup_, path_, quiet_);
  EXPECT_THAT(report, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("revision 2"));
  EXPECT_EQ(HeadOf(), 7u);
  EXPECT_FALSE(fs::exists(path_ + ".restoring"));
}

TEST_F(BackupTest, ARestoreOntoWhatIsNoStoreIsRefused) {
  Prepare();
  const std::string folder = dir_.File("folder");
  fs::create_directory(folder);
  const std::string songs = dir_.File("songs.db");
  Sql(songs, "CREATE TABLE songs(name TEXT)");
  const std::string letter = dir_.File("letter.txt");
  std::ofstream(letter) << "Dear Ada,";
  const std::string link = dir_.File("link");
  fs::create_symlink("nowhere", link);
  for (const std::string& target : {folder, songs, letter, link}) {
    EXPECT_THAT(RestoreStore(backup_, target, quiet_),
                StatusIs(absl::StatusCode::kFailedPrecondition))
        << target;
    EXPECT_TRUE(fs::exists(fs::symlink_status(target))) << target;
    for (const char* suffix : {".before-restore", ".lock", ".mark", ".restoring"}) {
      EXPECT_FALSE(fs::exists(target + suffix)) << target << suffix;
    }
  }
  EXPECT_TRUE(fs::is_directory(folder));
  EXPECT_EQ(fs::file_size(letter), 9u);
}

TEST_F(BackupTest, ControlARestoreOntoADamagedStoreKeepsItAndMakesOne) {
  Prepare();
  for (const std::string damage : {"", "Dear Ada,"}) {
    std::ofstream(path_) << damage;
    const absl::StatusOr<RestoreReport> report = RestoreStore(backup_, path_, quiet_);
    ASSERT_THAT(report, IsOk());
    EXPECT_EQ(fs::file_size(report->kept_as), damage.size());
    EXPECT_EQ(HeadOf(), 5u);
  }
}

TEST_F(BackupTest, AStoreInUseIsNotRestored) {
  Prepare();
  OpenLog();
  EXPECT_THAT(RestoreStore(backup_, path_, quiet_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(RestoreStore(path_, path_, quiet_), StatusIs(absl::StatusCode::kFailedPrecondition));
  CloseLog();
  EXPECT_EQ(HeadOf(), 7u);
}

// The moments of a restore at which it may be cut short: the mark is written, the former file is
// moved, the new one is not there yet.
TEST_F(BackupTest, ARestoreThatWasCutShortIsNotServedAndIsDoneByRunningItAgain) {
  Prepare();
  absl::StatusOr<log::Mark> mark =
      log::Mark::Create(log::MarkOf(path_), {.generation = "0123456789abcdef", .restoring = true});
  ASSERT_THAT(mark, IsOk());
  for (const bool moved : {false, true}) {
    if (moved) fs::rename(path_, path_ + ".before-restore");
    log::SqliteLog::Options options;
    options.path = path_;
    EXPECT_THAT(log::SqliteLog::Open(options), StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_EQ(fs::exists(path_), !moved) << "an empty store was made in its place";
  }
  ASSERT_THAT(RestoreStore(backup_, path_, quiet_), IsOk());
  EXPECT_EQ(HeadOf(), 5u);
  EXPECT_TRUE(fs::exists(path_ + ".before-restore"));
}

// The write-ahead log of a server that was killed, and a backup copied to where its file was.
TEST_F(BackupTest, AnotherFilesWriteAheadLogIsNeitherReadNorCompactedIntoTheStore) {
  OpenLog();
  for (int i = 0; i < 5; ++i) Book("A" + std::to_string(i), "s1");
  ASSERT_THAT(BackupStore(path_, backup_, quiet_), IsOk());
  Book("B1", "s1");
  fs::copy_file(log::WalOf(path_), dir_.File("killed-wal"));
  CloseLog();
  fs::copy_file(backup_, path_, fs::copy_options::overwrite_existing);
  fs::copy_file(dir_.File("killed-wal"), log::WalOf(path_));

  EXPECT_THAT(VerifyStore(StoreConfig::Sqlite(path_), quiet_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(BackupStore(path_, dir_.File("other.db"), quiet_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  const absl::StatusOr<std::string> notice = log::Compact(path_);
  ASSERT_THAT(notice, IsOk());
  EXPECT_THAT(*notice, HasSubstr("seatlock.db-wal.set-aside"));
  const absl::StatusOr<VerifyReport> report = VerifyStore(StoreConfig::Sqlite(path_), quiet_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->faults, 0u) << report->first_fault;
  EXPECT_EQ(HeadOf(), 5u);
}

TEST_F(BackupTest, AWriteAheadLogBesideAnOlderVersionsFileIsNotRead) {
  OpenLog();
  for (int i = 0; i < 5; ++i) Book("A" + std::to_string(i), "s1");
  fs::copy_file(log::WalOf(path_), dir_.File("killed-wal"));
  CloseLog();
  Sql(path_, "DROP TABLE meta; PRAGMA user_version=1");
  EXPECT_THAT(VerifyStore(StoreConfig::Sqlite(path_), quiet_), IsOk());
  fs::copy_file(dir_.File("killed-wal"), log::WalOf(path_));
  EXPECT_THAT(VerifyStore(StoreConfig::Sqlite(path_), quiet_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(BackupTest, ControlAKilledServersOwnWriteAheadLogIsReadAndCompactedIntoTheStore) {
  OpenLog();
  for (int i = 0; i < 5; ++i) Book("A" + std::to_string(i), "s1");
  for (const std::string& file : {path_, log::WalOf(path_), log::MarkOf(path_)}) {
    fs::copy_file(file, file + ".killed");
  }
  CloseLog();
  for (const std::string& file : {path_, log::WalOf(path_), log::MarkOf(path_)}) {
    fs::rename(file + ".killed", file);
  }
  const absl::StatusOr<VerifyReport> report = VerifyStore(StoreConfig::Sqlite(path_), quiet_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->changes, 5u);
  const absl::StatusOr<std::string> notice = log::Compact(path_);
  ASSERT_THAT(notice, IsOk());
  EXPECT_EQ(*notice, "");
  EXPECT_EQ(HeadOf(), 5u);
}

TEST_F(BackupTest, CompactingGivesSpaceBackAndKeepsHistoryAndGeneration) {
  OpenLog();
  for (int i = 0; i < 2000; ++i) {
    const std::string seat = "A" + std::to_string(i % 7);
    Lock(seat, "s1");
    Write(ChangeOf(seat, domain::SeatStatus::kAvailable, "s1"));
    if (i == 1998 || i == 1999) SaveSnapshot();
  }
  for (int i = 0; i < 3; ++i)
    ASSERT_THAT(seatlock::testing::Trim(*log_, "s", INT64_MAX, 0), IsOk());
  const std::string generation = log_->Generation();
  CloseLog();
  const auto before = fs::file_size(path_);
  ASSERT_THAT(log::Compact(path_), IsOk());
  EXPECT_LT(fs::file_size(path_), before / 2);
  EXPECT_EQ(VerifyStore(StoreConfig::Sqlite(path_), quiet_)->faults, 0u);
  EXPECT_EQ(HeadOf(), 4000u);
  EXPECT_EQ(GenerationOf(), generation);
}

}  // namespace
}  // namespace seatlock::store
