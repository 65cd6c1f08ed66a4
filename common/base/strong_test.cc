#include "common/base/strong.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace seatlock::base {
namespace {

using Apple = StringId<struct AppleTag>;
using Pear = StringId<struct PearTag>;
using Count = StrongNumber<struct CountTag, uint64_t>;

TEST(StrongTest, KindsDoNotMix) {
  EXPECT_FALSE((std::is_convertible_v<Apple, Pear>));
  EXPECT_FALSE((std::is_convertible_v<std::string, Apple>));
  EXPECT_FALSE((std::is_convertible_v<uint64_t, Count>));
}

TEST(StrongTest, ComparesByValue) {
  EXPECT_EQ(Apple("a"), Apple("a"));
  EXPECT_LT(Apple("a"), Apple("b"));
  EXPECT_LT(Count(1), Count(1).Next());
}

}  // namespace
}  // namespace seatlock::base
