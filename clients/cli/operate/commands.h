// `status`, `top`, `map` and `doctor`: each blocks until it is done and returns the exit code.
// Called once, from main, before other threads start.
#pragma once

#include "clients/cli/family.h"
#include "clients/cli/operate/args.h"

namespace seatlock::cli::operate {

int RunStatus(const CommonArgs& common, const Args& args);
int RunTop(const CommonArgs& common, const Args& args);
int RunMap(const CommonArgs& common, const Args& args);
int RunDoctor(const CommonArgs& common, const Args& args);

}  // namespace seatlock::cli::operate
