// A store's files in an operator's hands, on a real server: backups taken and put back, other
// programs that read, files that are taken away.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "tests/integration/test_server.h"
#include "tests/testing/eventually.h"
#include "tests/testing/http_get.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr milliseconds kSoon{20'000};

struct Output {
  int code = -1;
  std::string out;
  std::vector<std::string> err;
};

// seatlockd store `args`.
Output Store(std::vector<std::string> args) {
  args.insert(args.begin(), "store");
  auto process = Process::Start({.binary = SEATLOCKD_BINARY, .args = std::move(args)});
  Output output;
  const auto exit = (*process)->Wait(milliseconds(60'000));
  if (!exit.ok()) return output;
  output.code = exit->code;
  for (const std::string& line : (*process)->StdoutLines()) output.out += line + "\n";
  output.err = (*process)->StderrLines();
  return output;
}

// Another program that has the file open, in a transaction that `sql` begins.
class Shell {
 public:
  Shell(const std::string& file, const char* sql) {
    EXPECT_EQ(sqlite3_open(file.c_str(), &db_), SQLITE_OK);
    sqlite3_busy_timeout(db_, 5'000);
    EXPECT_EQ(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  }
  ~Shell() { sqlite3_close(db_); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

 private:
  sqlite3* db_ = nullptr;
};

constexpr char kReading[] = "BEGIN; SELECT count(*) FROM records";

int ReadyCode(const TestServer& server) {
  auto response = HttpGet(server.admin_address(), "/readyz");
  return response.ok() ? response->status : 0;
}

// Whether grpc.health.v1 says SERVING of the service.
bool IsServing(const TestServer& server) {
  const std::string name = "seatlock.v1.SeatLockService";
  const std::string bytes = "\x0a" + std::string(1, static_cast<char>(name.size())) + name;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kSoon);
  const auto channel = grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials());
  const grpc::internal::RpcMethod method("/grpc.health.v1.Health/Check",
                                         grpc::internal::RpcMethod::NORMAL_RPC);
  const grpc::Status status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      channel.get(), method, &context, request, &response);
  grpc::Slice answer;
  return status.ok() && response.DumpToSingleSlice(&answer).ok() && answer.size() == 2 &&
         answer.begin()[1] == 1;
}

class StoreFilesTest : public ::testing::Test {
 protected:
  void SetUp() override { Start(); }

  void Start() {
    ASSERT_THAT(server_.Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address(), seconds(30));
  }
  // `count` changes of "show", on seats named after `prefix`.
  void Lock(const std::string& prefix, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(client_->Lock("show", prefix + std::to_string(i), "s1").ok());
    }
  }
  uint64_t Revision() { return client_->Get("show").response.snapshot().revision(); }
  std::string StoreFlag() const { return "--store=" + server_.store(); }
  // Lines of the running server's log that contain `text`.
  int LogLines(const std::string& text) {
    int count = 0;
    for (const std::string& line : server_.process().StderrLines()) {
      if (line.find(text) != std::string::npos) ++count;
    }
    return count;
  }

  TestServer server_;
  const TempDir dir_;
  const std::string backup_ = dir_.File("backup.db");
  std::unique_ptr<SeatLockClient> client_;
};

constexpr char kRenewed[] = "counts as another one";

// Backups ----------------------------------------------------------------------------------------

// Backup at revision 5, five more changes, restore, eight others: who resumes at 10 gets it all
// anew. `put_back` makes the file what the backup is while no server runs.
void ExpectReplaced(TestServer& server, const std::string& backup,
                    const std::function<void()>& put_back) {
  auto client = std::make_unique<SeatLockClient>(server.address());
  auto lock = [&client](const std::string& prefix, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(client->Lock("show", prefix + std::to_string(i), "s1").ok());
    }
  };
  lock("A", 5);
  ASSERT_EQ(Store({"backup", backup, "--store=" + server.store()}).code, 0);
  lock("B", 5);
  v1::Position position;
  position.set_epoch(client->Get("show").response.snapshot().epoch());
  position.set_revision(10);
  ASSERT_EQ(server.Stop()->code, 0);
  put_back();
  ASSERT_THAT(server.Start(), IsOk());
  client = std::make_unique<SeatLockClient>(server.address());
  lock("C", 8);
  ASSERT_EQ(client->Get("show").response.snapshot().revision(), 13u);
  WatchStream watch(client->stub(), "show", position);
  const auto first = watch.Next();
  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(first->has_snapshot()) << first->ShortDebugString();
  EXPECT_TRUE(first->snapshot().replaces());
  EXPECT_EQ(first->snapshot().revision(), 13u);
  EXPECT_NE(first->snapshot().epoch(), position.epoch());
}

TEST_F(StoreFilesTest, AfterARestoreAnOldPositionGetsASnapshotThatReplaces) {
  ExpectReplaced(server_, backup_, [this] {
    const Output restored = Store({"restore", backup_, StoreFlag()});
    EXPECT_EQ(restored.code, 0);
    EXPECT_THAT(restored.out, HasSubstr("seatlock.db.before-restore"));
  });
}

TEST_F(StoreFilesTest, AfterABackupWasCopiedBackAnOldPositionGetsASnapshotThatReplaces) {
  ExpectReplaced(server_, backup_, [this] {
    fs::copy_file(backup_, server_.file(), fs::copy_options::overwrite_existing);
  });
  EXPECT_EQ(LogLines(kRenewed), 1);
}

TEST_F(StoreFilesTest, ABackupThatIsCopiedBackBesideTheDeadServersWriteAheadLogIsServedAsItIs) {
  Lock("A", 5);
  ASSERT_EQ(Store({"backup", backup_, StoreFlag()}).code, 0);
  Lock("B", 5);
  server_.Kill();
  fs::copy_file(backup_, server_.file(), fs::copy_options::overwrite_existing);
  Start();
  EXPECT_EQ(Revision(), 5u);
  EXPECT_EQ(LogLines(kRenewed), 1);
  Lock("C", 3);
  EXPECT_EQ(Store({"verify", StoreFlag()}).code, 0);
}

TEST_F(StoreFilesTest, WhatIsAcknowledgedAfterABackupWasCopiedBackOutlivesAKill) {
  Lock("A", 5);
  ASSERT_EQ(Store({"backup", backup_, StoreFlag()}).code, 0);
  ASSERT_EQ(server_.Stop()->code, 0);
  fs::copy_file(backup_, server_.file(), fs::copy_options::overwrite_existing);
  Start();
  EXPECT_EQ(LogLines(kRenewed), 1);
  Lock("B", 8);
  server_.Kill();
  Start();
  EXPECT_EQ(Revision(), 13u);
  EXPECT_EQ(LogLines(kRenewed), 0);
  EXPECT_EQ(Store({"verify", StoreFlag()}).code, 0);
}

TEST_F(StoreFilesTest, AFormerFilePutBackBesideADeadServersWriteAheadLogIsServedAsItIs) {
  Lock("A", 5);
  ASSERT_EQ(Store({"backup", backup_, StoreFlag()}).code, 0);
  ASSERT_EQ(server_.Stop()->code, 0);
  ASSERT_EQ(Store({"restore", backup_, StoreFlag()}).code, 0);
  Start();
  Lock("B", 8);
  server_.Kill();
  fs::rename(server_.file() + ".before-restore", server_.file());
  Start();
  EXPECT_EQ(Revision(), 5u);
  EXPECT_EQ(LogLines("-wal.set-aside"), 1);
  EXPECT_EQ(LogLines(kRenewed), 1);
  Lock("C", 3);
  EXPECT_EQ(Store({"verify", StoreFlag()}).code, 0);
}

TEST_F(StoreFilesTest, AKilledServersHistoryStaysTheSame) {
  v1::Position position;
  for (int round = 0; round < Rounds(10); ++round) {
    Lock("R" + std::to_string(round) + "-", 3);
    const std::string epoch = client_->Get("show").response.snapshot().epoch();
    EXPECT_TRUE(position.epoch().empty() || position.epoch() == epoch);
    position.set_epoch(epoch);
    position.set_revision(Revision());
    server_.Kill();
    Start();
    EXPECT_EQ(LogLines(kRenewed), 0);
  }
  Lock("last", 1);
  WatchStream watch(client_->stub(), "show", position);
  const auto first = watch.Next();
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->has_change()) << first->ShortDebugString();
}

TEST_F(StoreFilesTest, ABackupTakenWhileTheServerWritesIsSoundAndIsRestored) {
  std::atomic<bool> stop{false};
  std::atomic<int> booked{0};
  std::thread writer([&] {
    SeatLockClient client(server_.address());
    for (int i = 0; !stop; ++i) {
      const std::string n = std::to_string(i);
      if (client.Book("show", {"S" + n}, "s1", "o" + n).ok()) ++booked;
    }
  });
  const bool busy = Eventually([&] { return booked >= 50; }, kSoon);
  const int before = booked;
  const Output backup = Store({"backup", backup_, StoreFlag()});
  const int after = booked + 1;
  stop = true;
  writer.join();
  ASSERT_TRUE(busy);
  ASSERT_EQ(backup.code, 0);
  EXPECT_FALSE(fs::exists(backup_ + ".mark"));
  EXPECT_FALSE(fs::exists(backup_ + "-wal"));

  const Output verified = Store({"verify", "--store=sqlite:" + backup_});
  EXPECT_EQ(verified.code, 0);
  EXPECT_THAT(verified.out, HasSubstr("sound"));
  EXPECT_EQ(Store({"verify", StoreFlag()}).code, 0) << "of the live store";

  const Output in_use = Store({"restore", backup_, StoreFlag()});
  EXPECT_EQ(in_use.code, 1);
  ASSERT_EQ(in_use.err.size(), 1u);
  EXPECT_THAT(in_use.err[0], HasSubstr("in use"));
  ASSERT_EQ(server_.Stop()->code, 0);
  ASSERT_EQ(Store({"restore", backup_, StoreFlag()}).code, 0);
  Start();
  EXPECT_EQ(LogLines(kRenewed), 0) << "the restore has done that";
  const int restored = static_cast<int>(Revision());
  EXPECT_GE(restored, before);
  EXPECT_LE(restored, after);
  for (int i = 0; i < before; ++i) {
    const auto order = client_->GetOrder("show", "o" + std::to_string(i));
    EXPECT_EQ(order.response.state(), v1::ORDER_STATE_OPEN) << i;
  }
  const Output history = Store({"history", "show", "--seat", "S3", "-o", "json", StoreFlag()});
  EXPECT_EQ(history.code, 0);
  EXPECT_THAT(history.out, HasSubstr(R"("revision":4,)"));
  EXPECT_THAT(history.out, HasSubstr(R"("status":"booked","sessionId":"s1","orderId":"o3")"));
}

// Killed at each moment that its files show, a restore leaves the former store, the new one, or a
// server that does not start and says why; running it again ends it.
TEST_F(StoreFilesTest, ARestoreThatIsKilledLeavesTheFormerStoreTheNewOneOrSaysSo) {
  Lock("A", 5);
  ASSERT_EQ(Store({"backup", backup_, StoreFlag()}).code, 0);
  Lock("B", 5);
  ASSERT_EQ(server_.Stop()->code, 0);
  const std::string former = dir_.File("former.db");
  fs::copy_file(server_.file(), former);
  const std::string file = server_.file();
  const std::function<bool()> moments[] = {
      [&] { return fs::exists(file + ".restoring"); },
      [&] { return fs::exists(file + ".mark.new"); },
      [&] { return fs::exists(file + ".before-restore"); },
      [&] { return !fs::exists(file); },
      [&] { return fs::exists(file + ".before-restore") && fs::exists(file); },
  };
  std::map<std::string, int> seen;
  int killed_inside = 0;
  for (int round = 0; round < Rounds(20); ++round) {
    for (const char* suffix : {"", "-wal", "-shm", ".mark", ".before-restore", ".restoring"}) {
      fs::remove(file + suffix);
    }
    fs::copy_file(former, file);
    auto restore = Process::Start(
        {.binary = SEATLOCKD_BINARY, .args = {"store", "restore", backup_, StoreFlag()}});
    bool has_come = false;
    while ((*restore)->Running() && !has_come) {
      has_come = moments[round % std::size(moments)]();
      std::this_thread::yield();
    }
    (*restore)->Kill();
    const auto exit = (*restore)->Wait(kSoon);
    ASSERT_THAT(exit, IsOk());
    if (has_come && exit->signal == SIGKILL) ++killed_inside;
    absl::Status started = server_.Start();
    if (!started.ok()) {
      EXPECT_THAT(std::string(started.message()), HasSubstr("was cut short"));
      ++seen["refused"];
      ASSERT_EQ(Store({"restore", backup_, StoreFlag()}).code, 0);
      started = server_.Start();
    }
    ASSERT_THAT(started, IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address());
    const uint64_t revision = Revision();
    EXPECT_TRUE(revision == 5 || revision == 10) << revision;
    ++seen[revision == 5 ? "new" : "former"];
    ASSERT_EQ(server_.Stop()->code, 0);
  }
  for (const auto& [what, times] : seen) std::cout << what << ": " << times << "\n";
  EXPECT_GT(killed_inside, 0) << "every restore had ended before it was killed";
}

// What it gathers lies beside the store, where the operator knows that there is room.
TEST_F(StoreFilesTest, CompactingNeedsRoomInTheStoresFolderAlone) {
  Lock("A", 3);
  ASSERT_EQ(server_.Stop()->code, 0);
  { Shell large(server_.file(), "CREATE TABLE large AS SELECT randomblob(64 << 20) AS bytes"); }
  auto compact =
      Process::Start({.binary = SEATLOCKD_BINARY, .args = {"store", "compact", StoreFlag()}});
  const std::string files = "/proc/" + std::to_string((*compact)->pid()) + "/fd";
  std::set<std::string> folders;  // of SQLite's temporary files
  while ((*compact)->Running()) {
    std::error_code gone;
    for (fs::directory_iterator each(files, gone), end; !gone && each != end;) {
      const fs::path file = fs::read_symlink(each->path(), gone);
      if (file.filename().string().starts_with("etilqs_")) folders.insert(file.parent_path());
      each.increment(gone);
    }
  }
  EXPECT_EQ((*compact)->Wait(kSoon)->code, 0);
  EXPECT_THAT(folders, ::testing::ElementsAre(fs::canonical(server_.file()).parent_path()));
  Start();
  EXPECT_EQ(Revision(), 3u);
}

// Other programs ---------------------------------------------------------------------------------

TEST_F(StoreFilesTest, AProgramThatReadsStopsNoStart) {
  Lock("A", 3);
  Shell reader(server_.file(), kReading);
  Lock("B", 3);
  server_.Kill();
  Start();
  EXPECT_EQ(Revision(), 6u);
  Lock("C", 1);
  ASSERT_EQ(server_.Stop()->code, 0);
  Start();
  EXPECT_EQ(Revision(), 7u);
  EXPECT_EQ(LogLines(kRenewed), 0);
}

TEST_F(StoreFilesTest,
       WhileAnotherProgramHoldsTheWriteLockReadsAreAnsweredAndHealthSaysNotServing) {
  Lock("A", 3);
  EXPECT_TRUE(IsServing(server_));
  {
    Shell writer(server_.file(), "BEGIN IMMEDIATE");
    // Nobody has to fail at it first.
    EXPECT_TRUE(Eventually([&] { return ReadyCode(server_) == 503; }, kSoon));
    EXPECT_TRUE(Eventually([&] { return !IsServing(server_); }, kSoon));
    EXPECT_EQ(Revision(), 3u);
  }
  EXPECT_TRUE(Eventually([&] { return ReadyCode(server_) == 200 && IsServing(server_); }, kSoon));
  Lock("B", 1);
}

TEST_F(StoreFilesTest, AWriteAheadLogAndALockThatAreRemovedTogetherLoseNothing) {
  Lock("A", 5);
  fs::remove(server_.file() + "-wal");
  fs::remove(server_.file() + ".lock");
  Lock("B", 5);
  EXPECT_EQ(ReadyCode(server_), 200);
  server_.Kill();
  Start();
  EXPECT_EQ(Revision(), 10u);
}

TEST_F(StoreFilesTest, AFileThatIsRemovedIsNoticedAndNothingMoreIsAcknowledged) {
  Lock("A", 3);
  fs::remove(server_.file());
  const auto booked = client_->Book("show", {"A1"}, "s1", "o1");
  EXPECT_FALSE(booked.ok()) << "a restart would forget it";
  EXPECT_TRUE(Eventually([&] { return ReadyCode(server_) == 503; }, kSoon));
  EXPECT_EQ(LogLines("is gone from its place"), 1);
  EXPECT_FALSE(client_->Lock("other", "A1", "s1").ok());
}

TEST_F(StoreFilesTest, AFileThatIsRemovedIsNoticedWithoutAnybodyCalling) {
  Lock("A", 1);
  fs::remove(server_.file());
  EXPECT_TRUE(Eventually([&] { return ReadyCode(server_) == 503; }, milliseconds(5'000)));
}

}  // namespace
}  // namespace seatlock::testing
