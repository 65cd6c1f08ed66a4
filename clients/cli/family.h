// How a family of seatctl's commands stands in files of its own. It adds its commands to the
// command line and says, once that was read, which of them to run; args.cc lists the families.
// Values; thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "seatlock/tls_options.h"

namespace CLI {
class App;
}

namespace seatlock::cli {

// Exit codes, which scripts rely on.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnavailable = 3;
inline constexpr int kExitSeatTaken = 4;

// What every command takes.
struct CommonArgs {
  std::string server = "127.0.0.1:50051";                  // as it was given
  std::vector<std::string> servers = {"127.0.0.1:50051"};  // the same, taken apart
  std::optional<client::TlsOptions> tls = {};              // checked; plaintext without it
  int64_t timeout_ms = 10'000;
  bool json = false;
};

// Runs a command and returns its exit code. Called once, from main, before other threads start.
using RunCommand = std::function<int(const CommonArgs&)>;

// The command of a family that was named. `run` is null if none was. `wrong` says in one line what
// is wrong with the command's arguments; empty if nothing is.
struct Named {
  std::string wrong;
  RunCommand run;
};

// Called once after the command line was read without an error, and before the App goes.
using FindNamed = std::function<Named()>;

// Adds the commands of a family to `app`.
using AddFamily = FindNamed (*)(CLI::App* app);

}  // namespace seatlock::cli
