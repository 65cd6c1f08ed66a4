// The places of a hall, for `seatctl map`: from a layout file as @seatlock/react's HallLayout has
// it, or guessed from the ids of seats. Values; thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace seatlock::cli::operate {

// A seat, and in which column it stands: gaps and aisles count, from 0.
struct Place {
  std::string seat_id;
  int column = 0;
};

struct HouseRow {
  std::string label;
  std::vector<Place> places;  // columns rise
};

struct HouseSection {
  std::string name;  // may be empty
  std::vector<HouseRow> rows;
};

struct House {
  std::string name;      // may be empty
  bool guessed = false;  // from the ids: seats that nobody named are not in it
  std::vector<HouseSection> sections;
};

// Reads {"name", "sections": [{"name", "rows": [{"label", "seats": [{"seatId", "number",
// "aisleAfter"?, "gapBefore"?}]}]}]}; other fields are ignored. InvalidArgument says in one line
// what is wrong and where.
absl::StatusOr<House> ParseLayout(std::string_view json);
// The same from a file.
absl::StatusOr<House> ReadLayout(const std::string& path);

// A row for each prefix of the ids before their last number, and the number as the column: "A06"
// stands in row A, column 6. Ids without a number, and numbers above kColumnsMax, stand one after
// the other in a row of their own. The ids may come in any order.
House GuessHouse(const std::vector<std::string>& seat_ids);

}  // namespace seatlock::cli::operate
