// `seatctl admin`: what operators do to a showtime.
#pragma once

#include "clients/cli/family.h"

namespace seatlock::cli {

FindNamed AddAdminCommands(CLI::App* app);

}  // namespace seatlock::cli
