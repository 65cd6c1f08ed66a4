#include "common/runtime/net.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/testing/status_matchers.h"

namespace seatlock::runtime {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;

TEST(HostPortTest, ReadsWhatItWrites) {
  for (const char* text : {"127.0.0.1:50051", "localhost:0", "[::1]:65535", "0.0.0.0:80"}) {
    const absl::StatusOr<HostPort> address = ParseHostPort(text);
    ASSERT_THAT(address, IsOk()) << text;
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(HostPortTest, AddressInBracketsLosesThem) {
  EXPECT_EQ(*ParseHostPort("[::1]:80"), (HostPort{.host = "::1", .port = 80}));
}

TEST(HostPortTest, AnythingElseIsRefused) {
  for (const char* text : {"", "localhost", ":80", "localhost:", "localhost:x", "localhost:65536",
                           "localhost:-1", "::1:80", "[::1:80", "a b:80", "http://a:80", "a:+1"}) {
    EXPECT_THAT(ParseHostPort(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(OpenFilesLimitTest, RisesToTheHardLimit) {
  const absl::StatusOr<uint64_t> limit = RaiseOpenFilesLimit();
  ASSERT_THAT(limit, IsOk());
  rlimit now{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, now.rlim_max);
  EXPECT_EQ(*limit, now.rlim_max);
}

}  // namespace
}  // namespace seatlock::runtime
