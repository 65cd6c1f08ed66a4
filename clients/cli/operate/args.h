// The command line of `status`, `top`, `map` and `doctor`, as values. Thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clients/cli/family.h"

namespace seatlock::cli::operate {

// What the four commands take beside CommonArgs.
struct Args {
  // Admin addresses, each HOST:PORT. Empty: none was named, and --server was.
  std::vector<std::string> admins;
  // Of top: the pause between two looks, and how many looks, 0 for no end.
  int64_t interval_ms = 2'000;
  uint64_t count = 0;
  uint64_t showtimes = 1'000;  // of ListShowtimes, a look
  // Of map.
  std::string showtime;
  std::string layout_file;
  bool once = false;
  // Of doctor.
  std::string ws_url;
  int64_t idle_ms = 0;
  // Of top and map.
  bool no_color = false;
};

// Adds the commands.
FindNamed AddCommands(CLI::App* app);

}  // namespace seatlock::cli::operate
