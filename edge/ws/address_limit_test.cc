#include "edge/ws/address_limit.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace seatlock::edge {
namespace {

AddressKey Key(const std::string& address) {
  return KeyOf(boost::asio::ip::make_address(address));
}

TEST(AddressKeyTest, V6CountsByItsSubnetAndV4InV6AsV4) {
  EXPECT_EQ(Key("2001:db8:1:2::1"), Key("2001:db8:1:2:ffff::9"));
  EXPECT_NE(Key("2001:db8:1:2::1"), Key("2001:db8:1:3::1"));
  EXPECT_EQ(Key("::ffff:192.0.2.1"), Key("192.0.2.1"));
  EXPECT_NE(Key("192.0.2.1"), Key("192.0.2.2"));
  // The same bits in the other kind are another address.
  EXPECT_NE(Key("0:0:c000:201::"), Key("192.0.2.1"));
  EXPECT_NE(Key("0.0.0.0"), AddressKey());
}

TEST(AddressLimitTest, AnAddressHasSoManyAndNoMore) {
  AddressLimit limit(2);
  EXPECT_TRUE(limit.Take(Key("192.0.2.1")));
  EXPECT_TRUE(limit.Take(Key("192.0.2.1")));
  EXPECT_FALSE(limit.Take(Key("192.0.2.1")));
  EXPECT_TRUE(limit.Take(Key("192.0.2.2")));
}

TEST(AddressLimitTest, WhoLeavesMakesPlaceAndNothingIsKeptOfHim) {
  AddressLimit limit(1);
  EXPECT_TRUE(limit.Take(Key("192.0.2.1")));
  EXPECT_FALSE(limit.Take(Key("192.0.2.1")));
  EXPECT_EQ(limit.addresses(), 1U);
  limit.GiveBack(Key("192.0.2.1"));
  EXPECT_EQ(limit.addresses(), 0U);
  EXPECT_TRUE(limit.Take(Key("192.0.2.1")));
}

TEST(AddressLimitTest, OffItCountsNobodyAndOnNobodyWithoutAnAddress) {
  AddressLimit off(0);
  EXPECT_TRUE(off.Take(Key("192.0.2.1")));
  EXPECT_TRUE(off.Take(Key("192.0.2.1")));
  EXPECT_EQ(off.addresses(), 0U);
  AddressLimit on(1);
  EXPECT_TRUE(on.Take({}));
  EXPECT_TRUE(on.Take({}));
  on.GiveBack({});
  EXPECT_EQ(on.addresses(), 0U);
}

TEST(AddressLimitTest, ThreadsTogetherNeverHoldMoreThanTheLimit) {
  constexpr int kMax = 3;
  AddressLimit limit(kMax);
  std::atomic<int> held{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) {
        if (!limit.Take(Key("192.0.2.1"))) continue;
        const int now = ++held;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
        --held;
        limit.GiveBack(Key("192.0.2.1"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(most, 1);
  EXPECT_LE(most, kMax);
  EXPECT_EQ(limit.addresses(), 0U);
}

}  // namespace
}  // namespace seatlock::edge
