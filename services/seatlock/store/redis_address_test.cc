#include "services/seatlock/store/redis_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "services/seatlock/store/address.h"
#include "tests/testing/status_matchers.h"

namespace seatlock {
namespace {

using ::seatlock::testing::IsOk;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Profile = log::RedisProfile;

TEST(RedisAddressTest, ReadsEveryPart) {
  const absl::StatusOr<RedisStoreAddress> address = ParseRedisAddress(
      "redis://10.0.0.1:26379,[::1]:26380,c.example:1/3?"
      "profile=strict&replicas=2&sentinel=seats-1&prefix=eu-prod");
  ASSERT_THAT(address, IsOk());
  const RedisStoreAddress wanted{.hosts = {{"10.0.0.1", 26379}, {"::1", 26380}, {"c.example", 1}},
                                 .database = 3,
                                 .profile = Profile::kStrict,
                                 .replicas = 2,
                                 .sentinel = "seats-1",
                                 .prefix = "eu-prod"};
  EXPECT_EQ(*address, wanted);
}

TEST(RedisAddressTest, IsStrictWithoutReplicasInDatabase0UnlessToldOtherwise) {
  const RedisStoreAddress wanted{.hosts = {{"localhost", 6379}}, .sentinel = ""};
  EXPECT_EQ(wanted.profile, Profile::kStrict);
  EXPECT_EQ(wanted.replicas, 0);
  EXPECT_EQ(wanted.database, 0);
  EXPECT_EQ(wanted.prefix, log::RedisOptions().prefix);
  const absl::StatusOr<RedisStoreAddress> address = ParseRedisAddress("redis://localhost:6379");
  ASSERT_THAT(address, IsOk());
  EXPECT_EQ(*address, wanted);
}

TEST(RedisAddressTest, IsWrittenAsItIsRead) {
  EXPECT_EQ(ParseRedisAddress("redis://h:1")->ToString(),
            "redis://h:1/0?profile=strict&replicas=0&prefix=sl");
  for (const char* text :
       {"redis://h:1", "redis://[::1]:1,h:2/9?replicas=1", "redis://h:1/0?profile=relaxed&prefix=a",
        "redis://h:1,i:2?sentinel=m&profile=relaxed",
        "redis://h:1?replicas=8&sentinel=a.b_c:d-e"}) {
    const absl::StatusOr<RedisStoreAddress> address = ParseRedisAddress(text);
    ASSERT_THAT(address, IsOk()) << text;
    const absl::StatusOr<RedisStoreAddress> again = ParseRedisAddress(address->ToString());
    ASSERT_THAT(again, IsOk()) << address->ToString();
    EXPECT_EQ(*address, *again);
    StoreConfig store;
    ASSERT_THAT(ParseStore(text, &store), IsOk());
    EXPECT_EQ(store.kind, StoreConfig::Kind::kRedis);
    EXPECT_EQ(store.ToString(), address->ToString());
  }
}

TEST(RedisAddressTest, EachWrongFormIsOneLineThatSaysWhatItMustBe) {
  const struct {
    const char* text;
    const char* why;
  } cases[] = {
      {"redis:", "must be redis://HOST:PORT"},
      {"redis:localhost", "must be redis://HOST:PORT"},
      {"redis:/localhost:6379", "must be redis://HOST:PORT"},
      {"redis://", "'' is no host:port"},
      {"redis://localhost", "'localhost' is no host:port"},
      {"redis://localhost:", "'localhost:' is no host:port"},
      {"redis://localhost:0", "'localhost:0' is no host:port with a port from 1"},
      {"redis://localhost:65536", "is no host:port"},
      {"redis://localhost:x", "is no host:port"},
      {"redis://::1:6379", "is no host:port"},
      {"redis://:6379", "is no host:port"},
      {"redis://h:1,", "'' is no host:port"},
      {"redis://h:1,h:1?replicas=1", "each address once: h:1"},
      {"redis://h:1/", "must have a database from 0 to 9999"},
      {"redis://h:1/x", "must have a database"},
      {"redis://h:1/-1", "must have a database"},
      {"redis://h:1/10000", "must have a database"},
      {"redis://h:1/0/0", "must have a database"},
      {"redis://h:1?", "NAME=VALUE: '' is none"},
      {"redis://h:1?strict", "NAME=VALUE: 'strict' is none"},
      {"redis://h:1?profile=", "profile=strict or profile=relaxed"},
      {"redis://h:1?profile=Strict", "profile=strict or profile=relaxed"},
      {"redis://h:1?replicas=", "replicas=N with N from 0 to 8"},
      {"redis://h:1?replicas=-1", "replicas=N"},
      {"redis://h:1?replicas=9", "replicas=N"},
      {"redis://h:1?replicas=1x", "replicas=N"},
      {"redis://h:1?replicas=99999999999", "replicas=N"},
      {"redis://h:1?replicas=1&replicas=1", "each parameter once: replicas="},
      {"redis://h:1?cluster=yes", "unknown parameter 'cluster': it must be profile"},
      {"redis://h:1?Profile=strict", "unknown parameter 'Profile'"},
      {"redis://h:1?=x", "unknown parameter ''"},
      {"redis://h:1?profile=strict&", "NAME=VALUE: '' is none"},
      {"redis://h:1?replicas=1&sentinel=", "must have sentinel= with 1 to 64 letters"},
      {"redis://h:1?replicas=1&sentinel=a b", "must have sentinel="},
      {"redis://h:1?prefix={a}", "must have prefix="},
      {"redis://h:1?prefix=", "must have prefix= with 1 to 32 letters"},
      {"redis://h:1?prefix=a*", "must have prefix="},
      {"redis://h:1?prefix=a:b", "must have prefix="},
      {"redis://h:1?prefix=a%20", "must have prefix="},
      {"redis://h:1?prefix=a#b", "must have prefix="},
      {"redis://h:1?sentinel=m", "replicas=1 or more with sentinel="},
      {"redis://h:1?sentinel=m&replicas=0", "replicas=1 or more with sentinel="},
      {"redis://h:1,i:1", "replicas=1 or more with several addresses"},
      {"rediss://h:1", "TLS to Redis is not supported"},
  };
  for (const auto& each : cases) {
    const absl::StatusOr<RedisStoreAddress> address = ParseRedisAddress(each.text);
    ASSERT_FALSE(address.ok()) << each.text;
    const std::string why(address.status().message());
    EXPECT_THAT(why, HasSubstr(each.why)) << each.text;
    EXPECT_EQ(std::count(why.begin(), why.end(), '\n'), 0) << each.text;
    StoreConfig store;
    EXPECT_EQ(ParseStore(each.text, &store).message(), why);
    EXPECT_EQ(store.kind, StoreConfig::Kind::kSqlite);
  }
}

TEST(RedisAddressTest, BoundsItsParts) {
  std::string many = "redis://h:1";
  for (size_t i = 2; i <= kRedisAddressesMax; ++i) many += ",h:" + std::to_string(i);
  EXPECT_THAT(ParseRedisAddress(many + "?replicas=1"), IsOk());
  EXPECT_FALSE(ParseRedisAddress(many + ",h:99?replicas=1").ok());
  const std::string longest(kRedisPrefixBytesMax, 'a');
  EXPECT_THAT(ParseRedisAddress("redis://h:1?prefix=" + longest), IsOk());
  EXPECT_FALSE(ParseRedisAddress("redis://h:1?prefix=" + longest + "a").ok());
}

// The line ends up in journals.
TEST(RedisAddressTest, CredentialsInTheAddressAreRefusedAndNotRepeated) {
  for (const char* text : {"redis://user:secret@h:1", "redis://:secret@h:1", "redis://secret@h:1",
                           "redis://a:sec@ret@h:1", "redis://h:1?prefix=secret@x"}) {
    const absl::StatusOr<RedisStoreAddress> address = ParseRedisAddress(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_THAT(
        std::string(address.status().message()),
        AllOf(HasSubstr("SEATLOCK_REDIS_USER and SEATLOCK_REDIS_PASSWORD"), Not(HasSubstr("sec"))));
    EXPECT_THAT(WithoutCredentials(text), AllOf(HasSubstr("redis://...@"), Not(HasSubstr("sec"))));
  }
  EXPECT_EQ(WithoutCredentials("redis:secret@h"), "redis://...@h");
  EXPECT_EQ(WithoutCredentials("postgres://u:secret@h"), "postgres://...@h");
  EXPECT_EQ(WithoutCredentials("redis://h:x"), "redis://h:x");
  EXPECT_EQ(WithoutCredentials("sqlite:a@b"), "sqlite:a@b");
}

TEST(RedisAddressTest, TellsTheLogAllOfIt) {
  const absl::StatusOr<RedisStoreAddress> address =
      ParseRedisAddress("redis://h:1,[::1]:2/3?profile=relaxed&replicas=2&sentinel=m&prefix=p");
  ASSERT_THAT(address, IsOk());
  const log::RedisOptions options = OptionsOf(*address, {"user", "password"});
  EXPECT_EQ(options.addresses, (std::vector<log::RedisAddress>{{"h", 1}, {"::1", 2}}));
  EXPECT_EQ(options.database, 3);
  EXPECT_EQ(options.profile, Profile::kRelaxed);
  EXPECT_EQ(options.replicas, 2);
  EXPECT_EQ(options.sentinel, "m");
  EXPECT_EQ(options.prefix, "p");
  EXPECT_EQ(options.user, "user");
  EXPECT_EQ(options.password, "password");
}

TEST(RedisCredentialsTest, ComeFromTheEnvironment) {
  unsetenv("SEATLOCK_REDIS_USER");
  unsetenv("SEATLOCK_REDIS_PASSWORD");
  ASSERT_THAT(ReadRedisCredentials(), IsOk());
  EXPECT_EQ(ReadRedisCredentials()->password, "");
  setenv("SEATLOCK_REDIS_USER", "seats", 1);
  EXPECT_THAT(std::string(ReadRedisCredentials().status().message()),
              HasSubstr("SEATLOCK_REDIS_USER needs SEATLOCK_REDIS_PASSWORD"));
  setenv("SEATLOCK_REDIS_PASSWORD", "s", 1);
  EXPECT_EQ(ReadRedisCredentials()->user, "seats");
  EXPECT_EQ(ReadRedisCredentials()->password, "s");
  unsetenv("SEATLOCK_REDIS_USER");
  EXPECT_EQ(ReadRedisCredentials()->user, "");
  unsetenv("SEATLOCK_REDIS_PASSWORD");
}

}  // namespace
}  // namespace seatlock
