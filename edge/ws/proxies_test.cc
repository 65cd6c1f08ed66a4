#include "edge/ws/proxies.h"

#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;

// The address that is counted, as text; "none" where none is.
std::string Client(const std::string& trusted, const std::string& peer,
                   const std::vector<std::string>& forwarded_for) {
  const auto proxies = TrustedProxies::Parse(trusted);
  EXPECT_THAT(proxies, IsOk());
  const auto client = proxies->ClientOf(boost::asio::ip::make_address(peer), forwarded_for);
  return client ? client->to_string() : "none";
}

TEST(TrustedProxiesTest, ContainsWhatItsNetworksHold) {
  const auto proxies = TrustedProxies::Parse("10.1.2.3/8, 192.0.2.7,fd00::/8,::1,0.0.0.0/32");
  ASSERT_THAT(proxies, IsOk());
  for (const char* address : {"10.255.0.1", "192.0.2.7", "::ffff:10.0.0.1", "fdff::1", "::1"}) {
    EXPECT_TRUE(proxies->Contains(boost::asio::ip::make_address(address))) << address;
  }
  for (const char* address : {"11.0.0.1", "192.0.2.8", "fc00::1", "::2", "127.0.0.1"}) {
    EXPECT_FALSE(proxies->Contains(boost::asio::ip::make_address(address))) << address;
  }
}

TEST(TrustedProxiesTest, AZeroPrefixIsEverybodyOfItsKind) {
  const auto proxies = TrustedProxies::Parse("0.0.0.0/0");
  ASSERT_THAT(proxies, IsOk());
  EXPECT_TRUE(proxies->Contains(boost::asio::ip::make_address("203.0.113.9")));
  EXPECT_FALSE(proxies->Contains(boost::asio::ip::make_address("2001:db8::1")));
}

TEST(TrustedProxiesTest, RefusesWhatIsNoNetwork) {
  for (const char* text : {"x", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
                           "10.0.0.0/8,", ",", "10.0.0.0/8/8", "10.0.0", " "}) {
    EXPECT_THAT(TrustedProxies::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
  EXPECT_THAT(TrustedProxies::Parse(""), IsOk());
}

TEST(TrustedProxiesTest, WhoIsNotTrustedIsCountedAsItselfWhateverItSays) {
  EXPECT_EQ(Client("", "192.0.2.1", {"198.51.100.1"}), "192.0.2.1");
  EXPECT_EQ(Client("10.0.0.0/8", "192.0.2.1", {"198.51.100.1"}), "192.0.2.1");
  EXPECT_EQ(Client("10.0.0.0/8", "::ffff:192.0.2.1", {}), "192.0.2.1");
}

TEST(TrustedProxiesTest, BehindOneTheLastHopThatIsNotTrustedCounts) {
  const std::string trusted = "10.0.0.0/8,::1";
  EXPECT_EQ(Client(trusted, "10.0.0.1", {"198.51.100.1"}), "198.51.100.1");
  // What stands further left is the client's own word.
  EXPECT_EQ(Client(trusted, "10.0.0.1", {"203.0.113.1, 198.51.100.1"}), "198.51.100.1");
  EXPECT_EQ(Client(trusted, "10.0.0.1", {"203.0.113.1, 198.51.100.1,10.0.0.2 , ::1"}),
            "198.51.100.1");
  EXPECT_EQ(Client(trusted, "::1", {"203.0.113.1", "198.51.100.1, 10.9.9.9"}), "198.51.100.1");
  EXPECT_EQ(Client(trusted, "::1", {"198.51.100.1", "10.9.9.9"}), "198.51.100.1");
  EXPECT_EQ(Client(trusted, "::ffff:10.0.0.1", {"::ffff:198.51.100.1"}), "198.51.100.1");
}

TEST(TrustedProxiesTest, PortsBehindAddressesAreNotLookedAt) {
  EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"198.51.100.1:4711"}), "198.51.100.1");
  EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"[2001:db8::1]:4711"}), "2001:db8::1");
  EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"[2001:db8::1]"}), "2001:db8::1");
  EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"2001:db8::1"}), "2001:db8::1");
}

TEST(TrustedProxiesTest, WhereNobodySaysAnAddressNoneIsCounted) {
  EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {}), "none");
  EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {""}), "none");
  EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"10.0.0.2, 10.0.0.3"}), "none");
  // Not past what cannot be read: what is left of it may be anybody's word.
  EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"198.51.100.1, unknown"}), "none");
  EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"[2001:db8::1"}), "none");
}

}  // namespace
}  // namespace seatlock::edge
