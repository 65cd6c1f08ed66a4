// What is the SQLite log's own: its file, its transactions, its disk. What every store does is in
// tests/conformance.
#include "services/seatlock/log/sqlite/sqlite_log.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/testing/fake_clock.h"
#include "tests/testing/log_calls.h"
#include "tests/testing/power_loss_vfs.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::log {
namespace {

using ::seatlock::testing::Append;
using ::seatlock::testing::AppendOf;
using ::seatlock::testing::Await;
using ::seatlock::testing::Due;
using ::seatlock::testing::IsOk;
using ::seatlock::testing::Load;
using ::seatlock::testing::Read;
using ::seatlock::testing::Recover;
using ::seatlock::testing::SaveSnapshot;
using ::seatlock::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;
using Outcome = AppendResult::Outcome;

class SqliteLogTest : public ::testing::Test {
 protected:
  SqliteLog::Options Options() {
    SqliteLog::Options options;
    options.path = dir_.File("log.db");
    return options;
  }

  std::unique_ptr<SqliteLog> MustOpen(SqliteLog::Options options) {
    absl::StatusOr<std::unique_ptr<SqliteLog>> log = SqliteLog::Open(std::move(options));
    EXPECT_THAT(log, IsOk());
    return log.ok() ? *std::move(log) : nullptr;
  }

  void MustRefuse(const std::string& why) {
    const auto log = SqliteLog::Open(Options());
    EXPECT_THAT(log, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(log.status().message()), HasSubstr(why));
  }

  void Sql(const char* sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(Options().path.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  const seatlock::testing::TempDir dir_;
};

// What it says of itself -------------------------------------------------------------------------

TEST_F(SqliteLogTest, TheWriteAheadLogGrowsAndBeginsAnewAfterACheckpoint) {
  auto options = Options();
  options.checkpoint_pages = 50;
  auto log = MustOpen(std::move(options));
  const std::string record(3000, 'r');
  Head head;
  bool grew = false, fell = false;
  for (size_t before = log->WalBytes(); !(grew && fell);) {
    head = Append(*log, AppendOf("s", head, {record}, 1000)).head;
    ASSERT_LT(head.revision.value(), 1000u) << "grew: " << grew << ", fell: " << fell;
    const size_t now = log->WalBytes();
    grew |= now > before;
    fell |= now < before;
    before = now;
  }
}

TEST(SubmitQueueTest, SaysWhatWaits) {
  SubmitQueue queue(1 << 20);
  EXPECT_EQ(queue.bytes(), 0u);
  for (int i = 0; i < 3; ++i) {
    Job job = AppendJob{.request = AppendOf("s", {}, {std::string(1000, 'r')}, 1000),
                        .done = [](const AppendResult&) {},
                        .result = {}};
    ASSERT_TRUE(queue.Push(job));
  }
  EXPECT_GE(queue.bytes(), 3 * (1000 + kJobOverheadBytes));
  EXPECT_EQ(queue.Take(std::chrono::milliseconds(0))->size(), 3u);
  EXPECT_EQ(queue.bytes(), 0u);
}

// The file ---------------------------------------------------------------------------------------

TEST_F(SqliteLogTest, ANewerSchemaIsRefused) {
  MustOpen(Options()).reset();
  Sql("PRAGMA user_version = 3");
  MustRefuse(
      "was written by a newer SeatLock: its schema version is 3, this program knows up to 2");
}

// The tables of version 1, as that version made them, and one showtime of two records.
constexpr char kVersion1[] = R"sql(
  PRAGMA journal_mode=WAL;
  CREATE TABLE showtimes(
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    base_revision INTEGER NOT NULL,
    base_chain BLOB NOT NULL,
    seen_revision INTEGER NOT NULL,
    wake_ms INTEGER
  ) STRICT;
  CREATE INDEX showtimes_by_wake ON showtimes(wake_ms) WHERE wake_ms IS NOT NULL;
  CREATE TABLE records(
    showtime INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    commit_ms INTEGER NOT NULL,
    chain BLOB NOT NULL,
    seal BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY(showtime, revision)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE snapshots(
    showtime INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    chain BLOB NOT NULL,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY(showtime, revision)
  ) STRICT;
  PRAGMA application_id=1397050443;
  PRAGMA user_version=1;
)sql";

TEST_F(SqliteLogTest, AFileOfVersion1IsBroughtUpToDateAndKeepsWhatItHolds) {
  // Written by this version, then carried over into a file as version 1 made it.
  Head head;
  {
    auto log = MustOpen(Options());
    head = Append(*log, AppendOf("s", {}, {"a", "b"}, 1000)).head;
  }
  const std::string newer = dir_.File("newer.db");
  std::filesystem::rename(Options().path, newer);
  Sql(kVersion1);
  Sql(("ATTACH '" + newer +
       "' AS newer; INSERT INTO showtimes SELECT * FROM newer.showtimes; "
       "INSERT INTO records SELECT * FROM newer.records;")
          .c_str());

  auto log = MustOpen(Options());
  EXPECT_FALSE(log->Generation().empty());
  EXPECT_EQ(Due(*log, 1000, 10)->size(), 1u);
  EXPECT_EQ(Load(*log, "s")->head, head);
  EXPECT_EQ(Append(*log, AppendOf("s", head, {"c"})).outcome, Outcome::kAppended);
  const std::string generation = log->Generation();
  log.reset();
  EXPECT_EQ(MustOpen(Options())->Generation(), generation);
}

TEST_F(SqliteLogTest, PagesOfWhatIsDueComeFromTheIndexAlone) {
  MustOpen(Options()).reset();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(Options().path.c_str(), &db), SQLITE_OK);
  std::string plan;
  const std::string sql =
      "EXPLAIN QUERY PLAN SELECT name, wake_ms FROM showtimes WHERE wake_ms IS NOT NULL AND "
      "wake_ms <= 5 AND (wake_ms, name) > (1, 'a') ORDER BY wake_ms, name LIMIT 9";
  EXPECT_EQ(sqlite3_exec(
                db, sql.c_str(),
                [](void* out, int, char** row, char**) {
                  *static_cast<std::string*>(out) += row[3];
                  return 0;
                },
                &plan, nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  EXPECT_THAT(plan, HasSubstr("SEARCH showtimes USING COVERING INDEX showtimes_by_wake"));
  EXPECT_THAT(plan, Not(HasSubstr("TEMP B-TREE"))) << "it sorts";
}

TEST_F(SqliteLogTest, AnotherProgramsDatabaseIsRefusedAndLeftAlone) {
  Sql("CREATE TABLE songs(name TEXT)");
  MustRefuse("log.db is not a SeatLock store: it is another program's database");
  Sql("CREATE TABLE still_in_rollback_mode AS SELECT * FROM pragma_journal_mode; "
      "INSERT INTO songs SELECT CASE journal_mode WHEN 'delete' THEN 'fine' END "
      "FROM still_in_rollback_mode; "
      "CREATE TABLE checked(name TEXT NOT NULL); INSERT INTO checked SELECT name FROM songs");
}

TEST_F(SqliteLogTest, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  const std::string text(10'000, 'x');
  std::ofstream(Options().path) << text;
  MustRefuse("log.db is not a SeatLock store");
  std::ifstream in(Options().path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
}

TEST_F(SqliteLogTest, AnEmptyFileBecomesAStore) {
  std::ofstream(Options().path) << "";
  EXPECT_EQ(Append(*MustOpen(Options()), AppendOf("s", {}, {"x"})).outcome, Outcome::kAppended);
}

TEST_F(SqliteLogTest, AFolderThatIsNotThereIsUnavailable) {
  SqliteLog::Options options;
  options.path = dir_.File("no/such/log.db");
  EXPECT_THAT(SqliteLog::Open(options), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SqliteLogTest, ASecondOpenerIsRefusedUntilTheFirstIsGone) {
  auto log = MustOpen(Options());
  MustRefuse("the store is in use");
  log.reset();
  EXPECT_THAT(SqliteLog::Open(Options()), IsOk());
}

TEST_F(SqliteLogTest, ASecondOpenerByAnotherNameIsRefused) {
  auto log = MustOpen(Options());
  SqliteLog::Options linked = Options();
  linked.path = dir_.File("link.db");
  std::filesystem::create_symlink(Options().path, linked.path);
  EXPECT_THAT(SqliteLog::Open(linked), StatusIs(absl::StatusCode::kFailedPrecondition));
  log.reset();
  EXPECT_THAT(SqliteLog::Open(linked), IsOk());
}

TEST_F(SqliteLogTest, WhatIsNoPlainFileIsRefused) {
  for (const char* path : {":memory:", "file:x.db", ""}) {
    SqliteLog::Options options;
    options.path = path;
    EXPECT_THAT(SqliteLog::Open(options), StatusIs(absl::StatusCode::kFailedPrecondition)) << path;
  }
}

TEST_F(SqliteLogTest, AFileWithoutAWriteAheadLogIsRefused) {
  SqliteLog::Options options = Options();
  options.vfs = "unix-none";  // has no shared memory
  const auto log = SqliteLog::Open(options);
  EXPECT_THAT(log, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("write-ahead log"));
}

TEST_F(SqliteLogTest, HealthReturnsByLooksAloneWhenAnotherProgramLetsGoOfTheFile) {
  std::promise<std::string> error;
  std::atomic<bool> told{false};
  SqliteLog::Options options = Options();
  options.on_error = [&](const absl::Status& status) {
    if (!told.exchange(true)) error.set_value(status.ToString());
  };
  auto log = MustOpen(options);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(Options().path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const AppendResult failed = Append(*log, AppendOf("s", {}, {"x"}));
  EXPECT_EQ(failed.outcome, Outcome::kNotAppended);
  EXPECT_EQ(failed.status.message(), "the store cannot be written now");
  EXPECT_THAT(Await(error.get_future()), HasSubstr("BEGIN IMMEDIATE: database is locked"));
  EXPECT_FALSE(log->Healthy());
  EXPECT_EQ(sqlite3_close(other), SQLITE_OK);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!log->Healthy() && std::chrono::steady_clock::now() < deadline) {
    static_cast<void>(Due(*log, 0, 1));
  }
  EXPECT_TRUE(log->Healthy());
}

TEST_F(SqliteLogTest, AnotherProcessIsRefused) {
  auto log = MustOpen(Options());
  const pid_t child = fork();
  if (child == 0) {
    // A lock that the child inherits is the parent's; opening anew must not get past it.
    const auto second = SqliteLog::Open(Options());
    _exit(absl::IsFailedPrecondition(second.status()) ? 42 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42) << status;
}

// Group commit -----------------------------------------------------------------------------------

// Keeps the writer's thread in a callback while it lives.
class WriterHold {
 public:
  explicit WriterHold(SqliteLog& log) {
    auto held = std::make_shared<std::promise<void>>();
    auto until = std::make_shared<std::shared_future<void>>(release_.get_future());
    log.Append(AppendOf("hold", {}, {"x"}), [held, until](AppendResult) {
      held->set_value();
      until->wait();
    });
    Await(held->get_future());
  }
  ~WriterHold() { release_.set_value(); }

 private:
  std::promise<void> release_;
};

TEST_F(SqliteLogTest, WhatWaitsIsCommittedTogether) {
  std::vector<CommitStats> commits;  // written by the writer's thread, read when it is gone
  SqliteLog::Options options = Options();
  options.on_commit = [&](const CommitStats& stats) { commits.push_back(stats); };
  auto log = MustOpen(options);
  {
    WriterHold hold(*log);
    for (int i = 0; i < 500; ++i) {
      log->Append(AppendOf("s" + std::to_string(i), {}, {"x"}),
                  [](AppendResult result) { EXPECT_EQ(result.outcome, Outcome::kAppended); });
    }
  }
  EXPECT_THAT(Recover(*log), IsOk());
  log.reset();
  ASSERT_EQ(commits.size(), 2u);
  EXPECT_EQ(commits[0].appends, 1u);
  EXPECT_EQ(commits[1].appends, 500u);
}

TEST_F(SqliteLogTest, ASnapshotHasATransactionOfItsOwn) {
  std::vector<size_t> appends;  // written by the writer's thread, read when it is gone
  SqliteLog::Options options = Options();
  options.on_commit = [&](const CommitStats& stats) { appends.push_back(stats.appends); };
  auto log = MustOpen(options);
  const Head head = Append(*log, AppendOf("s", {}, {"x"})).head;
  {
    WriterHold hold(*log);
    auto ok = [](AppendResult result) { EXPECT_EQ(result.outcome, Outcome::kAppended); };
    log->Append(AppendOf("a", {}, {"x"}), ok);
    log->Append(AppendOf("b", {}, {"x"}), ok);
    log->SaveSnapshot(domain::ShowtimeId("s"), {head, "state"},
                      [](absl::Status status) { EXPECT_THAT(status, IsOk()); });
    log->Append(AppendOf("c", {}, {"x"}), ok);
  }
  EXPECT_THAT(Recover(*log), IsOk());
  log.reset();
  EXPECT_EQ(appends, (std::vector<size_t>{1, 1, 2, 1}));
}

TEST_F(SqliteLogTest, WhatDoesNotFitTheQueueIsTurnedAway) {
  SqliteLog::Options options = Options();
  options.queue_bytes_max = 10'000;
  auto log = MustOpen(options);
  int turned_away = 0;
  {
    WriterHold hold(*log);
    for (int i = 0; i < 10; ++i) {
      // Called back inside the call where turned away, and on the writer's thread otherwise.
      log->Append(AppendOf("s" + std::to_string(i), {}, {std::string(2000, 'x')}),
                  [&turned_away, caller = std::this_thread::get_id()](AppendResult result) {
                    if (std::this_thread::get_id() != caller) return;
                    EXPECT_EQ(result.outcome, Outcome::kNotAppended);
                    EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kResourceExhausted));
                    ++turned_away;
                  });
    }
  }
  EXPECT_EQ(turned_away, 7);  // 3 of some 2.6 KB fit
  EXPECT_TRUE(log->Healthy()) << "a full queue says nothing about the store";
  EXPECT_THAT(Recover(*log), IsOk());
  EXPECT_EQ(Append(*log, AppendOf("after", {}, {"x"})).outcome, Outcome::kAppended);
}

// The disk ---------------------------------------------------------------------------------------

struct Fault {
  const char* name;
  void (*inject)(seatlock::testing::PowerLossVfs&);
};

class SqliteLogDiskTest : public SqliteLogTest {
 protected:
  SqliteLog::Options OnDisk() {
    SqliteLog::Options options = Options();
    options.vfs = disk_.name();
    options.clock = &clock_;
    return options;
  }

  // Whether `log` holds just `bytes` of "s".
  static void ExpectRecords(SqliteLog& log, const std::vector<std::string>& bytes) {
    const absl::StatusOr<Page> page = Read(log, "s", 1);
    ASSERT_THAT(page, IsOk());
    ASSERT_EQ(page->records.size(), bytes.size());
    for (size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(page->records[i].bytes, bytes[i]);
  }

  seatlock::testing::PowerLossVfs disk_{11};
  seatlock::testing::FakeClock clock_;
};

class SqliteLogFaultTest : public SqliteLogDiskTest, public ::testing::WithParamInterface<Fault> {};

TEST_P(SqliteLogFaultTest, ACommitThatFailsIsUnknownAndTheTruthIsReadAfterRecovery) {
  auto log = MustOpen(OnDisk());
  const Head first = Append(*log, AppendOf("s", {}, {"a"})).head;

  GetParam().inject(disk_);
  const AppendResult failed = Append(*log, AppendOf("s", first, {"b"}));
  EXPECT_EQ(failed.outcome, Outcome::kUnknown);
  EXPECT_THAT(failed.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(log->Healthy());

  // Nothing is said, read or written until the disk is well again.
  const AppendResult meanwhile = Append(*log, AppendOf("t", {}, {"x"}));
  EXPECT_EQ(meanwhile.outcome, Outcome::kNotAppended);
  EXPECT_THAT(meanwhile.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Read(*log, "s", 1), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Load(*log, "s"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Due(*log, 0, 1), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(SaveSnapshot(*log, "s", {first, "x"}), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Recover(*log), StatusIs(absl::StatusCode::kUnavailable));

  disk_.Heal();
  clock_.AdvanceMs(kReopenIntervalMs);
  EXPECT_THAT(Recover(*log), IsOk());
  EXPECT_TRUE(log->Healthy());
  EXPECT_TRUE(Read(*log, "t", 1)->records.empty());
  const absl::StatusOr<Page> page = Read(*log, "s", 1);
  ASSERT_THAT(page, IsOk());
  std::vector<std::string> there = {"a"};
  if (page->records.size() == 2) there.push_back("b");
  ExpectRecords(*log, there);

  // What was shown is on the disk, and so is what came after it.
  there.push_back("c");
  EXPECT_EQ(Append(*log, AppendOf("s", page->head, {"c"})).outcome, Outcome::kAppended);
  disk_.CutNow();
  log.reset();
  disk_.Restore();
  ExpectRecords(*MustOpen(OnDisk()), there);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, SqliteLogFaultTest,
    ::testing::Values(Fault{"DiskFull", [](auto& disk) { disk.FailWrites(SQLITE_FULL); }},
                      Fault{"WriteError", [](auto& disk) { disk.FailWrites(SQLITE_IOERR_WRITE); }},
                      Fault{"SyncError", [](auto& disk) { disk.FailSyncs(SQLITE_IOERR_FSYNC); }}),
    [](const auto& fault) { return fault.param.name; });

TEST_F(SqliteLogDiskTest, AFailedCommitIsUnknownForAllInTheTransaction) {
  auto log = MustOpen(OnDisk());
  std::vector<std::future<AppendResult>> results;
  {
    WriterHold hold(*log);
    disk_.FailSyncs(SQLITE_IOERR_FSYNC);
    for (int i = 0; i < 20; ++i) {
      auto promise = std::make_shared<std::promise<AppendResult>>();
      results.push_back(promise->get_future());
      log->Append(AppendOf("s" + std::to_string(i), {}, {"x"}),
                  [promise](AppendResult result) { promise->set_value(std::move(result)); });
    }
  }
  for (auto& result : results) EXPECT_EQ(Await(std::move(result)).outcome, Outcome::kUnknown);
}

TEST_F(SqliteLogDiskTest, ReopeningIsTriedByTheNextCallButNotTooOften) {
  auto log = MustOpen(OnDisk());
  const Head first = Append(*log, AppendOf("s", {}, {"a"})).head;
  disk_.FailSyncs(SQLITE_IOERR_FSYNC);
  EXPECT_EQ(Append(*log, AppendOf("s", first, {"b"})).outcome, Outcome::kUnknown);
  EXPECT_THAT(Recover(*log), StatusIs(absl::StatusCode::kUnavailable));
  disk_.Heal();
  EXPECT_THAT(Recover(*log), StatusIs(absl::StatusCode::kUnavailable));
  clock_.AdvanceMs(kReopenIntervalMs);
  EXPECT_EQ(Append(*log, AppendOf("t", {}, {"x"})).outcome, Outcome::kAppended);
}

TEST_F(SqliteLogDiskTest, AReadAloneGetsTheStoreOpenAgain) {
  auto log = MustOpen(OnDisk());
  disk_.FailSyncs(SQLITE_IOERR_FSYNC);
  EXPECT_EQ(Append(*log, AppendOf("s", {}, {"a"})).outcome, Outcome::kUnknown);
  disk_.Heal();
  EXPECT_THAT(Read(*log, "s", 1), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Recover(*log), IsOk());  // comes after what the read has asked for
  EXPECT_THAT(Read(*log, "s", 1), IsOk());
}

TEST_F(SqliteLogDiskTest, AReadErrorIsUnavailableAndPasses) {
  auto log = MustOpen(OnDisk());
  const Head first = Append(*log, AppendOf("s", {}, {"a"})).head;
  ExpectRecords(*log, {"a"});
  EXPECT_EQ(Append(*log, AppendOf("s", first, {"b"})).outcome, Outcome::kAppended);
  disk_.FailReads(SQLITE_IOERR_READ);
  EXPECT_THAT(Read(*log, "s", 1), StatusIs(absl::StatusCode::kUnavailable));
  disk_.Heal();
  ExpectRecords(*log, {"a", "b"});
}

TEST_F(SqliteLogDiskTest, OpeningOnAFailingDiskIsUnavailable) {
  disk_.FailWrites(SQLITE_FULL);
  EXPECT_THAT(SqliteLog::Open(OnDisk()), StatusIs(absl::StatusCode::kUnavailable));
  disk_.Heal();
  EXPECT_EQ(Append(*MustOpen(OnDisk()), AppendOf("s", {}, {"a"})).outcome, Outcome::kAppended);
}

TEST_F(SqliteLogDiskTest, AFailingCheckpointLosesNothing) {
  SqliteLog::Options options = OnDisk();
  options.checkpoint_pages = 1'000'000;
  auto log = MustOpen(options);
  Head head = Append(*log, AppendOf("s", {}, {"a"})).head;
  disk_.FailSyncs(SQLITE_IOERR_FSYNC);
  log.reset();  // the checkpoint that goes with closing fails
  EXPECT_THAT(SqliteLog::Open(options), StatusIs(absl::StatusCode::kUnavailable));
  disk_.Heal();
  log = MustOpen(options);
  ExpectRecords(*log, {"a"});
  EXPECT_EQ(Append(*log, AppendOf("s", head, {"b"})).outcome, Outcome::kAppended);
}

}  // namespace
}  // namespace seatlock::log
