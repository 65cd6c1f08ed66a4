// seatctl bench: loads a deployment for a bounded time, judges what it said, prints the result and
// leaves nothing behind but empty showtimes.
#pragma once

#include "clients/cli/bench/options.h"

namespace seatlock::cli::bench {

// Blocks. SIGINT and SIGTERM end the load early; a second one ends the process. Called once, from
// main, before other threads start. Returns the exit code: kExitOk only if every verdict passes.
int Run(const Options& options);

}  // namespace seatlock::cli::bench
