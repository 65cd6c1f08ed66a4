// A showtime as a watch tells it, and how it is drawn. Pure but for its state; thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "clients/cli/operate/layout.h"
#include "seatlock/v1/seatlock_service.pb.h"
#include "seatlock/watch.h"

namespace seatlock::cli::operate {

// What is known of a showtime. A seat that is not named is available.
class ShowtimeState {
 public:
  struct Counts {
    size_t locked = 0;
    size_t booked = 0;
    size_t other = 0;  // blocked, or a status of a later version: not available
  };

  void Take(const client::Watch::Event& event);

  bool known() const { return known_; }
  const std::string& epoch() const { return epoch_; }
  uint64_t revision() const { return revision_; }
  v1::SeatStatus StatusOf(const std::string& seat_id) const;
  Counts counts() const;
  // Every seat that was ever named, in no order. At most kSeatsMax.
  std::vector<std::string> seat_ids() const;
  // Rises when a seat is named for the first time.
  uint64_t names() const { return names_; }
  // "revision 41: lock A06, A07"; empty before the first change.
  const std::string& last_change() const { return last_change_; }
  std::optional<int64_t> last_change_ms() const { return last_change_ms_; }

 private:
  void Set(const v1::Seat& seat);
  void TakeSnapshot(const v1::ShowtimeSnapshot& snapshot);
  void TakeChange(const v1::Change& change);

  bool known_ = false;
  std::string epoch_;
  uint64_t revision_ = 0;
  uint64_t names_ = 0;
  std::unordered_map<std::string, v1::SeatStatus> seats_;
  std::string last_change_;
  std::optional<int64_t> last_change_ms_;
};

// What stands beside the seats.
struct MapInfo {
  std::string showtime;
  std::string stale;   // why it is not live; empty if it is
  int64_t now_ms = 0;  // Unix time, for the age of the last change
};

// Lines of at most `width` columns, and at most `height` of them (0: as many as there are). Seats
// take two columns each if that fits, else one; what does not fit is left out, and the last line
// says so.
std::vector<std::string> MapFrame(const ShowtimeState& state, const House& house,
                                  const MapInfo& info, int width, int height, bool color);

// One line: counts, and every seat that is not available.
std::string MapJson(const ShowtimeState& state, const House& house, const MapInfo& info);

}  // namespace seatlock::cli::operate
