// The command line of `status`, `top`, `map` and `doctor`, as values. Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clients/cli/family.h"
#include "clients/cli/operate/limits.h"

namespace seatlock::cli::operate {

// What the four commands take beside CommonArgs.
struct Args {
  // Admin addresses and servers that status, top and doctor ask: those that --admin and --server
  // name. If neither is named, the defaults of both; if only one is, only that one.
  std::vector<std::string> admins;
  std::vector<std::string> servers;

  // Of top: the pause between two looks; how many looks, 0 for no end; and of how many showtimes.
  int64_t interval_ms = kIntervalMsDefault;
  uint64_t count = 0;
  uint64_t showtimes = kTopShowtimesDefault;

  // Of map. No file: the house is guessed from the ids.
  std::string showtime;
  std::string layout_file;
  bool once = false;

  // Of doctor. Empty: no WebSocket is tried. 0: no idle connection is held.
  std::string ws_url;
  int64_t idle_ms = 0;

  bool no_color = false;
};

// Adds the commands. (AddFamily, clients/cli/family.h.)
FindNamed AddCommands(CLI::App* app);

}  // namespace seatlock::cli::operate
