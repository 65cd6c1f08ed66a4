// `seatctl bench` on the command line.
#pragma once

#include "clients/cli/family.h"

namespace seatlock::cli::bench {

// Adds `bench` with its three benches.
FindNamed AddCommands(CLI::App* app);

}  // namespace seatlock::cli::bench
