// What `seatctl top` shows: what happened between two looks at a deployment, and how it is drawn.
// Pure functions; values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clients/cli/operate/deployment.h"
#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::cli::operate {

// The showtimes of one look: the first by id, as many as were asked for.
struct ShowtimesLook {
  std::string error;  // why there are none; empty if there are
  std::map<std::string, v1::ShowtimeSummary> by_id;
  bool more = false;  // others follow, which nobody looked at
};

// A look at everything.
struct TopLook {
  Look look;
  ShowtimesLook showtimes;
};

struct Latency {
  std::optional<double> p50_seconds;
  std::optional<double> p99_seconds;
};

struct BusyShowtime {
  std::string id;
  double revisions_a_second = 0;
  uint64_t revision = 0;
  std::optional<uint64_t> locked;
  std::optional<uint64_t> booked;
};

// What is nullopt nobody told, or it cannot be said before the second look.
struct TopView {
  int64_t unix_ms = 0;
  double seconds = 0;  // between the looks; 0 for the first
  int well = 0;
  int asked = 0;
  std::vector<std::string> unwell;               // "127.0.0.1:9102: no answer in time"
  std::map<std::string, double> locks_a_second;  // by result, those that happened
  std::optional<double> all_locks_a_second;
  std::optional<double> bookings_a_second;
  std::optional<double> connections;
  std::optional<double> deliveries_a_second;
  std::optional<double> pending_calls;
  Latency commit_to_socket;
  Latency append;
  Latency commit;
  std::vector<BusyShowtime> busiest;  // the busiest first
  std::string showtimes_error;
  size_t showtimes_seen = 0;
  bool more_showtimes = false;
};

// `before` is null for the first look. A program that was not there, or began anew, since then
// counts for nothing until the next look.
TopView CompareLooks(const TopLook* before, const TopLook& now);

// Lines of at most `width` columns, and at most `height` of them; height 0: as many as there are.
std::vector<std::string> TopFrame(const TopView& view, int width, int height, bool color);
// One line.
std::string TopJson(const TopView& view);

}  // namespace seatlock::cli::operate
