#include "common/base/server_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/rendezvous.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::base {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// As many servers as said, each another one.
std::string ListOf(size_t servers) {
  std::vector<std::string> list;
  for (size_t i = 0; i < servers; ++i) list.push_back(absl::StrCat("10.0.0.", i, ":50051"));
  return absl::StrJoin(list, ",");
}

TEST(ServerListTest, IsTakenApartAtItsCommas) {
  const absl::StatusOr<std::vector<std::string>> servers =
      ParseServers("127.0.0.1:50051,[::1]:50051,a.example:1");
  ASSERT_THAT(servers, IsOk());
  EXPECT_THAT(*servers, ElementsAre("127.0.0.1:50051", "[::1]:50051", "a.example:1"));
}

TEST(ServerListTest, OneAddressIsAListOfOne) {
  EXPECT_THAT(*ParseServers("127.0.0.1:50051"), ElementsAre("127.0.0.1:50051"));
}

TEST(ServerListTest, AListOf64IsTakenAndOneMoreIsNot) {
  EXPECT_THAT(ParseServers(ListOf(kServersMax)), IsOk());
  const absl::Status wrong = ParseServers(ListOf(kServersMax + 1)).status();
  EXPECT_THAT(wrong, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(wrong.message(), "must name at most 64 servers, not 65");
}

TEST(ServerListTest, WhatIsWrongIsSaidInOneLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "empty entry"},
      {",", "empty entry"},
      {"a:1,", "empty entry"},
      {"a:1,,b:1", "empty entry"},
      {"nowhere", "must be host:port"},
      {"a:1,b", "'b'"},
      {"a:1, b:1", "' b:1'"},
      {"a:0", "'a:0'"},
      {"a:65536", "'a:65536'"},
      {"a:-1", "'a:-1'"},
      {"a:1,a:1", "must name a server once: 'a:1' is there twice"},
      {"a:1,b:1,a:01", "must name a server once"},
      {"[::1]:1,[::1]:1", "must name a server once"},
      {"a:1\nb:1", R"('a:1\nb:1')"},
  };
  for (const auto& [text, complaint] : cases) {
    const absl::Status wrong = ParseServers(text).status();
    EXPECT_THAT(wrong, StatusIs(absl::StatusCode::kInvalidArgument)) << text;
    EXPECT_THAT(std::string(wrong.message()), HasSubstr(complaint)) << text;
    EXPECT_THAT(std::string(wrong.message()), Not(HasSubstr("\n"))) << text;
  }
}

TEST(ServerListTest, ALongEntryIsNotRepeatedWhole) {
  EXPECT_LT(ParseServers(std::string(100'000, 'x')).status().message().size(), 200U);
}

TEST(ServerListTest, OnlyHostsThatAreNoAddressesAreLookedUp) {
  for (const char* name : {"localhost:1", "seats.example:50051", "1.2.3:1"}) {
    EXPECT_TRUE(IsNamedServer(name)) << name;
  }
  for (const char* other : {"127.0.0.1:1", "[::1]:1", "[fe80::1%eth0]:1", "unix:/run/seatlockd",
                            "dns:///a.example:1", "ipv4:1.2.3.4:1"}) {
    EXPECT_FALSE(IsNamedServer(other)) << other;
  }
}

}  // namespace
}  // namespace seatlock::base
