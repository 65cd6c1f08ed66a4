#include "services/seatlock/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace seatlock {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConfigTest : public ::testing::Test {
 protected:
  ~ConfigTest() override {
    for (const char* name : {"SEATLOCK_STORE", "SEATLOCK_REDIS_USER", "SEATLOCK_REDIS_PASSWORD"}) {
      unsetenv(name);
    }
  }

  std::optional<int> Read(std::vector<const char*> args) {
    args.insert(args.begin(), "seatlockd");
    config_ = Config();
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const auto code = ReadConfig(static_cast<int>(args.size()), args.data(), &config_);
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code;
  }

  Config config_;
  std::string out_;
  std::string err_;
};

TEST_F(ConfigTest, StoreIsASqliteFileUnlessToldOtherwise) {
  EXPECT_EQ(Read({}), std::nullopt);
  EXPECT_EQ(config_.store.kind, StoreConfig::Kind::kSqlite);
  EXPECT_EQ(config_.store.path, "seatlock.db");
  EXPECT_EQ(Read({"--store=sqlite:/var/x.db"}), std::nullopt);
  EXPECT_EQ(config_.store.path, "/var/x.db");
  EXPECT_EQ(Read({"--store=memory:"}), std::nullopt);
  EXPECT_EQ(config_.store.kind, StoreConfig::Kind::kMemory);
}

TEST_F(ConfigTest, PrintConfigWritesTheStoreAsItIsRead) {
  for (const std::string store : {"sqlite:/var/x.db", "memory:",
                                  "redis://h:1,[::1]:2/3?profile=strict&replicas=1&prefix=p"}) {
    EXPECT_EQ(Read({"--print-config", "--store", store.c_str()}), 0);
    EXPECT_THAT(out_, HasSubstr("\nstore=" + store + "\n"));
  }
}

TEST_F(ConfigTest, BadStoreIsExit2NamingTheFlagOrTheVariable) {
  for (const char* store : {"bogus", "sqlite:", "memory:x", "sqlite::memory:", "sqlite:file:x?a=b",
                            "sqlite::", "sqlite:file:"}) {
    EXPECT_EQ(Read({"--print-config", "--store", store}), 2) << store;
    EXPECT_THAT(err_, HasSubstr("seatlockd: --store must be sqlite:PATH")) << store;
    EXPECT_EQ(out_, "") << store;
    setenv("SEATLOCK_STORE", store, 1);
    EXPECT_EQ(Read({"--print-config"}), 2) << store;
    EXPECT_THAT(err_, HasSubstr("seatlockd: SEATLOCK_STORE must be sqlite:PATH")) << store;
    unsetenv("SEATLOCK_STORE");
  }
}

TEST_F(ConfigTest, ABadRedisAddressIsExit2AndRepeatsNoPassword) {
  EXPECT_EQ(Read({"--store=redis://u:hunter2@h:1"}), 2);
  EXPECT_THAT(err_, HasSubstr("seatlockd: --store must not hold user or password: set "
                              "SEATLOCK_REDIS_USER and SEATLOCK_REDIS_PASSWORD"));
  EXPECT_THAT(err_, Not(HasSubstr("hunter2")));
  setenv("SEATLOCK_STORE", "rediss://u:hunter2@h:1", 1);
  EXPECT_EQ(Read({}), 2);
  EXPECT_THAT(err_, HasSubstr("TLS to Redis is not supported"));
  EXPECT_THAT(err_, Not(HasSubstr("hunter2")));
  EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1);
}

TEST_F(ConfigTest, RedisCredentialsComeFromTheEnvironmentAndAreNotPrinted) {
  setenv("SEATLOCK_REDIS_USER", "seats", 1);
  EXPECT_EQ(Read({"--store=redis://h:1"}), 2);
  EXPECT_EQ(err_, "seatlockd: SEATLOCK_REDIS_USER needs SEATLOCK_REDIS_PASSWORD beside it\n");
  EXPECT_EQ(Read({"--store=memory:"}), std::nullopt);
  setenv("SEATLOCK_REDIS_PASSWORD", "hunter2", 1);
  EXPECT_EQ(Read({"--store=redis://h:1"}), std::nullopt);
  EXPECT_EQ(config_.redis_credentials.user, "seats");
  EXPECT_EQ(config_.redis_credentials.password, "hunter2");
  EXPECT_EQ(Read({"--store=redis://h:1", "--print-config"}), 0);
  EXPECT_THAT(out_, Not(HasSubstr("hunter2")));
}

TEST_F(ConfigTest, HelpSaysWhatOfRedisIsNotSupported) {
  EXPECT_EQ(Read({"--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("Redis Cluster"));
  EXPECT_THAT(out_, HasSubstr("TLS"));
}

TEST_F(ConfigTest, SessionSeatsEndWhereOneChangeOfAllWouldOutgrowAMessage) {
  EXPECT_EQ(Read({"--max-session-seats=10000"}), std::nullopt) << err_;
  EXPECT_EQ(config_.max_session_seats, 10'000);
  EXPECT_EQ(Read({"--max-session-seats=10001"}), 2);
  EXPECT_THAT(err_, HasSubstr("--max-session-seats must be a whole number between 1 and 10000"));
}

TEST_F(ConfigTest, RatesAndConnectionAgeAreOffUnlessAsked) {
  EXPECT_EQ(Read({}), std::nullopt);
  EXPECT_FALSE(config_.rates.any());
  EXPECT_EQ(config_.max_connection_age_ms, 0);
  EXPECT_EQ(
      Read({"--rate-locks=2000", "--rate-locks-per-principal=500", "--rate-locks-per-session=20",
            "--rate-calls-per-principal=1000", "--max-connection-age=1h"}),
      std::nullopt)
      << err_;
  EXPECT_EQ(config_.rates.locks, 2'000);
  EXPECT_EQ(config_.rates.locks_per_principal, 500);
  EXPECT_EQ(config_.rates.locks_per_session, 20);
  EXPECT_EQ(config_.rates.calls_per_principal, 1'000);
  EXPECT_EQ(config_.max_connection_age_ms, 3'600'000);
}

TEST_F(ConfigTest, ARateThatNoBucketCanKeepIsRefused) {
  EXPECT_EQ(Read({"--rate-locks=100001"}), 2);
  EXPECT_THAT(err_, HasSubstr("--rate-locks must be a whole number between 0 and 100000"));
  EXPECT_EQ(Read({"--rate-locks=-1"}), 2);
}

TEST_F(ConfigTest, DrainIsOverBeforeDockerKills) {
  EXPECT_EQ(Read({}), std::nullopt);
  EXPECT_LT(config_.drain_ms, 10'000);
}

}  // namespace
}  // namespace seatlock
