// What `seatctl status` prints of a look at a deployment: a line a program and a line a server, or
// one line of JSON. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "clients/cli/operate/deployment.h"

namespace seatlock::cli::operate {

// What is not known is "-".
std::string StatusTable(const Look& look, bool color);
// One line. What is not known is null.
std::string StatusJson(const Look& look);

// "redis strict", "sqlite"; nullopt if the program does not tell.
std::optional<std::string> StoreOf(const ProgramLook& program);
// Since when it runs: "12s", "5m", "3h 20m", "4d 2h".
std::string UpText(double seconds);

}  // namespace seatlock::cli::operate
