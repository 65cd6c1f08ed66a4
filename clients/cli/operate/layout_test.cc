#include "clients/cli/operate/layout.h"

#include <gmock/gmock.h>

#include <fstream>

#include "clients/cli/operate/limits.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::cli::operate {
namespace {

using seatlock::testing::IsOk;
using seatlock::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

auto At(const std::string& id, int column) {
  return AllOf(Field(&Place::seat_id, id), Field(&Place::column, column));
}

TEST(LayoutTest, ColumnsCountAislesAndGapsAsOnThePage) {
  const auto house = ParseLayout(R"({"name":"Saal 1","locale":"de-DE","sections":[
      {"id":"s","name":"Stalls","rows":[{"label":"A","seats":[
        {"seatId":"A1","number":"1","category":"c","gapBefore":2},
        {"seatId":"A2","number":"2","category":"c","aisleAfter":true},
        {"seatId":"A3","number":"3","category":"c"}]}]}]})");
  ASSERT_THAT(house, IsOk());
  EXPECT_EQ(house->name, "Saal 1");
  EXPECT_EQ(house->sections[0].name, "Stalls");
  EXPECT_THAT(house->sections[0].rows[0].places,
              ElementsAre(At("A1", 2), At("A2", 3), At("A3", 5)));
}

TEST(LayoutTest, WhatIsWrongIsNamedWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "no JSON"},
      {"[]", "the layout must be an object"},
      {"{}", "must have a list 'sections'"},
      {R"({"sections":[]})", "has no seats"},
      {R"({"sections":[7]})", "sections[0] must be an object"},
      {R"({"sections":[{"rows":[{"seats":[{"seatId":7}]}]}]})",
       "sections[0].rows[0].seats[0] must have a 'seatId'"},
      {R"({"sections":[{"rows":[{"seats":[{"seatId":"A"},{"seatId":"A"}]}]}]})",
       "sections[0].rows[0].seats[1] is seat A again"},
      {R"({"sections":[{"rows":[{"seats":[{"seatId":"A","gapBefore":-1}]}]}]})", "gapBefore"},
      {R"({"sections":[{"rows":[{"seats":[{"seatId":"A","gapBefore":1e9}]}]}]})", "gapBefore"},
      {R"({"sections":[{"rows":[{"seats":[{"seatId":"A","gapBefore":2000}]}]}]})", "beyond column"},
  };
  for (const auto& [text, what] : cases) {
    const auto house = ParseLayout(text);
    ASSERT_FALSE(house.ok()) << text;
    EXPECT_THAT(std::string(house.status().message()), HasSubstr(what));
  }
}

TEST(LayoutTest, FilesThatCannotBeReadAreNamed) {
  const TempDir dir;
  EXPECT_THAT(std::string(ReadLayout(dir.File("none")).status().message()),
              HasSubstr("No such file"));
  EXPECT_THAT(std::string(ReadLayout("/").status().message()), HasSubstr("cannot read /"));
  std::ofstream(dir.File("bad")) << "{";
  EXPECT_THAT(std::string(ReadLayout(dir.File("bad")).status().message()),
              AllOf(HasSubstr(dir.File("bad")), HasSubstr("no JSON")));
  std::ofstream(dir.File("big")) << std::string(kLayoutBytesMax + 1, ' ');
  EXPECT_THAT(std::string(ReadLayout(dir.File("big")).status().message()), HasSubstr("16 MiB"));
  std::ofstream(dir.File("good")) << R"({"sections":[{"rows":[{"seats":[{"seatId":"A"}]}]}]})";
  EXPECT_THAT(ReadLayout(dir.File("good")), IsOk());
}

TEST(LayoutTest, RowsAreGuessedFromLettersAndColumnsFromNumbers) {
  const House house = GuessHouse({"B2", "AA1", "A10", "A06"});
  EXPECT_TRUE(house.guessed);
  const auto& rows = house.sections.at(0).rows;
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].label, "A");
  EXPECT_THAT(rows[0].places, ElementsAre(At("A06", 6), At("A10", 10)));
  EXPECT_EQ(rows[1].label, "B");
  EXPECT_EQ(rows[2].label, "AA");
}

TEST(LayoutTest, IdsThatFitNoRowAreDrawnTogether) {
  // No number, a number too large, and one that stands where another does.
  const House house = GuessHouse({"A1", "A01", "box", "C2000000000"});
  const auto& rows = house.sections.at(0).rows;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_THAT(rows[0].places, ElementsAre(At("A1", 1)));
  EXPECT_EQ(rows[1].label, "other");
  EXPECT_THAT(rows[1].places, ElementsAre(At("A01", 0), At("C2000000000", 1), At("box", 2)));
}

}  // namespace
}  // namespace seatlock::cli::operate
