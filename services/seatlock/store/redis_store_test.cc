// What an operator does with a store in Redis, on real Redis processes.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "services/seatlock/log/redis/installation.h"
#include "services/seatlock/log/redis/redis_process_for_test.h"
#include "services/seatlock/store/command.h"
#include "services/seatlock/store/store_fixture.h"

namespace seatlock::store {
namespace {

using ::seatlock::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

class RedisStoreTest : public StoreFixture {
 protected:
  RedisStoreTest() : redis_(log::StartRedis("appendonly yes\nappendfsync always")) {
    std::signal(SIGPIPE, SIG_IGN);
  }

  // Runs a command on `store`; what it wrote is in out_ and err_.
  int RunOn(const std::string& store, std::vector<std::string> args) {
    args.push_back("--store=" + store);
    char *out = nullptr, *err = nullptr;
    size_t out_size = 0, err_size = 0;
    std::FILE* out_file = open_memstream(&out, &out_size);
    std::FILE* err_file = open_memstream(&err, &err_size);
    const int code = RunStoreCommand(args, {out_file, err_file, base::SystemClock()});
    std::fclose(out_file);
    std::fclose(err_file);
    out_.assign(out, out_size);
    err_.assign(err, err_size);
    free(out);
    free(err);
    return code;
  }
  int OnRedis(std::vector<std::string> args) { return RunOn(Url(), std::move(args)); }
  std::string Url() const { return "redis://" + log::TextOf(redis_->address()); }
  std::string Redis(const std::vector<std::string>& words) {
    const absl::StatusOr<log::RedisReply> reply = redis_->Command(words);
    EXPECT_THAT(reply, IsOk()) << words[0];
    return reply.ok() ? reply->text.value_or("") : "";
  }
  void ExpectOneLine(const std::string& why) {
    EXPECT_THAT(err_, HasSubstr(why));
    EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
    EXPECT_EQ(out_, "");
  }

  // Five changes of "s", the first two of which are trimmed: two snapshots, A5 locked.
  void Prepare() {
    OpenLog();
    Book("A1", "s1");
    Book("A2", "s1");
    SaveSnapshot();
    Book("A3", "s1");
    SaveSnapshot();
    Book("A4", "s1");
    Lock("A5", "s2");
    ASSERT_THAT(seatlock::testing::Trim(*log_, "s", INT64_MAX, 0), IsOk());
    CloseLog();
  }

  const std::unique_ptr<log::RedisProcess> redis_;
  std::string out_;
  std::string err_;
};

TEST_F(RedisStoreTest, InitWritesTheMarkerOnceAndAcceptANewOne) {
  ASSERT_EQ(OnRedis({"init"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("initialised, empty (installation "));
  const std::string id = Redis({"HGET", "{sl:meta}:installation", "id"});
  EXPECT_EQ(id.size(), 16u);
  EXPECT_EQ(Redis({"HGET", "{sl:meta}:installation", "layout"}), "1");
  EXPECT_EQ(OnRedis({"init"}), 1);
  ExpectOneLine("it is initialised already (installation " + id + ")");
  EXPECT_EQ(Redis({"HGET", "{sl:meta}:installation", "id"}), id);
  EXPECT_EQ(OnRedis({"init", "--accept"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("accepted as it is, with 0 showtimes"));
  EXPECT_NE(Redis({"HGET", "{sl:meta}:installation", "id"}), id);
  // Another prefix is another installation.
  EXPECT_EQ(RunOn(Url() + "?prefix=other", {"init"}), 0) << err_;
}

TEST_F(RedisStoreTest, InitRefusesWhatIsNoEmptyStore) {
  Redis({"SET", "of somebody else", "1"});
  Redis({"SET", "{slx:00}:foreign", "1"});
  Redis({"SET", "{sl:00}:foreign", "1"});
  EXPECT_EQ(OnRedis({"init"}), 1);
  ExpectOneLine("it holds the key '{sl:00}:foreign', which is none of ours");
  EXPECT_EQ(OnRedis({"init", "--accept"}), 1);
  Redis({"DEL", "{sl:00}:foreign"});
  Redis({"HSET", "{sl:meta}:installation", "id", "0123456789abcdef", "layout", "2"});
  EXPECT_EQ(OnRedis({"init", "--accept"}), 1);
  ExpectOneLine("the store is of a newer version (layout 2");
  EXPECT_EQ(OnRedis({"verify"}), 1);
  ExpectOneLine("the store is of a newer version (layout 2");
}

TEST_F(RedisStoreTest, WhatHoldsShowtimesWithoutAMarkerNeedsAnOperator) {
  Prepare();
  ASSERT_EQ(OnRedis({"restore", path_}), 0) << err_;
  Redis({"DEL", "{sl:meta}:installation"});
  EXPECT_EQ(OnRedis({"verify"}), 1);
  EXPECT_THAT(out_, HasSubstr("the installation's marker is missing"));
  EXPECT_EQ(OnRedis({"init"}), 1);
  ExpectOneLine("it holds 1 showtimes and no marker");
  EXPECT_EQ(OnRedis({"init", "--accept"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("accepted as it is, with 1 showtimes"));
  EXPECT_EQ(OnRedis({"verify"}), 0) << out_;
}

TEST_F(RedisStoreTest, ARestoredInstallationHasTheSameHistory) {
  Prepare();
  ASSERT_EQ(OnRedis({"init"}), 0) << err_;
  const std::string id = Redis({"HGET", "{sl:meta}:installation", "id"});
  ASSERT_EQ(OnRedis({"restore", "sqlite:" + path_}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr(Url()));
  EXPECT_THAT(out_, HasSubstr(": 1 showtimes, 3 changes\n"));
  EXPECT_NE(Redis({"HGET", "{sl:meta}:installation", "id"}), id) << "another generation";

  for (const std::vector<std::string>& args : {std::vector<std::string>{"verify"},
                                               {"history", "s"},
                                               {"history", "s", "-o", "json"},
                                               {"history", "s", "--at", "4"},
                                               {"history", "s", "--seat", "A5"}}) {
    ASSERT_EQ(RunOn("sqlite:" + path_, args), 0) << err_;
    const std::string wanted = out_;
    ASSERT_EQ(OnRedis(args), 0) << err_;
    EXPECT_EQ(out_, wanted);
  }
  EXPECT_THAT(out_, HasSubstr("A5"));
  EXPECT_EQ(OnRedis({"history", "x"}), 1);
  EXPECT_THAT(err_, HasSubstr("showtime x has no history in redis://"));
}

TEST_F(RedisStoreTest, RestoreRefusesATargetWithShowtimesAndChangesNothing) {
  Prepare();
  ASSERT_EQ(OnRedis({"restore", path_}), 0) << err_;
  const std::string id = Redis({"HGET", "{sl:meta}:installation", "id"});
  EXPECT_EQ(OnRedis({"restore", path_}), 1);
  ExpectOneLine("it holds 1 showtimes already");
  EXPECT_EQ(Redis({"HGET", "{sl:meta}:installation", "id"}), id);
  EXPECT_EQ(Redis({"HGET", "{sl:meta}:installation", "restoring"}), "");
  EXPECT_EQ(OnRedis({"verify"}), 0) << out_;
  EXPECT_EQ(OnRedis({"restore", dir_.File("nothing.db")}), 1);
  ExpectOneLine("nothing.db");
}

TEST_F(RedisStoreTest, ARestoreThatWasCutShortLeavesNothingThatIsServedUntilItIsRunAgain) {
  Prepare();
  ASSERT_EQ(OnRedis({"init"}), 0) << err_;
  absl::StatusOr<log::SyncClient> client =
      log::SyncClient::Connect(redis_->address(), "", "", 5000);
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(log::BeginRestore(*client, "sl"), IsOk());
  Redis({"ZADD", "{sl:07}:ids", "0", "half"});
  Redis({"HSET", "{sl:07}:head:half", "rev", "3"});

  EXPECT_EQ(Redis({"HGET", "{sl:meta}:installation", "id"}), "");
  EXPECT_EQ(OnRedis({"verify"}), 1);
  EXPECT_EQ(OnRedis({"init", "--accept"}), 1);
  ExpectOneLine("a restore into it was cut short: run it again");
  EXPECT_EQ(OnRedis({"restore", path_}), 0) << err_;
  EXPECT_EQ(OnRedis({"verify"}), 0) << out_;
  EXPECT_EQ(Redis({"EXISTS", "{sl:07}:head:half"}), "0");
}

TEST_F(RedisStoreTest, DamageInRedisIsAFaultThatNamesShowtimeAndRevision) {
  Prepare();
  ASSERT_EQ(OnRedis({"restore", path_}), 0) << err_;
  const absl::StatusOr<log::RedisReply> keys = redis_->Command({"KEYS", "{sl:*}:log:s"});
  ASSERT_THAT(keys, IsOk());
  Redis({"XDEL", keys->elements[0].text.value_or(""), "4-0"});
  EXPECT_EQ(OnRedis({"verify"}), 1);
  EXPECT_THAT(out_, HasSubstr("showtime s, revision 4: the record is missing"));
  EXPECT_EQ(OnRedis({"history", "s"}), 1);
}

TEST_F(RedisStoreTest, ARedisThatIsAwayOrRefusesIsOneLine) {
  const log::RedisAddress nobody{"127.0.0.1", log::FreePort()};
  const auto locked = log::StartRedis("requirepass hunter2");
  const auto replica = log::StartRedis("replicaof 127.0.0.1 1");
  for (const std::string command : {"init", "verify"}) {
    EXPECT_EQ(RunOn("redis://" + log::TextOf(nobody), {command}), 1);
    ExpectOneLine("redis " + log::TextOf(nobody) + ": Connection refused");
    EXPECT_EQ(RunOn("redis://" + log::TextOf(locked->address()), {command}), 1);
    ExpectOneLine("NOAUTH");
    EXPECT_EQ(RunOn("redis://" + log::TextOf(replica->address()), {command}), 1);
    ExpectOneLine("is no primary");
    setenv("SEATLOCK_REDIS_PASSWORD", "hunter2", 1);
    EXPECT_EQ(RunOn("redis://" + log::TextOf(locked->address()), {command}), 0) << err_;
    unsetenv("SEATLOCK_REDIS_PASSWORD");
    EXPECT_THAT(err_, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace seatlock::store
