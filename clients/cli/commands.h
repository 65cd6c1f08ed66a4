// Runs one command of seatctl against the service and prints what came of it.
#pragma once

#include "clients/cli/args.h"

namespace seatlock::cli {

// Blocks until the command is done (watch: until SIGINT or SIGTERM). Returns the exit code. Called
// once, from main, before other threads start.
int Run(const Args& args);

}  // namespace seatlock::cli
