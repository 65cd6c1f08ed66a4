#include "services/seatlock/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace seatlock {
namespace {

using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  ~ConfigTest() override { unsetenv("SEATLOCK_STORE"); }

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
  for (const std::string store : {"sqlite:/var/x.db", "memory:"}) {
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

TEST_F(ConfigTest, SessionSeatsEndWhereOneChangeOfAllWouldOutgrowAMessage) {
  EXPECT_EQ(Read({"--max-session-seats=10000"}), std::nullopt) << err_;
  EXPECT_EQ(config_.max_session_seats, 10'000);
  EXPECT_EQ(Read({"--max-session-seats=10001"}), 2);
  EXPECT_THAT(err_, HasSubstr("--max-session-seats must be a whole number between 1 and 10000"));
}

TEST_F(ConfigTest, DrainIsOverBeforeDockerKills) {
  EXPECT_EQ(Read({}), std::nullopt);
  EXPECT_LT(config_.drain_ms, 10'000);
}

}  // namespace
}  // namespace seatlock
