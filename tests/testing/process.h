// A child process of a test: started from a binary, its output kept line by line, signalled by its
// own pid, and killed and reaped at the latest by the destructor. Should the test itself die, the
// kernel kills the child (PR_SET_PDEATHSIG). That ties the child to the *thread* that started it:
// start processes from a thread that outlives them, such as the test's main thread.
// Thread-safe. Variables of the parent's environment that configure our programs (SEATLOCK_*,
// WEBSOCKET_SERVER_*) are not handed down, so that a developer's shell changes no test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/mutex.h"

namespace seatlock::testing {

struct ProcessOptions {
  std::string binary;  // an absolute path
  std::vector<std::string> args = {};
  // Added to the parent's (see above), in place of a variable of the same name.
  std::vector<std::pair<std::string, std::string>> env = {};
  std::string working_dir = {};  // empty: the parent's
};

// How a process ended.
struct ProcessExit {
  int code = -1;   // its exit code; -1 where a signal ended it
  int signal = 0;  // the signal that ended it, 0 for none

  friend bool operator==(const ProcessExit&, const ProcessExit&) = default;
};

class Process {
 public:
  using Milliseconds = std::chrono::milliseconds;
  using LinePredicate = std::function<bool(const std::string& line)>;

  // Starts `options.binary`. A binary that cannot be executed shows as exit code 127.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const ProcessOptions& options);

  // Kills the process where it still runs, and reaps it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // The first line (stdout or stderr, without its newline) that `matches`, printed already or
  // coming. Blocks. kDeadlineExceeded when none came in `timeout`, kUnavailable when the process
  // ended without one; both errors carry the last lines of its output.
  absl::StatusOr<std::string> WaitForLine(const LinePredicate& matches, Milliseconds timeout);
  // Waits for a line that contains `text`.
  absl::StatusOr<std::string> WaitForText(const std::string& text, Milliseconds timeout);

  // What it printed up to now, in the order of arrival within each.
  std::vector<std::string> StdoutLines() const;
  std::vector<std::string> StderrLines() const;

  // Sends `signal`. Does nothing once the process has ended.
  void Signal(int signal);
  // SIGKILL, then waits until it is reaped.
  void Kill();
  // Waits until the process has ended and its output is complete. Blocks; kDeadlineExceeded.
  absl::StatusOr<ProcessExit> Wait(Milliseconds timeout);
  bool Running() const;

 private:
  struct Output {
    int fd = -1;
    std::string partial;             // the line that is not finished yet
    std::vector<std::string> lines;  // guarded by mu_
  };

  Process(pid_t pid, int stdout_fd, int stderr_fd);
  void ReadAll();                // body of reader_
  bool ReadSome(Output& output)  // false at the end of the stream
      ABSL_LOCKS_EXCLUDED(mu_);
  void Append(Output& output, std::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Reap() ABSL_LOCKS_EXCLUDED(mu_);
  std::string Tail() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const pid_t pid_;
  mutable base::Mutex mu_;
  mutable base::CondVar changed_;
  Output stdout_;
  Output stderr_;
  std::optional<ProcessExit> exit_ ABSL_GUARDED_BY(mu_);
  std::thread reader_;  // reads both outputs, then reaps
};

}  // namespace seatlock::testing
