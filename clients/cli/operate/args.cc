#include "clients/cli/operate/args.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace seatlock::cli::operate {

FindNamed AddCommands(CLI::App*) {
  return [] { return Named{}; };
}

}  // namespace seatlock::cli::operate
