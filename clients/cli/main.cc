// seatctl: the command line of SeatLock.
#include <cstdio>

#include "clients/cli/args.h"
#include "clients/cli/commands.h"

int main(int argc, char** argv) {
  const seatlock::cli::ParsedArgs parsed = seatlock::cli::ParseArgs(argc, argv);
  if (!parsed.exit_code.has_value()) return seatlock::cli::Run(parsed.args);
  std::fputs(parsed.text.c_str(), *parsed.exit_code == seatlock::cli::kExitOk ? stdout : stderr);
  return *parsed.exit_code;
}
