#include "common/base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace seatlock::base {
namespace {

TEST(RandomHexTest, HasTwoCharactersAByteAndDoesNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    std::string id = RandomHex(16);
    EXPECT_EQ(id.size(), 32u);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(id).second);
  }
}

}  // namespace
}  // namespace seatlock::base
