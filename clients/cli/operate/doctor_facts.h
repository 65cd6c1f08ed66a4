// What `seatctl doctor` looks at, before anything is judged: this machine, the programs, the way to
// them. What could not be seen is nullopt. Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clients/cli/family.h"
#include "clients/cli/operate/args.h"
#include "clients/cli/operate/deployment.h"
#include "clients/cli/operate/http.h"

namespace seatlock::cli::operate {

// Settings of the kernel of this machine, as /proc says them.
struct KernelFacts {
  std::optional<int64_t> somaxconn;
  std::optional<std::pair<int64_t, int64_t>> port_range;  // ip_local_port_range, both ends
  std::optional<int64_t> conntrack_max;                   // none: the module is not loaded
  std::optional<int64_t> conntrack_count;
  std::optional<int64_t> tcp_mem_pressure_pages;  // the middle of tcp_mem
  std::optional<int64_t> tcp_mem_used_pages;
  std::optional<int64_t> files_max;  // fs.file-max
  std::optional<int64_t> files_used;
  std::optional<int64_t> overcommit_memory;
  std::optional<std::string> huge_pages;  // "always", "madvise", "never"
  bool redis_here = false;                // a process named redis-server runs here
};

// The clock of this machine.
struct ClockFacts {
  // As the kernel says (adjtimex): something keeps it right. nullopt: it does not say.
  std::optional<bool> synchronised;
};

// A server, asked for its time, and an idle watch on it.
struct ServerFacts {
  std::string address;
  std::string error = {};  // why there is no answer; empty if there is
  int64_t offset_ms = 0;   // its clock minus this machine's, in the middle of the call
  int64_t round_trip_ms = 0;
  // Of the watch, if one was held.
  bool watched = false;
  int64_t held_ms = 0;
  std::string watch_ended = {};  // why it was cut; empty if it was there to the end
};

struct Facts {
  int64_t shell_files_soft = 0;  // RLIMIT_NOFILE of this process
  int64_t shell_files_hard = 0;
  KernelFacts kernel;
  ClockFacts clock;
  Look look;
  std::vector<ServerFacts> servers;
  std::string ws_url;  // empty: none was tried
  WsTry ws;
  // Upgrades with an X-Forwarded-For that the edges counted while it was tried: of trusted proxies,
  // and of others. nullopt if no edge tells.
  std::optional<double> forwarded_trusted;
  std::optional<double> forwarded_untrusted;
};

// Reads the kernel's settings below `root`, which is "/" but for tests.
KernelFacts ReadKernel(const std::string& root);

// Looks at everything. Blocks for a few seconds at most, and --idle.
Facts LookForDoctor(const CommonArgs& common, const Args& args);

}  // namespace seatlock::cli::operate
