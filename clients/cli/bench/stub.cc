#include "clients/cli/bench/run.h"
namespace seatlock::cli::bench {
Report RunWatchBench(const RunContext&) { return {}; }
Report RunWsBench(const RunContext&) { return {}; }
}
