// seatctl's command line, as values. Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clients/cli/family.h"
#include "seatlock/v1/seats.pb.h"

namespace seatlock::cli {

// Of --timeout and --ttl: longer than anybody waits. The service says how long a lock may last.
inline constexpr int64_t kTimeMsMax = 24 * 3'600'000;

// Showtimes that `seatctl list` prints unless --limit says otherwise: more than a person reads. If
// more follow, it says so.
inline constexpr uint64_t kListLimitDefault = 1'000;
// The most that --limit takes: all are held until the last page is there, 200 bytes each.
inline constexpr uint64_t kListLimitMax = 100'000;
// The most that --page-size takes; the service gives no more (seatlock_service.proto).
inline constexpr int32_t kPageSizeMax = 1'000;
// Pages that `seatctl list` asks for. They may be short, even empty, though more follow: pages of
// one showtime each reach the limit.
inline constexpr uint64_t kListPagesMax = kListLimitMax;

enum class Command {
  kLock,
  kUnlock,
  kExtend,
  kBook,
  kCancel,
  kGet,
  kLocks,
  kList,
  kWatch,
  kAdmin,  // one of admin.h
};

struct Args : CommonArgs {
  Command command = Command::kGet;
  // A command of a family (family.h), in place of `command` and all below.
  RunCommand run;

  std::string showtime;
  std::vector<std::string> seats;
  std::vector<std::string> release;
  std::string session;
  std::string order;
  std::string request_id;  // never empty for commands that change something, but for a deletion
  std::optional<int64_t> ttl_ms;
  std::map<std::string, uint64_t> fences;
  uint32_t max_session_seats = 0;
  bool all = false;
  bool only_held = false;
  bool add_to_order = false;
  bool tombstone = false;
  int32_t page_size = kPageSizeMax;    // for list
  uint64_t limit = kListLimitDefault;  // of showtimes, for list
  std::optional<v1::Position> resume;
};

// Reads the arguments and the environment (SEATCTL_SERVER, SEATCTL_TIMEOUT, SEATCTL_OUTPUT,
// SEATCTL_SESSION; flags beat it). No value in the result's `exit_code` means: run `args`.
// Otherwise `text` is to be printed, on stdout for kExitOk (help, version), else on stderr.
struct ParsedArgs {
  Args args;
  std::optional<int> exit_code;
  std::string text;
};
ParsedArgs ParseArgs(int argc, const char* const* argv);

}  // namespace seatlock::cli
