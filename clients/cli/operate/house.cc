#include "clients/cli/operate/house.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <climits>
#include <unordered_set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "clients/cli/operate/json_value.h"
#include "clients/cli/operate/limits.h"
#include "clients/cli/operate/text.h"

namespace seatlock::cli::operate {
namespace {

namespace json = boost::json;

// How a status is shown: told apart by the character alone, the colour is a help.
struct Look {
  char character;
  const char* sgr;
  const char* word;
};
constexpr Look kAvailable = {'.', "32", "available"};
constexpr Look kLocked = {'L', "30;43", "locked"};
constexpr Look kBooked = {'B', "97;41", "booked"};
constexpr Look kBlocked = {'X', "97;100", "blocked"};

constexpr char kTitle[] = "1";
constexpr char kDim[] = "2";
constexpr char kGood[] = "32";
constexpr char kBad[] = "1;31";
// Seats of a change, and of those that no layout has, that are named.
constexpr int kNamedMax = 6;
constexpr int kLabelWidthMax = 12;

// A status of a later version means not available.
const Look& LookOf(v1::SeatStatus status) {
  switch (status) {
    case v1::SEAT_STATUS_AVAILABLE:
      return kAvailable;
    case v1::SEAT_STATUS_LOCKED:
      return kLocked;
    case v1::SEAT_STATUS_BOOKED:
      return kBooked;
    default:
      return kBlocked;
  }
}

std::string CauseWord(v1::ChangeCause cause) {
  absl::string_view name = v1::ChangeCause_Name(cause);
  constexpr absl::string_view kPrefix = "CHANGE_CAUSE_";
  if (name.substr(0, kPrefix.size()) == kPrefix) name.remove_prefix(kPrefix.size());
  return name.empty() ? "change" : absl::AsciiStrToLower(name);
}

// "A06, A07 and 3 more".
template <typename Ids>
std::string NameSome(const Ids& ids) {
  std::string text;
  int count = 0;
  for (const auto& id : ids) {
    if (++count <= kNamedMax) absl::StrAppend(&text, count == 1 ? "" : ", ", Clean(id));
  }
  if (count > kNamedMax) absl::StrAppend(&text, " and ", count - kNamedMax, " more");
  return text;
}

int ColumnsEnd(const House& house) {
  int end = 0;
  for (const HouseSection& section : house.sections) {
    for (const HouseRow& row : section.rows) {
      if (!row.places.empty()) end = std::max(end, row.places.back().column + 1);
    }
  }
  return end;
}

int ColumnsBegin(const House& house) {
  int begin = INT_MAX;
  for (const HouseSection& section : house.sections) {
    for (const HouseRow& row : section.rows) {
      if (!row.places.empty()) begin = std::min(begin, row.places.front().column);
    }
  }
  return begin == INT_MAX ? 0 : begin;
}

int LabelWidth(const House& house) {
  int width = 0;
  for (const HouseSection& section : house.sections) {
    for (const HouseRow& row : section.rows) width = std::max(width, Width(Clean(row.label)));
  }
  return std::min(width, kLabelWidthMax);
}

// Where each place is drawn.
struct Grid {
  int begin = 0;  // the first column
  int end = 0;
  int cell = 2;
  int label = 0;

  Grid(const House& house, int width)
      : begin(ColumnsBegin(house)), end(ColumnsEnd(house)), label(LabelWidth(house)) {
    if (label + 1 + 2 * (end - begin) - 1 > width) cell = 1;
  }
  // Columns of the house that have no room.
  int LeftOut(int width) const {
    return std::max(0, end - begin - std::max(0, (width - label - 1 + cell - 1) / cell));
  }
};

std::string RowLine(const HouseRow& row, const ShowtimeState& state, const Grid& grid, int width,
                    bool color) {
  std::string line = PadRight(Clip(Clean(row.label), grid.label), grid.label);
  int at = grid.label;
  for (const Place& place : row.places) {
    const int to = grid.label + 1 + (place.column - grid.begin) * grid.cell;
    if (to >= width) break;
    line.append(static_cast<size_t>(to - at), ' ');
    const Look& look = LookOf(state.StatusOf(place.seat_id));
    line += Paint(std::string(1, look.character), look.sgr, color);
    at = to + 1;
  }
  return line;
}

// Numbers above the columns of a guessed house, every fifth.
std::string Ruler(const Grid& grid) {
  std::string line(static_cast<size_t>(grid.label + 1 + (grid.end - grid.begin) * grid.cell + 8),
                   ' ');
  size_t free = 0;
  for (int column = grid.begin; column < grid.end; ++column) {
    if (column != grid.begin && column % 5 != 0) continue;
    const std::string number = absl::StrCat(column);
    const auto at = static_cast<size_t>(grid.label + 1 + (column - grid.begin) * grid.cell);
    if (at < free) continue;
    line.replace(at, number.size(), number);
    free = at + number.size() + 1;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::vector<std::string> HouseLines(const ShowtimeState& state, const House& house,
                                    const Grid& grid, int width, bool color) {
  std::vector<std::string> lines;
  if (house.guessed && grid.end > grid.begin) lines.push_back(Paint(Ruler(grid), kDim, color));
  for (const HouseSection& section : house.sections) {
    if (!section.name.empty()) lines.push_back(Paint(Clean(section.name), kTitle, color));
    for (const HouseRow& row : section.rows) {
      lines.push_back(RowLine(row, state, grid, width, color));
    }
  }
  return lines;
}

// Seats that are taken and have no place in the house.
std::vector<std::string> Unplaced(const ShowtimeState& state, const House& house) {
  std::unordered_set<std::string> placed;
  for (const HouseSection& section : house.sections) {
    for (const HouseRow& row : section.rows) {
      for (const Place& place : row.places) placed.insert(place.seat_id);
    }
  }
  std::vector<std::string> ids;
  for (const std::string& id : state.seat_ids()) {
    const bool taken = state.StatusOf(id) != v1::SEAT_STATUS_AVAILABLE;
    if (taken && placed.count(id) == 0) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

// nullopt for a guessed house: how many seats nobody ever named nobody knows.
std::optional<size_t> Available(const ShowtimeState& state, const House& house) {
  if (house.guessed) return std::nullopt;
  size_t count = 0;
  for (const HouseSection& section : house.sections) {
    for (const HouseRow& row : section.rows) {
      count += static_cast<size_t>(
          std::count_if(row.places.begin(), row.places.end(), [&](const Place& place) {
            return state.StatusOf(place.seat_id) == v1::SEAT_STATUS_AVAILABLE;
          }));
    }
  }
  return count;
}

std::string Key(const Look& look, const std::string& count, bool color) {
  return absl::StrCat(Paint(std::string(1, look.character), look.sgr, color), " ", look.word,
                      count.empty() ? "" : " ", count);
}

std::string Legend(const ShowtimeState& state, const House& house, bool color) {
  const ShowtimeState::Counts counts = state.counts();
  const auto available = Available(state, house);
  return absl::StrCat(Key(kAvailable, available.has_value() ? absl::StrCat(*available) : "", color),
                      "   ", Key(kLocked, absl::StrCat(counts.locked), color), "   ",
                      Key(kBooked, absl::StrCat(counts.booked), color), "   ",
                      Key(kBlocked, absl::StrCat(counts.other), color));
}

std::string Head(const House& house, const MapInfo& info, bool color) {
  const std::string name = house.name.empty() ? "" : absl::StrCat("  ", Clean(house.name));
  const std::string live = info.stale.empty()
                               ? Paint("live", kGood, color)
                               : Paint(absl::StrCat("STALE: ", Clean(info.stale)), kBad, color);
  return absl::StrCat(Paint(absl::StrCat("showtime ", Clean(info.showtime)), kTitle, color), name,
                      "  ", live);
}

std::string Since(const ShowtimeState& state, const MapInfo& info) {
  if (!state.last_change_ms().has_value()) {
    return absl::StrCat("revision ", state.revision(), ", no change since this began");
  }
  // Clocks of two machines differ a little.
  const int64_t seconds = std::max<int64_t>(0, info.now_ms - *state.last_change_ms()) / 1000;
  return absl::StrCat(state.last_change(), ", ", seconds, " s ago");
}

std::string LeftOutText(int rows, int columns) {
  std::vector<std::string> parts;
  if (rows > 0) parts.push_back(absl::StrCat(rows, " more lines"));
  if (columns > 0) parts.push_back(absl::StrCat(columns, " more columns"));
  return absl::StrCat("... ", absl::StrJoin(parts, ", "), ": make the terminal larger");
}

std::vector<std::string> Notes(const ShowtimeState& state, const House& house) {
  if (house.guessed)
    return {"no layout: only seats that are taken, or were since this began, are drawn"};
  const std::vector<std::string> unplaced = Unplaced(state, house);
  if (unplaced.empty()) return {};
  return {absl::StrCat("taken, and not in the layout: ", NameSome(unplaced))};
}

}  // namespace

void ShowtimeState::Take(const client::Watch::Event& event) {
  known_ = true;
  if (const auto* snapshot = std::get_if<v1::ShowtimeSnapshot>(&event)) {
    TakeSnapshot(*snapshot);
  } else if (const auto* change = std::get_if<v1::Change>(&event)) {
    TakeChange(*change);
  } else {
    const auto& progress = std::get<v1::Progress>(event);
    epoch_ = progress.epoch();
    revision_ = progress.revision();
  }
}

void ShowtimeState::TakeSnapshot(const v1::ShowtimeSnapshot& snapshot) {
  epoch_ = snapshot.epoch();
  revision_ = snapshot.revision();
  // Seats that were named before stay drawn: they are available now.
  for (auto& [id, status] : seats_) status = v1::SEAT_STATUS_AVAILABLE;
  for (const v1::Seat& seat : snapshot.seats()) Set(seat);
}

void ShowtimeState::TakeChange(const v1::Change& change) {
  epoch_ = change.epoch();
  revision_ = change.revision();
  std::vector<std::string> ids;
  for (const v1::Seat& seat : change.seats()) {
    Set(seat);
    ids.push_back(seat.seat_id());
  }
  last_change_ =
      absl::StrCat("revision ", revision_, ": ", CauseWord(change.cause()), " ", NameSome(ids));
  last_change_ms_ =
      change.commit_time().seconds() * 1000 + change.commit_time().nanos() / 1'000'000;
}

void ShowtimeState::Set(const v1::Seat& seat) {
  const auto known = seats_.find(seat.seat_id());
  if (known != seats_.end()) {
    known->second = seat.status();
  } else if (seats_.size() < kSeatsMax) {
    seats_.emplace(seat.seat_id(), seat.status());
    ++names_;
  }
}

v1::SeatStatus ShowtimeState::StatusOf(const std::string& seat_id) const {
  const auto seat = seats_.find(seat_id);
  return seat == seats_.end() ? v1::SEAT_STATUS_AVAILABLE : seat->second;
}

ShowtimeState::Counts ShowtimeState::counts() const {
  Counts counts;
  for (const auto& [id, status] : seats_) {
    const Look& look = LookOf(status);
    if (&look == &kLocked) ++counts.locked;
    if (&look == &kBooked) ++counts.booked;
    if (&look == &kBlocked) ++counts.other;
  }
  return counts;
}

std::vector<std::string> ShowtimeState::seat_ids() const {
  std::vector<std::string> ids;
  ids.reserve(seats_.size());
  for (const auto& [id, status] : seats_) ids.push_back(id);
  return ids;
}

std::vector<std::string> MapFrame(const ShowtimeState& state, const House& house,
                                  const MapInfo& info, int width, int height, bool color) {
  const Grid grid(house, width);
  std::vector<std::string> lines = {Head(house, info, color)};
  if (state.known()) lines.push_back(Since(state, info));
  lines.push_back(Legend(state, house, color));
  for (std::string& note : Notes(state, house)) lines.push_back(std::move(note));
  lines.emplace_back();
  for (std::string& line : HouseLines(state, house, grid, width, color)) {
    lines.push_back(std::move(line));
  }
  const int columns_out = grid.LeftOut(width);
  const int rows_out = height > 0 ? std::max(0, static_cast<int>(lines.size()) - height) : 0;
  if (columns_out > 0 || rows_out > 0) {
    // One line more goes for saying so.
    const int rows = rows_out > 0 ? rows_out + 1 : 0;
    if (height > 0 && static_cast<int>(lines.size()) >= height) {
      lines.resize(static_cast<size_t>(height - 1));
    }
    lines.push_back(Paint(LeftOutText(rows, columns_out), kBad, color));
  }
  for (std::string& line : lines) line = Clip(line, width);
  return lines;
}

std::string MapJson(const ShowtimeState& state, const House& house, const MapInfo& info) {
  const ShowtimeState::Counts counts = state.counts();
  const auto available = Available(state, house);
  std::vector<std::string> ids = state.seat_ids();
  std::sort(ids.begin(), ids.end());
  json::array seats;
  for (const std::string& id : ids) {
    const v1::SeatStatus status = state.StatusOf(id);
    if (status == v1::SEAT_STATUS_AVAILABLE) continue;
    seats.push_back(json::object{{"seatId", id}, {"status", LookOf(status).word}});
  }
  return json::serialize(json::object{
             {"showtimeId", info.showtime},
             {"epoch", state.epoch()},
             {"revision", state.revision()},
             {"live", info.stale.empty()},
             {"why", OrNull(info.stale)},
             {"available", available.has_value() ? json::value(*available) : json::value(nullptr)},
             {"locked", counts.locked},
             {"booked", counts.booked},
             {"blocked", counts.other},
             {"lastChange", OrNull(state.last_change())},
             {"seats", std::move(seats)}}) +
         "\n";
}

}  // namespace seatlock::cli::operate
