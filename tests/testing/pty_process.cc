#include "tests/testing/pty_process.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <cstdlib>

namespace seatlock::testing {
namespace {

constexpr PtyProcess::Millis kLook(20);
constexpr char kHome[] = "\x1b[H";

bool SameKeys(const termios& a, const termios& b) {
  return a.c_lflag == b.c_lflag && a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag &&
         a.c_cc[VMIN] == b.c_cc[VMIN];
}

// Without escape sequences, which here all end with a letter.
std::string WithoutEscapes(const std::string& text) {
  std::string plain;
  bool escape = false;
  for (const char c : text) {
    if (c == '\x1b') escape = true;
    if (!escape) plain += c;
    if (escape && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) escape = false;
  }
  return plain;
}

}  // namespace

PtyProcess::PtyProcess(const std::vector<std::string>& args, int width, int height) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(width);
  size.ws_row = static_cast<unsigned short>(height);
  if (::openpty(&master_, &slave_, nullptr, nullptr, &size) != 0) std::abort();
  ::fcntl(master_, F_SETFD, FD_CLOEXEC);
  ::tcgetattr(slave_, &before_);
  ::setenv("TERM", "xterm", 1);
  std::vector<char*> argv;
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::login_tty(slave_);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
}

PtyProcess::~PtyProcess() {
  if (!exit_.has_value()) {
    Signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(master_);
  ::close(slave_);
}

void PtyProcess::Type(const std::string& keys) {
  [[maybe_unused]] const ssize_t count = ::write(master_, keys.data(), keys.size());
}

void PtyProcess::Resize(int width, int height) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(width);
  size.ws_row = static_cast<unsigned short>(height);
  ::ioctl(master_, TIOCSWINSZ, &size);
}

void PtyProcess::Signal(int signal) {
  ::kill(pid_, signal);
}

void PtyProcess::ReadFor(Millis time) {
  pollfd fd{.fd = master_, .events = POLLIN, .revents = 0};
  if (::poll(&fd, 1, static_cast<int>(time.count())) <= 0) return;
  char bytes[65536];
  const ssize_t count = ::read(master_, bytes, sizeof bytes);
  if (count > 0) output_.append(bytes, static_cast<size_t>(count));
}

std::string PtyProcess::Frame() const {
  const size_t home = output_.rfind(kHome);
  return WithoutEscapes(home == std::string::npos ? output_ : output_.substr(home));
}

bool PtyProcess::Shows(const std::string& text, Millis patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (Frame().find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ReadFor(kLook);
  }
  return true;
}

bool PtyProcess::Showed(const std::string& text, Millis patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (WithoutEscapes(output_).find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ReadFor(kLook);
  }
  return true;
}

std::optional<int> PtyProcess::Wait(Millis patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!exit_.has_value()) {
    ReadFor(kLook);
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      // What it wrote last.
      for (size_t size = output_.size() + 1; size != output_.size();) {
        size = output_.size();
        ReadFor(kLook);
      }
    } else if (std::chrono::steady_clock::now() > deadline) {
      return std::nullopt;
    }
  }
  return exit_;
}

bool PtyProcess::WaitStopped(Millis patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG | WUNTRACED) != pid_) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ReadFor(kLook);
  }
  ReadFor(kLook);
  return WIFSTOPPED(status);
}

bool PtyProcess::IsRestored() const {
  termios now{};
  return ::tcgetattr(slave_, &now) == 0 && SameKeys(now, before_);
}

}  // namespace seatlock::testing
