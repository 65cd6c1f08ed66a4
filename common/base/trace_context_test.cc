#include "common/base/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace seatlock::base {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParent = "00f067aa0ba902b7";
const std::string kRest = "-" + kTrace + "-" + kParent + "-";

TEST(TraceContextTest, AGoodOneIsTakenApart) {
  EXPECT_EQ(ParseTraceparent("00" + kRest + "01"), (TraceContext{kTrace, kParent, true}));
  EXPECT_EQ(ParseTraceparent("00" + kRest + "00"), (TraceContext{kTrace, kParent, false}));
}

TEST(TraceContextTest, OnlyTheLastBitOfTheFlagsCounts) {
  for (const char* sampled : {"03", "ff", "0b", "f9"}) {
    EXPECT_TRUE(ParseTraceparent("00" + kRest + sampled)->sampled) << sampled;
  }
  for (const char* not_sampled : {"02", "fe", "0a"}) {
    EXPECT_FALSE(ParseTraceparent("00" + kRest + not_sampled)->sampled) << not_sampled;
  }
}

TEST(TraceContextTest, OfALaterVersionTheFirstFourFieldsCount) {
  for (const char* end : {"01", "01-", "01-what-the-future-brings"}) {
    EXPECT_EQ(ParseTraceparent("cc" + kRest + end), (TraceContext{kTrace, kParent, true})) << end;
  }
  EXPECT_FALSE(ParseTraceparent("cc" + kRest + "01.what"));
}

TEST(TraceContextTest, WhatIsNotOneIsIgnored) {
  const std::string zeros(32, '0');
  for (const std::string& bad :
       {std::string(), std::string("00"), "00" + kRest, "00" + kRest + "1", "00" + kRest + "01-",
        "00" + kRest + "01-more", "ff" + kRest + "01", "0G" + kRest + "01", "CC" + kRest + "01",
        "00" + kRest + "0x", "00-" + zeros + "-" + kParent + "-01",
        "00-" + kTrace + "-" + zeros.substr(0, 16) + "-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kParent + "-01",
        "00-" + kTrace + "-00F067AA0BA902B7-01", "00_" + kTrace + "-" + kParent + "-01",
        "00-" + kTrace + "_" + kParent + "-01", "00-" + kTrace + "-" + kParent + "_01",
        "00-" + kTrace + "0-" + kParent + "-1", " 00" + kRest + "01"}) {
    EXPECT_FALSE(ParseTraceparent(bad)) << bad;
  }
}

}  // namespace
}  // namespace seatlock::base
