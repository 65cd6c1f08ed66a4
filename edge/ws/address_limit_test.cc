#include "edge/ws/address_limit.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace seatlock::edge {
namespace {

using boost::asio::ip::make_address;

TEST(AddressLimitTest, AnAddressHasSoManyAndNoMore) {
  AddressLimit limit(2);
  const auto first = limit.Take(make_address("192.0.2.1"));
  const auto second = limit.Take(make_address("192.0.2.1"));
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(limit.Take(make_address("192.0.2.1")));
  EXPECT_TRUE(limit.Take(make_address("192.0.2.2")));
}

TEST(AddressLimitTest, WhoLeavesMakesPlace) {
  AddressLimit limit(1);
  auto first = limit.Take(make_address("192.0.2.1"));
  {
    const AddressLimit::Place moved = *std::move(first);
    first.reset();
    EXPECT_FALSE(limit.Take(make_address("192.0.2.1")));
  }
  EXPECT_TRUE(limit.Take(make_address("192.0.2.1")));
}

TEST(AddressLimitTest, NothingIsKeptOfWhoIsGoneOrWasRefused) {
  AddressLimit limit(1);
  {
    const auto first = limit.Take(make_address("192.0.2.1"));
    EXPECT_FALSE(limit.Take(make_address("192.0.2.1")));
    EXPECT_EQ(limit.addresses(), 1U);
  }
  EXPECT_EQ(limit.addresses(), 0U);
}

TEST(AddressLimitTest, V6CountsByItsSubnetAndV4InV6AsV4) {
  AddressLimit limit(1);
  const auto v6 = limit.Take(make_address("2001:db8:1:2::1"));
  EXPECT_FALSE(limit.Take(make_address("2001:db8:1:2:ffff::9")));
  EXPECT_TRUE(limit.Take(make_address("2001:db8:1:3::1")));
  const auto v4 = limit.Take(make_address("::ffff:192.0.2.1"));
  EXPECT_FALSE(limit.Take(make_address("192.0.2.1")));
  EXPECT_TRUE(limit.Take(make_address("192.0.2.2")));
  // The same bits in the other kind are another address.
  EXPECT_TRUE(limit.Take(make_address("::c000:201")));
}

TEST(AddressLimitTest, OffItCountsNobody) {
  AddressLimit limit(0);
  const auto first = limit.Take(make_address("192.0.2.1"));
  EXPECT_TRUE(limit.Take(make_address("192.0.2.1")));
  EXPECT_EQ(limit.addresses(), 0U);
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
        const auto place = limit.Take(make_address("192.0.2.1"));
        if (!place) continue;
        const int now = ++held;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
        --held;
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
