#include "clients/cli/operate/text.h"

#include <gmock/gmock.h>

#include "clients/cli/operate/limits.h"

namespace seatlock::cli::operate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TextTest, NobodysTextMovesTheCursorOrTurnsItsDirection) {
  EXPECT_EQ(Clean("a\x1b[2Jb\r\nc\td"), "a?[2Jb??c?d");
  EXPECT_EQ(Clean("a\xc2\x9b"
                  "31mb"),
            "a?31mb");  // CSI as one character
  EXPECT_EQ(Clean("A\xe2\x80\xae"
                  "06"),
            "A?06");                                         // right-to-left override
  EXPECT_EQ(Clean("\xff\xc0\x80z\xed\xa0\x80"), "???z???");  // no UTF-8
  EXPECT_EQ(Clean("Loge \xc3\xa4"), "Loge \xc3\xa4");
}

TEST(TextTest, LongTextIsCut) {
  const std::string clean = Clean(std::string(10'000, 'x'));
  EXPECT_LE(clean.size(), kShownTextMax + 4);
  EXPECT_THAT(clean, HasSubstr("x..."));
}

TEST(TextTest, WidthCountsColumnsAndNoColours) {
  EXPECT_EQ(Width("abc"), 3);
  EXPECT_EQ(Width("\xc3\xa4"), 1);
  EXPECT_EQ(Width("\xe5\xba\xa7"), 2);  // a wide character
  EXPECT_EQ(Width(Paint("abc", "1;31", true)), 3);
}

TEST(TextTest, ClipKeepsTheWidthAndEndsColours) {
  EXPECT_EQ(Clip("abcdef", 6), "abcdef");
  EXPECT_EQ(Clip("abcdef", 4), "abc~");
  EXPECT_EQ(Clip(Paint("abcdef", "31", true), 4), "\x1b[31mabc~\x1b[0m");
  EXPECT_EQ(Clip("\xe5\xba\xa7\xe5\xba\xa7\xe5\xba\xa7", 4), "\xe5\xba\xa7~");
  EXPECT_EQ(Clip("abc", 0), "");
}

TEST(TextTest, NothingIsPaintedWithoutColour) {
  EXPECT_EQ(Paint("abc", "31", false), "abc");
  EXPECT_THAT(Paint("abc", "31", true), Not("abc"));
}

TEST(TextTest, ColumnsOfATableLineUp) {
  EXPECT_THAT(TableLines({{"A", "BB", "C"}, {"\xc3\xa4\xc3\xa4\xc3\xa4", "b", "c"}}),
              ElementsAre("A    BB  C", "\xc3\xa4\xc3\xa4\xc3\xa4  b   c"));
}

}  // namespace
}  // namespace seatlock::cli::operate
