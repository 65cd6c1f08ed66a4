#include "tests/testing/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tests/testing/written.h"

namespace seatlock::testing {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr size_t kTailLines = 15;
constexpr int kExecFailed = 127;  // as a shell says it

bool Configures(std::string_view variable) {
  return variable.starts_with("SEATLOCK_") || variable.starts_with("WEBSOCKET_SERVER_");
}

// `variable` as environ has it: NAME=VALUE.
bool IsReplaced(std::string_view variable, const ProcessOptions& options) {
  const std::string_view name = variable.substr(0, variable.find('='));
  return std::any_of(options.env.begin(), options.env.end(),
                     [&](const auto& added) { return added.first == name; });
}

std::vector<std::string> Environment(const ProcessOptions& options) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    // A name must stand once: programs read the first of two.
    if (!Configures(*entry) && !IsReplaced(*entry, options)) all.push_back(*entry);
  }
  for (const auto& [name, value] : options.env) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Pipe {
  int read = -1;
  int write = -1;
};

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return absl::InternalError(std::strerror(errno));
  return Pipe{fds[0], fds[1]};
}

// In the child of a process with threads: nothing but async-signal-safe calls until exec.
[[noreturn]] void RunChild(pid_t parent, char* const* argv, char* const* envp, const char* dir,
                           const Pipe& out, const Pipe& err) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kExecFailed);  // the parent died before prctl
  if (dir[0] != '\0' && chdir(dir) != 0) _exit(kExecFailed);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(out.write, STDOUT_FILENO);
  dup2(err.write, STDERR_FILENO);
  // Sockets of the test must not live on in the child, or their ports stay taken.
  close_range(STDERR_FILENO + 1, ~0U, 0);
  execve(argv[0], argv, envp);
  _exit(kExecFailed);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const ProcessOptions& options) {
  std::vector<std::string> args = options.args;
  args.insert(args.begin(), options.binary);
  std::vector<std::string> env = Environment(options);
  const std::vector<char*> argv = Pointers(args);
  const std::vector<char*> envp = Pointers(env);
  const absl::StatusOr<Pipe> out = MakePipe();
  if (!out.ok()) return out.status();
  const absl::StatusOr<Pipe> err = MakePipe();
  if (!err.ok()) {
    close(out->read);
    close(out->write);
    return err.status();
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    RunChild(parent, argv.data(), envp.data(), options.working_dir.c_str(), *out, *err);
  }
  close(out->write);
  close(err->write);
  if (pid < 0) {
    close(out->read);
    close(err->read);
    return absl::InternalError("fork failed");
  }
  return std::unique_ptr<Process>(new Process(pid, out->read, err->read));
}

Process::Process(pid_t pid, int stdout_fd, int stderr_fd) : pid_(pid) {
  stdout_.fd = stdout_fd;
  stderr_.fd = stderr_fd;
  reader_ = std::thread([this] { ReadAll(); });
}

Process::~Process() {
  Signal(SIGKILL);
  reader_.join();
}

void Process::ReadAll() {
  while (stdout_.fd >= 0 || stderr_.fd >= 0) {
    pollfd fds[2] = {{stdout_.fd, POLLIN, 0}, {stderr_.fd, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0) continue;
    for (int i = 0; i < 2; ++i) {
      Output& output = i == 0 ? stdout_ : stderr_;
      if (fds[i].revents == 0 || ReadSome(output)) continue;
      close(output.fd);
      output.fd = -1;
    }
  }
  Reap();
}

bool Process::ReadSome(Output& output) {
  char buffer[16384];
  const ssize_t size = read(output.fd, buffer, sizeof buffer);
  if (size < 0) return errno == EINTR || errno == EAGAIN;
  base::MutexLock lock(mu_);
  if (size == 0) {
    if (!output.partial.empty()) Append(output, "\n");
    return false;
  }
  // Only what is logged: `seatlockd keys new` prints a key, and shall.
  if (&output == &stderr_) KeepOutput(pid_, {buffer, static_cast<size_t>(size)});
  Append(output, {buffer, static_cast<size_t>(size)});
  return true;
}

void Process::Append(Output& output, std::string_view bytes) {
  for (char c : bytes) {
    if (c != '\n') {
      output.partial.push_back(c);
      continue;
    }
    output.lines.push_back(std::move(output.partial));
    output.partial.clear();
  }
  changed_.NotifyAll();
}

void Process::Reap() {
  // The pid stays ours until it is reaped under the lock, so Signal never hits a stranger.
  siginfo_t info;
  while (waitid(P_PID, pid_, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  base::MutexLock lock(mu_);
  int status = 0;
  waitpid(pid_, &status, 0);
  ProcessExit exit;
  if (WIFEXITED(status)) exit.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
  exit_ = exit;
  changed_.NotifyAll();
}

absl::StatusOr<std::string> Process::WaitForLine(const LinePredicate& matches,
                                                 Milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  const Output* outputs[] = {&stdout_, &stderr_};
  size_t seen[] = {0, 0};
  base::MutexLock lock(mu_);
  while (true) {
    for (int i = 0; i < 2; ++i) {
      const std::vector<std::string>& lines = outputs[i]->lines;
      const auto found = std::find_if(lines.begin() + seen[i], lines.end(), matches);
      if (found != lines.end()) return *found;
      seen[i] = lines.size();
    }
    if (exit_.has_value()) {
      return absl::UnavailableError(absl::StrCat("exited with code ", exit_->code, ", signal ",
                                                 exit_->signal, ":\n", Tail()));
    }
    const auto left =
        std::chrono::duration_cast<Milliseconds>(deadline - SteadyClock::now()) + Milliseconds(1);
    if (left <= Milliseconds(0)) {
      return absl::DeadlineExceededError("no such line up to now:\n" + Tail());
    }
    changed_.WaitFor(mu_, left);
  }
}

absl::StatusOr<std::string> Process::WaitForText(const std::string& text, Milliseconds timeout) {
  return WaitForLine(
      [&text](const std::string& line) { return line.find(text) != std::string::npos; }, timeout);
}

std::vector<std::string> Process::StdoutLines() const {
  base::MutexLock lock(mu_);
  return stdout_.lines;
}

std::vector<std::string> Process::StderrLines() const {
  base::MutexLock lock(mu_);
  return stderr_.lines;
}

void Process::Signal(int signal) {
  base::MutexLock lock(mu_);
  if (!exit_.has_value()) kill(pid_, signal);
}

void Process::Kill() {
  Signal(SIGKILL);
  base::MutexLock lock(mu_);
  while (!exit_.has_value()) changed_.Wait(mu_);
}

absl::StatusOr<ProcessExit> Process::Wait(Milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  base::MutexLock lock(mu_);
  while (!exit_.has_value()) {
    const auto left =
        std::chrono::duration_cast<Milliseconds>(deadline - SteadyClock::now()) + Milliseconds(1);
    if (left <= Milliseconds(0)) return absl::DeadlineExceededError("still running:\n" + Tail());
    changed_.WaitFor(mu_, left);
  }
  return *exit_;
}

bool Process::Running() const {
  base::MutexLock lock(mu_);
  return !exit_.has_value();
}

std::string Process::Tail() const {
  std::string tail;
  for (const Output* output : {&stdout_, &stderr_}) {
    const size_t count = output->lines.size();
    for (size_t i = count - std::min(count, kTailLines); i < count; ++i) {
      absl::StrAppend(&tail, output->lines[i], "\n");
    }
  }
  return tail;
}

}  // namespace seatlock::testing
