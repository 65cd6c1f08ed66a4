#include "clients/cli/bench/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clients/cli/bench/limits.h"

namespace seatlock::cli::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(OptionsTest, AMixIsSharesByName) {
  Mix mix{};
  EXPECT_EQ(ParseMix("lock=50,cancel=2,unlock=50", &mix), "");
  EXPECT_THAT(mix, ElementsAre(50, 50, 0, 0, 2));
  EXPECT_EQ(MixText(mix), "lock=50,unlock=50,cancel=2");
}

TEST(OptionsTest, AMixThatIsWrongLeavesTheOldOne) {
  Mix mix = {1, 2, 3, 4, 5};
  for (const char* text : {"", "lock", "lock=x", "lock=-1", "lock=1,", "sell=1", "lock=1=2",
                           "lock=1000001", "unlock=5", "lock=0"}) {
    EXPECT_NE(ParseMix(text, &mix), "") << text;
    EXPECT_THAT(mix, ElementsAre(1, 2, 3, 4, 5)) << text;
  }
}

TEST(OptionsTest, CallsAreRateTimesDurationUnlessTheyAreCounted) {
  Options options;
  options.rate = 200;
  options.duration_ms = 1'500;
  EXPECT_EQ(CallsOf(options), 300U);
  options.count = 7;
  EXPECT_EQ(CallsOf(options), 7U);
  EXPECT_EQ(CheckOptions(options), "");
}

TEST(OptionsTest, ARunIsBounded) {
  Options options;
  options.rate = kRateMax;
  options.duration_ms = kDurationMsMax;
  EXPECT_THAT(CheckOptions(options), HasSubstr("at most 5000000 can be judged"));
  options = {};
  options.rate = 1;
  options.count = 1'801;
  EXPECT_THAT(CheckOptions(options), HasSubstr("takes longer than 30m"));
  options = {};
  options.rate = 1;
  options.duration_ms = 100;
  EXPECT_THAT(CheckOptions(options), HasSubstr("no call to make"));
}

}  // namespace
}  // namespace seatlock::cli::bench
