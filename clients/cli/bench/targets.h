// Whether a run would reach beyond this machine. Blocks while names are looked up.
#pragma once

#include <string>
#include <vector>

namespace seatlock::cli::bench {

// What is wrong with loading these hosts (names or addresses) without --allow-bench, in one line:
// the first that is, or stands for, an address beyond loopback, or that cannot be looked up. Empty:
// nothing.
std::string BeyondLoopback(const std::vector<std::string>& hosts);

}  // namespace seatlock::cli::bench
