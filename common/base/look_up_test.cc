#include "common/base/look_up.h"

#include <gmock/gmock.h>

#include "tests/testing/status_matchers.h"

namespace seatlock::base {
namespace {

using ::testing::Contains;
using testing::IsOk;
using testing::StatusIs;

TEST(LookUpTest, AddressesAreToldFromNames) {
  for (const char* address : {"127.0.0.1", "::1", "2001:db8::1", "fe80::1%eth0"}) {
    EXPECT_TRUE(IsHostAddress(address)) << address;
  }
  for (const char* name : {"localhost", "seats.example", "10.0.0", "a-1"}) {
    EXPECT_FALSE(IsHostAddress(name)) << name;
  }
}

TEST(LookUpTest, LoopbackIsThisMachineAlone) {
  for (const char* own : {"127.0.0.1", "127.255.0.9", "::1", "localhost"}) {
    EXPECT_TRUE(IsLoopback(own)) << own;
  }
  for (const char* other : {"0.0.0.0", "::", "::2", "10.0.0.1", "128.0.0.1", "2001:db8::1",
                            "127.0.0.1x", "localhost.example", "seats.example", ""}) {
    EXPECT_FALSE(IsLoopback(other)) << other;
  }
}

TEST(LookUpTest, ANameIsAllItsAddressesOrUnavailable) {
  const auto here = LookUpHost("localhost");
  ASSERT_THAT(here, IsOk());
  EXPECT_THAT(*here, Contains("127.0.0.1"));
  EXPECT_THAT(LookUpHost("no-such-name.invalid"), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace seatlock::base
